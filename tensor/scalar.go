package tensor

import "github.com/fornax-ml/fornax/tensor/ir"

// A Go number takes the tensor's dtype: for integers it truncates and
// saturates. It is a run-time argument of the program: another number plans
// and compiles nothing.

// AddScalar returns x + v.
func (t *Tensor) AddScalar(v float64) *Tensor {
	return pairwise("AddScalar", ir.OpAdd, t, FullLike(t, v))
}

// SubScalar returns x - v.
func (t *Tensor) SubScalar(v float64) *Tensor {
	return pairwise("SubScalar", ir.OpSub, t, FullLike(t, v))
}

// MulScalar returns x·v.
func (t *Tensor) MulScalar(v float64) *Tensor {
	return pairwise("MulScalar", ir.OpMul, t, FullLike(t, v))
}

// DivScalar returns x/v.
func (t *Tensor) DivScalar(v float64) *Tensor {
	return pairwise("DivScalar", ir.OpDiv, t, FullLike(t, v))
}

// RemScalar returns the remainder of x by v, with the sign of x.
func (t *Tensor) RemScalar(v float64) *Tensor {
	return pairwise("RemScalar", ir.OpRem, t, FullLike(t, v))
}

// PowScalar returns xᵛ.
func (t *Tensor) PowScalar(v float64) *Tensor {
	autocast(ir.OpPow, &t) // before v is rounded to the dtype
	return pairwise("PowScalar", ir.OpPow, t, FullLike(t, v))
}

// MaximumScalar returns the larger of x and v.
func (t *Tensor) MaximumScalar(v float64) *Tensor {
	return pairwise("MaximumScalar", ir.OpMaximum, t, FullLike(t, v))
}

// MinimumScalar returns the smaller of x and v.
func (t *Tensor) MinimumScalar(v float64) *Tensor {
	return pairwise("MinimumScalar", ir.OpMinimum, t, FullLike(t, v))
}

// LessScalar returns x < v as bool.
func (t *Tensor) LessScalar(v float64) *Tensor {
	return pairwise("LessScalar", ir.OpLess, t, FullLike(t, v))
}

// LessEqualScalar returns x ≤ v as bool.
func (t *Tensor) LessEqualScalar(v float64) *Tensor {
	return pairwise("LessEqualScalar", ir.OpLessEqual, t, FullLike(t, v))
}

// EqualScalar returns x = v as bool.
func (t *Tensor) EqualScalar(v float64) *Tensor {
	return pairwise("EqualScalar", ir.OpEqual, t, FullLike(t, v))
}

// NotEqualScalar returns x ≠ v as bool.
func (t *Tensor) NotEqualScalar(v float64) *Tensor {
	return pairwise("NotEqualScalar", ir.OpNotEqual, t, FullLike(t, v))
}

// RSubScalar returns v - x.
func (t *Tensor) RSubScalar(v float64) *Tensor {
	return pairwise("RSubScalar", ir.OpSub, FullLike(t, v), t)
}

// RDivScalar returns v/x.
func (t *Tensor) RDivScalar(v float64) *Tensor {
	return pairwise("RDivScalar", ir.OpDiv, FullLike(t, v), t)
}

// GreaterScalar returns x > v as bool.
func (t *Tensor) GreaterScalar(v float64) *Tensor {
	return pairwise("GreaterScalar", ir.OpLess, FullLike(t, v), t)
}

// GreaterEqualScalar returns x ≥ v as bool.
func (t *Tensor) GreaterEqualScalar(v float64) *Tensor {
	return pairwise("GreaterEqualScalar", ir.OpLessEqual, FullLike(t, v), t)
}

// Shl returns x·2ⁿ of integers, wrapping.
func (t *Tensor) Shl(n int) *Tensor { return pairwise("Shl", ir.OpShl, t, FullLike(t, float64(n))) }

// Shr returns ⌊x/2ⁿ⌋ of integers.
func (t *Tensor) Shr(n int) *Tensor { return pairwise("Shr", ir.OpShr, t, FullLike(t, float64(n))) }

// Clamp returns x limited to [lo, hi]; NaN stays NaN.
func (t *Tensor) Clamp(lo, hi float64) *Tensor { return t.MaximumScalar(lo).MinimumScalar(hi) }

// fixed returns x op v for a number v that belongs to the formula and is
// therefore part of the program.
func (t *Tensor) fixed(op ir.Op, v float64) *Tensor {
	return pairwise(op.String(), op, t, constant(t.dev, t.dtype, v, t.shape))
}
