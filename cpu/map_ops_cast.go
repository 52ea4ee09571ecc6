package cpu

import (
	"unsafe"

	"github.com/fornax-ml/fornax/tensor/ir"
)

func castsFromFloat[S float](t *kernelTable, d ir.DType) {
	k := &t.cast[d]
	k[ir.F32], k[ir.F64] = castBlock[float32, S], castBlock[float64, S]
	k[ir.I8] = saturateBlock[int8, S](ir.I8)
	k[ir.U8] = saturateBlock[uint8, S](ir.U8)
	k[ir.I32] = saturateBlock[int32, S](ir.I32)
	k[ir.U32] = saturateBlock[uint32, S](ir.U32)
	k[ir.I64] = saturateBlock[int64, S](ir.I64)
	k[ir.Bool] = castBool[S]
	k[d] = t.move[d.Size()] // of halves, which are float32 here, among others
}

func castsFromInt[S integer](t *kernelTable, d ir.DType) {
	k := &t.cast[d]
	k[ir.F32], k[ir.F64] = castBlock[float32, S], castBlock[float64, S]
	k[ir.I8], k[ir.U8] = castBlock[int8, S], castBlock[uint8, S]
	k[ir.I32], k[ir.U32], k[ir.I64] = castBlock[int32, S], castBlock[uint32, S], castBlock[int64, S]
	k[ir.Bool] = castBool[S]
	for _, to := range []ir.DType{ir.I8, ir.U8, ir.I32, ir.U32, ir.I64} {
		if to.Size() == d.Size() {
			k[to] = t.move[d.Size()]
		}
	}
}

// castBlock converts where Go's conversion is what the op means: between
// integers, from integers to floats, between floats.
func castBlock[D, S number](dst, a, _, _ unsafe.Pointer, n int) {
	d, x := slice[D](dst, n), slice[S](a, n)
	for i := range d {
		d[i] = D(x[i])
	}
}

func castBool[S number](dst, a, _, _ unsafe.Pointer, n int) {
	d, x := slice[bool](dst, n), slice[S](a, n)
	for i := range d {
		d[i] = x[i] != 0
	}
}

// saturateBlock converts floats to integers: toward zero, clamped, NaN to 0.
func saturateBlock[D integer, S float](to ir.DType) kernel {
	lo, hi := ir.IntRange(to)
	// As a float the largest int64 is 2^63, one too many: so v >= top.
	bottom, top := float64(lo), float64(hi)
	return func(dst, a, _, _ unsafe.Pointer, n int) {
		d, x := slice[D](dst, n), slice[S](a, n)
		for i := range d {
			v := float64(x[i])
			switch {
			case v >= top:
				d[i] = D(hi)
			case v <= bottom:
				d[i] = D(lo)
			case v != v:
				d[i] = 0
			default:
				d[i] = D(int64(v))
			}
		}
	}
}
