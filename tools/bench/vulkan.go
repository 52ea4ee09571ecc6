package main

import (
	"errors"
	"flag"
	"fmt"
	"slices"
	"sync"

	"github.com/fornax-ml/fornax/tensor"
	"github.com/fornax-ml/fornax/tensor/ir"
	"github.com/fornax-ml/fornax/vk"
)

// runVulkan is the subcommand vulkan.
func (a *app) runVulkan(args []string) error {
	l := newLab(a.ctx)
	defer l.close()
	fs := flag.NewFlagSet("vulkan", flag.ContinueOnError)
	name := fs.String("device", "vulkan:0", "")
	o, err := parseFlags(fs, args, l)
	if err != nil {
		return err
	}
	infos, err := vulkanDevices()
	if err != nil {
		return err
	}
	i := slices.IndexFunc(infos, func(info ir.Info) bool { return info.Name == *name })
	if i < 0 {
		return fmt.Errorf("no device %q", *name)
	}
	dev, err := vk.Open(i, vk.Options{CacheDir: vk.DefaultCacheDir()})
	if err != nil {
		return err
	}
	defer dev.Close()
	l.vulkan = tensor.New(dev)
	cases := slices.DeleteFunc(vulkanCases(l, dev.Info()), func(c benchCase) bool { return !o.only.MatchString(c.id()) })
	if len(cases) == 0 {
		return &usageError{fmt.Errorf("no case matches %q", o.only)}
	}
	results := a.measure(l, cases, o.passes)
	h := newHeader(l, o.passes)
	h.Device = fmt.Sprintf("%s, %s", dev.Info().Model, dev.Info().Driver)
	return errors.Join(a.report(o, h, results), a.ctx.Err())
}

// mostElements is how many elements of a result are compared with float64; of a larger
// one some all over it are.
const mostElements = 1 << 25

// vulkanCases are the cases of all suites on a device. Its time is the wall's, the
// calls of a batch follow each other without waiting, and the wait for the last counts.
func vulkanCases(l *lab, info *ir.Info) []benchCase {
	var cases []benchCase
	add := func(suite, group, name string, work float64, open func() (*entry, error)) {
		cases = append(cases, benchCase{suite: suite, group: group, name: name, work: work, open: func() (*entry, error) {
			e, err := open()
			if err == nil { // peers and peaks are the CPU's
				e.yardstick = nil
				if e.reference.n > mostElements {
					e.reference.elements = spread(e.reference.n, mostElements/32)
				}
				e.rivals = slices.DeleteFunc(e.rivals, func(r rival) bool { return r.contender == nil })
			}
			return e, err
		}})
	}
	squares, side := []int{256, 512, 1024, 2048, 4096}, 16384
	if info.Software || l.quick {
		squares = squares[:3]
	}
	if info.Software || info.Limits.MemoryBytes>>30 < 16 || info.Limits.BufferBytes < 4*side*side {
		side = 4096
	}
	if l.quick {
		side = 1024
	}
	for _, d := range append([]productDType{{tensor.F32, 0}}, halfDTypes...) {
		for _, n := range squares {
			for t := range 2 {
				p := product{n, n, n, false, t == 1}
				add(halfSuite, d.String(), p.String(), p.flops(), func() (*entry, error) { return l.openHalf(d, p, 0) })
			}
		}
	}
	for _, b := range []int{32, 128, 1024} {
		m := mlp{b, []int{784, 512, 512, 10}}
		want := sync.OnceValue(m.losses)
		add(mlpSuite, "", m.String(), 1, func() (*entry, error) { return l.openMLP(m, 0, want) })
	}
	for _, op := range memoryOps {
		add(memorySuite, fmt.Sprintf("%d×%d", side, side), op.name, 4*float64(op.moves)*float64(side)*float64(side),
			func() (*entry, error) { return l.openMemory(op, side, side, 0) })
	}
	for _, op := range rowsOps {
		add(rowsSuite, "", op.name, float64(op.bytes(50_000, 256, 8192)),
			func() (*entry, error) { return l.openRows(op.name, 50_000, 256, 8192, 0) })
	}
	return cases
}
