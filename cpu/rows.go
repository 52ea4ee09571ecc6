package cpu

import (
	"unsafe"

	"github.com/fornax-ml/fornax/tensor/ir"
)

// A rowGroup runs several instructions row by row: softmax, norms and the like,
// whose reductions and maps all go along the same rows. A task takes a block of
// rows that stays in the cache through all of them, so that memory is read and
// written once, and what only the group needs is never in memory at all: it is in
// the workspace.
//
// The instructions see a block as if it were all: the run that they get has the
// slots' addresses moved to the block's first row, and a reduction folds each row
// by itself, as it does without the group. Bits do not change.
type rowGroup struct {
	instrs []rowInstr
	widths []int // positions of each instruction in a row
	rows   int
	slots  []rowSlot
	block  int     // rows that go through all instructions at a time
	buffer int     // bytes of the workspace for such a block
	cost   float64 // nanoseconds a row
}

// A rowInstr is an instruction that a group may run.
type rowInstr interface {
	instr
	// prepare computes what is the same at all positions.
	prepare(r *run)
	// runRows runs the first n rows of the slots of r, width positions each.
	runRows(r *run, ws *workspace, n, width int)
}

// A rowSlot is where a group's slot is.
type rowSlot struct {
	slot int
	step int  // bytes between rows; 0: all rows have the same
	buf  int  // where a block of rows is in the workspace, or -1: in memory
	made bool // the group writes it
	far  bool // something reads other rows than the one at hand
}

// Bytes of all slots for a block of rows, so that it stays in the second-level
// cache, and the largest buffers that a group may want.
const (
	rowBlockBytes  = 256 << 10
	rowBufferBytes = 4 << 20
)

// rowGroupAt returns the group that starts with instruction i and how many it
// takes, or nil. The first reduction says what the rows are.
func (c *compiler) rowGroupAt(instrs []instr, i int) (*rowGroup, int) {
	rows := 0
	for j := i; j < len(instrs) && rows == 0; j++ {
		switch m := instrs[j].(type) {
		case *mapInstr:
		case *reduceInstr:
			rows = m.outer
		default:
			return nil, 0
		}
	}
	if rows < 2 {
		return nil, 0
	}
	b := &rowBuilder{c: c, g: &rowGroup{rows: rows}, at: map[int]int{}}
	n, reduced := 0, false
	for ; i+n < len(instrs) && b.add(instrs[i+n], c.p.Instrs[i+n]); n++ {
		_, is := instrs[i+n].(*reduceInstr)
		reduced = reduced || is
	}
	if n < 2 || !reduced {
		return nil, 0
	}
	if !b.place(i, i+n) {
		return nil, 0
	}
	return b.g, n
}

type rowBuilder struct {
	c  *compiler
	g  *rowGroup
	at map[int]int // index in g.slots
}

// add takes one more instruction into the group, where its rows are the group's.
func (b *rowBuilder) add(k instr, in ir.Instr) bool {
	rows := b.g.rows
	old := append([]rowSlot(nil), b.g.slots...)
	width, cost, ok := 0, 0.0, false // cost: of a row
	switch m := k.(type) {
	case *mapInstr:
		in := in.(*ir.Map)
		width = m.ch.size / rows
		cost = m.ch.cost * float64(width)
		ok = m.tiles == nil && m.ch.size > 0 && m.ch.size%rows == 0 && b.reads(in.Chain, in.Operands, width) && b.writes(in.Stores, width)
	case *reduceInstr:
		in := in.(*ir.Reduce)
		width, cost = m.inner, m.cost
		ok = m.outer == rows && !m.columns && m.chunks == 1 && m.inner > 0 &&
			b.reads(in.Pre, in.Operands, width) && b.reads(in.Post, in.PostOperands, 1) && b.writes(in.Stores, 1)
	}
	if !ok {
		b.g.slots = old
		for s, k := range b.at {
			if k >= len(old) {
				delete(b.at, s)
			}
		}
		return false
	}
	b.g.instrs, b.g.widths = append(b.g.instrs, k.(rowInstr)), append(b.g.widths, width)
	b.g.cost += cost
	return true
}

// reads reports whether the operands of a chain read the row at hand and nothing
// else of what the group makes, and notes their slots.
func (b *rowBuilder) reads(chain ir.Chain, ops []ir.Operand, width int) bool {
	for _, s := range chain {
		if s.Op != ir.OpLoad && s.Op != ir.OpIndex {
			continue
		}
		o := ops[s.K]
		v := b.c.viewReader(o)
		step, ok := v.rowStep(width)
		if !ok || o.Slot == ir.NoSlot && step != 0 || s.Op == ir.OpIndex && step != 0 {
			return false
		}
		if s.Op == ir.OpIndex {
			continue
		}
		x, old := b.slot(o.Slot, step*s.DType.Size())
		if old && x.step != step*s.DType.Size() {
			return false
		}
		if lo, hi := v.rowSpan(width); lo < 0 || hi >= step {
			x.far = true
		}
		if x.far && x.made {
			return false
		}
	}
	return true
}

