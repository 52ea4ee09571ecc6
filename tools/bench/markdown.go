package main

import (
	"fmt"
	"io"
	"math"
	"slices"
	"strings"

	"gonum.org/v1/gonum/stat"

	"github.com/fornax-ml/fornax/tools/bench/internal/record"
)

// A suite is how the results of a kind of case are shown.
type suite struct {
	name, title string
	unit        string  // of a rate; "ms" for times
	scale       float64 // of the unit: 1e9 for GFLOP/s
	share       string  // what the share is of; "" where there is none
	note        string
}

var suites = []suite{
	{productSuite, "Products, float32", "GFLOP/s", 1e9, "peak", "M×K×N; T: the operand lies transposed. The peak is that of multiply-adds on registers, measured beside each round."},
	{halfSuite, "Products, sums in float32", "GFLOP/s", 1e9, "peak", "M×K×N; T: the operand lies transposed. The peak, where there is one, is that of float32: processors that multiply BF16 by itself reach more."},
	{mlpSuite, "Training steps of a perceptron 784-512-512-10", "ms", 1e-3, "", "ReLU, cross-entropy, Adam. Speed-up: the time on one thread to the time on two, in turns."},
	{memorySuite, "Kernels bound by memory", "GB/s", 1e9, "copy", "On a square of float32, 4096×4096 on the CPU. The share is of the best copy in this run. chain: ten cheap ops of two inputs; our add does one."},
	{rowsSuite, "Rows of a table 50,000×256, 8,192 picked", "GB/s", 1e9, "copy", "gather reads rows, gradient adds rows to zeros, scatter adds rows to the table. What stays in a cache can be faster than a copy."},
}

// writeMarkdown writes a table for each suite and group with results.
func writeMarkdown(w io.Writer, h record.Header, results []record.Result) error {
	var b strings.Builder
	about(&b, h)
	for _, s := range suites {
		own := slices.DeleteFunc(slices.Clone(results), func(r record.Result) bool { return r.Suite != s.name })
		for len(own) > 0 {
			group := own[0].Group
			n := slices.IndexFunc(own, func(r record.Result) bool { return r.Group != group })
			if n < 0 {
				n = len(own)
			}
			s.table(&b, group, own[:n])
			own = own[n:]
		}
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// table writes the results of one group.
func (s suite) table(b *strings.Builder, group string, results []record.Result) {
	title := s.title
	if group != "" {
		title += ", " + group
	}
	fmt.Fprintf(b, "\n## %s\n\n%s\n\n", title, s.note)
	rivals := rivalNames(results)
	head := []string{"case", "threads", "ours " + s.unit}
	if s.share != "" {
		head = append(head, "% of "+s.share)
	}
	for _, v := range rivals {
		head = append(head, v.Name+" "+s.unit)
		if s.share != "" {
			head = append(head, "% of "+s.share)
		}
		head = append(head, v.RatioName)
	}
	line(b, head)
	line(b, slices.Repeat([]string{"---"}, len(head)))
	for _, r := range results {
		row := []string{r.Case, fmt.Sprint(r.Threads)}
		if r.Threads == 0 {
			row[1] = "–"
		}
		if r.Error != "" {
			line(b, append(row, "**"+cell(r.Error)+"**"))
			continue
		}
		row = append(row, s.rate(r.Work, r.Seconds))
		if s.share != "" {
			row = append(row, show(r.Share.Times(100)))
		}
		for _, name := range rivals {
			v := record.Rival{}
			if i := slices.IndexFunc(r.Rivals, func(v record.Rival) bool { return v.Name == name.Name }); i >= 0 {
				v = r.Rivals[i]
			}
			row = append(row, s.rate(r.Work, v.Seconds))
			if s.share != "" {
				row = append(row, show(v.Share.Times(100)))
			}
			row = append(row, show(v.Ratio))
		}
		line(b, row)
	}
	s.summary(b, rivals, results)
	disturbed(b, results)
}

// quiet is the part of their time that our threads may wait for a processor in an
// undisturbed measurement.
const quiet = 0.05

// disturbed says how many rows on several threads were measured beside other work.
func disturbed(b *strings.Builder, results []record.Result) {
	several, some := 0, 0
	for _, r := range results {
		if r.Threads > 1 && r.Waited.N > 0 {
			if several++; r.Waited.Median > quiet {
				some++
			}
		}
	}
	if some > 0 {
		fmt.Fprintf(b, "\nThe machine had other work: in %d of %d rows on two threads ours waited for a processor for more than %g%% of their time.\n", some, several, 100*quiet)
	}
}

// rivalNames returns a rival of each name, in order.
func rivalNames(results []record.Result) []record.Rival {
	var l []record.Rival
	for _, r := range results {
		for _, v := range r.Rivals {
			if !slices.ContainsFunc(l, func(o record.Rival) bool { return o.Name == v.Name }) {
				l = append(l, v)
			}
		}
	}
	return l
}

// summary writes how each rival compares over the whole table, and why some have no
// numbers.
func (s suite) summary(b *strings.Builder, rivals []record.Rival, results []record.Result) {
	for _, name := range rivals {
		var ratios []float64
		worst, least := "", math.Inf(1)
		missing := map[string]int{}
		var reasons []string
		for _, r := range results {
			for _, v := range r.Rivals {
				switch {
				case v.Name != name.Name || r.Error != "":
				case v.Missing != "":
					if missing[v.Missing]++; missing[v.Missing] == 1 {
						reasons = append(reasons, v.Missing)
					}
				case v.Ratio.Median > 0:
					ratios = append(ratios, v.Ratio.Median)
					if v.Ratio.Median < least {
						least, worst = v.Ratio.Median, fmt.Sprintf("%s on %d", r.Case, r.Threads)
					}
				}
			}
		}
		if len(ratios) > 0 {
			fmt.Fprintf(b, "\n%s: %s %s in the geometric mean of %d; least %s, %s.\n", name.Name, name.RatioName, record.Digits(stat.GeometricMean(ratios, nil)), len(ratios), record.Digits(least), worst)
		}
		for _, why := range reasons {
			fmt.Fprintf(b, "\n%s: missing in %d of %d rows: %s.\n", name.Name, missing[why], len(results), cell(why))
		}
	}
}

// rate shows the work of a call and its seconds in the suite's unit.
func (s suite) rate(work float64, seconds record.Stat) string {
	if s.unit == "ms" {
		return show(seconds.Times(1 / s.scale))
	}
	return show(seconds.Per(work / s.scale))
}

// show returns the median, and the ends where there are several passes.
func show(s record.Stat) string {
	switch s.N {
	case 0:
		return "–"
	case 1:
		return record.Digits(s.Median)
	}
	return fmt.Sprintf("%s (%s–%s)", record.Digits(s.Median), record.Digits(s.Min), record.Digits(s.Max))
}

func line(b *strings.Builder, cells []string) {
	fmt.Fprintf(b, "| %s |\n", strings.Join(cells, " | "))
}

// cell keeps a text from ending a cell.
func cell(s string) string {
	return strings.NewReplacer("|", "\\|", "\n", " ").Replace(s)
}
