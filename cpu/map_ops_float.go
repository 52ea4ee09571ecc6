package cpu

import (
	"math"
	"unsafe"
)

func divFloat[T float](dst, a, b, _ unsafe.Pointer, n int) {
	d, x, y := slice[T](dst, n), slice[T](a, n), slice[T](b, n)
	for i := range d {
		d[i] = x[i] / y[i]
	}
}

func remFloat[T float](dst, a, b, _ unsafe.Pointer, n int) {
	d, x, y := slice[T](dst, n), slice[T](a, n), slice[T](b, n)
	for i := range d {
		d[i] = T(math.Mod(float64(x[i]), float64(y[i])))
	}
}

func reciprocalBlock[T float](dst, a, _, _ unsafe.Pointer, n int) {
	d, x := slice[T](dst, n), slice[T](a, n)
	for i := range d {
		d[i] = 1 / x[i]
	}
}

func sqrtBlock[T float](dst, a, _, _ unsafe.Pointer, n int) {
	d, x := slice[T](dst, n), slice[T](a, n)
	for i := range d {
		d[i] = T(math.Sqrt(float64(x[i])))
	}
}

func rsqrtBlock[T float](dst, a, _, _ unsafe.Pointer, n int) {
	d, x := slice[T](dst, n), slice[T](a, n)
	for i := range d {
		d[i] = T(1 / math.Sqrt(float64(x[i])))
	}
}

func floorBlock[T float](dst, a, _, _ unsafe.Pointer, n int) {
	d, x := slice[T](dst, n), slice[T](a, n)
	for i := range d {
		d[i] = T(math.Floor(float64(x[i])))
	}
}

func ceilBlock[T float](dst, a, _, _ unsafe.Pointer, n int) {
	d, x := slice[T](dst, n), slice[T](a, n)
	for i := range d {
		d[i] = T(math.Ceil(float64(x[i])))
	}
}

func roundEvenBlock[T float](dst, a, _, _ unsafe.Pointer, n int) {
	d, x := slice[T](dst, n), slice[T](a, n)
	for i := range d {
		d[i] = T(math.RoundToEven(float64(x[i])))
	}
}

func truncBlock[T float](dst, a, _, _ unsafe.Pointer, n int) {
	d, x := slice[T](dst, n), slice[T](a, n)
	for i := range d {
		d[i] = T(math.Trunc(float64(x[i])))
	}
}

func isNaNBlock[T float](dst, a, _, _ unsafe.Pointer, n int) {
	d, x := slice[bool](dst, n), slice[T](a, n)
	for i := range d {
		d[i] = x[i] != x[i]
	}
}

func isInfBlock[T float](dst, a, _, _ unsafe.Pointer, n int) {
	d, x := slice[bool](dst, n), slice[T](a, n)
	for i := range d {
		d[i] = math.IsInf(float64(x[i]), 0)
	}
}
