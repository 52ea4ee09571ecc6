// float64 ops that are exact or basic; see f32.glsl.

#define D(r) packDouble2x32(r)
#define RD(x) unpackDouble2x32(x)
const uvec2 NAN64 = uvec2(0u, 0x7ff80000u);
const uvec2 INF64 = uvec2(0u, 0x7ff00000u);

uint64_t magnitude(const REG a) { return UL(a) & 0x7ffffffffffffffful; }
bool is_nan64(const REG a) { return magnitude(a) > 0x7ff0000000000000ul; }
int64_t key64(const REG a) { return L(a) ^ int64_t(uint64_t(L(a) >> 63u) & 0x7ffffffffffffffful); }
REG no_minus_zero64(const REG a) { return magnitude(a) == 0ul ? uvec2(0u) : a; }
bool f64_lt(const REG a, const REG b) {
	return !is_nan64(a) && !is_nan64(b) && key64(no_minus_zero64(a)) < key64(no_minus_zero64(b));
}
bool f64_eq(const REG a, const REG b) { return !is_nan64(a) && no_minus_zero64(a) == no_minus_zero64(b); }
REG sign_of(const REG magnitude, const REG s) { return uvec2(magnitude.x, (magnitude.y & 0x7fffffffu) | (s.y & SIGN)); }

REG f64_neg(const REG a) { return uvec2(a.x, a.y ^ SIGN); }
REG f64_abs(const REG a) { return uvec2(a.x, a.y & 0x7fffffffu); }
REG f64_sign(const REG a) {
	return is_nan64(a) ? a : magnitude(a) == 0ul ? uvec2(0u) : uvec2(0u, (a.y & SIGN) | 0x3ff00000u);
}
REG f64_square(const REG a) { precise double r = D(a) * D(a); return RD(r); }
REG f64_relu(const REG a) { return (a.y & SIGN) != 0u && !is_nan64(a) ? uvec2(0u) : a; }
REG f64_reciprocal(const REG a) { precise double r = 1.0LF / D(a); return RD(r); }
REG f64_isnan(const REG a) { return RB(is_nan64(a)); }
REG f64_isinf(const REG a) { return RB(magnitude(a) == 0x7ff0000000000000ul); }

// Rounding by bits: not every driver has it for double. mode 0: toward zero,
// 1: to nearest even, 2: down, 3: up. In words of 32 bits: Mesa 26's lavapipe
// computes the same in 64 wrongly.
uvec2 bit64(const int i) { return i < 32 ? uvec2(1u << i, 0u) : uvec2(0u, 1u << (i - 32)); }
REG round64(const REG a, const int mode) {
	int e = int((a.y >> 20) & 0x7ffu) - 1023;
	if (e >= 52 || (a.x | (a.y & ~SIGN)) == 0u) return a;
	bool negative = (a.y & SIGN) != 0u;
	if (e < 0) {
		bool more = e == -1 && (a.x | (a.y & 0xfffffu)) != 0u; // than a half
		bool up = mode == 1 ? more : mode == 2 ? negative : mode == 3 ? !negative : false;
		return sign_of(up ? uvec2(0u, 0x3ff00000u) : uvec2(0u), a);
	}
	uvec2 unit = bit64(52 - e), half_ = bit64(51 - e);
	uvec2 rest = half_.y != 0u ? uvec2(~0u, half_.y - 1u) : uvec2(half_.x - 1u, 0u);
	uvec2 part = a & (half_ | rest), t = a - part; // no borrow: the bits are there
	bool any_ = (part.x | part.y) != 0u;
	bool tie = part == half_, least = ((part & half_) != uvec2(0u)); // half and more
	bool odd = e == 0 || (a & unit) != uvec2(0u); // of 1.x the unit is the implied bit
	bool up = mode == 1 ? least && (!tie || odd) : any_ && (mode == 2 ? negative : mode == 3 ? !negative : false);
	if (!up) return t;
	precise double r = D(t) + (negative ? -1.0LF : 1.0LF);
	return RD(r);
}
REG f64_trunc(const REG a) { return round64(a, 0); }
REG f64_round(const REG a) { return round64(a, 1); }
REG f64_floor(const REG a) { return round64(a, 2); }
REG f64_ceil(const REG a) { return round64(a, 3); }

