package cpu

import "unsafe"

// arg finds the position of the first largest or least element, or of the
// first NaN. state.i is -1 where there was no element.
type arg[T number] struct{ least bool }

// before reports whether a, which comes later, takes the place of b.
func (f arg[T]) before(a, b T) bool {
	if f.least {
		return a < b || a != a && b == b
	}
	return a > b || a != a && b == b
}

func (f arg[T]) start(st []state) {
	for i := range st {
		st[i] = state{i: -1}
	}
}

func (f arg[T]) row(s *state, x unsafe.Pointer, n, i int) {
	l := slice[T](x, n)
	if s.i < 0 {
		setState(s, l[0])
		s.i = int64(i)
		l, i = l[1:], i+1
	}
	best, at := getState[T](s), -1
	if f.least {
		for k, v := range l {
			if !(v >= best) && best == best {
				best, at = v, k
			}
		}
	} else {
		for k, v := range l {
			if !(v <= best) && best == best {
				best, at = v, k
			}
		}
	}
	if at >= 0 {
		setState(s, best)
		s.i = int64(i + at)
	}
}

func (f arg[T]) vectors(n int) int { return int(unsafe.Sizeof(state{})) * n }

func (f arg[T]) rows(st []state, _, x unsafe.Pointer, n int) {
	var zero T
	for j := range st {
		f.row(&st[j], unsafe.Add(x, j*n*int(unsafe.Sizeof(zero))), n, 0)
	}
}

func (f arg[T]) columns(vec, x unsafe.Pointer, n, rows, stride, k, i int) {
	eachColumn(f, vec, x, n, rows, stride, k, i)
}

func (f arg[T]) startColumns(vec unsafe.Pointer, n int) { f.start(slice[state](vec, n)) }

func (f arg[T]) column(vec, x unsafe.Pointer, n, _, i int) {
	st, l := slice[state](vec, n), slice[T](x, n)
	for k := range st {
		s := &st[k]
		if s.i < 0 || f.before(l[k], getState[T](s)) {
			setState(s, l[k])
			s.i = int64(i)
		}
	}
}

func (f arg[T]) endColumns(st []state, vec unsafe.Pointer, n int) { copy(st, slice[state](vec, n)) }

func (f arg[T]) merge(s, t *state) {
	if t.i >= 0 && (s.i < 0 || f.before(getState[T](t), getState[T](s))) {
		*s = *t
	}
}

func (f arg[T]) finish(dst unsafe.Pointer, st []state) {
	d := slice[int32](dst, len(st))
	for i := range d {
		d[i] = int32(st[i].i)
	}
}
