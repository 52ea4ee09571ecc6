// Integer and bool ops. Semantics: the op table of package tensor/ir. Integers
// wrap; division by zero gives 0; shifts by less than 0 or at least the width
// give 0, or the sign where they go right.

int sx8(const uint x) { return bitfieldExtract(int(x), 0, 8); }
int idiv(const int a, const int b) { return b == 0 ? 0 : b == -1 ? int(0u - uint(a)) : a / b; }
int irem(const int a, const int b) {
	if (b == 0 || b == -1) return 0;
	// The remainder of negative operands is not defined in GLSL; of
	// magnitudes it is.
	uint m = uint(abs(a)) % uint(abs(b));
	return a < 0 ? int(0u - m) : int(m);
}

// T: dtype, X: value from register, W: register from int or uint (wrapping),
// S: int or uint, BITS: width.
#define INT_OPS(T, X, W, S, BITS)                                                                      \
	REG T##_neg(const REG a) { return W(0u - uint(X(a))); }                                            \
	REG T##_square(const REG a) { return W(uint(X(a)) * uint(X(a))); }                                 \
	REG T##_not(const REG a) { return W(~uint(X(a))); }                                                \
	REG T##_relu(const REG a) { return W(max(X(a), S(0))); }                                           \
	REG T##_add(const REG a, const REG b) { return W(uint(X(a)) + uint(X(b))); }                       \
	REG T##_sub(const REG a, const REG b) { return W(uint(X(a)) - uint(X(b))); }                       \
	REG T##_mul(const REG a, const REG b) { return W(uint(X(a)) * uint(X(b))); }                       \
	REG T##_maximum(const REG a, const REG b) { return W(max(X(a), X(b))); }                           \
	REG T##_minimum(const REG a, const REG b) { return W(min(X(a), X(b))); }                           \
	REG T##_and(const REG a, const REG b) { return W(uint(X(a)) & uint(X(b))); }                       \
	REG T##_or(const REG a, const REG b) { return W(uint(X(a)) | uint(X(b))); }                        \
	REG T##_xor(const REG a, const REG b) { return W(uint(X(a)) ^ uint(X(b))); }                       \
	REG T##_shl(const REG a, const REG b) { return W(U(b) < BITS ? uint(X(a)) << U(b) : 0u); }         \
	REG T##_shr(const REG a, const REG b) { return W(U(b) < BITS ? X(a) >> U(b) : X(a) < S(0) ? S(-1) : S(0)); } \
	REG T##_less(const REG a, const REG b) { return RB(X(a) < X(b)); }                                 \
	REG T##_lessequal(const REG a, const REG b) { return RB(X(a) <= X(b)); }                           \
	REG T##_equal(const REG a, const REG b) { return RB(X(a) == X(b)); }                               \
	REG T##_notequal(const REG a, const REG b) { return RB(X(a) != X(b)); }                            \
	REG T##_where(const REG c, const REG a, const REG b) { return LO(c) != 0u ? a : b; }               \
	REG T##_argmax(const REG a, const REG b) { return RB(X(a) > X(b)); }                               \
	REG T##_argmin(const REG a, const REG b) { return RB(X(a) < X(b)); }

#define SIGNED_OPS(T, W)                                                                               \
	REG T##_abs(const REG a) { return W(I(a) < 0 ? 0u - U(a) : U(a)); }                                \
	REG T##_sign(const REG a) { return W(sign(I(a))); }                                                \
	REG T##_div(const REG a, const REG b) { return W(idiv(I(a), I(b))); }                              \
	REG T##_rem(const REG a, const REG b) { return W(irem(I(a), I(b))); }

#define UNSIGNED_OPS(T)                                                                                \
	REG T##_abs(const REG a) { return a; }                                                             \
	REG T##_sign(const REG a) { return R(min(U(a), 1u)); }                                             \
	REG T##_div(const REG a, const REG b) { return R(U(b) == 0u ? 0u : U(a) / U(b)); }                 \
	REG T##_rem(const REG a, const REG b) { return R(U(b) == 0u ? 0u : U(a) % U(b)); }

#define WRAP_I8(x) RI(sx8(uint(x)))
#define WRAP_U8(x) R(uint(x) & 255u)
#define WRAP_32(x) R(uint(x))

INT_OPS(i32, I, WRAP_32, int, 32u)
INT_OPS(u32, U, WRAP_32, uint, 32u)
INT_OPS(i8, I, WRAP_I8, int, 8u)
INT_OPS(u8, U, WRAP_U8, uint, 8u)
SIGNED_OPS(i32, WRAP_32)
SIGNED_OPS(i8, WRAP_I8)
UNSIGNED_OPS(u32)
UNSIGNED_OPS(u8)

REG bool_not(const REG a) { return R(U(a) ^ 1u); }
REG bool_and(const REG a, const REG b) { return R(U(a) & U(b)); }
REG bool_or(const REG a, const REG b) { return R(U(a) | U(b)); }
REG bool_xor(const REG a, const REG b) { return R(U(a) ^ U(b)); }
REG bool_equal(const REG a, const REG b) { return RB(U(a) == U(b)); }
REG bool_notequal(const REG a, const REG b) { return RB(U(a) != U(b)); }
REG bool_where(const REG c, const REG a, const REG b) { return LO(c) != 0u ? a : b; }

// Word i mod 4 of Philox4x32-10 with counter (i / 4, 0, c0, c1) and key
// (k0, k1) (Salmon, Moraes, Dror, Shaw: Parallel Random Numbers: As Easy as 1,
// 2, 3, SC 2011).
REG u32_philox(const REG i, const REG k0, const REG k1, const REG c0, const REG c1) {
	uvec4 c = uvec4(U(i) >> 2, 0u, U(c0), U(c1));
	uvec2 k = uvec2(U(k0), U(k1));
	for (int r = 0; r < 10; r++) {
		uint h0, l0, h1, l1;
		umulExtended(0xD2511F53u, c.x, h0, l0);
		umulExtended(0xCD9E8D57u, c.z, h1, l1);
		c = uvec4(h1 ^ c.y ^ k.x, l1, h0 ^ c.w ^ k.y, l0);
		k += uvec2(0x9E3779B9u, 0xBB67AE85u);
	}
	uint s = U(i) & 3u;
	return R(s < 2u ? (s == 0u ? c.x : c.y) : (s == 2u ? c.z : c.w));
}
