package lower

import (
	"slices"

	"github.com/fornax-ml/fornax/tensor/ir"
	"github.com/fornax-ml/fornax/vk/internal/splice"
)

// mostStages is how many instructions rows.comp takes.
const mostStages = 6

// A stage is an instruction as a step over rows: O rows of L elements.
type stage struct {
	index  int // of the program
	reduce *ir.Reduce
	mp     *ir.Map
	gather *ir.Gather
	outer  int // axes of the Map's shape that count rows
	access []access
}

// An access is memory that a stage touches, and how: element u·o + i of row o, with
// lo <= i <= hi. unknown says that it is not of this kind.
type access struct {
	mem     Mem
	size    int // of an element
	write   bool
	unknown bool
	u       int
	lo, hi  int
}

// rowGroups finds instructions that can run as one dispatch of rows.comp: reductions of
// the same rows, Maps over their elements and Gathers of one of them, where what one of them writes the others
// touch in the same row only. The result has the members of each group, in order, under
// its first; what lies between members does not depend on those after it.
func (l *lowerer) rowGroups() map[int][]stage {
	groups := map[int][]stage{}
	taken := map[int]bool{}
	for i, in := range l.p.Instrs {
		r, ok := in.(*ir.Reduce)
		if !ok || taken[i] {
			continue
		}
		o, n := ir.Size(r.Outer), ir.Size(r.Inner)
		if o == 0 || n < 2 || o > maxPositions/n {
			continue
		}
		shape := l.planReduce(o, n, alongInner(r))
		first, ok := l.asStage(i, o, n, shape)
		if !ok || shape.entry == "column" || !l.worthRows(o, n, shape) {
			continue
		}
		group := []stage{first}
		var skipped []ir.Instr
		for j := i + 1; j < len(l.p.Instrs) && len(group) < mostStages && len(skipped) < 8; j++ {
			s, ok := l.asStage(j, o, n, shape)
			if !ok || taken[j] || !l.joins(group, s, o) || slices.ContainsFunc(skipped, func(x ir.Instr) bool { return l.dependent(x, l.p.Instrs[j]) }) {
				skipped = append(skipped, l.p.Instrs[j])
				continue
			}
			group = append(group, s)
		}
		if len(group) < 2 {
			continue
		}
		groups[i] = group
		for _, s := range group {
			taken[s.index] = true
		}
	}
	return groups
}

// worthRows: a row needs a workgroup, or a lane, to itself, so that few long rows are
// better off with all of the device in each step.
func (l *lowerer) worthRows(o, n int, shape reduceShape) bool {
	return shape.entry == "lane" || l.o.Software || o >= 64 || n <= 4096
}

// asStage describes instruction i as a step over o rows of n elements, reduced in the
// given shape.
func (l *lowerer) asStage(i, o, n int, shape reduceShape) (s stage, ok bool) {
	s.index = i
	switch in := l.p.Instrs[i].(type) {
	case *ir.Reduce:
		if ir.Size(in.Outer) != o || ir.Size(in.Inner) != n || in.Op == ir.OpArgMax || in.Op == ir.OpArgMin {
			return s, false
		}
		if r := l.planReduce(o, n, alongInner(in)); r != shape || r.chunks != 1 {
			return s, false
		}
		s.reduce, s.outer = in, len(in.Outer)
		s.reads(l, in.Operands, len(in.Outer))
		s.reads(l, in.PostOperands, len(in.Outer))
		s.writes(l, in.Stores, 1, 0)
	case *ir.Map:
		if ir.Size(in.Shape) != o*n {
			return s, false
		}
		if s.outer, ok = split(in.Shape, o); !ok {
			if slices.ContainsFunc(in.Operands, func(x ir.Operand) bool { return !x.View.IsContiguous() }) {
				return s, false
			}
			s.outer = -1 // one axis of all elements
		}
		s.mp = in
		if s.outer < 0 {
			for _, x := range in.Operands {
				if x.Slot != ir.NoSlot {
					s.access = append(s.access, access{mem: l.mem(x.Slot), size: l.size(x.Slot), u: n, hi: n - 1})
				}
			}
		} else {
			s.reads(l, in.Operands, s.outer)
		}
		s.writes(l, in.Stores, n, n-1)
	case *ir.Gather:
		// One element of each row, of the axes that follow those which count rows.
		x := in.X.View
		outer, ok := split(in.Shape, o)
		if !ok || ir.Size(in.Shape) != o || in.Axis < outer || ir.Size(x.Shape) != o*n || n != x.Shape[in.Axis] || x.Masked() {
			return s, false
		}
		s.gather = in
		s.reads(l, []ir.Operand{in.X}, outer)
		s.reads(l, []ir.Operand{in.Index}, len(in.Shape))
		s.writes(l, []ir.Store{{Slot: in.Dst}}, 1, 0)
	default:
		return s, false
	}
	// Packed elements are written by words, which rows may share.
	return s, !slices.ContainsFunc(s.access, func(a access) bool { return a.write && a.size < 4 })
}

