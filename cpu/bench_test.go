package cpu_test

import (
	"flag"
	"fmt"
	"slices"
	"testing"
	"unsafe"

	"github.com/fornax-ml/fornax/cpu"
	"github.com/fornax-ml/fornax/tensor/ir"
)

var long = flag.Bool("long", false, "benchmark on larger data")

// bench runs p at every level and reports the rate of the best batch, as work
// per nanosecond under the given unit; prepare may set arguments.
func bench(b *testing.B, p *prog, work float64, unit string, prepare ...func(args []ir.Buffer)) {
	for _, level := range cpu.Levels() {
		for _, workers := range []int{1, 2} {
			b.Run(fmt.Sprintf("%s/workers=%d", level, workers), func(b *testing.B) {
				d := cpu.New(cpu.Options{Workers: workers, Level: level})
				defer d.Close()
				e, args := setup(b, d, p)
				for _, f := range prepare {
					f(args)
				}
				b.ReportAllocs()
				t := measure(b, nil, workers, work, func() { run(b, e, args) })
				b.ReportMetric(0, "ns/op")
				b.ReportMetric(work/t.ns, unit)
			})
		}
	}
}

func matmulProg(m, n, k int, transB bool, post ...ir.Step) *prog {
	return matmulOf(ir.F32, m, n, k, transB, post...)
}

// matmulOf is a product of matrices of d, followed by steps.
func matmulOf(d ir.DType, m, n, k int, transB bool, post ...ir.Step) *prog {
	p := &prog{}
	a, b := p.in(d, m*k), p.in(d, k*n)
	out := p.out(d, m*n)
	bo := load(b, k, n)
	if transB {
		bo = ir.Operand{Slot: b, View: ir.Contiguous([]int{n, k}).Permute([]int{1, 0})}
	}
	chain := append(ir.Chain{{Op: ir.OpAcc, DType: d}}, post...)
	p.add(&ir.MatMul{M: m, N: n, K: k, DType: d, A: load(a, m, k), B: bo, Post: chain, Stores: []ir.Store{{Slot: out, Reg: len(chain) - 1}}})
	return p
}

func BenchmarkMatMul(b *testing.B) {
	for _, n := range []int{16, 64, 128, 256, 512, 1024, 2048} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			bench(b, matmulProg(n, n, n, false), 2*float64(n)*float64(n)*float64(n), "GFLOP/s")
		})
	}
	for _, s := range [][3]int{{1, 1024, 1024}, {1024, 1, 1024}, {64, 10, 784}, {128, 128, 784}, {2, 1024, 1024}, {10, 784, 128}} {
		for _, tr := range []bool{false, true} {
			b.Run(fmt.Sprintf("%dx%dx%d/trans=%v", s[0], s[1], s[2], tr), func(b *testing.B) {
				bench(b, matmulProg(s[0], s[1], s[2], tr), 2*float64(s[0])*float64(s[1])*float64(s[2]), "GFLOP/s")
			})
		}
	}
	for _, d := range []ir.DType{ir.F16, ir.BF16, ir.F64} {
		for _, tr := range []bool{false, true} {
			b.Run(fmt.Sprintf("512/%v/trans=%v", d, tr), func(b *testing.B) {
				bench(b, matmulOf(d, 512, 512, 512, tr), 2*512*512*512, "GFLOP/s")
			})
		}
	}
	b.Run("256/relu", func(b *testing.B) {
		bench(b, matmulProg(256, 256, 256, false, op(ir.OpRelu, ir.F32, 0)), 2*256*256*256, "GFLOP/s")
	})
}

// mapProg is a chain over n elements of float32 operands.
func mapProg(n int, loads int, chain ir.Chain) *prog {
	return typedProg(n, chain[len(chain)-1].DType, chain, slices.Repeat([]ir.DType{ir.F32}, loads)...)
}

// typedProg is a chain over n elements of operands of the dtypes from.
func typedProg(n int, to ir.DType, chain ir.Chain, from ...ir.DType) *prog {
	p := &prog{}
	m := &ir.Map{Shape: []int{n}, Chain: chain}
	for _, d := range from {
		m.Operands = append(m.Operands, load(p.in(d, n), n))
	}
	m.Stores = []ir.Store{{Slot: p.out(to, n), Reg: len(chain) - 1}}
	p.add(m)
	return p
}

