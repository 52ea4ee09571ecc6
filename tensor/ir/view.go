package ir

import (
	"fmt"
	"slices"
	"strings"
)

// MaxRank is the largest number of axes a tensor may have.
const MaxRank = 8

// A View says where the elements of an array of Shape are in a slot: element
// p is at
//
//	Offset + Σ_a p[a]·Strides[a]
//
// counted in elements. Strides may be 0 (broadcast) or negative (flip).
//
// Where Lo is not nil the view is masked: only positions with
// Lo[a] <= p[a] < Hi[a] on every axis are in memory, and the others read as
// the operand's fill value. Offset refers to position 0 even when that is
// masked off, so it may then be negative.
type View struct {
	Offset  int
	Shape   []int
	Strides []int
	Lo, Hi  []int
}

// Contiguous returns the packed, C-ordered view of shape.
func Contiguous(shape []int) View {
	v := View{Shape: slices.Clone(shape), Strides: make([]int, len(shape))}
	n := 1
	for a := len(shape) - 1; a >= 0; a-- {
		v.Strides[a] = n
		n *= shape[a]
	}
	return v
}

// Size returns the number of positions of shape: the product, 1 for rank 0.
func Size(shape []int) int {
	n := 1
	for _, s := range shape {
		n *= s
	}
	return n
}

// Masked reports whether the view has positions outside memory.
func (v View) Masked() bool { return v.Lo != nil }

// IsContiguous reports whether the view is packed, C-ordered, unmasked and
// begins at 0. Axes of size 1 may have any stride.
func (v View) IsContiguous() bool {
	if v.Masked() || v.Offset != 0 {
		return false
	}
	if Size(v.Shape) == 0 {
		return true
	}
	n := 1
	for a := len(v.Shape) - 1; a >= 0; a-- {
		if v.Shape[a] != 1 && v.Strides[a] != n {
			return false
		}
		n *= v.Shape[a]
	}
	return true
}

// Clone returns a view that shares nothing with v.
func (v View) Clone() View {
	v.Shape, v.Strides = slices.Clone(v.Shape), slices.Clone(v.Strides)
	v.Lo, v.Hi = slices.Clone(v.Lo), slices.Clone(v.Hi)
	return v
}

// Permute reorders the axes: axis a of the result is axis perm[a] of v.
func (v View) Permute(perm []int) View {
	r := View{Offset: v.Offset}
	pick := func(s []int) []int {
		if s == nil {
			return nil
		}
		t := make([]int, len(perm))
		for a, p := range perm {
			t[a] = s[p]
		}
		return t
	}
	r.Shape, r.Strides, r.Lo, r.Hi = pick(v.Shape), pick(v.Strides), pick(v.Lo), pick(v.Hi)
	return r
}

// Slice keeps positions start + i·step, 0 <= i < size, of one axis; step may
// be negative (flip: start = n-1, step = -1, size = n).
func (v View) Slice(axis, start, step, size int) View {
	r := v.Clone()
	r.Offset += start * v.Strides[axis]
	r.Strides[axis] *= step
	r.Shape[axis] = size
	if v.Masked() {
		lo, hi := v.Lo[axis], v.Hi[axis]
		// i is valid iff lo <= start+i*step < hi.
		var l, h int
		if step > 0 {
			l, h = ceilDiv(lo-start, step), ceilDiv(hi-start, step)
		} else {
			l, h = ceilDiv(start-hi+1, -step), ceilDiv(start-lo+1, -step)
		}
		r.Lo[axis] = min(max(l, 0), size)
		r.Hi[axis] = min(max(h, r.Lo[axis]), size)
		r.dropFullMask()
	}
	return r
}

// Expand broadcasts axes of size 1 to shape, which has v's rank.
func (v View) Expand(shape []int) View {
	r := v.Clone()
	for a, n := range shape {
		if v.Shape[a] == 1 && n != 1 {
			r.Shape[a], r.Strides[a] = n, 0
			if r.Masked() { // valid everywhere or nowhere along this axis
				r.Hi[a] *= n
				r.Lo[a] *= n
			}
		}
	}
	return r
}

// Pad adds before and after positions to an axis, outside memory.
func (v View) Pad(axis, before, after int) View {
	r := v.Clone()
	if !r.Masked() {
		r.Lo, r.Hi = make([]int, len(r.Shape)), slices.Clone(r.Shape)
	}
	r.Offset -= before * r.Strides[axis]
	r.Shape[axis] += before + after
	r.Lo[axis] += before
	r.Hi[axis] += before
	r.dropFullMask()
	return r
}

