package trial

import (
	"math"

	"github.com/fornax-ml/fornax/tensor/ir"
	"github.com/fornax-ml/fornax/tensor/ir/ref"
	"github.com/fornax-ml/fornax/vk/internal/lower"
)

// drawn is how many values of its domain an op is tried on.
const drawn = 67

// Op tries an op's function: on values of its domain, and where it is exact or has
// one argument on special values.
func Op(f lower.OpFunc) *Trial {
	if f.Op == ir.OpArgMax || f.Op == ir.OpArgMin {
		return argOp(f)
	}
	in := f.Op.Info()
	tol := ref.OpTolerance(in, f.From)
	exact := tol == ref.Tolerance{}
	r := ref.Rand(1, f.Name)
	args := make([]ref.Values, in.Arity)
	special := make([]ref.Values, in.Arity)
	for k := range args {
		d := ref.ArgType(in, k, f.From)
		if f.Op == ir.OpCast {
			args[k] = ref.Uniform(r, d, drawn, -300, 300)
		} else {
			args[k] = ref.Arguments(r, in, k, d, drawn)
		}
		special[k] = ref.Specials(d)
		if !exact {
			special[k] = ref.Values{DType: d, F: []float64{math.NaN(), math.Copysign(math.NaN(), -1), math.Inf(1), math.Inf(-1)}}
		}
	}
	if in.Arity == 1 || exact && in.Arity <= 3 && f.Op != ir.OpRem {
		for k, v := range ref.Cross(special) {
			args[k] = join(args[k], v)
		}
	}
	// Arguments of one dtype come from one slot, so that four buffers suffice.
	n := args[0].Len()
	var b builder
	m := &ir.Map{Shape: []int{n}}
	byType := map[ir.DType][]ref.Values{}
	for _, a := range args {
		byType[a.DType] = append(byType[a.DType], a)
	}
	slot, used := map[ir.DType]int{}, map[ir.DType]int{}
	regs := make([]int, in.Arity)
	for k, a := range args {
		if _, ok := slot[a.DType]; !ok {
			slot[a.DType] = b.input(join(byType[a.DType]...))
		}
		v := ir.Contiguous([]int{n})
		v.Offset = used[a.DType]
		used[a.DType] += n
		m.Operands = append(m.Operands, whole(slot[a.DType], v))
		m.Chain = append(m.Chain, load(k, a.DType))
		regs[k] = k
	}
	step := apply(f.Op, f.From, regs...)
	if f.Op == ir.OpCast {
		step.DType = f.To
	}
	m.Chain = append(m.Chain, step)
	m.Stores = []ir.Store{{Slot: b.output(step.DType, n), Reg: in.Arity}}
	b.instrs = append(b.instrs, m)
	return b.build(exact, tol)
}

// argOp finds the positions of the extremes of rows, with ties, NaNs and infinities.
func argOp(f lower.OpFunc) *Trial {
	const rows = 9
	row := ref.Specials(f.From)
	n := row.Len()
	all := ref.New(f.From, rows*n)
	for i := range rows * n {
		j := (i*(i/n+3) + i/n) % n
		if f.From.IsFloat() {
			all.F[i] = row.F[j]
			if i/n > 1 && all.F[i] != all.F[i] {
				all.F[i] = 1
			}
		} else {
			all.I[i] = row.I[j]
		}
	}
	var b builder
	b.instrs = append(b.instrs, &ir.Reduce{
		Outer: []int{rows}, Inner: []int{n}, Op: f.Op, DType: f.From,
		Operands: []ir.Operand{whole(b.input(all), ir.Contiguous([]int{rows, n}))}, Pre: ir.Chain{load(0, f.From)},
		Post: ir.Chain{acc(ir.I32)}, Stores: []ir.Store{{Slot: b.output(ir.I32, rows)}},
	})
	return b.build(true, ref.Tolerance{})
}
