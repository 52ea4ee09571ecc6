package cpu

import (
	"unsafe"

	"github.com/fornax-ml/fornax/tensor/ir"
)

// A reduceInstr reduces by rows or by columns.
//
// By rows, a task takes some outer positions and runs the first chain along
// the inner axes. By columns, where memory is contiguous along the outer axes,
// the loops change places: a task takes a block of outer positions and adds one
// inner position after the other to a block of accumulators.
//
// Where there are few outer positions the inner axes are cut into chunks of a
// size that depends on the shapes only; each leaves its state in the run's
// scratch, and a second loop puts the states together in order.
type reduceInstr struct {
	pre, post    *chain
	reg          int
	outer, inner int
	columns      bool
	cols         int     // by columns: outer positions of a task
	chunks       int     // of the inner axes
	chunk        int     // inner positions of a chunk
	rows         int     // by rows: outer positions of a task
	cost         float64 // of an outer position, in estimated nanoseconds, without the second chain
	fold         folder
	accOff       int // workspace: finished accumulators, then states
	stateOff     int
	vecOff       int // columns' accumulators
	accSize      int
	identity     uint64
}

// Inner chunks: no shorter than minChunk positions (counting all outer ones),
// and no more than make maxChunks tasks.
const (
	minChunk  = 1 << 17
	maxChunks = 64
	fewTasks  = 16
)

func (c *compiler) compileReduce(in *ir.Reduce) (instr, error) {
	m := &reduceInstr{reg: in.Reg, outer: product(in.Outer), inner: product(in.Inner)}
	result := in.Op.ResultType(in.DType)
	m.identity = registerBits(result, ir.Identity(in.Op, in.DType))
	m.accSize = phys(result).Size()
	m.fold = newFolder(c.lv, in.Op, phys(in.DType), result)
	if m.fold == nil {
		return nil, errNoKernel
	}
	// Workspace: accumulators of a block, states of a block, vectors of a
	// block, then the blocks of a chain.
	m.accOff = 0
	m.stateOff = 8 * blockLen
	m.vecOff = m.stateOff + int(unsafe.Sizeof(state{}))*blockLen
	blocks := m.vecOff + m.fold.vectors(blockLen)

	m.columns = columnsAreBetter(in, m.outer, m.inner)
	ops, shape := in.Operands, concat(in.Outer, in.Inner)
	if m.columns {
		perm := make([]int, len(shape))
		for a := range perm {
			perm[a] = (a + len(in.Outer)) % len(shape)
		}
		ops = make([]ir.Operand, len(in.Operands))
		for i, o := range in.Operands {
			ops[i] = o
			ops[i].View = o.View.Permute(perm)
		}
		shape = concat(in.Inner, in.Outer)
	}
	var err error
	if m.pre, err = c.chain(in.Pre, ops, nil, shape, []int{in.Reg}, ir.NoSlot, blocks); err != nil {
		return nil, err
	}
	if m.post, err = c.chain(in.Post, in.PostOperands, in.Stores, in.Outer, nil, ir.NoSlot, blocks); err != nil {
		return nil, err
	}
	if m.outer == 0 || m.inner == 0 {
		c.space(0, blocks)
		return m, nil
	}
	tasks := m.outer
	if m.columns {
		m.cols = min(m.outer, blockLen)
		tasks = (m.outer + m.cols - 1) / m.cols
	}
	m.chunks, m.chunk = 1, m.inner
	if tasks < fewTasks {
		most := min(maxChunks/tasks, m.outer*m.inner/minChunk)
		if most > 1 && m.inner > 1 {
			m.chunk = (m.inner + most - 1) / most
			if !m.columns {
				m.chunk = (m.chunk + blockLen - 1) / blockLen * blockLen
			}
			m.chunks = (m.inner + m.chunk - 1) / m.chunk
		}
	}
	m.cost = (m.pre.cost + c.lv.foldCost()) * float64(m.inner)
	m.rows = max(1, min(blockLen, int(minTask/m.cost)+1))
	if m.chunks > 1 {
		m.rows = 1
		c.space(m.chunks*m.outer*int(unsafe.Sizeof(state{})), blocks)
	} else {
		c.space(0, blocks)
	}
	return m, nil
}

