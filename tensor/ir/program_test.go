package ir_test

import (
	"strings"
	"testing"

	"github.com/fornax-ml/fornax/tensor/ir"
)

func relu2() *ir.Program {
	return &ir.Program{
		Slots: []ir.Slot{
			{Kind: ir.Input, DType: ir.F32, Len: 6},
			{Kind: ir.Output, DType: ir.F32, Len: 6, Alias: 0},
			{Kind: ir.Temp, DType: ir.F32, Len: 6, Offset: 64},
		},
		Inputs: 1, Outputs: 1, Scalars: []ir.DType{ir.F32}, ArenaBytes: 88,
		Instrs: []ir.Instr{
			&ir.Map{
				Shape:    []int{3, 2},
				Operands: []ir.Operand{{Slot: 0, View: ir.Contiguous([]int{2, 3}).Permute([]int{1, 0})}},
				Chain: ir.Chain{
					{Op: ir.OpLoad, DType: ir.F32},
					{Op: ir.OpScalar, DType: ir.F32},
					{Op: ir.OpMul, DType: ir.F32, From: ir.F32, Args: []int{0, 1}},
				},
				Stores: []ir.Store{{Slot: 2, Reg: 2}},
			},
			&ir.Map{
				Shape:    []int{6},
				Operands: []ir.Operand{{Slot: 2, View: ir.Contiguous([]int{6})}},
				Chain: ir.Chain{
					{Op: ir.OpLoad, DType: ir.F32},
					{Op: ir.OpConst, DType: ir.F32, Imm: ir.FloatBits(ir.F32, 0.5)},
					{Op: ir.OpMaximum, DType: ir.F32, From: ir.F32, Args: []int{0, 1}},
				},
				Stores: []ir.Store{{Slot: 1, Reg: 2}},
			},
		},
	}
}

func TestProgramString(t *testing.T) {
	want := `%0 = input f32[6]
%1 = output f32[6] in place of %0
%2 = temp f32[6] at 64
$0 = scalar f32
map [3 2] {r0:f32 = load %0[3 2]*[1 3]; r1:f32 = scalar $0; r2:f32 = mul r0 r1; %2 = r2}
map [6] {r0:f32 = load %2[6]; r1:f32 = const 0.5; r2:f32 = maximum r0 r1; %1 = r2}
arena 88
`
	p := relu2()
	if err := p.Check(); err != nil {
		t.Fatal(err)
	}
	if got := p.String(); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}

// Check finds each fault.
func TestProgramCheck(t *testing.T) {
	first := func(p *ir.Program) *ir.Map { return p.Instrs[0].(*ir.Map) }
	for _, c := range []struct {
		want  string
		spoil func(p *ir.Program)
	}{
		{"out of order", func(p *ir.Program) { p.Inputs = 0 }},
		{"outside the arena", func(p *ir.Program) { p.ArenaBytes-- }},
		{"cannot take the place", func(p *ir.Program) { p.Slots[1].DType = ir.F64 }},
		{"reads elements 0 to 5 of 5", func(p *ir.Program) { p.Slots[0].Len = 5; p.Slots[1].Alias = ir.NoSlot }},
		{"reads elements 1 to 6", func(p *ir.Program) { first(p).Operands[0].View.Offset = 1 }},
		{"in an iteration over", func(p *ir.Program) { first(p).Shape = []int{2, 3} }},
		{"register 3 is not set", func(p *ir.Program) { first(p).Chain[2].Args = []int{0, 3} }},
		{"no operand 1", func(p *ir.Program) { first(p).Chain[0].K = 1 }},
		{"no scalar 1", func(p *ir.Program) { first(p).Chain[1].K = 1 }},
		{"does not take 1 arguments", func(p *ir.Program) { first(p).Chain[2].Args = []int{0} }},
		{"add of f32 is not i32", func(p *ir.Program) { first(p).Chain[2].Op, first(p).Chain[2].DType = ir.OpAdd, ir.I32 }},
		{"does not take 2 arguments of f32", func(p *ir.Program) { first(p).Chain[2].Op = ir.OpXor }},
		{"is not elementwise", func(p *ir.Program) { first(p).Chain[2].Op = ir.OpSum }},
		{"stores register 9", func(p *ir.Program) { first(p).Stores[0].Reg = 9 }},
		{"writes slot 0", func(p *ir.Program) { first(p).Stores[0].Slot = 0 }},
		{"to slot 2 of f32[5]", func(p *ir.Program) { p.Slots[2].Len = 5; p.Instrs = p.Instrs[:1] }},
		{"no slot 7", func(p *ir.Program) { first(p).Operands[0].Slot = 7 }},
		{"no result 0", func(p *ir.Program) { first(p).Chain[0] = ir.Step{Op: ir.OpAcc, DType: ir.F32} }},
		{"reduces", func(p *ir.Program) { p.Instrs[0] = &ir.Reduce{Op: ir.OpAny, DType: ir.F32} }},
		{"matmul", func(p *ir.Program) { p.Instrs[0] = &ir.MatMul{DType: ir.F32, A: ir.Operand{Slot: ir.NoSlot}} }},
		{"gather", func(p *ir.Program) {
			c := ir.Operand{Slot: 0, View: ir.Contiguous([]int{6})}
			p.Instrs[0] = &ir.Gather{Shape: []int{6}, DType: ir.F32, X: c, Index: c, Dst: 2}
		}},
		{"gather", func(p *ir.Program) {
			c := ir.Operand{Slot: ir.NoSlot, View: ir.Contiguous([]int{6})}
			p.Instrs[0] = &ir.Gather{Shape: []int{6}, DType: ir.F32, X: c, Index: c, Dst: 2}
		}},
		{"scatteradd", func(p *ir.Program) {
			c := ir.Operand{Slot: ir.NoSlot, View: ir.Contiguous([]int{6})}
			p.Instrs[0] = &ir.ScatterAdd{Shape: []int{6}, DType: ir.F32, Base: c, Index: c, Updates: c, Dst: 2}
		}},
		{"no custom op", func(p *ir.Program) { p.Instrs[0] = &ir.Custom{Name: "none"} }},
	} {
		p := relu2()
		c.spoil(p)
		if err := p.Check(); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("error %v, want %q", err, c.want)
		}
	}
}
