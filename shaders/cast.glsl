// Conversions: float to integer truncates and saturates, NaN gives 0; integers
// wrap; to bool is x != 0.

REG cast_f32_i32(const REG a) {
	float x = F(a);
	if (is_nan(U(a))) return R(0u);
	return x >= 2147483648.0 ? R(0x7fffffffu) : x <= -2147483648.0 ? R(SIGN) : RI(int(x));
}
REG cast_f32_u32(const REG a) {
	float x = F(a);
	if (is_nan(U(a)) || x <= 0.0) return R(0u);
	return x >= 4294967296.0 ? R(0xffffffffu) : R(uint(x));
}
REG cast_f32_i8(const REG a) { return is_nan(U(a)) ? R(0u) : RI(int(clamp(F(a), -128.0, 127.0))); }
REG cast_f32_u8(const REG a) { return is_nan(U(a)) ? R(0u) : R(uint(clamp(F(a), 0.0, 255.0))); }
REG cast_f32_bool(const REG a) { return RB((U(a) & 0x7fffffffu) != 0u); }

#define CAST_INT(T)                                            \
	REG cast_##T##_i8(const REG a) { return WRAP_I8(U(a)); }   \
	REG cast_##T##_u8(const REG a) { return WRAP_U8(U(a)); }   \
	REG cast_##T##_i32(const REG a) { return R(U(a)); }        \
	REG cast_##T##_u32(const REG a) { return R(U(a)); }        \
	REG cast_##T##_bool(const REG a) { return RB(U(a) != 0u); }

CAST_INT(i32)
CAST_INT(u32)
CAST_INT(i8)
CAST_INT(u8)
CAST_INT(bool)
// In two exact halves and a sum that rounds: Mesa 22 takes the conversion of an
// integer to float and back for the integer.
REG cast_i32_f32(const REG a) {
	precise float r = float(I(a) >> 16) * 65536.0 + float(U(a) & 0xffffu);
	return RF(r);
}
REG cast_i8_f32(const REG a) { return RF(float(I(a))); }
// SwiftShader's conversion is off by one in the last place above 2^31; this
// one rounds once, in the sum.
REG cast_u32_f32(const REG a) {
	precise float r = float(U(a) >> 16) * 65536.0 + float(U(a) & 0xffffu);
	return RF(r);
}
REG cast_u8_f32(const REG a) { return RF(float(U(a))); }
REG cast_bool_f32(const REG a) { return RF(float(U(a))); }
REG cast_f32_f32(const REG a) { return a; }
