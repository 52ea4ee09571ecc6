#version 450
#extension GL_GOOGLE_include_directive : require
#ifdef ADDRESS
#extension GL_EXT_buffer_reference : require
#extension GL_EXT_buffer_reference_uvec2 : require
#endif
#ifdef WIDE
#extension GL_ARB_gpu_shader_int64 : require
#endif
// Index check: find the first index, in C order, outside [0, size).
//
// The device has one status record, of words
//   0  what failed: a number that the host knows, 0 for nothing
//   1  position of the first bad index, ~0 for none
//   2-3  the index     4  size
// A record stays until the host clears it, so the first failure wins. index_at
// is rewritten by package vk/internal/splice; buffer 0 is the status.
//
// scan looks for the position; note writes the record in a second dispatch;
// once does both in one workgroup. Positions go through atomicMin: the least
// wins whatever the order.
//
// Numbers: meta(0) indices, 1 size, 2 the number for word 0.
// Specialization constants: 0: W, invocations a workgroup.

#include "kernel.glsl"

layout(local_size_x_id = 0) in;

REG index_at(const uint p) {
	helpers(p, reg(p));
	return apply(p, reg(p), reg(p), reg(p), reg(p), reg(p));
}

bool bad(const REG i) {
#ifdef WIDE
	return i.y != 0u || i.x >= meta(1u);
#else
	return i >= meta(1u);
#endif
}

void record() {
	uint p = least_0(1u, ~0u);
	if (word_0(0u) != 0u || p == ~0u) return;
	REG i = index_at(p);
	put_0(2u, LO(i));
#ifdef WIDE
	put_0(3u, i.y);
#endif
	put_0(4u, meta(1u));
	put_0(0u, meta(2u));
}

void scan() {
	uint p = group() * gl_WorkGroupSize.x + gl_LocalInvocationID.x;
	if (p >= meta(0u) || word_0(0u) != 0u) return;
	if (bad(index_at(p))) least_0(1u, p);
}

void note() {
	if (gl_LocalInvocationID.x == 0u) record();
}

void once() {
	if (word_0(0u) != 0u) return; // the same for all
	for (uint p = gl_LocalInvocationID.x; p < meta(0u); p += gl_WorkGroupSize.x)
		if (bad(index_at(p))) {
			least_0(1u, p);
			break;
		}
	memoryBarrierBuffer();
	barrier();
	memoryBarrierBuffer();
	if (gl_LocalInvocationID.x == 0u) record();
}

void kernel() {
	scan();
	note();
	once();
}

void main() { kernel(); }
