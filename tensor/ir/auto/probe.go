package auto

import (
	"encoding/binary"
	"math"

	"github.com/fornax-ml/fornax/tensor/ir"
)

// A probe is a family's programs to calibrate with, of one instruction each.
type probe struct {
	family  family
	sizes   []int
	program func(n int) *ir.Program
}

// probes are in the order of what matters most, for a budget may not reach all.
var probes = []probe{
	{bytesMoved, []int{1 << 12, 1 << 17, 1 << 22}, func(n int) *ir.Program { return mapProgram(n, nil) }},
	{product, []int{32, 128, 512}, productProgram},
	{folded, []int{1 << 12, 1 << 17, 1 << 21}, foldProgram},
	{costlyOps, []int{1 << 10, 1 << 15, 1 << 19}, func(n int) *ir.Program {
		return mapProgram(n, []ir.Op{ir.OpTanh, ir.OpExp, ir.OpTanh, ir.OpExp, ir.OpTanh, ir.OpTanh, ir.OpExp, ir.OpTanh})
	}},
	{gathered, []int{1 << 10, 1 << 15, 1 << 20}, gatherProgram},
	{cheapOps, []int{1 << 10, 1 << 15, 1 << 19}, func(n int) *ir.Program {
		ops := make([]ir.Op, 48)
		for i := range ops {
			ops[i] = []ir.Op{ir.OpSquare, ir.OpNeg}[i%2]
		}
		return mapProgram(n, ops)
	}},
}

// probeData is what an input holds: small positive numbers, and indices all over.
func probeData(s ir.Slot) []byte {
	b := make([]byte, s.Bytes())
	v := math.Float32bits(0.25)
	for i := range s.Len {
		if s.DType == ir.I32 {
			v = uint32(i*7919) % uint32(s.Len)
		}
		binary.LittleEndian.PutUint32(b[4*i:], v)
	}
	return b
}

func slot(k ir.SlotKind, d ir.DType, n int) ir.Slot {
	return ir.Slot{Kind: k, DType: d, Len: n, Alias: ir.NoSlot}
}

func plain(s int, shape ...int) ir.Operand {
	return ir.Operand{Slot: s, View: ir.Contiguous(shape)}
}

// mapInstr is the Map of n floats by unary ops from slot to slot.
func mapInstr(from, to, n int, ops []ir.Op) *ir.Map {
	chain := ir.Chain{{Op: ir.OpLoad, DType: ir.F32}}
	for i, op := range ops {
		chain = append(chain, ir.Step{Op: op, DType: ir.F32, From: ir.F32, Args: []int{i}})
	}
	return &ir.Map{Shape: []int{n}, Operands: []ir.Operand{plain(from, n)}, Chain: chain, Stores: []ir.Store{{Slot: to, Reg: len(ops)}}}
}

// mapProgram is y = ops(x), a copy where there are none.
func mapProgram(n int, ops []ir.Op) *ir.Program {
	return &ir.Program{
		Slots: []ir.Slot{slot(ir.Input, ir.F32, n), slot(ir.Output, ir.F32, n)}, Inputs: 1, Outputs: 1,
		Instrs: []ir.Instr{mapInstr(0, 1, n, ops)},
	}
}

// mapChain is a program of so many Maps of one element, one after the other.
func mapChain(steps, align int) *ir.Program {
	p := &ir.Program{Slots: []ir.Slot{slot(ir.Input, ir.F32, 1), slot(ir.Output, ir.F32, 1)}, Inputs: 1, Outputs: 1}
	at := 0
	for i := range steps {
		to := 1
		if i < steps-1 {
			s := slot(ir.Temp, ir.F32, 1)
			s.Offset = i * align
			p.Slots = append(p.Slots, s)
			p.ArenaBytes = s.Offset + align
			to = len(p.Slots) - 1
		}
		p.Instrs = append(p.Instrs, mapInstr(at, to, 1, nil))
		at = to
	}
	return p
}

// productProgram is the product of two matrices of n rows and columns.
func productProgram(n int) *ir.Program {
	return &ir.Program{
		Slots:  []ir.Slot{slot(ir.Input, ir.F32, n*n), slot(ir.Input, ir.F32, n*n), slot(ir.Output, ir.F32, n*n)},
		Inputs: 2, Outputs: 1,
		Instrs: []ir.Instr{&ir.MatMul{
			M: n, N: n, K: n, DType: ir.F32, A: plain(0, n, n), B: plain(1, n, n),
			Post: ir.Chain{{Op: ir.OpAcc, DType: ir.F32}}, Stores: []ir.Store{{Slot: 2}},
		}},
	}
}

// foldProgram sums n floats in rows of 256.
func foldProgram(n int) *ir.Program {
	const row = 256
	rows := n / row
	return &ir.Program{
		Slots: []ir.Slot{slot(ir.Input, ir.F32, n), slot(ir.Output, ir.F32, rows)}, Inputs: 1, Outputs: 1,
		Instrs: []ir.Instr{&ir.Reduce{
			Outer: []int{rows}, Inner: []int{row}, Op: ir.OpSum, DType: ir.F32,
			Operands: []ir.Operand{plain(0, rows, row)}, Pre: ir.Chain{{Op: ir.OpLoad, DType: ir.F32}},
			Post: ir.Chain{{Op: ir.OpAcc, DType: ir.F32}}, Stores: []ir.Store{{Slot: 1}},
		}},
	}
}

// gatherProgram picks n floats out of n.
func gatherProgram(n int) *ir.Program {
	return &ir.Program{
		Slots:  []ir.Slot{slot(ir.Input, ir.F32, n), slot(ir.Input, ir.I32, n), slot(ir.Output, ir.F32, n)},
		Inputs: 2, Outputs: 1,
		Instrs: []ir.Instr{&ir.Gather{Shape: []int{n}, DType: ir.F32, X: plain(0, n), Index: plain(1, n), Dst: 2, Name: "gather"}},
	}
}
