package ref

import (
	"fmt"
	"slices"

	"github.com/fornax-ml/fornax/tensor/ir"
)

// Apply returns op of args, all elements of dtype from, as dtype to. It is the
// meaning of one step of a chain at one position, unrounded but for Cast.
func Apply(op ir.Op, to, from ir.DType, args ...Values) Values {
	x := make([]num, len(args))
	r := New(to, args[0].Len())
	for i := range r.Len() {
		for k, a := range args {
			x[k] = a.at(i)
		}
		r.set(i, apply(op, to, from, x))
	}
	return r
}

func apply(op ir.Op, to, from ir.DType, x []num) num {
	if op == ir.OpCast {
		return cast(to, from, x[0])
	}
	in := op.Info()
	if from.IsFloat() {
		f := make([]float64, len(x))
		for k := range x {
			f[k] = x[k].f
		}
		if op == ir.OpWhere {
			f[0] = float64(x[0].i)
		}
		y := in.Float(f)
		if to.IsFloat() {
			return num{f: y}
		}
		return num{i: ir.SaturateInt(to, y)}
	}
	v := make([]int64, len(x))
	for k := range x {
		v[k] = x[k].i
	}
	return num{i: ir.WrapInt(to, in.Int(from, v))}
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
			x := make([]num, len(s.Args))
			for k, a := range s.Args {
				x[k] = regs[a]
			}
			y = apply(s.Op, s.DType, s.From, x)
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
