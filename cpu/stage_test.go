package cpu

import (
	"testing"

	"github.com/fornax-ml/fornax/tensor/ir"
	"github.com/stretchr/testify/require"
)

// exps writes one exponential of the row vector in for each out.
func exps(p *rowProgram, pairs ...[2]int) {
	for _, s := range pairs {
		p.Instrs = append(p.Instrs, &ir.Map{
			Shape: []int{p.cols}, Operands: []ir.Operand{{Slot: s[0], View: ir.Contiguous([]int{p.cols})}},
			Chain: ir.Chain{loadStep(0), calc(ir.OpExp, 0)}, Stores: []ir.Store{{Slot: s[1]}},
		})
		p.Instrs[len(p.Instrs)-1].(*ir.Map).Stores[0].Reg = 1
	}
}

// Small instructions run beside each other where none waits for another.
func TestSideBySide(t *testing.T) {
	build := func(cols int) (p *rowProgram, x, a, b, c int) {
		p = &rowProgram{rows: 1, cols: cols}
		x = p.slot(ir.Input, cols, ir.NoSlot)
		return p, x, p.slot(ir.Output, cols, ir.NoSlot), p.slot(ir.Output, cols, ir.NoSlot), p.slot(ir.Output, cols, ir.NoSlot)
	}
	stages := func(p *rowProgram) []int {
		d := New(Options{})
		defer d.Close()
		e, err := d.Compile(&p.Program)
		require.NoError(t, err)
		var n []int
		for _, st := range e.(*executable).stages {
			n = append(n, st.n)
		}
		return n
	}
	p, x, a, b, c := build(100)
	exps(p, [2]int{x, a}, [2]int{x, b}, [2]int{x, c})
	require.Equal(t, []int{3}, stages(p))

	p, x, a, b, c = build(100) // the second reads the first's result
	exps(p, [2]int{x, a}, [2]int{a, b}, [2]int{x, c})
	require.Equal(t, []int{1, 2}, stages(p))

	p, x, a, b, c = build(1 << 20) // large ones are shared out themselves
	exps(p, [2]int{x, a}, [2]int{x, b}, [2]int{x, c})
	require.Equal(t, []int{1, 1, 1}, stages(p))

	p, x, a, b, c = build(100) // the second writes over what the first reads
	p.Slots[b].Alias = x
	exps(p, [2]int{x, a}, [2]int{x, b}, [2]int{a, c})
	require.Equal(t, []int{1, 2}, stages(p))
}
