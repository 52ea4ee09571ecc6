// F16 and BF16. A register holds one as the float of the same value: ops are those
// of f32, and round_f16 or round_bf16 follows where a result may lie between two of
// them. Rounding is integer arithmetic, since drivers may flush subnormal halves and
// round as they like.

// The element's bits in the low half of a word.
uint f16_bits(const uint x) {
	uint s = (x >> 16) & 0x8000u, m = x & 0x7fffffffu;
	if (m > INF) return s | 0x7e00u;
	if (m >= 0x47800000u) return s | 0x7c00u; // 65536 and above
	if (m >= 0x38800000u) return s | ((m - 0x38000000u + 0xfffu + ((m >> 13) & 1u)) >> 13);
	uint e = m >> 23;
	if (e < 102u) return s; // below half of the least subnormal
	uint shift = 126u - e, v = (m & 0x7fffffu) | 0x800000u;
	uint h = v >> shift, rest = v & ((1u << shift) - 1u), middle = 1u << (shift - 1u);
	return s | (h + (rest > middle || rest == middle && (h & 1u) != 0u ? 1u : 0u));
}
uint f32_of_f16(const uint h) {
	uint s = (h & 0x8000u) << 16, m = h & 0x7fffu;
	if (m >= 0x7c00u) return s | INF | (m & 0x3ffu) << 13;
	if (m >= 0x400u) return s | ((m << 13) + 0x38000000u);
	return s | floatBitsToUint(float(m) * (1.0 / 16777216.0));
}
uint bf16_bits(const uint x) {
	return is_nan(x) ? x >> 16 | 0x40u : (x + 0x7fffu + ((x >> 16) & 1u)) >> 16;
}

REG round_f16(const REG a) { return R(f32_of_f16(f16_bits(U(a)))); }
REG round_bf16(const REG a) { return R(bf16_bits(U(a)) << 16); }

// Elements are packed in words, the first in the low half.
uint word_of_16(const uint i) { return i >> 1; }
uint half_of(const uint w, const uint i) { return bitfieldExtract(w, int(i & 1u) * 16, 16); }
REG get_f16(const uint w, const uint i) { return R(f32_of_f16(half_of(w, i))); }
REG get_bf16(const uint w, const uint i) { return R(half_of(w, i) << 16); }
void pack_half(const uint k, const uint e, const uint h) {
	packed[k + (e >> 1)] = bitfieldInsert(packed[k + (e >> 1)], h, int(e & 1u) * 16, 16);
}
void pack_f16(const uint k, const uint e, const REG v) { pack_half(k, e, f16_bits(U(v))); }
void pack_bf16(const uint k, const uint e, const REG v) { pack_half(k, e, bf16_bits(U(v))); }

// Four of them, from two words.
uvec4 quad_f16(const uint a, const uint b) {
	return uvec4(f32_of_f16(half_of(a, 0u)), f32_of_f16(half_of(a, 1u)), f32_of_f16(half_of(b, 0u)), f32_of_f16(half_of(b, 1u)));
}
uvec4 quad_bf16(const uint a, const uint b) {
	return uvec4(a << 16, a & 0xffff0000u, b << 16, b & 0xffff0000u);
}
