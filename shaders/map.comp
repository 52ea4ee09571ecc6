#version 450
#extension GL_GOOGLE_include_directive : require
#ifdef ADDRESS
#extension GL_EXT_buffer_reference : require
#extension GL_EXT_buffer_reference_uvec2 : require
#endif
#ifdef WIDE
#extension GL_ARB_gpu_shader_int64 : require
#endif
// Map: a chain of ops at every position of a shape. Gather is a Map whose
// chain computes where to load.
//
// element, four, flush and kernel are rewritten by package vk/internal/splice: element becomes
// the chain with its loads and stores, four the same four times, loads first, kernel a call of one of
//   spread   an invocation takes positions i, i+Q, i+2Q, i+3Q, Q a quarter of all:
//            neighbours touch neighbouring words, and the prefetcher of a CPU that
//            runs the kernel sees four streams; less far apart they would share a page,
//            which took twice as long
//   sparse   the same in a loop, for chains that are long or of costly ops: SwiftShader does not unroll loops,
//            and takes twice as long for a short one
//   words    an invocation takes four positions in a row, and so owns each word
//            of packed 8-bit or 16-bit results that it writes
//   turn     a workgroup takes 32 × 32 positions of two axes, r and c. Operands that
//            lie along r in memory, where results lie along c, come through shared
//            memory: neighbours load neighbours, and store neighbours. fetch_0 and
//            fetch_1 load them, place is the position, and element reads them by
//            turned_0 and turned_1; b counts the positions of all other axes.
//
// Numbers: meta(0) is the number of positions; of spread and sparse 1 Q, a multiple of W;
// of turn 1 the size along r, 2 along c,
// 3 tiles along c, 4 tiles of a position of the other axes, 5 tiles in all.
// Specialization constants: 0: W, invocations a workgroup, 1 to the device's
// limit.

#include "kernel.glsl"

layout(local_size_x_id = 0) in;

void element(const uint p, const uint e) {
	helpers(p, apply(e, reg(p), reg(p), reg(p), reg(p), reg(p)));
}

void flush(const uint w) { put_0(w, packed_word(0u)); }

// What four loads and stores: from the last position where there is no such one, and to none.
uint within(const uint p) { return min(p, meta(0u) - 1u); }
#define PUT_WITHIN(k) void put_within_##k(const uint p, const uint v) { if (p < meta(0u)) put_##k(p, v); }
PUT_WITHIN(0) PUT_WITHIN(1) PUT_WITHIN(2) PUT_WITHIN(3) PUT_WITHIN(4) PUT_WITHIN(5) PUT_WITHIN(6) PUT_WITHIN(7)
PUT_WITHIN(8) PUT_WITHIN(9) PUT_WITHIN(10) PUT_WITHIN(11) PUT_WITHIN(12) PUT_WITHIN(13) PUT_WITHIN(14) PUT_WITHIN(15)

void four(const uint p, const uint q) {
	uint v = within(add(p, q));
	put_within_0(p, v);
	put_within_1(p, v);
	put_within_2(p, v);
	put_within_3(p, v);
	put_within_4(p, v);
	put_within_5(p, v);
	put_within_6(p, v);
	put_within_7(p, v);
	put_within_8(p, v);
	put_within_9(p, v);
	put_within_10(p, v);
	put_within_11(p, v);
	put_within_12(p, v);
	put_within_13(p, v);
	put_within_14(p, v);
	put_within_15(p, v);
}

void spread() {
	uint p = group() * gl_WorkGroupSize.x + gl_LocalInvocationID.x, q = meta(1u);
	if (p < q) four(p, q);
}

void sparse() {
	uint p = group() * gl_WorkGroupSize.x + gl_LocalInvocationID.x, q = meta(1u);
	if (p >= q) return;
	for (uint e = 0u; e < 4u; e++, p += q)
		if (p < meta(0u)) element(p, 0u);
}

void words() {
	uint w = group() * gl_WorkGroupSize.x + gl_LocalInvocationID.x, p = w * 4u;
	if (p >= meta(0u)) return;
	for (uint e = 0u; e < 4u; e++)
		if (p + e < meta(0u)) element(p + e, e);
	flush(w);
}

const uint SIDE = 32u;
shared REG tile_0[SIDE * (SIDE + 1u)];
shared REG tile_1[SIDE * (SIDE + 1u)];
uint tile_at;
REG turned_0() { return tile_0[tile_at]; }
REG turned_1() { return tile_1[tile_at]; }
REG fetch_0(const uint b, const uint r, const uint c) {
	turned_0();
	turned_1();
	return reg(b);
}
REG fetch_1(const uint b, const uint r, const uint c) { return reg(b); }
uint place(const uint b, const uint r, const uint c) { return b; }
void bring_0(const uint b, const uint r, const uint c) { tile_0[tile_at] = fetch_0(b, r, c); }
void bring_1(const uint b, const uint r, const uint c) { tile_1[tile_at] = fetch_1(b, r, c); }
void bring(const uint b, const uint r, const uint c) {
	bring_0(b, r, c);
	bring_1(b, r, c);
}

void turn() {
	uint g = group();
	if (g >= meta(5u)) return;
	uint t = gl_LocalInvocationID.x, rows = gl_WorkGroupSize.x / SIDE;
	uint b = g / meta(4u);
	g -= b * meta(4u);
	uint r0 = g / meta(3u), c0 = (g - r0 * meta(3u)) * SIDE;
	r0 *= SIDE;
	uint inner = t % SIDE, outer = t / SIDE;
	for (uint i = outer; i < SIDE; i += rows) {
		tile_at = inner * (SIDE + 1u) + i;
		if (r0 + inner < meta(1u) && c0 + i < meta(2u)) bring(b, r0 + inner, c0 + i);
	}
	barrier();
	for (uint i = outer; i < SIDE; i += rows) {
		tile_at = i * (SIDE + 1u) + inner;
		if (r0 + i < meta(1u) && c0 + inner < meta(2u)) element(place(b, r0 + i, c0 + inner), 0u);
	}
}

void kernel() {
	spread();
	sparse();
	words();
	turn();
}

void main() { kernel(); }
