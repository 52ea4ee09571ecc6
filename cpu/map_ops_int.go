package cpu

import (
	"math/bits"
	"unsafe"
)

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

// philox computes words i of the stream of key (k0, k1) and number (c0, c1).
// Runs of four words of one counter, as OpIndex makes them, cost one round.
func philox(dst, a, k0, k1, c0, c1 unsafe.Pointer, n int) {
	d, x := slice[uint32](dst, n), slice[uint32](a, n)
	p, q, s, t := slice[uint32](k0, n), slice[uint32](k1, n), slice[uint32](c0, n), slice[uint32](c1, n)
	for i := 0; i < n; {
		at := x[i]
		w0, w1, w2, w3 := philoxWords(at/4, s[i], t[i], p[i], q[i])
		if at%4 == 0 && i+4 <= n && x[i+1] == at+1 && x[i+2] == at+2 && x[i+3] == at+3 &&
			same4(p[i:i+4]) && same4(q[i:i+4]) && same4(s[i:i+4]) && same4(t[i:i+4]) {
			d[i], d[i+1], d[i+2], d[i+3] = w0, w1, w2, w3
			i += 4
			continue
		}
		switch at % 4 {
		case 0:
			d[i] = w0
		case 1:
			d[i] = w1
		case 2:
			d[i] = w2
		case 3:
			d[i] = w3
		}
		i++
	}
}

func same4(x []uint32) bool { return x[0] == x[1] && x[0] == x[2] && x[0] == x[3] }

// philoxWords is ir.Philox of counter (x0, 0, x2, x3) and key (k0, k1), in
// registers.
func philoxWords(x0, x2, x3, k0, k1 uint32) (uint32, uint32, uint32, uint32) {
	x1 := uint32(0)
	for range 10 {
		h0, l0 := bits.Mul32(0xD2511F53, x0)
		h1, l1 := bits.Mul32(0xCD9E8D57, x2)
		x0, x1, x2, x3 = h1^x1^k0, l1, h0^x3^k1, l0
		k0 += 0x9E3779B9
		k1 += 0xBB67AE85
	}
	return x0, x1, x2, x3
}
