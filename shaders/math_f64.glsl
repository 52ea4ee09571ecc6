// float64 functions. Vulkan has none. Polynomials: Taylor where they are short
// enough after reduction; Sun's fdlibm for log; Moshier, Cephes for sine, cosine
// and arctangent.

double scale64(const double x, const int k) {
	int h = k >> 1;
	precise double r = x * D(uvec2(0u, uint(h + 1023) << 20)) * D(uvec2(0u, uint(k - h + 1023) << 20));
	return r;
}

// e^r - 1 - r for |r| <= ln 2 / 2: Σ r^n/n!, n from 2 to 14.
double exp_tail64(const double r) {
	precise double p = 1.1470745597729725e-11LF;
	p = p * r + 1.6059043836821613e-10LF;
	p = p * r + 2.08767569878681e-9LF;
	p = p * r + 2.505210838544172e-8LF;
	p = p * r + 2.755731922398589e-7LF;
	p = p * r + 2.7557319223985893e-6LF;
	p = p * r + 2.48015873015873e-5LF;
	p = p * r + 1.984126984126984e-4LF;
	p = p * r + 1.388888888888889e-3LF;
	p = p * r + 8.333333333333333e-3LF;
	p = p * r + 4.1666666666666664e-2LF;
	p = p * r + 1.6666666666666666e-1LF;
	p = p * r + 0.5LF;
	p = p * (r * r);
	return p;
}
double nearest64(const double x) { return D(round64(RD(x), 1)); }
double exp_reduce64(const double x, out double k) {
	precise double n = nearest64(x * 1.4426950408889634LF);
	precise double r = x - n * 6.93147180369123816490e-01LF;
	r = r - n * 1.90821492927058770002e-10LF;
	k = n;
	return r;
}
double exp64(const double x) {
	double k;
	double r = exp_reduce64(clamp(x, -760.0LF, 712.0LF), k);
	precise double y = exp_tail64(r) + r;
	y = y + 1.0LF;
	return scale64(y, int(k));
}
double expm1_64(const double x) {
	double k;
	double r = exp_reduce64(clamp(x, -80.0LF, 712.0LF), k);
	precise double t = exp_tail64(r) + r;
	if (k == 0.0LF) return t;
	double h = scale64(1.0LF, int(k) - 1);
	precise double y = h * t + (h - 0.5LF);
	return y * 2.0LF;
}
double log64(const double v) {
	double x = v;
	int k = 0;
	if (x < 2.2250738585072014e-308LF) {
		x *= 18014398509481984.0LF; // 2^54
		k = -54;
	}
	REG u = RD(x);
	u.y -= 0x3fe6a09eu; // the upper word of √½
	k += int(u.y) >> 20;
	u.y = (u.y & 0xfffffu) + 0x3fe6a09eu;
	precise double f = D(u) - 1.0LF;
	precise double s = f / (2.0LF + f);
	precise double z = s * s;
	precise double p = 1.479819860511658591e-01LF;
	p = p * z + 1.531383769920937332e-01LF;
	p = p * z + 1.818357216161805012e-01LF;
	p = p * z + 2.222219843214978396e-01LF;
	p = p * z + 2.857142874366239149e-01LF;
	p = p * z + 3.999999999940941908e-01LF;
	p = p * z + 6.666666666666735130e-01LF;
	p = p * z;
	precise double h = 0.5LF * f * f;
	precise double y = double(k) * 1.90821492927058770002e-10LF;
	y = s * (h + p) + y;
	y = h - y;
	y = y - f;
	y = double(k) * 6.93147180369123816490e-01LF - y;
	return y;
}
bool log_special64(const REG a, out REG r) {
	r = NAN64;
	if (magnitude(a) == 0ul) r = uvec2(0u, 0xfff00000u);
	else if (a == INF64) r = a;
	else return is_nan64(a) || (a.y & SIGN) != 0u;
	return true;
}

