package cpu

import (
	"unsafe"

	"github.com/fornax-ml/fornax/tensor/ir"
)

// A matMulInstr multiplies matrices, in one of three ways that give equal bits:
//
//   - direct: no packing, for small matrices and vectors. A task takes some
//     rows of one product.
//   - local: a task packs and multiplies some rows of one product of the
//     batch by itself.
//   - shared: for large matrices. Panels of B are packed once, by all, and a
//     task then packs a block of A and multiplies it with some of them.
//
// Sums go to memory of the result where that has the accumulators' dtype and
// nothing else, and else to scratch; the epilogue runs over a task's rows when
// their sums are complete.
type matMulInstr struct {
	in      *ir.MatMul
	dtype   ir.DType // of A and B
	size    int      // of an accumulator
	batch   int
	m, n, k int
	a, b    operandMatrix
	accSlot int    // where the sums go, or NoSlot: scratch
	post    *chain // nil: the sums are the result
	round   kernel // F16 and BF16: of the accumulators
	g       *gemmKernel
	mode    int
	flip    bool // direct: along M, not along N
	rows    int  // direct, local: rows of a part
	cols    int  // direct: columns of a part
	group   int  // direct, local: parts of a task
	mc      int
	packB   int // scratch: byte offset of B's panels
	wsPost  int // workspace: behind the blocks of the epilogue
}

const (
	matDirect = iota
	matLocal
	matShared
)

// An operandMatrix is a batch of matrices in a slot.
type operandMatrix struct {
	slot     int
	off      int
	batch    []int // shape
	strides  []int
	row, col int
}

func newOperandMatrix(o ir.Operand) operandMatrix {
	r := len(o.View.Shape) - 2
	return operandMatrix{
		slot: o.Slot, off: o.View.Offset, batch: o.View.Shape[:r], strides: o.View.Strides[:r],
		row: o.View.Strides[r], col: o.View.Strides[r+1],
	}
}

// at returns matrix i of the batch.
func (o *operandMatrix) at(r *run, i int) matrix {
	off := o.off
	for a := len(o.batch) - 1; a >= 0; a-- {
		off += i % o.batch[a] * o.strides[a]
		i /= o.batch[a]
	}
	return matrix{base: r.slots[o.slot], off: off, row: o.row, col: o.col}
}

func (c *compiler) compileMatMul(in *ir.MatMul) (instr, error) {
	m := &matMulInstr{in: in, dtype: in.DType, batch: product(in.Batch), m: in.M, n: in.N, k: in.K, accSlot: ir.NoSlot}
	m.a, m.b = newOperandMatrix(in.A), newOperandMatrix(in.B)
	m.g = &c.lv.gemm32
	switch in.DType {
	case ir.F64:
		m.g = &c.lv.gemm64
	case ir.F16, ir.BF16:
		m.round = c.lv.kernels.round[in.DType]
	case ir.F32:
	default:
		return nil, errNoKernel
	}
	m.size = phys(in.DType).Size()
	m.accSlot = c.sumSlot(in)
	if !m.trivial() {
		var err error
		shape := concat(in.Batch, []int{in.M, in.N})
		if m.post, err = c.chain(in.Post, in.PostOperands, in.Stores, shape, nil, m.accSlot, 0); err != nil {
			return nil, err
		}
		m.wsPost = (m.post.bytes + align - 1) &^ (align - 1)
	}
	scratch := 0
	if m.accSlot == ir.NoSlot {
		scratch = (m.batch*m.m*m.n*m.size + align - 1) &^ (align - 1)
	}
	m.packB = scratch
	ws := m.wsPost
	m.chooseMode()
	switch m.mode {
	case matDirect:
		ws += blockLen * m.size
	default:
		ws += m.wsTile() + (m.mc+m.g.MR)*min(m.g.KC, max(m.k, 1))*m.size + align
		room := (min(m.g.NC, m.n) + m.g.NR) * min(m.g.KC, max(m.k, 1)) * m.size
		if m.mode == matShared {
			scratch += room
		} else {
			ws += room
		}
	}
	c.space(scratch, ws)
	return m, nil
}

// sumSlot returns a stored slot whose memory can hold the sums.
func (c *compiler) sumSlot(in *ir.MatMul) int {
	if half(in.DType) {
		return ir.NoSlot
	}
next:
	for i, s := range in.Stores {
		if c.p.Slots[s.Slot].DType != in.DType {
			continue
		}
		for _, o := range in.Reads() {
			if c.overlap(o.Slot, s.Slot) {
				continue next
			}
		}
		for j, t := range in.Stores {
			if i != j && c.overlap(t.Slot, s.Slot) {
				continue next
			}
		}
		return s.Slot
	}
	return ir.NoSlot
}

// trivial reports whether the epilogue stores the sums as they are, in place.
func (m *matMulInstr) trivial() bool {
	st := m.in.Stores
	return len(st) == 1 && m.accSlot == st[0].Slot && m.in.Post[st[0].Reg].Op == ir.OpAcc
}

// wsTile is the room of an edge tile, in bytes.
func (m *matMulInstr) wsTile() int { return (m.g.MR*m.g.NR*m.size + align - 1) &^ (align - 1) }

