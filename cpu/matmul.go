package cpu

import (
	"unsafe"

	"github.com/fornax-ml/fornax/tensor/ir"
)

// A matMulInstr multiplies matrices, in one of three ways that give equal bits:
//
//   - vector: few rows, with the rows of B contiguous, or its columns. A task
//     takes some columns and adds one row of B after the other, or reads
//     columns side by side.
//   - local: a task computes some rows and columns of one product by itself. It
//     packs what the micro-kernels cannot read where it is.
//   - shared: for large matrices and several goroutines. Blocks of A and B are
//     packed once, by all, and a task then multiplies some rows of A with some
//     columns of B.
//
// A matrix times a column is computed as a row times a matrix.
//
// Sums go to memory of the result where that has the accumulators' dtype and
// nothing else, else to a panel of rows in the workspace where K is one piece, and
// else to scratch. The epilogue runs over a panel's rows when their sums are
// complete, and takes them from the cache.
type matMulInstr struct {
	in      *ir.MatMul
	dtype   ir.DType // of A and B
	size    int      // of an accumulator
	batch   int
	m, n, k int
	a, b    operandMatrix
	accSlot int    // where the sums go, or NoSlot: scratch, or a panel
	panel   bool   // sums go to the workspace, a panel of rows at a time
	offSums int    // byte in the scratch or the workspace
	post    *chain // nil: the sums are the result
	round   kernel // F16 and BF16: of the accumulators
	widen   kernel // and of what is packed; nil: that is packed as it is
	offWide int    // workspace: a panel of widened rows
	g       *gemmKernel
	mode    int
	kc      int     // depth of the pieces
	work    float64 // of a product, in estimated nanoseconds
	cost    float64 // with the epilogue
	nc, mc  int     // local, shared: columns of B and rows of A that are packed at a time
	dots    bool    // vector: the columns of B are contiguous, not its rows
	packA   bool
	packB   bool // local: else B is read where it is
	offA    int  // packed A: byte in the scratch (shared) or the workspace (local)
	offB    int
	wsPost  int // workspace: behind the blocks of the epilogue
	postLen int // positions that the epilogue takes at a time
}

