package cpu_test

import (
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