// split finds the axis of shape before which there are o positions.
func split(shape []int, o int) (axis int, ok bool) {
	n := 1
	for a, d := range shape {
		if n == o {
			return a, true
		}
		n *= d
	}
	return len(shape), n == o
}

func (l *lowerer) size(slot int) int { return l.p.Slots[slot].DType.Size() }

func (s *stage) reads(l *lowerer, ops []ir.Operand, outer int) {
	for _, x := range ops {
		if x.Slot == ir.NoSlot {
			continue
		}
		a := access{mem: l.mem(x.Slot), size: l.size(x.Slot)}
		a.u, a.lo, a.hi, a.unknown = rowsOf(x.View, outer)
		s.access = append(s.access, a)
	}
}

func (s *stage) writes(l *lowerer, st []ir.Store, u, hi int) {
	for _, x := range st {
		s.access = append(s.access, access{mem: l.mem(x.Slot), size: l.size(x.Slot), write: true, u: u, hi: hi})
	}
}

// rowsOf says which elements of row o a view touches, behind its first axes, which
// count rows: u·o + i, lo <= i <= hi.
func rowsOf(v ir.View, outer int) (u, lo, hi int, unknown bool) {
	if v.Offset < 0 {
		return 0, 0, 0, true
	}
	rows := 1
	for a := outer - 1; a >= 0; a-- {
		if v.Shape[a] != 1 {
			if rows == 1 {
				u = v.Strides[a]
			}
			if v.Strides[a] != u*rows {
				return 0, 0, 0, true
			}
		}
		rows *= v.Shape[a]
	}
	lo, hi = v.Offset, v.Offset
	for a := outer; a < len(v.Shape); a++ {
		if d := (v.Shape[a] - 1) * v.Strides[a]; d > 0 {
			hi += d
		} else {
			lo += d
		}
	}
	return u, lo, hi, false
}

// joins reports whether a stage can come behind others in one dispatch: memory that
// one of them writes all touch in the same row only.
func (l *lowerer) joins(group []stage, s stage, rows int) bool {
	var ops []ir.Operand
	var stores []ir.Store
	for _, x := range append(slices.Clone(group), s) {
		in := l.p.Instrs[x.index]
		ops = append(ops, in.Reads()...)
		for _, w := range in.Writes() {
			stores = append(stores, ir.Store{Slot: w})
		}
		if l.isWide(in) != l.isWide(l.p.Instrs[group[0].index]) {
			return false
		}
	}
	if l.buffers(ops, stores) > l.o.Buffers {
		return false
	}
	for _, x := range group {
		for _, a := range x.access {
			// Indices are checked before the dispatch.
			if s.gather != nil && a.write && a.mem.Overlaps(l.mem(s.gather.Index.Slot)) {
				return false
			}
			for _, b := range s.access {
				if (a.write || b.write) && a.mem.Overlaps(b.mem) && rows > 1 && !sameRow(a, b) {
					return false
				}
			}
		}
	}
	return true
}

// sameRow reports whether two accesses of overlapping memory meet in one row only.
func sameRow(a, b access) bool {
	if a.unknown || b.unknown || a.mem.Arg != b.mem.Arg || a.mem.Offset != b.mem.Offset || a.size != b.size {
		return false
	}
	return a.u == b.u && a.u > 0 && min(a.lo, b.lo) >= 0 && max(a.hi, b.hi) < a.u
}

