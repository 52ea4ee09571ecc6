package cpu

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"
	"unsafe"

	"github.com/fornax-ml/fornax/tensor/ir"
	"github.com/stretchr/testify/require"
)

// fma32 returns a·b + c rounded once. The product is exact in float64; the sum is
// rounded to odd there, so that the second rounding sees on which side it was.
func fma32(a, b, c float32) float32 {
	p, q := float64(a)*float64(b), float64(c)
	s := p + q
	if math.IsInf(s, 0) || math.IsNaN(s) {
		return float32(s)
	}
	v := s - p
	rest := (p - (s - v)) + (q - v)
	if bits := math.Float64bits(s); rest != 0 && bits&1 == 0 {
		if (rest > 0) == (s > 0) {
			s = math.Float64frombits(bits + 1)
		} else {
			s = math.Float64frombits(bits - 1)
		}
	}
	return float32(s)
}

// fusedAdd returns a·b + c rounded once.
func fusedAdd[T float](a, b, c T) T {
	if x, ok := any(a).(float32); ok {
		return T(fma32(x, float32(b), float32(c)))
	}
	return T(math.FMA(float64(a), float64(b), float64(c)))
}

// chainSum is the sum that every path of a product has: in order of k, fused or
// not.
func chainSum[T float](fused bool, k int, at func(i int) (x, y T)) T {
	var s T
	for i := range k {
		x, y := at(i)
		if fused {
			s = fusedAdd(x, y, s)
		} else {
			s += T(x * y)
		}
	}
	return s
}

func randoms(rng *rand.Rand, n int) []float32 { return randomsOf[float32](rng, n) }

func randomsOf[T float](rng *rand.Rand, n int) []T {
	x := make([]T, n)
	for i := range x {
		x[i] = T(rng.NormFloat64())
	}
	return x
}

func ptr[T any](x []T) unsafe.Pointer { return unsafe.Pointer(unsafe.SliceData(x)) }

// eachLevelHere runs f at every level.
func eachLevelHere(t *testing.T, f func(t *testing.T, lv *level)) {
	for _, lv := range levels() {
		t.Run(lv.name, func(t *testing.T) { f(t, lv) })
	}
}

// The micro-kernels give the twin's bits for all numbers of rows, short and
// long, read A by any strides, and write nothing else.
func TestMicroKernels(t *testing.T) {
	eachLevelHere(t, func(t *testing.T, lv *level) {
		testMicroKernels[float32](t, &lv.gemm32, lv.name != "portable")
		testMicroKernels[float64](t, &lv.gemm64, lv.fused64())
	})
}

// fused64 reports whether products of float64 are fused: neon has them in Go.
func (lv *level) fused64() bool { return lv.name != "portable" && lv.name != "neon" }

func testMicroKernels[T float](t *testing.T, g *gemmKernel, fused bool) {
	rng := rand.New(rand.NewPCG(3, 4))
	size := int(unsafe.Sizeof(T(0)))
	for r := 1; r <= g.MR; r++ {
		for _, n := range []int{1, 2, 5, 7, 8, 9, 15, 16, 17, 31, 32, 33, 47, 64, 70} {
			for _, k := range []int{1, 2, 5, 40} {
				for add := range 2 {
					ars, acs := 1+rng.IntN(3)*k, 1
					if add == 0 {
						ars, acs = 1, g.MR
					} else {
						ars = max(ars, k)
					}
					a := randomsOf[T](rng, (r-1)*ars+(k-1)*acs+1)
					panels := (n + g.NR - 1) / g.NR
					b := randomsOf[T](rng, panels*g.NR*k)
					ldc := n + 3
					c := randomsOf[T](rng, r*ldc)
					want := append([]T(nil), c...)
					for y := range r {
						for x := range n {
							s := chainSum(fused, k, func(i int) (T, T) {
								return a[y*ars+i*acs], b[x/g.NR*g.NR*k+i*g.NR+x%g.NR]
							})
							if add == 1 {
								s = want[y*ldc+x] + s
							}
							want[y*ldc+x] = s
						}
					}
					g.rows[r](&gemmArgs{k: k, n: n, a: ptr(a), ars: size * ars, acs: size * acs, b: ptr(b), bs: size * g.NR, bp: size * g.NR * k, c: ptr(c), ldc: size * ldc, add: add})
					require.Equal(t, want, c, "%d bytes, %d rows, n = %d, k = %d, add = %d", size, r, n, k, add)
				}
			}
		}
	}
}

