#version 450
#extension GL_GOOGLE_include_directive : require
#extension GL_EXT_control_flow_attributes : require
#extension GL_KHR_cooperative_matrix : require
#extension GL_KHR_memory_scope_semantics : require
#extension GL_KHR_shader_subgroup_basic : require
#extension GL_EXT_shader_explicit_arithmetic_types_float16 : require
#ifdef BF16
#extension GL_EXT_bfloat16 : require
#define HALF bfloat16_t
#else
#define HALF float16_t
#endif
#ifdef FLEXIBLE
#extension GL_NV_cooperative_matrix2 : require
#endif
#ifdef ADDRESS
#extension GL_EXT_buffer_reference : require
#extension GL_EXT_buffer_reference_uvec2 : require
#endif
// MatMul of halves on matrix units: C[b,m,n] = Σ_k A[b,m,k]·B[b,k,n], A and B of f16, or
// with BF16 of bf16, sums of f32.
//
// A workgroup of WM × WN subgroups computes a BM × BN tile of C, each subgroup FM × FN
// fragments of the device's own CM × CN. Slices of A and B of depth BK pass through
// shared memory as they lie in memory, out of range as zeros; while one is multiplied
// the next is on its way into registers. A fragment adds its products CK at a time in
// the order of k, so that sums do not depend on the tile. Then fragments pass through
// shared memory one at a time to the epilogue.
//
// With FLEXIBLE (VK_NV_cooperative_matrix2) one matrix of sums is the whole tile: of a
// subgroup, which then is the workgroup, or of the workgroup. Tiles that lie within C whole
// are multiplied straight from memory where eight elements can be loaded at once, and the
// epilogue gets its sums without shared memory.
//
// half_a, half_b, load8_a, load8_b, whole, a_base, b_base, post and flush are rewritten by package
// vk/internal/splice. Numbers are those of matmul.comp.
//
// Specialization constants: 0: invocations, WM·WN subgroups; 1: WM, 2: WN: 1 to 8;
// 3: FM, 4: FN: 1 to 4; 5: BK, a multiple of CK and 8; 6, 7: 1 where consecutive elements of A
// lie along k, of B along n, else 0; 8, 9: elements of A, of B that are loaded at once
// along that axis: 1, or 8 where strides and sizes allow it; 10, 11, 12: CM, CN, CK,
// multiples of 8; 13: sums in a row that an invocation stores, 1, or 4 for packed results. With FLEXIBLE WM,
// WN, FM, FN and 13 are 1, CM is BM, CN BN; 14: the scope of the matrices, 2: workgroup, 3:
// subgroup. BM·BK and BN·BK are multiples of 8 times the invocations. Shared
// memory: 16 bytes for each eight elements of a slice and one more a row, and 4·CM·CN
// bytes a subgroup.

#include "kernel.glsl"
#include "matmul.glsl"

layout(local_size_x_id = 0) in;
layout(constant_id = 1) const uint WM = 1u;
layout(constant_id = 2) const uint WN = 1u;
layout(constant_id = 3) const uint FM = 2u;
layout(constant_id = 4) const uint FN = 2u;
layout(constant_id = 5) const uint BK = 16u;
layout(constant_id = 6) const uint A_ALONG_K = 1u;
layout(constant_id = 7) const uint B_ALONG_N = 1u;
layout(constant_id = 8) const uint VA = 1u;
layout(constant_id = 9) const uint VB = 1u;
layout(constant_id = 10) const uint CM = 16u;
layout(constant_id = 11) const uint CN = 16u;
layout(constant_id = 12) const uint CK = 16u;
layout(constant_id = 13) const uint RUN = 1u;

#ifdef FLEXIBLE
layout(constant_id = 14) const uint SCOPE = 3u;
#else
#define SCOPE gl_ScopeSubgroup
#endif

const uint WG = gl_WorkGroupSize.x;
const uint BM = WM * FM * CM;
const uint BN = WN * FN * CN;
const bool AK_IN = A_ALONG_K != 0u;
const bool BK_IN = B_ALONG_N == 0u;
// A slice's sizes along the axis in which its elements are neighbours, and along the
// other; its rows in shared memory, in uvec4s of eight halves.
const uint IA = AK_IN ? BK : BM;
const uint OA = AK_IN ? BM : BK;
const uint IB = BK_IN ? BK : BN;
const uint OB = BK_IN ? BN : BK;
const uint SA = IA / 8u + 1u;
const uint SB = IB / 8u + 1u;
shared uvec4 slice_a[OA * SA];
shared uvec4 slice_b[OB * SB];
#ifndef FLEXIBLE
// A fragment of sums for each subgroup.
const uint FRAGMENT = CM * CN / 4u;
shared uvec4 sums[WM * WN * FRAGMENT];
#endif

