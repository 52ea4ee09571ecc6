package ref

import (
	"errors"
	"fmt"
	"slices"

	"github.com/fornax-ml/fornax/tensor/ir"
)

// An Executor runs programs. The zero value does not round and has no custom
// ops.
type Executor struct {
	// Round rounds f32, f16 and bf16 after each step, as a device does, so
	// that decisions (floor, casts to integers, comparisons) agree. Sums,
	// products and MatMul are rounded once, at the end; ScatterAdd, whose
	// order is given, after each addition.
	Round bool
	// Custom holds custom ops by name: they fill out.
	Custom map[string]func(out, in []Values, attrs []int64) error
}

// Run runs p on its inputs, unrounded; see [Executor.Run].
func Run(p *ir.Program, inputs []Values, scalars []ir.Scalar) ([]Values, error) {
	return Executor{}.Run(p, inputs, scalars)
}

// RunBytes is Run with packed arrays.
func RunBytes(p *ir.Program, inputs [][]byte, scalars []ir.Scalar) ([]Values, error) {
	return Executor{}.RunBytes(p, inputs, scalars)
}

// RunBytes is Run with packed arrays for inputs.
func (e Executor) RunBytes(p *ir.Program, inputs [][]byte, scalars []ir.Scalar) ([]Values, error) {
	in := make([]Values, len(inputs))
	for i, b := range inputs {
		if i < p.Inputs {
			in[i] = FromBytes(p.Slots[i].DType, b, p.Slots[i].Len)
		}
	}
	return e.Run(p, in, scalars)
}

// Run runs p on the values of its inputs, which it does not change, and
// returns those of its outputs. With an index out of range it returns the
// outputs and the first *ir.IndexError; all other errors come without outputs:
// a program that does not check, arguments that do not fit, a custom op that
// is not known, a memory plan that loses a value.
func (e Executor) Run(p *ir.Program, inputs []Values, scalars []ir.Scalar) ([]Values, error) {
	if err := p.Check(); err != nil {
		return nil, err
	}
	if len(inputs) != p.Inputs || len(scalars) != len(p.Scalars) {
		return nil, fmt.Errorf("ref: %d inputs and %d scalars for a program of %d and %d", len(inputs), len(scalars), p.Inputs, len(p.Scalars))
	}
	for i, s := range scalars {
		if s.DType != p.Scalars[i] {
			return nil, fmt.Errorf("ref: scalar %d is %v, not %v", i, s.DType, p.Scalars[i])
		}
	}
	r := &run{Executor: e, p: p, scalars: scalars, mem: make([]Values, len(p.Slots)), state: make([]string, len(p.Slots))}
	for i, s := range p.Slots {
		if i < p.Inputs {
			if inputs[i].DType != s.DType || inputs[i].Len() != s.Len {
				return nil, fmt.Errorf("ref: input %d is %v[%d], not %v[%d]", i, inputs[i].DType, inputs[i].Len(), s.DType, s.Len)
			}
			r.mem[i] = inputs[i] // instructions make new values, and change none
			continue
		}
		r.mem[i] = New(s.DType, 0)
		r.state[i] = "was never written"
	}
	for i, in := range p.Instrs {
		err := r.plan(i, in)
		if err == nil {
			err = r.instr(in)
		}
		if err != nil {
			return nil, fmt.Errorf("ref: instruction %d (%s): %w", i, in.Family(), err)
		}
	}
	for i := p.Inputs; i < p.NumArgs(); i++ {
		if r.state[i] != "" && p.Slots[i].Len > 0 {
			return nil, fmt.Errorf("ref: output slot %d %s", i, r.state[i])
		}
	}
	outs := r.mem[p.Inputs:p.NumArgs()]
	if r.index != nil {
		return outs, r.index
	}
	return outs, nil
}

