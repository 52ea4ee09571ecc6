package cpu

import "unsafe"

// A gemmKernel is a family of micro-kernels with the block sizes that suit it.
//
// The sum over K is cut into pieces of about KC (see piece), which are part of
// the result's rounding. Each piece is one sum in order of k that starts from 0
// and is then added to C: all paths of MatMul keep that order, so that they give
// equal bits.
type gemmKernel struct {
	MR, NR int // rows and columns of a micro-tile
	KC     int // depth of a packed block; a multiple of 4
	NC     int // columns of B that a task multiplies with at a time: they stay in the second-level cache
	MC     int // rows of such a task
	// Elements of the packed operands are pairs of BF16 that follow each other
	// along K. A micro-kernel adds both products, that of the second one first.
	pairs bool

	rows []func(*gemmArgs) // micro-kernels by the number of rows, from 1 to MR
	axpy func(*axpyArgs)
	dot  func(*dotArgs) // nil: columns that are contiguous are packed
	// What packs panels of A (MR rows) and of B (NR columns) fast: by copying
	// runs, and by transposing where the other axis is contiguous. A panel of B
	// takes NR/width transpositions. nil: portable Go does it.
	copyA, copyB           func(*packArgs)
	copiesA, copiesB       func(*packArgs) // of packPanels whole panels at once
	transposeA, transposeB func(*packArgs)
	width                  int

	ns float64 // estimated nanoseconds of a multiplication and addition
}

// gemmArgs are the arguments of a micro-kernel of r rows:
//
//	C[r, n] = [C +] Σ_{i < k} A[r, i]·B[i, n]
//
// B comes in panels of NR columns, each with contiguous rows: that is how it is
// packed, and with bs = ldb, bp = NR elements a matrix in memory is so, too.
// Strides are in bytes; k counts packed elements. The assembly knows this layout.
type gemmArgs struct {
	k, n     int
	a        unsafe.Pointer
	ars, acs int // between rows and columns of A
	b        unsafe.Pointer
	bs, bp   int // between rows of a panel, and between panels
	c        unsafe.Pointer
	ldc      int // between rows of C
	add      int // 1: add to C, 0: replace it
}

// axpyArgs are the arguments of y[n] += Σ_{i < k} x[i]·B[i, n], added in order
// of i. The rows of B and y are contiguous; strides are in bytes.
type axpyArgs struct {
	y  unsafe.Pointer
	n  int
	x  unsafe.Pointer
	xs int
	b  unsafe.Pointer
	bs int
	k  int
}

// dotArgs are the arguments of out[j] += Σ_i x[i]·B[i, j] for 32 columns, added
// in order of i, where each column of B is contiguous and table points at its
// first element. There are 16 times k elements; xs is in bytes.
type dotArgs struct {
	out   unsafe.Pointer // *[dotColumns]float32
	x     unsafe.Pointer
	xs    int
	k     int // at least 1
	table [dotColumns]unsafe.Pointer
}

const (
	dotColumns = 32
	dotDepth   = 16 // elements of a column that are read at a time
)

// piece returns the depth of the pieces that a sum over k is cut into: as even
// as multiples of 4 allow.
func (g *gemmKernel) piece(k int) int {
	n := (k + g.KC - 1) / g.KC
	if n <= 1 {
		return max(k, 1)
	}
	return ((k+n-1)/n + 3) &^ 3
}

// depth returns the number of packed elements that k are.
func (g *gemmKernel) depth(k int) int {
	if g.pairs {
		return (k + 1) / 2
	}
	return k
}

// panelRows returns the rows of the next panel where rows are left: the last
// two panels are evened out.
func (g *gemmKernel) panelRows(left int) int {
	switch {
	case left >= 2*g.MR || left == g.MR:
		return g.MR
	case left > g.MR:
		return (left + 1) / 2
	}
	return left
}

// portableGemm returns the kernels in Go: with ten accumulators the compiler
// keeps all in registers.
func portableGemm[T float]() gemmKernel {
	return gemmKernel{
		MR: 2, NR: 5, KC: 256, NC: 1020, MC: 64,
		rows: []func(*gemmArgs){nil, gemmRow[T], gemmRows2[T]},
		axpy: axpyBlock[T],
		ns:   0.4,
	}
}

