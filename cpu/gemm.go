package cpu

import "unsafe"

// A gemmKernel is a micro-kernel with the block sizes that suit it:
//
//	C[MR, NR] = [add] C + Σ_{k < kc} a[k, MR]·b[k, NR]
//
// a and b are packed panels, k slowest; ldc is the distance between rows of C
// in elements. Each element of C is one sum in order of k, which starts from
// 0 and is then added to C: all paths of MatMul keep that order, so that they
// give equal bits.
//
// MC is a multiple of MR and NC of NR. KC is part of the result's rounding: the
// sum over K is cut into pieces of KC.
type gemmKernel struct {
	MR, NR, MC, KC, NC int

	fn func(kc int, a, b, c unsafe.Pointer, ldc int, add bool)
}

// The micro-kernels of portable Go.
var (
	portable32 = gemmKernel{MR: 2, NR: 5, MC: 128, KC: 256, NC: 1020, fn: micro2x5[float32]}
	portable64 = gemmKernel{MR: 2, NR: 5, MC: 64, KC: 256, NC: 1020, fn: micro2x5[float64]}
)

// micro2x5 is the portable micro-kernel: with ten accumulators Go's compiler
// keeps all in registers.
func micro2x5[T float](kc int, a, b, c unsafe.Pointer, ldc int, add bool) {
	size := int(unsafe.Sizeof(T(0)))
	var c00, c01, c02, c03, c04, c10, c11, c12, c13, c14 T
	for range kc {
		x, y := (*[2]T)(a), (*[5]T)(b)
		c00 += T(x[0] * y[0])
		c01 += T(x[0] * y[1])
		c02 += T(x[0] * y[2])
		c03 += T(x[0] * y[3])
		c04 += T(x[0] * y[4])
		c10 += T(x[1] * y[0])
		c11 += T(x[1] * y[1])
		c12 += T(x[1] * y[2])
		c13 += T(x[1] * y[3])
		c14 += T(x[1] * y[4])
		a, b = unsafe.Add(a, 2*size), unsafe.Add(b, 5*size)
	}
	p, q := (*[5]T)(c), (*[5]T)(unsafe.Add(c, ldc*size))
	if add {
		c00, c01, c02, c03, c04 = p[0]+c00, p[1]+c01, p[2]+c02, p[3]+c03, p[4]+c04
		c10, c11, c12, c13, c14 = q[0]+c10, q[1]+c11, q[2]+c12, q[3]+c13, q[4]+c14
	}
	p[0], p[1], p[2], p[3], p[4] = c00, c01, c02, c03, c04
	q[0], q[1], q[2], q[3], q[4] = c10, c11, c12, c13, c14
}

// A matrix is where a matrix's elements are: element (i, j) is at
// off + i·row + j·col.
type matrix struct {
	base          unsafe.Pointer
	off, row, col int
}

// pack copies rows [0, rows) and columns [0, cols) of x as panels of r rows:
// each panel column by column, the last filled up with zeros.
func pack[T float](dst unsafe.Pointer, x matrix, rows, cols, r int) {
	d := slice[T](dst, (rows+r-1)/r*r*cols)
	size := int(unsafe.Sizeof(T(0)))
	src := unsafe.Add(x.base, x.off*size)
	step := x.col * size
	for i := 0; i < rows; i += r {
		panel := d[:r*cols]
		d = d[r*cols:]
		m := min(r, rows-i)
		if m < r {
			clear(panel)
		}
		if x.row == 1 {
			p := unsafe.Add(src, i*size)
			for k := 0; k < len(panel); k += r {
				from := slice[T](p, m) // a few elements: a call of copy costs more
				for j, v := range from {
					panel[k+j] = v
				}
				if k+r < len(panel) {
					p = unsafe.Add(p, step)
				}
			}
			continue
		}
		for j := range m {
			p := unsafe.Add(src, (i+j)*x.row*size)
			for k := j; k < len(panel); k += r {
				panel[k] = *(*T)(p)
				if k+r < len(panel) {
					p = unsafe.Add(p, step)
				}
			}
		}
	}
}

// packHalf is pack from a 16-bit float dtype to float32.
func packHalf(dst unsafe.Pointer, x matrix, rows, cols, r int, widen func(uint16) float32) {
	d := slice[float32](dst, (rows+r-1)/r*r*cols)
	clear(d)
	for i := range rows {
		panel := d[i/r*r*cols:]
		for k := range cols {
			h := *(*uint16)(unsafe.Add(x.base, 2*(x.off+i*x.row+k*x.col)))
			panel[k*r+i%r] = widen(h)
		}
	}
}