// dependent reports whether two instructions touch memory that one of them writes.
func (l *lowerer) dependent(a, b ir.Instr) bool {
	touches := func(in ir.Instr) *Dispatch {
		d := &Dispatch{}
		for _, x := range in.Reads() {
			if x.Slot != ir.NoSlot {
				d.Reads = append(d.Reads, l.mem(x.Slot))
			}
		}
		for _, s := range in.Writes() {
			d.Writes = append(d.Writes, l.mem(s))
		}
		return d
	}
	return touches(a).conflicts(touches(b))
}

// lowerRows emits a group as one dispatch; false where that kernel is off, or the group
// needs more of the device than its members by themselves.
func (l *lowerer) lowerRows(group []stage) (ok bool) {
	dispatches, checks := len(l.plan.Dispatches), len(l.plan.Checks)
	defer func() {
		if e := recover(); e != nil {
			if _, unsupported := e.(*ir.UnsupportedError); !unsupported {
				panic(e)
			}
			l.plan.Dispatches, l.plan.Checks = l.plan.Dispatches[:dispatches], l.plan.Checks[:checks]
			ok = false
		}
	}()
	first := group[0].reduce
	o, n := positions(first.Outer), positions(first.Inner)
	shape := l.planReduce(o, n, alongInner(first))
	entry, per := shape.entry, shape.w
	if entry == "row" {
		per = 1
	}
	wide := l.isWide(first)
	c := l.dispatch("rows", wide)
	if l.off(variant(c.d.Kernel.Module, entry, []uint32{uint32(shape.w)})) != "" {
		return false
	}
	for _, s := range group {
		if g := s.gather; g != nil {
			l.checkIndices(g.Name, g.Index, g.X.View.Shape[g.Axis])
		}
	}
	kernel := &splice.Body{}
	for k, s := range group {
		switch k := digits(k); {
		case s.reduce != nil:
			kernel.Call(entry+"_reduce_"+k, num(c.reduceStage(k, s.reduce)))
		case s.gather != nil:
			c.gatherElement(c.fn("element_"+k), s.gather)
			kernel.Call(entry + "_once_" + k)
		default:
			c.mapStage(k, s)
			kernel.Call(entry + "_map_" + k)
		}
	}
	c.numbers(o, n)
	c.d.Kernel.Bodies["kernel"] = kernel
	c.emit(entry, fold(ceilDiv(o, per)), uint32(shape.w))
	return true
}

// reduceStage splices a reduction as stage k and returns where its identity is.
func (c *dispatcher) reduceStage(k string, r *ir.Reduce) (identity int) {
	f := c.fn("pre_" + k)
	sp := f.space(nil, []group{{param0, r.Outer}, {param1, r.Inner}}, views(r.Operands...)...)
	f.body.Return = f.chain(r.Pre, r.Operands, sp)[r.Reg]
	f = c.fn("combine_" + k)
	f.body.Return = f.call(combineName(r.Op, r.DType), param0, param1)
	f = c.fn("post_" + k)
	sp = f.space(&param0, []group{{param0, r.Outer}}, views(r.PostOperands...)...)
	f.stores(r.Stores, f.chain(r.Post, r.PostOperands, sp, param1), param0, num(0))
	id := regBits(r.DType, ir.Identity(r.Op, r.DType))
	return c.word(int(uint32(id)), int(id>>32))
}

// mapStage splices a Map as stage k.
func (c *dispatcher) mapStage(k string, s stage) {
	f := c.fn("element_" + k)
	groups := []group{{param0, s.mp.Shape}}
	if s.outer >= 0 {
		groups = []group{{param1, s.mp.Shape[:s.outer]}, {splice.Param(2), s.mp.Shape[s.outer:]}}
	}
	sp := f.space(&param0, groups, views(s.mp.Operands...)...)
	f.stores(s.mp.Stores, f.chain(s.mp.Chain, s.mp.Operands, sp), param0, num(0))
}
