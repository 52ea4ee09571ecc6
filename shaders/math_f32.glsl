// float32 functions, since drivers' own may be off by thousands of units in the
// last place. Reductions and polynomials: Moshier, Cephes single precision
// library; Cody, Waite: Software Manual for the Elementary Functions, 1980. All
// is precise: contracting or reordering would spoil the error terms.

// x·2^k for |k| <= 252, in two steps so that neither factor overflows.
float scale(const float x, const int k) {
	int h = k >> 1;
	precise float r = x * uintBitsToFloat(uint(h + 127) << 23) * uintBitsToFloat(uint(k - h + 127) << 23);
	return r;
}

// e^r - 1 - r for |r| <= ln 2 / 2.
float exp_tail(const float r) {
	precise float p = 1.9875691500e-4;
	p = p * r + 1.3981999507e-3;
	p = p * r + 8.3334519073e-3;
	p = p * r + 4.1665795894e-2;
	p = p * r + 1.6666665459e-1;
	p = p * r + 5.0000001201e-1;
	p = p * (r * r);
	return p;
}

// x = k·ln 2 + r.
float exp_reduce(const float x, out float k) {
	precise float n = roundEven(x * 1.44269504088896341);
	precise float r = x - n * 0.693359375;
	r = r + n * 2.12194440e-4;
	k = n;
	return r;
}

float exp_(const float x) {
	float k;
	float r = exp_reduce(clamp(x, -104.0, 89.0), k);
	precise float y = exp_tail(r) + r;
	y = y + 1.0;
	return scale(y, int(k));
}

// ln x = k·ln 2 + m + t with m = x/2^k - 1 and t the rest, for x > 0 and finite.
float log_tail(const float x, out float m, out float k) {
	bool tiny = floatBitsToUint(x) < 0x00800000u;
	uint u = floatBitsToUint(tiny ? x * 8388608.0 : x) - 0x3f3504f3u; // √½
	int e = int(u) >> 23;
	precise float f = uintBitsToFloat((u & 0x7fffffu) + 0x3f3504f3u) - 1.0;
	precise float p = 7.0376836292e-2;
	p = p * f - 1.1514610310e-1;
	p = p * f + 1.1676998740e-1;
	p = p * f - 1.2420140846e-1;
	p = p * f + 1.4249322787e-1;
	p = p * f - 1.6668057665e-1;
	p = p * f + 2.0000714765e-1;
	p = p * f - 2.4999993993e-1;
	p = p * f + 3.3333331174e-1;
	precise float z = f * f;
	p = p * f * z;
	p = p - 0.5 * z;
	m = f;
	k = float(tiny ? e - 23 : e);
	return p;
}

float log_(const float x) {
	float m, k;
	precise float t = log_tail(x, m, k);
	t = t - 2.12194440e-4 * k;
	t = t + m;
	t = t + 0.693359375 * k;
	return t;
}

// The logarithms' special cases; ok says that there is none.
float log_special(const float x, out bool ok) {
	uint u = floatBitsToUint(x);
	ok = u - 1u < INF - 1u;
	if ((u & 0x7fffffffu) == 0u) return uintBitsToFloat(INF | SIGN);
	return u == INF ? x : uintBitsToFloat(NAN);
}

REG f32_exp(const REG a) {
	if (is_nan(U(a))) return a;
	float x = F(a);
	return x > 88.7228 ? R(INF) : x < -103.98 ? R(0u) : RF(exp_(x));
}

float exp2_(const float x) {
	float k = roundEven(x);
	precise float r = x - k;
	precise float p = 1.535336188319500e-4;
	p = p * r + 1.339887440266574e-3;
	p = p * r + 9.618437357674640e-3;
	p = p * r + 5.550332471162809e-2;
	p = p * r + 2.402264791363012e-1;
	p = p * r + 6.931472028550421e-1;
	p = p * r + 1.0;
	return scale(p, int(k));
}

REG f32_exp2(const REG a) {
	if (is_nan(U(a))) return a;
	float x = F(a);
	return x >= 128.0 ? R(INF) : x < -150.0 ? R(0u) : RF(exp2_(x));
}

float expm1_(const float x) {
	float k;
	float r = exp_reduce(clamp(x, -40.0, 89.0), k);
	precise float t = exp_tail(r) + r;
	if (k == 0.0) return t;
	// 2^k·(1 + t) - 1, halved so that 2^128 need not be represented.
	float h = uintBitsToFloat(uint(int(k) + 126) << 23);
	precise float y = h * t + (h - 0.5);
	return y * 2.0;
}

REG f32_expm1(const REG a) {
	if (is_nan(U(a)) || (U(a) & 0x7fffffffu) < 0x33000000u) return a; // |x| < 2^-25
	float x = F(a);
	return x > 88.7228 ? R(INF) : RF(expm1_(x));
}

