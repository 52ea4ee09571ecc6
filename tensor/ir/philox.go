package ir

import "math/bits"

// Philox returns the four words that Philox4x32-10 gives for a counter and a
// key (Salmon, Moraes, Dror, Shaw: Parallel Random Numbers: As Easy as 1, 2,
// 3, SC 2011, section 4.2 and table 2).
func Philox(ctr [4]uint32, key [2]uint32) [4]uint32 {
	for range 10 {
		h0, l0 := bits.Mul32(0xD2511F53, ctr[0])
		h1, l1 := bits.Mul32(0xCD9E8D57, ctr[2])
		ctr = [4]uint32{h1 ^ ctr[1] ^ key[0], l1, h0 ^ ctr[3] ^ key[1], l0}
		key[0] += 0x9E3779B9
		key[1] += 0xBB67AE85
	}
	return ctr
}

// PhiloxAt returns the i-th word of the stream of key (k0, k1) and stream
// number (c0, c1): word i mod 4 of the counter (⌊i/4⌋, 0, c0, c1).
func PhiloxAt(i, k0, k1, c0, c1 uint32) uint32 {
	return Philox([4]uint32{i / 4, 0, c0, c1}, [2]uint32{k0, k1})[i%4]
}