// writes notes the slots of stores.
func (b *rowBuilder) writes(stores []ir.Store, width int) bool {
	for _, s := range stores {
		step := width * b.c.p.Slots[s.Slot].DType.Size()
		x, old := b.slot(s.Slot, step)
		if old && (x.step != step || x.far) {
			return false
		}
		x.made = true
	}
	return true
}

// slot returns the group's entry of a slot and whether there was one.
func (b *rowBuilder) slot(slot, step int) (x *rowSlot, old bool) {
	k, old := b.at[slot]
	if !old {
		k = len(b.g.slots)
		b.at[slot] = k
		b.g.slots = append(b.g.slots, rowSlot{slot: slot, step: step, buf: -1})
	}
	return &b.g.slots[k], old
}

// place decides which slots need no memory, chooses the block, and reports whether
// the others may be worked on row by row: where two share memory, their rows do.
// The group has instructions [from, to).
func (b *rowBuilder) place(from, to int) bool {
	c, g := b.c, b.g
	outside := map[int]bool{}
	for i, in := range c.p.Instrs {
		if i < from || i >= to {
			for _, o := range in.Reads() {
				outside[o.Slot] = true
			}
		}
	}
	bytes, inner := 0, 0
	for i := range g.slots {
		x := &g.slots[i]
		bytes += x.step
		if x.made && c.p.Slots[x.slot].Kind == ir.Temp && !outside[x.slot] {
			x.buf = 0
			inner += x.step + align
		}
	}
	if inner > rowBufferBytes {
		return false
	}
	for i, x := range g.slots {
		for j, y := range g.slots {
			if i != j && y.made && x.buf < 0 && y.buf < 0 && c.overlap(x.slot, y.slot) &&
				(x.far || x.step != y.step || c.p.Slots[x.slot].Offset != c.p.Slots[y.slot].Offset) {
				return false
			}
		}
	}
	g.block = min(max(1, rowBlockBytes/max(bytes, 1)), g.rows)
	for i := range g.slots {
		if x := &g.slots[i]; x.buf == 0 {
			x.buf = g.buffer
			g.buffer += (x.step*g.block + align - 1) &^ (align - 1)
		}
	}
	for _, k := range g.instrs {
		if m, ok := k.(*mapInstr); ok {
			m.keep(g.slots)
		}
	}
	c.rowBuffer = max(c.rowBuffer, g.buffer)
	return true
}

// keep makes the stores to slots that are in the workspace stay in the cache.
func (m *mapInstr) keep(slots []rowSlot) {
	for _, s := range slots {
		if s.buf >= 0 {
			m.stream = m.ch.keep(s.slot) && m.stream
		}
	}
}

// rowStep returns how far the elements of a row of width positions lie from those
// of the row before; ok is false where that is not the same for all rows.
func (v *viewReader) rowStep(width int) (step int, ok bool) {
	if v.lo != nil || v.empty {
		return 0, false
	}
	inner, a := 1, len(v.shape)-1
	for ; a >= 0 && inner*v.shape[a] <= width; a-- {
		inner *= v.shape[a]
	}
	switch {
	case a < 0:
		return 0, len(v.shape) == 0 || inner == width // one element, or one row
	case a > 0 || width%inner != 0 || v.shape[0]%(width/inner) != 0:
		return 0, false
	}
	return width / inner * v.strides[0], true
}

// rowSpan returns the lowest and the highest element that the first row reads.
func (v *viewReader) rowSpan(width int) (lo, hi int) {
	lo, hi = v.off, v.off
	left := width
	for a := len(v.shape) - 1; a >= 0 && left > 1; a-- {
		n := min(v.shape[a], left)
		left /= n
		if far := (n - 1) * v.strides[a]; far > 0 {
			hi += far
		} else {
			lo += far
		}
	}
	return lo, hi
}

// estimate implements small.
func (g *rowGroup) estimate() (ns float64, alone bool) { return g.cost * float64(g.rows), false }

func (g *rowGroup) run(r *run) error {
	for _, k := range g.instrs {
		k.prepare(r)
	}
	per := max(g.rows/(4*r.width), int(minTask/max(g.cost, 1))) + 1 // rows of a task
	r.phase.n = (per + g.block - 1) / g.block * g.block
	if per < g.block {
		r.phase.n = per
	}
	r.loop(g, (g.rows+r.phase.n-1)/r.phase.n)
	return nil
}

func (g *rowGroup) task(r *run, ws *workspace, i int) {
	part := r.part(&ws.rows, ws)
	end := min((i+1)*r.phase.n, g.rows)
	for first := i * r.phase.n; first < end; first += g.block {
		for _, s := range g.slots {
			if s.buf >= 0 {
				part.slots[s.slot] = ws.at(r.exe.rowsAt + s.buf)
			} else {
				part.slots[s.slot] = unsafe.Add(r.slots[s.slot], first*s.step)
			}
		}
		for k, in := range g.instrs {
			in.runRows(part, ws, min(g.block, end-first), g.widths[k])
		}
	}
	part.drop()
}
