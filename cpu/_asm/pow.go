package main

import (
	"math"

	. "github.com/mmcloughlin/avo/operand"
)

// pow is 2^(y·log₂ |x|), in float64 and rounded once, with the sign and the
// exceptions of IEEE 754's pow.
func (g *isa) pow(x, y Op) Op {
	a := g.abs(x)
	m, k := g.split(a)
	inf := math.Inf(1)
	k = g.choose(g.cmp(equal, a, g.c(0)), g.in(g.c(-inf)), k)
	k = g.choose(g.cmp(equal, a, g.c(inf)), g.in(g.c(inf)), k)
	var halves [2]Op
	for i := range halves {
		l := g.log2Double(g.doubles(m, i), g.doubles(k, i))
		t := g.two(g.VMULPD, l, g.doubles(y, i))
		// NaN stays; float32 is 0 or infinite well before the bounds.
		t = g.two(g.VMINPD, g.in(g.double(400)), g.two(g.VMAXPD, g.in(g.double(-400)), t))
		halves[i] = g.singles(g.exp2Double(t))
	}
	r := g.join(halves)

	whole := g.cmp(equal, g.round(y, nearest), y) // infinities are even
	half := g.mul(y, g.c(0.5))
	none := g.in(g.c(0))
	sign := g.choose(g.cmp(notEqual, g.round(half, toZero), half), g.sign(x), none)
	r = g.or(r, g.choose(whole, sign, none))
	nan := g.choose(g.cmp(less, x, g.c(0)), g.in(g.bits(0x7fc00000)), r)
	nan = g.choose(g.cmp(equal, a, g.c(inf)), r, nan)
	r = g.choose(whole, r, nan)
	r = g.choose(g.cmp(unordered, x, y), g.add(x, y), r)

	one := g.in(g.c(1))
	r = g.choose(g.cmp(equal, y, g.c(0)), one, r)
	r = g.choose(g.cmp(equal, x, one), one, r)
	// Of -1, that is left, only infinite powers are not right yet.
	return g.choose(g.cmp(equal, g.choose(g.cmp(equal, a, one), g.abs(y), one), g.c(inf)), one, r)
}

// log2Double returns log₂(m·2^k) for m in [√½, √2).
func (g *isa) log2Double(m, k Op) Op {
	s := g.two(g.VDIVPD, g.two(g.VSUBPD, m, g.double(1)), g.two(g.VADDPD, m, g.double(1)))
	z := g.two(g.VMULPD, s, s)
	// 2·log₂ e·artanh s; the power is up to 150, so that the series is longer
	// than a logarithm needs.
	var c []float64
	for i := range 8 {
		c = append(c, 2*math.Log2E/float64(2*i+1))
	}
	r := g.copyOf(k)
	g.VFMADD231PD(g.polyDouble(z, c...), s, r)
	return r
}

// exp2Double returns 2^t for |t| <= 400, to 32 bits.
func (g *isa) exp2Double(t Op) Op {
	k := g.roundDouble(t, nearest)
	var c []float64
	for n, v := 0, 1.0; n <= 8; n++ {
		c = append(c, v)
		v *= math.Ln2 / float64(n+1)
	}
	return g.scaleDouble(g.polyDouble(g.two(g.VSUBPD, t, k), c...), k)
}