type run struct {
	Executor
	p       *ir.Program
	scalars []ir.Scalar
	mem     []Values
	state   []string // why a slot has no value; empty where it has
	index   *ir.IndexError
	args    arguments // of the step in hand
}

// overlap reports whether two slots share memory, and whether they begin at
// the same byte.
func (r *run) overlap(i, j int) (shared, same bool) {
	if i == j {
		return true, true
	}
	a, b := r.p.Slots[i], r.p.Slots[j]
	if a.Kind == ir.Temp && b.Kind == ir.Temp {
		return a.Offset < b.Offset+b.Bytes() && b.Offset < a.Offset+a.Bytes(), a.Offset == b.Offset
	}
	home := func(i int) int {
		if s := r.p.Slots[i]; s.Kind == ir.Output && s.Alias != ir.NoSlot {
			return s.Alias
		}
		return i
	}
	if a.Kind == ir.Temp || b.Kind == ir.Temp || home(i) != home(j) {
		return false, false
	}
	return true, true
}

// inStep reports whether the instruction reads its i-th operand at each
// position before it writes there, and nowhere else.
func inStep(in ir.Instr, i int) bool {
	switch in := in.(type) {
	case *ir.Map:
		return true
	case *ir.Reduce:
		return i >= len((&ir.Map{Operands: in.Operands}).Reads())
	case *ir.MatMul:
		return i >= 2
	case *ir.ScatterAdd:
		return i == 0 && in.Base.Slot != ir.NoSlot
	}
	return false
}

// plan checks that the instruction reads slots that have their values and
// overwrites nothing it reads, and marks what its writes destroy.
func (r *run) plan(at int, in ir.Instr) error {
	for i, o := range in.Reads() {
		if r.state[o.Slot] != "" && r.p.Slots[o.Slot].Len > 0 {
			return fmt.Errorf("reads slot %d, which %s", o.Slot, r.state[o.Slot])
		}
		for _, w := range in.Writes() {
			shared, same := r.overlap(o.Slot, w)
			inPlace := inStep(in, i) && same && o.View.IsContiguous() && r.p.Slots[o.Slot].DType.Size() == r.p.Slots[w].DType.Size()
			if shared && !inPlace && r.p.Slots[w].Len > 0 {
				return fmt.Errorf("writes slot %d over slot %d, which it reads", w, o.Slot)
			}
		}
	}
	writes := in.Writes()
	for k, w := range writes {
		for _, v := range writes[:k] {
			if shared, _ := r.overlap(v, w); shared && r.p.Slots[w].Len > 0 {
				return fmt.Errorf("writes slot %d over slot %d", w, v)
			}
		}
		for i := range r.p.Slots {
			if shared, _ := r.overlap(i, w); shared && i != w {
				r.state[i] = fmt.Sprintf("instruction %d overwrote (slot %d)", at, w)
			}
		}
		r.state[w] = ""
	}
	return nil
}

func (r *run) instr(in ir.Instr) error {
	switch in := in.(type) {
	case *ir.Map:
		regs := make([]num, len(in.Chain))
		r.write(in.Stores, in.Shape, regs, func(_ int, p []int) {
			r.chain(in.Chain, in.Operands, p, num{}, regs)
		})
	case *ir.Reduce:
		r.reduce(in)
	case *ir.MatMul:
		r.matmul(in)
	case *ir.Gather:
		r.gather(in)
	case *ir.ScatterAdd:
		r.scatterAdd(in)
	case *ir.Custom:
		return r.custom(in)
	default:
		return errors.New("unknown family")
	}
	return nil
}

// write calls f at every position of shape to set regs, and stores.
func (r *run) write(st []ir.Store, shape []int, regs []num, f func(n int, p []int)) {
	dst := make([]Values, len(st)) // fresh, since stores may alias loads
	for k, s := range st {
		dst[k] = New(r.p.Slots[s.Slot].DType, r.p.Slots[s.Slot].Len)
	}
	each(shape, func(n int, p []int) {
		f(n, p)
		for k, s := range st {
			dst[k].set(n, regs[s.Reg])
		}
	})
	for k, s := range st {
		r.mem[s.Slot] = dst[k]
	}
}

