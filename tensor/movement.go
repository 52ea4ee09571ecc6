package tensor

import (
	"fmt"
	"slices"

	"github.com/fornax-ml/fornax/tensor/ir"
)

// Movement ops copy nothing where a view can say them: consumers read through
// offset, shape and strides.

// Reshape returns the elements in C order under another shape; one size may be
// -1, which is then worked out.
func (t *Tensor) Reshape(shape ...int) *Tensor {
	shape = append([]int{}, shape...)
	known, free := 1, -1
	for i, n := range shape {
		switch {
		case n == -1 && free < 0:
			free = i
		case n < 0:
			badShape("Reshape", fmt.Sprintf("to %v: a size is negative", shape), t)
		default:
			known *= n
		}
	}
	if free >= 0 {
		if known == 0 || t.Size()%known != 0 {
			badShape("Reshape", fmt.Sprintf("to %v: %d elements do not divide", shape, t.Size()), t)
		}
		shape[free] = t.Size() / known
	}
	checkShape("Reshape", shape)
	if ir.Size(shape) != t.Size() {
		badShape("Reshape", fmt.Sprintf("to %v: %d elements, not %d", shape, ir.Size(shape), t.Size()), t)
	}
	return t.reshape(shape)
}

// Flatten returns the elements in C order as one axis.
func (t *Tensor) Flatten() *Tensor { return t.reshape([]int{t.Size()}) }

// Permute reorders the axes: axis i of the result is axis axes[i].
func (t *Tensor) Permute(axes ...int) *Tensor {
	if len(axes) != len(t.shape) {
		badShape("Permute", fmt.Sprintf("%d axes given", len(axes)), t)
	}
	perm, shape := make([]int, len(axes)), make([]int, len(axes))
	seen := make([]bool, len(axes))
	for i, a := range axes {
		perm[i] = normAxis("Permute", t, a)
		if seen[perm[i]] {
			badShape("Permute", fmt.Sprintf("axis %d given twice", a), t)
		}
		seen[perm[i]] = true
		shape[i] = t.shape[perm[i]]
	}
	return newNode(t.dev, t.dtype, shape, spec{op: ir.OpPermute, ints: perm}, t)
}

// T swaps the last two axes.
func (t *Tensor) T() *Tensor {
	r := len(t.shape)
	if r < 2 {
		badShape("T", "wants two axes or more", t)
	}
	return t.Transpose(r-2, r-1)
}

// Transpose swaps two axes.
func (t *Tensor) Transpose(a, b int) *Tensor {
	a, b = normAxis("Transpose", t, a), normAxis("Transpose", t, b)
	axes := make([]int, len(t.shape))
	for i := range axes {
		axes[i] = i
	}
	axes[a], axes[b] = b, a
	return t.Permute(axes...)
}

// A Range selects positions Start, Start+Step, … before Stop of an axis, as in
// NumPy: negative bounds count from the end, bounds beyond the axis are
// clipped. Step 0 means 1. The zero Range means the whole axis, as All does.
type Range struct{ Start, Stop, Step int }

// End as a Range's Stop means the end of the axis in the direction of Step.
const End = int(^uint(0) >> 1)

// All selects a whole axis.
var All = Range{0, End, 1}

// Slice selects positions of the leading axes; axes without a Range are kept
// whole.
//
//	x.Slice(tensor.Range{1, 3, 1})               // x[1:3]
//	x.Slice(tensor.All, tensor.Range{0, tensor.End, 2}) // x[:, ::2]
//
// A negative Step goes from Start down to Stop, exclusive; End then means
// before position 0: Range{-1, End, -1} reverses.
func (t *Tensor) Slice(ranges ...Range) *Tensor {
	rank := len(t.shape)
	if len(ranges) > rank {
		badShape("Slice", fmt.Sprintf("%d ranges given", len(ranges)), t)
	}
	ints, shape := make([]int, 2*rank), slices.Clone(t.shape)
	whole := true
	for a, n := range t.shape {
		start, step, size := 0, 1, n
		if a < len(ranges) {
			start, step, size = ranges[a].resolve(n)
		}
		whole = whole && start == 0 && step == 1 && size == n
		ints[a], ints[rank+a], shape[a] = start, step, size
	}
	if whole {
		return t
	}
	return newNode(t.dev, t.dtype, shape, spec{op: ir.OpSlice, ints: ints}, t)
}