// gemmRows2 is the micro-kernel of two rows.
func gemmRows2[T float](g *gemmArgs) {
	size := int(unsafe.Sizeof(T(0)))
	b, c := g.b, g.c
	n := g.n
	for ; n >= 5; n -= 5 {
		var c00, c01, c02, c03, c04, c10, c11, c12, c13, c14 T
		q0, q1, at, off := g.a, unsafe.Add(g.a, g.ars), 0, 0
		for range g.k {
			x0, x1, y := *(*T)(unsafe.Add(q0, at)), *(*T)(unsafe.Add(q1, at)), (*[5]T)(unsafe.Add(b, off))
			c00 += T(x0 * y[0])
			c01 += T(x0 * y[1])
			c02 += T(x0 * y[2])
			c03 += T(x0 * y[3])
			c04 += T(x0 * y[4])
			c10 += T(x1 * y[0])
			c11 += T(x1 * y[1])
			c12 += T(x1 * y[2])
			c13 += T(x1 * y[3])
			c14 += T(x1 * y[4])
			at += g.acs
			off += g.bs
		}
		p, q := (*[5]T)(c), (*[5]T)(unsafe.Add(c, g.ldc))
		if g.add != 0 {
			c00, c01, c02, c03, c04 = p[0]+c00, p[1]+c01, p[2]+c02, p[3]+c03, p[4]+c04
			c10, c11, c12, c13, c14 = q[0]+c10, q[1]+c11, q[2]+c12, q[3]+c13, q[4]+c14
		}
		p[0], p[1], p[2], p[3], p[4] = c00, c01, c02, c03, c04
		q[0], q[1], q[2], q[3], q[4] = c10, c11, c12, c13, c14
		if n > 5 {
			b, c = unsafe.Add(b, g.bp), unsafe.Add(c, 5*size)
		}
	}
	if n > 0 {
		gemmEdge[T](g, g.a, b, c, n)
		gemmEdge[T](g, unsafe.Add(g.a, g.ars), b, unsafe.Add(c, g.ldc), n)
	}
}

// gemmRow is the micro-kernel of one row.
func gemmRow[T float](g *gemmArgs) {
	b, c := g.b, g.c
	for n := g.n; n > 0; n -= 5 {
		gemmEdge[T](g, g.a, b, c, min(n, 5))
		if n > 5 {
			b, c = unsafe.Add(b, g.bp), unsafe.Add(c, 5*int(unsafe.Sizeof(T(0))))
		}
	}
}

// gemmEdge computes one row of n columns, 1 <= n <= 5: columns that are not
// there repeat the last one.
func gemmEdge[T float](g *gemmArgs, a, b, c unsafe.Pointer, n int) {
	size := int(unsafe.Sizeof(T(0)))
	o1, o2, o3, o4 := min(1, n-1)*size, min(2, n-1)*size, min(3, n-1)*size, (n-1)*size
	var s [5]T
	var s0, s1, s2, s3, s4 T
	ao, bo := 0, 0
	for range g.k {
		x, y := *(*T)(unsafe.Add(a, ao)), unsafe.Add(b, bo)
		s0 += T(x * *(*T)(y))
		s1 += T(x * *(*T)(unsafe.Add(y, o1)))
		s2 += T(x * *(*T)(unsafe.Add(y, o2)))
		s3 += T(x * *(*T)(unsafe.Add(y, o3)))
		s4 += T(x * *(*T)(unsafe.Add(y, o4)))
		ao += g.acs
		bo += g.bs
	}
	s = [5]T{s0, s1, s2, s3, s4}
	d := slice[T](c, n)
	for j := range d {
		if g.add != 0 {
			d[j] += s[j]
		} else {
			d[j] = s[j]
		}
	}
}

// axpyBlock is axpyArgs' computation in Go, four rows of B at a time.
func axpyBlock[T float](v *axpyArgs) {
	s := slice[T](v.y, v.n)
	at := func(k int) T { return *(*T)(unsafe.Add(v.x, k*v.xs)) }
	row := func(k int) []T { return slice[T](unsafe.Add(v.b, k*v.bs), v.n) }
	k := 0
	for ; k+4 <= v.k; k += 4 {
		x0, x1, x2, x3 := at(k), at(k+1), at(k+2), at(k+3)
		b0, b1, b2, b3 := row(k), row(k+1), row(k+2), row(k+3)
		for j, t := range s {
			t += T(x0 * b0[j])
			t += T(x1 * b1[j])
			t += T(x2 * b2[j])
			t += T(x3 * b3[j])
			s[j] = t
		}
	}
	for ; k < v.k; k++ {
		x0, b0 := at(k), row(k)
		for j := range s {
			s[j] += T(x0 * b0[j])
		}
	}
}
