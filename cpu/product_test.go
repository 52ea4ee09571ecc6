package cpu_test

import (
	"math/rand/v2"
	"testing"

	"github.com/fornax-ml/fornax/cpu"
	"github.com/fornax-ml/fornax/tensor/ir"
	"github.com/stretchr/testify/require"
)

// reference is the product in float64.
func (s shape) reference(a, b cpu.Matrix) []float64 {
	c := make([]float64, s.m*s.n)
	for i := range s.m {
		row := c[i*s.n:][:s.n]
		for k := range s.k {
			x := float64(a.Data[i*a.Row+k*a.Col])
			for j := range row {
				row[j] += x * float64(b.Data[k*b.Row+j*b.Col])
			}
		}
	}
	return c
}

// transposed returns the matrix stored the other way around.
func transposed(x cpu.Matrix, rows, cols int) cpu.Matrix {
	y := cpu.Matrix{Data: make([]float32, rows*cols), Row: 1, Col: rows}
	for i := range rows {
		for j := range cols {
			y.Data[i+j*rows] = x.Data[i*x.Row+j*x.Col]
		}
	}
	return y
}

// Products are right for all shapes and equal bit for bit whatever way the
// operands lie and however many goroutines work.
func TestMatMulEntry(t *testing.T) {
	shapes := [][3]int{
		{1, 1, 1}, {1, 1, 900}, {2, 3, 0}, {3, 1500, 400}, {1, 1100, 1000}, {900, 1, 700}, {900, 2, 700}, {5, 5, 5}, {13, 33, 17},
		{64, 64, 64}, {100, 10, 784}, {10, 100, 784}, {130, 130, 700}, {257, 129, 400}, {61, 513, 390}, {300, 310, 320}, {25, 2000, 400}, {500, 37, 800},
	}
	if !testing.Short() && !race {
		shapes = append(shapes, [3]int{3100, 70, 400}, [3]int{80, 6200, 400}, [3]int{530, 1030, 770})
	}
	eachLevel(t, func(t *testing.T, level string) {
		one, two := cpu.New(cpu.Options{Level: level, Workers: 1}), cpu.New(cpu.Options{Level: level})
		defer one.Close()
		defer two.Close()
		for _, l := range shapes {
			s := shape{m: l[0], n: l[1], k: l[2]}
			c, a, b := s.operands()
			require.NoError(t, one.MatMul(c, a, b, s.m, s.n, s.k))
			for i, want := range s.reference(a, b) {
				require.InDelta(t, want, c[i], 1e-6*float64(s.k+8), "%v: element %d", s, i)
			}
			at, bt := transposed(a, s.m, s.k), transposed(b, s.k, s.n)
			for i, x := range []cpu.Matrix{a, at} {
				for j, y := range []cpu.Matrix{b, bt} {
					got := make([]float32, len(c))
					require.NoError(t, two.MatMul(got, x, y, s.m, s.n, s.k))
					for e := range c {
						if c[e] != got[e] {
							t.Fatalf("%v: operands %d, %d: element %d is %g, not %g", s, i, j, e, got[e], c[e])
						}
					}
				}
			}
			if s.n > 40 && s.m < 200 { // a column by itself
				col := make([]float32, s.m)
				require.NoError(t, two.MatMul(col, a, cpu.Matrix{Data: b.Data[40:], Row: b.Row}, s.m, 1, s.k))
				for i := range col {
					require.Equal(t, c[i*s.n+40], col[i], "%v", s)
				}
			}
		}
		require.Error(t, one.MatMul(make([]float32, 3), cpu.Matrix{}, cpu.Matrix{}, 2, 2, 0))
		require.Error(t, one.MatMul(make([]float32, 4), cpu.Matrix{Data: make([]float32, 3), Row: 2, Col: 1}, cpu.Matrix{Data: make([]float32, 4), Row: 2, Col: 1}, 2, 2, 2))
		require.NoError(t, one.Close())
		for _, n := range []int{2, 300} { // small, and one of several tasks
			x := make([]float32, n*n)
			y := cpu.Matrix{Data: x, Row: n, Col: 1}
			require.ErrorIs(t, one.MatMul(make([]float32, n*n), y, y, n, n, n), ir.ErrClosed)
		}
	})
}

// Products of halves are right where K takes several pieces, for goroutines that
// pack together and for one: small whole numbers have exact sums.
func TestHalfProducts(t *testing.T) {
	shapes := [][3]int{{5, 40, 2051}, {40, 70, 1029}}
	if !testing.Short() && !race {
		shapes = append(shapes, [3]int{150, 1100, 2051})
	}
	for _, s := range shapes {
		m, n, k := s[0], s[1], s[2]
		rng := rand.New(rand.NewPCG(15, 16))
		a, b := make([]int, m*k), make([]int, k*n)
		for _, x := range [][]int{a, b} {
			for i := range x {
				x[i] = rng.IntN(3) - 1
			}
		}
		for _, trans := range []bool{false, true} {
			row, col := n, 1
			if trans {
				row, col = 1, k
			}
			want := make([]int, m*n)
			for i := range want {
				for l := range k {
					want[i] += a[i/n*k+l] * b[l*row+i%n*col]
				}
			}
			eachLevel(t, func(t *testing.T, level string) {
				for _, d := range []ir.DType{ir.F16, ir.BF16} {
					for _, workers := range []int{1, 2} {
						dev := cpu.New(cpu.Options{Level: level, Workers: workers})
						e, args := setup(t, dev, matmulOf(d, m, n, k, trans))
						for i, x := range [][]int{a, b} {
							raw := make([]byte, d.Size()*len(x))
							for j, v := range x {
								ir.PutBits(d, raw, j, ir.FloatBits(d, float64(v)))
							}
							require.NoError(t, args[i].Write(0, raw))
						}
						run(t, e, args)
						out := read(t, args[2])
						for i, v := range want {
							if got := ir.GetBits(d, out, i); got != ir.FloatBits(d, float64(v)) {
								t.Fatalf("%v %v, transposed %v, %d workers: element %d is %g, not %d", d, s, trans, workers, i, ir.BitsFloat(d, got), v)
							}
						}
						require.NoError(t, dev.Close())
					}
				}
			})
		}
	}
}
