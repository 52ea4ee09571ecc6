package record

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestStatOf(t *testing.T) {
	for _, c := range []struct {
		xs   []float64
		want Stat
	}{
		{nil, Stat{}},
		{[]float64{3}, Stat{3, 3, 3, 1}},
		{[]float64{3, 1}, Stat{2, 1, 3, 2}},
		{[]float64{9, 1, 2}, Stat{2, 1, 9, 3}},
		{[]float64{4, 1, 9, 2}, Stat{3, 1, 9, 4}},
		{[]float64{5, 5, 1, 7, 6, 0}, Stat{5, 0, 7, 6}},
		{[]float64{7, 6, 5, 4, 3, 2, 1}, Stat{4, 1, 7, 7}},
	} {
		require.Equal(t, c.want, StatOf(c.xs), "%v", c.xs)
	}
	xs := []float64{2, 1}
	StatOf(xs)
	require.Equal(t, []float64{2, 1}, xs, "the argument is left as it is")
	for n := 1; n < 100; n++ { // 0 … n-1
		xs := make([]float64, n)
		for i := range xs {
			xs[i] = float64(i * 37 % n)
		}
		if n%37 != 0 {
			require.Equal(t, float64(n-1)/2, Median(xs), "%d numbers", n)
		}
	}
}

func TestStatUnits(t *testing.T) {
	s := Stat{Median: 2, Min: 1, Max: 4, N: 3}
	require.Equal(t, Stat{4, 2, 8, 3}, s.Per(8), "the shortest time is the highest rate")
	require.Equal(t, Stat{20, 10, 40, 3}, s.Times(10))
	require.Equal(t, Stat{}, Stat{}.Per(8))
}
