// float32 trigonometry and powers; sources as in math_f32.glsl.

// x = j·π/2 + r with |r| <= π/4; good to |x| = 8192 and worse above.
float quarter(const float x, out int j) {
	precise float n = roundEven(x * 0.636619772367581);
	precise float r = x - n * 1.5703125;
	r = r - n * 4.83751296997070312e-4;
	r = r - n * 7.549789948768648e-8;
	j = int(n);
	return r;
}
float sin_core(const float r) {
	precise float z = r * r;
	precise float p = -1.9515295891e-4;
	p = p * z + 8.3321608736e-3;
	p = p * z - 1.6666654611e-1;
	p = p * z * r + r;
	return p;
}
float cos_core(const float r) {
	precise float z = r * r;
	precise float p = 2.443315711809948e-5;
	p = p * z - 1.388731625493765e-3;
	p = p * z + 4.166664568298827e-2;
	p = p * z * z;
	p = p - 0.5 * z;
	p = p + 1.0;
	return p;
}
float sin_at(const float x, const int turn) {
	int j;
	float r = quarter(x, j);
	j += turn;
	float y = (j & 1) == 0 ? sin_core(r) : cos_core(r);
	return (j & 2) == 0 ? y : -y;
}
bool not_finite(const uint u) { return (u & 0x7fffffffu) >= INF; }

REG f32_sin(const REG a) { return not_finite(U(a)) ? R(NAN) : RF(sin_at(F(a), 0)); }
REG f32_cos(const REG a) { return not_finite(U(a)) ? R(NAN) : RF(sin_at(F(a), 1)); }
REG f32_tan(const REG a) {
	if (not_finite(U(a))) return R(NAN);
	int j;
	float r = quarter(F(a), j);
	precise float z = r * r;
	precise float p = 9.38540185543e-3;
	p = p * z + 3.11992232697e-3;
	p = p * z + 2.44301354525e-2;
	p = p * z + 5.34112807005e-2;
	p = p * z + 1.33387994085e-1;
	p = p * z + 3.33331568548e-1;
	p = p * z * r + r;
	if ((j & 1) != 0) p = -1.0 / p;
	return RF(p);
}

float asin_core(const float x) { // |x| <= ½
	precise float z = x * x;
	precise float p = 4.2163199048e-2;
	p = p * z + 2.4181311049e-2;
	p = p * z + 4.5470025998e-2;
	p = p * z + 7.4953002686e-2;
	p = p * z + 1.6666752422e-1;
	p = p * z * x + x;
	return p;
}
REG f32_asin(const REG a) {
	float x = abs(F(a));
	if (is_nan(U(a)) || x > 1.0) return R(NAN);
	precise float y;
	if (x > 0.5) {
		y = 1.0 - x;
		y = 1.57079632679489662 - 2.0 * asin_core(sqrt(0.5 * y));
	} else {
		y = asin_core(x);
	}
	return R(floatBitsToUint(y) | (U(a) & SIGN));
}
REG f32_acos(const REG a) {
	float x = F(a);
	if (is_nan(U(a)) || abs(x) > 1.0) return R(NAN);
	precise float y = 1.0 - abs(x);
	if (abs(x) > 0.5) {
		y = 2.0 * asin_core(sqrt(0.5 * y));
		if (x < 0.0) y = 3.14159265358979324 - y;
		return RF(y);
	}
	y = asin_core(x);
	y = 1.57079632679489662 - y;
	return RF(y);
}

float atan_(const float x) { // x >= 0
	precise float y = 0.0, t = x;
	if (x > 2.414213562373095) {
		y = 1.57079632679489662;
		t = -1.0 / x;
	} else if (x > 0.4142135623730950) {
		y = 0.785398163397448310;
		t = (x - 1.0) / (x + 1.0);
	}
	precise float z = t * t;
	precise float p = 8.05374449538e-2;
	p = p * z - 1.38776856032e-1;
	p = p * z + 1.99777106478e-1;
	p = p * z - 3.33329491539e-1;
	p = p * z * t + t;
	y = y + p;
	return y;
}
REG f32_atan(const REG a) {
	uint m = U(a) & 0x7fffffffu;
	if (m > INF) return a;
	uint r = m == INF ? 0x3fc90fdbu : floatBitsToUint(atan_(uintBitsToFloat(m)));
	return R(r | (U(a) & SIGN));
}
// The angle of the point (b, a).
REG f32_atan2(const REG a, const REG b) {
	uint y = U(a) & 0x7fffffffu, x = U(b) & 0x7fffffffu;
	if (y > INF || x > INF) return R(NAN);
	uint lo = min(x, y), hi = max(x, y);
	precise float t = uintBitsToFloat(lo) / uintBitsToFloat(hi);
	if (lo == hi) t = hi == 0u ? 0.0 : 1.0;
	if (lo < hi && hi == INF) t = 0.0;
	precise float r = atan_(t);
	if (y > x) r = 1.57079632679489662 - r;
	if ((U(b) & SIGN) != 0u) r = 3.14159265358979324 - r;
	return R(floatBitsToUint(r) | (U(a) & SIGN));
}

// x^y for finite x > 0: 2^(y·(k + log₂m)). y·k is exact in two halves of y; only
// y·log₂m, with |log₂m| <= ½, rounds.
float pow_(const float x, const float y) {
	float m, k;
	float t = log_tail(x, m, k);
	precise float l = t * 0.44269504088896340736;
	l = l + m * 0.44269504088896340736;
	l = l + t;
	l = l + m;
	float yh = uintBitsToFloat(floatBitsToUint(y) & 0xfffff000u);
	precise float yl = y - yh;
	precise float n = clamp(roundEven(y * (k + l)), -252.0, 252.0);
	precise float f = yh * k - n;
	f = f + yl * k;
	f = f + y * l;
	f = clamp(f, -130.0, 130.0);
	precise float j = roundEven(f);
	f = f - j;
	n = clamp(n + j, -252.0, 252.0);
	return n > 128.0 ? uintBitsToFloat(INF) : n < -150.0 ? 0.0 : scale(exp2_(f), int(n));
}
REG f32_pow(const REG a, const REG b) {
	uint x = U(a) & 0x7fffffffu, y = U(b) & 0x7fffffffu;
	if (y == 0u || U(a) == 0x3f800000u) return R(0x3f800000u);
	if (x > INF || y > INF) return R(NAN);
	bool down = (U(b) & SIGN) != 0u;
	if (y == INF) return R(x == 0x3f800000u ? x : (x > 0x3f800000u) == down ? 0u : INF);
	// Whether b is an odd integer, or an integer at all.
	float h = abs(F(b));
	bool whole = trunc(h) == h;
	bool odd = whole && h < 16777216.0 && (uint(h) & 1u) != 0u;
	uint s = odd ? U(a) & SIGN : 0u;
	if (x == 0u || x == INF) return R(((x == INF) == down ? 0u : INF) | s);
	if ((U(a) & SIGN) != 0u && !whole) return R(NAN);
	return R(floatBitsToUint(pow_(uintBitsToFloat(x), F(b))) | s);
}