func (r *run) reduce(in *ir.Reduce) {
	pre, post := make([]num, len(in.Pre)), make([]num, len(in.Post))
	at := make([]int, len(in.Outer)+len(in.Inner))
	r.write(in.Stores, in.Outer, post, func(_ int, p []int) {
		red := newReduction(in.Op, in.DType)
		copy(at, p)
		each(in.Inner, func(_ int, q []int) {
			copy(at[len(p):], q)
			r.chain(in.Pre, in.Operands, at, num{}, pre)
			red.add(pre[in.Reg])
		})
		acc := r.rounded(in.Op.ResultType(in.DType), red.result())
		r.chain(in.Post, in.PostOperands, p, acc, post)
	})
}

func (r *run) matmul(in *ir.MatMul) {
	post := make([]num, len(in.Post))
	a, b := r.all(in.A).F, r.all(in.B).F // [batch, m, k], [batch, k, n]
	r.write(in.Stores, slices.Concat(in.Batch, []int{in.M, in.N}), post, func(n int, p []int) {
		row, column := n/in.N, n%in.N
		b := b[row/in.M*in.K*in.N:]
		var acc num
		for k, x := range a[row*in.K:][:in.K] {
			acc.f += x * b[k*in.N+column]
		}
		r.chain(in.Post, in.PostOperands, p, r.rounded(in.DType, acc), post)
	})
}

func (r *run) gather(in *ir.Gather) {
	size := in.X.View.Shape[in.Axis]
	dst := New(in.DType, r.p.Slots[in.Dst].Len)
	each(in.Shape, func(n int, p []int) {
		if i := r.load(in.Index, p).i; r.inside(in.Name, i, size) {
			dst.set(n, r.load(in.X, with(p, in.Axis, int(i))))
		}
	})
	r.mem[in.Dst] = dst
}

func (r *run) scatterAdd(in *ir.ScatterAdd) {
	dst := New(in.DType, r.p.Slots[in.Dst].Len)
	if in.Base.Slot != ir.NoSlot {
		each(in.Shape, func(n int, q []int) { dst.set(n, r.load(in.Base, q)) })
	}
	at := ir.Contiguous(in.Shape)
	each(in.Updates.View.Shape, func(_ int, p []int) {
		i := r.load(in.Index, p).i
		if !r.inside(in.Name, i, in.Shape[in.Axis]) {
			return
		}
		n, _ := at.Index(with(p, in.Axis, int(i)))
		x, y := dst.at(n), r.load(in.Updates, p)
		dst.set(n, r.rounded(in.DType, num{f: x.f + y.f, i: ir.WrapInt(in.DType, x.i+y.i)}))
	})
	r.mem[in.Dst] = dst
}

// inside reports whether an index is in range and keeps the first that is not.
func (r *run) inside(op string, i int64, size int) bool {
	if i >= 0 && i < int64(size) {
		return true
	}
	if r.index == nil {
		r.index = &ir.IndexError{Op: op, Index: i, Size: size}
	}
	return false
}

func (r *run) custom(in *ir.Custom) error {
	f := r.Custom[in.Name]
	if f == nil {
		return fmt.Errorf("no custom op %q", in.Name)
	}
	src, dst := make([]Values, len(in.Operands)), make([]Values, len(in.Dst))
	for k, o := range in.Operands {
		src[k] = r.mem[o.Slot].Clone()
	}
	for k, s := range in.Dst {
		dst[k] = New(r.p.Slots[s].DType, r.p.Slots[s].Len)
	}
	if err := f(dst, src, in.Attrs); err != nil {
		return err
	}
	for k, s := range in.Dst {
		r.mem[s] = dst[k]
	}
	return nil
}
