package cpu

import "unsafe"

func divInt[T integer](dst, a, b, _ unsafe.Pointer, n int) {
	d, x, y := slice[T](dst, n), slice[T](a, n), slice[T](b, n)
	for i := range d {
		v := T(0)
		if y[i] != 0 {
			v = x[i] / y[i] // the least integer by -1 wraps
		}
		d[i] = v
	}
}

func remInt[T integer](dst, a, b, _ unsafe.Pointer, n int) {
	d, x, y := slice[T](dst, n), slice[T](a, n), slice[T](b, n)
	for i := range d {
		v := T(0)
		if y[i] != 0 {
			v = x[i] % y[i]
		}
		d[i] = v
	}
}

func notInt[T integer](dst, a, _, _ unsafe.Pointer, n int) {
	d, x := slice[T](dst, n), slice[T](a, n)
	for i := range d {
		d[i] = ^x[i]
	}
}

func andBlock[T integer](dst, a, b, _ unsafe.Pointer, n int) {
	d, x, y := slice[T](dst, n), slice[T](a, n), slice[T](b, n)
	for i := range d {
		d[i] = x[i] & y[i]
	}
}

func orBlock[T integer](dst, a, b, _ unsafe.Pointer, n int) {
	d, x, y := slice[T](dst, n), slice[T](a, n), slice[T](b, n)
	for i := range d {
		d[i] = x[i] | y[i]
	}
}

func xorBlock[T integer](dst, a, b, _ unsafe.Pointer, n int) {
	d, x, y := slice[T](dst, n), slice[T](a, n), slice[T](b, n)
	for i := range d {
		d[i] = x[i] ^ y[i]
	}
}

func shlBlock[T integer](dst, a, b, _ unsafe.Pointer, n int) {
	d, x, y := slice[T](dst, n), slice[T](a, n), slice[T](b, n)
	for i := range d {
		v := T(0)
		if y[i] >= 0 {
			v = x[i] << uint64(y[i]) // 0 from the width on
		}
		d[i] = v
	}
}

func shrBlock[T integer](dst, a, b, _ unsafe.Pointer, n int) {
	d, x, y := slice[T](dst, n), slice[T](a, n), slice[T](b, n)
	for i := range d {
		k := uint64(64) // the sign, as for all counts from the width on
		if y[i] >= 0 {
			k = uint64(y[i])
		}
		d[i] = x[i] >> k
	}
}
