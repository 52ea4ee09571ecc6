package main

import (
	"math"

	. "github.com/mmcloughlin/avo/operand"
)

// The elementary functions, in float32 arithmetic with fused multiply-adds. The
// tests of package cpu hold them to the stated error.

// ln 2 in two parts: the first has 15 bits, so that its products with small
// integers are exact.
const (
	ln2Hi = 0.693145751953125
	ln2Lo = math.Ln2 - ln2Hi
)

// expParts returns r and the integer k as a float with x = r + k·ln 2 and
// |r| <= ln(2)/2.
func (g *isa) expParts(x Op) (r, k Op) {
	k = g.round(g.mul(x, g.c(math.Log2E)), nearest)
	return g.fnma(k, g.c(ln2Lo), g.fnma(k, g.c(ln2Hi), x)), k
}

// expSeries are the coefficients of (eʳ - 1 - r)/r²: the series, cut where it is
// a tenth of an ulp.
var expSeries = []float64{1. / 2, 1. / 6, 1. / 24, 1. / 120, 1. / 720, 1. / 5040}

// scale returns p·2^k, rounded once where it is subnormal.
func (g *isa) scale(p, k Op) Op {
	if g.wide {
		return g.two(g.VSCALEFPS, p, k)
	}
	// In two steps, each by a normal number.
	n := g.vec()
	g.VCVTPS2DQ(k, n)
	half := g.shiftRight(n, 1)
	power := func(n Op) Op { return g.shiftLeft(g.addInt(n, g.bits(127)), 23) }
	return g.mul(g.mul(p, power(half)), power(g.subInt(n, half)))
}

// clamp bounds x; NaN stays.
func (g *isa) clamp(x Op, lo, hi float64) Op { return g.min(g.in(g.c(hi)), g.max(g.in(g.c(lo)), x)) }

// exp is within 1 ulp.
func (g *isa) exp(x Op) Op {
	r, k := g.expParts(g.clamp(x, -104, 89))
	p := g.poly(r, append([]float64{1, 1}, expSeries...)...)
	return g.scale(p, k)
}

// exp2 is within 1 ulp.
func (g *isa) exp2(x Op) Op {
	y := g.clamp(x, -151, 129)
	k := g.round(y, nearest)
	var c []float64
	for n, v := 0, 1.0; n <= 7; n++ {
		c = append(c, v)
		v *= math.Ln2 / float64(n+1)
	}
	return g.scale(g.poly(g.sub(y, k), c...), k)
}

// power returns 2^k for an integer k in [-126, 127].
func (g *isa) power(k Op) Op {
	n := g.vec()
	g.VCVTPS2DQ(k, n)
	return g.shiftLeft(g.addInt(n, g.bits(127)), 23)
}

// quarterExpm1 returns (eˣ - 1)/4, which is finite where sinh x is; below -25
// it is that of -25.
func (g *isa) quarterExpm1(x Op) Op {
	r, k := g.expParts(g.clamp(x, -25, 89.5))
	q := g.fma(g.mul(r, r), g.poly(r, expSeries...), r)
	s := g.power(g.sub(k, g.c(2)))
	return g.fma(s, q, g.sub(s, g.c(0.25)))
}

// expm1 is x where x²/2 is too small to count.
func (g *isa) expm1(x Op) Op {
	y := g.mul(g.quarterExpm1(x), g.c(4))
	return g.choose(g.cmp(less, g.abs(x), g.c(0x1p-25)), x, y)
}

// sinh |x| = 2·(q + q/(4·q+1)) for q = (e^|x| - 1)/4; x where x³/6 is too small
// to count.
func (g *isa) sinh(x Op) Op {
	a := g.abs(x)
	q := g.quarterExpm1(a)
	y := g.add(q, g.div(g.mul(q, g.c(0.25)), g.add(q, g.c(0.25))))
	y = g.or(g.add(y, y), g.sign(x))
	return g.choose(g.cmp(less, a, g.c(0x1p-12)), x, y)
}

// cosh x = e + 1/(4·e) for e = e^|x|/2.
func (g *isa) cosh(x Op) Op {
	r, k := g.expParts(g.min(g.in(g.c(90)), g.abs(x)))
	e := g.scale(g.poly(r, append([]float64{1, 1}, expSeries...)...), g.sub(k, g.c(1)))
	return g.add(e, g.div(g.c(0.25), e))
}

// tanh |x| = -t/(t+2) for t = e^(-2|x|) - 1.
func (g *isa) tanh(x Op) Op {
	r, k := g.expParts(g.max(g.in(g.c(-40)), g.mul(g.abs(x), g.c(-2))))
	q := g.fma(g.mul(r, r), g.poly(r, expSeries...), r)
	s := g.scale(g.c(1), k)
	t := g.fma(s, q, g.sub(s, g.c(1)))
	return g.or(g.abs(g.div(t, g.add(t, g.c(2)))), g.sign(x))
}

// sigmoid is 1/(1+e) or e/(1+e) for e = e^-|x|, by the sign of x.
func (g *isa) sigmoid(x Op) Op {
	e := g.exp(g.neg(g.abs(x)))
	top := g.choose(g.cmp(less, x, g.c(0)), e, g.in(g.c(1)))
	return g.div(top, g.add(e, g.c(1)))
}

