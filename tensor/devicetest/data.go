package devicetest

import (
	"github.com/fornax-ml/fornax/tensor/ir"
	"github.com/fornax-ml/fornax/tensor/ir/ref"
)

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
	t := ref.OpTolerance(in, d)
	if t == (ref.Tolerance{}) {
		return exact
	}
	return tolerance{ulp: t.ULP, abs: t.Abs}
}
