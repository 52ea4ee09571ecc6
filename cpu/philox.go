package cpu

import (
	"math/bits"
	"slices"
	"unsafe"

	"github.com/fornax-ml/fornax/tensor/ir"
)

// oneStream returns the chain with steps of OpPhilox over consecutive words of
// one stream, which is what a generator's Bits asks for, without their first
// argument; their reader is that argument's.
func oneStream(in ir.Chain, readers []*viewReader, uniform []bool) ir.Chain {
	out := slices.Clone(in)
	for i, s := range in {
		if s.Op != ir.OpPhilox || slices.ContainsFunc(s.Args[1:], func(a int) bool { return !uniform[a] }) {
			continue
		}
		if k := s.Args[0]; in[k].Op == ir.OpIndex && !uniform[k] && readers[k].contiguous() {
			out[i].Args, readers[i] = s.Args[1:], readers[k]
		}
	}
	return out
}

// philox computes words a of the streams of key (k0, k1) and number (c0, c1).
func philox(dst, a, k0, k1, c0, c1 unsafe.Pointer, n int) {
	d, x := slice[uint32](dst, n), slice[uint32](a, n)
	p, q, s, t := slice[uint32](k0, n), slice[uint32](k1, n), slice[uint32](c0, n), slice[uint32](c1, n)
	for i, at := range x {
		w := philoxWords(at/4, s[i], t[i], p[i], q[i])
		d[i] = w[at%4]
	}
}

// stream computes consecutive words of one stream: four cost one round.
func stream(dst unsafe.Pointer, first, k0, k1, c0, c1 uint32, n int) {
	d := slice[uint32](dst, n)
	for len(d) > 0 {
		w := philoxWords(first/4, c0, c1, k0, k1)
		k := copy(d, w[first%4:])
		d, first = d[k:], first+uint32(k)
	}
}

// philoxWords is ir.Philox of counter (x0, 0, x2, x3) and key (k0, k1), in
// registers.
func philoxWords(x0, x2, x3, k0, k1 uint32) [4]uint32 {
	x1 := uint32(0)
	for range 10 {
		h0, l0 := bits.Mul32(0xD2511F53, x0)
		h1, l1 := bits.Mul32(0xCD9E8D57, x2)
		x0, x1, x2, x3 = h1^x1^k0, l1, h0^x3^k1, l0
		k0 += 0x9E3779B9
		k1 += 0xBB67AE85
	}
	return [4]uint32{x0, x1, x2, x3}
}
