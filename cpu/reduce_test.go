package cpu_test

import (
	"fmt"
	"testing"

	"github.com/fornax-ml/fornax/cpu"
	"github.com/fornax-ml/fornax/tensor/ir"
	"github.com/stretchr/testify/require"
)

// reduceView is a program that reduces a view of a slot of n elements over the
// axes after the first.
func reduceView(o ir.Op, n int, v ir.View) *prog {
	p := &prog{}
	x := p.in(ir.F32, n)
	d := o.ResultType(ir.F32)
	out := p.out(d, v.Shape[0])
	p.add(&ir.Reduce{
		Outer: v.Shape[:1], Inner: v.Shape[1:], Op: o, DType: ir.F32, Operands: []ir.Operand{{Slot: x, View: v}},
		Pre: ir.Chain{ld(ir.F32, 0)}, Post: ir.Chain{{Op: ir.OpAcc, DType: d}}, Stores: []ir.Store{{Slot: out}},
	})
	return p
}

// reduced runs reduceView over x.
func reduced(t *testing.T, d *cpu.Device, o ir.Op, x []float32, v ir.View) []byte {
	e, args := setup(t, d, reduceView(o, len(x), v))
	defer e.Free()
	write(t, args[0], x)
	run(t, e, args)
	out := read(t, args[1])
	for _, b := range args {
		b.Free()
	}
	return out
}

var reductions = []ir.Op{ir.OpSum, ir.OpMax, ir.OpMin, ir.OpArgMax, ir.OpArgMin}

// A row has the same bits whatever rows are beside it.
func TestRowAlone(t *testing.T) {
	eachLevel(t, func(t *testing.T, level string) {
		d := cpu.New(cpu.Options{Level: level, Workers: 2})
		defer d.Close()
		for _, inner := range []int{1, 2, 3, 4, 5, 7, 8, 9, 10, 15, 16, 17, 24, 31, 32, 33, 40, 47, 48, 63, 64, 65, 100, 128, 129, 255, 256, 257, 400, 512, 600, 1500} {
			rows := 1 + 4000/inner
			x := testFloats(rows * inner)
			for _, o := range reductions {
				all := reduced(t, d, o, x, ir.Contiguous([]int{rows, inner}))
				for _, r := range []int{0, 1, rows / 2, rows - 1} {
					if r >= rows {
						continue
					}
					one := reduced(t, d, o, x, ir.View{Offset: r * inner, Shape: []int{1, inner}, Strides: []int{0, 1}})
					require.Equal(t, one[:4], all[4*r:4*r+4], "%v of row %d of %d by %d", o, r, rows, inner)
				}
			}
		}
	})
}

// A column has the same bits whatever columns are beside it.
func TestColumnAlone(t *testing.T) {
	eachLevel(t, func(t *testing.T, level string) {
		d := cpu.New(cpu.Options{Level: level, Workers: 2})
		defer d.Close()
		for _, s := range [][2]int{{3, 5}, {32, 17}, {33, 70}, {100, 100}, {64, 1023}, {70, 1100}, {31, 4}} {
			t.Run(fmt.Sprint(s), func(t *testing.T) {
				rows, cols := s[0], s[1]
				x := testFloats(rows * cols)
				for _, o := range reductions {
					all := reduced(t, d, o, x, ir.View{Shape: []int{cols, rows}, Strides: []int{1, cols}})
					for _, c := range []int{0, (cols - 4) / 2, cols - 4} {
						some := reduced(t, d, o, x, ir.View{Offset: c, Shape: []int{4, rows}, Strides: []int{1, cols}})
						require.Equal(t, some[:16], all[4*c:4*c+16], "%v of columns from %d", o, c)
					}
				}
			})
		}
	})
}

// testFloats returns n numbers of both signs and several magnitudes.
func testFloats(n int) []float32 {
	x := make([]float32, n)
	h := uint32(7)
	for i := range x {
		h = h*1664525 + 1013904223
		x[i] = (float32(h>>8)/(1<<23) - 1) * float32(int(1)<<(h>>4&7))
	}
	return x
}
