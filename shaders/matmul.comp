#version 450
#extension GL_GOOGLE_include_directive : require
#ifdef ADDRESS
#extension GL_EXT_buffer_reference : require
#extension GL_EXT_buffer_reference_uvec2 : require
#endif
#ifdef WIDE
#extension GL_ARB_gpu_shader_int64 : require
#endif
// MatMul: C[b,m,n] = Σ_k A[b,m,k]·B[b,k,n], of f32, or with WIDE of f64.
//
// A workgroup computes a BM × BN tile of C. Slices of A and B of depth BK pass
// through shared memory, out of range as zeros; each invocation holds TM × TN
// sums, of rows BM/TM apart and columns BN/TN apart, so that neighbours read
// neighbouring words. Every sum adds its products in the order of k, whatever
// the tile, so tiles change no bits unless the driver fuses multiply and add.
//
// load_a, load_b, a_base, b_base and post are rewritten by package vk/internal/splice.
//
// Numbers: meta(0) M, 1 N, 2 K, 3 tiles along N, 4 tiles a matrix, 5 tiles in
// all; 40-41 strides of A along m and k, 42-43 of B along k and n.
// Specialization constants, powers of two: 0: invocations, (BM/TM)·(BN/TN);
// 1: BM, 2: BN: 8 to 128; 3: BK: 4 to 32; 4: TM, 5: TN: 1 to 8; 6, 7: 1 where
// consecutive invocations load A along k, B along n, else 0. Shared memory:
// BK·(BM+BN+2) numbers.

#include "kernel.glsl"

#ifdef WIDE
#define NUM double
#define TO_NUM(r) packDouble2x32(r)
#define FROM_NUM(x) unpackDouble2x32(x)
#else
#define NUM float
#define TO_NUM(r) uintBitsToFloat(r)
#define FROM_NUM(x) floatBitsToUint(x)
#endif

layout(local_size_x_id = 0) in;
layout(constant_id = 1) const uint BM = 32u;
layout(constant_id = 2) const uint BN = 32u;
layout(constant_id = 3) const uint BK = 8u;
layout(constant_id = 4) const uint TM = 4u;
layout(constant_id = 5) const uint TN = 4u;
layout(constant_id = 6) const uint A_ALONG_K = 1u;
layout(constant_id = 7) const uint B_ALONG_N = 1u;

const uint SA = BM + 1u;
const uint SB = BN + 1u;
shared NUM tile_a[BK * SA];
shared NUM tile_b[BK * SB];

REG load_a(const uint i) { return reg(word_0(i)); }
REG load_b(const uint i) { return reg(word_1(i)); }
uint a_base(const uint b) { return b; }
uint b_base(const uint b) { return b; }
void post(const uint p, const uint b, const uint m, const uint n, const REG acc) {
	helpers(p, acc);
	put_2(p, low(apply(b, acc, acc, acc, acc, acc)));
}

void kernel() {
	uint M = meta(0u), N = meta(1u), K = meta(2u);
	uint g = group();
	if (g >= meta(5u)) return;
	uint b = g / meta(4u);
	g -= b * meta(4u);
	uint m0 = g / meta(3u);
	uint n0 = (g - m0 * meta(3u)) * BN;
	m0 *= BM;
	uint at_a = a_base(b), at_b = b_base(b);
	uint t = gl_LocalInvocationID.x;
	uint tm = t / (BN / TN), tn = t % (BN / TN);

	NUM acc[TM * TN];
	for (uint i = 0u; i < TM * TN; i++) acc[i] = NUM(0);
	for (uint k0 = 0u; k0 < K; k0 += BK) {
		for (uint i = t; i < BM * BK; i += gl_WorkGroupSize.x) {
			uint k = A_ALONG_K != 0u ? i % BK : i / BM;
			uint m = A_ALONG_K != 0u ? i / BK : i % BM;
			NUM v = NUM(0);
			if (m0 + m < M && k0 + k < K) v = TO_NUM(load_a(at_a + (m0 + m) * meta(40u) + (k0 + k) * meta(41u)));
			tile_a[k * SA + m] = v;
		}
		for (uint i = t; i < BN * BK; i += gl_WorkGroupSize.x) {
			uint k = B_ALONG_N != 0u ? i / BN : i % BK;
			uint n = B_ALONG_N != 0u ? i % BN : i / BK;
			NUM v = NUM(0);
			if (n0 + n < N && k0 + k < K) v = TO_NUM(load_b(at_b + (k0 + k) * meta(42u) + (n0 + n) * meta(43u)));
			tile_b[k * SB + n] = v;
		}
		barrier();
		for (uint k = 0u; k < BK; k++) {
			NUM x[TM], y[TN];
			for (uint i = 0u; i < TM; i++) x[i] = tile_a[k * SA + tm + i * (BM / TM)];
			for (uint j = 0u; j < TN; j++) y[j] = tile_b[k * SB + tn + j * (BN / TN)];
			for (uint i = 0u; i < TM; i++)
				for (uint j = 0u; j < TN; j++) acc[i * TN + j] += x[i] * y[j];
		}
		barrier();
	}
	for (uint i = 0u; i < TM; i++)
		for (uint j = 0u; j < TN; j++) {
			uint m = m0 + tm + i * (BM / TM), n = n0 + tn + j * (BN / TN);
			if (m < M && n < N) post((b * M + m) * N + n, b, m, n, FROM_NUM(acc[i * TN + j]));
		}
}

void main() { kernel(); }
