package cpu

import (
	"math"
	"unsafe"

	"github.com/fornax-ml/fornax/tensor/ir"
)

// The float32 transcendental functions: range reduction and a polynomial in
// float64 arithmetic, rounded to float32 once. No tables, few branches. The
// polynomials are Taylor series, whose error at the end of the reduced range
// is below 1e-9, a fortieth of half a float32 ulp.

const (
	log2e   = math.Log2E
	ln2     = math.Ln2
	shifter = 0x1.8p52 // adding it leaves the nearest integer in the low bits
)

// math32Kernels enters them.
func math32Kernels() {
	k := func(op ir.Op, f kernel) { kernels.calc[op][ir.F32] = f }
	k(ir.OpExp, expBlock)
	k(ir.OpExp2, each(exp2f))
	k(ir.OpExpm1, each(expm1f))
	k(ir.OpLog, logBlock)
	k(ir.OpLog2, each(log2f))
	k(ir.OpLog1p, each(log1pf))
	k(ir.OpSin, each(sinf))
	k(ir.OpCos, each(cosf))
	k(ir.OpTan, each(tanf))
	k(ir.OpAsin, each(func(x float32) float32 { return float32(math.Asin(float64(x))) }))
	k(ir.OpAcos, each(func(x float32) float32 { return float32(math.Acos(float64(x))) }))
	k(ir.OpAtan, each(func(x float32) float32 { return float32(math.Atan(float64(x))) }))
	k(ir.OpSinh, each(sinhf))
	k(ir.OpCosh, each(coshf))
	k(ir.OpTanh, tanhBlock)
	k(ir.OpErf, each(func(x float32) float32 { return float32(math.Erf(float64(x))) }))
	k(ir.OpSigmoid, sigmoidBlock)
	k(ir.OpPow, each2(powf))
	k(ir.OpAtan2, each2(func(y, x float32) float32 { return float32(math.Atan2(float64(y), float64(x))) }))
}

func each(f func(float32) float32) kernel {
	return func(dst, a, _, _ unsafe.Pointer, n int) {
		d, x := slice[float32](dst, n), slice[float32](a, n)
		for i := range d {
			d[i] = f(x[i])
		}
	}
}

func each2(f func(a, b float32) float32) kernel {
	return func(dst, a, b, _ unsafe.Pointer, n int) {
		d, x, y := slice[float32](dst, n), slice[float32](a, n), slice[float32](b, n)
		for i := range d {
			d[i] = f(x[i], y[i])
		}
	}
}

// expq returns q and 2^k with e^(r+k·ln 2) = 2^k·(1+q), for t = x·log₂e
// and |t| < 1000; x = t·ln 2.
func expq(t float64) (q, scale float64) {
	s := t + shifter
	r := (t - (s - shifter)) * ln2 // exact difference; |r| <= ln(2)/2
	r2 := r * r
	// Σ rⁿ/n! for n = 1..9, in pairs to shorten the dependence.
	p := (1 + r*(1./2)) + r2*((1./6+r*(1./24))+r2*((1./120+r*(1./720))+r2*(1./5040+r*(1./40320))))
	return r * p, math.Float64frombits((math.Float64bits(s) + 1023) << 52)
}

// expd returns eˣ of a float32 as float64, clamped where float32 has 0 or
// infinity anyway.
func expd(x float64) float64 {
	q, s := expq(max(min(x, 300), -300) * log2e)
	return s + s*q
}

func expBlock(dst, a, _, _ unsafe.Pointer, n int) {
	d, x := slice[float32](dst, n), slice[float32](a, n)
	for i := range d {
		d[i] = float32(expd(float64(x[i])))
	}
}

func exp2f(x float32) float32 {
	q, s := expq(max(min(float64(x), 400), -400))
	return float32(s + s*q)
}

func expm1d(x float64) float64 {
	q, s := expq(max(min(x, 300), -300) * log2e)
	return s*q + (s - 1) // s-1 is 0 where |x| <= ln(2)/2
}

func expm1f(x float32) float32 {
	if x == 0 {
		return x
	}
	return float32(expm1d(float64(x)))
}

// tanh x = t/(t+2) for t = e^2x - 1.
func tanhBlock(dst, a, _, _ unsafe.Pointer, n int) {
	d, x := slice[float32](dst, n), slice[float32](a, n)
	for i := range d {
		v := float64(x[i])
		t := expm1d(-2 * math.Abs(v))
		d[i] = float32(math.Copysign(-t/(t+2), v))
	}
}

func sigmoidBlock(dst, a, _, _ unsafe.Pointer, n int) {
	d, x := slice[float32](dst, n), slice[float32](a, n)
	for i := range d {
		d[i] = float32(1 / (1 + expd(-float64(x[i]))))
	}
}

// sinh |x| = (t + t/(t+1))/2 for t = e^|x| - 1.
func sinhf(x float32) float32 {
	t := expm1d(math.Abs(float64(x)))
	return float32(math.Copysign((t+t/(t+1))/2, float64(x)))
}

func coshf(x float32) float32 {
	e := expd(math.Abs(float64(x)))
	return float32((e + 1/e) / 2)
}

