package main

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/fornax-ml/fornax/tensor/ir"
	"github.com/fornax-ml/fornax/tools/bench/internal/record"
)

// A tally collects the passes of a case.
type tally struct {
	c       benchCase
	failed  error
	skipped string // why it is not measured
	rivals  []rivalTally
	ours    rivalTally
	waited  []float64
	clock   []float64 // seconds of a call by the device's clock
	rounds  int
}

type rivalTally struct {
	name, ratioName       string
	missing               error
	seconds, ratio, share []float64
	samples               [][]float64
}

var errSlow = errors.New("a call takes too long")

// pass opens, checks and measures a case once. A case or a rival that was
// wrong is not measured again.
func (t *tally) pass(p plan) {
	if t.failed != nil || t.skipped != "" {
		return
	}
	first := t.rounds == 0
	e, err := t.c.open()
	if err == nil {
		defer e.close()
		if first {
			err = e.reference.check(e.ours, false)
		}
	}
	if err == nil {
		err = t.measure(e, first, p)
	}
	switch {
	case errors.Is(err, ir.ErrOutOfMemory) && t.c.size > 0:
		t.skipped = err.Error() // sizes grow until there is no memory for them
	case err != nil:
		t.failed = err
	}
}

func (t *tally) measure(e *entry, first bool, p plan) error {
	r := race{threads: t.c.threads, work: t.c.work, contenders: []contender{e.ours}, yardstick: e.yardstick}
	var at []int // of the contenders after ours: rivals
	for i, v := range e.rivals {
		if first {
			t.rivals = append(t.rivals, rivalTally{name: v.name, ratioName: v.ratio})
		}
		had := &t.rivals[i]
		if had.missing == nil {
			had.missing = v.err
		}
		if had.missing == nil && first {
			had.missing = e.checkRival(v)
		}
		if had.missing == nil {
			r.contenders, at = append(r.contenders, v), append(at, i)
		}
	}
	got, err := r.run(p)
	if err != nil {
		return err
	}
	if first && t.c.clocked != nil && p.clock > 0 {
		if t.clock, err = t.c.measureClock(p); err != nil {
			return err
		}
	}
	t.rounds += got.rounds
	t.waited = append(t.waited, got.waited)
	t.ours.add(got, 0)
	for k, i := range at {
		if got.seconds[k+1] == 0 {
			t.rivals[i].missing = errSlow
			continue
		}
		t.rivals[i].add(got, k+1)
	}
	return nil
}

// measureClock returns the seconds of calls by the device's clock, one of each batch. Kernels
// of a device that is asked do not overlap, so that this is another measurement than that of
// the wall; nil where the clock says nothing.
func (c benchCase) measureClock(p plan) ([]float64, error) {
	e, err := c.clocked()
	if err != nil {
		return nil, err
	}
	defer e.close()
	s, err := e.ours.run(1)
	if err != nil || s.Device <= 0 {
		return nil, err
	}
	var l []float64
	n := max(1, int(p.batch/max(s.Wall, 1e-9)))
	for start := time.Now(); len(l) == 0 || time.Since(start).Seconds() < p.clock && len(l) < mostClocked; {
		if s, err = e.ours.run(n); err != nil {
			return nil, err
		}
		if s.Device > 0 {
			l = append(l, s.Device/float64(n))
		}
	}
	return l, nil
}

// mostClocked is how many batches are timed by the device's clock.
const mostClocked = 50

func (e *entry) checkRival(v rival) error {
	if v.reference != nil {
		return v.reference.check(v, true)
	}
	return e.reference.check(v, true)
}

func (r *rivalTally) add(p pass, i int) {
	r.seconds, r.ratio = append(r.seconds, p.seconds[i]), append(r.ratio, p.ratio[i])
	r.samples = append(r.samples, thin(p.samples[i], mostSamples))
	if p.share[i] > 0 {
		r.share = append(r.share, p.share[i])
	}
}

// mostSamples is how many rounds of a pass are kept one by one.
const mostSamples = 128

// thin returns up to n of xs, in order, from all over it.
func thin(xs []float64, n int) []float64 {
	if len(xs) <= n {
		return xs
	}
	l := make([]float64, n)
	for k, i := range spread(len(xs), n) {
		l[k] = xs[i]
	}
	return l
}

// clone returns a tally that later passes of t do not change.
func (t *tally) clone() tally {
	c := *t
	c.rivals = slices.Clone(t.rivals)
	return c
}

