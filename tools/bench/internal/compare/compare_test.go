package compare

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/fornax-ml/fornax/tools/bench/internal/record"
)

// Against the tables of the tests.
func TestMannWhitney(t *testing.T) {
	require.InDelta(t, 2.0/20, MannWhitney([]float64{1, 2, 3}, []float64{4, 5, 6}), 1e-12)
	require.InDelta(t, 4.0/20, MannWhitney([]float64{1, 2, 4}, []float64{3, 5, 6}), 1e-12)
	require.InDelta(t, 1, MannWhitney([]float64{1, 4}, []float64{2, 3}), 1e-12)
	require.Equal(t, 1.0, MannWhitney(nil, []float64{1}))
	require.Equal(t, 1.0, MannWhitney([]float64{2, 2}, []float64{2, 2}))
	// With ties: scipy.stats.mannwhitneyu(x, y, method="asymptotic").
	require.InDelta(t, 0.0217, MannWhitney([]float64{1, 2, 2, 3, 4, 4}, []float64{3, 5, 5, 6, 7, 4}), 2e-3)
	// By the normal distribution about what is counted out.
	a, b := numbers(12, 1, 0), numbers(12, 2, 0.8)
	exact := MannWhitney(a, b)
	require.InDelta(t, exact, normal(uOf(a, b), 72, 72.0/6*25), 0.01)
}

func uOf(a, b []float64) (u float64) {
	for _, x := range a {
		for _, y := range b {
			if x > y {
				u++
			}
		}
	}
	return u
}

func numbers(n int, seed uint64, shift float64) []float64 {
	rng := rand.New(rand.NewPCG(seed, 0))
	l := make([]float64, n)
	for i := range l {
		l[i] = rng.NormFloat64() + shift
	}
	return l
}

func TestWilcoxon(t *testing.T) {
	require.InDelta(t, 2.0/32, Wilcoxon([]float64{1, 2, 3, 4, 5}), 1e-12)
	require.InDelta(t, 4.0/32, Wilcoxon([]float64{-1, 2, 3, 4, 5}), 1e-12)
	require.Equal(t, 1.0, Wilcoxon([]float64{0, 0}))
	require.InDelta(t, 1, Wilcoxon([]float64{1, -1, 2, -2}), 1e-12)
	require.Less(t, Wilcoxon(numbers(60, 3, 1)), 1e-6)
	require.Greater(t, Wilcoxon(numbers(60, 4, 0)), 0.01)
}

func TestHolm(t *testing.T) {
	require.Equal(t, []float64{0.03, 0.06, 0.06}, Holm([]float64{0.01, 0.04, 0.03}))
	require.Equal(t, []float64{1, 1}, Holm([]float64{0.9, 0.8}))
	require.Empty(t, Holm(nil))
}

// file is a run of cases with noise and a drift of everything; times[i] is that of case i.
func file(seed uint64, cases, passes int, drift float64, slow map[int]float64) *record.File {
	rng := rand.New(rand.NewPCG(seed, 1))
	r := record.Run{Devices: []record.Device{{ID: "cpu", Kind: "cpu", Model: "m"}}}
	for i := range cases {
		v := record.Result{Device: "cpu", Suite: "map", Case: fmt.Sprint(i), Work: 1}
		run := drift * math.Exp(0.005*rng.NormFloat64())
		for range passes {
			var l []float64
			for range 20 {
				t := 1e-3 * run * (1 + 0.03*rng.ExpFloat64())
				if f, ok := slow[i]; ok {
					t *= f
				}
				l = append(l, t)
			}
			v.Samples = append(v.Samples, l)
		}
		v.Seconds = record.StatOf(v.Samples[0])
		r.Results = append(r.Results, v)
	}
	return &record.File{Format: record.Format, Runs: []record.Run{r}}
}

