package main

import (
	"slices"

	"github.com/mmcloughlin/avo/ir"
	. "github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

// foldLoads lets instructions read from memory what is loaded right before them, and
// nothing else has.
func foldLoads(f *ir.File) {
	for _, fn := range f.Functions() {
		refs := references(fn)
		nodes := fn.Nodes
		fn.Nodes = nil
		for i, n := range nodes {
			load, ok := n.(*ir.Instruction)
			if ok && i+1 < len(nodes) && load.Opcode == "VMOVUPS" {
				if next, ok := nodes[i+1].(*ir.Instruction); ok && fold(load, next, refs) {
					continue
				}
			}
			fn.Nodes = append(fn.Nodes, n)
		}
	}
}

// foldable are the instructions that foldLoads looks at: their first operand may be
// in memory.
var foldable = []string{"VADDPS", "VSUBPS", "VMULPS", "VDIVPS", "VMAXPS", "VMINPS"}

func fold(load, next *ir.Instruction, refs map[reg.ID]int) bool {
	m, ok := load.Operands[0].(Mem)
	to, virtual := load.Operands[1].(reg.VecVirtual)
	if !ok || !virtual || len(load.Operands) != 2 || !slices.Contains(foldable, next.Opcode) || len(next.Suffixes) > 0 ||
		len(next.Operands) != 3 || next.Operands[0] != Op(to) || next.Operands[1] == Op(to) || refs[to.ID()] != 2 {
		return false
	}
	next.Operands[0] = m
	for i, o := range next.Inputs {
		if o == Op(to) {
			next.Inputs[i] = m
		}
	}
	return true
}

// references counts the instructions that read or write each register.
func references(fn *ir.Function) map[reg.ID]int {
	refs := map[reg.ID]int{}
	for _, in := range fn.Instructions() {
		for _, r := range append(in.InputRegisters(), in.OutputRegisters()...) {
			refs[r.ID()]++
		}
	}
	return refs
}

// intoPlace lets instructions write their results to the registers that these are
// moved to: where nothing but a move right behind reads a result, it drops the move.
// The register must not be live before it, but as an argument.
func intoPlace(f *ir.File) {
	for _, fn := range f.Functions() {
		refs := references(fn)
		var last *ir.Instruction
		fn.Nodes = slices.DeleteFunc(fn.Nodes, func(n ir.Node) bool {
			in, ok := n.(*ir.Instruction)
			if !ok {
				last = nil
				return false
			}
			if last != nil && in.Opcode == "VMOVAPS" && moveInto(last, in, refs) {
				return true
			}
			last = in
			return false
		})
	}
}

// moveInto makes the result of def go where move takes it, if nothing else has it.
func moveInto(def, move *ir.Instruction, refs map[reg.ID]int) bool {
	from, ok := move.Operands[0].(reg.VecVirtual)
	to, fixed := move.Operands[1].(reg.VecPhysical)
	if !ok || !fixed || refs[from.ID()] != 2 {
		return false
	}
	k := len(def.Operands) - 1
	if k < 0 || len(def.Outputs) != 1 || def.Operands[k] != Op(from) || def.Outputs[0] != Op(from) {
		return false
	}
	def.Operands[k], def.Outputs[0] = to, to
	return true
}
