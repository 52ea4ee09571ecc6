package ref_test

import (
	"errors"
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/fornax-ml/fornax/tensor/ir"
	"github.com/fornax-ml/fornax/tensor/ir/ref"
)

func floats(x ...float64) ref.Values { return ref.Values{DType: ir.F32, F: x} }

func plain(slot int, shape ...int) ir.Operand {
	return ir.Operand{Slot: slot, View: ir.Contiguous(shape)}
}

func load(d ir.DType, k int) ir.Step { return ir.Step{Op: ir.OpLoad, DType: d, K: k} }

func TestMapReadsThroughViews(t *testing.T) {
	// y[i, j] = x padded by one column of 7s on the left, transposed, + index.
	v := ir.Contiguous([]int{2, 3}).Pad(1, 1, 0).Permute([]int{1, 0})
	p := &ir.Program{
		Slots:  []ir.Slot{{Kind: ir.Input, DType: ir.F32, Len: 6}, {Kind: ir.Output, DType: ir.F32, Len: 8, Alias: ir.NoSlot}},
		Inputs: 1, Outputs: 1, Scalars: []ir.DType{ir.F32},
		Instrs: []ir.Instr{&ir.Map{
			Shape:    []int{4, 2},
			Operands: []ir.Operand{{Slot: 0, View: v, Fill: ir.FloatBits(ir.F32, 7)}, plain(ir.NoSlot, 4, 2)},
			Chain: ir.Chain{
				load(ir.F32, 0),
				{Op: ir.OpIndex, DType: ir.I32, K: 1},
				{Op: ir.OpCast, DType: ir.F32, From: ir.I32, Args: []int{1}},
				{Op: ir.OpScalar, DType: ir.F32, K: 0},
				{Op: ir.OpMul, DType: ir.F32, From: ir.F32, Args: []int{2, 3}},
				{Op: ir.OpAdd, DType: ir.F32, From: ir.F32, Args: []int{0, 4}},
			},
			Stores: []ir.Store{{Slot: 1, Reg: 5}},
		}},
	}
	out, err := ref.Run(p, []ref.Values{floats(1, 2, 3, 4, 5, 6)}, []ir.Scalar{{DType: ir.F32, Bits: ir.FloatBits(ir.F32, 100)}})
	if err != nil {
		t.Fatal(err)
	}
	if want := []float64{7, 107, 201, 304, 402, 505, 603, 706}; !slices.Equal(out[0].F, want) {
		t.Errorf("got %v, want %v", out[0].F, want)
	}
}

func TestReduceAndMatMul(t *testing.T) {
	p := &ir.Program{
		Slots: []ir.Slot{
			{Kind: ir.Input, DType: ir.F32, Len: 6}, {Kind: ir.Input, DType: ir.F32, Len: 6},
			{Kind: ir.Output, DType: ir.I32, Len: 2, Alias: ir.NoSlot}, {Kind: ir.Output, DType: ir.F32, Len: 4, Alias: ir.NoSlot},
		},
		Inputs: 2, Outputs: 2,
		Instrs: []ir.Instr{
			&ir.Reduce{
				Outer: []int{2}, Inner: []int{3}, Op: ir.OpArgMax, DType: ir.F32,
				Operands: []ir.Operand{plain(0, 2, 3)}, Pre: ir.Chain{load(ir.F32, 0)},
				Post: ir.Chain{{Op: ir.OpAcc, DType: ir.I32}}, Stores: []ir.Store{{Slot: 2}},
			},
			&ir.MatMul{
				M: 2, N: 2, K: 3, DType: ir.F32, A: plain(0, 2, 3),
				B:    ir.Operand{Slot: 1, View: ir.Contiguous([]int{2, 3}).Permute([]int{1, 0})},
				Post: ir.Chain{{Op: ir.OpAcc, DType: ir.F32}}, Stores: []ir.Store{{Slot: 3}},
			},
		},
	}
	out, err := ref.Run(p, []ref.Values{floats(1, 3, 3, 4, math.NaN(), math.NaN()), floats(1, 2, 3, 4, 5, 6)}, nil)
	if err != nil {
		t.Fatal(err)
	}
	if want := []int64{1, 1}; !slices.Equal(out[0].I, want) {
		t.Errorf("argmax %v, want %v", out[0].I, want)
	}
	if err := ref.Compare(out[1].Bytes(), floats(16, 37, math.NaN(), math.NaN()), 0, 0); err != nil {
		t.Error(err)
	}
}

