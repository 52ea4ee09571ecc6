package ref

import (
	"fmt"
	"slices"

	"github.com/fornax-ml/fornax/tensor/ir"
)

// Apply returns op of args, all elements of dtype from, as dtype to. It is the
// meaning of one step of a chain at one position, unrounded but for Cast.
func Apply(op ir.Op, to, from ir.DType, args ...Values) Values {
	var x arguments
	r := New(to, args[0].Len())
	for i := range r.Len() {
		x.clear()
		for _, a := range args {
			x.add(a.at(i))
		}
		r.set(i, apply(op, to, from, &x))
	}
	return r
}

// arguments are those of one step at one position.
type arguments struct {
	f []float64
	i []int64
}

func (x *arguments) clear() { x.f, x.i = x.f[:0], x.i[:0] }

func (x *arguments) add(y num) { x.f, x.i = append(x.f, y.f), append(x.i, y.i) }

func apply(op ir.Op, to, from ir.DType, x *arguments) num {
	if op == ir.OpCast {
		return cast(to, from, num{f: x.f[0], i: x.i[0]})
	}
	in := op.Info()
	if from.IsFloat() {
		if op == ir.OpWhere {
			x.f[0] = float64(x.i[0])
		}
		y := in.Float(x.f)
		if to.IsFloat() {
			return num{f: y}
		}
		return num{i: ir.SaturateInt(to, y)}
	}
	return num{i: ir.WrapInt(to, in.Int(from, x.i))}
}

func cast(to, from ir.DType, x num) num {
	if from.IsFloat() {
		return fromBits(to, ir.FloatBits(to, x.f))
	}
	return fromBits(to, ir.IntBits(to, x.i))
}

// chain runs a chain at position p and returns its registers.
func (r *run) chain(c ir.Chain, ops []ir.Operand, p []int, acc num, regs []num) {
	for i, s := range c {
		var y num
		switch s.Op {
		case ir.OpLoad:
			y = r.load(ops[s.K], p)
		case ir.OpIndex:
			at, _ := ops[s.K].View.Index(p)
			y = num{i: ir.WrapInt(s.DType, int64(at))}
		case ir.OpScalar:
			y = fromBits(s.DType, r.scalars[s.K].Bits)
		case ir.OpConst:
			y = fromBits(s.DType, s.Imm)
		case ir.OpAcc:
			y = acc
		default:
			r.args.clear()
			for _, a := range s.Args {
				r.args.add(regs[a])
			}
			y = apply(s.Op, s.DType, s.From, &r.args)
		}
		regs[i] = r.rounded(s.DType, y)
	}
}

// load returns what operand o reads at position p.
func (r *run) load(o ir.Operand, p []int) num {
	i, ok := o.View.Index(p)
	if !ok {
		return fromBits(r.p.Slots[o.Slot].DType, o.Fill)
	}
	return r.mem[o.Slot].at(i)
}

// all returns what operand o reads at every position of its view, in C order.
func (r *run) all(o ir.Operand) Values {
	v := New(r.p.Slots[o.Slot].DType, ir.Size(o.View.Shape))
	each(o.View.Shape, func(n int, p []int) { v.set(n, r.load(o, p)) })
	return v
}

func (r *run) rounded(d ir.DType, x num) num {
	if r.Round && d.IsFloat() {
		return x.round(d)
	}
	return x
}

// each calls f at every position of shape, in C order, with its number.
func each(shape []int, f func(n int, p []int)) {
	size := ir.Size(shape)
	p := make([]int, len(shape))
	for n := range size {
		f(n, p)
		for a := len(shape) - 1; a >= 0; a-- {
			if p[a]++; p[a] < shape[a] {
				break
			}
			p[a] = 0
		}
	}
}

// reduction folds values one by one.
type reduction struct {
	op   ir.Op
	d    ir.DType
	n    int
	best int // ArgMax, ArgMin: position
	acc  num
}

func newReduction(op ir.Op, d ir.DType) *reduction {
	return &reduction{op: op, d: d, acc: fromBits(d, ir.Identity(op, d))}
}

func (r *reduction) add(x num) {
	float := r.d.IsFloat()
	switch r.op {
	case ir.OpSum:
		r.acc = num{f: r.acc.f + x.f, i: ir.WrapInt(r.d, r.acc.i+x.i)}
	case ir.OpProd:
		r.acc = num{f: r.acc.f * x.f, i: ir.WrapInt(r.d, r.acc.i*x.i)}
	case ir.OpMax:
		r.acc = num{f: max(r.acc.f, x.f), i: max(r.acc.i, x.i)}
	case ir.OpMin:
		r.acc = num{f: min(r.acc.f, x.f), i: min(r.acc.i, x.i)}
	case ir.OpAny:
		r.acc.i |= x.i
	case ir.OpAll:
		r.acc.i &= x.i
	case ir.OpArgMax, ir.OpArgMin:
		a, b := x, r.acc // is a better than b?
		if r.op == ir.OpArgMin {
			a, b = b, a
		}
		better := a.i > b.i
		if float {
			better = a.f > b.f || x.f != x.f && r.acc.f == r.acc.f
		}
		if r.n == 0 || better {
			r.acc, r.best = x, r.n
		}
	default:
		panic(fmt.Sprintf("ref: no reduction %v", r.op))
	}
	r.n++
}

func (r *reduction) result() num {
	if r.op == ir.OpArgMax || r.op == ir.OpArgMin {
		return num{i: int64(r.best)}
	}
	return r.acc
}

func with(p []int, axis, i int) []int {
	q := slices.Clone(p)
	q[axis] = i
	return q
}
