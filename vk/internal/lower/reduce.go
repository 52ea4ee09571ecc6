package lower

import (
	"strings"

	"github.com/fornax-ml/fornax/tensor/ir"
	"github.com/fornax-ml/fornax/vk/internal/splice"
)

// How a reduction is cut; see shaders/reduce.comp.
type reduceShape struct {
	entry  string // "lane", "row" or "column"
	chunks int    // S
	chunk  int    // C
	w      int    // invocations of a workgroup
}

// columns is how many outputs a workgroup of the entry column has.
const columns = 32

// planReduce cuts a reduction of outer × inner positions. along says that
// neighbours in memory are neighbours along the inner axes. The numbers are
// plain constants: equal shapes give equal sums on every device.
func (l *lowerer) planReduce(outer, inner int, along bool) reduceShape {
	const (
		short     = 64    // a row of fewer is one invocation's work
		longRow   = 16384 // a row of more is cut when there are few
		fewRows   = 64
		longLane  = 4096 // no invocation adds more in a line
		fewLanes  = 4096
		leastLane = 64
	)
	s := reduceShape{entry: "lane", chunks: 1, chunk: max(inner, 1), w: l.o.Workgroup}
	if inner >= short && along || inner >= 4*short && outer < fewRows {
		s.entry = "row"
		for s.w > 32 && s.w > inner/4 {
			s.w /= 2
		}
		if inner > longRow && outer < fewRows {
			s.cut(min(ceilDiv(inner, longRow/2), 1024), inner)
		}
		return s
	}
	lanes, least := outer, leastLane
	if outer >= columns && outer < fewLanes && inner >= short {
		s.entry = "column"
		lanes, least = outer*s.w/columns, leastLane*s.w/columns
	}
	want := ceilDiv(inner, longLane)
	if lanes < fewLanes {
		want = max(want, min(fewLanes/max(lanes, 1), inner/least))
	}
	if want > 1 {
		s.cut(want, inner)
	}
	return s
}

func (s *reduceShape) cut(chunks, inner int) {
	s.chunk = ceilDiv(inner, chunks)
	s.chunks = ceilDiv(inner, s.chunk)
}

// alongInner reports whether the operands move by single elements along the
// last inner axis.
func alongInner(r *ir.Reduce) bool {
	last := -1
	for a, n := range r.Inner {
		if n != 1 {
			last = len(r.Outer) + a
		}
	}
	if last < 0 {
		return false
	}
	for _, o := range r.Operands {
		if s := o.View.Strides[last]; s == 1 || s == -1 {
			return true
		}
	}
	return len(r.Operands) == 0
}

func (l *lowerer) lowerReduce(r *ir.Reduce) {
	outer, inner := positions(r.Outer), positions(r.Inner)
	if outer == 0 {
		return
	}
	if inner > 0 {
		positions(r.Outer, r.Inner)
	}
	s := l.planReduce(outer, inner, alongInner(r))
	arg := r.Op == ir.OpArgMax || r.Op == ir.OpArgMin
	if scratch := 1 + int(b2u(arg)); l.buffers(r.Operands, nil)+scratch > l.o.Buffers || l.buffers(r.PostOperands, r.Stores)+scratch > l.o.Buffers {
		s.chunks, s.chunk = 1, max(inner, 1)
	}
	wide := l.isWide(r) || r.DType.Size() == 8

	c := l.dispatch("reduce", wide)
	f := c.fn("pre")
	groups := []group{{param0, r.Outer}, {param1, r.Inner}}
	if inner > 0 {
		sp := f.space(nil, groups, views(r.Operands...)...)
		f.body.Return = f.chain(r.Pre, r.Operands, sp)[r.Reg]
	} else {
		f.body.Return = splice.Const(0)
	}
	if arg {
		c.fn("pre_index").body.Return = param1
	}
	if s.chunks == 1 {
		l.finishReduce(c, r, s, arg, outer, inner)
		return
	}
	// First the chunks, each register a word or two of scratch.
	values := l.takeScratch(s.chunks * outer * regBytes(wide))
	var places Mem
	f = c.fn("post")
	d := ir.U32
	if wide {
		d = ir.I64
	}
	f.store(values, d, param0, param1, splice.Param(2))
	if arg {
		places = l.takeScratch(s.chunks * outer * 4)
		f.call("put_"+digits(c.write(places)), param0, splice.Param(3))
	}
	l.emitReduce(c, r, s, arg, outer*s.chunks, inner, outer, 1)

	// Then what the chunks gave, in their order.
	c = l.dispatch("reduce", wide)
	f = c.fn("pre")
	at := f.call("axis_add", param0, param1, num(c.word(outer)))
	f.body.Return = f.load(values, d, at)
	if arg {
		f = c.fn("pre_index")
		at := f.call("axis_add", param0, param1, num(c.word(outer)))
		f.body.Return = f.call("word_"+digits(c.read(places)), at)
	}
	second := reduceShape{entry: "lane", chunks: 1, chunk: s.chunks, w: l.o.Workgroup}
	if outer < 64 && s.chunks >= 128 {
		second.entry = "row"
	}
	l.finishReduce(c, r, second, arg, outer, s.chunks)
}

func b2u(b bool) uint32 {
	if b {
		return 1
	}
	return 0
}

func regBytes(wide bool) int {
	if wide {
		return 8
	}
	return 4
}

// finishReduce emits the dispatch that ends with the epilogue.
func (l *lowerer) finishReduce(c *dispatcher, r *ir.Reduce, s reduceShape, arg bool, outer, inner int) {
	f := c.fn("post")
	acc := splice.Param(2)
	if arg {
		acc = splice.Const(0)
		if inner > 0 {
			acc = f.reg(splice.Param(3))
		}
	}
	sp := f.space(&param0, []group{{param0, r.Outer}}, views(r.PostOperands...)...)
	f.stores(r.Stores, f.chain(r.Post, r.PostOperands, sp, acc), param0, param1)
	out := 1
	if l.hasNarrow(r.Stores) {
		out = 4
	}
	l.emitReduce(c, r, s, arg, outer, inner, outer, out)
}

func (l *lowerer) emitReduce(c *dispatcher, r *ir.Reduce, s reduceShape, arg bool, outputs, inner, outer, out int) {
	id := regBits(r.DType, ir.Identity(r.Op, r.DType))
	if arg {
		id = 0
		f := c.fn("better")
		f.body.Return = f.call(opName(r.Op, r.DType, ir.Invalid), param0, param1)
	} else {
		f := c.fn("combine")
		f.body.Return = f.call(combineName(r.Op, r.DType), param0, param1)
	}
	c.numbers(outputs, inner, outer, s.chunk, int(uint32(id)), int(id>>32))
	way := func(entry string) (name string, spec []uint32) {
		spec = []uint32{uint32(s.w), uint32(out)}
		if entry == "column" {
			spec = append(spec, columns)
		}
		return variant(c.d.Kernel.Module, entry, spec), spec
	}
	entry := s.entry
	if arg { // which needs no order
		if entry == "column" {
			entry = "lane"
		}
		entry = "arg_" + entry
	}
	name, spec := way(entry)
	if l.off(name) != "" { // another one does it too
		if strings.HasSuffix(entry, "lane") {
			entry = strings.TrimSuffix(entry, "lane") + "row"
		} else {
			entry = strings.TrimSuffix(strings.TrimSuffix(entry, "row"), "column") + "lane"
		}
		_, spec = way(entry)
	}
	per := out
	switch entry {
	case "lane", "arg_lane":
		per *= s.w
	case "column":
		per = columns
	}
	c.emit(entry, fold(ceilDiv(outputs, per)), spec...)
}
