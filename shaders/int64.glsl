// i64 ops and conversions; semantics as in int.glsl.

#define L(r) int64_t(packUint2x32(r))
#define UL(r) packUint2x32(r)
#define RL(x) unpackUint2x32(uint64_t(x))
const int64_t L0 = 0l;

REG i64_neg(const REG a) { return RL(0ul - UL(a)); }
REG i64_abs(const REG a) { return L(a) < L0 ? RL(0ul - UL(a)) : a; }
REG i64_sign(const REG a) { return L(a) < L0 ? uvec2(~0u) : uvec2(L(a) > L0 ? 1u : 0u, 0u); }
REG i64_square(const REG a) { return RL(UL(a) * UL(a)); }
REG i64_relu(const REG a) { return L(a) < L0 ? uvec2(0u) : a; }
REG i64_not(const REG a) { return ~a; }
REG i64_add(const REG a, const REG b) { return RL(UL(a) + UL(b)); }
REG i64_sub(const REG a, const REG b) { return RL(UL(a) - UL(b)); }
REG i64_mul(const REG a, const REG b) { return RL(UL(a) * UL(b)); }
REG i64_div(const REG a, const REG b) {
	if (UL(b) == 0ul) return uvec2(0u);
	uint64_t q = UL(i64_abs(a)) / UL(i64_abs(b));
	return (L(a) < L0) == (L(b) < L0) ? RL(q) : RL(0ul - q);
}
REG i64_rem(const REG a, const REG b) {
	if (UL(b) == 0ul) return uvec2(0u);
	uint64_t m = UL(i64_abs(a)) % UL(i64_abs(b));
	return L(a) < L0 ? RL(0ul - m) : RL(m);
}
REG i64_maximum(const REG a, const REG b) { return L(a) < L(b) ? b : a; }
REG i64_minimum(const REG a, const REG b) { return L(b) < L(a) ? b : a; }
REG i64_and(const REG a, const REG b) { return a & b; }
REG i64_or(const REG a, const REG b) { return a | b; }
REG i64_xor(const REG a, const REG b) { return a ^ b; }
REG i64_shl(const REG a, const REG b) { return UL(b) < 64ul ? RL(UL(a) << b.x) : uvec2(0u); }
REG i64_shr(const REG a, const REG b) { return UL(b) < 64ul ? RL(L(a) >> b.x) : uvec2(L(a) < L0 ? ~0u : 0u); }
REG i64_less(const REG a, const REG b) { return RB(L(a) < L(b)); }
REG i64_lessequal(const REG a, const REG b) { return RB(L(a) <= L(b)); }
REG i64_equal(const REG a, const REG b) { return RB(a == b); }
REG i64_notequal(const REG a, const REG b) { return RB(a != b); }
REG i64_where(const REG c, const REG a, const REG b) { return LO(c) != 0u ? a : b; }
REG i64_argmax(const REG a, const REG b) { return RB(L(a) > L(b)); }
REG i64_argmin(const REG a, const REG b) { return RB(L(a) < L(b)); }

uvec2 extend(const uint x) { return uvec2(x, uint(int(x) >> 31)); }
REG cast_i64_i8(const REG a) { return WRAP_I8(a.x); }
REG cast_i64_u8(const REG a) { return WRAP_U8(a.x); }
REG cast_i64_i32(const REG a) { return R(a.x); }
REG cast_i64_u32(const REG a) { return R(a.x); }
REG cast_i64_bool(const REG a) { return RB(UL(a) != 0ul); }
REG cast_i8_i64(const REG a) { return extend(a.x); }
REG cast_i32_i64(const REG a) { return extend(a.x); }
REG cast_u8_i64(const REG a) { return R(a.x); }
REG cast_u32_i64(const REG a) { return R(a.x); }
REG cast_bool_i64(const REG a) { return R(a.x); }
REG cast_i64_f32(const REG a) {
	uint64_t m = UL(i64_abs(a));
	float f;
	if (m >> 32 == 0ul) f = float(uint(m));
	else {
		// Shift until 32 bits hold the number; what is lost sets the lowest of
		// them, far below the 24 that the result keeps, so rounding is the same.
		int s = findMSB(uint(m >> 32)) + 1;
		uint top = uint(m >> uint(s)) | ((m & ((1ul << uint(s)) - 1ul)) != 0ul ? 1u : 0u);
		f = float(top) * uintBitsToFloat(uint(127 + s) << 23);
	}
	return RF(L(a) < L0 ? -f : f);
}
REG cast_f32_i64(const REG a) {
	if (is_nan(U(a))) return uvec2(0u);
	float x = F(a);
	if (x >= 9223372036854775808.0) return uvec2(~0u, 0x7fffffffu);
	if (x <= -9223372036854775808.0) return uvec2(0u, SIGN);
	uint e = (U(a) >> 23) & 255u;
	if (e < 127u) return uvec2(0u);
	uint64_t m = uint64_t((U(a) & 0x7fffffu) | 0x800000u);
	m = e >= 150u ? m << (e - 150u) : m >> (150u - e);
	return x < 0.0 ? RL(0ul - m) : RL(m);
}
