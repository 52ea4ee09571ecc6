package main

import (
	"errors"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// A scripted contender takes time by the script and notes when it ran.
type scripted struct {
	name  string
	call  func(k int) float64 // seconds of a call in batch k
	batch int
	cpu   float64 // seconds of processor time to one on the wall; 0: 2
	log   *[]string
	err   error
	value []float32
}

func (s *scripted) run(n int) (span, error) {
	t := s.call(s.batch) * float64(n)
	s.batch++
	if s.log != nil {
		*s.log = append(*s.log, s.name)
	}
	cpu := 2 * t
	if s.cpu > 0 {
		cpu = s.cpu * t
	}
	return span{Wall: t, CPU: cpu, Waited: t / 2}, s.err
}

func (s *scripted) at(elements []int) ([]float32, error) {
	return (&call{result: s.value}).at(elements)
}

func (s *scripted) close() {}

func always(t float64) func(int) float64 { return func(int) float64 { return t } }

var testPlan = plan{batch: 0.01, budget: 0, minRounds: 5, maxCall: 1}

func TestRaceTakesTurns(t *testing.T) {
	var log []string
	a := &scripted{name: "a", call: always(0.02), log: &log}
	b := &scripted{name: "b", call: always(0.04), log: &log}
	got, err := race{threads: 2, contenders: []contender{a, b}}.run(testPlan)
	require.NoError(t, err)
	require.Equal(t, 5, got.rounds)
	require.Equal(t, []float64{0.02, 0.04}, got.seconds)
	require.Equal(t, []float64{1, 2}, got.ratio)
	require.InDelta(t, 0.25, got.waited, 1e-12, "of two threads' time")
	require.Equal(t, []float64{0, 0}, got.share, "there is no yardstick")
	require.Equal(t, []string{"a", "b"}, log[:2], "to find the sizes of batches")
	require.Equal(t, []string{"a", "b", "a", "b", "a", "b", "a", "b", "a", "b"}, log[2:])
}

// Calls come before each batch, but where a call is long.
func TestRaceWarmsUp(t *testing.T) {
	var log []string
	a := &scripted{name: "a", call: always(0.02), log: &log}
	b := &scripted{name: "b", call: always(0.4), log: &log}
	p := plan{batch: 0.01, warm: 0.01, longest: 0.1, minRounds: 2, maxCall: 1}
	got, err := race{threads: 2, contenders: []contender{a, b}}.run(p)
	require.NoError(t, err)
	require.Equal(t, []float64{0.02, 0.4}, got.seconds)
	require.Equal(t, []string{"a", "b", "a", "a", "b", "a", "a", "b"}, log)
}

// The machine gets ten times slower in the middle: a ratio of medians would not
// be that of the pairs.
func TestRaceRatiosAreOfPairs(t *testing.T) {
	slow := func(t float64, from int) func(int) float64 {
		return func(k int) float64 {
			if k >= from {
				return 10 * t
			}
			return t
		}
	}
	// Batch 0 finds the size. a is slowed in round 2 of 5 and later, b after its
	// own batch of that round.
	a := &scripted{call: slow(0.02, 1+2)}
	b := &scripted{call: slow(0.03, 1+3)}
	got, err := race{threads: 2, contenders: []contender{a, b}}.run(testPlan)
	require.NoError(t, err)
	require.InDelta(t, 0.2, got.seconds[0], 1e-12)
	require.InDelta(t, 0.03*10, got.seconds[1]*10, 0.3)
	require.InDelta(t, 1.5, got.ratio[1], 1e-12)
}

func TestRaceClockAndShare(t *testing.T) {
	a := &scripted{call: always(0.02)}
	limits := []float64{100, 300, 100, 300, 100, 300}
	yardstick := func() float64 {
		l := limits[0]
		limits = limits[1:]
		return l
	}
	got, err := race{threads: 1, work: 4, contenders: []contender{a}, yardstick: yardstick}.run(testPlan)
	require.NoError(t, err)
	require.InDelta(t, 0.04, got.seconds[0], 1e-12, "one thread: processor time")
	require.InDelta(t, 4/0.04/200, got.share[0], 1e-12, "of the mean before and after")
}

func TestRaceBatches(t *testing.T) {
	for _, c := range []struct {
		call, cpu   float64
		calls, warm int
		slow        bool
	}{
		{call: 1e-6, calls: 25_000, warm: 15_000},
		{call: 0.014, calls: 1, warm: 1},
		{call: 0.09, calls: 1, warm: 1},
		{call: 0.5, calls: 1},
		{call: 2, cpu: 1, calls: 1}, // on the wall only: the machine has other work
		{call: 6, calls: 1, slow: true},
	} {
		seconds, slow, err := race{threads: 2}.call(&scripted{call: always(c.call), cpu: c.cpu}, fullPlan)
		require.NoError(t, err)
		require.InEpsilon(t, c.call, seconds, 1e-9)
		require.Equal(t, c.slow, slow, "%v", c)
		calls, warm := fullPlan.batches(seconds)
		require.InDelta(t, c.calls, calls, float64(c.calls)/1e4, "%v", c)
		require.InDelta(t, c.warm, warm, float64(c.warm)/1e4, "%v", c)
	}
	slow := &scripted{call: always(2)}
	got, err := race{threads: 2, contenders: []contender{&scripted{call: always(0.02)}, slow}}.run(testPlan)
	require.NoError(t, err)
	require.Equal(t, 1, slow.batch, "a slow peer runs once")
	require.Equal(t, 0.0, got.seconds[1])
	_, err = race{threads: 2, contenders: []contender{&scripted{call: always(0.02), err: errors.New("broken")}}}.run(testPlan)
	require.ErrorContains(t, err, "broken")
}

func TestTimed(t *testing.T) {
	n := 0
	s, err := timed(3, func() error {
		for start := processTime(); processTime()-start < 5*time.Millisecond; {
			n++
		}
		return nil
	})
	require.NoError(t, err)
	require.GreaterOrEqual(t, s.CPU, 0.015)
	require.GreaterOrEqual(t, s.Wall, 0.0)
	require.GreaterOrEqual(t, s.Waited, 0.0)
	_, err = timed(1, func() error { return errors.New("broken") })
	require.ErrorContains(t, err, "broken")
}