// BenchmarkMap works on a million elements, or with -long on 16 million.
func BenchmarkMap(b *testing.B) {
	n := 1 << 20
	if *long {
		n = 1 << 24
	}
	half := ir.Step{Op: ir.OpConst, DType: ir.F32, Imm: ir.FloatBits(ir.F32, 0.5)}
	b.Run("add", func(b *testing.B) {
		bench(b, mapProg(n, 2, ir.Chain{ld(ir.F32, 0), ld(ir.F32, 1), op(ir.OpAdd, ir.F32, 0, 1)}), 12*float64(n), "GB/s")
	})
	b.Run("copy", func(b *testing.B) {
		bench(b, mapProg(n, 1, ir.Chain{ld(ir.F32, 0)}), 8*float64(n), "GB/s")
	})
	b.Run("add/small", func(b *testing.B) {
		bench(b, mapProg(256, 2, ir.Chain{ld(ir.F32, 0), ld(ir.F32, 1), op(ir.OpAdd, ir.F32, 0, 1)}), 12*256, "GB/s")
	})
	b.Run("chain6", func(b *testing.B) {
		bench(b, mapProg(n, 2, ir.Chain{
			ld(ir.F32, 0), ld(ir.F32, 1), half, op(ir.OpMul, ir.F32, 0, 2), op(ir.OpAdd, ir.F32, 3, 1), op(ir.OpSquare, ir.F32, 4),
			op(ir.OpSub, ir.F32, 5, 0), op(ir.OpMaximum, ir.F32, 6, 2), op(ir.OpMul, ir.F32, 7, 1),
		}), 12*float64(n), "GB/s")
	})
	for _, o := range []ir.Op{
		ir.OpExp, ir.OpExp2, ir.OpExpm1, ir.OpLog, ir.OpLog2, ir.OpLog1p, ir.OpTanh, ir.OpSinh, ir.OpCosh, ir.OpSigmoid, ir.OpErf,
		ir.OpSin, ir.OpCos, ir.OpTan, ir.OpAsin, ir.OpAcos, ir.OpAtan, ir.OpRsqrt, ir.OpRelu, ir.OpSign,
	} {
		b.Run(o.String(), func(b *testing.B) {
			bench(b, mapProg(n, 1, ir.Chain{ld(ir.F32, 0), op(o, ir.F32, 0)}), 8*float64(n), "GB/s")
		})
	}
	for _, o := range []ir.Op{ir.OpPow, ir.OpAtan2} {
		b.Run(o.String(), func(b *testing.B) {
			bench(b, mapProg(n, 2, ir.Chain{ld(ir.F32, 0), op(ir.OpAbs, ir.F32, 0), ld(ir.F32, 1), op(o, ir.F32, 1, 2)}), 12*float64(n), "GB/s")
		})
	}
	b.Run("transpose", func(b *testing.B) {
		p := mapProg(n, 1, ir.Chain{ld(ir.F32, 0)})
		m := p.Instrs[0].(*ir.Map)
		m.Shape = []int{n / 1024, 1024}
		if *long {
			m.Shape = []int{4096, 4096}
		}
		m.Operands[0].View = ir.Contiguous([]int{m.Shape[1], m.Shape[0]}).Permute([]int{1, 0})
		bench(b, p, 8*float64(n), "GB/s")
	})
	b.Run("bias", func(b *testing.B) {
		p := mapProg(n, 2, ir.Chain{ld(ir.F32, 0), ld(ir.F32, 1), op(ir.OpAdd, ir.F32, 0, 1)})
		m := p.Instrs[0].(*ir.Map)
		m.Shape = []int{n / 128, 128}
		m.Operands[0].View = ir.Contiguous(m.Shape)
		m.Operands[1].View = ir.View{Shape: m.Shape, Strides: []int{0, 1}}
		bench(b, p, 8*float64(n), "GB/s")
	})
}

