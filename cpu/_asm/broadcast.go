package main

import (
	"strings"

	"github.com/mmcloughlin/avo/ir"
	. "github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

// broadcastConstants makes the instructions of AVX-512 that read a constant of all
// lanes read one lane of it for all. A vector of 64 bytes may lie across two lines
// of the cache, since Go aligns data to 32, and then costs two loads.
func broadcastConstants(f *ir.File) {
	for _, fn := range f.Functions() {
		for _, in := range fn.Instructions() {
			if size := constantSize(in); size > 0 && wideResult(in) {
				broadcast(in, size)
			}
		}
	}
}

// constantSize returns the bytes of an element of the constant that an
// instruction reads, or 0.
func constantSize(in *ir.Instruction) int {
	for _, o := range in.Operands {
		if m, ok := o.(Mem); ok && strings.HasPrefix(m.Symbol.Name, lanesPrefix) {
			return (len(m.Symbol.Name) - len(lanesPrefix)) / 2
		}
	}
	return 0
}

// wideResult reports whether an instruction works on vectors of AVX-512.
func wideResult(in *ir.Instruction) bool {
	for _, o := range in.Operands {
		if r, ok := o.(reg.Register); ok && r.Size() == 64 {
			return true
		}
	}
	return false
}

func broadcast(in *ir.Instruction, size int) {
	if in.Opcode == "VMOVUPS" {
		in.Opcode = map[int]string{4: "VBROADCASTSS", 8: "VBROADCASTSD"}[size]
		return
	}
	width := 0
	switch op := in.Opcode; {
	case strings.HasSuffix(op, "PD"), strings.HasSuffix(op, "Q"):
		width = 8
	case strings.HasSuffix(op, "PS"), strings.HasSuffix(op, "D"):
		width = 4
	}
	if width >= size && len(in.Suffixes) == 0 {
		in.Suffixes = []string{"BCST"}
	}
}
