package compare

import (
	"cmp"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"

	"github.com/fornax-ml/fornax/tools/bench/internal/record"
)

// Options say what a change is; the zero value is the usual.
type Options struct {
	Alpha float64 // the probability of any accidental finding; 0: 0.05
	Least float64 // the least change of a median, as a part of it; 0: 0.05
}

// A State is what became of a case.
type State string

// The states.
const (
	Same    State = "same"
	Suspect State = "suspect" // it looks changed, in runs of too few passes to tell
	Slower  State = "slower"
	Faster  State = "faster"
	Broken  State = "broken"  // it fails now, or its result is wrong
	Mended  State = "mended"  // it failed before
	Missing State = "missing" // one side has no numbers, without a failure
)

// A Verdict is the comparison of a case.
type Verdict struct {
	ID         string  `json:"id"`
	State      State   `json:"state"`
	Reason     string  `json:"reason,omitempty"` // of a state without numbers
	Old        float64 `json:"old"`              // seconds of a call
	New        float64 `json:"new"`
	Ratio      float64 `json:"ratio"` // of the new time to the old: above 1 is slower
	Low        float64 `json:"low"`   // the ratio's interval
	High       float64 `json:"high"`
	P          float64 `json:"p"` // corrected
	OldSamples int     `json:"old_samples"`
	NewSamples int     `json:"new_samples"`
}

// A Drift is the change of all cases of a device together.
type Drift struct {
	Device string  `json:"device"`
	Ratio  float64 `json:"ratio"` // the median of the cases'
	// Noise is the factor that a change must exceed, above and below the drift, to stand
	// out from the other cases.
	Noise float64 `json:"noise"`
	Cases int     `json:"cases"`
}

// A Comparison is all verdicts on two runs.
type Comparison struct {
	Turns    bool      `json:"turns"` // the sides took turns
	Verdicts []Verdict `json:"verdicts"`
	Drifts   []Drift   `json:"drifts"`
}

// Count returns how many cases are in a state.
func (c *Comparison) Count(s State) (n int) {
	for _, v := range c.Verdicts {
		if v.State == s {
			n++
		}
	}
	return n
}

// A sides is a case with the samples of both sides, by passes. With turns the rounds of
// each pass belong together.
type sides struct {
	id, device string
	old, new   [][]float64
	turns      bool
	verdict    Verdict
	p          float64
	draws      func(*rand.Rand) float64 // of the ratio, from samples drawn anew
}

// Files compares the runs of two files, which shall be of the same devices; runs of one
// side are put together as passes.
func Files(old, new *record.File, o Options) (*Comparison, error) {
	a, b := gather(old), gather(new)
	var cases []*sides
	models := map[string]string{}
	for _, f := range []*record.File{old, new} {
		for _, r := range f.Runs {
			for _, d := range r.Devices {
				if m := d.Model + ", " + d.Driver; models[d.ID] == "" {
					models[d.ID] = m
				} else if models[d.ID] != m {
					return nil, fmt.Errorf("%s is %q on one side and %q on another", d.ID, models[d.ID], m)
				}
			}
		}
	}
	for _, id := range a.order {
		x, y := a.of[id], b.of[id]
		s := &sides{id: id, device: x.Device, old: x.Samples, verdict: Verdict{ID: id}}
		switch {
		case y == nil:
			s.verdict.State, s.verdict.Reason = Missing, "not in the new run"
		case y.Error != "" && x.Error == "":
			s.verdict.State, s.verdict.Reason = Broken, y.Error
		case y.Error == "" && x.Error != "":
			s.verdict.State, s.verdict.Reason = Mended, x.Error
		case x.Error != "":
			s.verdict.State, s.verdict.Reason = Missing, "fails on both sides: "+y.Error
		case len(x.Samples) == 0 || len(y.Samples) == 0:
			s.verdict.State, s.verdict.Reason = Missing, "no samples: "+cmp.Or(y.Skipped, x.Skipped)
		default:
			s.new = y.Samples
		}
		cases = append(cases, s)
	}
	for _, id := range b.order {
		if y := b.of[id]; a.of[id] == nil && y.Error != "" {
			cases = append(cases, &sides{id: id, device: y.Device, verdict: Verdict{ID: id, State: Broken, Reason: y.Error}})
		}
	}
	return judge(cases, false, o)
}

// Turns compares the results of a run with their rival of the given name, the old side,
// with which they took turns.
func Turns(r *record.Run, old string, o Options) (*Comparison, error) {
	var cases []*sides
	for i := range r.Results {
		v := &r.Results[i]
		s := &sides{id: v.ID(), device: v.Device, new: v.Samples, turns: true, verdict: Verdict{ID: v.ID()}}
		k := slices.IndexFunc(v.Rivals, func(x record.Rival) bool { return x.Name == old })
		switch {
		case v.Error != "":
			s.verdict.State, s.verdict.Reason = Broken, v.Error
		case k < 0 || v.Skipped != "":
			s.verdict.State, s.verdict.Reason = Missing, v.Skipped
		case v.Rivals[k].Missing != "":
			s.verdict.State, s.verdict.Reason = Missing, v.Rivals[k].Missing
		default:
			s.old = v.Rivals[k].Samples
		}
		cases = append(cases, s)
	}
	return judge(cases, true, o)
}

// gathered is the results of a file by ID, those of several runs put together.
type gathered struct {
	of    map[string]*record.Result
	order []string
}