REG f64_exp(const REG a) {
	if (is_nan64(a)) return a;
	double x = D(a);
	return x > 709.79LF ? INF64 : x < -745.2LF ? uvec2(0u) : RD(exp64(x));
}
REG f64_exp2(const REG a) {
	if (is_nan64(a)) return a;
	double x = D(a);
	if (x >= 1024.0LF) return INF64;
	if (x < -1075.0LF) return uvec2(0u);
	double k = nearest64(x);
	precise double r = (x - k) * 0.6931471805599453LF;
	precise double y = exp_tail64(r) + r;
	y = y + 1.0LF;
	return RD(scale64(y, int(k)));
}
REG f64_expm1(const REG a) {
	if (is_nan64(a) || magnitude(a) < 0x3c90000000000000ul) return a;
	double x = D(a);
	return x > 709.79LF ? INF64 : RD(expm1_64(x));
}
REG f64_log(const REG a) {
	REG s;
	return log_special64(a, s) ? s : RD(log64(D(a)));
}
REG f64_log2(const REG a) {
	REG s;
	if (log_special64(a, s)) return s;
	// The exponent apart, so that powers of two are exact.
	int k = 0;
	REG u = a;
	if (magnitude(a) >= 0x10000000000000ul) {
		u.y -= 0x3fe6a09eu;
		k = int(u.y) >> 20;
		u.y = (u.y & 0xfffffu) + 0x3fe6a09eu;
	}
	precise double y = log64(D(u)) * 1.4426950408889634LF;
	y = y + double(k);
	return RD(y);
}
REG f64_log1p(const REG a) {
	if (magnitude(a) < 0x3c90000000000000ul || a == INF64) return a;
	double x = D(a);
	precise double u = 1.0LF + x;
	REG s;
	if (log_special64(RD(u), s)) return s;
	precise double c = u - 1.0LF;
	c = (x - c) / u;
	precise double y = log64(u) + c;
	return RD(y);
}
REG f64_sqrt(const REG a) {
	if (is_nan64(a) || magnitude(a) == 0ul || a == INF64) return a;
	return (a.y & SIGN) != 0u ? NAN64 : RD(sqrt(D(a)));
}
REG f64_rsqrt(const REG a) {
	if (is_nan64(a)) return a;
	if (magnitude(a) == 0ul) return uvec2(0u, INF64.y | (a.y & SIGN));
	if ((a.y & SIGN) != 0u) return NAN64;
	return a == INF64 ? uvec2(0u) : RD(1.0LF / sqrt(D(a)));
}
REG f64_sigmoid(const REG a) {
	if (is_nan64(a)) return a;
	double x = D(a);
	if (x < -708.0LF) return f64_exp(a);
	precise double y = 1.0LF / (1.0LF + exp64(-x));
	return RD(y);
}
REG f64_sinh(const REG a) {
	if (is_nan64(a)) return a;
	double x = abs(D(a));
	if (x > 710.5LF) return uvec2(0u, INF64.y | (a.y & SIGN));
	precise double y;
	if (x > 30.0LF) {
		y = exp64(x * 0.5LF);
		y = 0.5LF * y * y;
	} else {
		y = expm1_64(x);
		y = 0.5LF * (y + y / (y + 1.0LF));
	}
	return sign_of(RD(y), a);
}
REG f64_cosh(const REG a) {
	if (is_nan64(a)) return a;
	double x = abs(D(a));
	if (x > 710.5LF) return INF64;
	precise double e = exp64(x * 0.5LF);
	precise double y = x > 30.0LF ? 0.5LF * e * e : 0.5LF * (e * e + 1.0LF / (e * e));
	return RD(y);
}
REG f64_tanh(const REG a) {
	if (is_nan64(a)) return a;
	precise double t = expm1_64(2.0LF * min(abs(D(a)), 30.0LF));
	t = t / (t + 2.0LF);
	return sign_of(RD(t), a);
}
// 2/√π·e^(-x²)·Σ 2^n x^(2n+1)/(1·3·…·(2n+1)), all terms positive (Abramowitz,
// Stegun, 7.1.6).
REG f64_erf(const REG a) {
	if (is_nan64(a)) return a;
	double x = abs(D(a));
	if (x >= 6.0LF) return sign_of(uvec2(0u, 0x3ff00000u), a);
	precise double z = 2.0LF * x * x;
	precise double term = x, sum = x;
	for (int n = 3; n < 300; n += 2) {
		term = term * z / double(n);
		sum = sum + term;
		if (term < sum * 1e-17LF) break;
	}
	// e^(-x²) with the square of the upper half of x, which is exact.
	double h = D(uvec2(0u, RD(x).y));
	precise double rest = (h - x) * (h + x);
	sum = sum * 1.1283791670955126LF * (exp64(-h * h) * exp64(rest));
	return sign_of(RD(sum), a);
}

