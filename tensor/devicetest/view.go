package devicetest

import (
	"slices"
	"testing"

	"github.com/fornax-ml/fornax/tensor/ir"
	"github.com/fornax-ml/fornax/tensor/ir/ref"
)

// A viewCase is a view over a slot of n elements.
type viewCase struct {
	name string
	n    int
	view ir.View
}

func viewCases() []viewCase {
	reshape := func(v ir.View, shape ...int) ir.View {
		w, ok := v.Reshape(shape)
		if !ok {
			panic("devicetest: view needs a copy")
		}
		return w
	}
	deep := contiguous(2, 1, 3, 2, 1, 2, 3, 2)
	masked := contiguous(5, 7).Pad(0, 1, 2).Pad(1, 3, 0)
	return []viewCase{
		{"rank 0", 3, ir.View{Offset: 2, Shape: []int{}, Strides: []int{}}},
		{"offset", 300, contiguous(300).Slice(0, 43, 1, 257)},
		{"transposed", 37 * 41, contiguous(37, 41).Permute([]int{1, 0})},
		{"transposed, narrow", 3 * 255, contiguous(3, 255).Permute([]int{1, 0})},
		{"rows swapped", 5 * 7 * 11, contiguous(5, 7, 11).Permute([]int{1, 0, 2})},
		{"rotated", 5 * 7 * 11, contiguous(5, 7, 11).Permute([]int{2, 0, 1})},
		{"batch of transposed", 3 * 4 * 5 * 6, contiguous(3, 4, 5, 6).Permute([]int{0, 2, 3, 1})},
		{"step", 257, contiguous(257).Slice(0, 1, 3, 85)},
		{"flipped", 255, contiguous(255).Slice(0, 254, -1, 255)},
		{"both flipped", 17 * 9, contiguous(17, 9).Slice(0, 16, -2, 9).Slice(1, 8, -1, 9)},
		{"window", 20 * 30, contiguous(20, 30).Slice(0, 3, 1, 11).Slice(1, 5, 2, 12)},
		{"rows repeated", 33, contiguous(1, 33).Expand([]int{17, 33})},
		{"columns repeated", 17, contiguous(17, 1).Expand([]int{17, 33})},
		{"one repeated", 1, contiguous(1, 1, 1).Expand([]int{5, 3, 7})},
		{"middle repeated", 12, contiguous(3, 1, 4).Expand([]int{3, 9, 4})},
		{"overlapping", 30, ir.View{Shape: []int{26, 5}, Strides: []int{1, 1}}},
		{"rank 8", 144, deep.Permute([]int{7, 5, 2, 0, 4, 6, 3, 1})},
		{"rank 8, contiguous", 144, deep},
		{"merging", 2 * 3 * 35, reshape(contiguous(6, 35).Slice(0, 5, -1, 6), 2, 3, 5, 7)},
		{"padded", 100, contiguous(100).Pad(0, 20, 9)},
		{"padded, rank 2", 35, masked},
		{"padded, transposed", 35, masked.Permute([]int{1, 0}).Slice(1, 7, -1, 8)},
		{"padded, flipped, step", 64, contiguous(8, 8).Slice(1, 7, -1, 8).Pad(1, 2, 2).Slice(1, 1, 2, 5)},
		{"padded, repeated", 6, contiguous(1, 6).Pad(1, 1, 1).Expand([]int{4, 8})},
		{"all padding", 4, contiguous(4).Slice(0, 0, 1, 0).Pad(0, 3, 4)},
		{"empty", 10, contiguous(10).Slice(0, 0, 1, 0)},
		{"empty, rank 3", 0, contiguous(3, 0, 2)},
	}
}

// testViews copies elements of each dtype through views of all kinds, then
// adds what two views read.
func (s *suite) testViews(t *testing.T) {
	for _, d := range s.dtypes(ir.Any) {
		ok := s.sub(t, d.String(), func(t *testing.T) {
			r := ref.Rand(1, "view"+d.String())
			b := &builder{}
			for i, c := range viewCases() {
				x := ref.AnyBits(r, d, c.n)
				fill := ir.FloatBits(d, []float64{0, 3.5, 1, -2}[i%4])
				if i%3 == 0 && d.IsFloat() {
					fill = ir.Identity(ir.OpMax, d)
				}
				var ch chain
				ch.output(b, ir.Size(c.view.Shape), ch.loadFill(d, b.input(x), c.view, fill))
				b.add(ch.asMap(c.view.Shape...))
			}
			s.check(t, b, exact)
		})
		if s.o.Report != nil {
			for _, o := range []ir.Op{ir.OpLoad, ir.OpReshape, ir.OpPermute, ir.OpSlice, ir.OpExpand, ir.OpPad} {
				s.o.Report(o, d, ok)
			}
		}
	}
	for _, d := range s.dtypes(ir.Numbers) {
		s.sub(t, "pairs/"+d.String(), func(t *testing.T) {
			r := ref.Rand(1, "pairs"+d.String())
			b := &builder{}
			for _, x := range some(s, d, viewCases()) {
				for _, y := range viewCases() {
					if x.name < y.name && slices.Equal(x.view.Shape, y.view.Shape) {
						s.addPair(b, d, x, y, ref.Whole(r, d, x.n, -50, 50), ref.Whole(r, d, y.n, -50, 50))
					}
				}
				// Every shape also meets a contiguous and a repeated operand.
				n := ir.Size(x.view.Shape)
				s.addPair(b, d, x, viewCase{"", n, contiguous(x.view.Shape...)}, ref.Whole(r, d, x.n, -50, 50), ref.Whole(r, d, n, -50, 50))
				one := make([]int, len(x.view.Shape))
				for a := range one {
					one[a] = 1
				}
				s.addPair(b, d, x, viewCase{"", 1, contiguous(one...).Expand(x.view.Shape)}, ref.Whole(r, d, x.n, -50, 50), ref.Whole(r, d, 1, -50, 50))
			}
			s.check(t, b, exact)
		})
	}
}

func (s *suite) addPair(b *builder, d ir.DType, x, y viewCase, xv, yv ref.Values) {
	var c chain
	i := c.loadFill(d, b.input(xv), x.view, ir.FloatBits(d, 3))
	j := c.loadFill(d, b.input(yv), y.view, ir.FloatBits(d, 9))
	c.output(b, ir.Size(x.view.Shape), c.op(ir.OpSub, i, j))
	b.add(c.asMap(x.view.Shape...))
}
