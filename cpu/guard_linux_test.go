package cpu

import (
	"math/rand/v2"
	"syscall"
	"testing"
	"unsafe"

	"github.com/fornax-ml/fornax/tensor/ir"
	"github.com/stretchr/testify/require"
)

// guarded returns room for n elements that end where memory does: what goes past
// them is a fault.
func guarded(t *testing.T, n int) []float32 {
	page := syscall.Getpagesize()
	size := (4*n + page - 1) / page * page
	mem, err := syscall.Mmap(-1, 0, size+page, syscall.PROT_READ|syscall.PROT_WRITE, syscall.MAP_ANON|syscall.MAP_PRIVATE)
	require.NoError(t, err)
	t.Cleanup(func() { _ = syscall.Munmap(mem) })
	require.NoError(t, syscall.Mprotect(mem[size:], syscall.PROT_NONE))
	return unsafe.Slice((*float32)(unsafe.Pointer(&mem[size-4*n])), n)
}

// The micro-kernels touch nothing past the last element of their operands, also
// where they read matrices as they are.
func TestGemmGuard(t *testing.T) {
	rng := rand.New(rand.NewPCG(11, 12))
	eachLevelHere(t, func(t *testing.T, lv *level) {
		g := &lv.gemm32
		const k = 5
		full := guarded(t, 4*k*g.NR)
		for r := 1; r <= g.MR; r++ {
			a := guarded(t, r*k)
			copy(a, randoms(rng, r*k))
			for n := 1; n <= 2*g.NR+1; n++ {
				b, c := full[len(full)-k*n:], guarded(t, r*n)
				copy(b, randoms(rng, k*n))
				for _, st := range [][2]int{{k, 1}, {1, r}} { // A by rows and by columns
					clear(c)
					g.rows[r](&gemmArgs{k: k, n: n, a: ptr(a), ars: 4 * st[0], acs: 4 * st[1], b: ptr(b), bs: 4 * n, bp: 4 * g.NR, c: ptr(c), ldc: 4 * n, add: 1})
					for i := range c {
						want := chainSum(lv.name != "portable", k, func(j int) (float32, float32) { return a[i/n*st[0]+j*st[1]], b[j*n+i%n] })
						require.Equal(t, want, c[i], "%d rows, %d columns, strides %v", r, n, st)
					}
				}
				x, y := guarded(t, k), guarded(t, n)
				g.axpy(&axpyArgs{y: ptr(y), n: n, x: ptr(x), xs: 4, b: ptr(b), bs: 4 * n, k: k})
			}
		}
	})
}

// Nor do those of float64, and what packs their panels.
func TestGemmGuardDouble(t *testing.T) {
	eachLevelHere(t, func(t *testing.T, lv *level) {
		g := &lv.gemm64
		const k = 5
		doubles := func(n int) unsafe.Pointer { return ptr(guarded(t, 2*n)) }
		for r := 1; r <= g.MR; r++ {
			for n := 1; n <= 2*g.NR+1; n++ {
				a, b, c := doubles(r*k), doubles(k*n), doubles(r*n)
				g.rows[r](&gemmArgs{k: k, n: n, a: a, ars: 8 * k, acs: 8, b: b, bs: 8 * n, bp: 8 * g.NR, c: c, ldc: 8 * n, add: 1})
				g.axpy(&axpyArgs{y: doubles(n), n: n, x: a, xs: 8, b: b, bs: 8 * n, k: k})
			}
		}
		for rows := 1; rows <= g.NR; rows++ {
			packPanel[float64](&packArgs{}, g.copyB, g.transposeB, g.width, doubles(g.NR*k), matrix{base: doubles(rows * k), row: 1, col: rows}, rows, k, g.NR)
		}
	})
}

// Nor does what packs pairs of BF16, and their micro-kernels.
func TestPairGuard(t *testing.T) {
	eachPairLevel(t, func(t *testing.T, g *gemmKernel) {
		halves := func(n int) unsafe.Pointer { // the last of them ends where memory does
			return unsafe.Add(ptr(guarded(t, (n+1)/2)), n%2*2)
		}
		for _, cols := range []int{1, 2, 7, 8, 9, 17} {
			for rows := 1; rows <= g.NR; rows++ {
				for _, st := range [][2]int{{1, rows}, {cols, 1}} {
					x := matrix{base: halves(rows * cols), row: st[0], col: st[1]}
					packPairs(&packArgs{}, g.copyB, g.transposeB, g.width, ptr(guarded(t, g.NR*g.depth(cols))), x, rows, cols, g.NR)
					if rows <= g.MR {
						packPairs(&packArgs{}, g.copyA, g.transposeA, g.MR, ptr(guarded(t, g.MR*g.depth(cols))), x, rows, cols, g.MR)
					}
				}
			}
		}
		const k = 3
		for r := 1; r <= g.MR; r++ {
			for n := 1; n <= 2*g.NR; n++ {
				a, b, c := guarded(t, g.MR*k), guarded(t, (n+g.NR-1)/g.NR*g.NR*k), guarded(t, r*n)
				g.rows[r](&gemmArgs{k: k, n: n, a: ptr(a), ars: 4, acs: 4 * g.MR, b: ptr(b), bs: 4 * g.NR, bp: 4 * g.NR * k, c: ptr(c), ldc: 4 * n, add: 1})
			}
		}
	})
}

// So do packing, the block kernels of float32 and those of rows.
func TestBlockGuard(t *testing.T) {
	eachLevelHere(t, func(t *testing.T, lv *level) {
		g := &lv.gemm32
		for rows := 1; rows <= max(g.MR, g.NR); rows++ {
			for _, cols := range []int{1, 3, 4, 9} {
				x := guarded(t, rows*cols)
				for _, w := range []int{g.MR, g.NR} {
					if rows > w {
						continue
					}
					fast, turn, width := g.copyB, g.transposeB, g.width
					if w == g.MR {
						fast, turn, width = g.copyA, g.transposeA, g.MR
					}
					dst := guarded(t, w*cols)
					packPanel[float32](&packArgs{}, fast, turn, width, ptr(dst), matrix{base: ptr(x), row: 1, col: rows}, rows, cols, w)
					packPanel[float32](&packArgs{}, fast, turn, width, ptr(dst), matrix{base: ptr(x), row: cols, col: 1}, rows, cols, w)
				}
			}
		}
		for n := 1; n < 70; n++ {
			dst, x, y, z := guarded(t, n), guarded(t, n), guarded(t, n), guarded(t, n)
			cond := unsafe.Add(ptr(guarded(t, (n+3)/4)), (n+3)/4*4-n)
			for op := range lv.kernels.calc {
				if f := lv.kernels.calc[op][ir.F32]; f != nil {
					f(ptr(dst), ptr(x), ptr(y), ptr(z), n)
				}
			}
			lv.kernels.where[4](ptr(dst), cond, ptr(x), ptr(y), n)
			for op := range lv.kernels.calc { // results of bytes
				switch f := lv.kernels.calc[op][ir.F32]; ir.Op(op) {
				case ir.OpLess, ir.OpLessEqual, ir.OpEqual, ir.OpNotEqual, ir.OpIsNaN, ir.OpIsInf:
					f(cond, ptr(x), ptr(y), nil, n)
				}
			}
			if kind := lv.kernels.rows; kind != rowsPortable {
				rowSum(kind, ptr(x), n)
				extreme(kind, false, ptr(x), n)
				extreme(kind, true, ptr(x), n)
			}
		}
	})
}
