package main

import (
	"math"

	. "github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
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

// log is that of m·2^k with m in [√½, √2): for f = m-1 and s = f/(2+f), where
// ln m = 2·artanh s,
//
//	ln m = f - (f²/2 - s·(f²/2 + R)), R = 2·Σ s^(2i)/(2i+1), i >= 1.
func (g *isa) log(x Op) Op {
	tiny := g.cmp(less, x, g.c(0x1p-126))
	y := g.choose(tiny, g.mul(x, g.c(0x1p25)), x)
	b := g.subInt(y, g.bits(0x3f3504f3))
	n := g.shiftRight(b, 23)
	k := g.vec()
	g.VCVTDQ2PS(n, k)
	shift := g.choose(tiny, g.in(g.c(25)), g.in(g.c(0)))
	kf := g.sub(k, shift)
	f := g.sub(g.subInt(y, g.shiftLeft(n, 23)), g.c(1))
	s := g.div(f, g.add(f, g.c(2)))
	z := g.mul(s, s)
	rest := g.mul(z, g.poly(z, 2./3, 2./5, 2./7, 2./9))
	h := g.mul(g.mul(f, f), g.c(0.5))
	low := g.fma(kf, g.c(ln2Lo), g.mul(s, g.add(h, rest)))
	r := g.fma(kf, g.c(ln2Hi), g.sub(f, g.sub(h, low)))
	inf := g.in(g.c(math.Inf(1)))
	r = g.choose(g.cmp(equal, x, inf), inf, r)
	r = g.choose(g.cmp(equal, x, g.c(0)), g.in(g.c(math.Inf(-1))), r)
	return g.choose(g.cmp(notGreaterEq, x, g.c(0)), g.in(g.bits(0x7fc00000)), r)
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

// sine returns sin(x + quarter·π/2) for |x| < 2^19. The reduction is in float64:
// r = x - k·π/2, with π/2 in two parts.
func (g *isa) sine(x Op, quarter uint32) Op {
	const pio2Lo = 6.123233995736766e-17
	var rs, ks [2]reg.VecVirtual
	for i := range 2 {
		half, k, r := g.vec(), g.vec(), g.vec()
		v := x.(reg.VecVirtual)
		if i == 0 {
			if g.wide {
				g.VCVTPS2PD(v.AsY(), half)
			} else {
				g.VCVTPS2PD(v.AsX(), half)
			}
		} else if g.wide {
			t := g.YMM()
			g.VEXTRACTF64X4(Imm(1), v, t)
			g.VCVTPS2PD(t, half)
		} else {
			t := g.XMM()
			g.VEXTRACTF128(Imm(1), v, t)
			g.VCVTPS2PD(t, half)
		}
		g.VMULPD(g.double(2/math.Pi), half, k)
		if g.wide {
			g.VRNDSCALEPD(Imm(nearest|quiet), k, k)
		} else {
			g.VROUNDPD(Imm(nearest|quiet), k, k)
		}
		g.VMOVAPD(half, r)
		g.VFNMADD231PD(g.double(math.Pi/2), k, r)
		g.VFNMADD231PD(g.double(pio2Lo), k, r)
		if g.wide {
			rs[i], ks[i] = g.YMM(), g.YMM()
			g.VCVTPD2PS(r, rs[i])
			g.VCVTPD2DQ(k, ks[i])
		} else {
			rs[i], ks[i] = g.XMM(), g.XMM()
			g.VCVTPD2PSY(r, rs[i])
			g.VCVTPD2DQY(k, ks[i])
		}
	}
	joined, n := g.vec(), g.vec()
	if g.wide {
		g.VINSERTF64X4(Imm(1), rs[1], rs[0].AsZ(), joined)
		g.VINSERTF64X4(Imm(1), ks[1], ks[0].AsZ(), n)
	} else {
		g.VINSERTF128(Imm(1), rs[1], rs[0].AsY(), joined)
		g.VINSERTF128(Imm(1), ks[1], ks[0].AsY(), n)
	}
	r, q := Op(joined), Op(n)
	if quarter > 0 {
		q = g.addInt(n, g.bits(quarter))
	}
	z := g.mul(r, r)
	sin := g.fma(g.mul(z, r), g.poly(z, -1./6, 1./120, -1./5040, 1./362880), r)
	if quarter == 0 {
		sin = g.choose(g.cmp(equal, x, g.c(0)), x, sin) // -0 stays
	}
	cos := g.poly(z, 1, -1./2, 1./24, -1./720, 1./40320, -1./3628800)
	// The lowest bit of q chooses, the next one is the sign.
	odd := g.shiftLeft(q, 31)
	var y Op
	if g.wide {
		k := g.K()
		g.VPMOVD2M(odd, k)
		y = g.choose(k, cos, sin)
	} else {
		y = g.choose(odd, cos, sin)
	}
	return g.xor(y, g.sign(g.shiftLeft(q, 30)))
}
