package main

import (
	"slices"

	"gonum.org/v1/gonum/stat"
)

// A Stat is the middle and the ends of some measurements; its zero value is of
// none.
type Stat struct {
	Median float64 `json:"median"`
	Min    float64 `json:"min"`
	Max    float64 `json:"max"`
	N      int     `json:"n"`
}

// statOf returns the Stat of xs.
func statOf(xs []float64) Stat {
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

func median(xs []float64) float64 { return statOf(xs).Median }

// per returns the Stat of c/x for the measurements x.
func (s Stat) per(c float64) Stat {
	if s.N == 0 || s.Min == 0 {
		return Stat{}
	}
	return Stat{Median: c / s.Median, Min: c / s.Max, Max: c / s.Min, N: s.N}
}

// times returns the Stat of c·x for the measurements x, c positive.
func (s Stat) times(c float64) Stat {
	return Stat{Median: c * s.Median, Min: c * s.Min, Max: c * s.Max, N: s.N}
}
