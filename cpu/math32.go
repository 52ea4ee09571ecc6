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
func math32Kernels(k *kernelTable) {
	one := func(op ir.Op, f func(float64) float64) { k.calc[op][ir.F32] = inFloat64(f) }
	one(ir.OpExp, expd)
	one(ir.OpExp2, exp2d)
	one(ir.OpExpm1, expm1d)
	one(ir.OpLog, logd)
	one(ir.OpLog2, log2d)
	one(ir.OpLog1p, log1pd)
	one(ir.OpSin, sind)
	one(ir.OpCos, cosd)
	one(ir.OpTan, tand)
	one(ir.OpAsin, math.Asin)
	one(ir.OpAcos, math.Acos)
	one(ir.OpAtan, math.Atan)
	one(ir.OpSinh, sinhd)
	one(ir.OpCosh, coshd)
	one(ir.OpTanh, tanhd)
	one(ir.OpErf, math.Erf)
	one(ir.OpSigmoid, sigmoidd)
	k.calc[ir.OpPow][ir.F32] = inFloat64x2(powd)
	k.calc[ir.OpAtan2][ir.F32] = inFloat64x2(math.Atan2)
}

// inFloat64 makes a kernel of f, which takes a float32's value and returns
// what is rounded to float32. The conversions have loops of their own: on amd64
// they depend on what their register held before, which would chain one
// element's function to the next's.
func inFloat64(f func(float64) float64) kernel {
	return func(dst, a, _, _ unsafe.Pointer, n int) {
		d, x := slice[float32](dst, n), slice[float32](a, n)
		var room [128]float64
		for len(d) > 0 {
			t := room[:min(len(d), len(room))]
			for i, v := range x[:len(t)] {
				t[i] = float64(v)
			}
			for i, v := range t {
				t[i] = f(v)
			}
			for i, v := range t {
				d[i] = float32(v)
			}
			d, x = d[len(t):], x[len(t):]
		}
	}
}

// inFloat64x2 is inFloat64 for two arguments.
func inFloat64x2(f func(a, b float64) float64) kernel {
	return func(dst, a, b, _ unsafe.Pointer, n int) {
		d, x, y := slice[float32](dst, n), slice[float32](a, n), slice[float32](b, n)
		var room, second [128]float64
		for len(d) > 0 {
			t := room[:min(len(d), len(room))]
			u := second[:len(t)]
			for i, v := range x[:len(t)] {
				t[i] = float64(v)
			}
			for i, v := range y[:len(t)] {
				u[i] = float64(v)
			}
			for i, v := range t {
				t[i] = f(v, u[i])
			}
			for i, v := range t {
				d[i] = float32(v)
			}
			d, x, y = d[len(t):], x[len(t):], y[len(t):]
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

func exp2d(x float64) float64 {
	q, s := expq(max(min(x, 400), -400))
	return s + s*q
}

func expm1d(x float64) float64 {
	if x == 0 {
		return x // -0 stays
	}
	return expm1(x)
}

func expm1(x float64) float64 {
	q, s := expq(max(min(x, 300), -300) * log2e)
	return s*q + (s - 1) // s-1 is 0 where |x| <= ln(2)/2
}

// tanh |x| = -t/(t+2) for t = e^-2|x| - 1.
func tanhd(x float64) float64 {
	t := expm1(-2 * math.Abs(x))
	return math.Copysign(-t/(t+2), x)
}

func sigmoidd(x float64) float64 { return 1 / (1 + expd(-x)) }

// sinh |x| = (t + t/(t+1))/2 for t = e^|x| - 1.
func sinhd(x float64) float64 {
	t := expm1(math.Abs(x))
	return math.Copysign((t+t/(t+1))/2, x)
}

func coshd(x float64) float64 {
	e := expd(math.Abs(x))
	return (e + 1/e) / 2
}

// split returns k and the m in [√½, √2) with x = m·2^k, for a normal positive
// x: every float32 is a normal float64.
func split(x float64) (m, k float64) {
	b := math.Float64bits(x)
	e := int64(b-0x3fe6a09e667f3bcd) >> 52 // the bits of √½
	return math.Float64frombits(b - uint64(e)<<52), float64(e)
}

// atanh2 returns 2·artanh s = ln((1+s)/(1-s)), for |s| <= 0.1716.
func atanh2(s float64) float64 {
	z := s * s
	return 2 * s * (1 + z*(1./3+z*(1./5+z*(1./7+z*(1./9+z*(1./11))))))
}

// logEdge gives the logarithms of what is not positive and finite.
func logEdge(x float64) float64 {
	switch {
	case x == 0:
		return math.Inf(-1)
	case x > 0:
		return x // +Inf
	}
	return math.NaN()
}

func logd(x float64) float64 {
	if !(x > 0 && x <= math.MaxFloat64) {
		return logEdge(x)
	}
	m, k := split(x)
	return k*ln2 + atanh2((m-1)/(m+1))
}

func log2d(x float64) float64 {
	if !(x > 0 && x <= math.MaxFloat64) {
		return logEdge(x)
	}
	m, k := split(x)
	return k + atanh2((m-1)/(m+1))*log2e
}

func log1pd(x float64) float64 {
	if x > -0.29 && x < 0.41 {
		if x == 0 {
			return x // -0 stays
		}
		return atanh2(x / (2 + x))
	}
	return logd(1 + x)
}

// powd is 2^(y·log₂ x) where x is positive and both are finite, and the
// standard library's elsewhere.
func powd(x, y float64) float64 {
	if !(x > 0 && x <= math.MaxFloat64 && math.Abs(y) <= math.MaxFloat64) {
		return math.Pow(x, y)
	}
	m, k := split(x)
	// The product is up to 150, so that the logarithm takes more terms.
	s := (m - 1) / (m + 1)
	z := s * s
	l := 2 * s * (1 + z*(1./3+z*(1./5+z*(1./7+z*(1./9+z*(1./11+z*(1./13+z*(1./15))))))))
	q, t := expq(max(min(y*(k+l*log2e), 400), -400))
	return t + t*q
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
	return r * (1 + z*(-1./6+z*(1./120+z*(-1./5040+z*(1./362880+z*(-1./39916800))))))
}

func cosPoly(r float64) float64 {
	z := r * r
	return 1 + z*(-1./2+z*(1./24+z*(-1./720+z*(1./40320+z*(-1./3628800+z*(1./479001600))))))
}

// bigAngle is where the reduction gives way to the standard library's.
const bigAngle = 1 << 19

func sind(x float64) float64 {
	if !(math.Abs(x) < bigAngle) {
		return math.Sin(x)
	}
	r, k := quadrant(x)
	y := sinPoly(r)
	if k&1 != 0 {
		y = cosPoly(r)
	}
	if k&2 != 0 {
		y = -y
	}
	return y
}

func cosd(x float64) float64 {
	if !(math.Abs(x) < bigAngle) {
		return math.Cos(x)
	}
	r, k := quadrant(x)
	y := cosPoly(r)
	if k&1 != 0 {
		y = sinPoly(r)
	}
	if (k+1)&2 != 0 {
		y = -y
	}
	return y
}

func tand(x float64) float64 {
	if !(math.Abs(x) < bigAngle) {
		return math.Tan(x)
	}
	r, k := quadrant(x)
	if k&1 == 0 {
		return sinPoly(r) / cosPoly(r)
	}
	return -cosPoly(r) / sinPoly(r)
}