// A planted slowdown of 10 % is found among many cases, and nothing where there is none, also
// where everything is slower.
func TestFindsPlanted(t *testing.T) {
	for seed := range uint64(8) {
		for _, drift := range []float64{1, 1.2} {
			old, same := file(2*seed, 60, 3, 1, nil), file(2*seed+1, 60, 3, drift, nil)
			c, err := Files(old, same, Options{})
			require.NoError(t, err)
			require.Equal(t, 60, c.Count(Same), "seed %d", seed)
			require.InDelta(t, drift, c.Drifts[0].Ratio, 0.02)
			c, err = Files(old, file(2*seed+1, 60, 3, drift, map[int]float64{7: 1.1, 9: 0.85}), Options{})
			require.NoError(t, err)
			require.Equal(t, Slower, c.Verdicts[7].State, "seed %d: %+v", seed, c.Verdicts[7])
			if drift == 1 { // else it is not faster than it was
				require.Equal(t, Faster, c.Verdicts[9].State)
				c.Verdicts[9].State = Same
			}
			require.Equal(t, 59, c.Count(Same))
		}
	}
}

// Sides that took turns are compared round by round: that all gets slower in the middle of a
// pass does not hide 10 %.
func TestTurns(t *testing.T) {
	for _, slow := range []float64{1, 1.1, 0.9} {
		rng := rand.New(rand.NewPCG(5, 5))
		r := &record.Run{}
		for i := range 40 {
			v := record.Result{Suite: "map", Case: fmt.Sprint(i), Rivals: []record.Rival{{Name: "old"}}}
			f := 1.0
			if i == 3 {
				f = slow
			}
			for range 5 {
				var a, b []float64
				for k := range 16 {
					machine := 1e-3 * (1 + float64(k/8)) * (1 + 0.2*rng.Float64())
					a = append(a, machine*(1+0.02*rng.NormFloat64()))
					b = append(b, f*machine*(1+0.02*rng.NormFloat64()))
				}
				v.Samples, v.Rivals[0].Samples = append(v.Samples, b), append(v.Rivals[0].Samples, a)
			}
			r.Results = append(r.Results, v)
		}
		c, err := Turns(r, "old", Options{})
		require.NoError(t, err)
		want := map[float64]State{1: Same, 1.1: Slower, 0.9: Faster}[slow]
		require.Equal(t, want, c.Verdicts[3].State, "%+v", c.Verdicts[3])
		require.InDelta(t, slow, c.Verdicts[3].Ratio, 0.02)
		c.Verdicts[3].State = Same
		require.Equal(t, 40, c.Count(Same))
	}
}

// One pass a side may have met other work on the machine: what looks changed is a suspect.
func TestOnePassIsASuspect(t *testing.T) {
	c, err := Files(file(1, 60, 1, 1, nil), file(2, 60, 1, 1, map[int]float64{7: 1.5, 9: 0.5}), Options{})
	require.NoError(t, err)
	require.Equal(t, []State{Suspect, Same, Suspect}, []State{c.Verdicts[7].State, c.Verdicts[8].State, c.Verdicts[9].State})
	require.Equal(t, 58, c.Count(Same))
}

func TestStates(t *testing.T) {
	old, new := file(1, 4, 1, 1, nil), file(2, 4, 1, 1, nil)
	o, n := old.Runs[0].Results, new.Runs[0].Results
	n[0] = record.Result{Device: "cpu", Suite: "map", Case: "0", Error: "wrong result"}
	o[1] = record.Result{Device: "cpu", Suite: "map", Case: "1", Error: "wrong result"}
	n[2] = record.Result{Device: "cpu", Suite: "map", Case: "2", Skipped: "too long"}
	n[3].Case = "other"
	n[3].Error = "fails"
	c, err := Files(old, new, Options{})
	require.NoError(t, err)
	var states []State
	for _, v := range c.Verdicts {
		states = append(states, v.State)
	}
	require.Equal(t, []State{Broken, Mended, Missing, Missing, Broken}, states)
	new.Runs[0].Devices[0].Model = "another"
	_, err = Files(old, new, Options{})
	require.ErrorContains(t, err, "another")
	_, err = Files(old, old, Options{Alpha: 2})
	require.Error(t, err)
	// Several files of a side are its passes.
	c, err = Files(record.Merge(file(1, 4, 1, 1, nil), file(3, 4, 1, 1, nil)), file(2, 4, 3, 1, nil), Options{})
	require.NoError(t, err)
	require.Equal(t, 40, c.Verdicts[0].OldSamples)
	require.Equal(t, 60, c.Verdicts[0].NewSamples)
}
