// What the kernels of MatMul share: the type of sums, the functions that package
// vk/internal/splice rewrites, and which tile of C a workgroup computes.

#ifdef WIDE
#define NUM double
#define TO_NUM(r) packDouble2x32(r)
#define FROM_NUM(x) unpackDouble2x32(x)
#else
#define NUM float
#define TO_NUM(r) uintBitsToFloat(r)
#define FROM_NUM(x) floatBitsToUint(x)
#endif

uint fourth(const uint p) { return p & 3u; }
REG load_a(const uint i) { return reg(word_0(i)); }
REG load_b(const uint i) { return reg(word_1(i)); }
uint a_base(const uint b) { return b; }
uint b_base(const uint b) { return b; }
void post(const uint p, const uint b, const uint m, const uint n, const REG acc) {
	helpers(p, acc);
	put_2(p, low(apply(b, acc, acc, acc, acc, acc)));
}
// Writes the words of packed results, of four in a row of C: kernels that have such call
// store_sum for those one after another, and N is a multiple of four.
void flush(const uint w) { put_2(w, packed_word(fourth(w))); }

#ifndef WIDE
// Four elements in a row, the first at a multiple of four.
uvec4 no_quad() { return uvec4(0u); }
uvec4 load4_a(const uint i) { return quad_0(i) + quad_f16(i, i) + quad_bf16(i, i) + no_quad(); }
uvec4 load4_b(const uint i) { return quad_1(i); }
#endif

// A workgroup's work: matrix b, rows from m0 and columns from n0 of C, and of the
// S parts of K part s, which is [k0, k1).
struct Tile {
	uint b, s, m0, n0, k0, k1;
};

// Tile g of BM × BN; false where there is none. Tiles go through panels of P tile
// columns, row by row, so that those which run together share rows of A and columns
// of B in the caches.
bool tile_of(uint g, const uint bm, const uint bn, out Tile t) {
	if (g >= meta(5u)) return false;
	uint rows = meta(3u), columns = meta(6u), p = meta(7u);
	uint matrix = g / meta(4u);
	g -= matrix * meta(4u);
	t.b = matrix / meta(44u);
	t.s = matrix - t.b * meta(44u);
	uint panel = g / (p * rows);
	g -= panel * p * rows;
	panel *= p;
	p = min(p, columns - panel);
	uint row = g / p;
	t.m0 = row * bm;
	t.n0 = (panel + g - row * p) * bn;
	t.k0 = t.s * meta(45u);
	t.k1 = min(t.k0 + meta(45u), meta(2u));
	return true;
}

// Kernels copy their sums to an array of its own and call store_sum in a loop that is not
// unrolled: an epilogue may be long, and of TM·TN copies of it drivers take seconds to
// make code that no instruction cache holds.
//
// Runs the epilogue of C[b,m,n], or stores a part of its sum. Sums begin with 0, and
// some kernels add zeros at their end: -0, which products that underflow can leave,
// becomes 0 in all of them.
void store_sum(const Tile t, const uint m, const uint n, const NUM sum) {
	if (m >= meta(0u) || n >= meta(1u)) return;
	REG r = FROM_NUM(sum);
#ifdef WIDE
	if (r.x == 0u && r.y == SIGN) r.y = 0u;
#else
	if (r == SIGN) r = 0u;
#endif
	uint p = ((t.b * meta(44u) + t.s) * meta(0u) + m) * meta(1u) + n;
	post(p, t.b, m, n, r);
	if ((n & 3u) == 3u) flush(p >> 2);
}
