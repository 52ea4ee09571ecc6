package cpu

import (
	"unsafe"

	"github.com/fornax-ml/fornax/tensor/ir"
)

// The loops of a product.
const (
	matAll = iota
	matPack
	matMul
)

func (m *matMulInstr) run(r *run) error {
	if m.batch*m.m*m.n == 0 {
		return nil
	}
	if m.post != nil {
		m.post.prepare(r)
	}
	r.ws.packed = packedBlock{}
	if m.mode != matShared {
		rows, cols, group := m.cut(r.width)
		all := m.batch * m.parts(rows, cols)
		r.phase = phase{kind: matAll, n: all, a: rows, b: cols, c: group}
		if all <= group {
			m.task(r, r.ws, 0)
		} else {
			r.loop(m, (all+group-1)/group)
		}
		return nil
	}
	for i := range m.batch {
		for j := 0; j < m.n; j += sharedCols {
			for k := 0; k < m.k; k += m.kc {
				for x := 0; x < m.m; x += sharedRows {
					r.phase = phase{kind: matPack, a: i, b: j, c: k, d: x}
					s := m.shared(r)
					// A task packs about as many elements of either.
					r.loop(m, (s.panelsA+packGroup*m.g.NR/m.g.MR-1)/(packGroup*m.g.NR/m.g.MR)+(s.panelsB+packGroup-1)/packGroup)
					r.phase.kind = matMul
					r.loop(m, s.blocksA*s.blocksB)
				}
			}
		}
	}
	return nil
}

// packGroup is the number of panels of B that a task packs.
const packGroup = packPanels

// A sharedBlock is what the loops of the shared mode work on.
type sharedBlock struct {
	rows, cols, kc   int
	panelsA, panelsB int
	blocksA, blocksB int // of mc rows and nc columns
}

func (m *matMulInstr) shared(r *run) sharedBlock {
	s := sharedBlock{rows: min(sharedRows, m.m-r.phase.d), cols: min(sharedCols, m.n-r.phase.b), kc: min(m.kc, m.k-r.phase.c)}
	s.panelsA = (s.rows + m.g.MR - 1) / m.g.MR
	s.panelsB = (s.cols + m.g.NR - 1) / m.g.NR
	if r.phase.d > 0 {
		s.panelsB = 0 // packed before
	}
	s.blocksA = (s.panelsA*m.g.MR + m.mc - 1) / m.mc
	s.blocksB = (s.cols + m.nc - 1) / m.nc
	return s
}

// panelStart returns the first row of panel p of rows: as panelRows cuts them.
func (g *gemmKernel) panelStart(p, rows int) int {
	last := (rows+g.MR-1)/g.MR - 1
	switch {
	case p > last:
		return rows
	case p == last && p > 0 && rows%g.MR != 0:
		return (last-1)*g.MR + (rows-(last-1)*g.MR+1)/2
	}
	return p * g.MR
}

