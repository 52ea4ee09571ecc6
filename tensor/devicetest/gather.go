package devicetest

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/fornax-ml/fornax/tensor/ir"
	"github.com/fornax-ml/fornax/tensor/ir/ref"
)

var indexTypes = ir.Class(1<<ir.I32 | 1<<ir.U32 | 1<<ir.U8 | 1<<ir.I64)

// An axisCase is a shape, the axis that an index replaces, and that axis's
// size on the other side.
type axisCase struct {
	shape []int
	axis  int
	size  int
}

func axisCases() []axisCase {
	return []axisCase{
		{[]int{17}, 0, 5}, {[]int{257}, 0, 100}, {[]int{7, 33}, 0, 20}, {[]int{9, 8}, 1, 130}, {[]int{3, 50, 4}, 1, 6},
		{[]int{4, 3, 31}, 2, 1}, {[]int{2, 2, 3, 2, 1, 2, 2, 3}, 2, 9}, {[]int{1, 1}, 1, 1}, {[]int{0, 4}, 0, 3}, {[]int{5, 0}, 1, 3}, {[]int{70, 64}, 0, 80}, {[]int{3, 200, 40}, 1, 35},
	}
}

// permuted returns a view of shape over memory whose axes lie in reverse.
func permuted(shape []int) ir.View {
	rev, perm := slices.Clone(shape), make([]int, len(shape))
	slices.Reverse(rev)
	for a := range perm {
		perm[a] = len(shape) - 1 - a
	}
	return contiguous(rev...).Permute(perm)
}

// padded returns a view of shape whose first position of an axis is masked.
func padded(shape []int, axis int) ir.View {
	s := slices.Clone(shape)
	if s[axis] == 0 {
		return contiguous(s...)
	}
	s[axis]--
	return contiguous(s...).Pad(axis, 1, 0)
}

// indices returns n indices below size.
func indices(r *rand.Rand, d ir.DType, n, size int) ref.Values {
	return ref.Whole(r, d, n, 0, max(min(size, 256)-1, 0))
}

// rowIndex returns an index of the axis alone, repeated over the other axes,
// as looking rows up in a table does.
func rowIndex(c axisCase) ir.View {
	one := make([]int, len(c.shape))
	for a := range one {
		one[a] = 1
	}
	one[c.axis] = c.shape[c.axis]
	return contiguous(one...).Expand(c.shape)
}

// testGather picks elements of each dtype by each index dtype, through plain,
// permuted, padded and repeated views.
func (s *suite) testGather(t *testing.T) {
	for _, d := range s.dtypes(ir.Any) {
		s.op(t, ir.OpGather, d, func(t *testing.T) {
			for _, id := range s.dtypes(indexTypes) {
				if id != ir.I32 && d != ir.F32 && s.short {
					continue
				}
				r := ref.Rand(1, fmt.Sprint("gather", d, id))
				b := &builder{}
				for _, c := range some(s, d, some(s, id, axisCases())) {
					from := slices.Clone(c.shape)
					from[c.axis] = c.size
					n, m := ir.Size(c.shape), ir.Size(from)
					gather := func(x int, xv ir.View, i int, iv ir.View) {
						b.add(&ir.Gather{Shape: c.shape, Axis: c.axis, DType: d, X: ir.Operand{Slot: x, View: xv, Fill: ir.FloatBits(d, 1)}, Index: operand(i, iv), Dst: b.output(d, n), Name: "gather"})
					}
					x, i := b.input(ref.AnyBits(r, d, m)), b.input(indices(r, id, n, c.size))
					gather(x, contiguous(from...), i, contiguous(c.shape...))
					gather(x, permuted(from), i, permuted(c.shape))
					gather(x, padded(from, c.axis), i, contiguous(c.shape...))
					gather(x, contiguous(from...).Slice(c.axis, c.size-1, -1, c.size), b.input(indices(r, id, c.shape[c.axis], c.size)), rowIndex(c))
				}
				s.check(t, b, exact)
			}
		})
	}
}

// testIndexErrors runs Gather and ScatterAdd with indices out of range: the
// element is not touched, the next call that waits returns the first, in C
// order of the index, and the one after it nothing.
func (s *suite) testIndexErrors(t *testing.T) {
	const n = 300
	for _, id := range s.dtypes(indexTypes) {
		for _, scatter := range []bool{false, true} {
			name := fmt.Sprintf("%v/%v", map[bool]string{false: "gather", true: "scatter"}[scatter], id)
			s.sub(t, name, func(t *testing.T) {
				r := ref.Rand(1, name)
				bad := ref.Whole(r, id, n, 0, 49)
				for _, at := range []int{299, 170, 41, 171} {
					bad.I[at] = 50 + int64(at%128)
				}
				bad.I[42] = 50
				if lo, _ := ir.IntRange(id); lo < 0 {
					bad.I[41] = -1
				}
				// An index whose low 32 bits are in range is still out of it.
				if id == ir.I64 {
					bad.I[41] = 1<<32 + 7
				}
				b := &builder{}
				if scatter {
					b.add(&ir.ScatterAdd{
						Shape: []int{50}, DType: ir.F32, Base: operand(ir.NoSlot, contiguous(50)), Index: operand(b.input(bad), contiguous(n)),
						Updates: operand(b.input(ref.Whole(r, ir.F32, n, 1, 9)), contiguous(n)), Dst: b.output(ir.F32, 50), Name: "put",
					})
				} else {
					b.add(&ir.Gather{
						Shape: []int{n}, DType: ir.F32, X: operand(b.input(ref.Whole(r, ir.F32, 50, 1, 9)), contiguous(50)),
						Index: operand(b.input(bad), contiguous(n)), Dst: b.output(ir.F32, n), Name: "take",
					})
				}
				s.checkIndexError(t, b)
			})
		}
	}
}
