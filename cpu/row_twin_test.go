package cpu

import (
	"math"
	"math/rand/v2"
	"testing"
	"unsafe"

	"github.com/stretchr/testify/require"
)

// lanesTwin adds up to 256 elements as the levels of eight lanes and fewer do: in
// 32 lanes, of which the last eight get what is left below eight; then in eight,
// and these in float64.
func lanesTwin(x []float32) float64 {
	var l [32]float32
	for ; len(x) >= 32; x = x[32:] {
		for i := range l {
			l[i] += x[i]
		}
	}
	at := 0
	for ; len(x) >= 8; x = x[8:] {
		for i, v := range x[:8] {
			l[at+i] += v
		}
		at += 8
	}
	for i, v := range x {
		l[24+i] += v
	}
	var d [8]float64
	for i := range d {
		d[i] = float64((l[i] + l[i+16]) + (l[i+8] + l[i+24]))
	}
	return ((d[0] + d[4]) + (d[2] + d[6])) + ((d[1] + d[5]) + (d[3] + d[7]))
}

// Rows are added in the documented order, whatever their length; extremes are
// those of Go, and totals of columns are added without loss.
func TestRowKernels(t *testing.T) {
	rng := rand.New(rand.NewPCG(9, 10))
	eachLevelHere(t, func(t *testing.T, lv *level) {
		kind := lv.kernels.rows
		if kind == rowsPortable {
			return // folded in Go
		}
		for n := 1; n <= blockLen; n += 1 + n/70 {
			x := randoms(rng, n)
			if kind != rowsAVX512 { // which adds 16 lanes in float64
				var got [blockLen / subRun]float64
				sumRuns(kind, &got, ptr(x), n)
				for i := 0; i < n; i += subRun {
					require.Equal(t, lanesTwin(x[i:min(n, i+subRun)]), got[i/subRun], "%d elements from %d", n, i)
				}
			}
			for _, special := range []float64{0, math.Inf(1), math.Inf(-1), math.NaN()} {
				require.Equal(t, oneNaN(maxRow(x[0], x)), oneNaN(extreme(kind, false, ptr(x), n)), "%d elements", n)
				require.Equal(t, oneNaN(minRow(x[0], x)), oneNaN(extreme(kind, true, ptr(x), n)), "%d elements", n)
				x[rng.IntN(n)] = float32(special)
			}
		}
		for _, n := range []int{8, 16, 24, 104} {
			x, sums, rests := randoms(rng, n+1), make([]float64, n+1), make([]float64, n+1)
			want, wantRests := make([]float64, n+1), make([]float64, n+1)
			for i := range n {
				sums[i], rests[i] = rng.NormFloat64()*1e-9, rng.NormFloat64()*1e-20
			}
			x[0], x[1], sums[2] = float32(math.Inf(1)), 1e20, math.Inf(-1)
			for i := range n {
				var s state
				s.set(sums[i], rests[i])
				s.add(float64(x[i]))
				want[i], wantRests[i] = s.total()
			}
			after := x[n]
			flushColumns(kind, unsafe.Pointer(&sums[0]), unsafe.Pointer(&rests[0]), ptr(x), n)
			require.Equal(t, want, sums)
			require.Equal(t, wantRests, rests)
			require.Equal(t, append(make([]float32, n), after), x)
		}
	})
}

// oneNaN returns the bits of x, with all NaNs equal.
func oneNaN(x float32) uint32 {
	if x != x {
		return 0x7fc00000
	}
	return math.Float32bits(x)
}
