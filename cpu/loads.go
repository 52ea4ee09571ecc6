package cpu

import (
	"unsafe"

	"github.com/fornax-ml/fornax/tensor/ir"
)

// A viewReader reads the elements of a view in C order, any range of them.
// Axes are collapsed where the view allows it; axes of size 1 are gone.
type viewReader struct {
	off     int
	shape   []int
	strides []int
	lo, hi  []int // nil where nothing is masked
	empty   bool  // no position is in memory
	fill    uint64
	moves   *moves
}

func (c *compiler) viewReader(o ir.Operand) *viewReader {
	v := &viewReader{off: o.View.Offset, fill: o.Fill, moves: &c.lv.kernels.moves}
	masked := o.View.Masked()
	for a, n := range o.View.Shape {
		lo, hi := 0, n
		if masked {
			lo, hi = o.View.Lo[a], o.View.Hi[a]
		}
		if hi <= lo {
			v.empty = true
		}
		if n == 1 && lo == 0 && hi == 1 {
			continue
		}
		st := o.View.Strides[a]
		if k := len(v.shape) - 1; k >= 0 && v.full(k) && lo == 0 && hi == n && v.strides[k] == st*n {
			v.shape[k] *= n
			v.strides[k] = st
			v.hi[k] = v.shape[k]
			continue
		}
		v.shape, v.strides = append(v.shape, n), append(v.strides, st)
		v.lo, v.hi = append(v.lo, lo), append(v.hi, hi)
	}
	if !masked {
		v.lo, v.hi = nil, nil
	}
	return v
}

// full reports, while the reader is made, whether axis k is not masked.
func (v *viewReader) full(k int) bool { return v.lo[k] == 0 && v.hi[k] == v.shape[k] }

// uniform reports whether all positions read the same element.
func (v *viewReader) uniform() bool {
	if v.lo != nil {
		return false
	}
	for _, s := range v.strides {
		if s != 0 {
			return false
		}
	}
	return true
}

// contiguous reports whether the elements lie one after the other.
func (v *viewReader) contiguous() bool {
	return v.lo == nil && !v.empty && (len(v.shape) == 0 || len(v.shape) == 1 && v.strides[0] == 1)
}

// load returns the elements at positions [pos, pos+n), n > 0: their place in
// memory where they lie one after the other, else dst, to which they are
// copied.
func (v *viewReader) load(src unsafe.Pointer, size int, dst unsafe.Pointer, pos, n int) unsafe.Pointer {
	var p [ir.MaxRank]int
	rank := len(v.shape)
	if v.empty || rank == 0 {
		if v.empty {
			v.fillRun(dst, size, n)
			return dst
		}
		return unsafe.Add(src, v.off*size)
	}
	in := rank - 1
	rest := pos
	at := v.off // of p with the inner coordinate 0
	for a := in; a > 0; a-- {
		q := rest / v.shape[a]
		p[a] = rest - q*v.shape[a]
		rest = q
	}
	p[0] = rest
	for a := range in {
		at += p[a] * v.strides[a]
	}
	width, stride := v.shape[in], v.strides[in]
	x := p[in]
	if stride == 1 && width-x >= n && v.inside(&p, in) && (v.lo == nil || x >= v.lo[in] && x+n <= v.hi[in]) {
		return unsafe.Add(src, (at+x)*size)
	}
	out := dst
	for {
		m := min(width-x, n)
		if k := n / width; k > 1 && x == 0 && stride == 1 && in > 0 && v.lo == nil { // whole rows
			k = min(k, v.shape[in-1]-p[in-1])
			v.moves.copyTo(out, unsafe.Add(src, at*size), width*size, v.strides[in-1]*size, k, width*size, false)
			m = k * width
			p[in-1] += k - 1
			at += (k - 1) * v.strides[in-1]
		} else if v.lo == nil {
			gather(out, src, size, at+x*stride, stride, m)
		} else {
			v.maskedRun(out, src, size, at, x, m, v.inside(&p, in))
		}
		if n -= m; n == 0 {
			return dst
		}
		out = unsafe.Add(out, m*size)
		x = 0
		for a := in - 1; a >= 0; a-- {
			p[a]++
			at += v.strides[a]
			if p[a] < v.shape[a] {
				break
			}
			at -= p[a] * v.strides[a]
			p[a] = 0
		}
	}
}

// single returns the place of the one element that all positions [pos, pos+n)
// read, where that is so along the last axis, and else nil.
func (v *viewReader) single(src unsafe.Pointer, size, pos, n int) unsafe.Pointer {
	in := len(v.shape) - 1
	row := pos / v.shape[in]
	if pos+n > (row+1)*v.shape[in] {
		return nil
	}
	at := v.off
	for a := in - 1; a >= 0; a-- {
		q := row / v.shape[a]
		at += (row - q*v.shape[a]) * v.strides[a]
		row = q
	}
	return unsafe.Add(src, at*size)
}

