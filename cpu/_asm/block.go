package main

import (
	"fmt"
	"slices"

	. "github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

// A block is the frame of a mapOp's kernel: the lanes are as many as a vector
// has of the widest elements, and those of narrower ones fill a part of it.
type block struct {
	*isa
	mapOp
	width int // bytes of the widest element
	lanes int
	dst   reg.GPPhysical
	n     reg.GPPhysical
	src   []reg.GPPhysical
	part  Mem // room for a vector, where AVX2 has no mask for elements
}

// mapKernel writes a loop over whole vectors, and the same once more on the
// lanes that are left.
func (g *isa) mapKernel(o mapOp) {
	b := &block{isa: g, mapOp: o, width: max(slices.Max(o.in), o.out)}
	b.lanes = g.bytes / b.width
	args := o.args
	if args == nil {
		args = []string{"a", "b", "c"}
	}
	name := fmt.Sprintf("map%s%s", o.name, g.name)
	b.dst, b.n, b.src = g.beginMap(name, "is a block kernel of "+o.name+".", args)
	if b.scratch(o.out) || slices.ContainsFunc(o.in, b.scratch) {
		b.part = g.AllocLocal(g.bytes)
	}
	g.SUBQ(U32(b.lanes), b.n)
	g.JLT(LabelRef("tail"))
	g.Label("loop")
	var x []Op
	for i, w := range o.in {
		r := b.vector(w)
		b.move(at(b.src[i], 0), r, w)
		x = append(x, r)
	}
	b.move(b.result(x), at(b.dst, 0), o.out)
	for i, w := range o.in {
		g.ADDQ(U32(w*b.lanes), b.src[i])
	}
	g.ADDQ(U32(o.out*b.lanes), b.dst)
	g.SUBQ(U32(b.lanes), b.n)
	g.JGE(LabelRef("loop"))
	g.Label("tail")
	g.ADDQ(U32(b.lanes), b.n)
	g.JZ(LabelRef("done"))
	b.setMask()
	x = nil
	for i, w := range o.in {
		r := b.vector(w)
		b.loadPart(b.src[i], r, w)
		x = append(x, r)
	}
	b.storePart(b.result(x), b.dst, o.out)
	g.Label("done")
	g.end()
}

// beginMap begins a function of dst, the pointers args and a number n.
func (g *isa) beginMap(name, doc string, args []string) (dst, n reg.GPPhysical, src []reg.GPPhysical) {
	dst, n = reg.RDI, reg.RDX
	src = []reg.GPPhysical{reg.RSI, reg.R8, reg.R9, reg.R10, reg.R11}[:len(args)]
	params := []string{"dst", "unsafe.Pointer"}
	for _, a := range args {
		params = append(params, a, "unsafe.Pointer")
	}
	g.begin(fmt.Sprintf("// %s %s", name, doc), name, append(params, "n", "int")...)
	g.load("dst", dst)
	for i, a := range args {
		g.load(a, src[i])
	}
	g.load("n", n)
	return dst, n, src
}

func (b *block) result(x []Op) Op {
	y := b.body(b.isa, x)
	if b.mask {
		y = b.boolBytes(y)
	}
	return y
}

// vector returns a register for the lanes of elements of w bytes.
func (b *block) vector(w int) reg.VecVirtual {
	switch n := w * b.lanes; {
	case n > 32:
		return b.ZMM()
	case n > 16:
		return b.YMM()
	}
	return b.XMM()
}

// move loads or stores the lanes of elements of w bytes.
func (b *block) move(from, to Op, w int) {
	switch w * b.lanes {
	case 4:
		b.VMOVD(from, to)
	case 8:
		b.VMOVQ(from, to)
	default:
		b.VMOVUPS(from, to)
	}
}

// scratch reports whether fewer lanes of elements of w bytes go through memory.
func (b *block) scratch(w int) bool { return !b.wide && (w < 4 || w < b.width) }

// setMask makes the mask of the n lowest lanes: in K1, or in Y15 for those of
// the widest elements.
func (b *block) setMask() {
	if b.wide {
		b.MOVQ(b.n, reg.RCX)
		b.MOVQ(U32(1), reg.RAX)
		b.SHLQ(reg.CL, reg.RAX)
		b.DECQ(reg.RAX)
		b.KMOVQ(reg.RAX, reg.K1)
		return
	}
	if b.width < 4 {
		return
	}
	b.LEAQ(b.maskTable(), reg.RAX)
	b.MOVQ(b.n, reg.RCX)
	b.SHLQ(Imm(uint64(b.width/4+1)), reg.RCX) // by 4 or 8
	b.SUBQ(reg.RCX, reg.RAX)
	b.VMOVUPS(at(reg.RAX, 32), ymm[15])
}

// loadPart loads n lanes; what the others have is not defined.
func (b *block) loadPart(src reg.GPPhysical, r reg.VecVirtual, w int) {
	m := at(src, 0)
	switch {
	case b.wide && w == 1:
		b.VMOVDQU8_Z(m, reg.K1, r)
	case b.wide && w == 2:
		b.VMOVDQU16_Z(m, reg.K1, r)
	case b.wide && w == 4:
		b.VMOVUPS_Z(m, reg.K1, r)
	case b.wide:
		b.VMOVUPD_Z(m, reg.K1, r)
	case b.scratch(w):
		b.copyPart(src, reg.StackPointer, w)
		b.move(b.part, r, w)
	case w == 4:
		b.VMASKMOVPS(m, ymm[15], r)
	default:
		b.VMASKMOVPD(m, ymm[15], r)
	}
}

func (b *block) storePart(y Op, dst reg.GPPhysical, w int) {
	m := at(dst, 0)
	switch {
	case b.wide && w == 1:
		b.VMOVDQU8(y, reg.K1, m)
	case b.wide && w == 2:
		b.VMOVDQU16(y, reg.K1, m)
	case b.wide && w == 4:
		b.VMOVUPS(y, reg.K1, m)
	case b.wide:
		b.VMOVUPD(y, reg.K1, m)
	case b.scratch(w):
		b.move(y, b.part, w)
		b.copyPart(reg.StackPointer, dst, w)
	case w == 4:
		b.VMASKMOVPS(y, ymm[15], m)
	default:
		b.VMASKMOVPD(y, ymm[15], m)
	}
}

// copyPart copies n elements of w bytes to or from the room on the stack, the
// last byte first.
func (b *block) copyPart(from, to reg.Register, w int) {
	b.copies++
	label := fmt.Sprintf("byte%d", b.copies)
	last := func(base reg.Register) Mem {
		m := at(base, 0)
		if base == reg.StackPointer {
			m = b.part
		}
		m.Index, m.Scale, m.Disp = reg.RCX, 1, m.Disp-1
		return m
	}
	b.IMUL3Q(Imm(uint64(w)), b.n, reg.RCX)
	b.Label(label)
	b.MOVB(last(from), reg.AL)
	b.MOVB(reg.AL, last(to))
	b.DECQ(reg.RCX)
	b.JNZ(LabelRef(label))
}

// boolBytes turns a mask into bytes 0 and 1 in the lowest lanes.
func (b *block) boolBytes(mask Op) Op {
	r := b.XMM()
	ones := b.bits(0x01010101)
	if b.wide {
		b.VMOVDQU8_Z(ones, mask, r)
		return r
	}
	y := mask.(reg.VecVirtual)
	hi := b.XMM()
	b.VEXTRACTF128(Imm(1), y, hi)
	if b.width == 8 { // 4 lanes of 64 bits to 32
		b.VSHUFPS(Imm(0x88), hi, y.AsX(), r)
		b.VPACKSSDW(r, r, r)
	} else {
		b.VPACKSSDW(hi, y.AsX(), r)
	}
	b.VPACKSSWB(r, r, r)
	b.VPAND(ones, r, r)
	return r
}