REG f32_log(const REG a) {
	bool ok;
	float s = log_special(F(a), ok);
	return RF(ok ? log_(F(a)) : s);
}

float log2_(const float x) {
	float m, k;
	float t = log_tail(x, m, k);
	precise float z = t * 0.44269504088896340736;
	z = z + m * 0.44269504088896340736;
	z = z + t;
	z = z + m;
	z = z + k;
	return z;
}

REG f32_log2(const REG a) {
	bool ok;
	float s = log_special(F(a), ok);
	return RF(ok ? log2_(F(a)) : s);
}

REG f32_log1p(const REG a) {
	if ((U(a) & 0x7fffffffu) < 0x33000000u || U(a) == INF) return a;
	float x = F(a);
	precise float u = 1.0 + x;
	bool ok;
	float s = log_special(u, ok);
	if (!ok) return RF(s);
	// What rounding 1 + x lost.
	precise float c = u - 1.0;
	c = (x - c) / u;
	precise float y = log_(u) + c;
	return RF(y);
}

REG f32_sqrt(const REG a) {
	uint u = U(a);
	if (is_nan(u) || (u & 0x7fffffffu) == 0u || u == INF) return a;
	return (u & SIGN) != 0u ? R(NAN) : RF(sqrt(F(a)));
}
REG f32_rsqrt(const REG a) {
	uint u = U(a);
	if (is_nan(u)) return a;
	if ((u & 0x7fffffffu) == 0u) return R(INF | (u & SIGN));
	if ((u & SIGN) != 0u) return R(NAN);
	return u == INF ? R(0u) : RF(1.0 / sqrt(F(a)));
}

float sinh_(const float x) { // x >= 0
	if (x < 1.0) {
		precise float z = x * x;
		precise float p = 2.03721912945e-4;
		p = p * z + 8.33028376239e-3;
		p = p * z + 1.66667160211e-1;
		p = p * z * x + x;
		return p;
	}
	precise float e = exp_(min(x - 0.693359375, 89.0)) * 1.00021216464; // ½·e^x without overflow
	precise float y = e - 0.25 / e;
	return y;
}
REG f32_sinh(const REG a) {
	if (is_nan(U(a))) return a;
	float x = abs(F(a));
	return R((x > 89.4 ? INF : floatBitsToUint(sinh_(x))) | (U(a) & SIGN));
}
REG f32_cosh(const REG a) {
	if (is_nan(U(a))) return a;
	float x = abs(F(a));
	if (x > 89.4) return R(INF);
	precise float e = exp_(x - 0.693359375) * 1.00021216464;
	precise float y = e + 0.25 / e;
	return RF(y);
}
REG f32_tanh(const REG a) {
	if (is_nan(U(a))) return a;
	float x = F(a), m = abs(x);
	precise float y;
	if (m < 0.625) {
		precise float z = x * x;
		y = -5.70498872745e-3;
		y = y * z + 2.06390887954e-2;
		y = y * z - 5.37397155531e-2;
		y = y * z + 1.33314422036e-1;
		y = y * z - 3.33332819422e-1;
		y = y * z * x + x;
		return RF(y);
	}
	y = 1.0 - 2.0 / (exp_(2.0 * min(m, 20.0)) + 1.0);
	return R(floatBitsToUint(y) | (U(a) & SIGN));
}
REG f32_sigmoid(const REG a) {
	if (is_nan(U(a))) return a;
	float x = F(a);
	if (x < -88.0) return f32_exp(a);
	precise float y = 1.0 / (1.0 + exp_(-x));
	return RF(y);
}

// Coefficients: Juffa, fitted to float32, error below one unit with fma.
REG f32_erf(const REG a) {
	if (is_nan(U(a))) return a;
	float x = F(a), t = min(abs(x), 4.0);
	precise float s = t * t;
	precise float r, u;
	if (t > 0.927734375) {
		r = -1.72853470e-5 * t + 3.83197126e-4;
		u = -3.88396438e-3 * t + 2.42546219e-2;
		r = r * s + u;
		r = r * t - 1.06777877e-1;
		r = r * t - 6.34846687e-1;
		r = r * t - 1.28717512e-1;
		r = r * t - t;
		r = 1.0 - exp_(r);
		return R(floatBitsToUint(r) | (U(a) & SIGN));
	}
	r = -5.96761703e-4;
	r = r * s + 4.99119423e-3;
	r = r * s - 2.67681349e-2;
	r = r * s + 1.12819925e-1;
	r = r * s - 3.76125336e-1;
	r = r * s + 1.28379166e-1;
	r = r * x + x;
	return RF(r);
}
