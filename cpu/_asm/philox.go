package main

import (
	"fmt"

	"github.com/mmcloughlin/avo/attr"
	. "github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

// Constants of Philox 4x32: the multipliers, and what the keys grow by.
const (
	philoxM0 = 0xD2511F53
	philoxM1 = 0xCD9E8D57
	philoxW0 = 0x9E3779B9
	philoxW1 = 0xBB67AE85
)

func emitPhilox(f *file) {
	for _, g := range isas(f) {
		g.philoxRun()
		g.mapKernel(mapOp{name: "Philox", args: philoxArgs, in: []int{4, 4, 4, 4, 4}, out: 4, body: (*isa).philoxLanes})
	}
}

var philoxArgs = []string{"a", "k0", "k1", "c0", "c1"}

// xor3 returns a ^ b ^ c and may write it to a.
func (g *isa) xor3(a, b, c Op) Op {
	if g.wide {
		g.VPTERNLOGD(Imm(0x96), c, b, a)
		return a
	}
	return g.xor(g.xor(a, b), c)
}

// philoxRounds are the ten rounds on counters whose words, and whose key, are in
// the low halves of lanes of 64 bits, where a product has its two words in
// place; what the high halves have does not matter. There may be several
// counters side by side, of one key. x[1] may be nil for 0.
func (g *isa) philoxRounds(counters [][4]Op, k0, k1 Op) {
	for round := range 10 {
		if round > 0 {
			k0, k1 = g.addInt(k0, g.bits(philoxW0)), g.addInt(k1, g.bits(philoxW1))
		}
		for i, x := range counters {
			p0, p1 := g.two(g.VPMULUDQ, x[0], g.bits(philoxM0)), g.two(g.VPMULUDQ, x[2], g.bits(philoxM1))
			h0, h1 := g.vec(), g.vec()
			g.VPSRLQ(Imm(32), p0, h0)
			g.VPSRLQ(Imm(32), p1, h1)
			first := Op(h1)
			if x[1] == nil {
				first = g.xor(h1, k0)
			} else {
				first = g.xor3(h1, x[1], k0)
			}
			counters[i] = [4]Op{first, p1, g.xor3(h0, x[3], k1), p0}
		}
	}
}

// order is the number of the counter in each 64-bit lane of a vector: those that
// share 128 bits are half a vector apart.
func (g *isa) order() Mem {
	name := "order" + g.name
	if m, ok := g.globals[name]; ok {
		return m
	}
	m := g.StaticGlobal(name)
	g.DataAttributes(attr.RODATA | attr.NOPTR)
	half := g.lanes / 4
	for i := range 2 * half {
		g.AddDatum(8*i, U64(i%2*half+i/2))
	}
	g.globals[name] = m
	return m
}

// philoxRun writes words of counters that follow each other.
func (g *isa) philoxRun() {
	dst, n, src := g.beginMap("philoxRun"+g.name, "writes n words of Philox, from word *a on, which is a multiple of 4; the\n// key and the stream are *k0 to *c1.", philoxArgs)
	half := g.lanes / 2 // counters in a vector
	many := 4
	if !g.wide {
		many = 2
	}
	counter := g.vec()
	g.MOVL(at(src[0], 0), reg.EAX)
	g.SHRL(Imm(2), reg.EAX)
	low := g.XMM()
	g.VMOVD(reg.EAX, low)
	g.VPBROADCASTD(low, counter)
	g.VPADDD(g.order(), counter, counter)
	words := func(m int) [][4]Op {
		var x [][4]Op
		c0, c1 := g.vec(), g.vec()
		g.VPBROADCASTD(at(src[3], 0), c0)
		g.VPBROADCASTD(at(src[4], 0), c1)
		for range m {
			x = append(x, [4]Op{g.copyOf(counter), nil, c0, c1})
			g.VPADDD(g.bits(uint32(half)), counter, counter)
		}
		k0, k1 := g.vec(), g.vec()
		g.VPBROADCASTD(at(src[1], 0), k0)
		g.VPBROADCASTD(at(src[2], 0), k1)
		g.philoxRounds(x, k0, k1)
		return x
	}
	// The words of a counter side by side: even 64-bit lanes are those of the
	// first vector.
	unpack := func(x [4]Op) [2]reg.VecVirtual {
		pick := func(a, b Op, lanes uint64) reg.VecVirtual {
			r := g.vec()
			g.VSHUFPS(Imm(lanes), b, a, r)
			return r
		}
		a, b := pick(x[0], x[1], 0x88), pick(x[2], x[3], 0x88)
		return [2]reg.VecVirtual{pick(a, b, 0x88), pick(a, b, 0xdd)}
	}
	g.SUBQ(U32(2*many*g.lanes), n)
	g.JLT(LabelRef("few"))
	g.Label("loop")
	for i, x := range words(many) {
		for j, v := range unpack(x) {
			g.VMOVUPS(v, at(dst, (2*i+j)*g.bytes))
		}
	}
	g.ADDQ(U32(2*many*g.bytes), dst)
	g.SUBQ(U32(2*many*g.lanes), n)
	g.JGE(LabelRef("loop"))
	g.Label("few")
	g.ADDQ(U32(2*many*g.lanes), n)
	g.JZ(LabelRef("done"))
	g.Label("one")
	for i, v := range unpack(words(1)[0]) {
		whole := fmt.Sprintf("whole%d", i)
		g.CMPQ(n, U32(g.lanes))
		g.JGE(LabelRef(whole))
		g.setMask(n)
		if g.wide {
			g.VMOVUPS(v, reg.K1, at(dst, 0))
		} else {
			g.VMASKMOVPS(v, ymm[15], at(dst, 0))
		}
		g.JMP(LabelRef("done"))
		g.Label(whole)
		g.VMOVUPS(v, at(dst, 0))
		g.ADDQ(U32(g.bytes), dst)
		g.SUBQ(U32(g.lanes), n)
		g.JZ(LabelRef("done"))
	}
	g.JMP(LabelRef("one"))
	g.Label("done")
	g.end()
}

// philoxLanes are the words of any arguments: a counter for each, of which one
// word is kept. The lanes of even and of odd place are computed apart.
func (g *isa) philoxLanes(x []Op) Op {
	var words [2]Op
	for i := range words {
		var y [5]Op
		for k := range y {
			if y[k] = x[k]; i > 0 {
				r := g.vec()
				g.VPSRLQ(Imm(32), x[k], r)
				y[k] = r
			}
		}
		c := [][4]Op{{g.shiftRightZeros(y[0], 2), nil, y[3], y[4]}}
		g.philoxRounds(c, y[1], y[2])
		words[i] = c[0][0]
		for k := range 3 {
			words[i] = g.choose(g.equalInt(g.and(y[0], g.bits(3)), g.bits(uint32(k+1))), c[0][k+1], words[i])
		}
	}
	r := g.vec()
	g.VPSLLQ(Imm(32), words[1], r)
	return g.or(r, g.and(words[0], g.quad(1<<32-1)))
}