// resolve returns the first position, the step and the number of positions
// on an axis of size n.
func (r Range) resolve(n int) (start, step, size int) {
	if r == (Range{}) {
		return 0, 1, n
	}
	step = r.Step
	if step == 0 {
		step = 1
	}
	start, stop := r.Start, r.Stop
	if start < 0 {
		start += n
	}
	if stop < 0 {
		stop += n
		if stop < 0 {
			stop = -1
		}
	}
	if step > 0 {
		start = min(max(start, 0), n)
		stop = min(max(stop, 0), n)
		if stop > start {
			size = (stop-start-1)/step + 1
		}
		return start, step, size
	}
	if r.Stop == End {
		stop = -1
	}
	start = min(start, n-1)
	if start > stop {
		size = (start-stop-1)/-step + 1
	} else {
		start = 0
	}
	return start, step, size
}

// Narrow selects size positions from start on one axis.
func (t *Tensor) Narrow(axis, start, size int) *Tensor {
	axis = normAxis("Narrow", t, axis)
	if start < 0 || size < 0 || size > t.shape[axis]-start {
		badShape("Narrow", fmt.Sprintf("positions %d to %d of axis %d", start, start+size, axis), t)
	}
	if start == 0 && size == t.shape[axis] {
		return t
	}
	rank := len(t.shape)
	ints, shape := make([]int, 2*rank), slices.Clone(t.shape)
	for a := range t.shape {
		ints[rank+a] = 1
	}
	ints[axis], shape[axis] = start, size
	return newNode(t.dev, t.dtype, shape, spec{op: ir.OpSlice, ints: ints}, t)
}

// Flip reverses axes; none given means all.
func (t *Tensor) Flip(axes ...int) *Tensor {
	rank := len(t.shape)
	ints := make([]int, 2*rank)
	for a := range t.shape {
		ints[rank+a] = 1
	}
	for _, a := range normAxes("Flip", t, axes) {
		if t.shape[a] > 0 {
			ints[a], ints[rank+a] = t.shape[a]-1, -1
		}
	}
	return newNode(t.dev, t.dtype, t.shape, spec{op: ir.OpSlice, ints: ints}, t)
}

// Expand stretches axes of size 1, and adds axes in front, to shape.
func (t *Tensor) Expand(shape ...int) *Tensor {
	checkShape("Expand", shape)
	return t.broadcastTo("Expand", shape)
}

// Unsqueeze puts axes of size 1 at the given positions of the result: it
// brings back axes that a reduction dropped.
func (t *Tensor) Unsqueeze(axes ...int) *Tensor {
	rank := len(t.shape) + len(axes)
	shape := make([]int, rank)
	for _, a := range axes {
		if a < 0 {
			a += rank
		}
		if a < 0 || a >= rank || shape[a] == 1 {
			badShape("Unsqueeze", fmt.Sprintf("axes %v of rank %d", axes, rank), t)
		}
		shape[a] = 1
	}
	checkShape("Unsqueeze", shape)
	k := 0
	for a := range shape {
		if shape[a] == 0 {
			shape[a] = t.shape[k]
			k++
		}
	}
	return t.reshape(shape)
}

// Squeeze drops axes of size 1; none given means every one.
func (t *Tensor) Squeeze(axes ...int) *Tensor {
	drop := make([]bool, len(t.shape))
	for a, n := range t.shape {
		drop[a] = len(axes) == 0 && n == 1
	}
	for _, a := range axes {
		a = normAxis("Squeeze", t, a)
		if t.shape[a] != 1 {
			badShape("Squeeze", fmt.Sprintf("axis %d has size %d", a, t.shape[a]), t)
		}
		drop[a] = true
	}
	shape := []int{}
	for a, n := range t.shape {
		if !drop[a] {
			shape = append(shape, n)
		}
	}
	return t.reshape(shape)
}