func (m *matMulInstr) task(r *run, ws *workspace, t int) {
	if m.mode != matShared {
		for p := t * r.phase.c; p < min((t+1)*r.phase.c, r.phase.n); p++ {
			if m.mode == matVector {
				m.vector(r, ws, p)
			} else {
				m.local(r, ws, p)
			}
		}
		return
	}
	g, s := m.g, m.shared(r)
	i, j0, k, x0 := r.phase.a, r.phase.b, r.phase.c, r.phase.d
	packedA, packedB := unsafe.Add(r.scratch, m.offA), unsafe.Add(r.scratch, m.offB)
	deep := g.depth(s.kc) * m.size // bytes of a packed row
	if r.phase.kind == matPack {
		if per := (s.panelsB + packGroup - 1) / packGroup; t < per {
			b := m.b.at(r, i).at(k, j0)
			lo, hi := t*packGroup*g.NR, min((t+1)*packGroup*g.NR, s.cols)
			m.packCols(ws, unsafe.Add(packedB, lo*deep), b.at(0, lo), hi-lo, s.kc)
		} else {
			group := packGroup * g.NR / g.MR
			p := (t - per) * group
			lo, hi := g.panelStart(p, s.rows), g.panelStart(p+group, s.rows)
			m.packRows(ws, unsafe.Add(packedA, p*g.MR*deep), m.a.at(r, i).at(x0+lo, k), hi-lo, s.kc, s.rows-lo)
		}
		return
	}
	// Tasks that follow each other share their columns of B.
	p, j := t%s.blocksA*(m.mc/g.MR), t/s.blocksA*m.nc
	lo, hi := g.panelStart(p, s.rows), g.panelStart(p+m.mc/g.MR, s.rows)
	n := min(m.nc, s.cols-j)
	m.multiply(r, ws, &matBlock{
		i: i, row: x0 + lo, rows: hi - lo, left: s.rows - lo, col: j0 + j, cols: n, k: k, kc: s.kc,
		a: unsafe.Add(packedA, p*g.MR*deep), b: unsafe.Add(packedB, j*deep), packedA: true, packedB: true,
	})
}

// packCols packs n columns of b, kc deep, as panels of NR.
func (m *matMulInstr) packCols(ws *workspace, dst unsafe.Pointer, b matrix, n, kc int) {
	j := 0
	if m.dtype == ir.F32 && m.g.copiesB != nil && b.col == 1 {
		for ; n-j >= packPanels*m.g.NR; j += packPanels * m.g.NR {
			copyPanels[float32](&ws.pack, m.g.copiesB, unsafe.Add(dst, j*kc*m.size), b.at(0, j).t(), kc, m.g.NR)
		}
	}
	for ; j < n; j += m.g.NR {
		m.packOne(ws, unsafe.Add(dst, j*m.g.depth(kc)*m.size), b.at(0, j).t(), min(m.g.NR, n-j), kc, false)
	}
}

// packRows packs rows of a, kc deep, as panels of up to MR, evened out where
// left says that they end.
func (m *matMulInstr) packRows(ws *workspace, dst unsafe.Pointer, a matrix, rows, kc, left int) {
	x := 0
	if m.dtype == ir.F32 && m.g.copiesA != nil && a.row == 1 {
		// The last two panels may be evened out.
		for n := packPanels * m.g.MR; rows-x >= n && (left-x == n || left-x >= n+m.g.MR); x += n {
			copyPanels[float32](&ws.pack, m.g.copiesA, unsafe.Add(dst, x*kc*m.size), a.at(x, 0), kc, m.g.MR)
		}
		dst = unsafe.Add(dst, x*kc*m.size)
	}
	for x < rows {
		h := m.g.panelRows(left - x)
		m.packOne(ws, dst, a.at(x, 0), h, kc, true)
		dst = unsafe.Add(dst, m.g.MR*m.g.depth(kc)*m.size)
		x += h
	}
}

func (m *matMulInstr) packOne(ws *workspace, dst unsafe.Pointer, x matrix, rows, cols int, isA bool) {
	g := m.g
	w, width, fast, transpose := g.NR, g.width, g.copyB, g.transposeB
	if isA {
		w, width, fast, transpose = g.MR, g.MR, g.copyA, g.transposeA
	}
	if g.pairs {
		packPairs(&ws.pack, fast, transpose, width, dst, x, rows, cols, w)
		return
	}
	if m.widen != nil {
		var done bool
		if x, done = m.widenPanel(ws, dst, x, rows, cols, w); done {
			return
		}
	}
	if m.dtype == ir.F64 {
		packPanel[float64](&ws.pack, fast, transpose, width, dst, x, rows, cols, w)
	} else {
		packPanel[float32](&ws.pack, fast, transpose, width, dst, x, rows, cols, w)
	}
}

