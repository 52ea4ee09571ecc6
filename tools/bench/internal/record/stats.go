package record

import (
	"math"
	"slices"
	"strconv"

	"gonum.org/v1/gonum/stat"
	"gonum.org/v1/gonum/stat/distuv"
)

// A Stat is the middle and the ends of some measurements; its zero value is of
// none.
type Stat struct {
	Median float64 `json:"median"`
	Min    float64 `json:"min"`
	Max    float64 `json:"max"`
	N      int     `json:"n"`
}

// StatOf returns the Stat of xs.
func StatOf(xs []float64) Stat {
	if len(xs) == 0 {
		return Stat{}
	}
	xs = slices.Sorted(slices.Values(xs))
	return Stat{Median: medianOf(xs), Min: xs[0], Max: xs[len(xs)-1], N: len(xs)}
}

// medianOf returns the median of sorted numbers: the middle one, or the mean of
// the two in the middle, which are the quantiles on either side of one half.
func medianOf(sorted []float64) float64 {
	beside := 0.25 / float64(len(sorted))
	return (stat.Quantile(0.5-beside, stat.Empirical, sorted, nil) + stat.Quantile(0.5+beside, stat.Empirical, sorted, nil)) / 2
}

// Median returns the median of xs, 0 of none.
func Median(xs []float64) float64 { return StatOf(xs).Median }

// Per returns the Stat of c/x for the measurements x.
func (s Stat) Per(c float64) Stat {
	if s.N == 0 || s.Min == 0 {
		return Stat{}
	}
	return Stat{Median: c / s.Median, Min: c / s.Max, Max: c / s.Min, N: s.N}
}

// Times returns the Stat of c·x for the measurements x, c positive.
func (s Stat) Times(c float64) Stat {
	return Stat{Median: c * s.Median, Min: c * s.Min, Max: c * s.Max, N: s.N}
}

// An Interval holds a median with at least the given confidence, whatever the
// distribution of the measurements. Its zero value says nothing.
type Interval struct {
	Low        float64 `json:"low"`
	High       float64 `json:"high"`
	Confidence float64 `json:"confidence"`
}

// Confidence is that of the intervals, where there are measurements enough.
const Confidence = 0.95

// IntervalOf returns the narrowest pair of order statistics, as far from one end as from
// the other, that holds the median with [Confidence]. That a measurement lies below the
// median has probability ½ whatever the distribution, so that the number of those that do
// is binomial. Of fewer than 6 the whole range holds it, with less confidence.
func IntervalOf(xs []float64) Interval {
	n := len(xs)
	if n == 0 {
		return Interval{}
	}
	xs = slices.Sorted(slices.Values(xs))
	below := distuv.Binomial{N: float64(n), P: 0.5}
	holds := func(k int) float64 { return 1 - 2*below.CDF(float64(k)) } // from xs[k] to xs[n-1-k]
	k := 0
	for k+1 < (n+1)/2 && holds(k+1) >= Confidence {
		k++
	}
	return Interval{Low: xs[k], High: xs[n-1-k], Confidence: max(0, holds(k))}
}

// Spread is half the width of the interval as a part of its middle; infinite where the
// interval has less than [Confidence].
func (i Interval) Spread() float64 {
	if i.Confidence < Confidence || i.Low+i.High <= 0 {
		return math.Inf(1)
	}
	return (i.High - i.Low) / (i.High + i.Low)
}

func digits(n int) string { return strconv.Itoa(n) }
