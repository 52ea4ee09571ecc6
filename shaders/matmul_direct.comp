#version 450
#extension GL_GOOGLE_include_directive : require
#extension GL_EXT_control_flow_attributes : require
#ifdef ADDRESS
#extension GL_EXT_buffer_reference : require
#extension GL_EXT_buffer_reference_uvec2 : require
#endif
#ifdef WIDE
#extension GL_ARB_gpu_shader_int64 : require
#endif
// MatMul without shared memory and barriers, for devices where that memory is no
// faster than the caches (Intel Arc, Mali, Adreno, drivers on a CPU). Formula,
// numbers and rewritten functions as in matmul.comp.
//
// An invocation holds TM × TN sums, of neighbouring rows and of columns BN/TN apart,
// and reads A and B from memory: TM + TN loads for TM·TN products. Neighbouring
// invocations read the same elements of A and neighbouring ones of B. Rows and
// columns out of range repeat the last; they are not stored.
//
// Specialization constants, powers of two: 0: invocations, (BM/TM)·(BN/TN); 1: BM,
// 2: BN: 4 to 128; 3: TM, 4: TN: 1 to 16.

#include "kernel.glsl"
#include "matmul.glsl"

layout(local_size_x_id = 0) in;
layout(constant_id = 1) const uint BM = 16u;
layout(constant_id = 2) const uint BN = 32u;
layout(constant_id = 3) const uint TM = 4u;
layout(constant_id = 4) const uint TN = 4u;

void kernel() {
	Tile tile;
	if (!tile_of(group(), BM, BN, tile)) return;
	uint t = gl_LocalInvocationID.x;
	uint m0 = tile.m0 + t / (BN / TN) * TM, n0 = tile.n0 + t % (BN / TN);
	uint row[TM], col[TN];
	[[unroll]] for (uint i = 0u; i < TM; i++) row[i] = a_base(tile.b) + min(m0 + i, meta(0u) - 1u) * meta(40u);
	[[unroll]] for (uint j = 0u; j < TN; j++) col[j] = b_base(tile.b) + min(n0 + j * (BN / TN), meta(1u) - 1u) * meta(43u);

	NUM acc[TM * TN];
	[[unroll]] for (uint i = 0u; i < TM * TN; i++) acc[i] = NUM(0);
	uint sa = meta(41u), sb = meta(42u), k = tile.k0;
#define STEP(k)                                                                                          \
	{                                                                                                    \
		NUM y[TN];                                                                                       \
		[[unroll]] for (uint j = 0u; j < TN; j++) y[j] = TO_NUM(load_b(col[j] + (k) * sb));              \
		[[unroll]] for (uint i = 0u; i < TM; i++) {                                                      \
			NUM x = TO_NUM(load_a(row[i] + (k) * sa));                                                   \
			[[unroll]] for (uint j = 0u; j < TN; j++) acc[i * TN + j] = fma(x, y[j], acc[i * TN + j]);   \
		}                                                                                                \
	}
	for (; k + 3u < tile.k1; k += 4u) {
		STEP(k) STEP(k + 1u) STEP(k + 2u) STEP(k + 3u)
	}
	for (; k < tile.k1; k++) STEP(k)
	NUM sums[TM * TN];
	[[unroll]] for (uint i = 0u; i < TM * TN; i++) sums[i] = acc[i];
	[[dont_unroll]] for (uint i = 0u; i < TM * TN; i++) store_sum(tile, m0 + i / TN, n0 + i % TN * (BN / TN), sums[i]);
}

void main() { kernel(); }