// Reshape gives the view another shape of equal size; ok is false where that
// needs a copy.
func (v View) Reshape(shape []int) (r View, ok bool) {
	if slices.Equal(shape, v.Shape) {
		return v.Clone(), true
	}
	if Size(shape) == 0 {
		if v.Masked() {
			return View{}, false
		}
		r = Contiguous(shape)
		r.Offset = v.Offset
		return r, true
	}
	// Match groups of old axes with groups of new axes of equal size; within
	// a group the old axes must merge into one.
	r = View{Offset: v.Offset, Shape: slices.Clone(shape), Strides: make([]int, len(shape))}
	if v.Masked() {
		r.Lo, r.Hi = make([]int, len(shape)), slices.Clone(shape)
	}
	i, j := 0, 0
	for i < len(v.Shape) || j < len(shape) {
		i0, j0 := i, j
		on, nn := 1, 1
		if i < len(v.Shape) {
			on = v.Shape[i]
			i++
		}
		if j < len(shape) {
			nn = shape[j]
			j++
		}
		for on != nn {
			if on < nn {
				on *= v.Shape[i]
				i++
			} else {
				nn *= shape[j]
				j++
			}
		}
		if !v.reshapeGroup(&r, i0, i, j0, j) {
			return View{}, false
		}
	}
	if r.Masked() {
		r.dropFullMask()
	}
	return r, true
}

// reshapeGroup maps old axes [i0,i) onto new axes [j0,j) of equal total size.
func (v View) reshapeGroup(r *View, i0, i, j0, j int) bool {
	full := true
	big, bigAxis, newBig := 0, -1, -1
	for a := i0; a < i; a++ {
		if v.Masked() && (v.Lo[a] != 0 || v.Hi[a] != v.Shape[a]) {
			full = false
		}
		if v.Shape[a] != 1 {
			big, bigAxis = big+1, a
		}
	}
	if !full {
		// A mask survives only where the group is one axis, give or take
		// fully valid axes of size 1.
		nb := 0
		for a := j0; a < j; a++ {
			if r.Shape[a] != 1 {
				nb, newBig = nb+1, a
			}
		}
		if big > 1 || nb > 1 {
			return false
		}
		if big == 0 {
			return false // an axis of size 1 masked off: rare, copy
		}
		for a := i0; a < i; a++ {
			if a != bigAxis && (v.Lo[a] != 0 || v.Hi[a] != 1) {
				return false
			}
		}
		r.Strides[newBig], r.Lo[newBig], r.Hi[newBig] = v.Strides[bigAxis], v.Lo[bigAxis], v.Hi[bigAxis]
		return true
	}
	// Merge the old axes: each stride must be the next one's stride times size.
	stride, have := 0, false
	last := 0 // stride of the innermost axis
	for a := i - 1; a >= i0; a-- {
		if v.Shape[a] == 1 {
			continue
		}
		if have && v.Strides[a] != stride {
			return false
		}
		if !have {
			last, have = v.Strides[a], true
			stride = last
		}
		stride *= v.Shape[a]
	}
	s := last
	for a := j - 1; a >= j0; a-- {
		r.Strides[a] = s
		s *= r.Shape[a]
	}
	return true
}

func (v *View) dropFullMask() {
	for a := range v.Shape {
		if v.Lo[a] != 0 || v.Hi[a] != v.Shape[a] {
			return
		}
	}
	v.Lo, v.Hi = nil, nil
}

// Bounds returns the smallest and largest element position that the view
// reads; ok is false where it reads none.
func (v View) Bounds() (lo, hi int, ok bool) {
	lo, hi = v.Offset, v.Offset
	for a, n := range v.Shape {
		first, last := 0, n-1
		if v.Masked() {
			first, last = v.Lo[a], v.Hi[a]-1
		}
		if last < first {
			return 0, 0, false
		}
		x, y := first*v.Strides[a], last*v.Strides[a]
		lo += min(x, y)
		hi += max(x, y)
	}
	return lo, hi, true
}

// Index returns the element position of p in the slot; ok is false where p is
// masked off.
func (v View) Index(p []int) (i int, ok bool) {
	i = v.Offset
	for a, x := range p {
		if v.Masked() && (x < v.Lo[a] || x >= v.Hi[a]) {
			return 0, false
		}
		i += x * v.Strides[a]
	}
	return i, true
}

// Equal reports whether the views are the same.
func (v View) Equal(w View) bool {
	return v.Offset == w.Offset && slices.Equal(v.Shape, w.Shape) && slices.Equal(v.Strides, w.Strides) &&
		slices.Equal(v.Lo, w.Lo) && slices.Equal(v.Hi, w.Hi)
}

// String prints "[2 3]" for a contiguous view and "[2 3]+4*[1 2]" for offset 4
// and strides 1, 2; a mask prints as "{0:2 1:3}".
func (v View) String() string {
	var b strings.Builder
	fmt.Fprint(&b, v.Shape)
	if v.IsContiguous() {
		return b.String()
	}
	if v.Offset != 0 {
		fmt.Fprintf(&b, "%+d", v.Offset)
	}
	fmt.Fprintf(&b, "*%v", v.Strides)
	if v.Masked() {
		b.WriteByte('{')
		for a := range v.Lo {
			if a > 0 {
				b.WriteByte(' ')
			}
			fmt.Fprintf(&b, "%d:%d", v.Lo[a], v.Hi[a])
		}
		b.WriteByte('}')
	}
	return b.String()
}

// ceilDiv returns ⌈a/b⌉ for b > 0.
func ceilDiv(a, b int) int {
	q := a / b
	if a%b > 0 {
		q++
	}
	return q
}