REG f64_add(const REG a, const REG b) { precise double r = D(a) + D(b); return RD(r); }
REG f64_sub(const REG a, const REG b) { precise double r = D(a) - D(b); return RD(r); }
REG f64_mul(const REG a, const REG b) { precise double r = D(a) * D(b); return RD(r); }
REG f64_div(const REG a, const REG b) { precise double r = D(a) / D(b); return RD(r); }
REG f64_rem(const REG a, const REG b) {
	uint64_t x = magnitude(a), y = magnitude(b);
	const uint64_t inf = 0x7ff0000000000000ul, one = 0x10000000000000ul;
	if (x >= inf || y > inf || y == 0ul) return NAN64;
	if (x < y) return a;
	int ex = int(uint(x >> 52u)), ey = int(uint(y >> 52u));
	uint64_t mx = x & (one - 1ul), my = y & (one - 1ul);
	if (ex == 0) ex = 1; else mx |= one;
	if (ey == 0) ey = 1; else my |= one;
	for (; ex > ey; ex--) {
		if (mx >= my) mx -= my;
		mx <<= 1u;
	}
	if (mx >= my) mx -= my;
	if (mx == 0ul) return uvec2(0u, a.y & SIGN);
	while (mx < one && ey > 1) {
		mx <<= 1u;
		ey--;
	}
	return sign_of(RL(mx < one ? mx : (mx & (one - 1ul)) | uint64_t(uint(ey)) << 52u), a);
}
REG f64_maximum(const REG a, const REG b) {
	if (is_nan64(a)) return a;
	if (is_nan64(b)) return b;
	return key64(a) < key64(b) ? b : a;
}
REG f64_minimum(const REG a, const REG b) {
	if (is_nan64(a)) return a;
	if (is_nan64(b)) return b;
	return key64(b) < key64(a) ? b : a;
}
REG f64_less(const REG a, const REG b) { return RB(f64_lt(a, b)); }
REG f64_lessequal(const REG a, const REG b) { return RB(f64_lt(a, b) || f64_eq(a, b)); }
REG f64_equal(const REG a, const REG b) { return RB(f64_eq(a, b)); }
REG f64_notequal(const REG a, const REG b) { return RB(!f64_eq(a, b)); }
REG f64_where(const REG c, const REG a, const REG b) { return LO(c) != 0u ? a : b; }
REG f64_argmax(const REG a, const REG b) { return RB(f64_lt(b, a) || (is_nan64(a) && !is_nan64(b))); }
REG f64_argmin(const REG a, const REG b) { return RB(f64_lt(a, b) || (is_nan64(a) && !is_nan64(b))); }

REG cast_i32_f64(const REG a) { return RD(double(I(a))); }
REG cast_i8_f64(const REG a) { return RD(double(I(a))); }
REG cast_u32_f64(const REG a) { return RD(double(U(a))); }
REG cast_u8_f64(const REG a) { return RD(double(U(a))); }
REG cast_bool_f64(const REG a) { return RD(double(U(a))); }
REG cast_i64_f64(const REG a) {
	precise double r = double(int(a.y)) * 4294967296.0LF;
	r = r + double(a.x);
	return RD(r);
}
REG cast_f32_f64(const REG a) {
	if (is_nan(U(a))) return NAN64;
	return RD(double(F(a)));
}
// To nearest even, by bits: Vulkan lets a driver round either way.
REG cast_f64_f32(const REG a) {
	uint s = a.y & SIGN;
	uint64_t u = magnitude(a);
	if (u > 0x7ff0000000000000ul) return R(NAN);
	int e = int(uint(u >> 52u)) - 1023;
	if (e > 127) return R(INF | s);
	if (e < -150) return R(s);
	uint64_t m = (u & 0xffffffffffffful) | 0x10000000000000ul;
	uint drop = uint(29 + max(0, -126 - e));
	uint64_t half_ = 1ul << (drop - 1u), part = m & ((half_ << 1u) - 1ul);
	uint r = uint(m >> drop);
	if (part > half_ || (part == half_ && (r & 1u) != 0u)) r++;
	if (e >= -126) r += uint(e + 126) << 23; // the implied bit adds one
	return R(r | s);
}
REG cast_f64_bool(const REG a) { return RB(magnitude(a) != 0ul); }
REG cast_f64_i64(const REG a) {
	if (is_nan64(a)) return uvec2(0u);
	int e = int((a.y >> 20) & 0x7ffu) - 1023;
	bool negative = (a.y & SIGN) != 0u;
	if (e < 0) return uvec2(0u);
	if (e >= 63) return negative ? uvec2(0u, SIGN) : uvec2(~0u, 0x7fffffffu);
	uint64_t m = (magnitude(a) & 0xffffffffffffful) | 0x10000000000000ul;
	m = e >= 52 ? m << uint(e - 52) : m >> uint(52 - e);
	return negative ? RL(0ul - m) : RL(m);
}
int64_t clamp64(const REG a, const int64_t lo, const int64_t hi) {
	int64_t x = L(cast_f64_i64(a));
	return x < lo ? lo : x > hi ? hi : x;
}
REG cast_f64_i32(const REG a) { return R(uint(int(clamp64(a, -2147483648l, 2147483647l)))); }
REG cast_f64_u32(const REG a) { return R(uint(uint64_t(clamp64(a, 0l, 4294967295l)))); }
REG cast_f64_i8(const REG a) { return R(uint(int(clamp64(a, -128l, 127l)))); }
REG cast_f64_u8(const REG a) { return R(uint(int(clamp64(a, 0l, 255l)))); }
