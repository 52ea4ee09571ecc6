package cpu

import (
	"unsafe"

	"github.com/fornax-ml/fornax/tensor/ir"
)

// A state is a reduction in progress. What the fields hold is the folder's
// business: a total and its compensation, or a value's bits and its position.
type state struct {
	v uint64
	i int64
}

// A folder reduces one op over registers of one dtype. All its orders of
// adding depend on the lengths it is called with only.
type folder interface {
	// start sets states to that of no elements.
	start(st []state)
	// row folds n elements, inner positions i on, into s.
	row(s *state, x unsafe.Pointer, n, i int)
	// rows folds rows of n elements each, which lie one after the other, into
	// states of no elements; vec is room for as many columns as there are
	// elements.
	rows(st []state, vec, x unsafe.Pointer, n int)
	// vectors returns the bytes that the accumulators of n columns take.
	vectors(n int) int
	startColumns(vec unsafe.Pointer, n int)
	// column folds one element for each of n columns: the k-th call since
	// startColumns, inner position i.
	column(vec, x unsafe.Pointer, n, k, i int)
	// columns folds rows of n columns, stride bytes apart, as column does: k and
	// i are those of the first.
	columns(vec, x unsafe.Pointer, n, rows, stride, k, i int)
	// endColumns turns accumulators into states.
	endColumns(st []state, vec unsafe.Pointer, n int)
	// merge folds t, which comes after s, into s.
	merge(s, t *state)
	// finish writes the results of states as elements of the result's
	// register.
	finish(dst unsafe.Pointer, st []state)
}

// newFolder returns the folder of an op over registers of d; result is the
// dtype of the result, whose half types are rounded to.
func newFolder(lv *level, op ir.Op, d, result ir.DType) folder {
	switch d {
	case ir.F32:
		var round kernel
		if half(result) {
			round = lv.kernels.round[result]
		}
		switch op {
		case ir.OpSum:
			return sumFloat[float32]{
				add: lv.kernels.calc[ir.OpAdd][ir.F32], round: round,
				kind: lv.kernels.rows, sums: lv.kernels.rowSums, cols: lv.kernels.cols.sum,
			}
		case ir.OpProd:
			return prodFloat[float32]{round: round}
		}
		if op == ir.OpMax || op == ir.OpMin {
			return extremes(lv.kernels, op == ir.OpMin)
		}
		return folderOf[float32](op)
	case ir.F64:
		switch op {
		case ir.OpSum:
			return sumFloat[float64]{add: lv.kernels.calc[ir.OpAdd][ir.F64]}
		case ir.OpProd:
			return prodFloat[float64]{}
		}
		return folderOf[float64](op)
	case ir.I8:
		return folderOf[int8](op)
	case ir.U8:
		return folderOf[uint8](op)
	case ir.I32:
		return folderOf[int32](op)
	case ir.U32:
		return folderOf[uint32](op)
	case ir.I64:
		return folderOf[int64](op)
	}
	return nil
}

func folderOf[T number](op ir.Op) folder {
	switch op {
	case ir.OpSum:
		return plain[T]{op: func(a, b T) T { return a + b }, fold: sumRow[T], cols: addBlock[T], unit: 0}
	case ir.OpProd:
		return plain[T]{op: func(a, b T) T { return a * b }, fold: prodRow[T], cols: mulBlock[T], unit: 1}
	case ir.OpMax, ir.OpAny:
		return plain[T]{op: func(a, b T) T { return max(a, b) }, fold: maxRow[T], cols: maxBlock[T], unit: lowest[T]()}
	case ir.OpMin, ir.OpAll:
		return plain[T]{op: func(a, b T) T { return min(a, b) }, fold: minRow[T], cols: minBlock[T], unit: highest[T]()}
	case ir.OpArgMax:
		return arg[T]{}
	case ir.OpArgMin:
		return arg[T]{least: true}
	}
	return nil
}

func getState[T any](s *state) T    { return *(*T)(unsafe.Pointer(&s.v)) }
func setState[T any](s *state, v T) { *(*T)(unsafe.Pointer(&s.v)) = v }

func lowest[T number]() T  { return limit[T](ir.OpMax) }
func highest[T number]() T { return limit[T](ir.OpMin) }

// limit is the identity of Max or Min. That of uint8 serves Bool, too: Any
// starts from 0, and All's minimum with 255 is never seen.
func limit[T number](op ir.Op) T {
	var zero T
	var d ir.DType
	switch any(zero).(type) {
	case float32:
		d = ir.F32
	case float64:
		d = ir.F64
	case int8:
		d = ir.I8
	case uint8:
		d = ir.U8
	case int32:
		d = ir.I32
	case uint32:
		d = ir.U32
	case int64:
		d = ir.I64
	}
	bits := ir.Identity(op, d)
	return *(*T)(unsafe.Pointer(&bits))
}

