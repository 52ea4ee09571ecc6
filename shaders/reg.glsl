// Registers. A chain's values travel as bit patterns in one type, REG:
//   f32    the bits of the float; f16 and bf16 those of the equal float
//   i32    two's complement           u32  the value
//   i8     sign-extended to 32 bits   u8   0..255      bool  0 or 1
// With WIDE defined REG is uvec2 (low word first) and f64 and i64 fill it; the
// other types use the low word. Parameters are const so that the compiler
// passes ids and not pointers: package vk/internal/splice rewrites the callers.

#ifdef WIDE
#define REG uvec2
#define LO(r) ((r).x)
#define R(x) uvec2(x, 0u)
#else
#define REG uint
#define LO(r) (r)
#define R(x) (x)
#endif

#define F(r) uintBitsToFloat(LO(r))
#define I(r) int(LO(r))
#define U(r) LO(r)
#define RF(x) R(floatBitsToUint(x))
#define RI(x) R(uint(x))
#define RB(x) R((x) ? 1u : 0u)

const uint NAN = 0x7fc00000u;
const uint INF = 0x7f800000u;
const uint SIGN = 0x80000000u;

// Drivers may assume that there are no NaNs, so they are told by their bits.
bool is_nan(const uint x) { return (x & 0x7fffffffu) > INF; }
