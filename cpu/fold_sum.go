package cpu

import (
	"math"
	"unsafe"
)

// sumFloat adds floats. Runs of up to subRun elements are added in T, in lanes or
// down columns, and run totals in float64: those of a block, or of a row in memory,
// in lanes where the level has a kernel, and what comes of it with Neumaier's
// compensation (state.i holds its bits).
type sumFloat[T float] struct {
	add, round kernel
	kind       rowKind
	sums       func(st, x unsafe.Pointer, n, rows int)          // or nil
	cols       func(acc, x unsafe.Pointer, n, rows, stride int) // or nil
}

// subRun is the length of the runs that rows add in T, and colRun that of
// columns.
const (
	subRun = 256
	colRun = 32
)

func (s *state) total() (sum, rest float64) {
	return math.Float64frombits(s.v), math.Float64frombits(uint64(s.i))
}

func (s *state) set(sum, rest float64) {
	s.v, s.i = math.Float64bits(sum), int64(math.Float64bits(rest))
}

// add adds v to the state.
func (s *state) add(v float64) {
	sum, rest := s.total()
	t := sum + v
	var e float64
	if math.Abs(sum) >= math.Abs(v) {
		e = (sum - t) + v
	} else {
		e = (v - t) + sum
	}
	if e == e { // not where the sum is infinite or NaN
		rest += e
	}
	s.set(t, rest)
}

func (f sumFloat[T]) start(st []state) { clear(st) }

func (f sumFloat[T]) row(s *state, x unsafe.Pointer, n, _ int) {
	l := slice[T](x, n)
	if f.kind != rowsPortable {
		s.add(rowSum(f.kind, x, n))
		return
	}
	for len(l) > subRun {
		s.add(sumLanes(l[:subRun]))
		l = l[subRun:]
	}
	s.add(sumLanes(l))
}

func (f sumFloat[T]) rows(st []state, _, x unsafe.Pointer, n int) {
	if f.sums != nil && n <= subRun {
		f.sums(unsafe.Pointer(&st[0]), x, n, len(st))
		return
	}
	var zero T
	for j := range st {
		f.row(&st[j], unsafe.Add(x, j*n*int(unsafe.Sizeof(zero))), n, 0)
	}
}

// sumLanes adds x in eight lanes.
func sumLanes[T float](x []T) float64 {
	if len(x) < 8 {
		var s T
		for _, v := range x {
			s += v
		}
		return float64(s)
	}
	var a, b, c, d, e, f, g, h T
	for len(x) >= 8 {
		a += x[0]
		b += x[1]
		c += x[2]
		d += x[3]
		e += x[4]
		f += x[5]
		g += x[6]
		h += x[7]
		x = x[8:]
	}
	for _, v := range x {
		a += v
	}
	return ((float64(a) + float64(b)) + (float64(c) + float64(d))) + ((float64(e) + float64(f)) + (float64(g) + float64(h)))
}

// The columns' accumulators: a T each, with room for a float64, then the sums,
// and then the rests.
func (f sumFloat[T]) vectors(n int) int { return 3 * 8 * n }

func (f sumFloat[T]) startColumns(vec unsafe.Pointer, n int) { clear(slice[byte](vec, 3*8*n)) }

func (f sumFloat[T]) column(vec, x unsafe.Pointer, n, k, _ int) {
	if k > 0 && k%colRun == 0 {
		f.flush(vec, n)
	}
	f.add(vec, vec, x, nil, n)
}

func (f sumFloat[T]) columns(vec, x unsafe.Pointer, n, rows, stride, k, i int) {
	if f.cols == nil {
		eachColumn(f, vec, x, n, rows, stride, k, i)
		return
	}
	var zero T
	for j := 0; j < rows; {
		at := k + j
		if at > 0 && at%colRun == 0 {
			f.flush(vec, n)
		}
		m := min(colRun-at%colRun, rowsAtOnce(rows-j, stride, n*int(unsafe.Sizeof(zero))))
		f.cols(vec, unsafe.Add(x, j*stride), n, m, stride)
		j += m
	}
}

func (f sumFloat[T]) flush(vec unsafe.Pointer, n int) {
	v := slice[T](vec, n)
	sums, rests := slice[float64](unsafe.Add(vec, 8*n), n), slice[float64](unsafe.Add(vec, 16*n), n)
	i := 0
	if f.kind != rowsPortable && n >= 8 {
		i = n &^ 7
		flushColumns(f.kind, unsafe.Pointer(&sums[0]), unsafe.Pointer(&rests[0]), vec, i)
	}
	for ; i < n; i++ {
		var s state
		s.set(sums[i], rests[i])
		s.add(float64(v[i]))
		sums[i], rests[i] = s.total()
		v[i] = 0
	}
}

func (f sumFloat[T]) endColumns(st []state, vec unsafe.Pointer, n int) {
	f.flush(vec, n)
	sums, rests := slice[float64](unsafe.Add(vec, 8*n), n), slice[float64](unsafe.Add(vec, 16*n), n)
	for i := range st {
		st[i].set(sums[i], rests[i])
	}
}

func (f sumFloat[T]) merge(s, t *state) {
	sum, rest := t.total()
	s.add(sum)
	total, r := s.total()
	s.set(total, r+rest)
}

func (f sumFloat[T]) finish(dst unsafe.Pointer, st []state) {
	d := slice[T](dst, len(st))
	for i := range d {
		sum, rest := st[i].total()
		d[i] = T(sum + rest)
	}
	if f.round != nil {
		f.round(dst, dst, nil, nil, len(d))
	}
}

// prodFloat multiplies floats, in float64 and in order.
type prodFloat[T float] struct{ round kernel }

func (f prodFloat[T]) start(st []state) {
	for i := range st {
		st[i].set(1, 0)
	}
}

func (f prodFloat[T]) row(s *state, x unsafe.Pointer, n, _ int) {
	p, _ := s.total()
	for _, v := range slice[T](x, n) {
		p *= float64(v)
	}
	s.set(p, 0)
}

func (f prodFloat[T]) rows(st []state, _, x unsafe.Pointer, n int) {
	var zero T
	for j := range st {
		f.row(&st[j], unsafe.Add(x, j*n*int(unsafe.Sizeof(zero))), n, 0)
	}
}

func (f prodFloat[T]) columns(vec, x unsafe.Pointer, n, rows, stride, k, i int) {
	eachColumn(f, vec, x, n, rows, stride, k, i)
}

func (f prodFloat[T]) vectors(n int) int { return 8 * n }

func (f prodFloat[T]) startColumns(vec unsafe.Pointer, n int) {
	for i := range slice[float64](vec, n) {
		slice[float64](vec, n)[i] = 1
	}
}

func (f prodFloat[T]) column(vec, x unsafe.Pointer, n, _, _ int) {
	p, l := slice[float64](vec, n), slice[T](x, n)
	for i := range p {
		p[i] *= float64(l[i])
	}
}

func (f prodFloat[T]) endColumns(st []state, vec unsafe.Pointer, n int) {
	for i, p := range slice[float64](vec, n) {
		st[i].set(p, 0)
	}
}

func (f prodFloat[T]) merge(s, t *state) {
	p, _ := s.total()
	q, _ := t.total()
	s.set(p*q, 0)
}

func (f prodFloat[T]) finish(dst unsafe.Pointer, st []state) {
	d := slice[T](dst, len(st))
	for i := range d {
		p, _ := st[i].total()
		d[i] = T(p)
	}
	if f.round != nil {
		f.round(dst, dst, nil, nil, len(d))
	}
}
