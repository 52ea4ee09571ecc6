package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"math"
	"path/filepath"
	"regexp"
	"runtime"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/fornax-ml/fornax/tools/bench/internal/compare"
	"github.com/fornax-ml/fornax/tools/bench/internal/record"
)

// compareOptions are the flags of "bench compare".
type compareOptions struct {
	compare.Options
	turns   bool
	one     bool // a thread, by the processor's clock
	devices string
	only    *regexp.Regexp
	passes  int
	json    string
}

// errSlower is why the exit status of compare is not 0.
var errSlower = errors.New("there are regressions")

// runCompare is the subcommand compare.
func (a *app) runCompare(args []string) error {
	o := compareOptions{only: regexp.MustCompile("")}
	fs := flag.NewFlagSet("compare", flag.ContinueOnError)
	fs.BoolVar(&o.turns, "run", false, "")
	fs.BoolVar(&o.one, "one", false, "")
	fs.StringVar(&o.devices, "device", "cpu", "")
	fs.IntVar(&o.passes, "repeat", 5, "")
	fs.Float64Var(&o.Least, "least", 0.05, "")
	fs.Float64Var(&o.Alpha, "alpha", 0.05, "")
	fs.StringVar(&o.json, "json", "", "")
	fs.Func("only", "", func(s string) (err error) {
		o.only, err = regexp.Compile(s)
		return err
	})
	names, err := parseNames(fs, args, 2)
	if err != nil {
		return err
	}
	if len(names) != 2 || o.passes < 1 || !(o.Least > 0) || !(o.Alpha > 0 && o.Alpha < 1) {
		return &usageError{errors.New("compare wants the old side and the new side; -repeat and -least above 0, -alpha between 0 and 1")}
	}
	var c *compare.Comparison
	if o.turns {
		c, err = a.takeTurns(names[0], names[1], o)
	} else {
		c, err = compareFiles(names[0], names[1], o.Options)
	}
	if err != nil {
		return err
	}
	if err := writeComparison(a.stdout, c); err != nil {
		return err
	}
	if c.Count(compare.Slower)+c.Count(compare.Broken) > 0 {
		return errSlower
	}
	return nil
}

// compareFiles compares records; each side may be several files with commas between them,
// which count as passes.
func compareFiles(old, new string, o compare.Options) (*compare.Comparison, error) {
	x, err := readAll(strings.Split(old, ","))
	if err != nil {
		return nil, err
	}
	y, err := readAll(strings.Split(new, ","))
	if err != nil {
		return nil, err
	}
	return compare.Files(x, y, o)
}

// oldSide is the name of the rival that is the program before.
const oldSide = "old"

// takeTurns measures two builds of this command in turns: each is a process that computes a
// case when it is told to, as peers are, so that what the machine does otherwise meets both.
// What may have changed, by the middle of its ratios, is measured once more, from the start
// and twice as long; only what that shows has changed.
func (a *app) takeTurns(old, new string, o compareOptions) (*compare.Comparison, error) {
	l := newLab(a.ctx)
	defer l.close()
	l.quick = true
	found, _, err := places(o.devices, true)
	if err != nil {
		return nil, err
	}
	r := record.Run{Header: newHeader(l, o.passes)}
	r.Header.Commit, r.Header.Time = old+" and "+new, time.Now().UTC().Format(time.RFC3339)
	for _, at := range found {
		s, err := at.open()
		if err != nil {
			return nil, err
		}
		cases := runCases(l, s)
		r.Devices = append(r.Devices, s.Device)
		s.close()
		results, err := a.race(l, old, new, s.ID, cases, o)
		if err != nil {
			return nil, err
		}
		r.Results = append(r.Results, results...)
	}
	if len(r.Results) == 0 {
		return nil, &usageError{fmt.Errorf("no case matches %q", o.only)}
	}
	if o.json != "" {
		f := &record.File{Format: record.Format, Runs: []record.Run{r}}
		if err := toFile(o.json, f.Write); err != nil {
			return nil, err
		}
	}
	return compare.Turns(&r, oldSide, o.Options)
}

