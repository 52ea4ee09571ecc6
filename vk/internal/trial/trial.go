package trial

import (
	"fmt"
	"slices"

	"github.com/fornax-ml/fornax/tensor/ir"
	"github.com/fornax-ml/fornax/tensor/ir/ref"
)

// A Trial is a program with inputs whose outputs are known.
type Trial struct {
	Program *ir.Program
	inputs  []ref.Values
	exact   bool // the reference rounds each step, and nothing may differ
	tol     ref.Tolerance
	// MatMul is the variant that products are to run on; "" is any.
	MatMul string
}

// Inputs returns the bytes of the program's inputs.
func (t *Trial) Inputs() [][]byte {
	l := make([][]byte, len(t.inputs))
	for i, v := range t.inputs {
		l[i] = v.Bytes()
	}
	return l
}

// Check compares outputs with the reference's.
func (t *Trial) Check(outputs [][]byte) error {
	want, err := ref.Executor{Round: t.exact}.Run(t.Program, t.inputs, nil)
	if err != nil {
		return fmt.Errorf("trial: %w", err)
	}
	for i, w := range want {
		if err := ref.Compare(outputs[i], w, t.tol.ULP, t.tol.Abs); err != nil {
			return err
		}
	}
	return nil
}

// A builder collects a program of slots that are inputs or outputs.
type builder struct {
	in, out []ir.Slot
	values  []ref.Values
	instrs  []ir.Instr
}

// outputs are numbered from here until build.
const outputs = 1000

func (b *builder) input(v ref.Values) int {
	b.in = append(b.in, ir.Slot{Kind: ir.Input, DType: v.DType, Len: v.Len()})
	b.values = append(b.values, v)
	return len(b.in) - 1
}

func (b *builder) output(d ir.DType, n int) int {
	b.out = append(b.out, ir.Slot{Kind: ir.Output, DType: d, Len: n, Alias: ir.NoSlot})
	return outputs + len(b.out) - 1
}

func (b *builder) build(exact bool, tol ref.Tolerance) *Trial {
	number := func(slot *int) {
		if *slot >= outputs {
			*slot += len(b.in) - outputs
		}
	}
	operands := func(ops []ir.Operand) {
		for i := range ops {
			number(&ops[i].Slot)
		}
	}
	for _, in := range b.instrs {
		switch in := in.(type) {
		case *ir.Map:
			operands(in.Operands)
			number(&in.Stores[0].Slot)
		case *ir.Reduce:
			operands(in.Operands)
			number(&in.Stores[0].Slot)
		case *ir.MatMul:
			number(&in.Stores[0].Slot)
		case *ir.ScatterAdd:
			number(&in.Dst)
		}
	}
	return &Trial{
		Program: &ir.Program{Slots: slices.Concat(b.in, b.out), Inputs: len(b.in), Outputs: len(b.out), Instrs: b.instrs},
		inputs:  b.values, exact: exact, tol: tol,
	}
}

func whole(slot int, v ir.View) ir.Operand { return ir.Operand{Slot: slot, View: v} }

func load(k int, d ir.DType) ir.Step { return ir.Step{Op: ir.OpLoad, K: k, DType: d} }

func acc(d ir.DType) ir.Step { return ir.Step{Op: ir.OpAcc, DType: d} }

func apply(op ir.Op, d ir.DType, args ...int) ir.Step {
	return ir.Step{Op: op, From: d, DType: op.ResultType(d), Args: args}
}

// join puts values behind each other.
func join(l ...ref.Values) ref.Values {
	v := ref.Values{DType: l[0].DType}
	for _, x := range l {
		v.F, v.I = append(v.F, x.F...), append(v.I, x.I...)
	}
	return v
}
