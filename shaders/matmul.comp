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
// MatMul: C[b,m,n] = Σ_k A[b,m,k]·B[b,k,n], of f32, or with WIDE of f64; halves are
// widened as they are loaded.
//
// A workgroup computes a BM × BN tile of C. Slices of A and B of depth BK pass
// through shared memory, out of range as zeros; while one is multiplied the next is
// on its way into registers. An invocation holds TM × TN sums in groups of four
// neighbouring rows and columns, a group for each (BM/TM)·4 rows, so that it reads
// four words in a row from shared memory and neighbours read the next four. Every
// sum adds its products in the order of k by fma, whatever the kernel and its tile. With
// TN of at least 4 an invocation stores four sums of a row one after another, as packed
// results need.
//
// load_a, load_b, load4_a, load4_b, a_base, b_base, post and flush are rewritten by package
// vk/internal/splice.
//
// Numbers: meta(0) M, 1 N, 2 K, 3 tiles along M, 4 tiles a matrix and part, 5 tiles in
// all, 6 tiles along N, 7 tile columns a panel; 40-41 strides of A along m and k,
// 42-43 of B along k and n; 44 S, parts of K, 45 elements a part. With S > 1 the
// result is a partial sum, of part s of matrix b at (b·S + s)·M·N.
//
// Specialization constants, powers of two: 0: invocations, (BM/TM)·(BN/TN); 1: BM,
// 2: BN: 8 to 128; 3: BK: 4 to 32; 4: TM, 5: TN: 1 to 16; 6, 7: 1 where consecutive
// invocations load A along k, B along n, else 0; 8, 9: elements of A, of B that are
// loaded at once along that axis: 1, or 4 where strides and sizes allow it. BM·BK and
// BN·BK are multiples of what the invocations load at once. Shared memory:
// BK·(BM + BN + 8) numbers.

#include "kernel.glsl"
#include "matmul.glsl"

layout(local_size_x_id = 0) in;
layout(constant_id = 1) const uint BM = 32u;
layout(constant_id = 2) const uint BN = 32u;
layout(constant_id = 3) const uint BK = 8u;
layout(constant_id = 4) const uint TM = 4u;
layout(constant_id = 5) const uint TN = 4u;
layout(constant_id = 6) const uint A_ALONG_K = 1u;
layout(constant_id = 7) const uint B_ALONG_N = 1u;
layout(constant_id = 8) const uint VA = 1u;
layout(constant_id = 9) const uint VB = 1u;

// Rows of shared memory begin at multiples of four words.
const uint SA = BM + 4u;
const uint SB = BN + 4u;
shared NUM tile_a[BK * SA];
shared NUM tile_b[BK * SB];

// Invocations, and the elements that each brings of a slice.
const uint WG = (BM / TM) * (BN / TN);
const uint LA = BM * BK / WG;
const uint LB = BN * BK / WG;
const uint GM = TM < 4u ? TM : 4u;
const uint GN = TN < 4u ? TN : 4u;

const bool AK_IN = A_ALONG_K != 0u;
const bool BK_IN = B_ALONG_N == 0u;
// The size of a slice along the axis that neighbours load.
const uint IA = AK_IN ? BK : BM;
const uint IB = BK_IN ? BK : BN;

// Where load u of an invocation lies in a slice, V elements at once: along the
// axis of size inner, and along the other.
uint inner_at(const uint u, const uint v, const uint inner) { return (gl_LocalInvocationID.x + u * WG) % (inner / v) * v; }
uint outer_at(const uint u, const uint v, const uint inner) { return (gl_LocalInvocationID.x + u * WG) / (inner / v); }

#ifdef WIDE
#define LOAD4(next, u, load4, i)
#else
#define LOAD4(next, u, load4, i)                                                           \
	uvec4 quad = load4(i);                                                                 \
	[[unroll]] for (uint c = 0u; c < 4u; c++) next[4u * u + c] = TO_NUM(quad[c]);
#endif

