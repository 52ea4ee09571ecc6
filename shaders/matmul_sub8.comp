#version 450
#extension GL_GOOGLE_include_directive : require
#extension GL_KHR_shader_subgroup_basic : require
#extension GL_KHR_shader_subgroup_ballot : require
#extension GL_EXT_control_flow_attributes : require
#ifdef ADDRESS
#extension GL_EXT_buffer_reference : require
#extension GL_EXT_buffer_reference_uvec2 : require
#endif
// MatMul for drivers that run subgroups of 8 on a CPU's vector unit, where
// shared memory is no faster than other memory and every load is made lane by
// lane. Formula, numbers and rewritten functions as in matmul.comp.
//
// A subgroup computes TM rows by 8·TN columns, without shared memory: lane l
// loads A at k0 + l for each row, the eight values of a row are broadcast one
// after the other, and B comes once for all rows: TM + 8·TN loads for 8·TM·TN
// products.
//
// Specialization constants: 0: invocations, a multiple of 8; 1: TM, 1 to 32;
// 2: TN, 1 to 4.

#include "kernel.glsl"
#include "matmul.glsl"

layout(local_size_x_id = 0) in;
layout(constant_id = 1) const uint TM = 8u;
layout(constant_id = 2) const uint TN = 2u;

void kernel() {
	Tile tile;
	if (!tile_of(group() * (gl_WorkGroupSize.x / 8u) + gl_SubgroupID, TM, 8u * TN, tile)) return;
	uint lane = gl_SubgroupInvocationID, n0 = tile.n0 + lane, K = tile.k1;
	// Rows and columns out of range repeat the last; they are not stored.
	uint row[TM], col[TN];
	for (uint i = 0u; i < TM; i++) row[i] = a_base(tile.b) + min(tile.m0 + i, meta(0u) - 1u) * meta(40u);
	for (uint j = 0u; j < TN; j++) col[j] = b_base(tile.b) + min(n0 + j * 8u, meta(1u) - 1u) * meta(43u);

	float acc[TM * TN];
	for (uint i = 0u; i < TM * TN; i++) acc[i] = 0.0;
	for (uint k0 = tile.k0; k0 < K; k0 += 8u) {
		float x[TM], y[TN];
		uint ka = min(k0 + lane, K - 1u) * meta(41u);
		for (uint i = 0u; i < TM; i++) {
			float v = uintBitsToFloat(load_a(row[i] + ka));
			x[i] = k0 + lane < K ? v : 0.0;
		}
#define STEP(l)                                                                     \
	{                                                                               \
		uint kb = min(k0 + l, K - 1u) * meta(42u);                                  \
		for (uint j = 0u; j < TN; j++) {                                            \
			float v = uintBitsToFloat(load_b(col[j] + kb));                         \
			y[j] = k0 + l < K ? v : 0.0;                                            \
		}                                                                           \
		for (uint i = 0u; i < TM; i++) {                                            \
			float a = subgroupBroadcast(x[i], l);                                   \
			for (uint j = 0u; j < TN; j++) acc[i * TN + j] = fma(a, y[j], acc[i * TN + j]);             \
		}                                                                           \
	}
		STEP(0u) STEP(1u) STEP(2u) STEP(3u) STEP(4u) STEP(5u) STEP(6u) STEP(7u)
	}
	float sums[TM * TN];
	for (uint i = 0u; i < TM * TN; i++) sums[i] = acc[i];
	[[dont_unroll]] for (uint i = 0u; i < TM * TN; i++) store_sum(tile, tile.m0 + i / TN, n0 + i % TN * 8u, sums[i]);
}

void main() { kernel(); }
