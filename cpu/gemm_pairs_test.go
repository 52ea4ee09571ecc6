package cpu

import (
	"math"
	"math/rand/v2"
	"testing"

	"github.com/fornax-ml/fornax/tensor/ir"
	"github.com/stretchr/testify/require"
)

// pairSum is the sum that products of pairs have: fused multiply-adds, the second
// element of a pair first, and an odd one with a zero after it.
func pairSum(k int, at func(i int) (x, y float32)) (s float32) {
	for i := 0; i < k; i += 2 {
		if i+1 < k {
			x, y := at(i + 1)
			s = fma32(x, y, s)
		}
		x, y := at(i)
		s = fma32(x, y, s)
	}
	return s
}

func bfloats(rng *rand.Rand, n int) []uint16 {
	x := make([]uint16, n)
	for i := range x {
		x[i] = ir.BF16FromFloat32(float32(rng.NormFloat64()))
	}
	return x
}

// eachPairLevel runs f at the levels that multiply pairs.
func eachPairLevel(t *testing.T, f func(t *testing.T, g *gemmKernel)) {
	some := false
	for _, lv := range levels() {
		if lv.gemmBF16 != nil {
			some = true
			t.Run(lv.name, func(t *testing.T) { f(t, lv.gemmBF16) })
		}
	}
	if !some {
		t.Skip("this processor multiplies no pairs")
	}
}

// Packing and the micro-kernels of all numbers of rows give the twin's bits, for
// operands that are transposed, strided or neither, and write nothing else.
func TestPairKernels(t *testing.T) {
	rng := rand.New(rand.NewPCG(13, 14))
	eachPairLevel(t, func(t *testing.T, g *gemmKernel) {
		m, ws := &matMulInstr{g: g, size: 4, dtype: ir.BF16}, &workspace{}
		for r := 1; r <= g.MR; r++ {
			for _, n := range []int{1, 2, 15, 16, 17, 31, 32, 33, 70} {
				for _, k := range []int{1, 2, 3, 7, 8, 9, 17, 40, 41} {
					for try := range 3 {
						strides := func(rows, cols int) (row, col int) {
							return [...]int{1, cols + 3, 2 * cols}[try], [...]int{rows + 1, 1, 2}[try]
						}
						var x, y matrix
						x.row, x.col = strides(r, k)
						y.row, y.col = strides(k, n)
						a, b := bfloats(rng, (r-1)*x.row+(k-1)*x.col+1), bfloats(rng, (k-1)*y.row+(n-1)*y.col+1)
						x.base, y.base = ptr(a), ptr(b)

						deep, panels := g.depth(k), (n+g.NR-1)/g.NR
						packedA, packedB := randoms(rng, g.MR*deep+1), randoms(rng, g.NR*panels*deep+1)
						endA, endB := packedA[g.MR*deep], packedB[g.NR*panels*deep]
						m.packRows(ws, ptr(packedA), x, r, k, r)
						m.packCols(ws, ptr(packedB), y, n, k)
						require.Equal(t, endA, packedA[g.MR*deep])
						require.Equal(t, endB, packedB[g.NR*panels*deep])

						ldc := n + 3
						c := randoms(rng, r*ldc)
						want := append([]float32(nil), c...)
						add := try % 2
						for i := range r {
							for j := range n {
								s := pairSum(k, func(l int) (float32, float32) {
									return ir.BF16ToFloat32(a[i*x.row+l*x.col]), ir.BF16ToFloat32(b[l*y.row+j*y.col])
								})
								if add == 1 {
									s = want[i*ldc+j] + s
								}
								want[i*ldc+j] = s
							}
						}
						g.rows[r](&gemmArgs{k: deep, n: n, a: ptr(packedA), ars: 4, acs: 4 * g.MR, b: ptr(packedB), bs: 4 * g.NR, bp: 4 * g.NR * deep, c: ptr(c), ldc: 4 * ldc, add: add})
						require.Equal(t, want, c, "%d rows, n = %d, k = %d, strides %d", r, n, k, try)
					}
				}
			}
		}
	})
}

// Infinities and NaN come through; numbers below the least normal float32 count as
// zeros, be they elements or sums.
func TestPairSpecials(t *testing.T) {
	inf, nan := float32(math.Inf(1)), float32(math.NaN())
	eachPairLevel(t, func(t *testing.T, g *gemmKernel) {
		for _, c := range []struct{ a0, a1, b0, b1, want float32 }{
			{inf, 1, 1, 1, inf}, {1, inf, 1, -1, -inf}, {inf, 1, 0, 1, nan}, {nan, 1, 1, 1, nan}, {1, 1, 1, nan, nan},
			{3e38, 3e38, 2, -2, -inf}, {1e-39, 1, 1e30, 2, 2}, {1e-20, 0, 1e-20, 0, 0},
		} {
			pair := func(x, y float32) uint32 {
				return uint32(ir.BF16FromFloat32(x)) | uint32(ir.BF16FromFloat32(y))<<16
			}
			a, b, out := make([]uint32, g.MR), make([]uint32, g.NR), []float32{7}
			a[0], b[0] = pair(c.a0, c.a1), pair(c.b0, c.b1)
			g.rows[1](&gemmArgs{k: 1, n: 1, a: ptr(a), ars: 4, acs: 4 * g.MR, b: ptr(b), bs: 4 * g.NR, bp: 4 * g.NR, c: ptr(out), ldc: 4})
			if math.IsNaN(float64(c.want)) {
				require.True(t, math.IsNaN(float64(out[0])), "%v: %g", c, out[0])
				continue
			}
			require.Equal(t, c.want, out[0], "%v", c)
		}
	})
}
