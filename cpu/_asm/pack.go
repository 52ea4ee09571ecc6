package main

import (
	"fmt"

	. "github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

// Offsets of the fields of packArgs.
const (
	packDst   = 8 * iota
	packStep  // bytes between columns in the panel
	packSrc   // element (0, 0)
	packSrcS  // bytes between columns of the source
	packCols  // columns
	packRows  // rows that there are
	packPanel // bytes between panels
	packTable // pointers to the rows
)

// emitPack writes what packs panels: by copying where the rows of a column lie
// one after the other, by transposing where the columns of a row do.
func (g *isa) emitPack() {
	if g.wide {
		g.packCopy(32)
		g.packCopyWide(32)
		g.packCopy(12)
		g.packCopyWide(12)
		g.packTranspose(16)
		g.packTranspose(12)
		return
	}
	g.packCopy(16)
	g.packCopyWide(16)
	g.packCopy(6)
	g.packCopyWide(6)
	g.packTranspose(8)
	g.packTranspose(6)
}

// packCopy writes the copy of columns of w rows, of which packRows are there;
// the others get zeros.
func (g *isa) packCopy(w int) {
	name := fmt.Sprintf("copy%sx%d", g.name, w)
	g.begin(fmt.Sprintf("// %s packs columns of up to %d contiguous rows; see packArgs.", name, w), name, "args", "*packArgs")
	args, dst, step, src, srcS, count := reg.RDI, reg.R8, reg.R9, reg.R10, reg.R11, reg.R12
	g.load("args", args)
	g.MOVQ(at(args, packDst), dst)
	g.MOVQ(at(args, packStep), step)
	g.MOVQ(at(args, packSrc), src)
	g.MOVQ(at(args, packSrcS), srcS)
	g.MOVQ(at(args, packCols), count)
	g.MOVQ(at(args, packRows), reg.RDX)
	nv := (w + g.lanes - 1) / g.lanes
	g.CMPQ(reg.RDX, U32(w))
	g.JL(LabelRef("short"))
	if w%g.lanes == 0 {
		g.Label("loop")
		for j := range nv {
			g.VMOVUPS(at(src, j*g.bytes), g.v(j))
		}
		for j := range nv {
			g.VMOVUPS(g.v(j), at(dst, j*g.bytes))
		}
		g.ADDQ(srcS, src)
		g.ADDQ(step, dst)
		g.DECQ(count)
		g.JNZ(LabelRef("loop"))
		g.end()
	}
	g.Label("short")
	// One masked vector; a second one only where the first is full.
	if nv == 2 {
		g.zero(1)
		g.CMPQ(reg.RDX, U32(g.lanes))
		g.JG(LabelRef("second"))
	}
	g.setMask(reg.RDX)
	g.Label("one")
	g.loadMasked(at(src, 0), 0, 15)
	g.packStore(w, dst)
	g.ADDQ(srcS, src)
	g.ADDQ(step, dst)
	g.DECQ(count)
	g.JNZ(LabelRef("one"))
	g.end()
	if nv == 2 {
		g.Label("second")
		g.SUBQ(U32(g.lanes), reg.RDX)
		g.setMask(reg.RDX)
		g.Label("two")
		g.VMOVUPS(at(src, 0), g.v(0))
		g.loadMasked(at(src, g.bytes), 1, 15)
		g.packStore(w, dst)
		g.ADDQ(srcS, src)
		g.ADDQ(step, dst)
		g.DECQ(count)
		g.JNZ(LabelRef("two"))
		g.end()
	}
}

// packPanels is the number of panels that packCopyWide packs.
const packPanels = 4

// packCopyWide writes the copy of columns of packPanels·w contiguous rows to as
// many panels. A column of one panel is but a line or two of a page: read
// alone, each would wait for the memory.
func (g *isa) packCopyWide(w int) {
	name := fmt.Sprintf("copy%sx%dx%d", g.name, packPanels, w)
	g.begin(fmt.Sprintf("// %s packs columns of %d panels of %d contiguous rows; see packArgs.", name, packPanels, w), name, "args", "*packArgs")
	args, dst, step, src, srcS, count, panel, three, ahead := reg.RDI, reg.R8, reg.R9, reg.R10, reg.R11, reg.R12, reg.R13, reg.RBX, reg.RDX
	g.load("args", args)
	g.MOVQ(at(args, packDst), dst)
	g.MOVQ(at(args, packStep), step)
	g.MOVQ(at(args, packSrc), src)
	g.MOVQ(at(args, packSrcS), srcS)
	g.MOVQ(at(args, packCols), count)
	g.MOVQ(at(args, packPanel), panel)
	g.LEAQ(idx(panel, panel, 2, 0), three)
	g.Label("loop")
	g.LEAQ(idx(src, srcS, 8, 0), ahead)
	for d := 0; d < packPanels*4*w; d += 64 {
		g.PREFETCHT0(at(ahead, d))
	}
	// A panel's part of a column, in the largest pieces that it has.
	type piece struct {
		off   int
		load  func(Mem, reg.VecPhysical)
		store func(reg.VecPhysical, Mem)
		reg   func(i int) reg.VecPhysical
	}
	whole := func(off int, v []reg.VecPhysical) piece {
		return piece{off, func(m Mem, r reg.VecPhysical) { g.VMOVUPS(m, r) }, func(r reg.VecPhysical, m Mem) { g.VMOVUPS(r, m) }, func(i int) reg.VecPhysical { return v[i] }}
	}
	var pieces []piece
	switch w {
	case 12:
		pieces = []piece{whole(0, ymm), whole(32, xmm)}
	case 6:
		low := whole(16, xmm)
		low.load = func(m Mem, r reg.VecPhysical) { g.VMOVSD(m, r) }
		low.store = func(r reg.VecPhysical, m Mem) { g.VMOVLPS(r, m) }
		pieces = []piece{whole(0, xmm), low}
	default:
		for d := 0; d < 4*w; d += g.bytes {
			v := ymm
			if g.wide {
				v = zmm
			}
			pieces = append(pieces, whole(d, v))
		}
	}
	for p := range packPanels {
		for i, x := range pieces {
			x.load(at(src, 4*w*p+x.off), x.reg(p*len(pieces)+i))
		}
	}
	for p := range packPanels {
		for i, x := range pieces {
			m := at(dst, x.off)
			switch p {
			case 1, 2:
				m = idx(dst, panel, uint8(p), x.off)
			case 3:
				m = idx(dst, three, 1, x.off)
			}
			x.store(x.reg(p*len(pieces)+i), m)
		}
	}
	g.ADDQ(srcS, src)
	g.ADDQ(step, dst)
	g.DECQ(count)
	g.JNZ(LabelRef("loop"))
	g.end()
}

// packStore stores w elements of vectors 0 and 1.
func (g *isa) packStore(w int, dst reg.GPPhysical) {
	switch w {
	case 12:
		g.VMOVUPS(ymm[0], at(dst, 0))
		g.VEXTRACTF32X4(Imm(2), zmm[0], xmm[2])
		g.VMOVUPS(xmm[2], at(dst, 32))
	case 6:
		g.VMOVUPS(xmm[0], at(dst, 0))
		g.VEXTRACTF128(Imm(1), ymm[0], xmm[2])
		g.VMOVLPS(xmm[2], at(dst, 16))
	default:
		for j := range (w + g.lanes - 1) / g.lanes {
			g.VMOVUPS(g.v(j), at(dst, j*g.bytes))
		}
	}
}

// packTranspose writes the transposition of w rows, packCols columns of them, a
// multiple of 4. Four columns of the rows i, i+4, i+8, … make the quarters of
// one vector, so that transposing 4x4 blocks inside the quarters gives columns.
func (g *isa) packTranspose(w int) {
	name := fmt.Sprintf("transpose%sx%d", g.name, w)
	g.begin(fmt.Sprintf("// %s packs %d rows whose columns are contiguous; see packArgs.", name, w), name, "args", "*packArgs")
	args, dst, step, off, count, p := reg.RDI, reg.R8, reg.R9, reg.R10, reg.R12, reg.RAX
	g.load("args", args)
	g.MOVQ(at(args, packDst), dst)
	g.MOVQ(at(args, packStep), step)
	g.MOVQ(at(args, packCols), count)
	g.XORQ(off, off)
	for _, units := range []int{2, 1} { // of four columns
		label := fmt.Sprintf("by%d", 4*units)
		g.Label(label)
		g.CMPQ(count, Imm(uint64(4*units)))
		g.JLT(LabelRef(label + "_end"))
		for i := range 4 {
			for l := range (w + 3) / 4 {
				row := 4*l + i
				if row >= w {
					continue
				}
				g.MOVQ(at(args, packTable+8*row), p)
				for u := range units {
					g.quarter(idx(p, off, 1, 16*u), l, 4*u+i)
				}
			}
		}
		for u := range units {
			g.transpose4(4*u, 8)
			for c := range 4 {
				from := 4*u + c
				switch w {
				case 12:
					g.VMOVUPS(ymm[from], at(dst, 0))
					g.VEXTRACTF32X4(Imm(2), zmm[from], at(dst, 32))
				case 6:
					g.VMOVUPS(xmm[from], at(dst, 0))
					g.VEXTRACTF128(Imm(1), ymm[from], xmm[8])
					g.VMOVLPS(xmm[8], at(dst, 16))
				default:
					g.VMOVUPS(g.v(from), at(dst, 0))
				}
				g.ADDQ(step, dst)
			}
		}
		g.ADDQ(Imm(uint64(16*units)), off)
		g.SUBQ(Imm(uint64(4*units)), count)
		if units == 2 {
			g.JMP(LabelRef(label))
		}
		g.Label(label + "_end")
	}
	g.end()
}

// quarter loads four elements to quarter l of vector t; quarter 0 comes first and
// clears the others.
func (g *isa) quarter(m Mem, l, t int) {
	switch {
	case l == 0:
		g.VMOVUPS(m, xmm[t])
	case l == 1 && g.wide:
		g.VINSERTF32X4(Imm(1), m, ymm[t], ymm[t])
	case g.wide:
		g.VINSERTF32X4(Imm(uint64(l)), m, zmm[t], zmm[t])
	default:
		g.VINSERTF128(Imm(1), m, ymm[t], ymm[t])
	}
}

// transpose4 transposes the 4x4 blocks that the quarters of vectors z to z+3
// make, in place; it needs the four vectors from t on.
func (g *isa) transpose4(z, t int) {
	g.VUNPCKLPS(g.v(z+1), g.v(z), g.v(t))
	g.VUNPCKHPS(g.v(z+1), g.v(z), g.v(t+1))
	g.VUNPCKLPS(g.v(z+3), g.v(z+2), g.v(t+2))
	g.VUNPCKHPS(g.v(z+3), g.v(z+2), g.v(t+3))
	g.VUNPCKLPD(g.v(t+2), g.v(t), g.v(z))
	g.VUNPCKHPD(g.v(t+2), g.v(t), g.v(z+1))
	g.VUNPCKLPD(g.v(t+3), g.v(t+1), g.v(z+2))
	g.VUNPCKHPD(g.v(t+3), g.v(t+1), g.v(z+3))
}
