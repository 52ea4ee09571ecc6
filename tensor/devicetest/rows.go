package devicetest

import (
	"fmt"
	"slices"
	"testing"

	"github.com/fornax-ml/fornax/tensor/ir"
	"github.com/fornax-ml/fornax/tensor/ir/ref"
)

// A rowCase is rows of an array: outer axes count them, inner axes are theirs.
type rowCase struct{ outer, inner []int }

var rowCases = []rowCase{
	{[]int{1}, []int{1}}, {[]int{1}, []int{257}}, {[]int{3}, []int{17}}, {[]int{17}, []int{64}}, {[]int{5}, []int{257}}, {[]int{300}, []int{70}},
	{[]int{130}, []int{10}}, {[]int{2, 3}, []int{4, 33}}, {[]int{64}, []int{64}}, {nil, []int{19}}, {[]int{2}, []int{9000}}, {[]int{0}, []int{8}}, {[]int{4}, []int{0}},
}

// testRows runs what devices may fuse: reductions of rows, Maps over them and Gathers
// from them that read each other's results, of the same row and of others. Numbers are
// whole, so that all is exact.
func (s *suite) testRows(t *testing.T) {
	for _, d := range s.dtypes(ir.Floats) {
		s.sub(t, d.String(), func(t *testing.T) {
			for _, c := range some(s, d, rowCases) {
				s.sub(t, fmt.Sprint(c.outer, c.inner), func(t *testing.T) {
					for _, f := range []func(*builder, *rowProgram){
						(*builder).rowsCentered, (*builder).rowsOfOthers, (*builder).rowsInPlace, (*builder).rowsPicked, (*builder).rowsInterrupted,
						(*builder).rowsNumbered,
					} {
						b := &builder{}
						f(b, newRows(b, d, c))
						s.check(t, b, exact)
					}
				})
			}
		})
	}
}

// A rowProgram has the views of a case, and an input x of small whole numbers.
type rowProgram struct {
	d          ir.DType
	c          rowCase
	o, n       int
	x          int
	full, each ir.View // of all elements, and of a value a row
}

func newRows(b *builder, d ir.DType, c rowCase) *rowProgram {
	p := &rowProgram{d: d, c: c, o: ir.Size(c.outer), n: ir.Size(c.inner)}
	p.x = b.input(ref.Whole(ref.Rand(1, fmt.Sprint("rows", d, c)), d, p.o*p.n, 0, 1))
	p.full = contiguous(p.shape()...)
	p.each = p.perRow(contiguous(c.outer...))
	return p
}

func (p *rowProgram) shape() []int { return slices.Concat(p.c.outer, p.c.inner) }

// perRow stretches a view of a value a row over the rows.
func (p *rowProgram) perRow(v ir.View) ir.View {
	v = v.Clone()
	v.Shape = append(v.Shape, p.c.inner...)
	v.Strides = append(v.Strides, make([]int, len(p.c.inner))...)
	return v
}

// reduce adds a reduction of rows of a slot to a value a row in another.
func (p *rowProgram) reduce(b *builder, op ir.Op, from, to int) {
	var pre, post chain
	reg := pre.load(p.d, from, p.full)
	post.store(to, post.acc(p.d))
	b.add(&ir.Reduce{Outer: p.c.outer, Inner: p.c.inner, Op: op, DType: p.d, Operands: pre.ops, Pre: pre.steps, Reg: reg, Post: post.steps, Stores: post.stores})
}

// less adds the Map to = from - value of the row.
func (p *rowProgram) less(b *builder, from, value, to int, row ir.View) {
	var c chain
	c.store(to, c.op(ir.OpSub, c.load(p.d, from, p.full), c.load(p.d, value, row)))
	b.add(c.asMap(p.shape()...))
}

// rowsCentered: top = max x; e = x - top; sum = Σ e; y = e - sum, as softmax goes.
func (b *builder) rowsCentered(p *rowProgram) {
	top, e, sum := b.temp(p.d, p.o), b.temp(p.d, p.o*p.n), b.temp(p.d, p.o)
	p.reduce(b, ir.OpMax, p.x, top)
	p.less(b, p.x, top, e, p.each)
	p.reduce(b, ir.OpSum, e, sum)
	p.less(b, e, sum, b.output(p.d, p.o*p.n), p.each)
}

