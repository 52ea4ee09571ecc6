package cpu

import (
	"context"
	"math/rand/v2"
	"testing"

	"github.com/fornax-ml/fornax/tensor/ir"
	"github.com/stretchr/testify/require"
)

// ungroup takes an executable's row groups apart again and returns how many there
// were.
func ungroup(e *executable) int {
	groups := 0
	var stages []stage
	for _, st := range e.stages {
		g, ok := st.instr.(*rowGroup)
		if !ok {
			stages = append(stages, st)
			continue
		}
		groups++
		for _, k := range g.instrs {
			stages = append(stages, stage{k, 1})
		}
	}
	e.stages = stages
	return groups
}

// A rowProgram builds programs whose values are matrices of rows, or a number for
// each row.
type rowProgram struct {
	ir.Program
	rows, cols int
}

func (p *rowProgram) slot(k ir.SlotKind, n, alias int) int {
	s := ir.Slot{Kind: k, DType: ir.F32, Len: n, Alias: alias}
	switch k {
	case ir.Input:
		p.Inputs++
	case ir.Output:
		p.Outputs++
	case ir.Temp:
		s.Offset = p.ArenaBytes
		p.ArenaBytes += (4*n + 63) &^ 63
	}
	p.Slots = append(p.Slots, s)
	return len(p.Slots) - 1
}

// whole reads a matrix, each a number for every element of its row, along the same
// row for all rows.
func (p *rowProgram) whole(s int) ir.Operand {
	return ir.Operand{Slot: s, View: ir.Contiguous([]int{p.rows, p.cols})}
}

func (p *rowProgram) each(s int) ir.Operand {
	return ir.Operand{Slot: s, View: ir.View{Shape: []int{p.rows, p.cols}, Strides: []int{1, 0}}}
}

func (p *rowProgram) along(s int) ir.Operand {
	return ir.Operand{Slot: s, View: ir.View{Shape: []int{p.rows, p.cols}, Strides: []int{0, 1}}}
}

func (p *rowProgram) mapTo(dst int, chain ir.Chain, ops ...ir.Operand) {
	p.Instrs = append(p.Instrs, &ir.Map{Shape: []int{p.rows, p.cols}, Operands: ops, Chain: chain, Stores: []ir.Store{{Slot: dst, Reg: len(chain) - 1}}})
}

func (p *rowProgram) reduceTo(dst int, op ir.Op, x ir.Operand) {
	p.Instrs = append(p.Instrs, &ir.Reduce{
		Outer: []int{p.rows}, Inner: []int{p.cols}, Op: op, DType: ir.F32, Operands: []ir.Operand{x},
		Pre:  ir.Chain{{Op: ir.OpLoad, DType: ir.F32}},
		Post: ir.Chain{{Op: ir.OpAcc, DType: ir.F32}}, Stores: []ir.Store{{Slot: dst}},
	})
}

func calc(op ir.Op, args ...int) ir.Step {
	return ir.Step{Op: op, DType: ir.F32, From: ir.F32, Args: args}
}

func loadStep(k int) ir.Step { return ir.Step{Op: ir.OpLoad, DType: ir.F32, K: k} }

// scaledSoftmax writes softmax(x)·scale, in place of x where alias says so.
func scaledSoftmax(rows, cols int, inPlace bool) *rowProgram {
	p := &rowProgram{rows: rows, cols: cols}
	x, scale := p.slot(ir.Input, rows*cols, ir.NoSlot), p.slot(ir.Input, cols, ir.NoSlot)
	alias := ir.NoSlot
	if inPlace {
		alias = x
	}
	out := p.slot(ir.Output, rows*cols, alias)
	most, e, sum := p.slot(ir.Temp, rows, ir.NoSlot), p.slot(ir.Temp, rows*cols, ir.NoSlot), p.slot(ir.Temp, rows, ir.NoSlot)
	p.reduceTo(most, ir.OpMax, p.whole(x))
	p.mapTo(e, ir.Chain{loadStep(0), loadStep(1), calc(ir.OpSub, 0, 1), calc(ir.OpExp, 2)}, p.whole(x), p.each(most))
	p.reduceTo(sum, ir.OpSum, p.whole(e))
	p.mapTo(out, ir.Chain{loadStep(0), loadStep(1), calc(ir.OpDiv, 0, 1), loadStep(2), calc(ir.OpMul, 2, 3)}, p.whole(e), p.each(sum), p.along(scale))
	return p
}

