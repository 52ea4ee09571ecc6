// Memory: the parameter block, and the words of up to 16 buffers.
//
// Binding 0 is the block of the dispatch, read as words by meta(i):
//   0..7    numbers of the family (see the .comp file)
//   8..39   with ADDRESS: 64-bit addresses of buffers 0..15
//   40..    views' offsets, strides, sizes and masks, scalars; the code that
//           package vk/internal/lower splices in knows where each is
// Buffers are storage buffers at bindings 1..16, or with ADDRESS device
// addresses, with the qualifiers BUFFERS where that is defined. word_k and put_k read and write word i of buffer k, quad_k reads four.

layout(std140, set = 0, binding = 0) uniform Meta { uvec4 m[1024]; } meta_block;

#ifdef ADDRESS
uint meta(const uint i) { return meta_block.m[i >> 2][i & 3u]; }
#else
// Workgroups have no third axis, so this adds 0. Where a branch depends on a
// block's word at an offset known to the compiler, Mesa 22's lavapipe clones
// the shader at every bind to put the word in, and keeps the clones: 155 KB a
// training step, and half the speed.
uint meta(const uint i) { return meta_block.m[(i >> 2) + gl_WorkGroupID.z][i & 3u]; }
#endif

#ifndef BUFFERS
#define BUFFERS
#endif
#ifdef ADDRESS
layout(buffer_reference, std430, buffer_reference_align = 4) BUFFERS buffer Words { uint w[]; };
#define BUFFER(k)                                                                       \
	Words buffer_##k() { return Words(uvec2(meta(8u + 2u * k), meta(9u + 2u * k))); }   \
	uint word_##k(const uint i) { return buffer_##k().w[i]; }                           \
	void put_##k(const uint i, const uint v) { buffer_##k().w[i] = v; }
#else
#define BUFFER(k)                                                                       \
	layout(std430, set = 0, binding = 1 + k) BUFFERS buffer Buffer##k { uint w[]; } buffer_##k; \
	uint word_##k(const uint i) { return buffer_##k.w[i]; }                             \
	void put_##k(const uint i, const uint v) { buffer_##k.w[i] = v; }
#endif

BUFFER(0) BUFFER(1) BUFFER(2) BUFFER(3) BUFFER(4) BUFFER(5) BUFFER(6) BUFFER(7)
BUFFER(8) BUFFER(9) BUFFER(10) BUFFER(11) BUFFER(12) BUFFER(13) BUFFER(14) BUFFER(15)

// The same memory four words at a time, from word i, a multiple of four.
#ifdef ADDRESS
layout(buffer_reference, std430, buffer_reference_align = 16) readonly buffer Quads { uvec4 q[]; };
#define QUAD(k) \
	uvec4 quad_##k(const uint i) { return Quads(uvec2(meta(8u + 2u * k), meta(9u + 2u * k))).q[i >> 2]; }
#else
#define QUAD(k)                                                                                    \
	layout(std430, set = 0, binding = 1 + k) readonly buffer Quads##k { uvec4 q[]; } quads_##k;    \
	uvec4 quad_##k(const uint i) { return quads_##k.q[i >> 2]; }
#endif
QUAD(0) QUAD(1)

#ifdef ADDRESS
uint least_0(const uint i, const uint v) { return atomicMin(buffer_0().w[i], v); }
#else
uint least_0(const uint i, const uint v) { return atomicMin(buffer_0.w[i], v); }
#endif

// Elements from words. Narrow elements are packed, the first in the low byte.
uint word_of_8(const uint i) { return i >> 2; }
REG get_32(const uint w) { return R(w); }
REG get_u8(const uint w, const uint i) { return R(bitfieldExtract(w, int(i & 3u) * 8, 8)); }
REG get_bool(const uint w, const uint i) { return R(min(bitfieldExtract(w, int(i & 3u) * 8, 8), 1u)); }
REG get_i8(const uint w, const uint i) { return RI(bitfieldExtract(int(w), int(i & 3u) * 8, 8)); }
uint low(const REG v) { return LO(v); }
REG reg(const uint v) { return R(v); }

REG scalar(const uint m) {
#ifdef WIDE
	return uvec2(meta(m), meta(m + 1u));
#else
	return meta(m);
#endif
}

// An index as a number of elements; those that cannot be right become ~0.
#ifdef WIDE
uint index_of(const REG v) { return v.y == 0u ? v.x : ~0u; }
#else
uint index_of(const REG v) { return v; }
#endif

#ifdef WIDE
uint first_of_64(const uint i) { return i << 1; }
uint second_of_64(const uint i) { return (i << 1) | 1u; }
REG get_64(const uint lo, const uint hi) { return uvec2(lo, hi); }
uint high(const REG v) { return v.y; }
#endif

// Packing: narrow results wait here until the invocation has all four that it
// owns: a word of 8-bit ones, or two of 16-bit ones, of which put_pair_k writes to
// buffer k those that there are. meta(0) is the number of results.
uint packed[32];
void pack(const uint k, const uint e, const REG v) { packed[k] = bitfieldInsert(packed[k], LO(v), int(e) * 8, 8); }
uint packed_word(const uint k) { return packed[k]; }
#define PUT_PAIR(k)                                                        \
	void put_pair_##k(const uint w, const uint a, const uint b) {          \
		put_##k(2u * w, a);                                                \
		if (4u * w + 2u < meta(0u)) put_##k(2u * w + 1u, b);               \
	}
PUT_PAIR(0) PUT_PAIR(1) PUT_PAIR(2) PUT_PAIR(3) PUT_PAIR(4) PUT_PAIR(5) PUT_PAIR(6) PUT_PAIR(7)
PUT_PAIR(8) PUT_PAIR(9) PUT_PAIR(10) PUT_PAIR(11) PUT_PAIR(12) PUT_PAIR(13) PUT_PAIR(14) PUT_PAIR(15)

// Positions. p / size by multiplication, exact for p < 2^31: magic and shift
// are at m and m+1 (Granlund, Montgomery: Division by Invariant Integers Using
// Multiplication, PLDI 1994).
uint axis_div(const uint p, const uint m) {
	uint hi, lo;
	umulExtended(p, meta(m), hi, lo);
	return (hi + p) >> meta(m + 1u);
}
uint axis_mod(const uint p, const uint q, const uint m) { return p - q * meta(m); }
uint axis_add(const uint i, const uint c, const uint m) { return i + c * meta(m); }
uint add(const uint a, const uint b) { return a + b; }
uint in_mask(const uint ok, const uint c, const uint m) { return c - meta(m) < meta(m + 1u) ? ok : 0u; }
uint below(const uint i, const uint m) { return i < meta(m) ? 1u : 0u; }
uint same(const uint a, const uint b) { return a == b ? 1u : 0u; }
uint both(const uint a, const uint b) { return a & b; }
uint index_or_0(const uint ok, const uint i) { return ok != 0u ? i : 0u; }
REG value_or(const uint ok, const REG v, const REG fill) { return ok != 0u ? v : fill; }
REG scalar_or(const uint ok, const REG v, const uint m) { return ok != 0u ? v : scalar(m); }

// The workgroup's number; the host folds counts above 65535 into y.
uint group() { return gl_WorkGroupID.x + gl_WorkGroupID.y * gl_NumWorkGroups.x; }