// nsPerMAC estimates the time of a multiplication and addition.
const nsPerMAC = 0.4

func (m *matMulInstr) chooseMode() {
	work := float64(m.m) * float64(m.n) * float64(max(m.k, 1)) * nsPerMAC
	per := func(n int) int { return max(1, int(minTask/max(work/float64(max(n, 1)), 1))) }
	switch {
	case m.round == nil && (m.m < 4 || m.n < 4 || m.m*m.n*m.k <= 4096) || m.k == 0:
		m.mode = matDirect
		m.flip = m.n < 4 && m.m > m.n
		if m.flip {
			m.rows, m.cols = min(m.m, per(m.m), blockLen), m.n
		} else {
			m.cols = min(m.n, blockLen)
			if m.m < 4 { // few rows: tasks share a row
				m.cols = min(m.cols, max(64, per(m.m*m.n)))
			}
			m.rows = min(m.m, per(m.m))
		}
	case work < 8*minTask || m.batch >= fewTasks && work < 64*minTask:
		m.mode = matLocal
		// Each part packs B again: a product makes few.
		parts := int(work/(3*minTask)) + 1
		if m.batch >= fewTasks {
			parts = 1
		}
		m.rows = min(m.m, ((m.m+parts-1)/parts+m.g.MR-1)/m.g.MR*m.g.MR)
		m.mc = min(m.g.MC, m.m)
	default:
		m.mode = matShared
		m.mc = min(m.g.MC, m.m)
		if m.m < 4*m.g.MC { // enough tasks for a few goroutines
			m.mc = max(min(m.m, 4*m.g.MR), (m.m/4+m.g.MR-1)/m.g.MR*m.g.MR)
		}
		m.mc = min(m.mc, m.g.MC)
	}
	if m.mode != matShared {
		m.group = per(m.parts())
	}
}

// parts returns into how many parts a product is cut.
func (m *matMulInstr) parts() int {
	n := (m.m + m.rows - 1) / max(m.rows, 1)
	if m.mode == matDirect && !m.flip {
		n *= (m.n + m.cols - 1) / max(m.cols, 1)
	}
	return n
}

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
	if m.mode != matShared {
		r.phase.kind = matAll
		r.loop(m, (m.batch*m.parts()+m.group-1)/m.group)
		return nil
	}
	g := m.g
	blocks := (m.m + m.mc - 1) / m.mc
	for i := range m.batch {
		for j := 0; j < m.n; j += g.NC {
			for k := 0; k < m.k; k += g.KC {
				r.phase = phase{kind: matPack, a: i, b: j, c: k}
				panels := (min(g.NC, m.n-j) + g.NR - 1) / g.NR
				r.phase.n = max(1, int(minTask/float64(g.NR*min(g.KC, m.k)))) // panels of a task
				r.loop(m, (panels+r.phase.n-1)/r.phase.n)
				r.phase.kind = matMul
				r.loop(m, blocks)
			}
		}
	}
	return nil
}

// sums returns the address of element (row, col) of product i.
func (m *matMulInstr) sums(r *run, i, row, col int) unsafe.Pointer {
	base := r.scratch
	if m.accSlot != ir.NoSlot {
		base = r.slots[m.accSlot]
	}
	return unsafe.Add(base, ((i*m.m+row)*m.n+col)*m.size)
}

func (m *matMulInstr) task(r *run, ws *workspace, t int) {
	switch {
	case m.mode != matShared:
		for p := t * m.group; p < min((t+1)*m.group, m.batch*m.parts()); p++ {
			if m.mode == matDirect {
				m.direct(r, ws, p)
			} else {
				m.local(r, ws, p)
			}
		}
	case r.phase.kind == matPack:
		i, j, k := r.phase.a, r.phase.b, r.phase.c
		nc, kc := min(m.g.NC, m.n-j), min(m.g.KC, m.k-k)
		lo := t * r.phase.n * m.g.NR
		hi := min(lo+r.phase.n*m.g.NR, nc)
		b := m.b.at(r, i)
		m.packBlock(unsafe.Add(r.scratch, m.packB+lo*kc*m.size), matrix{b.base, b.off + k*b.row + (j+lo)*b.col, b.col, b.row}, hi-lo, kc, m.g.NR)
	default:
		i, j, k := r.phase.a, r.phase.b, r.phase.c
		nc, kc := min(m.g.NC, m.n-j), min(m.g.KC, m.k-k)
		x := t * m.mc
		mc := min(m.mc, m.m-x)
		a := m.a.at(r, i)
		tile := ws.at(m.wsPost)
		pa := unsafe.Add(tile, m.wsTile())
		m.packBlock(pa, matrix{a.base, a.off + x*a.row + k*a.col, a.row, a.col}, mc, kc, m.g.MR)
		m.multiply(mc, nc, kc, pa, unsafe.Add(r.scratch, m.packB), m.sums(r, i, x, j), k > 0, tile)
		if k+kc == m.k {
			m.finish(r, ws, i, x, x+mc, j, j+nc)
		}
	}
}