// BenchmarkTypes works on a million elements of other dtypes than float32; a rate
// counts the bytes read and written.
func BenchmarkTypes(b *testing.B) {
	n := 1 << 20
	for _, c := range [][2]ir.DType{
		{ir.F16, ir.F32}, {ir.F32, ir.F16}, {ir.BF16, ir.F32}, {ir.F32, ir.BF16}, {ir.F32, ir.I32}, {ir.I32, ir.F32}, {ir.U32, ir.F32},
		{ir.U8, ir.F32}, {ir.F32, ir.U8}, {ir.F32, ir.Bool}, {ir.I32, ir.U8}, {ir.I64, ir.I32}, {ir.F32, ir.F64}, {ir.F64, ir.F32},
	} {
		b.Run(fmt.Sprintf("cast/%v/%v", c[0], c[1]), func(b *testing.B) {
			cast := ir.Step{Op: ir.OpCast, DType: c[1], From: c[0], Args: []int{0}}
			bench(b, typedProg(n, c[1], ir.Chain{ld(c[0], 0), cast}, c[0]), float64(n*(c[0].Size()+c[1].Size())), "GB/s")
		})
	}
	for _, d := range []ir.DType{ir.F16, ir.BF16, ir.F64, ir.I32} {
		for _, o := range []ir.Op{ir.OpAdd, ir.OpMul, ir.OpMaximum, ir.OpLess} {
			b.Run(fmt.Sprintf("%v/%v", o, d), func(b *testing.B) {
				to := o.ResultType(d)
				bench(b, typedProg(n, to, ir.Chain{ld(d, 0), ld(d, 1), op(o, d, 0, 1)}, d, d), float64(n*(2*d.Size()+to.Size())), "GB/s")
			})
		}
	}
	for _, o := range []ir.Op{ir.OpDiv, ir.OpRem} {
		b.Run(fmt.Sprintf("%v/i32", o), func(b *testing.B) {
			bench(b, typedProg(n, ir.I32, ir.Chain{ld(ir.I32, 0), ld(ir.I32, 1), op(o, ir.I32, 0, 1)}, ir.I32, ir.I32), 12*float64(n), "GB/s")
		})
	}
	b.Run("and/bool", func(b *testing.B) {
		bench(b, typedProg(n, ir.Bool, ir.Chain{ld(ir.Bool, 0), ld(ir.Bool, 1), op(ir.OpAnd, ir.Bool, 0, 1)}, ir.Bool, ir.Bool), 3*float64(n), "GB/s")
	})
	for _, d := range []ir.DType{ir.U8, ir.F32, ir.I64} {
		b.Run(fmt.Sprintf("where/%v", d), func(b *testing.B) {
			bench(b, typedProg(n, d, ir.Chain{ld(ir.Bool, 0), ld(d, 1), ld(d, 2), op(ir.OpWhere, d, 0, 1, 2)}, ir.Bool, d, d), float64(n*(3*d.Size()+1)), "GB/s")
		})
	}
}

// rowsProg picks rows of a table by indices, or adds to them.
func rowsProg(table, width, picks int, add bool) *prog {
	p := &prog{}
	x, i := p.in(ir.F32, table*width), p.in(ir.I32, picks)
	index := ir.Operand{Slot: i, View: ir.View{Shape: []int{picks, width}, Strides: []int{1, 0}}}
	if !add {
		p.add(&ir.Gather{Shape: []int{picks, width}, DType: ir.F32, X: load(x, table, width), Index: index, Dst: p.out(ir.F32, picks*width)})
		return p
	}
	u := p.in(ir.F32, picks*width)
	p.add(&ir.ScatterAdd{Shape: []int{table, width}, DType: ir.F32, Base: load(x, table, width), Updates: load(u, picks, width), Index: index, Dst: p.outOver(ir.F32, table*width, x)})
	return p
}

// BenchmarkRows works on rows of an embedding.
func BenchmarkRows(b *testing.B) {
	const table, picks = 50000, 8192
	for _, width := range []int{10, 64, 256, 1000} {
		for _, add := range []bool{false, true} {
			b.Run(fmt.Sprintf("%d/add=%v", width, add), func(b *testing.B) {
				words := 2
				if add {
					words = 3
				}
				p := rowsProg(table, width, picks, add)
				bench(b, p, float64(4*words*picks*width), "GB/s", func(args []ir.Buffer) {
					index := make([]int32, picks)
					for i := range index {
						index[i] = int32(uint32(i*7919) * 2654435761 % table)
					}
					if err := args[1].Write(0, unsafe.Slice((*byte)(unsafe.Pointer(&index[0])), 4*picks)); err != nil {
						b.Fatal(err)
					}
				})
			})
		}
	}
}

func reduceProg(o ir.Op, rows, cols int, columns bool) *prog {
	p := &prog{}
	x := p.in(ir.F32, rows*cols)
	outer, inner := rows, cols
	v := ir.Contiguous([]int{rows, cols})
	if columns {
		outer, inner = cols, rows
		v = v.Permute([]int{1, 0})
	}
	d := o.ResultType(ir.F32)
	out := p.out(d, outer)
	p.add(&ir.Reduce{
		Outer: []int{outer}, Inner: []int{inner}, Op: o, DType: ir.F32, Operands: []ir.Operand{{Slot: x, View: v}},
		Pre: ir.Chain{ld(ir.F32, 0)}, Post: ir.Chain{{Op: ir.OpAcc, DType: d}}, Stores: []ir.Store{{Slot: out}},
	})
	return p
}

func BenchmarkReduce(b *testing.B) {
	for _, o := range []ir.Op{ir.OpSum, ir.OpMax, ir.OpArgMax} {
		for _, s := range [][2]int{{1, 1 << 20}, {1024, 1024}, {1 << 17, 8}, {1 << 14, 64}, {8, 1 << 17}} {
			for _, columns := range []bool{false, true} {
				b.Run(fmt.Sprintf("%v/%dx%d/columns=%v", o, s[0], s[1], columns), func(b *testing.B) {
					bench(b, reduceProg(o, s[0], s[1], columns), 4<<20, "GB/s")
				})
			}
		}
	}
}