double quarter64(const double x, out int j) {
	precise double n = nearest64(x * 0.6366197723675814LF);
	precise double r = x - n * 1.57079625129699707031LF;
	r = r - n * 7.54978941586159635335e-8LF;
	r = r - n * 5.39030285815811905290e-15LF;
	j = int(n);
	return r;
}
double sin_core64(const double r) {
	precise double z = r * r;
	precise double p = 1.58962301576546568060e-10LF;
	p = p * z - 2.50507477628578072866e-8LF;
	p = p * z + 2.75573136213857245213e-6LF;
	p = p * z - 1.98412698295895385996e-4LF;
	p = p * z + 8.33333333332211858878e-3LF;
	p = p * z - 1.66666666666666307295e-1LF;
	p = p * z * r + r;
	return p;
}
double cos_core64(const double r) {
	precise double z = r * r;
	precise double p = -1.13585365213876817300e-11LF;
	p = p * z + 2.08757008419747316778e-9LF;
	p = p * z - 2.75573141792967388112e-7LF;
	p = p * z + 2.48015872888517045348e-5LF;
	p = p * z - 1.38888888888730564116e-3LF;
	p = p * z + 4.16666666666665929218e-2LF;
	p = p * z * z;
	p = p - 0.5LF * z;
	p = p + 1.0LF;
	return p;
}
double sin_at64(const double x, const int turn) {
	int j;
	double r = quarter64(x, j);
	j += turn;
	double y = (j & 1) == 0 ? sin_core64(r) : cos_core64(r);
	return (j & 2) == 0 ? y : -y;
}
bool not_finite64(const REG a) { return magnitude(a) >= 0x7ff0000000000000ul; }
REG f64_sin(const REG a) { return not_finite64(a) ? NAN64 : RD(sin_at64(D(a), 0)); }
REG f64_cos(const REG a) { return not_finite64(a) ? NAN64 : RD(sin_at64(D(a), 1)); }
REG f64_tan(const REG a) { return not_finite64(a) ? NAN64 : RD(sin_at64(D(a), 0) / sin_at64(D(a), 1)); }

