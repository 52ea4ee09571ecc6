package cpu

import (
	"reflect"

	"github.com/fornax-ml/fornax/tensor/ir"
)

// Estimates of what steps cost decide how work is cut into tasks; no bit depends on
// them.

// stepCost estimates the nanoseconds that a step takes for a position.
func (lv *level) stepCost(s ir.Step) float64 {
	switch s.Op {
	case ir.OpAcc:
		return 0
	case ir.OpLoad, ir.OpIndex:
		return lv.memoryCost()
	case ir.OpPhilox:
		return 6 / lv.gain
	}
	ns := 5.0
	switch s.Op {
	case ir.OpPow, ir.OpAtan2, ir.OpRem, ir.OpErf, ir.OpAsin, ir.OpAcos:
		ns = 15
	default:
		if s.Op.Info().Cheap || s.Op == ir.OpSqrt || s.Op == ir.OpDiv {
			ns = 0.6
		}
	}
	if lv.own(s) {
		ns /= lv.gain
	}
	return ns
}

// memoryCost estimates the nanoseconds to read or write a position.
func (lv *level) memoryCost() float64 { return 0.4 / min(lv.gain, 5) }

// foldCost estimates the nanoseconds to reduce a position that is known.
func (lv *level) foldCost() float64 { return 0.5 / min(lv.gain, 5) }

// own reports whether a level's kernel for a step is not portable Go's.
func (lv *level) own(s ir.Step) bool {
	kernelOf := func(t *kernelTable) uintptr {
		k, err := t.lookup(s.Op, phys(s.From), s)
		if err != nil {
			return 0
		}
		return reflect.ValueOf(k).Pointer()
	}
	return kernelOf(lv.kernels) != kernelOf(portableKernels())
}