// split returns m in [√½, √2) and the integer k with x = m·2^k, for a positive
// x; 1 and -127 for 0, 1 and 128 for infinity.
func (g *isa) split(x Op) (m, k Op) {
	tiny := g.cmp(less, x, g.c(0x1p-126))
	y := g.choose(tiny, g.mul(x, g.c(0x1p25)), x)
	n := g.shiftRight(g.subInt(y, g.bits(0x3f3504f3)), 23)
	f := g.vec()
	g.VCVTDQ2PS(n, f)
	shift := g.choose(tiny, g.in(g.c(25)), g.in(g.c(0)))
	return g.subInt(y, g.shiftLeft(n, 23)), g.sub(f, shift)
}

// logParts returns h and t with ln(1+f) = f - (h - t), for 1+f in [√½, √2]: for
// s = f/(2+f), where ln(1+f) = 2·artanh s,
//
//	h = f²/2, t = s·(h + R), R = 2·Σ s^(2i)/(2i+1), i >= 1.
func (g *isa) logParts(f Op) (h, t Op) {
	s := g.div(f, g.add(f, g.c(2)))
	z := g.mul(s, s)
	rest := g.mul(z, g.poly(z, 2./3, 2./5, 2./7, 2./9))
	h = g.mul(g.mul(f, f), g.c(0.5))
	return h, g.mul(s, g.add(h, rest))
}

// logSum returns ln((1+f)·2^k).
func (g *isa) logSum(f, k Op) Op {
	h, t := g.logParts(f)
	low := g.fma(k, g.c(ln2Lo), t)
	return g.fma(k, g.c(ln2Hi), g.sub(f, g.sub(h, low)))
}

// logEdges returns y where x is positive and finite, and elsewhere what
// logarithms of x are.
func (g *isa) logEdges(x, y Op) Op {
	inf := g.in(g.c(math.Inf(1)))
	y = g.choose(g.cmp(equal, x, inf), inf, y)
	y = g.choose(g.cmp(equal, x, g.c(0)), g.in(g.c(math.Inf(-1))), y)
	return g.choose(g.cmp(notGreaterEq, x, g.c(0)), g.in(g.bits(0x7fc00000)), y)
}

func (g *isa) log(x Op) Op {
	m, k := g.split(x)
	return g.logEdges(x, g.logSum(g.sub(m, g.c(1)), k))
}

// log2 multiplies ln m by log₂ e in two parts.
func (g *isa) log2(x Op) Op {
	const hi = 0x1.715476p0
	m, k := g.split(x)
	f := g.sub(m, g.c(1))
	h, t := g.logParts(f)
	ln := g.sub(f, g.sub(h, t))
	return g.logEdges(x, g.fma(ln, g.in(g.c(hi)), g.fma(ln, g.c(math.Log2E-hi), k)))
}

// log1p is the logarithm of 1+x = (1+f)·2^k, with k that of the rounded sum and
// f = x·2^-k + (2^-k - 1) rounded once; from 2^30 on the 1 does not count.
func (g *isa) log1p(x Op) Op {
	u := g.add(x, g.c(1))
	m, k := g.split(u)
	scale := g.power(g.max(g.in(g.c(-100)), g.neg(k)))
	f := g.fma(x, scale, g.sub(scale, g.c(1)))
	f = g.choose(g.cmp(less, k, g.c(30)), f, g.sub(m, g.c(1)))
	return g.choose(g.cmp(equal, x, g.c(0)), x, g.logEdges(u, g.logSum(f, k)))
}

// erf is its series below 1, and above 1 - e^-P(|x|), with P the polynomial
// that interpolates -ln erfc x on [1, 4].
func (g *isa) erf(x Op) Op {
	a := g.abs(x)
	var series []float64
	for n, f := 0, 2/math.Sqrt(math.Pi); n <= 10; n++ {
		series = append(series, f/float64(2*n+1))
		f /= -float64(n + 1)
	}
	inner := g.mul(x, g.poly(g.mul(x, x), series...))
	p := g.poly(g.min(g.in(g.c(4)), a), erfcLog...)
	outer := g.or(g.sub(g.in(g.c(1)), g.exp(g.neg(p))), g.sign(x))
	return g.choose(g.cmp(less, a, g.c(1)), inner, outer)
}

var erfcLog = interpolate(func(x float64) float64 { return -math.Log(math.Erfc(x)) }, 0.98, 4.02, 8)

// interpolate returns the coefficients of the polynomial that agrees with f at
// the Chebyshev points of [lo, hi]: Newton's divided differences, multiplied
// out. The conversions keep every processor from contracting.
func interpolate(f func(float64) float64, lo, hi float64, degree int) []float64 {
	n := degree + 1
	x, d := make([]float64, n), make([]float64, n)
	for i := range n {
		x[i] = (lo+hi)/2 + float64((hi-lo)/2*math.Cos(math.Pi*(float64(i)+0.5)/float64(n)))
		d[i] = f(x[i])
	}
	for j := 1; j < n; j++ {
		for i := n - 1; i >= j; i-- {
			d[i] = (d[i] - d[i-1]) / (x[i] - x[i-j])
		}
	}
	p := []float64{d[n-1]}
	for i := n - 2; i >= 0; i-- {
		q := make([]float64, len(p)+1)
		copy(q[1:], p)
		for k, v := range p {
			q[k] -= float64(v * x[i])
		}
		q[0] += d[i]
		p = q
	}
	return p
}