// The eights that an invocation brings of a slice.
const uint LA = BM * BK / 8u / WG;
const uint LB = BN * BK / 8u / WG;

uint half_a(const uint i) { return half_of(word_0(word_of_16(i)), i); }
uint half_b(const uint i) { return half_of(word_1(word_of_16(i)), i); }
uvec4 no_eight() { return uvec4(0u); }
uvec4 load8_a(const uint i) { return quad_0(word_of_16(i)) + no_eight(); }
uvec4 load8_b(const uint i) { return quad_1(word_of_16(i)); }

// Brings eight u of those of this invocation: elements x of X along m or n, at strides
// sx and sk.
#define FETCH(next, L, V, along_k, inner, x0, X, k, at, sx, sk, load, load8)                    \
	[[unroll]] for (uint u = 0u; u < L; u++) {                                                  \
		uint e = gl_LocalInvocationID.x + u * WG;                                               \
		uint p = e % (inner / 8u) * 8u, q = e / (inner / 8u);                                   \
		uint x = x0 + (along_k ? q : p), kk = k + (along_k ? p : q);                            \
		uint i = at + x * sx + kk * sk;                                                         \
		next[u] = uvec4(0u);                                                                    \
		if (V == 8u) {                                                                          \
			if (x < X && kk < tile.k1) next[u] = load8(i);                                      \
		} else [[unroll]] for (uint c = 0u; c < 8u; c++) {                                      \
			bool there = along_k ? x < X && kk + c < tile.k1 : x + c < X && kk < tile.k1;       \
			if (there) next[u][c / 2u] |= load(i + c * (along_k ? sk : sx)) << (c % 2u * 16u);  \
		}                                                                                       \
	}

#define KEEP(slice, S, next, L, inner)                                        \
	[[unroll]] for (uint u = 0u; u < L; u++) {                                \
		uint e = gl_LocalInvocationID.x + u * WG;                             \
		slice[e / (inner / 8u) * S + e % (inner / 8u)] = next[u];             \
	}

#ifdef FLEXIBLE
#define SUMS coopmat<float, SCOPE, CM, CN, gl_MatrixUseAccumulator>
#ifdef ADDRESS
#define QUADS(k) Quads(uvec2(meta(8u + 2u * k), meta(9u + 2u * k))).q
#else
#define QUADS(k) quads_##k.q
#endif

// Adds the products of CK in a row, n times: A of buffer 0 from its eight a on, with sa
// eights from a row to the next and da to the next CK; B of buffer k.
#define WHOLE(k)                                                                                                  \
	void whole_##k(inout SUMS sum, const uint n, const uint a0, const uint sa, const uint da,                      \
		const uint b0, const uint sb, const uint db) {                                                             \
		for (uint i = 0u; i < n; i++) {                                                                            \
			coopmat<HALF, SCOPE, CM, CK, gl_MatrixUseA> a;                                                         \
			coopmat<HALF, SCOPE, CK, CN, gl_MatrixUseB> b;                                                         \
			if (AK_IN) coopMatLoad(a, QUADS(0), a0 + i * da, sa, gl_CooperativeMatrixLayoutRowMajor);              \
			else coopMatLoad(a, QUADS(0), a0 + i * da, sa, gl_CooperativeMatrixLayoutColumnMajor);                 \
			if (BK_IN) coopMatLoad(b, QUADS(k), b0 + i * db, sb, gl_CooperativeMatrixLayoutColumnMajor);           \
			else coopMatLoad(b, QUADS(k), b0 + i * db, sb, gl_CooperativeMatrixLayoutRowMajor);                    \
			sum = coopMatMulAdd(a, b, sum);                                                                        \
		}                                                                                                          \
	}
WHOLE(0)
WHOLE(1)
void whole(inout SUMS sum, const uint n, const uint a0, const uint sa, const uint da, const uint b0, const uint sb, const uint db) {
	whole_0(sum, n, a0, sa, da, b0, sb, db);
	whole_1(sum, n, a0, sa, da, b0, sb, db);
}

// The sums of an invocation and their rows and columns in the tile, in the driver's order.
const uint SHARE = CM * CN / WG;
float kept[SHARE];
uint place[SHARE];
uint keeps = 0u;
float keep(const in uint m, const in uint n, const in float sum) {
	kept[keeps] = sum;
	place[keeps] = m << 16 | n;
	keeps = min(keeps + 1u, SHARE - 1u);
	return sum;
}
#endif