// rowsOfOthers reads the values of other rows: of the row counted from the end, and of
// the first; and in a square of the column.
func (b *builder) rowsOfOthers(p *rowProgram) {
	if len(p.c.outer) != 1 || p.o == 0 {
		return
	}
	top, e := b.temp(p.d, p.o), b.temp(p.d, p.o*p.n)
	p.reduce(b, ir.OpMin, p.x, top)
	p.less(b, p.x, top, e, p.perRow(contiguous(p.o).Slice(0, p.o-1, -1, p.o)))
	sum := b.temp(p.d, p.o)
	p.reduce(b, ir.OpSum, e, sum)
	p.less(b, e, sum, b.output(p.d, p.o*p.n), p.perRow(contiguous(1).Expand([]int{p.o})))
	if len(p.c.inner) == 1 && p.o == p.n {
		var c chain
		c.output(b, p.o*p.n, c.op(ir.OpSub, c.load(p.d, e, p.full.Permute([]int{1, 0})), c.load(p.d, sum, p.each)))
		b.add(c.asMap(p.shape()...))
	}
}

// rowsInPlace writes the result over x.
func (b *builder) rowsInPlace(p *rowProgram) {
	top := b.temp(p.d, p.o)
	p.reduce(b, ir.OpMax, p.x, top)
	p.less(b, p.x, top, b.inPlace(p.d, p.o*p.n, p.x), p.each)
}

// rowsPicked takes an element of each row, as cross-entropy does, and writes 1 in its
// place.
func (b *builder) rowsPicked(p *rowProgram) {
	if len(p.c.inner) != 1 || p.n == 0 {
		return
	}
	at := make([]int64, p.o)
	for i := range at {
		at[i] = int64(i * 7 % p.n)
	}
	index := b.input(ref.Values{DType: ir.I32, I: at})
	top, picked := b.temp(p.d, p.o), b.temp(p.d, p.o)
	p.reduce(b, ir.OpMax, p.x, top)
	one := slices.Concat(p.c.outer, []int{1})
	b.add(&ir.Gather{Shape: one, Axis: len(p.c.outer), DType: p.d, X: operand(p.x, p.full), Index: operand(index, contiguous(one...)), Dst: picked, Name: "rows"})
	var c chain
	q := contiguous(p.n)
	for a := len(p.c.outer) - 1; a >= 0; a-- {
		q.Shape, q.Strides = slices.Insert(q.Shape, 0, p.c.outer[a]), slices.Insert(q.Strides, 0, 0)
	}
	hit := c.op(ir.OpEqual, c.index(ir.I32, q), c.load(ir.I32, index, p.each))
	c.output(b, p.o*p.n, c.op(ir.OpWhere, hit, c.constant(p.d, 1), c.op(ir.OpSub, c.load(p.d, top, p.each), c.load(p.d, picked, p.each))))
	b.add(c.asMap(p.shape()...))
}

// rowsNumbered adds positions to all elements, as one axis.
func (b *builder) rowsNumbered(p *rowProgram) {
	top, n := b.temp(p.d, p.o), p.o*p.n
	p.reduce(b, ir.OpMax, p.x, top)
	var c chain
	even := c.op(ir.OpRem, c.index(ir.I32, contiguous(n)), c.constant(ir.I32, 2))
	c.output(b, n, c.op(ir.OpAdd, c.load(p.d, p.x, contiguous(n)), c.cast(p.d, even)))
	b.add(c.asMap(n))
	p.less(b, p.x, top, b.output(p.d, n), p.each)
}

// rowsInterrupted has a sum of all rows between two steps, which the second reads.
func (b *builder) rowsInterrupted(p *rowProgram) {
	top, all, e := b.temp(p.d, p.o), b.temp(p.d, 1), b.temp(p.d, p.o*p.n)
	p.reduce(b, ir.OpMax, p.x, top)
	var pre, post chain
	reg := pre.load(p.d, top, contiguous(p.o))
	post.store(all, post.acc(p.d))
	b.add(&ir.Reduce{Inner: []int{p.o}, Op: ir.OpMax, DType: p.d, Operands: pre.ops, Pre: pre.steps, Reg: reg, Post: post.steps, Stores: post.stores})
	p.less(b, p.x, top, e, p.each)
	zeros := make([]int, len(p.shape()))
	p.less(b, e, all, b.output(p.d, p.o*p.n), ir.View{Shape: p.shape(), Strides: zeros})
}
