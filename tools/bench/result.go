package main

import (
	"errors"
	"fmt"
	"slices"
)

// A Result is a measured case. Numbers are over the passes; each is a median
// over the rounds of its pass.
type Result struct {
	Suite   string  `json:"suite"`
	Group   string  `json:"group,omitempty"`
	Case    string  `json:"case"`
	Threads int     `json:"threads"`
	Work    float64 `json:"work"`            // units of a call: flops, bytes, or 1 for a step
	Rounds  int     `json:"rounds"`          // of all passes
	Error   string  `json:"error,omitempty"` // why it was not timed
	Seconds Stat    `json:"seconds"`         // of a call of ours
	Share   Stat    `json:"share"`           // of the peak, at most 1 but for noise
	Waited  Stat    `json:"waited"`          // of our threads' time: part without a processor
	Rivals  []Rival `json:"rivals,omitempty"`
}

// A Rival is what a case was compared with.
type Rival struct {
	Name      string `json:"name"`
	RatioName string `json:"ratio_name"`
	Missing   string `json:"missing,omitempty"` // why there are no numbers
	Seconds   Stat   `json:"seconds"`
	Ratio     Stat   `json:"ratio"` // its time to ours: above 1 we are faster
	Share     Stat   `json:"share"`
}

// A tally collects the passes of a case.
type tally struct {
	c      benchCase
	failed error
	rivals []rivalTally
	ours   rivalTally
	waited []float64
	rounds int
}

type rivalTally struct {
	name, ratioName       string
	missing               error
	seconds, ratio, share []float64
}

var errSlow = errors.New("a call takes too long")

// pass opens, checks and measures a case once. A case or a rival that was
// wrong is not measured again.
func (t *tally) pass(p plan) {
	if t.failed != nil {
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
	if err != nil {
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

func (e *entry) checkRival(v rival) error {
	if v.reference != nil {
		return v.reference.check(v, true)
	}
	return e.reference.check(v, true)
}

func (r *rivalTally) add(p pass, i int) {
	r.seconds, r.ratio = append(r.seconds, p.seconds[i]), append(r.ratio, p.ratio[i])
	if p.share[i] > 0 {
		r.share = append(r.share, p.share[i])
	}
}

// clone returns a tally that later passes of t do not change.
func (t *tally) clone() tally {
	c := *t
	c.rivals = slices.Clone(t.rivals)
	return c
}

// result sums up the passes.
func (t *tally) result() Result {
	r := Result{
		Suite: t.c.suite, Group: t.c.group, Case: t.c.name, Threads: t.c.threads, Work: t.c.work,
		Rounds: t.rounds, Seconds: statOf(t.ours.seconds), Share: statOf(t.ours.share), Waited: statOf(t.waited),
	}
	if t.failed != nil {
		r.Error = t.failed.Error()
	}
	for _, v := range t.rivals {
		o := Rival{Name: v.name, RatioName: v.ratioName, Seconds: statOf(v.seconds), Ratio: statOf(v.ratio), Share: statOf(v.share)}
		if v.missing != nil {
			o = Rival{Name: v.name, RatioName: v.ratioName, Missing: v.missing.Error()}
		}
		r.Rivals = append(r.Rivals, o)
	}
	return r
}

// shareOfCopy fills in the shares of the cases that move memory: of the rate of
// the best copy among the results, ours or a rival's, on as many threads.
func shareOfCopy(results []Result) {
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
		r.Share = r.Seconds.per(r.Work / rate)
		for k := range r.Rivals {
			v := &r.Rivals[k]
			v.Share = v.Seconds.per(r.Work / rate)
		}
	}
}

// label names a case on the progress.
func (t *tally) label(pass, passes int) string {
	if passes == 1 {
		return t.c.id()
	}
	return fmt.Sprintf("%s (pass %d of %d)", t.c.id(), pass+1, passes)
}
