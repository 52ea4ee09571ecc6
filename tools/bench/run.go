package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"math"
	"runtime"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/fornax-ml/fornax/tools/bench/internal/record"
	"github.com/fornax-ml/fornax/tools/bench/internal/report"
)

// runOptions are the flags of the run over all devices.
type runOptions struct {
	options
	full    bool
	devices string
	levels  bool
	html    string
}

func parseRun(args []string, l *lab) (o runOptions, err error) {
	fs := flag.NewFlagSet("bench", flag.ContinueOnError)
	fs.BoolVar(&l.usePeers, "peers", false, "")
	fs.StringVar(&l.python, "python", "", "")
	fs.BoolVar(&o.full, "full", false, "")
	fs.BoolVar(&o.levels, "levels", false, "")
	fs.StringVar(&o.devices, "device", "", "")
	fs.StringVar(&o.html, "html", "bench.html", "")
	o.options, err = parseFlags(fs, args, l)
	if err == nil && l.quick && o.full {
		err = &usageError{errors.New("-quick and -full")}
	}
	if l.quick = !o.full; l.quick && !flagSet(fs, "repeat") {
		o.passes = 1
	}
	if err == nil && !flagSet(fs, "json") {
		o.json = "bench.json"
	}
	return o, err
}

func flagSet(fs *flag.FlagSet, name string) (set bool) {
	fs.Visit(func(f *flag.Flag) { set = set || f.Name == name })
	return set
}

// runAll is the command without a name: all that can be measured of all devices.
func (a *app) runAll(args []string) error {
	start := time.Now()
	l := newLab(a.ctx)
	defer l.close()
	o, err := parseRun(args, l)
	if err != nil {
		return err
	}
	l.width = runtime.GOMAXPROCS(0)
	found, missing, err := places(o.devices, o.levels)
	if err != nil {
		return err
	}
	r := record.Run{}
	p := fullRunPlan
	if l.quick {
		p = quickRunPlan
	}
	cases := 0
	for _, at := range found {
		if a.ctx.Err() != nil {
			break
		}
		s, err := at.open()
		if err != nil {
			missing[at.id] = cut(err.Error())
			continue
		}
		own := slices.DeleteFunc(runCases(l, s), func(c benchCase) bool { return !o.only.MatchString(c.id()) })
		if cases += len(own); len(own) > 0 {
			fmt.Fprintf(a.stderr, "%s: %s, %s\n", s.ID, s.Model, s.Driver)
			r.Devices = append(r.Devices, s.Device)
			r.Results = append(r.Results, a.measure(l, own, o.passes, p)...)
		}
		s.close()
	}
	if cases == 0 && a.ctx.Err() == nil {
		return &usageError{fmt.Errorf("no case matches %q%s", o.only, because(missing))}
	}
	r.Header = newHeader(l, o.passes)
	r.Header.Missing, r.Header.Time, r.Header.Took = missing, start.UTC().Format(time.RFC3339), time.Since(start).Seconds()
	f := &record.File{Format: record.Format, Runs: []record.Run{r}}
	report.Derive(f)
	write := func(w io.Writer) error { return writeRun(w, &f.Runs[0]) }
	err = errors.Join(write(a.stdout), a.files(f, o.json, o.html))
	if o.out != "" {
		err = errors.Join(err, toFile(o.out, write))
	}
	return errors.Join(err, failures(r.Results), a.ctx.Err())
}

// files writes results as JSON and as a report, each where it has a name.
func (a *app) files(f *record.File, json, html string) error {
	for _, out := range []struct {
		name  string
		write func(io.Writer) error
	}{
		{json, f.Write},
		{html, func(w io.Writer) error { return report.Write(w, f) }},
	} {
		if out.name == "" {
			continue
		}
		if err := toFile(out.name, out.write); err != nil {
			return err
		}
		fmt.Fprintf(a.stderr, "wrote %s\n", out.name)
	}
	return nil
}

// runCases are all cases of a device.
func runCases(l *lab, s *subject) []benchCase {
	cases := slices.Concat(limitsCases(l, s), familyCases(l, s), trainCases(l), scaleCases(l, s))
	for i, c := range cases {
		cases[i] = l.on(s, c)
	}
	return cases
}

// writeRun writes a table of each suite: a row a case, a column a device.
func writeRun(out io.Writer, r *record.Run) error {
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', tabwriter.AlignRight)
	h := r.Header
	fmt.Fprintf(w, "fornax %s, %s, %s, %s; %s in %s\n", h.Commit, h.Go, h.System, h.Processor, h.Time, record.Show(h.Took, "s"))
	for _, d := range r.Devices {
		fmt.Fprintf(w, "%s: %s, %s\n", d.ID, d.Model, d.Driver)
	}
	for _, id := range sortedKeys(h.Missing) {
		fmt.Fprintf(w, "%s: missing: %s\n", id, h.Missing[id])
	}
	fmt.Fprint(w, "A cell is the median time of a call, how far the interval of 95 % reaches, and the rate.\n")
	type key struct{ suite, name string }
	var keys []key
	cells := map[key]map[string]*record.Result{}
	for i := range r.Results {
		v := &r.Results[i]
		k := key{v.Suite, v.Case}
		if cells[k] == nil {
			cells[k] = map[string]*record.Result{}
			keys = append(keys, k)
		}
		cells[k][v.Device] = v
	}
	suite := ""
	var wrong []string
	for _, k := range keys {
		if k.suite != suite {
			suite = k.suite
			fmt.Fprintf(w, "\n%s\t", suite)
			for _, d := range r.Devices {
				fmt.Fprintf(w, "%s\t", d.ID)
			}
			fmt.Fprintln(w)
		}
		fmt.Fprintf(w, "%s\t", k.name)
		for _, d := range r.Devices {
			v := cells[k][d.ID]
			if v != nil && v.Error != "" {
				wrong = append(wrong, v.ID()+": "+v.Error)
			}
			fmt.Fprintf(w, "%s\t", runCell(v))
		}
		fmt.Fprintln(w)
	}
	for i := range r.Results {
		for _, v := range r.Results[i].Rivals {
			if v.Seconds.N > 0 {
				fmt.Fprintf(w, "%s: %s %s, %s of ours\n", r.Results[i].ID(), v.Name, record.Show(v.Seconds.Median, "s"), record.Digits(v.Ratio.Median))
			}
		}
	}
	for _, s := range wrong {
		fmt.Fprintln(w, s)
	}
	return w.Flush()
}

// runCell shows a result in the table.
func runCell(v *record.Result) string {
	switch {
	case v == nil:
		return "–"
	case v.Error != "":
		if strings.Contains(v.Error, "wrong result") {
			return "WRONG"
		}
		return "failed"
	case v.Skipped != "":
		return "skipped"
	}
	s := record.Show(v.Seconds.Median, "s")
	if spread := v.Interval.Spread(); spread < 10 {
		s += fmt.Sprintf(" ±%.0f%%", math.Ceil(100*spread))
	}
	switch {
	case v.Flops > 0 && (v.Suite == matmulSuite || v.Op == opArithmetic || v.Op == opPeak || v.Suite == trainSuite):
		s += " " + record.Show(v.Flops/v.Seconds.Median, "flop/s")
	case v.Bytes > 0:
		s += " " + record.Show(v.Bytes/v.Seconds.Median, "B/s")
	}
	return s
}