func gather(f *record.File) gathered {
	g := gathered{of: map[string]*record.Result{}}
	for i := range f.Runs {
		for k := range f.Runs[i].Results {
			v := f.Runs[i].Results[k]
			had := g.of[v.ID()]
			if had == nil {
				g.of[v.ID()] = &v
				g.order = append(g.order, v.ID())
				continue
			}
			had.Samples = slices.Concat(had.Samples, v.Samples)
			if had.Error == "" {
				had.Error = v.Error
			}
		}
	}
	return g
}

// resamples is how often medians are drawn anew for an interval.
const resamples = 400

func judge(cases []*sides, turns bool, o Options) (*Comparison, error) {
	if o.Alpha == 0 {
		o.Alpha = 0.05
	}
	if o.Least == 0 {
		o.Least = 0.05
	}
	if !(o.Alpha > 0 && o.Alpha < 1 && o.Least > 0) {
		return nil, errors.New("alpha lies between 0 and 1, and the least change above 0")
	}
	rng := rand.New(rand.NewPCG(1, 2)) // the same numbers give the same verdict
	var with []*sides
	var ps []float64
	for _, s := range cases {
		if s.verdict.State == "" {
			if s.measure(); s.verdict.State == "" {
				with = append(with, s)
				ps = append(ps, s.p)
			}
		}
	}
	c := &Comparison{Turns: turns}
	for i, p := range Holm(ps) {
		if with[i].verdict.P = p; p < o.Alpha { // else it does not matter
			with[i].verdict.Low, with[i].verdict.High = interval(func() float64 { return with[i].draws(rng) })
		}
	}
	noise := map[string]Drift{}
	for _, s := range with {
		if _, ok := noise[s.device]; !ok {
			d := drift(with, s.device)
			noise[s.device] = d
			c.Drifts = append(c.Drifts, d)
		}
		s.verdict.State = s.state(noise[s.device], o)
	}
	for _, s := range cases {
		c.Verdicts = append(c.Verdicts, s.verdict)
	}
	return c, nil
}

// measure fills in the numbers of the verdict.
func (s *sides) measure() {
	v := &s.verdict
	a, b := slices.Concat(s.old...), slices.Concat(s.new...)
	if len(a) == 0 || len(b) == 0 {
		v.State, v.Reason = Missing, "no samples"
		return
	}
	v.Old, v.New, v.OldSamples, v.NewSamples = record.Median(a), record.Median(b), len(a), len(b)
	if s.turns {
		var passes [][]float64
		for i := range min(len(s.old), len(s.new)) {
			var l []float64
			for k := range min(len(s.old[i]), len(s.new[i])) {
				l = append(l, math.Log(s.new[i][k]/s.old[i][k]))
			}
			if len(l) > 0 {
				passes = append(passes, l)
			}
		}
		logs := slices.Concat(passes...)
		v.Ratio = math.Exp(record.Median(logs))
		s.p = Wilcoxon(logs)
		units := units(passes)
		s.draws = func(rng *rand.Rand) float64 { return math.Exp(record.Median(draw(units, rng))) }
		return
	}
	v.Ratio = v.New / v.Old
	s.p = MannWhitney(a, b)
	x, y := units(s.old), units(s.new)
	s.draws = func(rng *rand.Rand) float64 { return record.Median(draw(y, rng)) / record.Median(draw(x, rng)) }
}

// fewestPasses is from how many passes on their medians are what is drawn anew, and from
// how many on runs that did not take turns show a change: rounds of one pass are alike, and
// what disturbs one disturbs all.
const fewestPasses = 3

func units(passes [][]float64) []float64 {
	if len(passes) < fewestPasses {
		return slices.Concat(passes...)
	}
	var l []float64
	for _, p := range passes {
		if len(p) > 0 {
			l = append(l, record.Median(p))
		}
	}
	return l
}

// draw returns as many of xs, each any of them.
func draw(xs []float64, rng *rand.Rand) []float64 {
	l := make([]float64, len(xs))
	for i := range l {
		l[i] = xs[rng.IntN(len(xs))]
	}
	return l
}

// interval returns the middle 95 % of what f draws.
func interval(f func() float64) (low, high float64) {
	l := make([]float64, resamples)
	for i := range l {
		l[i] = f()
	}
	slices.Sort(l)
	k := resamples / 40
	return l[k], l[resamples-1-k]
}

// fewestCases is from how many cases of a device on their spread is known.
const fewestCases = 8

// standsOut is how many standard deviations of the other cases a change must be away.
const standsOut = 5

// drift is the middle of the cases of a device and their spread, by the median of the
// distances from it, which a few changed cases do not move.
func drift(cases []*sides, device string) Drift {
	var l []float64
	for _, s := range cases {
		if s.device == device {
			l = append(l, math.Log(s.verdict.Ratio))
		}
	}
	middle := record.Median(l)
	away := make([]float64, len(l))
	for i, x := range l {
		away[i] = math.Abs(x - middle)
	}
	const sigma = 1.4826 // of a normal distribution, to the median of the distances
	return Drift{Device: device, Ratio: math.Exp(middle), Noise: math.Exp(standsOut * sigma * record.Median(away)), Cases: len(l)}
}

// state says whether a case has changed.
func (s *sides) state(d Drift, o Options) State {
	v := s.verdict
	if v.P >= o.Alpha {
		return Same
	}
	low, high := 1/(1+o.Least), 1+o.Least
	if !s.turns && d.Cases >= fewestCases {
		low, high = min(low, d.Ratio/d.Noise), max(high, d.Ratio*d.Noise)
	}
	few := !s.turns && min(len(s.old), len(s.new)) < fewestPasses
	switch {
	case v.Ratio >= high && v.Low > 1:
		if few {
			return Suspect
		}
		return Slower
	case v.Ratio <= low && v.High < 1:
		if few {
			return Suspect
		}
		return Faster
	}
	return Same
}