// Pad adds a border of v: before[a] positions in front of axis a and after[a]
// behind it.
func (t *Tensor) Pad(before, after []int, v float64) *Tensor {
	if len(before) != len(t.shape) || len(after) != len(t.shape) {
		badShape("Pad", fmt.Sprintf("by %v and %v", before, after), t)
	}
	shape := make([]int, len(t.shape))
	for a, n := range t.shape {
		if before[a] < 0 || after[a] < 0 || before[a] > maxElements-n || after[a] > maxElements-n-before[a] {
			badShape("Pad", fmt.Sprintf("by %v and %v: negative or too large", before, after), t)
		}
		shape[a] = before[a] + n + after[a]
	}
	checkShape("Pad", shape)
	return newNode(t.dev, t.dtype, shape, spec{op: ir.OpPad, ints: slices.Concat(before, after), imm: ir.FloatBits(t.dtype, v)}, t)
}

// padAxis adds zeros around one axis.
func (t *Tensor) padAxis(axis, before, after int) *Tensor {
	b, a := make([]int, len(t.shape)), make([]int, len(t.shape))
	b[axis], a[axis] = before, after
	return t.Pad(b, a, 0)
}

// Concat joins tensors along an axis; the other axes are equal.
func Concat(axis int, xs ...*Tensor) *Tensor {
	if len(xs) == 0 {
		panic(&ShapeError{Op: "Concat", Reason: "of nothing"})
	}
	sameDevice("Concat", xs...)
	xs = slices.Clone(xs)
	operands := make([]**Tensor, len(xs))
	for i := range xs {
		operands[i] = &xs[i]
	}
	autocast(ir.OpWhere, operands...)
	axis = normAxis("Concat", xs[0], axis)
	total := 0
	for _, x := range xs {
		if x.dtype != xs[0].dtype {
			badDType("Concat", "dtypes differ", xs...)
		}
		if len(x.shape) != len(xs[0].shape) {
			badShape("Concat", "ranks differ", xs...)
		}
		for a, n := range x.shape {
			if a != axis && n != xs[0].shape[a] {
				badShape("Concat", fmt.Sprintf("axis %d differs", a), xs...)
			}
		}
		total += x.shape[axis]
	}
	// A chain of Where over zero-padded operands: one fused kernel.
	pos := positions(xs[0].dev, I32, total)
	for range len(xs[0].shape) - axis - 1 {
		pos = pos.Unsqueeze(-1)
	}
	end := 0
	var r *Tensor
	for _, x := range xs {
		n := x.shape[axis]
		if n == 0 && r != nil {
			continue
		}
		p := x.padAxis(axis, end, total-end-n)
		if r == nil {
			r = p
		} else {
			r = Where(pos.fixed(ir.OpLess, float64(end)), r, p)
		}
		end += n
	}
	return r
}

// Stack joins tensors of one shape along a new axis.
func Stack(axis int, xs ...*Tensor) *Tensor {
	l := make([]*Tensor, len(xs))
	for i, x := range xs {
		l[i] = x.Unsqueeze(axis)
	}
	return Concat(axis, l...)
}

// Split cuts an axis into parts of the given sizes.
func (t *Tensor) Split(axis int, sizes ...int) []*Tensor {
	axis = normAxis("Split", t, axis)
	parts := make([]*Tensor, len(sizes))
	start := 0
	for i, n := range sizes {
		if n < 0 || n > t.shape[axis]-start {
			badShape("Split", fmt.Sprintf("axis %d into %v", axis, sizes), t)
		}
		parts[i] = t.Narrow(axis, start, n)
		start += n
	}
	if start != t.shape[axis] {
		badShape("Split", fmt.Sprintf("axis %d into %v", axis, sizes), t)
	}
	return parts
}

// normAxes sorts axes in [0, rank) without repeats; none means all.
func normAxes(op string, t *Tensor, axes []int) []int {
	l := make([]int, 0, len(t.shape))
	if len(axes) == 0 {
		for a := range t.shape {
			l = append(l, a)
		}
		return l
	}
	for _, a := range axes {
		a = normAxis(op, t, a)
		if slices.Contains(l, a) {
			badShape(op, fmt.Sprintf("axis %d given twice", a), t)
		}
		l = append(l, a)
	}
	slices.Sort(l)
	return l
}
