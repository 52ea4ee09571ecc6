#version 450
#extension GL_GOOGLE_include_directive : require
#ifdef ADDRESS
#extension GL_EXT_buffer_reference : require
#extension GL_EXT_buffer_reference_uvec2 : require
#endif
#ifdef WIDE
#extension GL_ARB_gpu_shader_int64 : require
#endif
// ScatterAdd: dst[i] = base(i) + Σ update(i, j) over the j < J whose index
// equals i's coordinate on the axis, added in order of j.
//
// An invocation an element of dst: no atomics, so the sum's order is fixed. The
// price is J comparisons an element. base, match, update, combine, post and
// flush are rewritten by package vk/internal/splice.
//
// Numbers: meta(0) elements of dst, 1 J.
// Specialization constants: 0: W, invocations a workgroup; 1: OUT, elements an
// invocation takes in a row: 4 where they are packed, else 1.

#include "kernel.glsl"

layout(local_size_x_id = 0) in;
layout(constant_id = 1) const uint OUT = 1u;

REG base(const uint i) {
	helpers(i, reg(i));
	return apply(i, reg(i), reg(i), reg(i), reg(i), reg(i));
}
uint match(const uint i, const uint j) { return 0u; }
REG update(const uint i, const uint j) { return reg(j); }
REG combine(const REG a, const REG b) { return a; }
void post(const uint i, const uint e, const REG acc, const uint at) { put_0(i, low(acc)); }
void flush(const uint w) { put_0(w, packed_word(0u)); }

void kernel() {
	uint first = (group() * gl_WorkGroupSize.x + gl_LocalInvocationID.x) * OUT;
	if (first >= meta(0u)) return;
	for (uint e = 0u; e < OUT && first + e < meta(0u); e++) {
		uint i = first + e;
		REG acc = base(i);
		for (uint j = 0u; j < meta(1u); j++)
			if (match(i, j) != 0u) acc = combine(acc, update(i, j));
		post(i, e, acc, 0u);
	}
	flush(first >> 2);
}

void main() { kernel(); }