// Brings what this invocation loads of a slice from k on: elements x of X along m or
// n, at strides sx and sk.
#define FETCH(next, L, V, along_k, inner, x0, X, k, at, sx, sk, load, load4)               \
	[[unroll]] for (uint u = 0u; u < L / V; u++) {                                         \
		uint p = inner_at(u, V, inner), q = outer_at(u, V, inner);                         \
		uint x = x0 + (along_k ? q : p), kk = k + (along_k ? p : q);                       \
		uint i = at + x * sx + kk * sk;                                                    \
		bool there = x < X && kk < tile.k1;                                                \
		[[unroll]] for (uint c = 0u; c < V; c++) next[V * u + c] = NUM(0);                 \
		if (V == 1u) {                                                                     \
			if (there) next[u] = TO_NUM(load(i));                                          \
		} else if (there) {                                                                \
			LOAD4(next, u, load4, i)                                                       \
		}                                                                                  \
	}

// Puts it into shared memory, in rows of S along k.
#define KEEP(slice, S, next, L, V, along_k, inner)                                         \
	[[unroll]] for (uint u = 0u; u < L / V; u++) {                                         \
		uint p = inner_at(u, V, inner), q = outer_at(u, V, inner);                         \
		[[unroll]] for (uint c = 0u; c < V; c++)                                           \
			slice[along_k ? (p + c) * S + q : q * S + p + c] = next[V * u + c];            \
	}

void kernel() {
	Tile tile;
	if (!tile_of(group(), BM, BN, tile)) return;
	uint at_a = a_base(tile.b), at_b = b_base(tile.b), M = meta(0u), N = meta(1u);
	uint t = gl_LocalInvocationID.x;
	uint tm = t / (BN / TN) * GM, tn = t % (BN / TN) * GN;

	NUM acc[TM * TN];
	[[unroll]] for (uint i = 0u; i < TM * TN; i++) acc[i] = NUM(0);
	NUM next_a[LA], next_b[LB];

#define NEXT(k)                                                                                           \
	FETCH(next_a, LA, VA, AK_IN, IA, tile.m0, M, k, at_a, meta(40u), meta(41u), load_a, load4_a)             \
	FETCH(next_b, LB, VB, BK_IN, IB, tile.n0, N, k, at_b, meta(43u), meta(42u), load_b, load4_b)

	NEXT(tile.k0)
	for (uint k0 = tile.k0; k0 < tile.k1; k0 += BK) {
		KEEP(tile_a, SA, next_a, LA, VA, AK_IN, IA)
		KEEP(tile_b, SB, next_b, LB, VB, BK_IN, IB)
		barrier();
		if (k0 + BK < tile.k1) {
			NEXT(k0 + BK)
		}
		for (uint k = 0u; k < BK; k++) { // unrolled too, a tile of 128 takes seconds to compile
			NUM x[TM], y[TN];
			[[unroll]] for (uint i = 0u; i < TM; i++) x[i] = tile_a[k * SA + tm + i / GM * (GM * BM / TM) + i % GM];
			[[unroll]] for (uint j = 0u; j < TN; j++) y[j] = tile_b[k * SB + tn + j / GN * (GN * BN / TN) + j % GN];
			[[unroll]] for (uint i = 0u; i < TM; i++)
				[[unroll]] for (uint j = 0u; j < TN; j++) acc[i * TN + j] = fma(x[i], y[j], acc[i * TN + j]);
		}
		barrier();
	}
	NUM sums[TM * TN];
	[[unroll]] for (uint i = 0u; i < TM * TN; i++) sums[i] = acc[i];
	[[dont_unroll]] for (uint p = 0u; p < TM * TN; p++) {
		uint i = p / TN, j = p % TN;
		store_sum(tile, tile.m0 + tm + i / GM * (GM * BM / TM) + i % GM, tile.n0 + tn + j / GN * (GN * BN / TN) + j % GN, sums[p]);
	}
}

void main() { kernel(); }
