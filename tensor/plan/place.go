package plan

import (
	"slices"

	"github.com/fornax-ml/fornax/tensor/ir"
)

// place lets outputs take over donated inputs, lets instructions write in
// place, and gives temporaries offsets in the arena.
func place(p *ir.Program, g *Graph, lim ir.Limits) {
	l := newLifetimes(p)
	l.alias(g)
	l.arena(lim.Align)
}

// lifetimes tells where slots are written and read; instructions count from
// 0, -1 is never.
type lifetimes struct {
	p       *ir.Program
	written []int
	read    []int  // last
	exact   []bool // the last reader reads position p only before it writes position p
}

func newLifetimes(p *ir.Program) *lifetimes {
	n := len(p.Slots)
	l := &lifetimes{p: p, written: make([]int, n), read: make([]int, n), exact: make([]bool, n)}
	for s := range p.Slots {
		l.written[s], l.read[s] = -1, -1
	}
	for i, in := range p.Instrs {
		for _, o := range in.Reads() {
			l.read[o.Slot], l.exact[o.Slot] = i, true
		}
		for _, o := range in.Reads() {
			if !o.View.IsContiguous() || ir.Size(o.View.Shape) != p.Slots[o.Slot].Len {
				l.exact[o.Slot] = false
			}
		}
		for _, o := range scattered(in) {
			l.exact[o.Slot] = false
		}
		for _, s := range in.Writes() {
			l.written[s] = i
		}
	}
	return l
}

// scattered returns the operands that an instruction reads at other positions
// than it writes.
func scattered(in ir.Instr) []ir.Operand {
	switch x := in.(type) {
	case *ir.Map:
		return nil
	case *ir.Reduce:
		return slices.DeleteFunc(slices.Clone(x.Operands), func(o ir.Operand) bool { return o.Slot == ir.NoSlot })
	case *ir.MatMul:
		return []ir.Operand{x.A, x.B}
	case *ir.ScatterAdd:
		return []ir.Operand{x.Index, x.Updates}
	}
	return in.Reads()
}

// inPlace reports whether the instruction that writes slot dst may write it
// to the memory of slot src.
func (l *lifetimes) inPlace(dst, src int) bool {
	a, b := &l.p.Slots[dst], &l.p.Slots[src]
	w := l.written[dst]
	if w < 0 || a.Bytes() != b.Bytes() || a.Bytes() == 0 {
		return false
	}
	return l.read[src] < w || l.read[src] == w && l.exact[src] && a.DType.Size() == b.DType.Size() && a.Len == b.Len
}

// alias gives outputs the memory of donated inputs: first of those they
// prefer.
func (l *lifetimes) alias(g *Graph) {
	taken := make([]bool, len(g.Inputs))
	try := func(k, in int) bool {
		o := l.p.Inputs + k
		if taken[in] || !g.Inputs[in].Donated || l.p.Slots[o].Alias != ir.NoSlot || !l.inPlace(o, in) {
			return false
		}
		l.p.Slots[o].Alias, taken[in] = in, true
		return true
	}
	for k, o := range g.Outputs {
		if o.Prefer >= 0 {
			try(k, o.Prefer)
		}
	}
	for k := range g.Outputs {
		for in := range g.Inputs {
			if try(k, in) {
				break
			}
		}
	}
}

// A block is memory that temporaries have one after another, each written in
// place of the one before.
type block struct {
	first, last int // instructions
	bytes       int
	offset      int
	slots       []int
}

// arena places the temporaries: greedy by size, each block at the lowest
// offset where no block of its time is. (Pisarchyk, Lee: Efficient Memory
// Management for Deep Neural Net Inference, 2020, section 5.2.)
func (l *lifetimes) arena(align int) {
	if align <= 0 {
		align = 256
	}
	align = max(align, 4)
	blocks := l.blocks(align)
	slices.SortStableFunc(blocks, func(a, b *block) int {
		if a.bytes != b.bytes {
			return b.bytes - a.bytes
		}
		return a.first - b.first
	})
	var placed []*block // by offset
	for _, b := range blocks {
		at, best, gap := 0, -1, 0
		for _, x := range placed {
			if x.last < b.first || b.last < x.first {
				continue
			}
			if free := x.offset - at; free >= b.bytes && (best < 0 || free < gap) {
				best, gap = at, free
			}
			at = max(at, x.offset+x.bytes)
		}
		if best < 0 {
			best = at
		}
		b.offset = best
		i, _ := slices.BinarySearchFunc(placed, b, func(x, y *block) int { return x.offset - y.offset })
		placed = slices.Insert(placed, i, b)
		for _, s := range b.slots {
			l.p.Slots[s].Offset = b.offset
		}
		l.p.ArenaBytes = max(l.p.ArenaBytes, b.offset+b.bytes)
	}
}

// blocks chains the temporaries that can be written in place.
func (l *lifetimes) blocks(align int) []*block {
	var blocks []*block
	of := map[int]*block{} // by slot
	for i, in := range l.p.Instrs {
		for _, dst := range in.Writes() {
			if l.p.Slots[dst].Kind != ir.Temp {
				continue
			}
			last := max(l.read[dst], i)
			var b *block
			for _, o := range in.Reads() {
				x := of[o.Slot]
				if x != nil && x.slots[len(x.slots)-1] == o.Slot && l.read[o.Slot] == i && l.inPlace(dst, o.Slot) {
					b = x
					break
				}
			}
			if b == nil {
				s := &l.p.Slots[dst]
				b = &block{first: i, bytes: (s.Bytes() + align - 1) / align * align}
				blocks = append(blocks, b)
			}
			b.slots, b.last, of[dst] = append(b.slots, dst), last, b
		}
	}
	return blocks
}
