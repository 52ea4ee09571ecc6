package main

import (
	"fmt"

	. "github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

// Offsets of the fields of axpyArgs.
const (
	axpyY  = 8 * iota
	axpyN  // columns, at least 1
	axpyX  // x[0]
	axpyXS // bytes between elements of x
	axpyB
	axpyBS // bytes between rows of B
	axpyK
)

// emitVector writes y[n] += Σ_k x[k]·B[k, n], eight rows of B at a time: a
// chain of fused multiply-adds in order of k for each element.
func (g *isa) emitVector() {
	name := "axpy" + g.name
	g.begin(fmt.Sprintf("// %s adds the product of a vector and a matrix to y; see axpyArgs.", name), name, "args", "*axpyArgs")
	args, xs, bs, k := reg.RDI, reg.RSI, reg.R8, reg.R9
	y, n := reg.R10, reg.R11
	p := []reg.GPPhysical{reg.R12, reg.R13, reg.RBX}
	x, b := reg.RDX, reg.R15
	g.load("args", args)
	g.MOVQ(at(args, axpyXS), xs)
	g.MOVQ(at(args, axpyBS), bs)
	g.MOVQ(at(args, axpyK), k)
	g.MOVQ(at(args, axpyX), x)
	g.MOVQ(at(args, axpyB), b)
	for _, rows := range []int{8, 1} {
		label := fmt.Sprintf("by%d", rows)
		g.Label(label)
		g.CMPQ(k, Imm(uint64(rows)))
		g.JLT(LabelRef(label + "_end"))
		first := 4 // x[i] is in register first + i
		for i := range rows {
			g.broadcast(at(x, 0), g.v(first+i))
			g.ADDQ(xs, x)
		}
		g.MOVQ(b, p[0])
		if rows > 1 {
			g.LEAQ(idx(bs, bs, 2, 0), reg.RAX)
			g.LEAQ(idx(p[0], reg.RAX, 1, 0), p[1])
			g.LEAQ(idx(p[1], reg.RAX, 1, 0), p[2])
		}
		row := func(i, disp int) Mem {
			switch i % 3 {
			case 1:
				return idx(p[i/3], bs, 1, disp)
			case 2:
				return idx(p[i/3], bs, 2, disp)
			}
			return at(p[i/3], disp)
		}
		g.MOVQ(at(args, axpyY), y)
		g.MOVQ(at(args, axpyN), n)
		g.Label(label + "_loop")
		for _, nv := range []int{2, 1} {
			l := fmt.Sprintf("%s_v%d", label, nv)
			g.Label(l)
			g.CMPQ(n, Imm(uint64(nv*g.lanes)))
			g.JLT(LabelRef(l + "_end"))
			for j := range nv {
				g.VMOVUPS(at(y, j*g.bytes), g.v(j))
			}
			for i := range rows {
				for j := range nv {
					g.multiplyAdd(row(i, j*g.bytes), g.v(first+i), g.v(j))
				}
			}
			for j := range nv {
				g.VMOVUPS(g.v(j), at(y, j*g.bytes))
			}
			for q := range (rows + 2) / 3 {
				g.ADDQ(Imm(uint64(nv*g.bytes)), p[q])
			}
			g.ADDQ(Imm(uint64(nv*g.bytes)), y)
			g.SUBQ(Imm(uint64(nv*g.lanes)), n)
			if nv == 2 {
				g.JMP(LabelRef(l))
			}
			g.Label(l + "_end")
		}
		g.TESTQ(n, n)
		g.JZ(LabelRef(label + "_row"))
		g.setMask(n)
		g.loadMasked(at(y, 0), 0, 15)
		for i := range rows {
			g.loadMasked(row(i, 0), 1, 15)
			g.multiplyAdd(g.v(1), g.v(first+i), g.v(0))
		}
		g.storeMasked(0, at(y, 0), 15)
		g.Label(label + "_row")
		if rows == 8 {
			g.LEAQ(idx(b, bs, 8, 0), b)
		} else {
			g.ADDQ(bs, b)
		}
		g.SUBQ(Imm(uint64(rows)), k)
		g.JMP(LabelRef(label))
		g.Label(label + "_end")
	}
	g.end()
}

// Offsets of the fields of dotArgs.
const (
	dotOut   = 8 * iota
	dotX     // x[0]
	dotXS    // bytes between elements of x
	dotK     // blocks of dotDepth
	dotTable // pointers to dotColumns rows
)

const (
	dotColumns = 32
	dotDepth   = 16
)

// emitDot writes out[j] += Σ_k x[k]·B[k, j] for 32 columns of B that are
// contiguous each, found by a table: a chain of fused multiply-adds in order of k
// for each. As in packTranspose, columns i, i+4, i+8, … make the quarters of a
// vector. One chain does not keep up with the memory: those of all 32 columns,
// 16 deep, are in flight at once. Columns are often a power of 2 apart and
// compete for a set of the cache, so that a line is used up when it is read.
func (g *isa) emitDot() {
	name := "dot" + g.name
	g.begin(fmt.Sprintf("// %s adds the products of a vector and %d columns to out; see dotArgs.", name, dotColumns), name, "args", "*dotArgs")
	args, out, x, xs, k, off, p, xk := reg.RDI, reg.R8, reg.R9, reg.RSI, reg.RDX, reg.R10, reg.R11, reg.RAX
	g.load("args", args)
	g.MOVQ(at(args, dotOut), out)
	g.MOVQ(at(args, dotX), x)
	g.MOVQ(at(args, dotXS), xs)
	g.MOVQ(at(args, dotK), k)
	g.XORQ(off, off)
	units := 2 // of four elements of a column, in registers at once
	temp := 8
	if g.wide {
		units, temp = 4, 16
	}
	groups := dotColumns / g.lanes
	acc := func(q int) reg.VecPhysical { return g.v(temp + 4 + q) }
	for q := range groups {
		g.VMOVUPS(at(out, q*g.bytes), acc(q))
	}
	g.Label("loop")
	for q := range groups {
		g.MOVQ(x, xk)
		for u0 := 0; u0 < dotDepth/4; u0 += units {
			for row := range g.lanes {
				g.MOVQ(at(args, dotTable+8*(q*g.lanes+row)), p)
				if u0 == 0 {
					g.PREFETCHT1(idx(p, off, 1, 512))
				}
				for u := range units {
					g.quarter(idx(p, off, 1, 16*(u0+u)), row/4, 4*u+row%4)
				}
			}
			for u := range units {
				g.transpose4(4*u, temp)
				for c := range 4 {
					if g.wide {
						g.VFMADD231PS_BCST(at(xk, 0), g.v(4*u+c), acc(q))
					} else {
						g.VBROADCASTSS(at(xk, 0), g.v(temp+c))
						g.VFMADD231PS(g.v(4*u+c), g.v(temp+c), acc(q))
					}
					g.ADDQ(xs, xk)
				}
			}
		}
	}
	g.MOVQ(xk, x)
	g.ADDQ(Imm(4*dotDepth), off)
	g.DECQ(k)
	g.JNZ(LabelRef("loop"))
	for q := range groups {
		g.VMOVUPS(acc(q), at(out, q*g.bytes))
	}
	g.end()
}

// emitPeak writes a loop of fused multiply-adds on registers, to measure what
// the processor can do.
func (g *isa) emitPeak() {
	const chains = 12
	name := "peak" + g.name
	g.begin(fmt.Sprintf("// %s does n rounds of %d fused multiply-adds on vectors of %d.", name, chains, g.lanes), name, "n", "int")
	g.load("n", reg.RAX)
	for i := range chains + 1 {
		g.zero(i)
	}
	g.Label("loop")
	for i := range chains {
		g.VFMADD231PS(g.v(chains), g.v(chains), g.v(i))
	}
	g.DECQ(reg.RAX)
	g.JNZ(LabelRef("loop"))
	g.end()
}
