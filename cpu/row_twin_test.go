package cpu

import (
	"math"
	"math/rand/v2"
	"testing"
	"unsafe"

	"github.com/stretchr/testify/require"
)

// sumTwin adds as the kernels of amd64 do: runs of 256 in 64 lanes and what is left
// in 16; 16 lanes of each go to float64.
func sumTwin(x []float32) float64 {
	var d [16]float64
	for ; len(x) >= subRun; x = x[subRun:] {
		var l [64]float32
		for i, v := range x[:subRun] {
			l[i%64] += v
		}
		for i := range d {
			d[i] += float64((l[i] + l[i+32]) + (l[i+16] + l[i+48]))
		}
	}
	var l [16]float32
	for i, v := range x {
		l[i%16] += v
	}
	for i := range d {
		d[i] += float64(l[i])
	}
	return lanesOf8(d[:])
}

// sumTwinNEON adds runs of 256 in 32 lanes, of which the last eight get what is left
// below eight; then in eight, and these in float64.
func sumTwinNEON(x []float32) (sum float64) {
	for ; len(x) > 0; x = x[min(len(x), subRun):] {
		var l [32]float32
		run := x[:min(len(x), subRun)]
		for ; len(run) >= 32; run = run[32:] {
			for i := range l {
				l[i] += run[i]
			}
		}
		at := 0
		for ; len(run) >= 8; run = run[8:] {
			for i, v := range run[:8] {
				l[at+i] += v
			}
			at += 8
		}
		for i, v := range run {
			l[24+i] += v
		}
		var d [16]float64
		for i := range d[:8] {
			d[i] = float64((l[i] + l[i+16]) + (l[i+8] + l[i+24]))
		}
		sum += lanesOf8(d[:])
	}
	return sum
}

// lanesOf8 adds 16 lanes in 8, and these in pairs.
func lanesOf8(d []float64) float64 {
	for i := range 8 {
		d[i] += d[i+8]
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
		for n := 1; n <= 2*blockLen; n += 1 + n/70 {
			x := randoms(rng, n)
			twin := sumTwin
			if kind == rowsNEON {
				twin = sumTwinNEON
			}
			require.Equal(t, twin(x), rowSum(kind, ptr(x), n), "%d elements", n)
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
