package report

import (
	"cmp"
	"math"
	"slices"

	"github.com/fornax-ml/fornax/tools/bench/internal/record"
)

// The suites and ops that figures are derived from, as the command names them.
const (
	limits   = "limits"
	scaling  = "scaling"
	matmul   = "matmul"
	train    = "train"
	host     = "cpu"
	backward = "_backward"
)

// A curve is the timed cases of one op on one device, by size.
type curve struct {
	device, suite, op string
	results           []*record.Result
}

// curves returns those of a run, in the order of the results.
func curves(r *record.Run) (l []*curve) {
	type key struct{ device, suite, op string }
	at := map[key]*curve{}
	for i := range r.Results {
		v := &r.Results[i]
		if !v.Timed() || v.Op == "" {
			continue
		}
		k := key{v.Device, v.Suite, v.Op}
		if at[k] == nil {
			at[k] = &curve{device: v.Device, suite: v.Suite, op: v.Op}
			l = append(l, at[k])
		}
		at[k].results = append(at[k].results, v)
	}
	for _, c := range l {
		slices.SortStableFunc(c.results, func(a, b *record.Result) int { return cmp.Compare(a.Size, b.Size) })
	}
	return l
}

func find(l []*curve, device, suite, op string) *curve {
	for _, c := range l {
		if c.device == device && c.suite == suite && c.op == op {
			return c
		}
	}
	return &curve{}
}

// best returns the highest rate of what f counts in a call.
func (c *curve) best(f func(*record.Result) float64) (rate float64) {
	for _, v := range c.results {
		rate = max(rate, f(v)/v.Seconds.Median)
	}
	return rate
}

func flopsOf(v *record.Result) float64 { return v.Flops }
func bytesOf(v *record.Result) float64 { return v.Bytes }

// last is the largest case.
func (c *curve) last() *record.Result {
	if len(c.results) == 0 {
		return nil
	}
	return c.results[len(c.results)-1]
}

// Derive computes the figures of each run.
func Derive(f *record.File) {
	for i := range f.Runs {
		f.Runs[i].Figures = derive(&f.Runs[i])
	}
}

func derive(r *record.Run) (l []record.Figure) {
	add := func(key string, value float64, unit string) {
		if value > 0 && !math.IsInf(value, 0) && value < 1e30 {
			l = append(l, record.Figure{Key: key, Value: value, Unit: unit})
		}
	}
	all := curves(r)
	for _, d := range r.Devices {
		of := func(op string) *curve { return find(all, d.ID, limits, op) }
		for _, op := range []string{"submit", "dispatch"} {
			if v := of(op).last(); v != nil {
				add(d.ID+"/"+op, v.Seconds.Median, "s")
			}
		}
		memory := 0.0
		if v := of("copy").last(); v != nil {
			memory = v.Bytes / v.Seconds.Median
			add(d.ID+"/copy", memory, "B/s")
			add(d.ID+"/copy/size", v.Bytes, "B")
		}
		add(d.ID+"/copy/best", of("copy").best(bytesOf), "B/s")
		add(d.ID+"/upload", of("upload").best(bytesOf), "B/s")
		add(d.ID+"/download", of("download").best(bytesOf), "B/s")
		chain, product := of("multiply-add").best(flopsOf), find(all, d.ID, matmul, "matmul").best(flopsOf)
		peak := max(of("peak").best(flopsOf), chain)
		for _, c := range all {
			if c.device == d.ID && c.suite != scaling {
				peak = max(peak, c.best(flopsOf))
			}
		}
		add(d.ID+"/multiply-add", chain, "flop/s")
		add(d.ID+"/matmul", product, "flop/s")
		add(d.ID+"/peak", peak, "flop/s")
		if memory > 0 {
			add(d.ID+"/ridge", peak/memory, "FLOP per byte")
		}
		if d.Kind != host && d.Lanes > 0 {
			add(d.ID+"/subgroup", float64(d.Lanes), "invocations")
		}
		if d.Cores > 0 && d.Lanes > 0 {
			add(d.ID+"/lanes", float64(d.Cores*d.Lanes), "lanes")
		}
		if rows := wide(of("multiply-add")); rows > 0 {
			unit := "rows"
			if rows == 1 {
				unit = "row"
			}
			add(d.ID+"/wide", rows, unit)
		}
		for _, v := range find(all, d.ID, train, "step").results {
			add(d.ID+"/step/"+record.Count(v.Size), v.Seconds.Median, "s")
		}
		for _, c := range all {
			base := find(all, host, c.suite, c.op)
			if c.device != d.ID || d.ID == host || c.suite == limits || c.suite == scaling || len(base.results) == 0 {
				continue
			}
			size, gain, ok := crossover(base, c)
			if ok {
				add(d.ID+"/crossover/"+c.suite+"/"+c.op, size, unitOf(c.suite))
			}
			if gain >= 1 {
				add(d.ID+"/gain/"+c.suite+"/"+c.op, gain, "times")
			} else if gain > 0 {
				add(d.ID+"/loss/"+c.suite+"/"+c.op, 1/gain, "times")
			}
		}
	}
	for _, c := range all {
		if c.suite == scaling && len(c.results) > 1 {
			first, last := c.results[0], c.last()
			add(c.device+"/scaling/"+c.op, first.Seconds.Median/last.Seconds.Median, "times")
			add(c.device+"/scaling/"+c.op+"/cores", last.Size, "cores")
		}
	}
	return l
}

// unitOf is what the sizes of a suite count.
func unitOf(suite string) string {
	switch suite {
	case matmul:
		return "rows and columns"
	case train:
		return "examples"
	}
	return "elements"
}

// wide is the most rows of 256 multiply-add chains that take at most twice the time of
// one: how much work a device does at once, beside what it takes to begin.
func wide(c *curve) (rows float64) {
	for _, v := range c.results {
		if v.Seconds.Median > 2*c.results[0].Seconds.Median {
			break
		}
		rows = v.Size
	}
	return rows
}

// crossover returns the size from which c is faster than base at every larger size that
// both have, between two sizes on a line of logarithms, and how many times as fast it is at
// the largest.
func crossover(base, c *curve) (size, gain float64, ok bool) {
	type point struct{ size, ratio float64 } // of the base's time to c's
	var l []point
	for _, v := range c.results {
		for _, b := range base.results {
			if b.Size == v.Size {
				l = append(l, point{v.Size, b.Seconds.Median / v.Seconds.Median})
			}
		}
	}
	if len(l) == 0 {
		return 0, 0, false
	}
	i := len(l)
	for i > 0 && l[i-1].ratio > 1 {
		i--
	}
	gain = l[len(l)-1].ratio
	switch {
	case i == len(l):
		return 0, gain, false
	case i == 0 || l[i-1].size <= 0:
		return l[i].size, gain, true
	}
	a, b := l[i-1], l[i]
	t := -math.Log(a.ratio) / (math.Log(b.ratio) - math.Log(a.ratio))
	return math.Exp(math.Log(a.size) + t*(math.Log(b.size)-math.Log(a.size))), gain, true
}
