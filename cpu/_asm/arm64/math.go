package arm64

import "math"

// The elementary functions, step by step those of amd64 (cpu/_asm/math.go); the
// tests of package cpu hold them to the stated error.

// Series are the coefficients that amd64's functions have, too.
type Series struct {
	Exp  []float64 // (eʳ - 1 - r)/r²
	Erfc []float64 // -ln erfc x on [1, 4]
}

// ln 2 in two parts: the first has 15 bits, so that its products with small
// integers are exact.
const (
	ln2Hi = 0.693145751953125
	ln2Lo = math.Ln2 - ln2Hi
)

// expParts returns r and the integer k as a float with x = r + k·ln 2 and
// |r| <= ln(2)/2.
func (c *code) expParts(x value) (r, k value) {
	k = c.two(frintn, c.mul(x, c.c(math.Log2E)))
	return c.fnma(k, c.c(ln2Lo), c.fnma(k, c.c(ln2Hi), x)), k
}

// scale returns p·2^k, rounded once where it is subnormal: in two steps, each by a
// normal number.
func (c *code) scale(p, k value) value {
	n := c.two(fcvtns, k)
	half := c.shiftRight(n, 1)
	power := func(n value) value { return c.shiftLeft(c.addInt(n, c.bits(127)), 23) }
	return c.mul(c.mul(p, power(half)), power(c.subInt(n, half)))
}

// exp is within 1 ulp.
func (c *code) exp(x value, s Series) value {
	r, k := c.expParts(c.min(c.max(x, c.c(-104)), c.c(89)))
	return c.scale(c.poly(r, append([]float64{1, 1}, s.Exp...)...), k)
}

// tanh |x| = -t/(t+2) for t = e^(-2|x|) - 1.
func (c *code) tanh(x value, s Series) value {
	r, k := c.expParts(c.max(c.c(-40), c.mul(c.abs(x), c.c(-2))))
	q := c.fma(c.mul(r, r), c.poly(r, s.Exp...), r)
	p := c.scale(c.c(1), k)
	t := c.fma(p, q, c.sub(p, c.c(1)))
	return c.or(c.abs(c.div(t, c.add(t, c.c(2)))), c.sign(x))
}

// sigmoid is 1/(1+e) or e/(1+e) for e = e^-|x|, by the sign of x.
func (c *code) sigmoid(x value, s Series) value {
	e := c.exp(c.neg(c.abs(x)), s)
	return c.div(c.choose(c.less(x, c.c(0)), e, c.c(1)), c.add(e, c.c(1)))
}

// log is that of m·2^k with m in [√½, √2): for f = m-1 and s = f/(2+f), where
// ln m = 2·artanh s,
//
//	ln m = f - (f²/2 - s·(f²/2 + R)), R = 2·Σ s^(2i)/(2i+1), i >= 1.
func (c *code) log(x value) value {
	tiny := c.less(x, c.c(0x1p-126))
	y := c.choose(tiny, c.mul(x, c.c(0x1p25)), x)
	n := c.shiftRight(c.subInt(y, c.bits(0x3f3504f3)), 23)
	k := c.sub(c.two(scvtf, n), c.and(tiny, c.c(25)))
	f := c.sub(c.subInt(y, c.shiftLeft(n, 23)), c.c(1))
	s := c.div(f, c.add(f, c.c(2)))
	z := c.mul(s, s)
	rest := c.mul(z, c.poly(z, 2./3, 2./5, 2./7, 2./9))
	h := c.mul(c.mul(f, f), c.c(0.5))
	low := c.fma(k, c.c(ln2Lo), c.mul(s, c.add(h, rest)))
	r := c.fma(k, c.c(ln2Hi), c.sub(f, c.sub(h, low)))
	r = c.choose(c.equal(x, c.c(math.Inf(1))), x, r)
	r = c.choose(c.equal(x, c.c(0)), c.c(math.Inf(-1)), r)
	return c.choose(c.greaterEqual(x, c.c(0)), r, c.bits(0x7fc00000))
}

// erf is its series below 1, and above 1 - e^-P(|x|), with P a polynomial on
// [1, 4].
func (c *code) erf(x value, s Series) value {
	a := c.abs(x)
	var series []float64
	for n, f := 0, 2/math.Sqrt(math.Pi); n <= 10; n++ {
		series = append(series, f/float64(2*n+1))
		f /= -float64(n + 1)
	}
	inner := c.mul(x, c.poly(c.mul(x, x), series...))
	p := c.poly(c.min(a, c.c(4)), s.Erfc...)
	outer := c.or(c.sub(c.c(1), c.exp(c.neg(p), s)), c.sign(x))
	return c.choose(c.less(a, c.c(1)), inner, outer)
}
