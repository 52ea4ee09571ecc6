package cpu

import (
	"math"
	"unsafe"
)

// vector computes part t, a row of C after the other.
func (m *matMulInstr) vector(r *run, ws *workspace, t int) {
	cols := r.phase.b
	across := (m.n + cols - 1) / cols
	col, i := t%across*cols, t/across
	n := min(cols, m.n-col)
	a, b := m.a.at(r, i), m.b.at(r, i).at(0, col)
	for row := range m.m {
		y := m.sums(r, i, row, col)
		clear(slice[byte](y, n*m.size))
		for k := 0; k < m.k; k += m.kc {
			to := y
			if k > 0 {
				to = ws.at(m.offA)
				clear(slice[byte](to, n*m.size))
			}
			kc := min(m.kc, m.k-k)
			if m.dots {
				m.addColumns(ws, to, n, a.at(row, k), b.at(k, 0), kc)
			} else {
				m.addRows(ws, to, n, a.at(row, k), b.at(k, 0), kc)
			}
			if k > 0 {
				addTo(y, to, n, m.size)
			}
		}
	}
	m.finish(r, ws, i, 0, m.m, col, col+n)
}

// addRows adds the first row of a times b[k, n] to y; the rows of b are
// contiguous.
func (m *matMulInstr) addRows(ws *workspace, y unsafe.Pointer, n int, a, b matrix, k int) {
	args := &ws.axpy
	args.y, args.n = y, n
	args.x, args.xs = a.addr(m.size), a.col*m.size
	args.b, args.bs, args.k = b.addr(m.size), b.row*m.size, k
	m.g.axpy(args)
}

// A dotBlock is the memory of addColumns.
type dotBlock struct {
	out  [dotColumns]float32
	rest [dotColumns][dotDepth]float32 // what is left of the columns
	x    [dotDepth]float32             // and of the row
}

// addColumns is addRows where the columns of b are contiguous, for float32.
func (m *matMulInstr) addColumns(ws *workspace, y unsafe.Pointer, n int, a, b matrix, k int) {
	args, block := &ws.dot, (*dotBlock)(ws.at(m.offB))
	whole := k / dotDepth * dotDepth
	if whole < k {
		// A product of 0 and -0 changes no sum.
		clear(block.x[:])
		for i := range k - whole {
			block.x[i] = *(*float32)(a.at(0, whole+i).addr(4))
		}
	}
	for j := 0; j < n; j += dotColumns {
		cols := min(dotColumns, n-j)
		at := b.at(0, j).addr(4)
		for c := range args.table {
			args.table[c] = unsafe.Add(at, min(c, cols-1)*b.col*4)
		}
		sums := slice[float32](unsafe.Add(y, 4*j), cols)
		args.out = unsafe.Pointer(&sums[0])
		if cols < dotColumns {
			clear(block.out[:])
			args.out = unsafe.Pointer(&block.out)
		}
		if whole > 0 {
			args.x, args.xs, args.k = a.addr(4), a.col*4, whole/dotDepth
			m.g.dot(args)
		}
		if whole < k {
			for c := range block.rest {
				rest := &block.rest[c]
				d := copy(rest[:], slice[float32](unsafe.Add(args.table[c], 4*whole), k-whole))
				for i := d; i < dotDepth; i++ {
					rest[i] = float32(math.Copysign(0, -1))
				}
				args.table[c] = unsafe.Pointer(rest)
			}
			args.x, args.xs, args.k = unsafe.Pointer(&block.x), 4, 1
			m.g.dot(args)
		}
		if cols < dotColumns {
			copy(sums, block.out[:])
		}
	}
}

// addTo adds n floats of size bytes at x to those at y.
func addTo(y, x unsafe.Pointer, n, size int) {
	if size == 8 {
		addBlock[float64](y, y, x, nil, n)
		return
	}
	addBlock[float32](y, y, x, nil, n)
}
