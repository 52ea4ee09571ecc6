package cpu

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"
	"unsafe"

	"github.com/fornax-ml/fornax/tensor/ir"
	"github.com/stretchr/testify/require"
)

// exactOps are the float32 ops that every level computes to the bit.
var exactOps = []ir.Op{
	ir.OpAdd, ir.OpSub, ir.OpMul, ir.OpDiv, ir.OpMaximum, ir.OpMinimum, ir.OpNeg, ir.OpAbs, ir.OpSquare, ir.OpSqrt, ir.OpReciprocal,
	ir.OpRelu, ir.OpFloor, ir.OpCeil, ir.OpRound, ir.OpTrunc,
}

// values returns n numbers of all kinds.
func values(rng *rand.Rand, n int) []float32 {
	inf := float32(math.Inf(1))
	special := []float32{0, float32(math.Copysign(0, -1)), 1, -1, 0.5, -1.5, 2.5, 1 << 23, inf, -inf, float32(math.NaN()), 1e-40, -1e-45, 3e38}
	x := make([]float32, n)
	for i := range x {
		if x[i] = float32(rng.NormFloat64() * 10); rng.IntN(3) == 0 {
			x[i] = special[rng.IntN(len(special))]
		}
	}
	return x
}

// The block kernels give the bits of those in Go, for any length, also in place;
// and where they need not, an element's result does not depend on its place.
func TestBlockKernels(t *testing.T) {
	rng := rand.New(rand.NewPCG(13, 14))
	twin := portableKernels()
	eachLevelHere(t, func(t *testing.T, lv *level) {
		k := lv.kernels
		for n := 1; n < 70; n++ {
			x, y := values(rng, n), values(rng, n)
			for _, op := range exactOps {
				got, want := slices.Clone(x), make([]float32, n)
				k.calc[op][ir.F32](ptr(got), ptr(got), ptr(y), nil, n)
				twin.calc[op][ir.F32](ptr(want), ptr(x), ptr(y), nil, n)
				for i := range got {
					require.Equal(t, oneNaN(want[i]), oneNaN(got[i]), "%v of %g, %g: %d of %d", op, x[i], y[i], i, n)
				}
			}
			for _, op := range []ir.Op{ir.OpLess, ir.OpLessEqual, ir.OpEqual, ir.OpNotEqual} {
				got, want := make([]uint8, n+1), make([]uint8, n+1)
				k.calc[op][ir.F32](unsafe.Pointer(&got[0]), ptr(x), ptr(y), nil, n)
				twin.calc[op][ir.F32](unsafe.Pointer(&want[0]), ptr(x), ptr(y), nil, n)
				require.Equal(t, want, got, "%v", op)
				where := make([]float32, n)
				k.where[4](ptr(where), unsafe.Pointer(&got[0]), ptr(x), ptr(y), n)
				for i, v := range where {
					p := y[i]
					if want[i] != 0 {
						p = x[i]
					}
					require.Equal(t, math.Float32bits(p), math.Float32bits(v))
				}
			}
			for _, op := range []ir.Op{ir.OpRsqrt, ir.OpExp, ir.OpLog, ir.OpTanh, ir.OpSigmoid, ir.OpErf, ir.OpSin, ir.OpCos} {
				got := make([]float32, n)
				k.calc[op][ir.F32](ptr(got), ptr(x), nil, nil, n)
				for i, v := range x {
					k.calc[op][ir.F32](ptr(x[i:]), ptr(x[i:]), nil, nil, 1)
					require.Equal(t, oneNaN(x[i]), oneNaN(got[i]), "%v of %g: %d of %d", op, v, i, n)
				}
				x = values(rng, n)
			}
		}
	})
}
