package cpu_test

import (
	"bytes"
	"fmt"
	"testing"

	"github.com/fornax-ml/fornax/cpu"
	"github.com/fornax-ml/fornax/tensor/ir"
	"github.com/stretchr/testify/require"
)

// A map over tiles reads and writes the elements that the views say, with any
// axes, sizes and dtypes.
func TestTransposed(t *testing.T) {
	cases := []struct {
		shape, perm []int // of memory
	}{
		{[]int{40, 30}, []int{1, 0}},
		{[]int{1000, 600}, []int{1, 0}},
		{[]int{513, 129}, []int{1, 0}},
		{[]int{3, 700}, []int{1, 0}},
		{[]int{700, 9}, []int{1, 0}},
		{[]int{5, 33, 65}, []int{0, 2, 1}},
		{[]int{33, 5, 65}, []int{2, 1, 0}},
		{[]int{17, 5, 20}, []int{2, 0, 1}},
		{[]int{4, 9, 16, 31}, []int{3, 1, 0, 2}},
		{[]int{64, 2048}, []int{1, 0}},
	}
	dtypes := []ir.DType{ir.F32, ir.F16, ir.BF16, ir.F64, ir.I8, ir.I32, ir.I64}
	eachLevel(t, func(t *testing.T, level string) {
		for _, workers := range []int{1, 3} {
			d := cpu.New(cpu.Options{Level: level, Workers: workers})
			for i, c := range cases {
				dt := dtypes[i%len(dtypes)]
				t.Run(fmt.Sprintf("%v/%v/%v/%d", dt, c.shape, c.perm, workers), func(t *testing.T) {
					v := ir.Contiguous(c.shape).Permute(c.perm)
					n := ir.Size(c.shape)
					p := &prog{}
					x, y := p.in(dt, n), p.in(dt, n)
					one, other, sum := p.out(dt, n), p.out(dt, n), p.out(dt, n)
					same := ir.Contiguous(v.Shape)
					p.add(&ir.Map{Shape: v.Shape, Operands: []ir.Operand{{Slot: x, View: v}, {Slot: y, View: same}},
						Chain:  ir.Chain{ld(dt, 0), ld(dt, 1), op(ir.OpAdd, dt, 0, 1)},
						Stores: []ir.Store{{Slot: one, Reg: 0}, {Slot: other, Reg: 1}, {Slot: sum, Reg: 2}}})
					e, args := setup(t, d, p)
					run(t, e, args)
					in, add := read(t, args[x]), read(t, args[y])
					size := dt.Size()
					turned, total := make([]byte, n*size), make([]byte, n*size)
					for k := range n {
						at, rest := 0, k
						for a := len(v.Shape) - 1; a >= 0; a-- {
							at += rest % v.Shape[a] * v.Strides[a]
							rest /= v.Shape[a]
						}
						copy(turned[k*size:(k+1)*size], in[at*size:])
						if dt == ir.F32 {
							floats(total)[k] = floats(in)[at] + floats(add)[k]
						}
					}
					require.True(t, bytes.Equal(turned, read(t, args[one])[:n*size]))
					require.True(t, bytes.Equal(add[:n*size], read(t, args[other])[:n*size]))
					if dt == ir.F32 {
						require.True(t, bytes.Equal(total, read(t, args[sum])[:n*size]))
					}
				})
			}
			d.Close()
		}
	})
}

// Results so large that they are stored past the cache are those that small
// ones are, and all are there when the run ends; over tiles, too.
func TestStreamed(t *testing.T) {
	const rows, cols = 2900, 2896
	const n = rows * cols // over 32 MiB
	a, b := make([]float32, n), make([]float32, n)
	for i := range a {
		a[i], b[i] = float32(i%1001), float32(i%777)
	}
	eachLevel(t, func(t *testing.T, level string) {
		d := cpu.New(cpu.Options{Level: level, Workers: 2})
		defer d.Close()
		for _, turned := range []bool{false, true} {
			p := &prog{}
			x, y := p.in(ir.F32, n), p.in(ir.F32, n)
			sum, same := p.out(ir.F32, n-3), p.out(ir.F32, n-3)
			shape, view := []int{n - 3}, ir.Contiguous([]int{n - 3})
			if turned {
				p = &prog{}
				p.in(ir.F32, n)
				p.in(ir.F32, n)
				p.out(ir.F32, n)
				p.out(ir.F32, n)
				shape, view = []int{rows, cols}, ir.Contiguous([]int{cols, rows}).Permute([]int{1, 0})
			}
			p.add(&ir.Map{Shape: shape, Operands: []ir.Operand{load(x, shape...), {Slot: y, View: view}},
				Chain:  ir.Chain{ld(ir.F32, 0), ld(ir.F32, 1), op(ir.OpAdd, ir.F32, 0, 1)},
				Stores: []ir.Store{{Slot: sum, Reg: 2}, {Slot: same, Reg: 1}}})
			e, err := d.Compile(&p.Program)
			require.NoError(t, err)
			var args []ir.Buffer
			for range 4 {
				buf, err := d.NewBuffer(4 * n)
				require.NoError(t, err)
				args = append(args, buf)
			}
			write(t, args[x], a)
			write(t, args[y], b)
			run(t, e, args)
			total, second := floats(read(t, args[sum])), floats(read(t, args[same]))
			for i := range ir.Size(shape) {
				k := i
				if turned {
					k = i%cols*rows + i/cols
				}
				if total[i] != a[i]+b[k] || second[i] != b[k] {
					t.Fatalf("element %d is %v and %v, not %v and %v", i, total[i], second[i], a[i]+b[k], b[k])
				}
			}
			e.Free()
			for _, buf := range args {
				buf.Free()
			}
		}
	})
}
