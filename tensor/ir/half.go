package ir

import "math"

// F16FromFloat32 rounds f to IEEE binary16, to nearest even; overflow gives
// infinity, NaN stays NaN.
func F16FromFloat32(f float32) uint16 {
	b := math.Float32bits(f)
	sign := uint16(b>>16) & 0x8000
	b &= 0x7fffffff
	switch {
	case b > 0x7f800000:
		return sign | 0x7e00
	case b >= 0x47800000: // 65536 and above, infinity
		return sign | 0x7c00
	case b < 0x38800000: // below 2^-14: subnormal or zero
		// Adding 0.5 shifts the mantissa so that the hardware rounds at the
		// position of the binary16 subnormal's last bit.
		s := math.Float32frombits(b) + 0.5
		return sign | uint16(math.Float32bits(s)-math.Float32bits(0.5))
	}
	b += 0xfff + (b>>13)&1 // round to nearest even at bit 13
	return sign | uint16((b-0x38000000)>>13)
}

// F16ToFloat32 widens an IEEE binary16; exact.
func F16ToFloat32(h uint16) float32 {
	sign := uint32(h&0x8000) << 16
	exp, man := uint32(h>>10)&31, uint32(h&0x3ff)
	switch exp {
	case 0:
		f := float32(man) * (1.0 / (1 << 24))
		return math.Float32frombits(math.Float32bits(f) | sign)
	case 31:
		return math.Float32frombits(sign | 0x7f800000 | man<<13)
	}
	return math.Float32frombits(sign | (exp+112)<<23 | man<<13)
}

// BF16FromFloat32 rounds f to bfloat16, to nearest even; NaN stays NaN.
func BF16FromFloat32(f float32) uint16 {
	b := math.Float32bits(f)
	if f != f {
		return uint16(b>>16) | 0x40
	}
	return uint16((b + 0x7fff + (b>>16)&1) >> 16)
}

// BF16ToFloat32 widens a bfloat16; exact.
func BF16ToFloat32(h uint16) float32 { return math.Float32frombits(uint32(h) << 16) }
