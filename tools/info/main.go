// Command info prints what every device of this machine is and has, to paste into a
// report of a problem:
//
//	go run ./tools/info [-json] [-quick] [-tests DURATION] [-device NAME]
//
// For each device: model, vendor, driver, dtypes, limits, memory, features, and which
// kernels are in use and why. Every kernel and op of a Vulkan device is compared with
// the reference first, for at most a minute or what -tests says, unless -quick is given;
// what computes wrongly is switched off, with the reason. Then latency, copy bandwidth
// and arithmetic are measured for a second. A backend without devices says the reason.
// -h tells more.
package main

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"maps"
	"os"
	"runtime"
	"runtime/debug"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	_ "github.com/fornax-ml/fornax/cpu"
	"github.com/fornax-ml/fornax/tensor/ir"
	"github.com/fornax-ml/fornax/tensor/ir/gauge"
	_ "github.com/fornax-ml/fornax/vk"
)

func main() {
	asJSON := flag.Bool("json", false, "print JSON")
	quick := flag.Bool("quick", false, "leave self-tests and measurements out")
	tests := flag.Duration("tests", time.Minute, "how long the self-tests of a device may take")
	only := flag.String("device", "", "only this device")
	flag.Usage = func() { fmt.Fprint(flag.CommandLine.Output(), helpText) }
	flag.Parse()
	if flag.NArg() > 0 {
		fmt.Fprintf(os.Stderr, "info: want no arguments, got %q; -h tells how it is used\n", flag.Args())
		os.Exit(2)
	}
	if err := run(os.Stdout, *only, *asJSON, *quick, *tests); err != nil {
		fmt.Fprintln(os.Stderr, "info:", err)
		os.Exit(1)
	}
}

// A report is what the command prints.
type report struct {
	Go      string   `json:"go"`
	System  string   `json:"system"`
	Commit  string   `json:"commit,omitempty"`
	Devices []device `json:"devices"`
	// Missing has the reason why a backend has no devices, or a device does not open.
	Missing map[string]string `json:"missing,omitempty"`
}

type device struct {
	Name     string    `json:"name"`
	Model    string    `json:"model"`
	Vendor   string    `json:"vendor"`
	Driver   string    `json:"driver"`
	Software bool      `json:"software"`
	DTypes   []string  `json:"dtypes"`
	Limits   ir.Limits `json:"limits"`
	Facts    []ir.Fact `json:"facts"`
}

// run reports on all devices, or on the one of a name.
func run(out io.Writer, only string, asJSON, quick bool, tests time.Duration) error {
	found := only == ""
	r := report{Go: runtime.Version(), System: runtime.GOOS + "/" + runtime.GOARCH, Commit: commit(), Missing: map[string]string{}}
	for _, b := range ir.Backends() {
		infos, err := b.Devices()
		if err == nil && len(infos) == 0 {
			err = errors.New("no devices")
		}
		if err != nil && only == "" {
			r.Missing[b.Name()] = err.Error()
		}
		for i, info := range infos {
			if only != "" && info.Name != only {
				continue
			}
			found = true
			d, err := open(b, i, quick, tests)
			if err != nil {
				r.Missing[info.Name] = err.Error()
				continue
			}
			r.Devices = append(r.Devices, d)
		}
	}
	if !found {
		return fmt.Errorf("there is no device %q", only)
	}
	slices.SortStableFunc(r.Devices, func(a, b device) int { return cmp.Compare(a.Name, b.Name) })
	if asJSON {
		e := json.NewEncoder(out)
		e.SetIndent("", "  ")
		return e.Encode(r)
	}
	return r.print(out)
}

func open(b ir.Backend, i int, quick bool, tests time.Duration) (device, error) {
	dev, err := b.Open(i)
	if err != nil {
		return device{}, err
	}
	defer dev.Close()
	info := dev.Info()
	d := device{Name: info.Name, Model: info.Model, Vendor: info.Vendor, Driver: info.Driver, Software: info.Software, Limits: info.Limits}
	for _, t := range info.DTypes.List() {
		d.DTypes = append(d.DTypes, t.String())
	}
	late := false
	if t, ok := dev.(ir.SelfTester); ok && !quick {
		ctx, cancel := context.WithTimeout(context.Background(), tests)
		defer cancel()
		err := t.SelfTest(ctx)
		switch {
		case errors.Is(err, context.DeadlineExceeded):
			late = true
		case err != nil:
			return device{}, err
		}
	}
	if r, ok := dev.(ir.Reporter); ok {
		d.Facts = r.Report()
	}
	if late {
		i := len(d.Facts)
		for i > 0 && d.Facts[i-1].Topic != "self-tests" {
			i--
		}
		d.Facts = slices.Insert(d.Facts, i, ir.Fact{Topic: "self-tests", Name: "time is up", Value: fmt.Sprintf("not all were done in %v: once more goes on from here, -tests gives them longer", tests)})
	}
	if !quick {
		f, err := gauge.Measure(context.Background(), dev, time.Second)
		if err != nil {
			return device{}, err
		}
		d.Facts = append([]ir.Fact{
			{Topic: "measured", Name: "latency of a program", Value: f.Latency.String()},
			{Topic: "measured", Name: "copy", Value: fmt.Sprintf("%.1f GB/s", f.Bandwidth/1e9)},
			{Topic: "measured", Name: "float32 arithmetic", Value: fmt.Sprintf("%.1f GFLOP/s", f.Rate/1e9)},
		}, d.Facts...)
	}
	return d, nil
}

// commit is the revision that the program was built from, where Go knows it.
func commit() string {
	b, ok := debug.ReadBuildInfo()
	if !ok {
		return ""
	}
	for _, s := range b.Settings {
		if s.Key == "vcs.revision" {
			return s.Value
		}
	}
	return ""
}

// print writes the report for people.
func (r report) print(out io.Writer) error {
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintf(w, "fornax %s, %s, %s\n", cmp.Or(r.Commit, "(unknown commit)"), r.Go, r.System)
	for _, name := range slices.Sorted(maps.Keys(r.Missing)) {
		fmt.Fprintf(w, "\n%s: %s\n", name, r.Missing[name])
	}
	for _, d := range r.Devices {
		fmt.Fprintf(w, "\n%s: %s\n", d.Name, d.Model)
		line := func(name, value string) { fmt.Fprintf(w, "  %s\t%s\n", name, value) }
		line("vendor", d.Vendor)
		line("driver", d.Driver)
		if d.Software {
			line("software", "computes on the CPU")
		}
		line("dtypes", strings.Join(d.DTypes, " "))
		line("operands", fmt.Sprint(d.Limits.Operands))
		line("buffer", fmt.Sprintf("%d MiB at most", d.Limits.BufferBytes>>20))
		line("memory", fmt.Sprintf("%d MiB", d.Limits.MemoryBytes>>20))
		topic := ""
		for _, f := range d.Facts {
			if f.Topic != topic {
				topic = f.Topic
				fmt.Fprintf(w, "  %s\n", topic)
			}
			fmt.Fprintf(w, "    %s\t%s\n", f.Name, f.Value)
		}
	}
	return w.Flush()
}
