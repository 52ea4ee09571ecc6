#version 450
#extension GL_GOOGLE_include_directive : require
#ifdef ADDRESS
#extension GL_EXT_buffer_reference : require
#extension GL_EXT_buffer_reference_uvec2 : require
#endif
#ifdef WIDE
#extension GL_ARB_gpu_shader_int64 : require
#endif
// ScatterAdd: dst[i] = base(i) + Σ update over the updates j < J of i's column whose
// index is i's row, added in order of j. Rows are the positions on the axis of the
// index, columns those on all other axes. No atomics: an element's additions are all
// made by one invocation, in order.
//
// kernel becomes a call of one of
//   compare   an invocation an element compares all J indices: for small results
//   rows      where all columns have the same indices: a workgroup looks at 4·W
//             indices at a time for its ROWS rows and W columns, lists in order those
//             that it has, and each invocation adds the updates of its column
//   walk      an invocation a column, which goes through its updates; dst holds the
//             base already
// and base, combine, post and flush are rewritten too, for compare match and update of
// (i, j), for the others row_of and update of (column, j), place and current.
//
// Numbers: meta(0) elements of dst, 1 J, 2 rows, 3 columns, 4: 1 where rows is to
// write the base, 5 workgroups of columns.
// Specialization constants: 0: W, invocations a workgroup, a power of two; 1: OUT,
// elements an invocation of compare takes in a row: 4 where they are packed, else 1.

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

uint row_of(const uint c, const uint j) { return j; }
uint place(const uint c, const uint r) { return r; }
REG current(const uint i) { return reg(i); }

void compare() {
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

const uint ROWS = 32u;
shared uint counts[gl_WorkGroupSize.x];
shared uint list_j[4u * gl_WorkGroupSize.x];
shared uint list_row[4u * gl_WorkGroupSize.x];

void rows() {
	uint t = gl_LocalInvocationID.x, W = gl_WorkGroupSize.x;
	uint first = group() / meta(5u), c = (group() - first * meta(5u)) * W + t, J = meta(1u);
	first *= ROWS;
	if (first >= meta(2u)) return;
	uint have = min(ROWS, meta(2u) - first);
	bool mine = c < meta(3u);
	if (meta(4u) != 0u && mine)
		for (uint r = 0u; r < have; r++) {
			uint i = place(c, first + r);
			post(i, 0u, base(i), 0u);
		}
	for (uint j0 = 0u; j0 < J; j0 += 4u * W) {
		uint row[4], n = 0u;
		for (uint e = 0u; e < 4u; e++) {
			uint j = j0 + 4u * t + e;
			row[e] = j < J ? row_of(0u, j) - first : ~0u;
			if (row[e] < have) n++;
		}
		counts[t] = n;
		barrier();
		for (uint s = 1u; s < W; s *= 2u) { // sums up to each invocation
			uint before = t >= s ? counts[t - s] : 0u;
			barrier();
			counts[t] += before;
			barrier();
		}
		uint at = counts[t] - n, total = counts[W - 1u];
		for (uint e = 0u; e < 4u; e++)
			if (row[e] < have) {
				list_j[at] = j0 + 4u * t + e;
				list_row[at++] = first + row[e];
			}
		barrier();
		if (mine)
			for (uint k = 0u; k < total; k++) {
				uint i = place(c, list_row[k]);
				post(i, 0u, combine(current(i), update(c, list_j[k])), 0u);
			}
		barrier();
	}
}

void walk() {
	uint c = group() * gl_WorkGroupSize.x + gl_LocalInvocationID.x;
	if (c >= meta(3u)) return;
	for (uint j = 0u; j < meta(1u); j++) {
		uint r = row_of(c, j);
		if (r >= meta(2u)) continue;
		uint i = place(c, r);
		post(i, 0u, combine(current(i), update(c, j)), 0u);
	}
}

void kernel() {
	compare();
	rows();
	walk();
}

void main() { kernel(); }