void kernel() {
	Tile tile;
	if (!tile_of(group(), BM, BN, tile)) return;
	uint at_a = a_base(tile.b), at_b = b_base(tile.b), M = meta(0u), N = meta(1u);
#ifdef FLEXIBLE
	uint row = 0u, column = 0u;
#else
	uint row = gl_SubgroupID / WN * (FM * CM), column = gl_SubgroupID % WN * (FN * CN);
#endif

	coopmat<float, SCOPE, CM, CN, gl_MatrixUseAccumulator> acc[FM * FN];
	[[unroll]] for (uint i = 0u; i < FM * FN; i++) acc[i] = coopmat<float, SCOPE, CM, CN, gl_MatrixUseAccumulator>(0.0);
	uvec4 next_a[LA], next_b[LB];

#define NEXT(k)                                                                                    \
	FETCH(next_a, LA, VA, AK_IN, IA, tile.m0, M, k, at_a, meta(40u), meta(41u), half_a, load8_a)   \
	FETCH(next_b, LB, VB, BK_IN, IB, tile.n0, N, k, at_b, meta(43u), meta(42u), half_b, load8_b)

	uint k0 = tile.k0;
#ifdef FLEXIBLE
	if (VA == 8u && VB == 8u && tile.m0 + BM <= M && tile.n0 + BN <= N) {
		SUMS sum = acc[0];
		uint n = (tile.k1 - k0) / CK;
		whole(sum, n, (at_a + tile.m0 * meta(40u) + k0 * meta(41u)) / 8u, meta(AK_IN ? 40u : 41u) / 8u, CK * meta(41u) / 8u,
			(at_b + tile.n0 * meta(43u) + k0 * meta(42u)) / 8u, meta(BK_IN ? 43u : 42u) / 8u, CK * meta(42u) / 8u);
		k0 += n * CK;
		acc[0] = sum;
	}
#endif
	NEXT(k0)
	for (; k0 < tile.k1; k0 += BK) {
		KEEP(slice_a, SA, next_a, LA, IA)
		KEEP(slice_b, SB, next_b, LB, IB)
		barrier();
		if (k0 + BK < tile.k1) {
			NEXT(k0 + BK)
		}
		[[unroll]] for (uint k = 0u; k < BK; k += CK) {
			coopmat<HALF, SCOPE, CM, CK, gl_MatrixUseA> a[FM];
			[[unroll]] for (uint i = 0u; i < FM; i++) {
				uint r = row + i * CM;
				if (AK_IN) coopMatLoad(a[i], slice_a, r * SA + k / 8u, SA, gl_CooperativeMatrixLayoutRowMajor);
				else coopMatLoad(a[i], slice_a, k * SA + r / 8u, SA, gl_CooperativeMatrixLayoutColumnMajor);
			}
			[[unroll]] for (uint j = 0u; j < FN; j++) {
				coopmat<HALF, SCOPE, CK, CN, gl_MatrixUseB> b;
				uint c = column + j * CN;
				if (BK_IN) coopMatLoad(b, slice_b, c * SB + k / 8u, SB, gl_CooperativeMatrixLayoutColumnMajor);
				else coopMatLoad(b, slice_b, k * SB + c / 8u, SB, gl_CooperativeMatrixLayoutRowMajor);
				[[unroll]] for (uint i = 0u; i < FM; i++) acc[i * FN + j] = coopMatMulAdd(a[i], b, acc[i * FN + j]);
			}
		}
		barrier();
	}
#ifdef FLEXIBLE
	coopMatPerElementNV(acc[0], acc[0], keep);
	[[dont_unroll]] for (uint e = 0u; e < SHARE; e++)
		store_sum(tile, tile.m0 + (place[e] >> 16), tile.n0 + (place[e] & 0xffffu), kept[e]);
#else
	uint mine = gl_SubgroupID * FRAGMENT;
	[[dont_unroll]] for (uint f = 0u; f < FM * FN; f++) {
		[[unroll]] for (uint g = 0u; g < FM * FN; g++)
			if (g == f) coopMatStore(acc[g], sums, mine, CN / 4u, gl_CooperativeMatrixLayoutRowMajor);
		barrier();
		uint m = tile.m0 + row + f / FN * CM, n = tile.n0 + column + f % FN * CN;
		[[dont_unroll]] for (uint s = gl_SubgroupInvocationID * RUN; s < CM * CN; s += gl_SubgroupSize * RUN)
			[[dont_unroll]] for (uint e = s; e < s + RUN; e++)
				store_sum(tile, m + e / CN, n + e % CN, uintBitsToFloat(sums[mine + e / 4u][e % 4u]));
		barrier();
	}
#endif
}

void main() { kernel(); }
