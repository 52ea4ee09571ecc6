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
// element, flush and kernel are rewritten by package vk/internal/splice: element becomes
// the chain with its loads and stores, kernel a call of one of
//   spread   invocation i of a workgroup takes positions i, i+W, i+2W, i+3W of
//            the workgroup's 4·W: neighbours touch neighbouring words
//   words    an invocation takes four positions in a row, and so owns each word
//            of packed 8-bit or 16-bit results that it writes
//
// Numbers: meta(0) is the number of positions.
// Specialization constants: 0: W, invocations a workgroup, 1 to the device's
// limit.

#include "kernel.glsl"

layout(local_size_x_id = 0) in;

void element(const uint p, const uint e) {
	helpers(p, apply(e, reg(p), reg(p), reg(p), reg(p), reg(p)));
}

void flush(const uint w) { put_0(w, packed_word(0u)); }

void spread() {
	uint p = group() * gl_WorkGroupSize.x * 4u + gl_LocalInvocationID.x;
	for (uint e = 0u; e < 4u; e++, p += gl_WorkGroupSize.x)
		if (p < meta(0u)) element(p, 0u);
}

void words() {
	uint w = group() * gl_WorkGroupSize.x + gl_LocalInvocationID.x, p = w * 4u;
	if (p >= meta(0u)) return;
	for (uint e = 0u; e < 4u; e++)
		if (p + e < meta(0u)) element(p + e, e);
	flush(w);
}

void kernel() {
	spread();
	words();
}

void main() { kernel(); }
