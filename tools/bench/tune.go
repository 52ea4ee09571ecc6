package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"text/tabwriter"

	"github.com/fornax-ml/fornax/tensor"
	"github.com/fornax-ml/fornax/tensor/ir"
	"github.com/fornax-ml/fornax/vk"
)

// tuneOptions are the flags of "bench tune".
type tuneOptions struct {
	dir, device, merge string
	records            []string // to merge
	quick              bool
}

func parseTune(args []string) (o tuneOptions, err error) {
	fs := flag.NewFlagSet("tune", flag.ContinueOnError)
	fs.SetOutput(io.Discard)
	fs.StringVar(&o.dir, "dir", vk.DefaultCacheDir(), "")
	fs.BoolVar(&o.quick, "quick", false, "")
	fs.StringVar(&o.device, "device", "", "")
	fs.StringVar(&o.merge, "merge", "", "")
	if err := fs.Parse(args); err != nil {
		if errors.Is(err, flag.ErrHelp) {
			return o, err
		}
		return o, &usageError{err}
	}
	o.records = fs.Args()
	switch n := len(o.records); {
	case o.merge != "" && n == 0:
		return o, &usageError{errors.New("-merge wants the records to join")}
	case o.merge == "" && n > 0:
		return o, &usageError{fmt.Errorf("unexpected %q", o.records)}
	}
	return o, nil
}

// runTune is the subcommand tune.
func (a *app) runTune(args []string) error {
	o, err := parseTune(args)
	if err != nil {
		return err
	}
	if o.merge != "" {
		return vk.MergeTuned(o.merge, o.records...)
	}
	infos, err := vulkanDevices()
	if err != nil {
		return err
	}
	tuned := 0
	for i, info := range infos {
		if o.device != "" && o.device != info.Name {
			continue
		}
		tuned++
		if err := a.tune(i, info, o); err != nil {
			return fmt.Errorf("%s: %w", info.Name, err)
		}
	}
	if tuned == 0 {
		return fmt.Errorf("no device %q", o.device)
	}
	return nil
}

// vulkanDevices lists the devices of package vk.
func vulkanDevices() ([]ir.Info, error) {
	for _, b := range ir.Backends() {
		if b.Name() == "vulkan" {
			return b.Devices()
		}
	}
	return nil, vk.ErrNoCgo
}

// tune times the kernels of common products on a device and prints what it found.
func (a *app) tune(i int, info ir.Info, o tuneOptions) error {
	dev, err := vk.Open(i, vk.Options{CacheDir: o.dir, Tuning: vk.TuneAll})
	if err != nil {
		return err
	}
	defer dev.Close()
	d := tensor.New(dev)
	jobs := tuningJobs(o.quick)
	show := newProgress(a.stderr, len(jobs))
	for _, j := range jobs {
		if a.ctx.Err() != nil {
			break
		}
		show.begin(info.Name + " " + j.name)
		err := j.run(d)
		show.end()
		if err != nil && !errors.Is(err, ir.ErrOutOfMemory) {
			show.close()
			return fmt.Errorf("%s: %w", j.name, err)
		}
	}
	show.close()
	fmt.Fprintf(a.stdout, "%s: %s, %s\n", info.Name, info.Model, info.Driver)
	w := tabwriter.NewWriter(a.stdout, 0, 0, 2, ' ', 0)
	for _, f := range dev.Report() {
		if f.Topic == "tuning" {
			fmt.Fprintf(w, "  %s\t%s\n", f.Name, f.Value)
		}
	}
	return errors.Join(w.Flush(), a.ctx.Err())
}

// A tuningJob is work whose products are to be tuned.
type tuningJob struct {
	name string
	run  func(d *tensor.Device) error
}

// tuningJobs are training steps of perceptrons, and products of squares and of the
// shapes of a transformer's layers, of float32 and halves, in all layouts.
func tuningJobs(quick bool) []tuningJob {
	var jobs []tuningJob
	batches, squares := []int{32, 128, 1024}, []int{64, 128, 256, 512, 1024, 2048, 4096}
	if quick {
		batches, squares = batches[:2], squares[:4]
	}
	for _, b := range batches {
		m := mlp{b, []int{784, 512, 512, 10}}
		jobs = append(jobs, tuningJob{"perceptron, batch " + fmt.Sprint(b), func(d *tensor.Device) error {
			s, err := m.train(d)
			if err == nil {
				s.close()
			}
			return err
		}})
	}
	shapes := [][3]int{}
	for _, n := range squares {
		shapes = append(shapes, [3]int{n, n, n})
	}
	if !quick {
		shapes = append(shapes, [3]int{512, 768, 768}, [3]int{512, 3072, 768}, [3]int{512, 768, 3072}, [3]int{128, 128, 4096}, [3]int{1, 4096, 4096})
	}
	for _, dt := range []tensor.DType{tensor.F32, tensor.F16, tensor.BF16} {
		for _, s := range shapes {
			for _, layout := range []string{"NN", "NT", "TN"} {
				name := fmt.Sprintf("%v %dx%dx%d %s", dt, s[0], s[1], s[2], layout)
				jobs = append(jobs, tuningJob{name, func(d *tensor.Device) error { return multiplyOnce(d, dt, s, layout) }})
			}
		}
	}
	return jobs
}

// multiplyOnce computes a product of M × N × K; an operand that layout calls T lies
// transposed in memory.
func multiplyOnce(d *tensor.Device, dt tensor.DType, s [3]int, layout string) error {
	m, n, k := s[0], s[1], s[2]
	x, y := tensor.Ones(d, m, k).Cast(dt), tensor.Ones(d, k, n).Cast(dt)
	if layout[0] == 'T' {
		x = tensor.Ones(d, k, m).Cast(dt)
	}
	if layout[1] == 'T' {
		y = tensor.Ones(d, n, k).Cast(dt)
	}
	defer x.Free()
	defer y.Free()
	if err := tensor.Eval(x, y); err != nil {
		return err
	}
	a, b := x, y
	if layout[0] == 'T' {
		a = x.T()
	}
	if layout[1] == 'T' {
		b = y.T()
	}
	z := a.MatMul(b)
	defer z.Free()
	return tensor.Eval(z)
}