// plain folds with an operation on the dtype itself that is the same in any
// order: integer sums and products, maxima and minima.
type plain[T number] struct {
	op   func(a, b T) T
	fold func(s T, x []T) T
	cols kernel
	unit T
	// For several rows at once, or nil: see colKernels and laneKernels.
	many  func(acc, x unsafe.Pointer, n, rows, stride int)
	lanes func(dst, x unsafe.Pointer, n, rows int)
	turn  *moves
}

func (f plain[T]) start(st []state) {
	for i := range st {
		setState(&st[i], f.unit)
	}
}

func (f plain[T]) row(s *state, x unsafe.Pointer, n, _ int) {
	setState(s, f.fold(getState[T](s), slice[T](x, n)))
}

// shortRow is the longest row that plain transposes with its neighbours and
// folds as columns: the order of folding does not matter.
const shortRow = 128

func (f plain[T]) rows(st []state, vec, x unsafe.Pointer, n int) {
	size := int(unsafe.Sizeof(f.unit))
	if f.many == nil || n > shortRow || len(st) < 8 {
		for j := range st {
			f.row(&st[j], unsafe.Add(x, j*n*size), n, 0)
		}
		return
	}
	k := len(st)
	turned := unsafe.Add(vec, k*size)
	if n > rowLanes {
		lanes := unsafe.Add(turned, rowLanes*k*size)
		f.lanes(lanes, x, n, k)
		x, n = lanes, rowLanes
	}
	f.startColumns(vec, k)
	f.turn.turn(turned, x, k*size, n*size, 1, n, k, size)
	f.many(vec, turned, k, n, k*size)
	f.endColumns(st, vec, k)
}

func (f plain[T]) vectors(n int) int { return 8 * n }

func (f plain[T]) startColumns(vec unsafe.Pointer, n int) {
	v := slice[T](vec, n)
	for i := range v {
		v[i] = f.unit
	}
}

func (f plain[T]) column(vec, x unsafe.Pointer, n, _, _ int) { f.cols(vec, vec, x, nil, n) }

func (f plain[T]) columns(vec, x unsafe.Pointer, n, rows, stride, k, i int) {
	if f.many == nil {
		eachColumn(f, vec, x, n, rows, stride, k, i)
		return
	}
	for j := 0; j < rows; {
		m := rowsAtOnce(rows-j, stride, n*int(unsafe.Sizeof(f.unit)))
		f.many(vec, unsafe.Add(x, j*stride), n, m, stride)
		j += m
	}
}

// eachColumn is columns, a row at a time.
func eachColumn(f folder, vec, x unsafe.Pointer, n, rows, stride, k, i int) {
	for j := range rows {
		f.column(vec, unsafe.Add(x, j*stride), n, k+j, i+j)
	}
}

// rowsAtOnce returns how many of rows of n bytes a kernel takes at once: it runs
// down strips of columns, where lines far apart would not stay in the cache, nor
// be fetched ahead, for more than a few rows.
func rowsAtOnce(rows, stride, n int) int {
	if stride == n || n <= 256 {
		return rows
	}
	return min(rows, 4)
}

func (f plain[T]) endColumns(st []state, vec unsafe.Pointer, n int) {
	for i, v := range slice[T](vec, n) {
		setState(&st[i], v)
	}
}

func (f plain[T]) merge(s, t *state) { setState(s, f.op(getState[T](s), getState[T](t))) }

func (f plain[T]) finish(dst unsafe.Pointer, st []state) {
	d := slice[T](dst, len(st))
	for i := range d {
		d[i] = getState[T](&st[i])
	}
}

func sumRow[T number](s T, x []T) T {
	for _, v := range x {
		s += v
	}
	return s
}

func prodRow[T number](s T, x []T) T {
	for _, v := range x {
		s *= v
	}
	return s
}

func maxRow[T number](s T, x []T) T {
	a, b, c, d := s, s, s, s
	for len(x) >= 4 {
		a, b, c, d = max(a, x[0]), max(b, x[1]), max(c, x[2]), max(d, x[3])
		x = x[4:]
	}
	for _, v := range x {
		a = max(a, v)
	}
	return max(max(a, b), max(c, d))
}

func minRow[T number](s T, x []T) T {
	a, b, c, d := s, s, s, s
	for len(x) >= 4 {
		a, b, c, d = min(a, x[0]), min(b, x[1]), min(c, x[2]), min(d, x[3])
		x = x[4:]
	}
	for _, v := range x {
		a = min(a, v)
	}
	return min(min(a, b), min(c, d))
}

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