// local packs and multiplies part t.
func (m *matMulInstr) local(r *run, ws *workspace, t int) {
	per := (m.m + m.rows - 1) / m.rows
	i, row := t/per, t%per*m.rows
	end := min(row+m.rows, m.m)
	a, b := m.a.at(r, i), m.b.at(r, i)
	tile := ws.at(m.wsPost)
	pa := unsafe.Add(tile, m.wsTile())
	pb := unsafe.Add(pa, ((m.mc+m.g.MR)*min(m.g.KC, m.k)*m.size+align-1)&^(align-1))
	for j := 0; j < m.n; j += m.g.NC {
		nc := min(m.g.NC, m.n-j)
		for k := 0; k < m.k; k += m.g.KC {
			kc := min(m.g.KC, m.k-k)
			m.packBlock(pb, matrix{b.base, b.off + k*b.row + j*b.col, b.col, b.row}, nc, kc, m.g.NR)
			for x := row; x < end; x += m.mc {
				mc := min(m.mc, end-x)
				m.packBlock(pa, matrix{a.base, a.off + x*a.row + k*a.col, a.row, a.col}, mc, kc, m.g.MR)
				m.multiply(mc, nc, kc, pa, pb, m.sums(r, i, x, j), k > 0, tile)
			}
		}
		m.finish(r, ws, i, row, end, j, j+nc)
	}
}

func (m *matMulInstr) packBlock(dst unsafe.Pointer, x matrix, rows, cols, r int) {
	switch m.dtype {
	case ir.F32:
		pack[float32](dst, x, rows, cols, r)
	case ir.F64:
		pack[float64](dst, x, rows, cols, r)
	case ir.F16:
		packHalf(dst, x, rows, cols, r, ir.F16ToFloat32)
	case ir.BF16:
		packHalf(dst, x, rows, cols, r, ir.BF16ToFloat32)
	}
}

func (m *matMulInstr) multiply(mc, nc, kc int, a, b, c unsafe.Pointer, add bool, tile unsafe.Pointer) {
	if m.size == 8 {
		macro[float64](m.g, mc, nc, kc, a, b, c, m.n, add, tile)
		return
	}
	macro[float32](m.g, mc, nc, kc, a, b, c, m.n, add, tile)
}

// direct computes part t without packing.
func (m *matMulInstr) direct(r *run, ws *workspace, t int) {
	across := 1
	if !m.flip {
		across = (m.n + m.cols - 1) / m.cols
	}
	down := (m.m + m.rows - 1) / m.rows
	col := t % across * m.cols
	row := t / across % down * m.rows
	i := t / across / down
	rows, cols := min(m.rows, m.m-row), min(m.cols, m.n-col)
	a, b := m.a.at(r, i), m.b.at(r, i)
	acc := ws.at(m.wsPost)
	switch {
	case m.k == 0:
		for y := range rows {
			clear(slice[byte](m.sums(r, i, row+y, col), cols*m.size))
		}
	case m.flip: // y[m] = Σ_k B[k, n]·Aᵀ[k, m]
		for n := range cols {
			x := unsafe.Add(b.base, (b.off+n*b.col)*m.size)
			m.vector(m.sums(r, i, row, n), m.n, x, b.row, matrix{a.base, a.off + row*a.row, a.col, a.row}, rows, acc)
		}
	default:
		for y := range rows {
			x := unsafe.Add(a.base, (a.off+(row+y)*a.row)*m.size)
			m.vector(m.sums(r, i, row+y, col), 1, x, a.col, matrix{b.base, b.off + col*b.col, b.row, b.col}, cols, acc)
		}
	}
	m.finish(r, ws, i, row, row+rows, col, col+cols)
}

func (m *matMulInstr) vector(y unsafe.Pointer, ldy int, x unsafe.Pointer, ldx int, b matrix, cols int, acc unsafe.Pointer) {
	if m.size == 8 {
		vecMat[float64](y, ldy, x, ldx, b, cols, m.k, m.g.KC, acc)
		return
	}
	vecMat[float32](y, ldy, x, ldx, b, cols, m.k, m.g.KC, acc)
}

// finish runs the epilogue over rows [r0, r1) and columns [c0, c1) of product
// i, whose sums are complete.
func (m *matMulInstr) finish(r *run, ws *workspace, i, r0, r1, c0, c1 int) {
	if m.post == nil {
		return
	}
	m.post.begin(r, ws)
	if c0 == 0 && c1 == m.n { // the rows are one run of positions
		m.segment(r, ws, (i*m.m+r0)*m.n, (i*m.m+r1)*m.n)
		return
	}
	for row := r0; row < r1; row++ {
		m.segment(r, ws, (i*m.m+row)*m.n+c0, (i*m.m+row)*m.n+c1)
	}
}

func (m *matMulInstr) segment(r *run, ws *workspace, pos, end int) {
	base := m.sums(r, 0, 0, 0)
	for ; pos < end; pos += blockLen {
		n := min(blockLen, end-pos)
		acc := unsafe.Add(base, pos*m.size)
		if m.round != nil {
			m.round(acc, acc, nil, nil, n)
		}
		m.post.exec(r, ws, pos, n, acc)
	}
}
