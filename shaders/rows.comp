#version 450
#extension GL_GOOGLE_include_directive : require
#ifdef ADDRESS
#extension GL_EXT_buffer_reference : require
#extension GL_EXT_buffer_reference_uvec2 : require
#endif
#ifdef WIDE
#extension GL_ARB_gpu_shader_int64 : require
#endif
// Rows: up to six instructions over the same rows, one after the other, in one
// dispatch: reductions of each row, Maps over all its elements, and Gathers of one of
// them, as softmax, cross-entropy and norms have them. What one stores another reads only in the same
// row, so that no row waits for another.
//
// kernel is rewritten by package vk/internal/splice: it becomes calls, in order, of
//   row_reduce_k, row_map_k, row_once_k      a workgroup a row
//   lane_reduce_k, lane_map_k, lane_once_k   an invocation a row
// and so are pre_k, combine_k, post_k and element_k, the parts of instruction k. A
// reduction combines in the order of reduce.comp's row and lane.
//
// Numbers: meta(0) rows O, 1 elements of a row L.
// Specialization constants: 0: W, invocations a workgroup, a power of two.

// One invocation stores what another of its workgroup loads.
#define BUFFERS coherent
#include "kernel.glsl"

layout(local_size_x_id = 0) in;

shared REG part[gl_WorkGroupSize.x];

void next() {
	memoryBarrierBuffer(); // what was stored is there,
	barrier();
	memoryBarrierBuffer(); // and nothing behind is loaded before
}

#define STAGE(k)                                                                              \
	REG pre_##k(const uint o, const uint q) {                                                 \
		helpers(o, reg(q));                                                                   \
		return apply(o, reg(q), reg(q), reg(q), reg(q), reg(q));                              \
	}                                                                                         \
	REG combine_##k(const REG a, const REG b) { return a; }                                   \
	void post_##k(const uint o, const REG acc) { put_0(o, low(acc)); }                        \
	void element_##k(const uint p, const uint o, const uint q) { put_0(p, q); }               \
	void row_reduce_##k(const uint identity) {                                                \
		uint t = gl_LocalInvocationID.x, o = group();                                         \
		if (o >= meta(0u)) return;                                                            \
		REG acc = scalar(identity);                                                           \
		for (uint q = t; q < meta(1u); q += gl_WorkGroupSize.x) acc = combine_##k(acc, pre_##k(o, q)); \
		part[t] = acc;                                                                        \
		barrier();                                                                            \
		for (uint s = gl_WorkGroupSize.x / 2u; s > 0u; s /= 2u) {                             \
			if (t < s) part[t] = combine_##k(part[t], part[t + s]);                           \
			barrier();                                                                        \
		}                                                                                     \
		if (t == 0u) post_##k(o, part[0]);                                                    \
		next();                                                                               \
	}                                                                                         \
	void row_map_##k() {                                                                      \
		uint o = group();                                                                     \
		if (o >= meta(0u)) return;                                                            \
		for (uint q = gl_LocalInvocationID.x; q < meta(1u); q += gl_WorkGroupSize.x)          \
			element_##k(o * meta(1u) + q, o, q);                                              \
		next();                                                                               \
	}                                                                                         \
	void row_once_##k() {                                                                     \
		uint o = group();                                                                     \
		if (o >= meta(0u)) return;                                                            \
		if (gl_LocalInvocationID.x == 0u) element_##k(o, o, 0u);                              \
		next();                                                                               \
	}                                                                                         \
	void lane_reduce_##k(const uint identity) {                                               \
		uint o = group() * gl_WorkGroupSize.x + gl_LocalInvocationID.x;                       \
		if (o >= meta(0u)) return;                                                            \
		REG acc = scalar(identity);                                                           \
		for (uint q = 0u; q < meta(1u); q++) acc = combine_##k(acc, pre_##k(o, q));           \
		post_##k(o, acc);                                                                     \
	}                                                                                         \
	void lane_map_##k() {                                                                     \
		uint o = group() * gl_WorkGroupSize.x + gl_LocalInvocationID.x;                       \
		if (o >= meta(0u)) return;                                                            \
		for (uint q = 0u; q < meta(1u); q++) element_##k(o * meta(1u) + q, o, q);             \
	}                                                                                         \
	void lane_once_##k() {                                                                    \
		uint o = group() * gl_WorkGroupSize.x + gl_LocalInvocationID.x;                       \
		if (o < meta(0u)) element_##k(o, o, 0u);                                              \
	}
STAGE(0) STAGE(1) STAGE(2) STAGE(3) STAGE(4) STAGE(5)

void kernel() {
#define ALL(k)          \
	row_reduce_##k(k);  \
	row_map_##k();      \
	row_once_##k();     \
	lane_reduce_##k(k); \
	lane_map_##k();     \
	lane_once_##k();
	ALL(0) ALL(1) ALL(2) ALL(3) ALL(4) ALL(5)
}

void main() { kernel(); }
