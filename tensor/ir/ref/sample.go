package ref

import (
	"math"
	"math/rand/v2"

	"github.com/fornax-ml/fornax/tensor/ir"
)

// Rand returns a source whose numbers depend on what they are for.
func Rand(seed uint64, what string) *rand.Rand {
	h := uint64(14695981039346656037) // FNV-1a
	for _, c := range []byte(what) {
		h = (h ^ uint64(c)) * 1099511628211
	}
	return rand.New(rand.NewPCG(seed, h))
}

// Uniform returns n values of d in [lo, hi].
func Uniform(r *rand.Rand, d ir.DType, n int, lo, hi float64) Values {
	v := New(d, n)
	for i := range n {
		x := lo + (hi-lo)*r.Float64()
		switch {
		case d == ir.Bool:
			v.I[i] = int64(r.IntN(2))
		case d.IsFloat():
			v.F[i] = ir.BitsFloat(d, ir.FloatBits(d, x))
		default:
			v.I[i] = ir.SaturateInt(d, x)
		}
	}
	return v
}

// Whole returns n whole numbers of d in [lo, hi], clamped to the dtype.
func Whole(r *rand.Rand, d ir.DType, n, lo, hi int) Values {
	v := New(d, n)
	for i := range n {
		x := float64(lo + r.IntN(hi-lo+1))
		switch {
		case d == ir.Bool:
			v.I[i] = int64(r.IntN(2))
		case d.IsFloat():
			v.F[i] = x
		default:
			v.I[i] = ir.SaturateInt(d, x)
		}
	}
	return v
}

// AnyBits returns n values of all magnitudes: for integers all bits random, for
// floats normal numbers of random exponent.
func AnyBits(r *rand.Rand, d ir.DType, n int) Values {
	v := New(d, n)
	for i := range n {
		if d.IsFloat() {
			e := 30 * (2*r.Float64() - 1)
			v.F[i] = ir.BitsFloat(d, ir.FloatBits(d, math.Copysign(math.Exp2(e/2), 2*r.Float64()-1)))
		} else {
			v.I[i] = ir.WrapInt(d, int64(r.Uint64()))
		}
	}
	return v
}

// Arguments returns n values for argument k of an op, inside its domain;
// integers are half of them anything.
func Arguments(r *rand.Rand, in *ir.OpInfo, k int, d ir.DType, n int) Values {
	lo, hi := Domain(in, k)
	v := Uniform(r, d, n, lo, hi)
	switch {
	case d.IsInt():
		w := AnyBits(r, d, n)
		for i := range n {
			if in.Op == ir.OpPhilox || r.IntN(2) == 0 && (in.Op != ir.OpShl && in.Op != ir.OpShr || k == 0) {
				v.I[i] = w.I[i]
			}
		}
	case d.IsFloat():
		// The dtype's rounding may step over the domain's ends.
		for i, x := range v.F {
			if x < lo || x > hi {
				v.F[i] = ir.BitsFloat(d, ir.FloatBits(d, (lo+hi)/2))
			}
		}
	}
	return v
}

// Domain returns the interval that argument k is drawn from.
func Domain(in *ir.OpInfo, k int) (lo, hi float64) {
	if len(in.Domain) == 0 {
		return 0, 1
	}
	d := in.Domain[min(k, len(in.Domain)-1)]
	return d[0], d[1]
}

// MaxFinite returns the largest number of a float dtype.
func MaxFinite(d ir.DType) float64 {
	switch d {
	case ir.F16:
		return 65504
	case ir.BF16:
		return ir.BitsFloat(d, 0x7f7f)
	case ir.F64:
		return math.MaxFloat64
	}
	return math.MaxFloat32
}

// MinNormal returns the least positive normal number of a float dtype.
func MinNormal(d ir.DType) float64 {
	switch d {
	case ir.F16:
		return 0x1p-14
	case ir.F64:
		return 0x1p-1022
	}
	return 0x1p-126
}

// Specials returns the values that kernels get wrong.
func Specials(d ir.DType) Values {
	switch {
	case d == ir.Bool:
		return Values{DType: d, I: []int64{0, 1}}
	case d.IsFloat():
		inf, nan, big, small := math.Inf(1), math.NaN(), MaxFinite(d), MinNormal(d)
		return Values{DType: d, F: []float64{0, math.Copysign(0, -1), 1, -1, 0.5, -0.5, 1.5, 2.5, -2.5, 2, -3, nan, math.Copysign(nan, -1), inf, -inf, big, -big, small, -small}}
	}
	lo, hi := ir.IntRange(d)
	v := Values{DType: d, I: []int64{0, 1, 2, 3, 7, 31, 100, lo, lo + 1, hi - 1, hi}}
	if lo < 0 {
		v.I = append(v.I, -1, -2, -3, -7)
	}
	return v
}

// Cross returns, for each of k arguments, its values in all combinations.
func Cross(v []Values) []Values {
	n := 1
	for _, x := range v {
		n *= x.Len()
	}
	out := make([]Values, len(v))
	stride := n
	for k, x := range v {
		stride /= x.Len()
		out[k] = New(x.DType, n)
		for i := range n {
			j := i / stride % x.Len()
			if x.DType.IsFloat() {
				out[k].F[i] = x.F[j]
			} else {
				out[k].I[i] = x.I[j]
			}
		}
	}
	return out
}

// A Tolerance bounds the error of a result: units in the last place, plus an
// absolute error.
type Tolerance struct{ ULP, Abs float64 }

// OpTolerance returns what one application of an elementwise op on dtype d may be
// off; the zero value is for ops that are exact.
func OpTolerance(in *ir.OpInfo, d ir.DType) Tolerance {
	if in.ULP == 0 && in.Abs == 0 || !d.IsFloat() {
		return Tolerance{}
	}
	switch d {
	case ir.F16:
		return Tolerance{0.5 + (in.ULP+1)/(1<<13), in.Abs}
	case ir.BF16:
		return Tolerance{0.5 + (in.ULP+1)/(1<<16), in.Abs + 0x1p-126}
	case ir.F64:
		return Tolerance{8 * in.ULP, 8 * in.Abs * 0x1p-29}
	}
	return Tolerance{in.ULP, in.Abs + 0x1p-126}
}

// ArgType returns the dtype of argument k of an op on dtype d.
func ArgType(in *ir.OpInfo, k int, d ir.DType) ir.DType {
	if in.Op == ir.OpWhere && k == 0 {
		return ir.Bool
	}
	return d
}
