package devicetest

import (
	"fmt"
	"slices"
	"testing"

	"github.com/fornax-ml/fornax/tensor/ir"
	"github.com/fornax-ml/fornax/tensor/ir/ref"
)

// testScatterAdd adds at indices with many duplicates. Their order is given,
// so float32 and float64 sums must agree to the bit; halves, whose
// intermediate precision is not given, add whole numbers.
func (s *suite) testScatterAdd(t *testing.T) {
	for _, d := range s.dtypes(ir.Numbers) {
		s.op(t, ir.OpScatterAdd, d, func(t *testing.T) {
			for _, id := range s.dtypes(indexTypes) {
				if id != ir.I32 && d != ir.F32 && s.short {
					continue
				}
				r := ref.Rand(1, fmt.Sprint("scatter", d, id))
				b := &builder{}
				for _, c := range some(s, d, some(s, id, axisCases())) {
					// c.shape is that of the updates.
					to := slices.Clone(c.shape)
					to[c.axis] = c.size
					n, m := ir.Size(c.shape), ir.Size(to)
					scatter := func(base ir.Operand, i int, iv ir.View, u int, uv ir.View) {
						b.add(&ir.ScatterAdd{
							Shape: to, Axis: c.axis, DType: d, Base: base, Index: operand(i, iv), Updates: operand(u, uv), Dst: b.output(d, m), Name: "scatter",
						})
					}
					i := b.input(indices(r, id, n, c.size))
					data := func(n int) int {
						switch {
						case d.IsInt():
							return b.input(ref.AnyBits(r, d, n))
						case d == ir.F16 || d == ir.BF16:
							return b.input(ref.Whole(r, d, n, -1, 1))
						}
						return b.input(ref.Uniform(r, d, n, -1, 1))
					}
					u, x := data(n), data(m)
					none := ir.Operand{Slot: ir.NoSlot}
					scatter(none, i, contiguous(c.shape...), u, contiguous(c.shape...))
					scatter(operand(x, contiguous(to...)), i, contiguous(c.shape...), u, permuted(c.shape))
					scatter(operand(x, permuted(to)), i, permuted(c.shape), u, contiguous(c.shape...))
					scatter(operand(x, padded(to, c.axis)), i, contiguous(c.shape...), u, padded(c.shape, c.axis))
					rows := b.input(indices(r, id, c.shape[c.axis], c.size))
					scatter(none, rows, rowIndex(c), u, contiguous(c.shape...))
					scatter(none, rows, rowIndex(c), data(1), ir.View{Shape: c.shape, Strides: make([]int, len(c.shape))})
				}
				s.check(t, b, exact)
			}
		})
	}
}
