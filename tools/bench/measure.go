package main

import (
	"runtime"
	"time"

	"github.com/fornax-ml/fornax/tools/bench/internal/record"
)

// A span is how long calls took, in seconds on the wall and of processor time, and
// how long threads meanwhile waited for a processor, where that is known. Device is how
// long kernels took by the device's clock, where the contender asks it.
type span struct {
	Wall   float64 `json:"wall"`
	CPU    float64 `json:"cpu"`
	Waited float64 `json:"waited,omitempty"`
	Device float64 `json:"device,omitempty"`
}

// on returns the seconds that count for so many threads. One thread is timed by
// the processor's clock, which other work on the machine does not add to.
func (s span) on(threads int) float64 {
	if threads == 1 {
		return s.CPU
	}
	return s.Wall
}

// timed runs f n times.
func timed(n int, f func() error) (span, error) {
	waited := waitTime()
	wall, cpu := time.Now(), processTime()
	for range n {
		if err := f(); err != nil {
			return span{}, err
		}
	}
	s := span{Wall: time.Since(wall).Seconds(), CPU: (processTime() - cpu).Seconds()}
	s.Waited = (waitTime() - waited).Seconds()
	return s, nil
}

// A contender computes one case in its own way. It has computed it once when it
// is made.
type contender interface {
	// run computes the case n times.
	run(n int) (span, error)
	// at returns elements of the first result, in order of their numbers; all
	// of them for nil.
	at(elements []int) ([]float32, error)
	// close gives up what the case holds.
	close()
}

// A plan says how long to measure.
type plan struct {
	batch     float64 // seconds of a batch; one call where that is longer
	warm      float64 // seconds of calls that come before a batch, not timed: at least one
	longest   float64 // seconds of a call that needs none: what it begins with is little of it
	budget    float64 // seconds of a case in one pass
	minRounds int
	maxCall   float64 // a peer whose call takes more seconds of each thread is left out
	// spread, where it is not 0, ends a pass before its budget is spent: once the
	// interval of the median is no wider to either side than this part of it.
	spread float64
	// most, where it is not 0, ends a pass after so many seconds, and two rounds, even
	// before minRounds.
	most float64
	// rotate lets another contender begin each round, so that what it does to the
	// caches of the next meets all.
	rotate bool
	// clock is the seconds for which a case is timed by the device's clock too.
	clock float64
}

var (
	fullPlan  = plan{batch: 0.025, warm: 0.015, longest: 0.1, budget: 1, minRounds: 3, maxCall: 5}
	quickPlan = plan{batch: 0.02, warm: 0.012, longest: 0.1, budget: 0.25, minRounds: 3, maxCall: 1}
	// Across devices a case has no rivals as a rule, and there are many cases.
	fullRunPlan  = plan{batch: 0.01, warm: 0.005, longest: 0.1, budget: 0.6, minRounds: 10, maxCall: 5, spread: 0.01, clock: 0.2, most: 20}
	quickRunPlan = plan{batch: 0.004, warm: 0.002, longest: 0.1, budget: 0.1, minRounds: 10, maxCall: 0.2, spread: 0.03, clock: 0.02, most: 0.5}
)

// A race is a case being measured: we are contender 0.
type race struct {
	threads    int
	work       float64 // units of work of a call
	contenders []contender
	// yardstick measures the units of work a second that are at most possible;
	// nil where there is none.
	yardstick func() float64
}

// A pass is what one race gave: medians over its rounds.
type pass struct {
	seconds []float64 // of a call of each contender; 0 where it was too slow to be timed
	ratio   []float64 // of the time of each contender to ours
	share   []float64 // of the yardstick that each contender reached
	waited  float64   // of the time that our threads had: part for which they waited for a processor
	rounds  int
	samples [][]float64 // of each contender: its seconds in each round
}

