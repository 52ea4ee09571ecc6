package main

import (
	"fmt"
	"slices"
	"strings"

	"github.com/mmcloughlin/avo/ir"
	. "github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

// The chain machine runs several float32 ops over a chunk of 8 vectors of AVX-512,
// or 4 of AVX2, at a time, with the last result in registers: the accumulator. The
// wider a chunk, the less it costs to get from one op to the next. Its code is a
// list of pairs of words, the address of a routine and the routine's argument;
// each routine jumps to the next one's, so that nothing is called and the stack
// is never touched. What an argument names depends on the routine's kind:
//
//	M  memory: an index of the pointer table; chunks follow each other there
//	T  a temporary: an offset in the temporaries, which hold one chunk
//	U  a uniform value: an index of the pointer table
//
// Masks are lanes of all ones or zeros in the accumulator. fused.go of package
// cpu writes the code.

// fusedVectors is the number of vectors of a chunk.
func (g *isa) fusedVectors() int {
	if g.wide {
		return 8
	}
	return 4
}

// Offsets of the fields of fusedArgs.
const (
	fusedCode   = 8 * iota
	fusedTmp    // the temporaries
	fusedChunks // at least 1
	fusedPtrs   // the pointer table
)

var fusedPC, fusedTable, fusedT, fusedPos, fusedCount, fusedStart = reg.R8, reg.R9, reg.R10, reg.R11, reg.R12, reg.R13

var fusedKinds = []string{"M", "T", "U"}

// fusedOps are the ops the machine has: all of float32, but for Where and for those
// whose kernels hand large angles to others.
func fusedOps() []mapOp {
	var l []mapOp
	for _, o := range mapOps {
		angle := o.name == "Sin" || o.name == "Cos" || o.name == "Tan"
		if !angle && !slices.ContainsFunc(o.in, func(n int) bool { return n != 4 }) && len(o.in) < 3 {
			l = append(l, o)
		}
	}
	return l
}

// commutes are the ops whose arguments may change places.
var commutes = map[string]bool{"Add": true, "Mul": true, "Maximum": true, "Minimum": true, "Equal": true, "NotEqual": true}

func emitFused(f *file) {
	unary, binary := "", ""
	for n, g := range isas(f) {
		var all []string
		routine := func(name string, body func()) {
			full := "fused" + name + g.name
			g.begin(fmt.Sprintf("// %s is a routine of the chain machine.", full), full)
			body()
			all = append(all, full)
		}
		g.fusedEntry()
		g.fusedMoves(routine)
		for _, o := range fusedOps() {
			first := len(all)
			if len(o.in) == 1 {
				routine(o.name, func() {
					g.fusedApply(func(j int) Op { return o.body(g, []Op{g.fusedAcc(o, j)}) })
					g.fusedNext()
				})
				if n == 0 {
					unary += fmt.Sprintf("\tir.Op%s: %d,\n", o.name, first)
				}
				continue
			}
			g.fusedBinary(routine, o, false)
			second := first
			if !commutes[o.name] {
				second = len(all)
				g.fusedBinary(routine, o, true)
			}
			if n == 0 {
				binary += fmt.Sprintf("\tir.Op%s: {%d, %d},\n", o.name, first, second)
			}
		}
		f.fusedTable(g.name, all)
		f.stubs = append(f.stubs, fmt.Sprintf("// fusedRoutines%s returns the table of the routines' addresses.\nfunc fusedRoutines%s() unsafe.Pointer\n", g.name, g.name))
		f.stubs = append(f.stubs, fmt.Sprintf("// fusedChunk%s is the elements of a chunk.\nconst fusedChunk%s = %d\n", g.name, g.name, g.fusedVectors()*g.lanes))
		if n == 0 {
			f.stubs = append(f.stubs, fmt.Sprintf("// numFused is how many routines there are.\nconst numFused = %d\n", len(all)))
		}
	}
	f.stubs = append(f.stubs,
		"// fusedUnary has the routines of ops of one argument.\nvar fusedUnary = map[ir.Op]int{\n"+unary+"}\n",
		"// fusedBinary has the first routines of ops of two arguments, and the first of\n// those that take the accumulator as the second one.\nvar fusedBinary = map[ir.Op][2]int{\n"+binary+"}\n")
	f.imports = append(f.imports, "github.com/fornax-ml/fornax/tensor/ir")
}

// fusedBinary writes the routines of an op of two arguments, by the kind of the
// one that is not the accumulator.
func (g *isa) fusedBinary(routine func(name string, body func()), o mapOp, reversed bool) {
	for _, kind := range fusedKinds {
		name := o.name + kind
		if reversed {
			name = "Reverse" + name
		}
		routine(name, func() {
			operand := g.fusedOperand(kind)
			load := func(j int) Op {
				if kind == "U" {
					return operand(j)
				}
				return g.copyOf(operand(j)) // mostly no instruction: see foldLoads
			}
			g.fusedApply(func(j int) Op {
				if reversed {
					return o.body(g, []Op{load(j), g.fusedAcc(o, j)})
				}
				return o.body(g, []Op{g.fusedAcc(o, j), load(j)})
			})
			g.fusedNext()
		})
	}
}

// fusedAcc is vector j of the accumulator as an argument of o: a copy for the
// functions that take vectors apart, which needs a register that is not fixed.
func (g *isa) fusedAcc(o mapOp, j int) Op {
	if o.name == "Pow" {
		return g.copyOf(g.v(j))
	}
	return g.v(j)
}

// fusedTable writes a table of addresses and the function that returns its own.
func (f *file) fusedTable(set string, routines []string) {
	var b strings.Builder
	for i, r := range routines {
		fmt.Fprintf(&b, "DATA fusedTable%s<>+%d(SB)/8, $·%s(SB)\n", set, 8*i, r)
	}
	fmt.Fprintf(&b, "GLOBL fusedTable%s<>(SB), RODATA, $%d\n\n", set, 8*len(routines))
	fmt.Fprintf(&b, "// func fusedRoutines%[1]s() unsafe.Pointer\nTEXT ·fusedRoutines%[1]s(SB), NOSPLIT, $0-8\n\tLEAQ fusedTable%[1]s<>(SB), AX\n\tMOVQ AX, ret+0(FP)\n\tRET\n\n", set)
	f.tail += b.String()
}

// fusedEntry writes the function that starts the machine.
func (g *isa) fusedEntry() {
	name := "fused" + g.name
	g.begin(fmt.Sprintf("// %s runs code over whole chunks; see fusedArgs.", name), name, "args", "*fusedArgs")
	g.load("args", fusedTable)
	g.MOVQ(at(fusedTable, fusedCode), fusedStart)
	g.MOVQ(at(fusedTable, fusedTmp), fusedT)
	g.MOVQ(at(fusedTable, fusedChunks), fusedCount)
	g.ADDQ(Imm(fusedPtrs), fusedTable)
	g.XORQ(fusedPos, fusedPos)
	g.MOVQ(fusedStart, fusedPC)
	g.fusedJump()
}

// fusedNext goes on to the next routine, to which the accumulator and the registers
// alive are handed on.
func (g *isa) fusedNext(alive ...Op) {
	g.ADDQ(Imm(16), fusedPC)
	alive = slices.Clone(alive)
	for j := range g.fusedVectors() {
		alive = append(alive, g.v(j))
	}
	g.fusedJump(alive...)
}

// fusedJump jumps to the routine of the code's next word, to which the registers
// alive are handed on.
func (g *isa) fusedJump(alive ...Op) {
	g.MOVQ(at(fusedPC, 0), reg.RAX)
	g.Instruction(&ir.Instruction{Opcode: "JMP", Operands: []Op{reg.RAX}, Inputs: append(alive, reg.RAX), IsTerminal: true})
}

// fusedOperand finds the routine's argument; load(j) is its vector j.
func (g *isa) fusedOperand(kind string) (load func(j int) Op) {
	g.MOVQ(at(fusedPC, 8), reg.RAX)
	switch kind {
	case "M":
		g.MOVQ(idx(fusedTable, reg.RAX, 8, 0), reg.RAX)
		return func(j int) Op { return idx(reg.RAX, fusedPos, 1, j*g.bytes) }
	case "T":
		return func(j int) Op { return idx(fusedT, reg.RAX, 1, j*g.bytes) }
	}
	g.MOVQ(idx(fusedTable, reg.RAX, 8, 0), reg.RAX)
	r := g.vec()
	g.VBROADCASTSS(at(reg.RAX, 0), r)
	return func(int) Op { return r }
}

// fusedApply replaces the accumulator's vectors.
func (g *isa) fusedApply(f func(j int) Op) {
	for j := range g.fusedVectors() {
		g.VMOVAPS(g.lanesOf(f(j)), g.v(j)) // mostly nothing: see intoPlace
	}
}

// lanesOf turns a mask register into lanes.
func (g *isa) lanesOf(x Op) Op {
	if k, ok := x.(reg.Register); ok && k.Kind() == reg.KindOpmask {
		r := g.vec()
		g.VPMOVM2D(k, r)
		return r
	}
	return x
}

// fusedMoves writes the routines that compute nothing: loads and stores of the
// accumulator, Where, and the end of a chunk. They come first, in the order of
// the constants in fused.go of package cpu.
func (g *isa) fusedMoves(routine func(name string, body func())) {
	// Where takes two routines: the mask goes from the accumulator to registers
	// that loads leave alone, and then lanes of the accumulator that are not in
	// it are replaced.
	mask := func(j int) reg.Register {
		if g.wide {
			return []reg.Register{reg.K1, reg.K2, reg.K3, reg.K4, reg.K5, reg.K6, reg.K7, reg.K0}[j]
		}
		return ymm[12+j]
	}
	var masks []Op
	for j := range g.fusedVectors() {
		masks = append(masks, mask(j))
	}
	for _, kind := range fusedKinds {
		routine("Load"+kind, func() {
			load := g.fusedOperand(kind)
			for j := range g.fusedVectors() {
				g.VMOVUPS(load(j), g.v(j))
			}
			g.fusedNext(masks...)
		})
	}
	routine("StoreM", func() {
		g.MOVQ(at(fusedPC, 8), reg.RAX)
		g.MOVQ(idx(fusedTable, reg.RAX, 8, 0), reg.RAX)
		for j := range g.fusedVectors() {
			g.VMOVUPS(g.v(j), idx(reg.RAX, fusedPos, 1, j*g.bytes))
		}
		g.fusedNext()
	})
	routine("StoreT", func() {
		g.MOVQ(at(fusedPC, 8), reg.RAX)
		for j := range g.fusedVectors() {
			g.VMOVUPS(g.v(j), idx(fusedT, reg.RAX, 1, j*g.bytes))
		}
		g.fusedNext()
	})
	routine("Mask", func() {
		for j := range g.fusedVectors() {
			if g.wide {
				g.VPMOVD2M(g.v(j), mask(j))
			} else {
				g.VMOVAPS(g.v(j), mask(j))
			}
		}
		g.fusedNext(masks...)
	})
	for _, kind := range fusedKinds {
		routine("Else"+kind, func() {
			load := g.fusedOperand(kind)
			g.fusedApply(func(j int) Op {
				m := mask(j)
				if m == reg.K0 { // which no instruction is masked by
					g.KMOVW(reg.K0, reg.K1)
					m = reg.K1
				}
				return g.choose(m, g.v(j), load(j))
			})
			g.fusedNext()
		})
	}
	routine("End", func() {
		g.ADDQ(U32(uint32(g.fusedVectors()*g.bytes)), fusedPos)
		g.DECQ(fusedCount)
		g.JZ(LabelRef("done"))
		g.MOVQ(fusedStart, fusedPC)
		g.fusedJump()
		g.Label("done")
		g.end()
	})
}
