package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"regexp"
	"slices"

	"github.com/fornax-ml/fornax/tools/bench/internal/record"
)

// options are the flags of a measurement.
type options struct {
	only   *regexp.Regexp
	passes int
	json   string
	out    string
}

// runCPU is the subcommand cpu.
func (a *app) runCPU(args []string) error {
	l := newLab(a.ctx)
	defer l.close()
	o, err := parseCPU(args, l)
	if err != nil {
		return err
	}
	cases := slices.DeleteFunc(cpuCases(l), func(c benchCase) bool { return !o.only.MatchString(c.id()) })
	if len(cases) == 0 {
		return &usageError{fmt.Errorf("no case matches %q", o.only)}
	}
	results := a.measure(l, cases, o.passes, l.plan())
	return errors.Join(a.report(o, newHeader(l, o.passes), results), a.ctx.Err())
}

func parseCPU(args []string, l *lab) (options, error) {
	fs := flag.NewFlagSet("cpu", flag.ContinueOnError)
	fs.BoolVar(&l.usePeers, "peers", false, "")
	fs.StringVar(&l.python, "python", "", "")
	return parseFlags(fs, args, l)
}

// parseFlags parses the flags of a set and those that all measurements have.
func parseFlags(fs *flag.FlagSet, args []string, l *lab) (options, error) {
	o := options{only: regexp.MustCompile("")}
	fs.SetOutput(io.Discard)
	fs.BoolVar(&l.quick, "quick", false, "")
	fs.Func("only", "", func(s string) (err error) {
		o.only, err = regexp.Compile(s)
		return err
	})
	repeat := fs.Int("repeat", 0, "")
	fs.StringVar(&o.json, "json", "", "")
	fs.StringVar(&o.out, "o", "", "")
	if err := fs.Parse(args); err != nil {
		if errors.Is(err, flag.ErrHelp) {
			return o, err
		}
		return o, &usageError{err}
	}
	switch {
	case fs.NArg() > 0:
		return o, &usageError{fmt.Errorf("unexpected %q", fs.Args())}
	case *repeat < 0:
		return o, &usageError{errors.New("-repeat wants a positive number")}
	case *repeat > 0:
		o.passes = *repeat
	case l.quick:
		o.passes = 1
	default:
		o.passes = 3
	}
	return o, nil
}

// cpuCases are the cases of all suites.
func cpuCases(l *lab) []benchCase {
	return slices.Concat(
		productCases(l, products(l.quick)),
		mlpCases(l, []int{32, 128, 1024}, 784, 512, 512, 10),
		halfCases(l, halfProducts(l.quick)),
		memoryCases(l, 4096, 4096),
		rowsCases(l, 50_000, 256, 8192),
	)
}

// plan is that of the commands that measure one device.
func (l *lab) plan() plan {
	if l.quick {
		return quickPlan
	}
	return fullPlan
}

// measure goes through the cases so many times. Interrupted, it returns what it
// has. Of cases that differ in size only it leaves out those after one whose calls are so
// long that the next would be too long, or for which there is no memory.
func (a *app) measure(l *lab, cases []benchCase, passes int, p plan) []record.Result {
	tallies := make([]tally, len(cases))
	for i, c := range cases {
		tallies[i].c = c
	}
	show := newProgress(a.stderr, passes*len(cases))
	defer show.close()
	for pass := range passes {
		for i := range tallies {
			if a.ctx.Err() != nil {
				break
			}
			show.begin(tallies[i].label(pass, passes))
			if pass == 0 {
				tallies[i].skipAfter(tallies[:i], p)
			}
			had := tallies[i].clone()
			if tallies[i].pass(p); a.ctx.Err() != nil {
				tallies[i] = had // the peers are gone too
			}
			show.end()
		}
	}
	var results []record.Result
	for i := range tallies {
		if t := &tallies[i]; t.rounds > 0 || t.failed != nil || t.skipped != "" {
			results = append(results, t.result())
		}
	}
	shareOfCopy(results)
	return results
}

// report writes the tables and, where asked, the files. It fails where a case
// did.
func (a *app) report(o options, h record.Header, results []record.Result) error {
	write := func(w io.Writer) error { return writeMarkdown(w, h, results) }
	if err := write(a.stdout); err != nil {
		return err
	}
	if o.out != "" {
		if err := toFile(o.out, write); err != nil {
			return err
		}
	}
	if o.json != "" {
		err := toFile(o.json, func(w io.Writer) error {
			return (&record.File{Format: record.Format, Runs: []record.Run{{Header: h, Results: results}}}).Write(w)
		})
		if err != nil {
			return err
		}
	}
	return failures(results)
}

// failures is an error where cases failed.
func failures(results []record.Result) error {
	failed := 0
	for _, r := range results {
		if r.Error != "" {
			failed++
		}
	}
	if failed > 0 {
		return fmt.Errorf("%d of %d cases failed", failed, len(results))
	}
	return nil
}

func toFile(name string, write func(io.Writer) error) error {
	f, err := os.Create(name)
	if err != nil {
		return err
	}
	return errors.Join(write(f), f.Close())
}