// columnsAreBetter decides the loop order from the strides: the innermost
// loop should walk along memory.
func columnsAreBetter(in *ir.Reduce, outer, inner int) bool {
	if outer < 4 || inner < 2 {
		return inner == 1
	}
	byRow, byCol := 0, 0
	for _, s := range in.Pre {
		if s.Op != ir.OpLoad {
			continue
		}
		v := in.Operands[s.K].View
		r, rn := lastStride(v, len(in.Outer), len(v.Shape))
		c, cn := lastStride(v, 0, len(in.Outer))
		switch {
		case r == 1 && c != 1:
			byRow += rn
		case c == 1 && r != 1:
			byCol += cn
		}
	}
	return byCol > byRow
}

// lastStride returns the stride and length of the innermost axis in [from, to)
// that is longer than 1.
func lastStride(v ir.View, from, to int) (stride, n int) {
	for a := to - 1; a >= from; a-- {
		if v.Shape[a] > 1 {
			return v.Strides[a], v.Shape[a]
		}
	}
	return 0, 1
}

// The loops of a reduction.
const (
	reduceAll = iota
	reduceMerge
	reduceEmpty
)

func (m *reduceInstr) run(r *run) error {
	if m.outer == 0 {
		return nil
	}
	m.prepare(r)
	if m.inner == 0 {
		r.phase.kind = reduceEmpty
		r.loop(m, (m.outer+blockLen-1)/blockLen)
		return nil
	}
	r.phase.kind = reduceAll
	r.loop(m, m.tasks()*m.chunks)
	if m.chunks > 1 {
		r.phase.kind = reduceMerge
		r.loop(m, (m.outer+blockLen-1)/blockLen)
	}
	return nil
}

// estimate implements small.
func (m *reduceInstr) estimate() (ns float64, alone bool) {
	return (m.cost + m.post.cost) * float64(m.outer), m.chunks > 1
}

// prepare implements rowInstr.
func (m *reduceInstr) prepare(r *run) {
	m.post.prepare(r)
	if m.inner > 0 {
		m.pre.prepare(r)
	}
}

// runRows implements rowInstr; the instruction is by rows, and not in chunks.
func (m *reduceInstr) runRows(r *run, ws *workspace, n, _ int) {
	for lo := 0; lo < n; lo += m.rows {
		m.whole(r, ws, lo, min(m.rows, n-lo))
	}
}

// whole folds all inner positions of outer positions [lo, lo+n) and finishes.
func (m *reduceInstr) whole(r *run, ws *workspace, lo, n int) {
	st := m.states(r, ws, lo, n, 0, m.inner)
	acc := ws.at(m.accOff)
	m.fold.finish(acc, st)
	m.post.begin(r, ws)
	m.post.exec(r, ws, lo, n, acc)
}

// states folds inner positions [from, to) of outer positions [lo, lo+n).
func (m *reduceInstr) states(r *run, ws *workspace, lo, n, from, to int) []state {
	st := slice[state](ws.at(m.stateOff), n)
	m.pre.begin(r, ws)
	if m.columns {
		m.column(r, ws, st, lo, n, from, to)
	} else {
		m.row(r, ws, st, lo, n, from, to)
	}
	return st
}

// tasks returns how many parts the outer positions make.
func (m *reduceInstr) tasks() int {
	if m.columns {
		return (m.outer + m.cols - 1) / m.cols
	}
	return (m.outer + m.rows - 1) / m.rows
}