const (
	matVector = iota
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

// t returns the transposes.
func (o operandMatrix) t() operandMatrix {
	o.row, o.col = o.col, o.row
	return o
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
		m.round, m.widen = c.lv.kernels.round[in.DType], c.lv.kernels.widen[in.DType]
		if in.DType == ir.BF16 && c.lv.gemmBF16 != nil {
			m.g, m.widen = c.lv.gemmBF16, nil
		}
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
		m.wsPost, m.postLen = (m.post.bytes+align-1)&^(align-1), m.post.length()
	}
	c.space(m.plan(m.wsPost, c.exe.dev.crew.width()))
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

// Shared blocks hold at most this many rows of A and columns of B.
const (
	sharedRows = 3072
	sharedCols = 6144
	fewRows    = 3    // of the vector mode
	vectorCols = 4096 // there, columns of a task at most: sums stay in the first-level cache
	vectorNS   = 0.05 // and nanoseconds of a multiplication and addition
)

// plan chooses the way and the block sizes for so many goroutines; others can run
// it, too. It returns the bytes of scratch and workspace that are needed; of the
// latter the given ones are taken.
func (m *matMulInstr) plan(taken, width int) (scratch, ws int) {
	ws = taken
	if m.n == 1 && m.m > 1 {
		m.a, m.b = m.b, m.a
		m.a.row, m.a.col, m.b.row, m.b.col = m.a.col, m.a.row, m.b.col, m.b.row
		m.m, m.n = 1, m.m
	}
	g := m.g
	m.kc = g.piece(m.k)
	ns := g.ns
	if m.m <= fewRows {
		ns = max(ns, vectorNS) // the memory's speed, not the arithmetic's
	}
	m.work = float64(m.m) * float64(m.n) * float64(max(m.k, 1)) * ns
	if m.cost = m.work; m.post != nil {
		m.cost += m.post.cost * float64(m.m) * float64(m.n)
	}
	panel := func(rows, w int) int { return (rows + w - 1) / w * w * g.depth(m.kc) * m.size }
	direct := m.round == nil && (m.b.col == 1 || m.n == 1)
	m.dots = !direct && m.round == nil && m.b.row == 1 && g.dot != nil && m.k >= dotDepth
	switch {
	case m.k == 0 || (direct || m.dots) && m.m <= fewRows:
		m.mode = matVector
		m.offA = ws
		ws += min(m.n, vectorCols) * m.size
		if m.dots {
			m.offB = ws
			ws += int(unsafe.Sizeof(dotBlock{}))
		}
	case width == 1 || m.m <= 2*g.MR || m.work < sharedWork || m.batch >= fewTasks && m.work < 8*sharedWork:
		m.mode = matLocal
		m.packA = m.round != nil || m.scattered(m.a) && m.n >= 4*g.NR
		m.packB = !direct || m.m > unpackedRows*g.MR || m.scattered(m.b.t()) && m.m > 4*g.MR
		m.nc, m.mc = min(max(g.NC, min(2*g.NC, g.NC*g.KC/m.kc/g.NR*g.NR)), m.n), m.m // shallow blocks are wider
		if m.packB {
			m.offB = ws
			ws += (panel(m.nc, g.NR) + align - 1) &^ (align - 1)
		}
		if m.packA {
			m.mc = min(packPanels*g.MR, m.m)
			m.offA = ws
			ws += panel(m.mc+g.MR, g.MR) // one panel more: two may be evened out
		}
		ws += align
	default:
		m.mode = matShared
		m.packA, m.packB = true, true
		m.nc, m.mc = g.NC, g.MC
		if nb := min(m.n, sharedCols); nb > g.NC {
			blocks := (nb + g.NC - 1) / g.NC
			m.nc = ((nb+blocks-1)/blocks + g.NR - 1) / g.NR * g.NR
		}
		tiles := (min(m.m, sharedRows) + m.mc - 1) / m.mc
		for tiles*((min(m.n, sharedCols)+m.nc-1)/m.nc) < fewTasks && m.nc > 4*g.NR {
			m.nc = (m.nc/2 + g.NR - 1) / g.NR * g.NR
		}
		m.offB = m.offA + (panel(min(m.m, sharedRows), g.MR)+align-1)&^(align-1)
		scratch = (m.offB + panel(min(m.n, sharedCols), g.NR) + 2*align - 1) &^ (align - 1)
	}
	if m.widen != nil {
		m.offWide = (ws + align - 1) &^ (align - 1)
		ws = m.offWide + max(g.MR, g.NR)*m.kc*m.size
	}
	switch {
	case m.accSlot != ir.NoSlot:
	case m.mode != matVector && m.kc >= m.k:
		m.panel, m.offSums = true, (ws+align-1)&^(align-1)
		ws = m.offSums + g.MR*m.nc*m.size
	default:
		m.offSums = scratch
		scratch += m.batch * m.m * m.n * m.size
	}
	return scratch, ws
}

// sharedWork is the estimated work, in nanoseconds, from which a product is
// worth packing together; unpackedRows the number of row panels up to which B is
// read where it is.
const (
	sharedWork   = 60 * minTask
	unpackedRows = 12
)

// scattered reports whether a panel of rows of x, as the micro-kernels read it,
// would not stay in the first-level cache: because each column is a line of
// its own, or because the rows are a power of 2 apart and compete for a few sets.
func (m *matMulInstr) scattered(x operandMatrix) bool {
	const line, page = 64, 4096
	if m.kc < 2*line {
		return false
	}
	if x.row == 1 {
		return x.col*m.size >= line
	}
	return x.row*m.size%(page/2) == 0
}

// cut returns the rows and columns of a part of a product in the vector and the
// local mode, and how many parts a task has, for a number of goroutines: tasks
// are worth handing over, and as many for all where there are few.
func (m *matMulInstr) cut(width int) (rows, cols, group int) {
	rows, cols, group = m.m, m.n, m.batch
	if m.mode == matVector {
		cols = min(cols, vectorCols)
	}
	tasks := min(int(float64(m.batch)*m.cost/minTask), 4*width)
	if width == 1 || tasks <= 1 {
		return rows, cols, group * m.parts(rows, cols)
	}
	if tasks > width {
		tasks -= tasks % width
	}
	if m.batch >= tasks {
		return rows, cols, max(1, m.batch/tasks) * m.parts(rows, cols)
	}
	parts := (tasks + m.batch - 1) / m.batch
	round := func(n, to int) int { return ((n+parts-1)/parts + to - 1) / to * to }
	switch {
	case m.mode == matVector:
		cols = min(cols, max(64, round(m.n, dotColumns)))
	case m.post != nil && m.m >= 4*m.g.MR*parts: // the epilogue has whole rows
		rows = min(rows, round(m.m, m.g.MR))
	case m.n >= m.m/2 && m.n >= 2*m.g.NR: // no panel of B is packed twice
		if m.packA {
			parts = min(parts, 2*width) // but all of A by each part
		}
		cols = min(cols, round(m.n, m.g.NR))
	default:
		rows = min(rows, round(m.m, m.g.MR))
	}
	return rows, cols, 1
}

// parts returns the number of parts of rows and columns of a product.
func (m *matMulInstr) parts(rows, cols int) int {
	return (m.m + rows - 1) / rows * ((m.n + cols - 1) / cols)
}

// tasks returns the number of tasks of the vector and the local mode.
func (m *matMulInstr) tasks(width int) int {
	rows, cols, group := m.cut(width)
	return (m.batch*m.parts(rows, cols) + group - 1) / group
}

// sums returns the address of element (row, col) of product i.
func (m *matMulInstr) sums(r *run, i, row, col int) unsafe.Pointer {
	base := unsafe.Add(r.scratch, m.offSums)
	if m.accSlot != ir.NoSlot {
		base = r.slots[m.accSlot]
	}
	return unsafe.Add(base, ((i*m.m+row)*m.n+col)*m.size)
}

// finish runs the epilogue over rows [r0, r1) and columns [c0, c1) of product i,
// whose sums are complete: at acc, rows ldc bytes apart.
func (m *matMulInstr) finish(r *run, ws *workspace, i, r0, r1, c0, c1 int, acc unsafe.Pointer, ldc int) {
	if m.post == nil {
		return
	}
	m.post.begin(r, ws)
	rows, cols := r1-r0, c1-c0
	if ldc == cols*m.size && cols == m.n { // the rows are one run of positions
		rows, cols = 1, rows*cols
	}
	for y := range rows {
		pos := (i*m.m+r0+y)*m.n + c0
		row := unsafe.Add(acc, y*ldc)
		for x := 0; x < cols; x += m.postLen {
			n, at := min(m.postLen, cols-x), unsafe.Add(row, x*m.size)
			if m.round != nil {
				m.round(at, at, nil, nil, n)
			}
			m.post.exec(r, ws, pos+x, n, at)
		}
	}
}

// estimate implements small.
func (m *matMulInstr) estimate() (ns float64, alone bool) {
	return float64(m.batch) * m.cost, m.mode == matShared || m.accSlot == ir.NoSlot && !m.panel
}
