package cpu

import (
	"math"
	"unsafe"

	"github.com/fornax-ml/fornax/tensor/ir"
)

// numberKernels enters the kernels that all numbers have.
func numberKernels[T number](t *kernelTable, d ir.DType) {
	k := &t.calc
	k[ir.OpNeg][d] = negBlock[T]
	k[ir.OpAbs][d] = absBlock[T]
	k[ir.OpSign][d] = signBlock[T]
	k[ir.OpSquare][d] = squareBlock[T]
	k[ir.OpRelu][d] = reluBlock[T]
	k[ir.OpAdd][d] = addBlock[T]
	k[ir.OpSub][d] = subBlock[T]
	k[ir.OpMul][d] = mulBlock[T]
	k[ir.OpMaximum][d] = maxBlock[T]
	k[ir.OpMinimum][d] = minBlock[T]
	k[ir.OpLess][d] = lessBlock[T]
	k[ir.OpLessEqual][d] = lessEqualBlock[T]
	k[ir.OpEqual][d] = equalBlock[T]
	k[ir.OpNotEqual][d] = notEqualBlock[T]
}

// floatKernels enters the arithmetic that only floats have.
func floatKernels[T float](t *kernelTable, d ir.DType) {
	k := &t.calc
	k[ir.OpAbs][d] = absFloat[T]
	k[ir.OpDiv][d] = divFloat[T]
	k[ir.OpRem][d] = remFloat[T]
	k[ir.OpReciprocal][d] = reciprocalBlock[T]
	k[ir.OpSqrt][d] = sqrtBlock[T]
	k[ir.OpRsqrt][d] = rsqrtBlock[T]
	k[ir.OpFloor][d] = floorBlock[T]
	k[ir.OpCeil][d] = ceilBlock[T]
	k[ir.OpRound][d] = roundEvenBlock[T]
	k[ir.OpTrunc][d] = truncBlock[T]
	k[ir.OpIsNaN][d] = isNaNBlock[T]
	k[ir.OpIsInf][d] = isInfBlock[T]
}

// intKernels enters the kernels that only integers have.
func intKernels[T integer](t *kernelTable, d ir.DType) {
	k := &t.calc
	k[ir.OpDiv][d] = divInt[T]
	k[ir.OpRem][d] = remInt[T]
	k[ir.OpNot][d] = notInt[T]
	k[ir.OpAnd][d] = andBlock[T]
	k[ir.OpOr][d] = orBlock[T]
	k[ir.OpXor][d] = xorBlock[T]
	k[ir.OpShl][d] = shlBlock[T]
	k[ir.OpShr][d] = shrBlock[T]
}

func negBlock[T number](dst, a, _, _ unsafe.Pointer, n int) {
	d, x := slice[T](dst, n), slice[T](a, n)
	for i := range d {
		d[i] = -x[i]
	}
}

func absBlock[T number](dst, a, _, _ unsafe.Pointer, n int) {
	d, x := slice[T](dst, n), slice[T](a, n)
	for i := range d {
		v := x[i]
		if v < 0 {
			v = -v
		}
		d[i] = v
	}
}

func absFloat[T float](dst, a, _, _ unsafe.Pointer, n int) {
	d, x := slice[T](dst, n), slice[T](a, n)
	for i := range d {
		d[i] = T(math.Abs(float64(x[i])))
	}
}

func signBlock[T number](dst, a, _, _ unsafe.Pointer, n int) {
	d, x := slice[T](dst, n), slice[T](a, n)
	for i := range d {
		v := x[i]
		switch {
		case v > 0:
			v = 1
		case v < 0:
			v = 0
			v--
		case v == 0:
			v = 0 // not -0
		}
		d[i] = v
	}
}

func squareBlock[T number](dst, a, _, _ unsafe.Pointer, n int) {
	d, x := slice[T](dst, n), slice[T](a, n)
	for i := range d {
		d[i] = x[i] * x[i]
	}
}

func reluBlock[T number](dst, a, _, _ unsafe.Pointer, n int) {
	d, x := slice[T](dst, n), slice[T](a, n)
	for i := range d {
		d[i] = max(x[i], 0) // without a branch; 0 for -0, NaN for NaN
	}
}

func addBlock[T number](dst, a, b, _ unsafe.Pointer, n int) {
	d, x, y := slice[T](dst, n), slice[T](a, n), slice[T](b, n)
	for i := range d {
		d[i] = x[i] + y[i]
	}
}

func subBlock[T number](dst, a, b, _ unsafe.Pointer, n int) {
	d, x, y := slice[T](dst, n), slice[T](a, n), slice[T](b, n)
	for i := range d {
		d[i] = x[i] - y[i]
	}
}

func mulBlock[T number](dst, a, b, _ unsafe.Pointer, n int) {
	d, x, y := slice[T](dst, n), slice[T](a, n), slice[T](b, n)
	for i := range d {
		d[i] = x[i] * y[i]
	}
}

func maxBlock[T number](dst, a, b, _ unsafe.Pointer, n int) {
	d, x, y := slice[T](dst, n), slice[T](a, n), slice[T](b, n)
	for i := range d {
		d[i] = max(x[i], y[i])
	}
}

func minBlock[T number](dst, a, b, _ unsafe.Pointer, n int) {
	d, x, y := slice[T](dst, n), slice[T](a, n), slice[T](b, n)
	for i := range d {
		d[i] = min(x[i], y[i])
	}
}

func lessBlock[T number](dst, a, b, _ unsafe.Pointer, n int) {
	d, x, y := slice[bool](dst, n), slice[T](a, n), slice[T](b, n)
	for i := range d {
		d[i] = x[i] < y[i]
	}
}

func lessEqualBlock[T number](dst, a, b, _ unsafe.Pointer, n int) {
	d, x, y := slice[bool](dst, n), slice[T](a, n), slice[T](b, n)
	for i := range d {
		d[i] = x[i] <= y[i]
	}
}

func equalBlock[T number](dst, a, b, _ unsafe.Pointer, n int) {
	d, x, y := slice[bool](dst, n), slice[T](a, n), slice[T](b, n)
	for i := range d {
		d[i] = x[i] == y[i]
	}
}

func notEqualBlock[T number](dst, a, b, _ unsafe.Pointer, n int) {
	d, x, y := slice[bool](dst, n), slice[T](a, n), slice[T](b, n)
	for i := range d {
		d[i] = x[i] != y[i]
	}
}
