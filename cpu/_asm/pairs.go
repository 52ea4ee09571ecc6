package main

import (
	"fmt"

	"github.com/mmcloughlin/avo/ir"
	. "github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

// Products of BF16 by VDPBF16PS (AVX512_BF16): a lane is a pair of elements that
// follow each other along k, and both are multiplied and added to a float32.

// emitPairs writes the micro-kernels of 1 to MR rows and what packs pairs.
func emitPairs(f *file) {
	g := isas(f)[0].pairs()
	for r := 1; r <= 12; r++ {
		g.gemmRows(r)
	}
	g.packPairs(32)
	g.packPairs(12)
}

// pairs is the set whose multiply-add is VDPBF16PS.
func (g *isa) pairs() *isa {
	p := *g
	p.name, p.dot = "Pairs"+g.name, true
	return &p
}

// dotPairs is VDPBF16PS, which neither avo nor Go's assembler knows:
// EVEX.512.F3.0F38.W0 52 /r.
func (g *isa) dotPairs(a, b, acc reg.VecPhysical) {
	bit := func(r reg.VecPhysical, n uint16) uint32 { return ^uint32(r.PhysicalIndex()) >> n & 1 } // inverted in the prefix
	rm, v, dst := b, a, acc
	p0 := bit(dst, 3)<<7 | bit(rm, 4)<<6 | bit(rm, 3)<<5 | bit(dst, 4)<<4 | 0b010
	p1 := bit(v, 3)<<6 | bit(v, 2)<<5 | bit(v, 1)<<4 | bit(v, 0)<<3 | 1<<2 | 0b10
	p2 := uint32(0b10)<<5 | bit(v, 4)<<3
	modrm := 0b11<<6 | uint32(dst.PhysicalIndex())&7<<3 | uint32(rm.PhysicalIndex())&7
	g.Instruction(&ir.Instruction{Opcode: "LONG", Operands: []Op{U32(0x62 | p0<<8 | p1<<16 | p2<<24)}})
	g.Instruction(&ir.Instruction{Opcode: "WORD", Operands: []Op{U16(0x52 | modrm<<8)}})
}

// packPairs writes the packing of columns of w rows of 16-bit elements that lie
// one after the other, of which packRows are there; the others get zeros. Two
// columns become one of pairs, and packCols counts these.
func (g *isa) packPairs(w int) {
	name := fmt.Sprintf("pack%sx%d", g.name, w)
	g.begin(fmt.Sprintf("// %s packs pairs of columns of up to %d contiguous rows of 16 bits; see packArgs.", name, w), name, "args", "*packArgs")
	args, dst, step, src, srcS, count, next := reg.RDI, reg.R8, reg.R9, reg.R10, reg.R11, reg.R12, reg.RBX
	g.load("args", args)
	g.MOVQ(at(args, packDst), dst)
	g.MOVQ(at(args, packStep), step)
	g.MOVQ(at(args, packSrc), src)
	g.MOVQ(at(args, packSrcS), srcS)
	g.MOVQ(at(args, packCols), count)
	g.MOVQ(at(args, packRows), reg.RCX)
	g.MOVQ(U32(1), reg.RAX)
	g.SHLQ(reg.CL, reg.RAX)
	g.DECQ(reg.RAX)
	masks := []reg.OpmaskPhysical{reg.K1, reg.K2}
	vectors := (w + g.lanes - 1) / g.lanes
	for j := range vectors {
		g.KMOVW(reg.EAX, masks[j])
		g.SHRQ(Imm(uint64(g.lanes)), reg.RAX)
	}
	g.Label("loop")
	g.LEAQ(idx(src, srcS, 1, 0), next)
	g.PREFETCHT0(idx(src, srcS, 8, 0))
	g.PREFETCHT0(idx(next, srcS, 8, 0))
	for j := range vectors {
		g.VPMOVZXWD_Z(at(src, j*g.bytes/2), masks[j], g.v(j))
		g.VPMOVZXWD_Z(at(next, j*g.bytes/2), masks[j], g.v(2+j))
		g.VPSLLD(Imm(16), g.v(2+j), g.v(2+j))
		g.VPORD(g.v(2+j), g.v(j), g.v(j))
	}
	g.packStore(w, dst)
	g.LEAQ(idx(next, srcS, 1, 0), src)
	g.ADDQ(step, dst)
	g.DECQ(count)
	g.JNZ(LabelRef("loop"))
	g.end()
}