func TestScatterAddGathersBack(t *testing.T) {
	p := &ir.Program{
		Slots: []ir.Slot{
			{Kind: ir.Input, DType: ir.I32, Len: 3}, {Kind: ir.Input, DType: ir.F32, Len: 3},
			{Kind: ir.Output, DType: ir.F32, Len: 2, Alias: ir.NoSlot},
		},
		Inputs: 2, Outputs: 1,
		Instrs: []ir.Instr{&ir.ScatterAdd{
			Shape: []int{2}, DType: ir.F32, Base: ir.Operand{Slot: ir.NoSlot}, Index: plain(0, 3), Updates: plain(1, 3), Dst: 2, Name: "test",
		}},
	}
	out, err := ref.Run(p, []ref.Values{{DType: ir.I32, I: []int64{1, 2, 1}}, floats(1, 10, 100)}, nil)
	var bad *ir.IndexError
	if !errors.As(err, &bad) || *bad != (ir.IndexError{Op: "test", Index: 2, Size: 2}) {
		t.Errorf("error %v", err)
	}
	if want := []float64{0, 101}; !slices.Equal(out[0].F, want) {
		t.Errorf("got %v, want %v", out[0].F, want)
	}
}

// A plan that reuses memory too early is an error, not a number.
func TestLostValues(t *testing.T) {
	neg := func(from, to int, v ir.View) ir.Instr {
		return &ir.Map{
			Shape: []int{2}, Operands: []ir.Operand{{Slot: from, View: v}},
			Chain:  ir.Chain{load(ir.F32, 0), {Op: ir.OpNeg, DType: ir.F32, From: ir.F32, Args: []int{0}}},
			Stores: []ir.Store{{Slot: to, Reg: 1}},
		}
	}
	c := ir.Contiguous([]int{2})
	slots := []ir.Slot{
		{Kind: ir.Input, DType: ir.F32, Len: 2}, {Kind: ir.Output, DType: ir.F32, Len: 2, Alias: 0},
		{Kind: ir.Temp, DType: ir.F32, Len: 2}, {Kind: ir.Temp, DType: ir.F32, Len: 2, Offset: 4},
	}
	for _, c := range []struct {
		name   string
		instrs []ir.Instr
		want   string
	}{
		{"in place", []ir.Instr{neg(0, 1, c)}, ""},
		{"flip in place", []ir.Instr{neg(0, 1, c.Slice(0, 1, -1, 2))}, "over slot 0"},
		{"input after its alias", []ir.Instr{neg(0, 1, c), neg(0, 2, c)}, "overwrote"},
		{"unwritten", []ir.Instr{neg(2, 1, c)}, "never written"},
		{"overlap", []ir.Instr{neg(0, 2, c), neg(0, 3, c), neg(2, 1, c)}, "overwrote"},
		{"no output", []ir.Instr{neg(0, 2, c)}, "output slot 1"},
	} {
		p := &ir.Program{Slots: slots, Inputs: 1, Outputs: 1, ArenaBytes: 12, Instrs: c.instrs}
		out, err := ref.Run(p, []ref.Values{floats(1, 2)}, nil)
		switch {
		case c.want == "" && (err != nil || !slices.Equal(out[0].F, []float64{-1, -2})):
			t.Errorf("%s: %v, %v", c.name, out, err)
		case c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)):
			t.Errorf("%s: error %v, want %q", c.name, err, c.want)
		}
	}
}

func TestCompare(t *testing.T) {
	inf, max := math.Inf(1), float64(math.MaxFloat32)
	for _, c := range []struct {
		got, want float64
		ulp, abs  float64
		ok        bool
	}{
		{1, 1, 0, 0, true},
		{1, 1 + 1e-9, 0, 0, true}, // rounds to the same bits
		{1 + 0x1p-23, 1, 0.5, 0, false},
		{1 + 0x1p-23, 1, 1, 0, true},
		{1, 2, 0, 1, true},
		{math.NaN(), math.NaN(), 0, 0, true},
		{math.NaN(), 1, 1e9, 1e9, false},
		{1, math.NaN(), 1e9, 1e9, false},
		{inf, inf, 0, 0, true},
		{-inf, inf, 8, 0, false},
		{inf, max, 1, 0, true},
		{inf, max, 0.5, 0, false},
		{max, 1e39, 4, 0, false},
		{inf, 1e39, 0, 0, true},
		{0, 1e-45, 1, 0, true},
		{0, 1e-40, 1, 0, false},
		{0, math.Copysign(0, -1), 0, 0, true},
	} {
		if err := ref.Compare(floats(c.got).Bytes(), floats(c.want), c.ulp, c.abs); (err == nil) != c.ok {
			t.Errorf("Compare(%v, %v, %v, %v): %v", c.got, c.want, c.ulp, c.abs, err)
		}
	}
	b := ref.Values{DType: ir.I8, I: []int64{-3, 5, 0}}
	if err := ref.Compare(b.Bytes(), b, 0, 0); err != nil || len(b.Bytes()) != 4 {
		t.Error(err, b.Bytes())
	}
}