// Adding rows of a matrix gives the twin's bits, too.
func TestAxpy(t *testing.T) {
	eachLevelHere(t, func(t *testing.T, lv *level) {
		testAxpy[float32](t, &lv.gemm32, lv.name != "portable")
		testAxpy[float64](t, &lv.gemm64, lv.fused64())
	})
}

func testAxpy[T float](t *testing.T, g *gemmKernel, fused bool) {
	rng := rand.New(rand.NewPCG(5, 6))
	size := int(unsafe.Sizeof(T(0)))
	for _, n := range []int{1, 3, 8, 15, 16, 17, 33, 100} {
		for _, k := range []int{1, 4, 7, 8, 9, 30} {
			x, b, y := randomsOf[T](rng, 2*k), randomsOf[T](rng, k*(n+5)), make([]T, n+1)
			want := make([]T, n+1)
			for j := range n {
				want[j] = chainSum(fused, k, func(i int) (T, T) { return x[2*i], b[i*(n+5)+j] })
			}
			g.axpy(&axpyArgs{y: ptr(y), n: n, x: ptr(x), xs: 2 * size, b: ptr(b), bs: size * (n + 5), k: k})
			require.Equal(t, want, y, "n = %d, k = %d", n, k)
		}
	}
}

// Reading columns side by side gives the twin's bits, with any number of them,
// what is left of their depth, and signs of zeros.
func TestColumns(t *testing.T) {
	rng := rand.New(rand.NewPCG(9, 10))
	eachLevelHere(t, func(t *testing.T, lv *level) {
		if lv.gemm32.dot == nil {
			t.Skip("columns are packed")
		}
		m := &matMulInstr{g: &lv.gemm32, size: 4, dtype: ir.F32}
		ws := &workspace{}
		ws.need(int(unsafe.Sizeof(dotBlock{})), 0)
		for _, n := range []int{1, 7, 31, 32, 33, 70} {
			for _, k := range []int{16, 17, 31, 32, 48, 61} {
				for try := range 3 {
					x, b := randoms(rng, 2*k), randoms(rng, n*(k+3))
					if try == 1 { // sums that underflow to -0, and stay so
						clear(x)
						x[0], b[0] = 1e-30, -1e-30
						for i := 1; i < k; i++ {
							x[2*i], b[i] = 1e-30, -1e-30
						}
					}
					if try == 2 {
						x[2*(k-1)], b[k-1] = float32(math.Inf(1)), float32(math.NaN())
					}
					y, want := make([]float32, n+1), make([]float32, n+1)
					for j := range n {
						want[j] = chainSum(lv.name != "portable", k, func(i int) (float32, float32) { return x[2*i], b[j*(k+3)+i] })
					}
					m.addColumns(ws, ptr(y), n, matrix{base: ptr(x), row: 1, col: 2}, matrix{base: ptr(b), row: 1, col: k + 3}, k)
					for j := range y {
						if want[j] != want[j] && y[j] != y[j] {
							continue
						}
						require.Equal(t, math.Float32bits(want[j]), math.Float32bits(y[j]), "n = %d, k = %d, try %d: column %d is %g, not %g", n, k, try, j, y[j], want[j])
					}
				}
			}
		}
	})
}

// Many panels are packed as one is: whole ones several at a time, and the last
// two of A evened out.
func TestPackPanels(t *testing.T) {
	rng := rand.New(rand.NewPCG(11, 12))
	eachLevelHere(t, func(t *testing.T, lv *level) {
		m := &matMulInstr{g: &lv.gemm32, size: 4, dtype: ir.F32}
		ws, g := &workspace{}, &lv.gemm32
		const k = 7
		for _, isA := range []bool{true, false} {
			w := g.NR
			if isA {
				w = g.MR
			}
			for n := 1; n <= 10*w; n += max(1, w/5) {
				for _, st := range [][2]int{{1, n + 2}, {k + 1, 1}} {
					panels := (n + w - 1) / w
					src := matrix{base: ptr(randoms(rng, (n-1)*st[0]+(k-1)*st[1]+1)), row: st[0], col: st[1]}
					got := randoms(rng, panels*w*k+16)
					guard := append([]float32(nil), got[panels*w*k:]...)
					if isA {
						m.packRows(ws, ptr(got), src, n, k, n)
					} else {
						m.packCols(ws, ptr(got), src.t(), n, k)
					}
					for i := range n {
						p, in := i/w, i%w
						if isA { // where panelStart says
							for p = 0; g.panelStart(p+1, n) <= i; {
								p++
							}
							in = i - g.panelStart(p, n)
						}
						for j := range k {
							want := *(*float32)(src.at(i, j).addr(4))
							require.Equal(t, want, got[(p*k+j)*w+in], "%d of %d, strides %v: (%d, %d)", n, w, st, i, j)
						}
					}
					require.Equal(t, guard, got[panels*w*k:], "past the panels: %d of %d, strides %v", n, w, st)
				}
			}
		}
	})
}