// Groups give the bits of their instructions one by one, on any number of
// goroutines.
func TestRowGroup(t *testing.T) {
	rng := rand.New(rand.NewPCG(11, 12))
	eachLevelHere(t, func(t *testing.T, lv *level) {
		for _, s := range [][2]int{{2, 2}, {2, 3}, {17, 2}, {3, 17}, {255, 257}, {64, 1024}, {33, 5000}, {4099, 10}} {
			for _, inPlace := range []bool{false, true} {
				p := scaledSoftmax(s[0], s[1], inPlace)
				require.NoError(t, p.Check())
				var inputs [][]byte
				for _, slot := range p.Slots[:p.Inputs] {
					x := make([]byte, slot.Bytes())
					for k := range slot.Len {
						ir.PutBits(ir.F32, x, k, ir.FloatBits(ir.F32, 3*rng.NormFloat64()))
					}
					inputs = append(inputs, x)
				}
				var want []byte
				for _, workers := range []int{-1, 1, 2, 3} {
					d := New(Options{Workers: max(workers, 1), Level: lv.name})
					e, err := d.Compile(&p.Program)
					require.NoError(t, err)
					x := e.(*executable)
					if workers < 0 {
						require.Equal(t, 1, ungroup(x), s)
					} else {
						require.Len(t, x.stages, 1, s)
					}
					got := runExecutable(t, d, x, inputs)[0]
					require.NoError(t, d.Close())
					if want == nil {
						want = got
						continue
					}
					require.True(t, sameFloats(got, want, ir.F32), "%v, in place: %v, %d workers", s, inPlace, workers)
				}
			}
		}
	})
}

// runExecutable returns the outputs.
func runExecutable(t *testing.T, d *Device, e *executable, inputs [][]byte) [][]byte {
	t.Helper()
	var args []ir.Buffer
	for i, s := range e.p.Slots[:e.p.NumArgs()] {
		if s.Kind == ir.Output && s.Alias != ir.NoSlot {
			args = append(args, args[s.Alias])
			continue
		}
		b, err := d.NewBuffer(s.Bytes())
		require.NoError(t, err)
		if i < e.p.Inputs {
			require.NoError(t, b.Write(0, inputs[i]))
		}
		args = append(args, b)
	}
	require.NoError(t, e.Run(context.Background(), args, nil))
	var out [][]byte
	for i, b := range args[e.p.Inputs:] {
		x := make([]byte, e.p.Slots[e.p.Inputs+i].Bytes())
		require.NoError(t, b.Read(x, 0))
		out = append(out, x)
	}
	return out
}

// What reads other rows, or shares memory otherwise than row by row, stays apart.
func TestNoRowGroup(t *testing.T) {
	compile := func(p *rowProgram) []stage {
		d := New(Options{Workers: 1})
		defer d.Close()
		require.NoError(t, p.Check())
		e, err := d.Compile(&p.Program)
		require.NoError(t, err)
		return e.(*executable).stages
	}
	const rows, cols = 8, 6
	build := func(second func(p *rowProgram, x, sum, out int)) *rowProgram {
		p := &rowProgram{rows: rows, cols: cols}
		x := p.slot(ir.Input, rows*cols, ir.NoSlot)
		out := p.slot(ir.Output, rows*cols, ir.NoSlot)
		sum := p.slot(ir.Temp, rows, ir.NoSlot)
		p.reduceTo(sum, ir.OpSum, p.whole(x))
		second(p, x, sum, out)
		return p
	}
	sub := ir.Chain{loadStep(0), loadStep(1), calc(ir.OpSub, 0, 1)}
	require.Len(t, compile(build(func(p *rowProgram, x, sum, out int) { p.mapTo(out, sub, p.whole(x), p.each(sum)) })), 1)
	require.Len(t, compile(build(func(p *rowProgram, x, sum, out int) { // the sums of the rows in reverse
		o := p.each(sum)
		o.View.Offset, o.View.Strides[0] = rows-1, -1
		p.mapTo(out, sub, p.whole(x), o)
	})), 2)
	require.Len(t, compile(build(func(p *rowProgram, x, sum, out int) { // the first sum for all rows
		p.mapTo(out, sub, p.whole(x), ir.Operand{Slot: sum, View: ir.View{Shape: []int{rows, cols}, Strides: []int{0, 0}}})
	})), 2)
	require.Len(t, compile(build(func(p *rowProgram, x, sum, out int) { // the sums along the row
		o := p.along(sum)
		p.mapTo(out, sub, p.whole(x), o)
	})), 2)
	require.Len(t, compile(build(func(p *rowProgram, x, sum, out int) { // a number that depends on the row
		p.mapTo(out, ir.Chain{loadStep(0), {Op: ir.OpIndex, DType: ir.I32, K: 1}, {Op: ir.OpCast, DType: ir.F32, From: ir.I32, Args: []int{1}}, calc(ir.OpAdd, 0, 2)},
			p.each(sum), ir.Operand{Slot: ir.NoSlot, View: ir.Contiguous([]int{rows, cols})})
	})), 2)
	// Results in the memory of what other rows still read.
	p := &rowProgram{rows: rows, cols: cols}
	x, y := p.slot(ir.Input, rows*cols, ir.NoSlot), p.slot(ir.Input, rows*cols, ir.NoSlot)
	out, most := p.slot(ir.Output, rows*cols, x), p.slot(ir.Temp, rows, ir.NoSlot)
	reversed := p.whole(x)
	reversed.View.Offset, reversed.View.Strides[0] = (rows-1)*cols, -cols
	p.reduceTo(most, ir.OpMax, reversed)
	p.mapTo(out, sub, p.whole(y), p.each(most))
	require.Len(t, compile(p), 2)
}