// result sums up the passes.
func (t *tally) result() record.Result {
	r := record.Result{
		Suite: t.c.suite, Group: t.c.group, Case: t.c.name, Threads: t.c.threads, Work: t.c.work,
		Device: t.c.device, Op: t.c.op, Size: t.c.size, Flops: t.c.flops, Bytes: t.c.bytes, Skipped: t.skipped,
		Interval: record.IntervalOf(slices.Concat(t.ours.samples...)), OnDevice: record.StatOf(t.clock), Samples: t.ours.samples,
		Rounds: t.rounds, Seconds: record.StatOf(t.ours.seconds), Share: record.StatOf(t.ours.share), Waited: record.StatOf(t.waited),
	}
	if t.failed != nil { // what it has been timed before is not to be believed either
		return record.Result{
			Suite: r.Suite, Group: r.Group, Case: r.Case, Threads: r.Threads, Work: r.Work,
			Device: r.Device, Op: r.Op, Size: r.Size, Flops: r.Flops, Bytes: r.Bytes, Error: cut(t.failed.Error()),
		}
	}
	for _, v := range t.rivals {
		o := record.Rival{Name: v.name, RatioName: v.ratioName, Seconds: record.StatOf(v.seconds), Ratio: record.StatOf(v.ratio), Share: record.StatOf(v.share), Samples: v.samples}
		if v.missing != nil {
			o = record.Rival{Name: v.name, RatioName: v.ratioName, Missing: cut(v.missing.Error())}
		}
		r.Rivals = append(r.Rivals, o)
	}
	return r
}

// cut keeps a reason to a length that can be shown.
func cut(s string) string {
	const most = 1000
	if len(s) > most {
		s = strings.ToValidUTF8(s[:most], "") + " …"
	}
	return s
}

// shareOfCopy fills in the shares of the cases that move memory: of the rate of
// the best copy among the results, ours or a rival's, on as many threads.
func shareOfCopy(results []record.Result) {
	best := map[int]float64{} // by threads
	for _, r := range results {
		if r.Suite != memorySuite || r.Case != "copy" || r.Seconds.N == 0 {
			continue
		}
		best[r.Threads] = max(best[r.Threads], r.Work/r.Seconds.Median)
		for _, v := range r.Rivals {
			if v.Seconds.N > 0 {
				best[r.Threads] = max(best[r.Threads], r.Work/v.Seconds.Median)
			}
		}
	}
	for i := range results {
		r := &results[i]
		rate := best[r.Threads]
		if rate == 0 || r.Suite != memorySuite && r.Suite != rowsSuite {
			continue
		}
		r.Share = r.Seconds.Per(r.Work / rate)
		for k := range r.Rivals {
			v := &r.Rivals[k]
			v.Share = v.Seconds.Per(r.Work / rate)
		}
	}
}

// skipAfter leaves the case out where one before, smaller and otherwise the same, was left
// out, or where those before say that this one would take too long.
func (t *tally) skipAfter(before []tally, p plan) {
	var l []*tally // the last two of the series
	for i := len(before) - 1; i >= 0 && len(l) < 2; i-- {
		if b := &before[i]; b.c.series() == t.c.series() && b.c.size < t.c.size && t.c.size > 0 {
			l = append(l, b)
		} else {
			break
		}
	}
	if len(l) == 0 {
		return
	}
	if l[0].skipped != "" {
		t.skipped = l[0].skipped
		return
	}
	// The least times: other work on the machine shall not leave cases out.
	least := func(t *tally) float64 { return record.StatOf(slices.Concat(t.ours.samples...)).Min }
	last, power := least(l[0]), 0.6
	if len(l) == 2 && last > 0 {
		if first := least(l[1]); first > 0 {
			power = math.Log(last/first) / math.Log(l[0].c.load()/l[1].c.load())
		}
	}
	s := last * math.Pow(t.c.load()/l[0].c.load(), min(max(power, 0.3), 1.2))
	if s > p.maxCall {
		t.skipped = fmt.Sprintf("a call would take about %s, more than %s", record.Show(s, "s"), record.Show(p.maxCall, "s"))
	}
}

// load is what the time of the cases of a series grows with.
func (c benchCase) load() float64 { return max(c.flops, c.bytes, c.size) }

// label names a case on the progress.
func (t *tally) label(pass, passes int) string {
	if passes == 1 {
		return t.c.id()
	}
	return fmt.Sprintf("%s (pass %d of %d)", t.c.id(), pass+1, passes)
}