// spreads reports whether single may be asked: each element is read many times in
// a row.
func (v *viewReader) spreads() bool {
	in := len(v.shape) - 1
	return in > 0 && v.lo == nil && !v.empty && v.strides[in] == 0 && v.shape[in] >= minSpread
}

// minSpread is the length of an axis from which on it pays to treat its positions
// as rows.
const minSpread = 256

// inside reports whether the coordinates before axis in are in memory.
func (v *viewReader) inside(p *[ir.MaxRank]int, in int) bool {
	if v.lo == nil {
		return true
	}
	for a := range in {
		if p[a] < v.lo[a] || p[a] >= v.hi[a] {
			return false
		}
	}
	return true
}

// maskedRun reads m elements of the inner axis from coordinate x on.
func (v *viewReader) maskedRun(dst, src unsafe.Pointer, size, at, x, m int, inside bool) {
	if !inside {
		v.fillRun(dst, size, m)
		return
	}
	in := len(v.shape) - 1
	lo, hi := max(v.lo[in], x), min(v.hi[in], x+m)
	if hi <= lo {
		v.fillRun(dst, size, m)
		return
	}
	if k := lo - x; k > 0 {
		v.fillRun(dst, size, k)
		dst = unsafe.Add(dst, k*size)
	}
	gather(dst, src, size, at+lo*v.strides[in], v.strides[in], hi-lo)
	if k := x + m - hi; k > 0 {
		v.fillRun(unsafe.Add(dst, (hi-lo)*size), size, k)
	}
}

func (v *viewReader) fillRun(dst unsafe.Pointer, size, n int) {
	putElem(dst, size, v.fill)
	spread(dst, size, n)
}

// index writes the element positions that the view computes for positions
// [pos, pos+n), as 32-bit integers.
func (v *viewReader) index(dst unsafe.Pointer, pos, n int) { places(v, slice[int32](dst, n), pos) }

// places writes them as int.
func (v *viewReader) places(d []int, pos int) { places(v, d, pos) }

func places[T int | int32](v *viewReader, d []T, pos int) {
	rank := len(v.shape)
	if rank == 0 {
		for i := range d {
			d[i] = T(v.off)
		}
		return
	}
	var p [ir.MaxRank]int
	in := rank - 1
	for a, rest := in, pos; a >= 0; a-- {
		q := rest / v.shape[a]
		p[a] = rest - q*v.shape[a]
		rest = q
	}
	for len(d) > 0 {
		at := v.off
		for a := range in {
			at += p[a] * v.strides[a]
		}
		m := min(v.shape[in]-p[in], len(d))
		k, s := T(at+p[in]*v.strides[in]), T(v.strides[in])
		for i := range d[:m] {
			d[i] = k
			k += s
		}
		d = d[m:]
		p[in] = 0
		for a := in - 1; a >= 0; a-- {
			if p[a]++; p[a] < v.shape[a] {
				break
			}
			p[a] = 0
		}
	}
}

// gather copies n elements from element at of src on, stride apart.
func gather(dst, src unsafe.Pointer, size, at, stride, n int) {
	src = unsafe.Add(src, at*size)
	if stride == 1 {
		copy(unsafe.Slice((*byte)(dst), n*size), unsafe.Slice((*byte)(src), n*size))
		return
	}
	if stride == 0 {
		copy(slice[byte](dst, size), slice[byte](src, size))
		spread(dst, size, n)
		return
	}
	switch size {
	case 1:
		gatherRun[uint8](dst, src, stride, n)
	case 2:
		gatherRun[uint16](dst, src, 2*stride, n)
	case 4:
		gatherRun[uint32](dst, src, 4*stride, n)
	case 8:
		gatherRun[uint64](dst, src, 8*stride, n)
	}
}

// gatherRun copies n elements that are step bytes apart.
func gatherRun[T any](dst, src unsafe.Pointer, step, n int) {
	d := unsafe.Slice((*T)(dst), n)
	off := 0
	for i := range d {
		d[i] = *(*T)(unsafe.Add(src, off))
		off += step
	}
}

// putElem stores the low bytes of bits as an element.
func putElem(dst unsafe.Pointer, size int, bits uint64) {
	switch size {
	case 1:
		*(*uint8)(dst) = uint8(bits)
	case 2:
		*(*uint16)(dst) = uint16(bits)
	case 4:
		*(*uint32)(dst) = uint32(bits)
	case 8:
		*(*uint64)(dst) = bits
	}
}

// spread copies element 0 over n elements.
func spread(dst unsafe.Pointer, size, n int) {
	b := unsafe.Slice((*byte)(dst), n*size)
	for have := size; have < len(b); have *= 2 {
		copy(b[have:], b[:have])
	}
}