func (m *reduceInstr) task(r *run, ws *workspace, i int) {
	acc := ws.at(m.accOff)
	if r.phase.kind != reduceAll {
		lo := i * blockLen
		n := min(blockLen, m.outer-lo)
		if r.phase.kind == reduceEmpty {
			putElem(acc, m.accSize, m.identity)
			spread(acc, m.accSize, n)
		} else {
			all := slice[state](r.scratch, m.chunks*m.outer)
			st := slice[state](ws.at(m.stateOff), n)
			copy(st, all[lo:])
			for k := 1; k < m.chunks; k++ {
				for j := range st {
					m.fold.merge(&st[j], &all[k*m.outer+lo+j])
				}
			}
			m.fold.finish(acc, st)
		}
		m.post.begin(r, ws)
		m.post.exec(r, ws, lo, n, acc)
		return
	}
	part, k := i/m.chunks, i%m.chunks
	per := m.rows
	if m.columns {
		per = m.cols
	}
	lo := part * per
	n := min(per, m.outer-lo)
	if m.chunks == 1 {
		m.whole(r, ws, lo, n)
		return
	}
	all := slice[state](r.scratch, m.chunks*m.outer)
	copy(all[k*m.outer+lo:], m.states(r, ws, lo, n, k*m.chunk, min((k+1)*m.chunk, m.inner)))
}

// row folds inner positions [from, to) of outer positions [lo, lo+n).
func (m *reduceInstr) row(r *run, ws *workspace, st []state, lo, n, from, to int) {
	m.fold.start(st)
	if m.inner <= blockLen/2 { // several rows to a block; from is 0
		most := blockLen / m.inner
		if most > 16 {
			most &^= 15 // for the kernels that transpose
		}
		vec := ws.at(m.vecOff)
		for o := 0; o < n; o += most {
			k := min(most, n-o)
			m.pre.exec(r, ws, (lo+o)*m.inner, k*m.inner, nil)
			x := ws.ptrs[m.reg]
			if m.pre.regOff[m.reg] >= 0 { // one value, for as many as a block has
				for j := range k {
					m.fold.row(&st[o+j], x, m.inner, 0)
				}
				continue
			}
			m.fold.rows(st[o:o+k], vec, x, m.inner)
		}
		return
	}
	if x, stride := m.pre.inMemory(r, m.reg, lo*m.inner+from, m.inner); x != nil {
		for o := range n {
			m.fold.row(&st[o], unsafe.Add(x, o*stride), to-from, from)
		}
		return
	}
	for o := range n {
		for i := from; i < to; i += blockLen {
			k := min(blockLen, to-i)
			m.pre.exec(r, ws, (lo+o)*m.inner+i, k, nil)
			m.fold.row(&st[o], ws.ptrs[m.reg], k, i)
		}
	}
}

// column folds inner positions [from, to) of outer positions [lo, lo+n),
// along the outer ones.
func (m *reduceInstr) column(r *run, ws *workspace, st []state, lo, n, from, to int) {
	vec := ws.at(m.vecOff)
	size := m.pre.regSize[m.reg]
	m.fold.startColumns(vec, n)
	if x, stride := m.pre.inMemory(r, m.reg, from*m.outer+lo, m.outer); x != nil {
		m.fold.columns(vec, x, n, to-from, stride, 0, from)
		m.fold.endColumns(st, vec, n)
		return
	}
	most := 1
	if n == m.outer {
		most = max(1, blockLen/n) // several inner positions to a block
	}
	step := n * size
	if m.pre.regOff[m.reg] >= 0 {
		step = 0
	}
	for i := from; i < to; i += most {
		k := min(most, to-i)
		m.pre.exec(r, ws, i*m.outer+lo, k*n, nil)
		m.fold.columns(vec, ws.ptrs[m.reg], n, k, step, i-from, i)
	}
	m.fold.endColumns(st, vec, n)
}

// inMemory returns where register reg is at position pos, and the bytes between
// positions that are width apart, where all that the chain does is to read it
// from memory whose rows of width elements lie so; else nil. The rest of pos's row
// follows it.
func (ch *chain) inMemory(r *run, reg, pos, width int) (unsafe.Pointer, int) {
	if len(ch.steps) != 1 || ch.steps[0].reg != reg || ch.steps[0].fn != nil {
		return nil, 0
	}
	s := &ch.steps[0]
	switch v := s.view; {
	case s.kind == stepMem && s.block < 0:
		return unsafe.Add(r.slots[s.slot], s.off+pos*s.size), width * s.size
	case s.kind == stepView && v.lo == nil && !v.empty && len(v.shape) == 2 && v.shape[1] == width && v.strides[1] == 1:
		return unsafe.Add(r.slots[s.slot], v.place(pos)*s.size), v.strides[0] * s.size
	}
	return nil, 0
}
