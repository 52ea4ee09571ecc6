package tensor

import "github.com/fornax-ml/fornax/tensor/ir"

// Shapes broadcast as in NumPy: aligned at the last axis, an axis of size 1
// stretches. Dtypes must be equal.

// Add returns a + b.
func (t *Tensor) Add(b *Tensor) *Tensor { return pairwise("Add", ir.OpAdd, t, b) }

// Sub returns a - b.
func (t *Tensor) Sub(b *Tensor) *Tensor { return pairwise("Sub", ir.OpSub, t, b) }

// Mul returns a·b, element by element.
func (t *Tensor) Mul(b *Tensor) *Tensor { return pairwise("Mul", ir.OpMul, t, b) }

// Div returns a/b; integer division truncates, by zero gives 0.
func (t *Tensor) Div(b *Tensor) *Tensor { return pairwise("Div", ir.OpDiv, t, b) }

// Rem returns the remainder a - b·trunc(a/b), with the sign of a; integers by zero give 0.
func (t *Tensor) Rem(b *Tensor) *Tensor { return pairwise("Rem", ir.OpRem, t, b) }

// Pow returns aᵇ.
func (t *Tensor) Pow(b *Tensor) *Tensor { return pairwise("Pow", ir.OpPow, t, b) }

// Atan2 returns the angle of the point (b, a) in radians.
func (t *Tensor) Atan2(b *Tensor) *Tensor { return pairwise("Atan2", ir.OpAtan2, t, b) }

// Maximum returns the larger of a and b; NaN where either is.
func (t *Tensor) Maximum(b *Tensor) *Tensor { return pairwise("Maximum", ir.OpMaximum, t, b) }

// Minimum returns the smaller of a and b; NaN where either is.
func (t *Tensor) Minimum(b *Tensor) *Tensor { return pairwise("Minimum", ir.OpMinimum, t, b) }

// And returns logical and of bools, bitwise and of integers.
func (t *Tensor) And(b *Tensor) *Tensor { return pairwise("And", ir.OpAnd, t, b) }

// Or returns logical or of bools, bitwise or of integers.
func (t *Tensor) Or(b *Tensor) *Tensor { return pairwise("Or", ir.OpOr, t, b) }

// Xor returns exclusive or of bools or bits.
func (t *Tensor) Xor(b *Tensor) *Tensor { return pairwise("Xor", ir.OpXor, t, b) }

// Less returns a < b as bool.
func (t *Tensor) Less(b *Tensor) *Tensor { return pairwise("Less", ir.OpLess, t, b) }

// LessEqual returns a ≤ b as bool.
func (t *Tensor) LessEqual(b *Tensor) *Tensor { return pairwise("LessEqual", ir.OpLessEqual, t, b) }

// Equal returns a = b as bool.
func (t *Tensor) Equal(b *Tensor) *Tensor { return pairwise("Equal", ir.OpEqual, t, b) }

// NotEqual returns a ≠ b as bool.
func (t *Tensor) NotEqual(b *Tensor) *Tensor { return pairwise("NotEqual", ir.OpNotEqual, t, b) }

// Greater returns a > b as bool.
func (t *Tensor) Greater(b *Tensor) *Tensor { return pairwise("Greater", ir.OpLess, b, t) }

// GreaterEqual returns a ≥ b as bool.
func (t *Tensor) GreaterEqual(b *Tensor) *Tensor {
	return pairwise("GreaterEqual", ir.OpLessEqual, b, t)
}

// ShlTensor returns a·2ᵇ of integers, wrapping; 0 where b is not in [0, width).
func (t *Tensor) ShlTensor(b *Tensor) *Tensor { return pairwise("ShlTensor", ir.OpShl, t, b) }

// ShrTensor returns ⌊a/2ᵇ⌋ of integers; 0, or -1 for negative a, where b is not
// in [0, width).
func (t *Tensor) ShrTensor(b *Tensor) *Tensor { return pairwise("ShrTensor", ir.OpShr, t, b) }

// Where returns a where cond holds and b elsewhere; cond is Bool, a and b have
// one dtype, and all three broadcast.
func Where(cond, a, b *Tensor) *Tensor {
	sameDevice("Where", cond, a, b)
	autocast(ir.OpWhere, &a, &b)
	if cond.dtype != Bool || a.dtype != b.dtype {
		badDType("Where", "wants a bool and two of one dtype", cond, a, b)
	}
	shape := broadcast("Where", cond, a, b)
	return newNode(a.dev, a.dtype, shape, spec{op: ir.OpWhere, from: a.dtype},
		cond.broadcastTo("Where", shape), a.broadcastTo("Where", shape), b.broadcastTo("Where", shape))
}

func pairwise(name string, op ir.Op, a, b *Tensor) *Tensor {
	sameDevice(name, a, b)
	autocast(op, &a, &b)
	if a.dtype != b.dtype {
		badDType(name, "dtypes differ; use Cast", a, b)
	}
	if !op.Info().Args.Has(a.dtype) {
		badDType(name, "wants "+className(op.Info().Args), a, b)
	}
	shape := broadcast(name, a, b)
	return newNode(a.dev, op.ResultType(a.dtype), shape, spec{op: op, from: a.dtype}, a.broadcastTo(name, shape), b.broadcastTo(name, shape))
}
