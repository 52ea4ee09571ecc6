#version 450
#extension GL_GOOGLE_include_directive : require
#ifdef ADDRESS
#extension GL_EXT_buffer_reference : require
#extension GL_EXT_buffer_reference_uvec2 : require
#endif
#ifdef WIDE
#extension GL_ARB_gpu_shader_int64 : require
#endif
// Reduce: combine pre(o, q) over q < L for every position o of the outer shape.
//
// With more outer positions and workgroups than a device needs, one dispatch
// does it. Otherwise L is cut into S chunks of C and output i = s·O + o is the
// partial result of chunk s; a second dispatch reduces the partial results.
// How a sum is split depends on shapes and device limits only.
//
// pre, pre_index, combine, better, post, flush and kernel are rewritten by
// package vk/internal/splice. kernel becomes a call of one of
//   lane       an invocation an output; it walks the chunk in order. Neighbours
//              take neighbouring outputs.
//   row        a workgroup an output: invocation t takes positions t, t+W, …
//              of the chunk, then a tree over shared memory.
//   column     a workgroup COLUMNS outputs, so that neighbours take neighbouring
//              ones and each output has W/COLUMNS invocations, which take turns at
//              the positions of the chunk; then a tree over shared memory.
//   arg_lane, arg_row   the same with positions, for ArgMax and ArgMin
//
// Numbers: meta(0) outputs O·S, 1 L, 2 O, 3 C, 4-5 the identity.
// Specialization constants: 0: W, invocations a workgroup, a power of two;
// 1: OUT, outputs an invocation (lane) or workgroup (row) takes one after the
// other: 4 where results are packed, else 1; 2: COLUMNS, a power of two, 4 to W/2.

#include "kernel.glsl"

layout(local_size_x_id = 0) in;
layout(constant_id = 1) const uint OUT = 1u;
layout(constant_id = 2) const uint COLUMNS = 32u;

shared REG part[gl_WorkGroupSize.x];
shared uint part_at[gl_WorkGroupSize.x];

REG pre(const uint o, const uint q) {
	helpers(o, reg(q));
	return apply(o, reg(q), reg(q), reg(q), reg(q), reg(q));
}
uint pre_index(const uint o, const uint q) { return q; }
REG combine(const REG a, const REG b) { return a; }
REG better(const REG a, const REG b) { return a; }
void post(const uint i, const uint e, const REG acc, const uint at) { put_0(i, low(acc)); }
void flush(const uint w) { put_0(w, packed_word(0u)); }

// Output i's outer position and chunk.
void locate(const uint i, out uint o, out uint q, out uint end) {
	uint s = i / meta(2u);
	o = i - s * meta(2u);
	q = s * meta(3u);
	end = min(q + meta(3u), meta(1u));
}

void lane() {
	uint first = (group() * gl_WorkGroupSize.x + gl_LocalInvocationID.x) * OUT;
	if (first >= meta(0u)) return;
	for (uint e = 0u; e < OUT && first + e < meta(0u); e++) {
		uint o, q, end;
		locate(first + e, o, q, end);
		REG acc = scalar(4u);
		for (; q < end; q++) acc = combine(acc, pre(o, q));
		post(first + e, e, acc, 0u);
	}
	flush(first >> 2);
}

void row() {
	uint t = gl_LocalInvocationID.x, first = group() * OUT;
	for (uint e = 0u; e < OUT && first + e < meta(0u); e++) {
		uint o, q, end;
		locate(first + e, o, q, end);
		REG acc = scalar(4u);
		for (q += t; q < end; q += gl_WorkGroupSize.x) acc = combine(acc, pre(o, q));
		part[t] = acc;
		barrier();
		for (uint s = gl_WorkGroupSize.x / 2u; s > 0u; s /= 2u) {
			if (t < s) part[t] = combine(part[t], part[t + s]);
			barrier();
		}
		if (t == 0u) post(first + e, e, part[0], 0u);
		barrier();
	}
	if (t == 0u && first < meta(0u)) flush(first >> 2);
}

void column() {
	uint t = gl_LocalInvocationID.x, first = group() * COLUMNS, i = first + t % COLUMNS;
	REG acc = scalar(4u);
	if (i < meta(0u)) {
		uint o, q, end;
		locate(i, o, q, end);
		for (q += t / COLUMNS; q < end; q += gl_WorkGroupSize.x / COLUMNS) acc = combine(acc, pre(o, q));
	}
	part[t] = acc;
	barrier();
	for (uint s = gl_WorkGroupSize.x / 2u; s >= COLUMNS; s /= 2u) {
		if (t < s) part[t] = combine(part[t], part[t + s]);
		barrier();
	}
	uint c = t * OUT;
	if (c >= COLUMNS || first + c >= meta(0u)) return;
	for (uint e = 0u; e < OUT && first + c + e < meta(0u); e++) post(first + c + e, e, part[c + e], 0u);
	flush((first + c) >> 2);
}

// Whether (a, i) comes before (b, j): better, or equal and earlier. Positions
// of ~0 are none.
bool before(const REG a, const uint i, const REG b, const uint j) {
	if (i == ~0u || j == ~0u) return i < j;
	if (low(better(a, b)) != 0u) return true;
	return i < j && low(better(b, a)) == 0u;
}

void arg_lane() {
	uint first = (group() * gl_WorkGroupSize.x + gl_LocalInvocationID.x) * OUT;
	if (first >= meta(0u)) return;
	for (uint e = 0u; e < OUT && first + e < meta(0u); e++) {
		uint o, q, end, at = ~0u;
		locate(first + e, o, q, end);
		REG acc = scalar(4u);
		for (; q < end; q++) {
			REG v = pre(o, q);
			uint j = pre_index(o, q);
			if (before(v, j, acc, at)) {
				acc = v;
				at = j;
			}
		}
		post(first + e, e, acc, at);
	}
	flush(first >> 2);
}

void arg_row() {
	uint t = gl_LocalInvocationID.x, first = group() * OUT;
	for (uint e = 0u; e < OUT && first + e < meta(0u); e++) {
		uint o, q, end, at = ~0u;
		locate(first + e, o, q, end);
		REG acc = scalar(4u);
		for (q += t; q < end; q += gl_WorkGroupSize.x) {
			REG v = pre(o, q);
			uint j = pre_index(o, q);
			if (before(v, j, acc, at)) {
				acc = v;
				at = j;
			}
		}
		part[t] = acc;
		part_at[t] = at;
		barrier();
		for (uint s = gl_WorkGroupSize.x / 2u; s > 0u; s /= 2u) {
			if (t < s && before(part[t + s], part_at[t + s], part[t], part_at[t])) {
				part[t] = part[t + s];
				part_at[t] = part_at[t + s];
			}
			barrier();
		}
		if (t == 0u) post(first + e, e, part[0], part_at[0]);
		barrier();
	}
	if (t == 0u && first < meta(0u)) flush(first >> 2);
}

void kernel() {
	lane();
	row();
	column();
	arg_lane();
	arg_row();
}

void main() { kernel(); }
