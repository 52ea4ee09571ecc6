package cpu

import (
	"math"
	"unsafe"

	"github.com/fornax-ml/fornax/tensor/ir"
)

// math64Kernels enters the transcendental functions of float64: those of the
// standard library.
func math64Kernels(k *kernelTable) {
	one := func(op ir.Op, f func(float64) float64) {
		k.calc[op][ir.F64] = func(dst, a, _, _ unsafe.Pointer, n int) {
			d, x := slice[float64](dst, n), slice[float64](a, n)
			for i := range d {
				d[i] = f(x[i])
			}
		}
	}
	two := func(op ir.Op, f func(a, b float64) float64) {
		k.calc[op][ir.F64] = func(dst, a, b, _ unsafe.Pointer, n int) {
			d, x, y := slice[float64](dst, n), slice[float64](a, n), slice[float64](b, n)
			for i := range d {
				d[i] = f(x[i], y[i])
			}
		}
	}
	one(ir.OpExp, math.Exp)
	one(ir.OpExp2, math.Exp2)
	one(ir.OpExpm1, math.Expm1)
	one(ir.OpLog, math.Log)
	one(ir.OpLog2, math.Log2)
	one(ir.OpLog1p, math.Log1p)
	one(ir.OpSin, math.Sin)
	one(ir.OpCos, math.Cos)
	one(ir.OpTan, math.Tan)
	one(ir.OpAsin, math.Asin)
	one(ir.OpAcos, math.Acos)
	one(ir.OpAtan, math.Atan)
	one(ir.OpSinh, math.Sinh)
	one(ir.OpCosh, math.Cosh)
	one(ir.OpTanh, math.Tanh)
	one(ir.OpErf, math.Erf)
	one(ir.OpSigmoid, func(x float64) float64 { return 1 / (1 + math.Exp(-x)) })
	two(ir.OpPow, math.Pow)
	// math.Atan2 loses the sign of a where a/b underflows.
	two(ir.OpAtan2, func(a, b float64) float64 { return math.Copysign(math.Atan2(a, b), a) })
}
