package tensor

import "github.com/fornax-ml/fornax/tensor/ir"

// Neg returns -x.
func (t *Tensor) Neg() *Tensor { return t.unary("Neg", ir.OpNeg, ir.OpNeg.ResultType(t.dtype)) }

// Abs returns |x|.
func (t *Tensor) Abs() *Tensor { return t.unary("Abs", ir.OpAbs, ir.OpAbs.ResultType(t.dtype)) }

// Sign returns -1, 0 or 1 by the sign of x; NaN stays NaN.
func (t *Tensor) Sign() *Tensor { return t.unary("Sign", ir.OpSign, ir.OpSign.ResultType(t.dtype)) }

// Square returns x².
func (t *Tensor) Square() *Tensor {
	return t.unary("Square", ir.OpSquare, ir.OpSquare.ResultType(t.dtype))
}

// Sqrt returns √x.
func (t *Tensor) Sqrt() *Tensor { return t.unary("Sqrt", ir.OpSqrt, ir.OpSqrt.ResultType(t.dtype)) }

// Rsqrt returns 1/√x.
func (t *Tensor) Rsqrt() *Tensor { return t.unary("Rsqrt", ir.OpRsqrt, ir.OpRsqrt.ResultType(t.dtype)) }

// Reciprocal returns 1/x.
func (t *Tensor) Reciprocal() *Tensor {
	return t.unary("Reciprocal", ir.OpReciprocal, ir.OpReciprocal.ResultType(t.dtype))
}

// Exp returns eˣ.
func (t *Tensor) Exp() *Tensor { return t.unary("Exp", ir.OpExp, ir.OpExp.ResultType(t.dtype)) }

// Exp2 returns 2ˣ.
func (t *Tensor) Exp2() *Tensor { return t.unary("Exp2", ir.OpExp2, ir.OpExp2.ResultType(t.dtype)) }

// Expm1 returns eˣ - 1, accurate near 0.
func (t *Tensor) Expm1() *Tensor { return t.unary("Expm1", ir.OpExpm1, ir.OpExpm1.ResultType(t.dtype)) }

// Log returns the natural logarithm of x.
func (t *Tensor) Log() *Tensor { return t.unary("Log", ir.OpLog, ir.OpLog.ResultType(t.dtype)) }

// Log2 returns log₂ x.
func (t *Tensor) Log2() *Tensor { return t.unary("Log2", ir.OpLog2, ir.OpLog2.ResultType(t.dtype)) }

// Log1p returns ln(1 + x), accurate near 0.
func (t *Tensor) Log1p() *Tensor { return t.unary("Log1p", ir.OpLog1p, ir.OpLog1p.ResultType(t.dtype)) }

// Sin returns the sine of x radians.
func (t *Tensor) Sin() *Tensor { return t.unary("Sin", ir.OpSin, ir.OpSin.ResultType(t.dtype)) }

// Cos returns the cosine of x radians.
func (t *Tensor) Cos() *Tensor { return t.unary("Cos", ir.OpCos, ir.OpCos.ResultType(t.dtype)) }

// Tan returns the tangent of x radians.
func (t *Tensor) Tan() *Tensor { return t.unary("Tan", ir.OpTan, ir.OpTan.ResultType(t.dtype)) }

// Asin returns arcsin x in radians.
func (t *Tensor) Asin() *Tensor { return t.unary("Asin", ir.OpAsin, ir.OpAsin.ResultType(t.dtype)) }

// Acos returns arccos x in radians.
func (t *Tensor) Acos() *Tensor { return t.unary("Acos", ir.OpAcos, ir.OpAcos.ResultType(t.dtype)) }

// Atan returns arctan x in radians.
func (t *Tensor) Atan() *Tensor { return t.unary("Atan", ir.OpAtan, ir.OpAtan.ResultType(t.dtype)) }

// Sinh returns (eˣ - e⁻ˣ)/2.
func (t *Tensor) Sinh() *Tensor { return t.unary("Sinh", ir.OpSinh, ir.OpSinh.ResultType(t.dtype)) }

// Cosh returns (eˣ + e⁻ˣ)/2.
func (t *Tensor) Cosh() *Tensor { return t.unary("Cosh", ir.OpCosh, ir.OpCosh.ResultType(t.dtype)) }

// Tanh returns (eˣ - e⁻ˣ)/(eˣ + e⁻ˣ).
func (t *Tensor) Tanh() *Tensor { return t.unary("Tanh", ir.OpTanh, ir.OpTanh.ResultType(t.dtype)) }

// Erf returns the error function 2/√π ∫₀ˣ e^(-t²) dt.
func (t *Tensor) Erf() *Tensor { return t.unary("Erf", ir.OpErf, ir.OpErf.ResultType(t.dtype)) }

// Sigmoid returns 1/(1 + e⁻ˣ).
func (t *Tensor) Sigmoid() *Tensor {
	return t.unary("Sigmoid", ir.OpSigmoid, ir.OpSigmoid.ResultType(t.dtype))
}

// Relu returns max(x, 0); its gradient at 0 is 0.
func (t *Tensor) Relu() *Tensor { return t.unary("Relu", ir.OpRelu, ir.OpRelu.ResultType(t.dtype)) }

// Floor returns ⌊x⌋.
func (t *Tensor) Floor() *Tensor { return t.unary("Floor", ir.OpFloor, ir.OpFloor.ResultType(t.dtype)) }

// Ceil returns ⌈x⌉.
func (t *Tensor) Ceil() *Tensor { return t.unary("Ceil", ir.OpCeil, ir.OpCeil.ResultType(t.dtype)) }

// Round returns the nearest integer, ties to even.
func (t *Tensor) Round() *Tensor { return t.unary("Round", ir.OpRound, ir.OpRound.ResultType(t.dtype)) }

// Trunc returns x rounded toward zero.
func (t *Tensor) Trunc() *Tensor { return t.unary("Trunc", ir.OpTrunc, ir.OpTrunc.ResultType(t.dtype)) }

// IsNaN returns whether x is NaN.
func (t *Tensor) IsNaN() *Tensor { return t.unary("IsNaN", ir.OpIsNaN, ir.OpIsNaN.ResultType(t.dtype)) }

// IsInf returns whether x is an infinity.
func (t *Tensor) IsInf() *Tensor { return t.unary("IsInf", ir.OpIsInf, ir.OpIsInf.ResultType(t.dtype)) }

// Not returns logical not of bools, bitwise not of integers.
func (t *Tensor) Not() *Tensor { return t.unary("Not", ir.OpNot, ir.OpNot.ResultType(t.dtype)) }

// Cast returns x as another dtype. Floats become integers toward zero,
// saturating, NaN as 0; integers wrap; to Bool is x ≠ 0; Bool gives 0 and 1.
func (t *Tensor) Cast(d DType) *Tensor {
	if d == t.dtype {
		return t
	}
	t.dev.requireDType("Cast", d)
	return t.unary("Cast", ir.OpCast, d)
}

// Detach returns a tensor of the same value at which gradients end.
func (t *Tensor) Detach() *Tensor {
	return newNode(t.dev, t.dtype, t.shape, spec{op: opCopy, from: t.dtype, stop: true}, t)
}

// opCopy is a cast to the same dtype: the identity.
const opCopy = ir.OpCast

func (t *Tensor) unary(name string, op ir.Op, result DType) *Tensor {
	if !op.Info().Args.Has(t.dtype) {
		badDType(name, "wants "+className(op.Info().Args), t)
	}
	return newNode(t.dev, result, t.shape, spec{op: op, from: t.dtype}, t)
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
