// float32 ops that are exact or basic: arithmetic, rounding, comparisons.
// Comparisons work on bits, so that no driver's idea of NaN or of denormals matters, and
// without branches, since drivers that compute on the CPU keep them. Floats are in the
// order of their bits as signed integers, -0 below +0, but for two negative ones, where it
// is the other way round: flip is what to exclude both with.

uint flip(const uint a, const uint b) { return uint(int(a & b) >> 31); }
uint without_sign(const uint x) { return x & 0x7fffffffu; }
// Whether one of them is NaN.
bool any_nan(const uint a, const uint b) { return max(without_sign(a), without_sign(b)) > INF; }
bool below_bits(const uint a, const uint b) { return int(a ^ flip(a, b)) < int(b ^ flip(a, b)); }
uint zeros(const uint a, const uint b) { return uint(without_sign(a | b) == 0u); }
bool f32_lt(const uint a, const uint b) { return (uint(below_bits(a, b)) & uint(!any_nan(a, b)) & (zeros(a, b) ^ 1u)) != 0u; }
bool f32_eq(const uint a, const uint b) { return ((uint(a == b) | zeros(a, b)) & uint(!is_nan(a))) != 0u; }
bool f32_le(const uint a, const uint b) { return ((uint(!below_bits(b, a)) | zeros(a, b)) & uint(!any_nan(a, b))) != 0u; }

REG f32_neg(const REG a) { return R(U(a) ^ SIGN); }
REG f32_abs(const REG a) { return R(U(a) & 0x7fffffffu); }
REG f32_sign(const REG a) {
	uint m = U(a) & 0x7fffffffu;
	return R(m > INF ? U(a) : m == 0u ? 0u : (U(a) & SIGN) | 0x3f800000u);
}
REG f32_square(const REG a) { precise float r = F(a) * F(a); return RF(r); }
// Negative numbers and -0 are those from SIGN to SIGN + INF.
REG f32_relu(const REG a) { return R(mix(U(a), 0u, U(a) - SIGN <= INF)); }
REG f32_reciprocal(const REG a) { precise float r = 1.0 / F(a); return RF(r); }
REG f32_floor(const REG a) { return RF(floor(F(a))); }
REG f32_ceil(const REG a) { return RF(ceil(F(a))); }
REG f32_round(const REG a) { return RF(roundEven(F(a))); }
REG f32_trunc(const REG a) { return RF(trunc(F(a))); }
REG f32_isnan(const REG a) { return RB(is_nan(U(a))); }
REG f32_isinf(const REG a) { return RB((U(a) & 0x7fffffffu) == INF); }

REG f32_add(const REG a, const REG b) { precise float r = F(a) + F(b); return RF(r); }
REG f32_sub(const REG a, const REG b) { precise float r = F(a) - F(b); return RF(r); }
REG f32_mul(const REG a, const REG b) { precise float r = F(a) * F(b); return RF(r); }
REG f32_div(const REG a, const REG b) { precise float r = F(a) / F(b); return RF(r); }

// a - b·trunc(a/b), exactly: long division of the mantissas.
REG f32_rem(const REG a, const REG b) {
	uint x = U(a) & 0x7fffffffu, y = U(b) & 0x7fffffffu;
	if (x >= INF || y > INF || y == 0u) return R(NAN);
	if (x < y) return a;
	int ex = int(x >> 23), ey = int(y >> 23);
	uint mx = x & 0x7fffffu, my = y & 0x7fffffu;
	if (ex == 0) ex = 1; else mx |= 0x800000u;
	if (ey == 0) ey = 1; else my |= 0x800000u;
	for (; ex > ey; ex--) {
		if (mx >= my) mx -= my;
		mx <<= 1;
	}
	if (mx >= my) mx -= my;
	if (mx == 0u) return R(U(a) & SIGN);
	int up = min(23 - findMSB(mx), ey - 1); // denormal results stop at exponent 1
	mx <<= uint(up);
	uint r = mx < 0x800000u ? mx : (mx & 0x7fffffu) | uint(ey - up) << 23;
	return R(r | (U(a) & SIGN));
}

// The greater as integers, or the other one where both are negative. A NaN with the sign that
// loses lies at the other end: beside such a NaN it is again the other one. Comparisons of
// signed integers alone, which SwiftShader has in one instruction, and one select after all of
// them, as lavapipe waits long for a comparison on AVX-512.
REG f32_maximum(const REG a, const REG b) {
	int x = int(U(a)), y = int(U(b));
	bool x_nan = int(U(a) ^ SIGN) > int(INF), y_nan = int(U(b) ^ SIGN) > int(INF), nan = x_nan || y_nan;
	return R(mix(U(b), U(a), ((x > y) == ((x & y) < 0)) == nan));
}
REG f32_minimum(const REG a, const REG b) {
	int x = int(U(a)), y = int(U(b));
	bool x_nan = x > int(INF), y_nan = y > int(INF), nan = x_nan || y_nan;
	return R(mix(U(b), U(a), ((x < y) == ((x & y) < 0)) == nan));
}
REG f32_less(const REG a, const REG b) { return RB(f32_lt(U(a), U(b))); }
REG f32_lessequal(const REG a, const REG b) { return RB(f32_le(U(a), U(b))); }
REG f32_equal(const REG a, const REG b) { return RB(f32_eq(U(a), U(b))); }
REG f32_notequal(const REG a, const REG b) { return RB(!f32_eq(U(a), U(b))); }
REG f32_where(const REG c, const REG a, const REG b) { return LO(c) != 0u ? a : b; }
// Whether a comes before b in ArgMax and ArgMin: NaN first, then by value.
REG f32_argmax(const REG a, const REG b) { return RB(f32_lt(U(b), U(a)) || (is_nan(U(a)) && !is_nan(U(b)))); }
REG f32_argmin(const REG a, const REG b) { return RB(f32_lt(U(a), U(b)) || (is_nan(U(a)) && !is_nan(U(b)))); }
