package main

import (
	"math"

	. "github.com/mmcloughlin/avo/operand"
)

// The functions of angles, and those that give angles.

// quadrant returns r = x - k·π/2 in [-π/4, π/4] and k as an integer, for |x| <
// 2^19. The reduction is in float64, with π/2 in two parts.
func (g *isa) quadrant(x Op) (r, k Op) {
	const pio2Lo = 6.123233995736766e-17
	var rs, ks [2]Op
	for i := range 2 {
		v := g.doubles(x, i)
		n := g.roundDouble(g.two(g.VMULPD, v, g.double(2/math.Pi)), nearest)
		g.VFNMADD231PD(g.double(math.Pi/2), n, v)
		g.VFNMADD231PD(g.double(pio2Lo), n, v)
		rs[i], ks[i] = g.singles(v), g.wholes(n)
	}
	return g.join(rs), g.join(ks)
}

func (g *isa) sinPoly(r, z Op) Op {
	return g.fma(g.mul(z, r), g.poly(z, -1./6, 1./120, -1./5040, 1./362880), r)
}

func (g *isa) cosPoly(z Op) Op {
	return g.poly(z, 1, -1./2, 1./24, -1./720, 1./40320, -1./3628800)
}

// lowest returns the mask of the lanes of odd integers, of which it is given
// the lowest bit as the sign.
func (g *isa) lowest(odd Op) Op {
	if g.wide {
		k := g.K()
		g.VPMOVD2M(odd, k)
		return k
	}
	return odd
}

// sine returns sin(x + quarter·π/2).
func (g *isa) sine(x Op, quarter uint32) Op {
	r, q := g.quadrant(x)
	if quarter > 0 {
		q = g.addInt(q, g.bits(quarter))
	}
	z := g.mul(r, r)
	sin := g.sinPoly(r, z)
	if quarter == 0 {
		sin = g.choose(g.cmp(equal, x, g.c(0)), x, sin) // -0 stays
	}
	// The lowest bit of q chooses, the next one is the sign.
	y := g.choose(g.lowest(g.shiftLeft(q, 31)), g.cosPoly(z), sin)
	return g.xor(y, g.sign(g.shiftLeft(q, 30)))
}

// tan is sin r/cos r, or in odd quadrants -cos r/sin r.
func (g *isa) tan(x Op) Op {
	r, q := g.quadrant(x)
	z := g.mul(r, r)
	sin, cos := g.sinPoly(r, z), g.cosPoly(z)
	sign := g.shiftLeft(q, 31)
	odd := g.lowest(sign)
	y := g.xor(g.div(g.choose(odd, cos, sin), g.choose(odd, sin, cos)), sign)
	return g.choose(g.cmp(equal, x, g.c(0)), x, y)
}

// The polynomials P of arctan t = t + t³·P(t²) on [0, 1] and arcsin t = t +
// t³·P(t²) on [0, ½].
var (
	atanRest = interpolate(func(z float64) float64 { return (math.Atan(math.Sqrt(z))/math.Sqrt(z) - 1) / z }, 0, 1, 10)
	asinRest = interpolate(func(z float64) float64 { return (math.Asin(math.Sqrt(z))/math.Sqrt(z) - 1) / z }, 0, 0.25, 5)
)

// cubed returns t + t·z·P(z).
func (g *isa) cubed(t, z Op, rest []float64) Op { return g.fma(g.mul(t, z), g.poly(z, rest...), t) }

// from returns turn - x, the first rounded to float32 in two parts.
func (g *isa) from(turn float64, x Op) Op {
	hi := float64(float32(turn))
	return g.sub(g.in(g.c(hi)), g.sub(x, g.c(turn-hi)))
}

// atan is π/2 - arctan 1/x above 1.
func (g *isa) atan(x Op) Op {
	a := g.abs(x)
	big := g.cmp(less, g.in(g.c(1)), a)
	t := g.choose(big, g.div(g.c(1), a), a)
	y := g.cubed(t, g.mul(t, t), atanRest)
	return g.or(g.choose(big, g.from(math.Pi/2, y), y), g.sign(x))
}

// atan2 is the angle of the point (x, y), from that of the smaller coordinate
// over the larger one, which is 0 where both are and 1 where both are infinite.
func (g *isa) atan2(y, x Op) Op {
	ax, ay := g.abs(x), g.abs(y)
	top, bottom := g.min(ax, ay), g.max(ax, ay)
	t := g.div(top, bottom)
	t = g.choose(g.cmp(equal, bottom, g.c(0)), g.in(g.c(0)), t)
	t = g.choose(g.cmp(equal, top, g.c(math.Inf(1))), g.in(g.c(1)), t)
	r := g.cubed(t, g.mul(t, t), atanRest)
	r = g.choose(g.cmp(less, ax, ay), g.from(math.Pi/2, r), r)
	r = g.choose(g.negative(x), g.from(math.Pi, r), r)
	r = g.or(r, g.sign(y))
	return g.choose(g.cmp(unordered, x, y), g.add(x, y), r)
}

// negative returns the mask of the lanes with a sign.
func (g *isa) negative(x Op) Op { return g.lowest(x) }

// arc returns t = arcsin of the smaller of |x| and √((1-|x|)/2), and the mask of
// the latter.
func (g *isa) arc(x Op) (t, big Op) {
	a := g.abs(x)
	big = g.cmp(less, g.in(g.c(0.5)), a)
	z := g.choose(big, g.mul(g.sub(g.in(g.c(1)), a), g.c(0.5)), g.mul(a, a))
	return g.cubed(g.choose(big, g.sqrt(z), a), z, asinRest), big
}

// asin is π/2 - 2·arcsin √((1-|x|)/2) above ½.
func (g *isa) asin(x Op) Op {
	t, big := g.arc(x)
	return g.or(g.choose(big, g.from(math.Pi/2, g.add(t, t)), t), g.sign(x))
}

// acos is 2·arcsin √((1-|x|)/2) above ½, or that of -x from π.
func (g *isa) acos(x Op) Op {
	t, big := g.arc(x)
	small := g.from(math.Pi/2, g.or(t, g.sign(x)))
	t = g.add(t, t)
	return g.choose(big, g.choose(g.negative(x), g.from(math.Pi, t), t), small)
}
