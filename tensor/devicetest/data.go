package devicetest

import (
	"math"
	"math/rand/v2"

	"github.com/fornax-ml/fornax/tensor/ir"
	"github.com/fornax-ml/fornax/tensor/ir/ref"
)

// newRand returns a source whose numbers depend on what they are for.
func newRand(seed uint64, what string) *rand.Rand {
	h := uint64(14695981039346656037) // FNV-1a
	for _, c := range []byte(what) {
		h = (h ^ uint64(c)) * 1099511628211
	}
	return rand.New(rand.NewPCG(seed, h))
}

// uniform returns n values of d in [lo, hi].
func uniform(r *rand.Rand, d ir.DType, n int, lo, hi float64) ref.Values {
	v := ref.New(d, n)
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

// whole returns n whole numbers of d in [lo, hi], clamped to the dtype.
func whole(r *rand.Rand, d ir.DType, n, lo, hi int) ref.Values {
	v := ref.New(d, n)
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

// anyBits returns n values of all magnitudes: for integers all bits random, for
// floats normal numbers of random exponent.
func anyBits(r *rand.Rand, d ir.DType, n int) ref.Values {
	v := ref.New(d, n)
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

// arguments returns n values for argument k of an op, inside its domain;
// integers are half of them anything.
func arguments(r *rand.Rand, in *ir.OpInfo, k int, d ir.DType, n int) ref.Values {
	lo, hi := domain(in, k)
	v := uniform(r, d, n, lo, hi)
	switch {
	case d.IsInt():
		w := anyBits(r, d, n)
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

func domain(in *ir.OpInfo, k int) (lo, hi float64) {
	if len(in.Domain) == 0 {
		return 0, 1
	}
	d := in.Domain[min(k, len(in.Domain)-1)]
	return d[0], d[1]
}

// maxFinite and minNormal return the ends of a float dtype.
func maxFinite(d ir.DType) float64 {
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

func minNormal(d ir.DType) float64 {
	switch d {
	case ir.F16:
		return 0x1p-14
	case ir.F64:
		return 0x1p-1022
	}
	return 0x1p-126
}

// specials returns the values that kernels get wrong.
func specials(d ir.DType) ref.Values {
	switch {
	case d == ir.Bool:
		return ref.Values{DType: d, I: []int64{0, 1}}
	case d.IsFloat():
		inf, big, small := math.Inf(1), maxFinite(d), minNormal(d)
		return ref.Values{DType: d, F: []float64{0, math.Copysign(0, -1), 1, -1, 0.5, -0.5, 1.5, 2.5, -2.5, 2, -3, math.NaN(), inf, -inf, big, -big, small, -small}}
	}
	lo, hi := ir.IntRange(d)
	v := ref.Values{DType: d, I: []int64{0, 1, 2, 3, 7, 31, 100, lo, lo + 1, hi - 1, hi}}
	if lo < 0 {
		v.I = append(v.I, -1, -2, -3, -7)
	}
	return v
}

// cross returns, for each of k arguments, its values in all combinations.
func cross(v []ref.Values) []ref.Values {
	n := 1
	for _, x := range v {
		n *= x.Len()
	}
	out := make([]ref.Values, len(v))
	stride := n
	for k, x := range v {
		stride /= x.Len()
		out[k] = ref.New(x.DType, n)
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

// epsilon is half the distance from 1 to the next number of the dtype that d
// is computed in: halves are computed in float32.
func epsilon(d ir.DType) float64 {
	if d == ir.F64 {
		return 0x1p-53
	}
	return 0x1p-24
}

// rounding is the error in ulp that storing a result in d adds to one computed
// in float32 (or float64, for F64).
func rounding(d ir.DType) float64 {
	switch d {
	case ir.F16, ir.BF16:
		return 0.5
	}
	return 0
}

// opTolerance is the tolerance of one application of an elementwise op.
func opTolerance(in *ir.OpInfo, d ir.DType) tolerance {
	if in.ULP == 0 && in.Abs == 0 || !d.IsFloat() {
		return exact
	}
	switch d {
	case ir.F16:
		return tolerance{ulp: 0.5 + (in.ULP+1)/(1<<13), abs: in.Abs}
	case ir.BF16:
		return tolerance{ulp: 0.5 + (in.ULP+1)/(1<<16), abs: in.Abs + 0x1p-126}
	case ir.F64:
		return tolerance{ulp: 8 * in.ULP, abs: 8 * in.Abs * 0x1p-29}
	}
	return tolerance{ulp: in.ULP, abs: in.Abs + 0x1p-126}
}
