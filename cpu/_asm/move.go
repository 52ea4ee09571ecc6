package main

import (
	"fmt"

	. "github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

func emitMove(f *file) {
	for _, g := range isas(f) {
		g.moveRows("copyRows", "copies rows of n bytes", false)
		g.moveRows("streamRows", "copies rows of n bytes past the cache; those at dst begin at multiples of 64", true)
		g.gatherRows()
		g.transpose(4)
		g.transpose(8)
	}
	isas(f)[1].fence()
}

// moveRows writes a copy of rows that are strides of bytes apart. Streaming
// takes the vectors of a row past the cache; what is left of it is stored as
// always.
func (g *isa) moveRows(name, doc string, stream bool) {
	name += g.name
	g.begin(fmt.Sprintf("// %s %s.", name, doc), name, "dst", "unsafe.Pointer", "src", "unsafe.Pointer", "dstStride", "int", "srcStride", "int", "rows", "int", "n", "int")
	dst, src, ds, ss, rows, n := reg.RDI, reg.RSI, reg.R8, reg.R9, reg.RDX, reg.R10
	g.load("dst", dst)
	g.load("src", src)
	g.load("dstStride", ds)
	g.load("srcStride", ss)
	g.load("rows", rows)
	g.load("n", n)
	d, s, k := reg.R11, reg.R12, reg.R13
	g.tailMask(n)
	g.Label("row")
	g.MOVQ(dst, d)
	g.MOVQ(src, s)
	g.MOVQ(n, k)
	if !stream { // rows far apart: the processor does not see them coming
		for _, line := range []int{0, 64, 128, 192} {
			g.PREFETCHT0(idx(src, ss, 8, line))
		}
	}
	g.copyBytes(d, s, k, stream)
	g.ADDQ(ds, dst)
	g.ADDQ(ss, src)
	g.DECQ(rows)
	g.JNZ(LabelRef("row"))
	g.end()
}

// tailMask makes the mask, K1, of the bytes that n leaves beside whole vectors,
// where there are masks of bytes. It clobbers RAX and RCX.
func (g *isa) tailMask(n reg.GPPhysical) {
	if !g.wide {
		return
	}
	g.MOVQ(n, reg.RCX)
	g.ANDQ(U32(g.bytes-1), reg.RCX)
	g.MOVQ(U32(1), reg.RAX)
	g.SHLQ(reg.CL, reg.RAX)
	g.DECQ(reg.RAX)
	g.KMOVQ(reg.RAX, reg.K1)
}

// copyBytes copies k bytes, for which tailMask made the mask, and moves the
// pointers. It clobbers RAX.
func (g *isa) copyBytes(d, s, k reg.GPPhysical, stream bool) {
	unroll := 128 / g.bytes
	store := g.VMOVUPS
	if stream {
		store = func(ops ...Op) { g.VMOVNTPS(ops[0], ops[1]) }
	}
	g.SUBQ(U32(unroll*g.bytes), k)
	g.JLT(LabelRef("few"))
	g.Label("many")
	for j := range unroll {
		g.VMOVUPS(at(s, j*g.bytes), g.v(j))
	}
	for j := range unroll {
		store(g.v(j), at(d, j*g.bytes))
	}
	g.ADDQ(U32(unroll*g.bytes), s)
	g.ADDQ(U32(unroll*g.bytes), d)
	g.SUBQ(U32(unroll*g.bytes), k)
	g.JGE(LabelRef("many"))
	g.Label("few")
	g.ADDQ(U32(unroll*g.bytes), k)
	g.Label("vector")
	g.CMPQ(k, U32(g.bytes))
	g.JLT(LabelRef("words"))
	g.VMOVUPS(at(s, 0), g.v(0))
	store(g.v(0), at(d, 0))
	g.ADDQ(U32(g.bytes), s)
	g.ADDQ(U32(g.bytes), d)
	g.SUBQ(U32(g.bytes), k)
	g.JMP(LabelRef("vector"))
	g.Label("words")
	if g.wide {
		g.TESTQ(k, k)
		g.JZ(LabelRef("copied"))
		g.VMOVDQU8_Z(at(s, 0), reg.K1, g.v(0))
		g.VMOVDQU8(g.v(0), reg.K1, at(d, 0))
		g.ADDQ(k, d)
		g.Label("copied")
		return
	}
	g.CMPQ(k, U32(8))
	g.JLT(LabelRef("four"))
	g.MOVQ(at(s, 0), reg.RAX)
	g.MOVQ(reg.RAX, at(d, 0))
	g.ADDQ(Imm(8), s)
	g.ADDQ(Imm(8), d)
	g.SUBQ(Imm(8), k)
	g.JMP(LabelRef("words"))
	for _, t := range []struct {
		label, next string
		n           uint64
	}{{"four", "two", 4}, {"two", "one", 2}, {"one", "copied", 1}} {
		g.Label(t.label)
		g.CMPQ(k, U32(t.n))
		g.JLT(LabelRef(t.next))
		switch t.n {
		case 4:
			g.MOVL(at(s, 0), reg.EAX)
			g.MOVL(reg.EAX, at(d, 0))
		case 2:
			g.MOVW(at(s, 0), reg.AX)
			g.MOVW(reg.AX, at(d, 0))
		case 1:
			g.MOVB(at(s, 0), reg.AL)
			g.MOVB(reg.AL, at(d, 0))
		}
		g.ADDQ(Imm(t.n), s)
		g.ADDQ(Imm(t.n), d)
		g.SUBQ(Imm(t.n), k)
	}
	g.Label("copied")
}

// gatherRows writes a copy of rows that are anywhere to rows that lie one after
// the other. Rows are fetched ahead, for the processor cannot guess them.
func (g *isa) gatherRows() {
	const ahead = 6
	name := "gatherRows" + g.name
	g.begin(fmt.Sprintf("// %s copies rows of n bytes, those at src + offs[i].", name), name, "dst", "unsafe.Pointer", "src", "unsafe.Pointer", "offs", "*int", "rows", "int", "n", "int")
	d, src, offs, rows, n := reg.RDI, reg.RSI, reg.R8, reg.RDX, reg.R10
	g.load("dst", d)
	g.load("src", src)
	g.load("offs", offs)
	g.load("rows", rows)
	g.load("n", n)
	s, k, next, last := reg.R12, reg.R13, reg.R9, reg.R11
	g.LEAQ(idx(offs, rows, 8, -8), last)
	g.tailMask(n)
	g.Label("row")
	g.LEAQ(at(offs, 8*ahead), next)
	g.CMPQ(next, last)
	g.CMOVQGT(last, next)
	g.MOVQ(at(next, 0), next)
	for _, line := range []int{0, 64, 128, 192} {
		g.PREFETCHT0(idx(src, next, 1, line))
	}
	g.MOVQ(at(offs, 0), s)
	g.ADDQ(src, s)
	g.MOVQ(n, k)
	g.copyBytes(d, s, k, false)
	g.ADDQ(Imm(8), offs)
	g.DECQ(rows)
	g.JNZ(LabelRef("row"))
	g.end()
}

// transpose writes dst[r, c] = src[c, r] for elements of size bytes, in blocks
// of as many rows and columns as a vector has elements; there are whole blocks.
func (g *isa) transpose(size int) {
	n := g.bytes / size
	name := fmt.Sprintf("transpose%dx%s", size, g.name)
	g.begin(fmt.Sprintf("// %s writes dst[r, c] = src[c, r] for elements of %d bytes; rows and cols are multiples of %d.", name, size, n), name,
		"dst", "unsafe.Pointer", "src", "unsafe.Pointer", "dstStride", "int", "srcStride", "int", "rows", "int", "cols", "int")
	dst, src, ds, ss, rows, cols := reg.RDI, reg.RSI, reg.R8, reg.R9, reg.RDX, reg.R10
	g.load("dst", dst)
	g.load("src", src)
	g.load("dstStride", ds)
	g.load("srcStride", ss)
	g.load("rows", rows)
	g.load("cols", cols)
	p, q, ss3, ds3, left, from, to := reg.RAX, reg.RBX, reg.R11, reg.R12, reg.R13, reg.RCX, reg.R15
	g.LEAQ(idx(ss, ss, 2, 0), ss3)
	g.LEAQ(idx(ds, ds, 2, 0), ds3)
	line := func(base, stride, three reg.GPPhysical, i int) Mem {
		switch i % 4 {
		case 1:
			return idx(base, stride, 1, 0)
		case 2:
			return idx(base, stride, 2, 0)
		case 3:
			return idx(base, three, 1, 0)
		}
		return at(base, 0)
	}
	g.Label("columns")
	g.MOVQ(rows, left)
	g.MOVQ(src, from)
	g.MOVQ(dst, to)
	g.Label("rows")
	g.MOVQ(from, p)
	x := make([]reg.VecPhysical, n)
	for i := range x {
		x[i] = g.v(i)
		g.VMOVUPS(line(p, ss, ss3, i), x[i])
		if i%4 == 3 && i < n-1 {
			g.LEAQ(idx(p, ss, 4, 0), p)
		}
	}
	g.MOVQ(to, q)
	for i, y := range g.transposed(x, size) {
		g.VMOVUPS(y, line(q, ds, ds3, i))
		if i%4 == 3 && i < n-1 {
			g.LEAQ(idx(q, ds, 4, 0), q)
		}
	}
	g.ADDQ(U32(g.bytes), from)
	g.MOVQ(U32(n), reg.RAX)
	g.IMULQ(ds, reg.RAX)
	g.ADDQ(reg.RAX, to)
	g.SUBQ(U32(n), left)
	g.JNZ(LabelRef("rows"))
	g.ADDQ(U32(g.bytes), dst)
	g.MOVQ(U32(n), reg.RAX)
	g.IMULQ(ss, reg.RAX)
	g.ADDQ(reg.RAX, src)
	g.SUBQ(U32(n), cols)
	g.JNZ(LabelRef("columns"))
	g.end()
}

// transposed returns the registers of the transpose of x, whose elements are of
// size bytes. Pairs of elements change places first, then pairs of pairs within
// 16 bytes, and then runs of 16 bytes.
func (g *isa) transposed(x []reg.VecPhysical, size int) []reg.VecPhysical {
	n := len(x)
	other := func(i int) reg.VecPhysical { return g.v(n + i) }
	y := make([]reg.VecPhysical, n)
	for i := range y {
		y[i] = other(i)
	}
	lo, hi := g.VUNPCKLPS, g.VUNPCKHPS
	if size == 8 {
		lo, hi = func(o ...Op) { g.VUNPCKLPD(o...) }, func(o ...Op) { g.VUNPCKHPD(o...) }
	}
	for i := 0; i < n; i += 2 {
		lo(x[i+1], x[i], y[i])
		hi(x[i+1], x[i], y[i+1])
	}
	x, y = y, x
	if size == 4 {
		for i := 0; i < n; i += 4 {
			g.VUNPCKLPD(x[i+2], x[i], y[i])
			g.VUNPCKHPD(x[i+2], x[i], y[i+1])
			g.VUNPCKLPD(x[i+3], x[i+1], y[i+2])
			g.VUNPCKHPD(x[i+3], x[i+1], y[i+3])
		}
		x, y = y, x
	}
	k := 16 / size // vectors of a group
	if !g.wide {
		for j := range k {
			g.VPERM2F128(Imm(0x20), x[j+k], x[j], y[j])
			g.VPERM2F128(Imm(0x31), x[j+k], x[j], y[j+k])
		}
		return y
	}
	for j := range k {
		g.VSHUFF32X4(Imm(0x88), x[j+k], x[j], y[j])
		g.VSHUFF32X4(Imm(0xdd), x[j+k], x[j], y[j+k])
		g.VSHUFF32X4(Imm(0x88), x[j+3*k], x[j+2*k], y[j+2*k])
		g.VSHUFF32X4(Imm(0xdd), x[j+3*k], x[j+2*k], y[j+3*k])
	}
	for j := range k {
		g.VSHUFF32X4(Imm(0x88), y[j+2*k], y[j], x[j])
		g.VSHUFF32X4(Imm(0xdd), y[j+2*k], y[j], x[j+2*k])
		g.VSHUFF32X4(Imm(0x88), y[j+3*k], y[j+k], x[j+k])
		g.VSHUFF32X4(Imm(0xdd), y[j+3*k], y[j+k], x[j+3*k])
	}
	return x
}

// fence writes a wait for the stores that went past the cache.
func (g *isa) fence() {
	g.begin("// fence orders stores past the cache before those that follow.", "fence")
	g.SFENCE()
	g.RET()
}