// A matBlock is a piece of a product: rows and columns of product i, kc deep from k
// on. left counts the rows until panels end.
type matBlock struct {
	i, row, rows, left, col, cols, k, kc int

	a, b             unsafe.Pointer
	packedA, packedB bool
}

// multiply runs the micro-kernels over a block, and the epilogue over each panel
// of rows whose sums are complete.
//
// Arguments are stored field by field here and below: a struct that is built and
// then copied is read in other pieces than it was written in, and waits until all
// stores before it, those of a tile of C, have left the processor's queue.
func (m *matMulInstr) multiply(r *run, ws *workspace, s *matBlock) {
	g, args := m.g, &ws.gemm
	args.k, args.n = g.depth(s.kc), s.cols
	args.add = 0
	if s.k > 0 {
		args.add = 1
	}
	if s.packedB {
		args.b, args.bs, args.bp = s.b, g.NR*m.size, g.NR*args.k*m.size
	} else {
		b := m.b.at(r, s.i).at(s.k, s.col)
		args.b, args.bs, args.bp = b.addr(m.size), b.row*m.size, g.NR*m.size
	}
	a := s.a
	args.ars, args.acs = m.size, g.MR*m.size
	if !s.packedA {
		x := m.a.at(r, s.i).at(s.row, s.k)
		a, args.ars, args.acs = x.addr(m.size), x.row*m.size, x.col*m.size
	}
	var c unsafe.Pointer
	if args.ldc = m.n * m.size; m.panel {
		c, args.ldc = ws.at(m.offSums), s.cols*m.size
	} else {
		c = m.sums(r, s.i, s.row, s.col)
	}
	done := m.post != nil && s.k+s.kc == m.k
	for x := 0; ; {
		h := g.panelRows(s.left - x)
		args.a, args.c = a, c
		g.rows[h](args)
		if done {
			m.finish(r, ws, s.i, s.row+x, s.row+x+h, s.col, s.col+s.cols, c, args.ldc)
		}
		if x += h; x >= s.rows {
			return // no pointer past the end
		}
		if !m.panel {
			c = unsafe.Add(c, h*args.ldc)
		}
		if s.packedA {
			a = unsafe.Add(a, g.MR*args.k*m.size)
		} else {
			a = unsafe.Add(a, h*args.ars)
		}
	}
}

// A packedBlock names a block of B that a part of a product in the local mode has
// packed. Parts that follow each other on one goroutine, of other rows, find it.
type packedBlock struct {
	m             *matMulInstr
	i, k, j, cols int
}

// local computes part t by itself.
func (m *matMulInstr) local(r *run, ws *workspace, t int) {
	col, row, i := 0, 0, 0
	rows, cols := r.phase.a, r.phase.b
	if t > 0 { // small products have one part, and feel divisions
		across := (m.n + cols - 1) / cols
		down := (m.m + rows - 1) / rows
		col, row, i = t%across*cols, t/across%down*rows, t/across/down
	}
	endRow, endCol := min(row+rows, m.m), min(col+cols, m.n)
	var s matBlock
	s.i, s.packedA, s.packedB = i, m.packA, m.packB
	for j := col; j < endCol; j += m.nc {
		s.col, s.cols = j, min(m.nc, endCol-j)
		for k := 0; k < m.k; k += m.kc {
			s.k, s.kc = k, min(m.kc, m.k-k)
			if m.packB {
				s.b = ws.at(m.offB)
				if p := (packedBlock{m, i, k, j, s.cols}); ws.packed != p {
					m.packCols(ws, s.b, m.b.at(r, i).at(k, j), s.cols, s.kc)
					ws.packed = p
				}
			}
			for x := row; x < endRow; x += m.mc {
				s.row, s.rows = x, min(m.mc, endRow-x)
				s.left = s.rows
				if m.packA {
					s.a = ws.at(m.offA)
					m.packRows(ws, s.a, m.a.at(r, i).at(x, k), s.rows, s.kc, s.left)
				}
				m.multiply(r, ws, &s)
			}
		}
	}
}