// race measures the cases of a device in turns, and once more those that may have changed.
func (a *app) race(l *lab, old, new, device string, cases []benchCase, o compareOptions) ([]record.Result, error) {
	var sides [2]*peer
	var env []string
	if o.one {
		env = []string{"GOMAXPROCS=1"}
	}
	for i, name := range []string{old, new} {
		path, err := filepath.Abs(name)
		if err != nil {
			return nil, err
		}
		p, err := startPeer(a.ctx, name, nil, env, []string{path, "peer", "cases", device})
		if err != nil {
			return nil, fmt.Errorf("%w (compare -run wants two builds of this command)", err)
		}
		defer p.stop()
		sides[i] = p
	}
	var own []benchCase
	for _, c := range cases {
		if !o.only.MatchString(c.id()) || c.op == opPeak {
			continue
		}
		c.clocked = nil
		id, opened := c.id(), 0
		c.open = func() (*entry, error) {
			opened++
			return openSides(sides[0], sides[1], id, opened%2 == 0)
		}
		if o.one {
			c.threads = 1
		}
		own = append(own, c)
	}
	plan := quickRunPlan
	plan.clock, plan.spread, plan.rotate = 0, 0, true
	results := a.measure(l, own, o.passes, plan)
	c, err := compare.Turns(&record.Run{Results: results}, oldSide, o.Options)
	if err != nil || a.ctx.Err() != nil {
		return results, errors.Join(err, a.ctx.Err())
	}
	var again []benchCase
	for i, v := range c.Verdicts {
		if v.Ratio >= 1+o.Least || v.Ratio > 0 && v.Ratio <= 1/(1+o.Least) {
			for _, k := range own {
				if k.id() == strings.TrimPrefix(results[i].ID(), "/") {
					again = append(again, k)
				}
			}
		}
	}
	for _, n := range a.measure(l, again, 2*o.passes, plan) {
		for i := range results {
			if results[i].ID() == n.ID() {
				results[i] = n
			}
		}
	}
	return results, a.ctx.Err()
}

// openSides opens a case on both builds, which check it themselves. Which is opened first
// shows in the times, so that it shall be either as often.
func openSides(old, new *peer, id string, oldFirst bool) (*entry, error) {
	right := reference{checked: true}
	r := rival{name: oldSide, ratio: "old to new", reference: &right}
	if oldFirst {
		r.contender, r.err = old.open(id, 0)
	}
	ours, err := new.open(id, 0)
	if err != nil {
		return nil, err
	}
	if !oldFirst {
		r.contender, r.err = old.open(id, 0)
	}
	return &entry{ours: ours, reference: right, rivals: []rival{r}}, nil
}

// casesEngine serves the cases of a device to compare -run. A case that computes a wrong
// result is not opened.
func casesEngine(ctx context.Context, device string) (engine, error) {
	l := newLab(ctx)
	l.quick = true
	found, _, err := places(device, true)
	if err != nil {
		return engine{}, err
	}
	s, err := found[0].open()
	if err != nil {
		return engine{}, err
	}
	cases := map[string]benchCase{}
	for _, c := range runCases(l, s) {
		cases[c.id()] = c
	}
	return engine{about: s.Model + ", " + s.Driver, open: func(name string, _ int, _ []int) (contender, error) {
		c, ok := cases[name]
		if !ok {
			return nil, fmt.Errorf("no case %q", name)
		}
		e, err := c.open()
		if err != nil {
			return nil, err
		}
		if err := e.reference.check(e.ours, false); err != nil {
			e.close()
			return nil, err
		}
		runtime.GC() // of what the check left, not while calls are timed
		return e.ours, nil
	}}, nil
}

// writeComparison writes what has changed, and how much noise there was.
func writeComparison(out io.Writer, c *compare.Comparison) error {
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	for _, s := range []compare.State{compare.Broken, compare.Slower, compare.Faster, compare.Suspect, compare.Mended, compare.Missing} {
		for _, v := range c.Verdicts {
			switch {
			case v.State != s:
			case v.Reason != "" || v.Old == 0:
				fmt.Fprintf(w, "%s\t%s\t%s\n", s, v.ID, v.Reason)
			default:
				fmt.Fprintf(w, "%s\t%s\t%s\t→ %s\t%+.1f %%\t(%+.1f to %+.1f)\tp %.2g\n", s, v.ID,
					record.Show(v.Old, "s"), record.Show(v.New, "s"), 100*(v.Ratio-1), 100*(v.Low-1), 100*(v.High-1), v.P)
			}
		}
	}
	for _, d := range c.Drifts {
		if c.Turns {
			fmt.Fprintf(w, "%s: all %d cases together %+.1f %%\n", d.Device, d.Cases, 100*(d.Ratio-1))
			continue
		}
		fmt.Fprintf(w, "%s: all %d cases together %+.1f %%; changes of less than %.0f %% do not stand out from the noise between the runs (compare -run takes turns)\n",
			d.Device, d.Cases, 100*(d.Ratio-1), 100*math.Max(0, d.Noise-1))
	}
	fmt.Fprintf(w, "%d slower, %d faster, %d the same, %d broken, %d mended, %d without numbers\n", c.Count(compare.Slower), c.Count(compare.Faster),
		c.Count(compare.Same), c.Count(compare.Broken), c.Count(compare.Mended), c.Count(compare.Missing))
	if n := c.Count(compare.Suspect); n > 0 {
		fmt.Fprintf(w, "%d suspects: measure both sides with -repeat 3, or in turns with compare -run\n", n)
	}
	return w.Flush()
}