// logd returns ln x as k·ln 2 + l, for a normal positive float64 x.
func logd(x float64) (l, k float64) {
	b := math.Float64bits(x)
	// Subtracting √½ first makes the mantissa lie in [√½, √2).
	e := int64(b-0x3fe6a09e667f3bcd) >> 52
	m := math.Float64frombits(b - uint64(e)<<52)
	return atanh2((m - 1) / (m + 1)), float64(e)
}

// atanh2 returns 2·artanh s = ln((1+s)/(1-s)), for |s| <= 0.1716.
func atanh2(s float64) float64 {
	z := s * s
	return 2 * s * (1 + z*(1./3+z*(1./5+z*(1./7+z*(1./9+z*(1./11))))))
}

// logEdge gives the logarithms of what is not positive and finite.
func logEdge(x float32) float32 {
	switch {
	case x == 0:
		return float32(math.Inf(-1))
	case x > 0:
		return x // +Inf
	}
	return float32(math.NaN())
}

func logBlock(dst, a, _, _ unsafe.Pointer, n int) {
	d, x := slice[float32](dst, n), slice[float32](a, n)
	for i := range d {
		v := x[i]
		if !(v > 0 && v <= math.MaxFloat32) {
			d[i] = logEdge(v)
			continue
		}
		l, k := logd(float64(v))
		d[i] = float32(k*ln2 + l)
	}
}

func log2f(x float32) float32 {
	if !(x > 0 && x <= math.MaxFloat32) {
		return logEdge(x)
	}
	l, k := logd(float64(x))
	return float32(k + l*log2e)
}

func log1pf(x float32) float32 {
	v := float64(x)
	switch {
	case v > -0.29 && v < 0.41:
		if v == 0 {
			return x
		}
		return float32(atanh2(v / (2 + v)))
	case v > -1 && v <= math.MaxFloat32:
		l, k := logd(1 + v)
		return float32(k*ln2 + l)
	}
	return logEdge(x + 1)
}

// powf is 2^(y·log₂ x) where x is positive and both are finite, and the
// standard library's elsewhere.
func powf(x, y float32) float32 {
	if !(x > 0 && x <= math.MaxFloat32 && y >= -math.MaxFloat32 && y <= math.MaxFloat32) {
		return float32(math.Pow(float64(x), float64(y)))
	}
	b := math.Float64bits(float64(x))
	e := int64(b-0x3fe6a09e667f3bcd) >> 52
	m := math.Float64frombits(b - uint64(e)<<52)
	// The product is up to 150, so that the logarithm takes more terms.
	s := (m - 1) / (m + 1)
	z := s * s
	l := 2 * s * (1 + z*(1./3+z*(1./5+z*(1./7+z*(1./9+z*(1./11+z*(1./13+z*(1./15))))))))
	q, t := expq(max(min(float64(y)*(float64(e)+l*log2e), 400), -400))
	return float32(t + t*q)
}

// Parts of π/2: the first has 33 bits, so that its product with a quadrant
// number of 20 bits is exact.
const (
	pio2Hi = 0x1.921fb544p0
	pio2Lo = 0x1.0b4611a626331p-34
)

// quadrant returns x - k·π/2, in [-π/4, π/4] give or take rounding, and k mod
// 4, for |x| < 2^19.
func quadrant(x float64) (r float64, k uint64) {
	s := x*(2/math.Pi) + shifter
	f := s - shifter
	return x - float64(f*pio2Hi) - float64(f*pio2Lo), math.Float64bits(s) & 3
}

func sinPoly(r float64) float64 {
	z := r * r
	return r + r*z*(-1./6+z*(1./120+z*(-1./5040+z*(1./362880+z*(-1./39916800)))))
}

func cosPoly(r float64) float64 {
	z := r * r
	return 1 + z*(-1./2+z*(1./24+z*(-1./720+z*(1./40320+z*(-1./3628800+z*(1./479001600))))))
}

// bigAngle is where the reduction gives way to the standard library's.
const bigAngle = 1 << 19

func sinf(x float32) float32 {
	v := float64(x)
	if !(math.Abs(v) < bigAngle) {
		return float32(math.Sin(v))
	}
	r, k := quadrant(v)
	var y float64
	if k&1 == 0 {
		y = sinPoly(r)
	} else {
		y = cosPoly(r)
	}
	if k&2 != 0 {
		y = -y
	}
	return float32(y)
}

func cosf(x float32) float32 {
	v := float64(x)
	if !(math.Abs(v) < bigAngle) {
		return float32(math.Cos(v))
	}
	r, k := quadrant(v)
	var y float64
	if k&1 == 0 {
		y = cosPoly(r)
	} else {
		y = sinPoly(r)
	}
	if (k+1)&2 != 0 {
		y = -y
	}
	return float32(y)
}

func tanf(x float32) float32 {
	v := float64(x)
	if !(math.Abs(v) < bigAngle) {
		return float32(math.Tan(v))
	}
	r, k := quadrant(v)
	if k&1 == 0 {
		return float32(sinPoly(r) / cosPoly(r))
	}
	return float32(-cosPoly(r) / sinPoly(r))
}
