//go:build cgo

package vk_test

import (
	"context"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/fornax-ml/fornax/tensor/ir"
	"github.com/fornax-ml/fornax/vk"
)

const chainGLSL = `#version 450
layout(local_size_x = 256) in;
layout(std430, binding = 0) readonly buffer X { float x[]; };
layout(std430, binding = 1) readonly buffer Y { float y[]; };
layout(std430, binding = 2) writeonly buffer Z { float z[]; };
layout(push_constant) uniform P { uint n; };
void main() {
	uint i = gl_GlobalInvocationID.x;
	if (i >= n) return;
	float a = x[i], b = y[i];
	float r = max((a + b) * a, b) + a;
	r = max(r * b, a) + b;
	z[i] = max(r * a, b) + a;
}`

var registerChain sync.Once

// tenOps is the same chain as a Map; with fewer than ten only its first ops.
func tenOps(n, ops int) *ir.Program {
	c := ir.Chain{load(0, ir.F32), load(1, ir.F32)}
	for i := range ops {
		op := []ir.Op{ir.OpAdd, ir.OpMul, ir.OpMaximum, ir.OpAdd, ir.OpMul, ir.OpMaximum, ir.OpAdd, ir.OpMul, ir.OpMaximum, ir.OpAdd}[i]
		second := []int{1, 0, 1, 0, 1, 0, 1, 0, 1, 0}[i]
		first := len(c) - 1
		if i == 0 {
			first = 0
		}
		c = append(c, apply(op, ir.F32, first, second))
	}
	return &ir.Program{
		Slots: []ir.Slot{in(ir.F32, n), in(ir.F32, n), out(ir.F32, n)}, Inputs: 2, Outputs: 1,
		Instrs: []ir.Instr{&ir.Map{Shape: []int{n}, Operands: []ir.Operand{whole(0, n), whole(1, n)}, Chain: c, Stores: []ir.Store{{Slot: 2, Reg: len(c) - 1}}}},
	}
}

// BenchmarkChain times a chain of ten cheap ops in turns with its first op alone and with
// the same chain written by hand.
func BenchmarkChain(b *testing.B) {
	const n = 1 << 22
	words := compileGLSL(b, chainGLSL)
	registerChain.Do(func() {
		ir.RegisterCustom(ir.CustomOp{
			Name:    "vk_test.chain",
			Outputs: func(in []ir.Type, _ []int64) ([]ir.Type, error) { return in[:1], nil },
			Kernels: map[string]any{"vulkan": vk.Kernel{
				SPIRV: words,
				Groups: func(in, _ []ir.Type, _ []int64) [3]uint32 {
					return [3]uint32{uint32(ir.Size(in[0].Shape)+255) / 256, 1, 1}
				},
				Params: func(in, _ []ir.Type, _ []int64) []uint32 { return []uint32{uint32(ir.Size(in[0].Shape))} },
			}},
		})
	})
	hand := tenOps(n, 1)
	hand.Instrs = []ir.Instr{&ir.Custom{Name: "vk_test.chain", Operands: []ir.Operand{whole(0, n), whole(1, n)}, Dst: []int{2}}}
	d := open(b, vk.Options{})
	var runs []func()
	for _, p := range []*ir.Program{tenOps(n, 10), tenOps(n, 1), hand} {
		require.NoError(b, p.Check())
		x, err := d.Compile(p)
		require.NoError(b, err)
		args := make([]ir.Buffer, 3)
		for i := range args {
			args[i], err = d.NewBuffer(4 * n)
			require.NoError(b, err)
			require.NoError(b, args[i].Write(0, make([]byte, 4*n)))
		}
		runs = append(runs, func() {
			require.NoError(b, x.Run(context.Background(), args, nil))
			require.NoError(b, d.Sync(context.Background()))
		})
	}
	var took [3]time.Duration
	for _, run := range runs {
		run()
	}
	for b.Loop() {
		for i, run := range runs {
			start := time.Now()
			run()
			took[i] += time.Since(start)
		}
	}
	b.ReportMetric(float64(took[0])/float64(took[1]), "of-one-op")
	b.ReportMetric(float64(took[0])/float64(took[2]), "of-hand-written")
	b.ReportMetric(12*n*float64(b.N)/took[0].Seconds()/1e9, "GB/s")
}

// BenchmarkNewChain times the compilation of a chain that nobody compiled before, of ops
// that passed their self-tests.
func BenchmarkNewChain(b *testing.B) {
	d := open(b, vk.Options{})
	compile := func(i int) {
		p := tenOps(1<<16, 10)
		m := p.Instrs[0].(*ir.Map)
		k := len(m.Chain)
		m.Chain = append(m.Chain, ir.Step{Op: ir.OpConst, DType: ir.F32, Imm: ir.FloatBits(ir.F32, float64(i)+0.5)}, apply(ir.OpMul, ir.F32, k-1, k))
		m.Stores[0].Reg = k + 1
		x, err := d.Compile(p)
		require.NoError(b, err)
		x.Free()
	}
	compile(-1)
	n := time.Now().Nanosecond() // not in a driver's cache from the last time
	for b.Loop() {
		n++
		compile(n)
	}
}