// run lets the contenders take turns, so that what disturbs the machine, or
// changes its clock, disturbs them alike. Ratios are made within a round, and
// then the median is taken.
func (r race) run(p plan) (pass, error) {
	runtime.GC() // not while we are timed
	calls, warm := make([]int, len(r.contenders)), make([]int, len(r.contenders))
	for i, c := range r.contenders {
		t, slow, err := r.call(c, p)
		if err != nil {
			return pass{}, err
		}
		if i == 0 || !slow {
			calls[i], warm[i] = p.batches(t)
		}
	}
	n := len(r.contenders)
	seconds, ratios, shares := make([][]float64, n), make([][]float64, n), make([][]float64, n)
	out := pass{seconds: make([]float64, n), ratio: make([]float64, n), share: make([]float64, n)}
	var waited []float64
	before := r.limit()
	for start := time.Now(); p.goes(out.rounds, time.Since(start).Seconds(), seconds[0]); out.rounds++ {
		took := make([]float64, n)
		for k := range r.contenders {
			i := k
			if p.rotate {
				i = (k + out.rounds) % n
			}
			c := r.contenders[i]
			if calls[i] == 0 {
				continue
			}
			if warm[i] > 0 && (out.rounds == 0 || r.disturbs()) {
				if _, err := c.run(warm[i]); err != nil {
					return pass{}, err
				}
			}
			s, err := c.run(calls[i])
			if err != nil {
				return pass{}, err
			}
			took[i] = s.on(r.threads) / float64(calls[i])
			if i == 0 {
				waited = append(waited, s.Waited/max(s.Wall*float64(r.threads), 1e-9))
			}
		}
		after := r.limit()
		for i, t := range took {
			if t <= 0 || took[0] <= 0 { // a clock that stood still
				continue
			}
			seconds[i] = append(seconds[i], t)
			ratios[i] = append(ratios[i], t/took[0])
			if after > 0 {
				shares[i] = append(shares[i], r.work/t*2/(before+after))
			}
		}
		before = after
	}
	out.waited, out.samples = record.Median(waited), seconds
	for i := range n {
		out.seconds[i], out.ratio[i], out.share[i] = record.Median(seconds[i]), record.Median(ratios[i]), record.Median(shares[i])
	}
	return out, nil
}

// goes reports whether another round follows so many, after so many seconds in all.
func (p plan) goes(rounds int, all float64, seconds []float64) bool {
	switch {
	case p.most > 0 && all > p.most && rounds >= 2:
		return false
	case rounds < p.minRounds:
		return true
	}
	return all < p.budget && !p.enough(seconds)
}

// enough reports whether the median of so many seconds is known well enough.
func (p plan) enough(seconds []float64) bool {
	return p.spread > 0 && len(seconds) >= p.minRounds && record.IntervalOf(seconds).Spread() <= p.spread
}

// disturbs reports whether something else runs between two batches of a contender.
func (r race) disturbs() bool { return len(r.contenders) > 1 || r.yardstick != nil }

func (r race) limit() float64 {
	if r.yardstick == nil {
		return 0
	}
	return r.yardstick()
}

// call returns about how many seconds a call takes, and whether that is longer than
// the plan lets a peer take.
func (r race) call(c contender, p plan) (seconds float64, slow bool, err error) {
	for n := 1; ; n *= 4 {
		s, err := c.run(n)
		if err != nil {
			return 0, false, err
		}
		t := s.on(r.threads)
		if n == 1 && min(t, s.CPU/float64(r.threads)) > p.maxCall {
			return t, true, nil
		}
		if t >= p.batch/8 || n >= 1<<20 {
			return max(t, 1e-9) / float64(n), false, nil
		}
	}
}

// batches returns how many calls of so many seconds make a batch, and how many come
// before it.
func (p plan) batches(seconds float64) (calls, warm int) {
	if seconds <= p.longest {
		warm = max(1, int(p.warm/seconds))
	}
	return max(1, int(p.batch/seconds)), warm
}