double atan64(const double x) { // x >= 0
	precise double y = 0.0LF, t = x;
	if (x > 2.41421356237309504880LF) {
		y = 1.57079632679489661923LF;
		t = -1.0LF / x;
	} else if (x > 0.66LF) {
		y = 7.85398163397448309616e-1LF;
		t = (x - 1.0LF) / (x + 1.0LF);
	}
	precise double z = t * t;
	precise double p = -8.750608600031904122785e-01LF;
	p = p * z - 1.615753718733365076637e+01LF;
	p = p * z - 7.500855792314704667340e+01LF;
	p = p * z - 1.228866684490136173410e+02LF;
	p = p * z - 6.485021904942025371773e+01LF;
	precise double q = z + 2.485846490142306297962e+01LF;
	q = q * z + 1.650270098316988542046e+02LF;
	q = q * z + 4.328810604912902668951e+02LF;
	q = q * z + 4.853903996359136964868e+02LF;
	q = q * z + 1.945506571482613964425e+02LF;
	p = z * p / q;
	p = t * p + t;
	y = y + p;
	return y;
}
const uvec2 HALF_PI64 = uvec2(0x54442d18u, 0x3ff921fbu);
REG f64_atan(const REG a) {
	if (is_nan64(a)) return a;
	if (magnitude(a) == 0x7ff0000000000000ul) return sign_of(HALF_PI64, a);
	return sign_of(RD(atan64(D(f64_abs(a)))), a);
}
REG f64_atan2(const REG a, const REG b) {
	if (is_nan64(a) || is_nan64(b)) return NAN64;
	uint64_t y = magnitude(a), x = magnitude(b);
	uint64_t lo = min(x, y), hi = max(x, y);
	precise double t = D(RL(lo)) / D(RL(hi));
	if (lo == hi) t = hi == 0ul ? 0.0LF : 1.0LF;
	if (lo < hi && hi == 0x7ff0000000000000ul) t = 0.0LF;
	precise double r = atan64(t);
	if (y > x) r = 1.57079632679489661923LF - r;
	if ((b.y & SIGN) != 0u) r = 3.14159265358979323846LF - r;
	return sign_of(RD(r), a);
}
REG f64_asin(const REG a) {
	double x = abs(D(a));
	if (is_nan64(a) || x > 1.0LF) return NAN64;
	if (x == 1.0LF) return sign_of(HALF_PI64, a);
	precise double s = sqrt((1.0LF - x) * (1.0LF + x));
	return sign_of(RD(atan64(x / s)), a);
}
REG f64_acos(const REG a) {
	double x = D(a);
	if (is_nan64(a) || abs(x) > 1.0LF) return NAN64;
	if (x == -1.0LF) return uvec2(0x54442d18u, 0x400921fbu);
	precise double t = sqrt((1.0LF - x) / (1.0LF + x));
	return RD(2.0LF * atan64(t));
}

REG f64_pow(const REG a, const REG b) {
	const uvec2 one = uvec2(0u, 0x3ff00000u);
	uint64_t x = magnitude(a), y = magnitude(b);
	const uint64_t inf = 0x7ff0000000000000ul, unit = 0x3ff0000000000000ul;
	if (y == 0ul || a == one) return one;
	if (x > inf || y > inf) return NAN64;
	bool down = (b.y & SIGN) != 0u;
	if (y == inf) return x == unit ? one : (x > unit) == down ? uvec2(0u) : INF64;
	REG h = f64_abs(b);
	bool whole = round64(h, 0) == h;
	REG half_ = RD(D(h) * 0.5LF);
	bool odd = whole && round64(half_, 0) != half_;
	uint s = odd ? a.y & SIGN : 0u;
	if (x == 0ul || x == inf) return uvec2(0u, ((x == inf) == down ? 0u : INF64.y) | s);
	if ((a.y & SIGN) != 0u && !whole) return NAN64;
	// x = m·2^k; y·k in halves that are exact.
	REG u = RL(x);
	double k = 0.0LF;
	if (x >= 0x10000000000000ul) {
		u.y -= 0x3fe6a09eu;
		k = double(int(u.y) >> 20);
		u.y = (u.y & 0xfffffu) + 0x3fe6a09eu;
	}
	precise double l = log64(D(u)) * 1.4426950408889634LF;
	double yd = D(b);
	double yh = D(uvec2(0u, b.y));
	precise double yl = yd - yh;
	precise double n = clamp(nearest64(yd * (k + l)), -2000.0LF, 2000.0LF);
	precise double f = yh * k - n;
	f = f + yl * k;
	f = f + yd * l;
	f = clamp(f, -1100.0LF, 1100.0LF);
	precise double j = nearest64(f);
	f = (f - j) * 0.6931471805599453LF;
	n = n + j;
	if (n > 1024.0LF) return uvec2(0u, INF64.y | s);
	if (n < -1080.0LF) return uvec2(0u, s);
	precise double r = exp_tail64(f) + f;
	r = r + 1.0LF;
	r = scale64(r, int(n));
	return uvec2(RD(r).x, RD(r).y | s);
}