// Packing puts elements where the portable loop puts them, for any shape.
func TestPack(t *testing.T) {
	rng := rand.New(rand.NewPCG(7, 8))
	eachLevelHere(t, func(t *testing.T, lv *level) {
		m := &matMulInstr{g: &lv.gemm32, size: 4, dtype: ir.F32}
		ws := &workspace{}
		for _, isA := range []bool{true, false} {
			w := m.g.NR
			if isA {
				w = m.g.MR
			}
			for rows := 1; rows <= w; rows++ {
				for _, cols := range []int{1, 3, 4, 8, 9, 15, 30} {
					for _, st := range [][2]int{{1, rows}, {1, rows + 3}, {cols, 1}, {cols + 7, 1}, {2, 2 * rows}, {0, 1}} {
						src := randoms(rng, (rows-1)*st[0]+(cols-1)*st[1]+1)
						got := randoms(rng, w*cols+16)
						guard := append([]float32(nil), got[w*cols:]...)
						m.packOne(ws, ptr(got), matrix{base: ptr(src), row: st[0], col: st[1]}, rows, cols, isA)
						for i := range rows {
							for j := range cols {
								require.Equal(t, src[i*st[0]+j*st[1]], got[j*w+i], "%d×%d of %d, strides %v: (%d, %d)", rows, cols, w, st, i, j)
							}
						}
						require.Equal(t, guard, got[w*cols:], fmt.Sprint("past the panel ", rows, cols, st))
					}
				}
			}
		}
	})
}

// Panels are evened out and panelStart agrees with panelRows.
func TestPanels(t *testing.T) {
	eachLevelHere(t, func(t *testing.T, lv *level) {
		g := &lv.gemm32
		for rows := 1; rows < 100; rows++ {
			p := 0
			for x := 0; x < rows; {
				require.Equal(t, x, g.panelStart(p, rows))
				x += g.panelRows(rows - x)
				p++
			}
			require.Equal(t, rows, g.panelStart(p, rows))
			require.Equal(t, (rows+g.MR-1)/g.MR, p)
		}
	})
}

// A product is cut into parts that tiles fill, and into few tasks, all of it in
// one where one goroutine works.
func TestCut(t *testing.T) {
	eachLevelHere(t, func(t *testing.T, lv *level) {
		g := &lv.gemm32
		for _, s := range [][4]int{{1, 1, 1024, 1024}, {1, 1, 9000, 3}, {1, 3, 70, 4000}, {1, 64, 64, 64}, {1, 256, 256, 256}, {1, 1000, 10, 500}, {3, 100, 300, 90}, {64, 64, 64, 64}, {500, 1, 33, 20}, {7, 2, 5000, 900}} {
			m := &matMulInstr{dtype: ir.F32, size: 4, batch: s[0], m: s[1], n: s[2], k: s[3], g: g, a: operandMatrix{row: s[3], col: 1}, b: operandMatrix{row: s[2], col: 1}}
			m.plan(0, 2)
			if m.mode == matShared {
				continue
			}
			for width := 1; width <= 64; width++ {
				rows, cols, group := m.cut(width)
				require.True(t, rows == m.m || rows > 0 && rows%g.MR == 0, "%v, %d goroutines: %d rows", s, width, rows)
				require.True(t, cols == m.n || cols > 0 && (cols%g.NR == 0 || m.mode == matVector && cols%dotColumns == 0), "%v, %d goroutines: %d columns", s, width, cols)
				require.Positive(t, group)
				tasks := m.tasks(width)
				require.LessOrEqual(t, tasks, 8*width+m.n/vectorCols, "%v", s)
				if width == 1 {
					require.Equal(t, 1, tasks, "%v", s)
				}
				require.GreaterOrEqual(t, tasks*group, m.batch*m.parts(rows, cols))
			}
		}
	})
}