// macro multiplies a packed block of A (mc rows) with packed panels of B (nc
// columns) into C, whose rows are ldc apart; tile has room for an edge.
func macro[T float](g *gemmKernel, mc, nc, kc int, a, b, c unsafe.Pointer, ldc int, add bool, tile unsafe.Pointer) {
	size := int(unsafe.Sizeof(T(0)))
	for j := 0; j < nc; j += g.NR {
		n := min(g.NR, nc-j)
		bp := unsafe.Add(b, j*kc*size)
		for i := 0; i < mc; i += g.MR {
			m := min(g.MR, mc-i)
			ap := unsafe.Add(a, i*kc*size)
			cp := unsafe.Add(c, (i*ldc+j)*size)
			if m == g.MR && n == g.NR {
				g.fn(kc, ap, bp, cp, ldc, add)
				continue
			}
			g.fn(kc, ap, bp, tile, g.NR, false)
			for y := range m {
				d := slice[T](unsafe.Add(cp, y*ldc*size), n)
				t := slice[T](unsafe.Add(tile, y*g.NR*size), n)
				if !add {
					copy(d, t)
					continue
				}
				for x := range d {
					d[x] += t[x]
				}
			}
		}
	}
}

// vecMat computes y[n] = Σ_k x[k]·b[k, n] for n < cols without packing, in
// the order of sums that the micro-kernels have; y's elements are ldy apart,
// those of x ldx. acc has room for blockLen elements; cols <= blockLen.
func vecMat[T float](y unsafe.Pointer, ldy int, x unsafe.Pointer, ldx int, b matrix, cols, depth, kc int, acc unsafe.Pointer) {
	size := int(unsafe.Sizeof(T(0)))
	s := slice[T](acc, cols)
	for k0 := 0; k0 < depth; k0 += kc {
		n := min(kc, depth-k0)
		xp := unsafe.Add(x, k0*ldx*size)
		bk := b
		bk.off += k0 * b.row
		if b.col == 1 && (cols >= 8 || b.row != 1) {
			axpys[T](s, xp, ldx, bk, n)
		} else {
			dots[T](s, xp, ldx, bk, n)
		}
		if ldy == 1 {
			d := slice[T](y, cols)
			if k0 == 0 {
				copy(d, s)
				continue
			}
			for j := range d {
				d[j] += s[j]
			}
			continue
		}
		for j, v := range s {
			p := (*T)(unsafe.Add(y, j*ldy*size))
			if k0 > 0 {
				v = *p + v
			}
			*p = v
		}
	}
}

// axpys sets s to Σ_k x[k]·b[k, :], row by row.
func axpys[T float](s []T, x unsafe.Pointer, ldx int, b matrix, depth int) {
	size := int(unsafe.Sizeof(T(0)))
	clear(s)
	at := func(k int) T { return *(*T)(unsafe.Add(x, k*ldx*size)) }
	row := func(k int) []T { return slice[T](unsafe.Add(b.base, (b.off+k*b.row)*size), len(s)) }
	k := 0
	for ; k+4 <= depth; k += 4 {
		x0, x1, x2, x3 := at(k), at(k+1), at(k+2), at(k+3)
		b0, b1, b2, b3 := row(k), row(k+1), row(k+2), row(k+3)
		for j, v := range s {
			v += T(x0 * b0[j])
			v += T(x1 * b1[j])
			v += T(x2 * b2[j])
			v += T(x3 * b3[j])
			s[j] = v
		}
	}
	for ; k < depth; k++ {
		x0, b0 := at(k), row(k)
		for j := range s {
			s[j] += T(x0 * b0[j])
		}
	}
}

// dots sets s[n] to Σ_k x[k]·b[k, n], eight columns at a time.
func dots[T float](s []T, x unsafe.Pointer, ldx int, b matrix, depth int) {
	size := int(unsafe.Sizeof(T(0)))
	base := unsafe.Add(b.base, b.off*size)
	xs, row, col := ldx*size, b.row*size, b.col*size
	for len(s) >= 8 {
		var c0, c1, c2, c3, c4, c5, c6, c7 T
		o := 0
		for k := range depth {
			v := *(*T)(unsafe.Add(x, k*xs))
			c0 += T(v * *(*T)(unsafe.Add(base, o)))
			c1 += T(v * *(*T)(unsafe.Add(base, o+col)))
			c2 += T(v * *(*T)(unsafe.Add(base, o+2*col)))
			c3 += T(v * *(*T)(unsafe.Add(base, o+3*col)))
			c4 += T(v * *(*T)(unsafe.Add(base, o+4*col)))
			c5 += T(v * *(*T)(unsafe.Add(base, o+5*col)))
			c6 += T(v * *(*T)(unsafe.Add(base, o+6*col)))
			c7 += T(v * *(*T)(unsafe.Add(base, o+7*col)))
			o += row
		}
		s[0], s[1], s[2], s[3], s[4], s[5], s[6], s[7] = c0, c1, c2, c3, c4, c5, c6, c7
		if s = s[8:]; len(s) > 0 {
			base = unsafe.Add(base, 8*col)
		}
	}
	for j := range s {
		var c T
		p := unsafe.Add(base, j*col)
		for k := range depth {
			c += T(*(*T)(unsafe.Add(x, k*xs)) * *(*T)(unsafe.Add(p, k*row)))
		}
		s[j] = c
	}
}
