//go:build cgo

package vk_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/fornax-ml/fornax/tensor/ir"
	"github.com/fornax-ml/fornax/vk"
)

// bench times runs of p; the first one, which may compile, is reported apart.
func bench(b *testing.B, d *vk.Device, p *ir.Program) {
	require.NoError(b, p.Check())
	x, err := d.Compile(p)
	require.NoError(b, err)
	args := make([]ir.Buffer, p.NumArgs())
	r := rand.New(rand.NewPCG(1, 2))
	for i := range args {
		args[i], err = d.NewBuffer(p.Slots[i].Bytes())
		require.NoError(b, err)
		if i < p.Inputs {
			require.NoError(b, args[i].Write(0, random(r, p.Slots[i].DType, p.Slots[i].Len, [2]float64{-1, 1})))
		}
	}
	one := func() {
		require.NoError(b, x.Run(context.Background(), args, nil))
		require.NoError(b, d.Sync(context.Background()))
	}
	start := time.Now()
	one()
	b.ReportMetric(float64(time.Since(start).Milliseconds()), "first-ms")
	for b.Loop() {
		one()
	}
}

func matmul(batch []int, m, n, k int) *ir.Program {
	nb := ir.Size(batch)
	sh := func(r, c int) []int { return append(append([]int{}, batch...), r, c) }
	return &ir.Program{
		Slots:  []ir.Slot{in(ir.F32, nb*m*k), in(ir.F32, nb*k*n), out(ir.F32, nb*m*n)},
		Inputs: 2, Outputs: 1,
		Instrs: []ir.Instr{&ir.MatMul{Batch: batch, M: m, N: n, K: k, DType: ir.F32, A: whole(0, sh(m, k)...), B: whole(1, sh(k, n)...),
			Post: ir.Chain{{Op: ir.OpAcc, DType: ir.F32}}, Stores: []ir.Store{{Slot: 2}}}},
	}
}

func BenchmarkMatMul(b *testing.B) {
	for _, n := range []int{32, 128, 256, 512, 1024} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			bench(b, open(b, vk.Options{}), matmul(nil, n, n, n))
			b.ReportMetric(2*float64(n*n*n)/float64(b.Elapsed().Nanoseconds())*float64(b.N), "GFLOP/s")
		})
	}
}

func BenchmarkMap(b *testing.B) {
	for _, op := range []ir.Op{ir.OpAdd, ir.OpExp} {
		for _, n := range []int{1 << 10, 1 << 16, 1 << 22} {
			for _, v := range variants[:2] {
				b.Run(fmt.Sprintf("%v/%d/%s", op, n, v.name), func(b *testing.B) {
					p := elementwise(op, ir.F32, ir.F32, n)
					bench(b, open(b, v.opt), p)
					b.ReportMetric(4*float64(n*p.NumArgs())/float64(b.Elapsed().Nanoseconds())*float64(b.N), "GB/s")
				})
			}
		}
	}
}

func BenchmarkReduce(b *testing.B) {
	for _, s := range [][2]int{{1, 1 << 22}, {1 << 11, 1 << 11}, {1 << 18, 16}} {
		for _, rows := range []bool{true, false} {
			b.Run(fmt.Sprintf("%dx%d/rows=%v", s[0], s[1], rows), func(b *testing.B) {
				v := ir.Contiguous([]int{s[0], s[1]})
				if !rows {
					v = ir.Contiguous([]int{s[1], s[0]}).Permute([]int{1, 0})
				}
				bench(b, open(b, vk.Options{}), &ir.Program{
					Slots: []ir.Slot{in(ir.F32, s[0]*s[1]), out(ir.F32, s[0])}, Inputs: 1, Outputs: 1,
					Instrs: []ir.Instr{&ir.Reduce{Outer: s[:1], Inner: s[1:], Op: ir.OpSum, DType: ir.F32, Operands: []ir.Operand{{Slot: 0, View: v}},
						Pre: ir.Chain{load(0, ir.F32)}, Post: ir.Chain{{Op: ir.OpAcc, DType: ir.F32}}, Stores: []ir.Store{{Slot: 1}}}},
				})
				b.ReportMetric(4*float64(s[0]*s[1])/float64(b.Elapsed().Nanoseconds())*float64(b.N), "GB/s")
			})
		}
	}
}

// BenchmarkScatterAdd adds the gradients of picked rows of an embedding to zeros.
func BenchmarkScatterAdd(b *testing.B) {
	for _, s := range [][3]int{{2000, 64, 512}, {50_000, 256, 8192}} {
		rows, columns, picks := s[0], s[1], s[2]
		b.Run(fmt.Sprintf("%dx%d/%d", rows, columns, picks), func(b *testing.B) {
			index := ir.Contiguous([]int{picks, 1}).Expand([]int{picks, columns})
			bench(b, open(b, vk.Options{}), &ir.Program{
				Slots: []ir.Slot{in(ir.I32, picks), in(ir.F32, picks*columns), out(ir.F32, rows*columns)}, Inputs: 2, Outputs: 1,
				Instrs: []ir.Instr{&ir.ScatterAdd{Shape: []int{rows, columns}, DType: ir.F32, Base: ir.Operand{Slot: ir.NoSlot}, Name: "bench",
					Index: ir.Operand{Slot: 0, View: index}, Updates: whole(1, picks, columns), Dst: 2}},
			})
			b.ReportMetric(4*float64(columns)*float64(rows+2*picks)/float64(b.Elapsed().Nanoseconds())*float64(b.N), "GB/s")
		})
	}
}

// BenchmarkTranspose copies a matrix transposed, through shared memory and without.
func BenchmarkTranspose(b *testing.B) {
	for _, n := range []int{512, 2048} {
		for name, off := range map[string][]string{"turn": nil, "spread": {"map turn"}} {
			b.Run(fmt.Sprintf("%d/%s", n, name), func(b *testing.B) {
				bench(b, open(b, vk.Options{LikeGPU: true, Disable: off}), &ir.Program{
					Slots: []ir.Slot{in(ir.F32, n*n), out(ir.F32, n*n)}, Inputs: 1, Outputs: 1,
					Instrs: []ir.Instr{&ir.Map{Shape: []int{n, n}, Chain: ir.Chain{load(0, ir.F32)}, Stores: []ir.Store{{Slot: 1}},
						Operands: []ir.Operand{{Slot: 0, View: ir.Contiguous([]int{n, n}).Permute([]int{1, 0})}}}},
				})
				b.ReportMetric(8*float64(n*n)/float64(b.Elapsed().Nanoseconds())*float64(b.N), "GB/s")
			})
		}
	}
}
