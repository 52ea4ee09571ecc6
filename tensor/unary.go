package tensor

import "github.com/fornax-ml/fornax/tensor/ir"

// Neg returns -x.
func (t *Tensor) Neg() *Tensor { return t.unary("Neg", ir.OpNeg) }

// Abs returns |x|.
func (t *Tensor) Abs() *Tensor { return t.unary("Abs", ir.OpAbs) }

// Sign returns -1, 0 or 1 by the sign of x; NaN stays NaN.
func (t *Tensor) Sign() *Tensor { return t.unary("Sign", ir.OpSign) }

// Square returns x².
func (t *Tensor) Square() *Tensor {
	return t.unary("Square", ir.OpSquare)
}

// Sqrt returns √x.
func (t *Tensor) Sqrt() *Tensor { return t.unary("Sqrt", ir.OpSqrt) }

// Rsqrt returns 1/√x.
func (t *Tensor) Rsqrt() *Tensor { return t.unary("Rsqrt", ir.OpRsqrt) }

// Reciprocal returns 1/x.
func (t *Tensor) Reciprocal() *Tensor {
	return t.unary("Reciprocal", ir.OpReciprocal)
}

// Exp returns eˣ.
func (t *Tensor) Exp() *Tensor { return t.unary("Exp", ir.OpExp) }

// Exp2 returns 2ˣ.
func (t *Tensor) Exp2() *Tensor { return t.unary("Exp2", ir.OpExp2) }

// Expm1 returns eˣ - 1, accurate near 0.
func (t *Tensor) Expm1() *Tensor { return t.unary("Expm1", ir.OpExpm1) }

// Log returns the natural logarithm of x.
func (t *Tensor) Log() *Tensor { return t.unary("Log", ir.OpLog) }

// Log2 returns log₂ x.
func (t *Tensor) Log2() *Tensor { return t.unary("Log2", ir.OpLog2) }

// Log1p returns ln(1 + x), accurate near 0.
func (t *Tensor) Log1p() *Tensor { return t.unary("Log1p", ir.OpLog1p) }

// Sin returns the sine of x radians.
func (t *Tensor) Sin() *Tensor { return t.unary("Sin", ir.OpSin) }

// Cos returns the cosine of x radians.
func (t *Tensor) Cos() *Tensor { return t.unary("Cos", ir.OpCos) }

// Tan returns the tangent of x radians.
func (t *Tensor) Tan() *Tensor { return t.unary("Tan", ir.OpTan) }

// Asin returns arcsin x in radians.
func (t *Tensor) Asin() *Tensor { return t.unary("Asin", ir.OpAsin) }

// Acos returns arccos x in radians.
func (t *Tensor) Acos() *Tensor { return t.unary("Acos", ir.OpAcos) }

// Atan returns arctan x in radians.
func (t *Tensor) Atan() *Tensor { return t.unary("Atan", ir.OpAtan) }

// Sinh returns (eˣ - e⁻ˣ)/2.
func (t *Tensor) Sinh() *Tensor { return t.unary("Sinh", ir.OpSinh) }

// Cosh returns (eˣ + e⁻ˣ)/2.
func (t *Tensor) Cosh() *Tensor { return t.unary("Cosh", ir.OpCosh) }

// Tanh returns (eˣ - e⁻ˣ)/(eˣ + e⁻ˣ).
func (t *Tensor) Tanh() *Tensor { return t.unary("Tanh", ir.OpTanh) }

// Erf returns the error function 2/√π ∫₀ˣ e^(-t²) dt.
func (t *Tensor) Erf() *Tensor { return t.unary("Erf", ir.OpErf) }

// Sigmoid returns 1/(1 + e⁻ˣ).
func (t *Tensor) Sigmoid() *Tensor {
	return t.unary("Sigmoid", ir.OpSigmoid)
}

// Relu returns max(x, 0); its gradient at 0 is 0.
func (t *Tensor) Relu() *Tensor { return t.unary("Relu", ir.OpRelu) }

// Floor returns ⌊x⌋.
func (t *Tensor) Floor() *Tensor { return t.unary("Floor", ir.OpFloor) }

// Ceil returns ⌈x⌉.
func (t *Tensor) Ceil() *Tensor { return t.unary("Ceil", ir.OpCeil) }

// Round returns the nearest integer, ties to even.
func (t *Tensor) Round() *Tensor { return t.unary("Round", ir.OpRound) }

// Trunc returns x rounded toward zero.
func (t *Tensor) Trunc() *Tensor { return t.unary("Trunc", ir.OpTrunc) }

// IsNaN returns whether x is NaN.
func (t *Tensor) IsNaN() *Tensor { return t.unary("IsNaN", ir.OpIsNaN) }

// IsInf returns whether x is an infinity.
func (t *Tensor) IsInf() *Tensor { return t.unary("IsInf", ir.OpIsInf) }

// Not returns logical not of bools, bitwise not of integers.
func (t *Tensor) Not() *Tensor { return t.unary("Not", ir.OpNot) }

// Cast returns x as another dtype. Floats become integers toward zero,
// saturating, NaN as 0; integers wrap; to Bool is x ≠ 0; Bool gives 0 and 1.
func (t *Tensor) Cast(d DType) *Tensor {
	if d == t.dtype {
		return t
	}
	t.dev.requireDType("Cast", d)
	return t.convert(d)
}

// Detach returns a tensor of the same value at which gradients end.
func (t *Tensor) Detach() *Tensor {
	return newNode(t.dev, t.dtype, t.shape, spec{op: ir.OpCast, from: t.dtype, stop: true}, t)
}

// convert is Cast, or with t's own dtype a copy.
func (t *Tensor) convert(d DType) *Tensor {
	return newNode(t.dev, d, t.shape, spec{op: ir.OpCast, from: t.dtype}, t)
}

func (t *Tensor) unary(name string, op ir.Op) *Tensor {
	if !op.Info().Args.Has(t.dtype) {
		badDType(name, "wants "+className(op.Info().Args), t)
	}
	autocast(op, &t)
	return newNode(t.dev, op.ResultType(t.dtype), t.shape, spec{op: op, from: t.dtype}, t)
}

func className(c ir.Class) string {
	switch c {
	case ir.Floats:
		return "floats"
	case ir.Ints:
		return "integers"
	case ir.Bools:
		return "bools"
	case ir.Numbers:
		return "numbers"
	case ir.Ints | ir.Bools:
		return "integers or bools"
	}
	s := ""
	for i, d := range c.List() {
		if i > 0 {
			s += ", "
		}
		s += d.String()
	}
	return s
}
