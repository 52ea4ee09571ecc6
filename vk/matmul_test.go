//go:build cgo

package vk_test

import (
	"fmt"
	"math"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/fornax-ml/fornax/tensor/ir"
	"github.com/fornax-ml/fornax/vk"
)

// halfProduct is a batch of two products of halves with a bias: a result that is
// packed, and unless N has no whole words one of float32.
func halfProduct(d ir.DType, m, n, k int, turnA, turnB bool) *ir.Program {
	matrix := func(slot, rows, columns int, turned bool) ir.Operand {
		v := ir.Contiguous([]int{2, rows, columns})
		if turned {
			v = ir.Contiguous([]int{2, columns, rows}).Permute([]int{0, 2, 1})
		}
		return ir.Operand{Slot: slot, View: v}
	}
	p := &ir.Program{Inputs: 3, Outputs: 1, Slots: []ir.Slot{in(d, 2*m*k), in(d, 2*k*n), in(d, n), out(d, 2*m*n)}}
	mm := &ir.MatMul{
		Batch: []int{2}, M: m, N: n, K: k, DType: d, A: matrix(0, m, k, turnA), B: matrix(1, k, n, turnB),
		PostOperands: []ir.Operand{{Slot: 2, View: ir.View{Shape: []int{2, m, n}, Strides: []int{0, 0, 1}}}},
		Post:         ir.Chain{{Op: ir.OpAcc, DType: d}, load(0, d), apply(ir.OpAdd, d, 0, 1)},
		Stores:       []ir.Store{{Slot: 3, Reg: 2}},
	}
	if n%2 == 0 {
		p.Slots, p.Outputs = append(p.Slots, out(ir.F32, 2*m*n)), 2
		mm.Post = append(mm.Post, ir.Step{Op: ir.OpCast, DType: ir.F32, From: d, Args: []int{2}})
		mm.Stores = append(mm.Stores, ir.Store{Slot: 4, Reg: 3})
	}
	p.Instrs = []ir.Instr{mm}
	return p
}

// TestMatrixUnits runs products on cooperative matrices, those of Khronos and the flexible
// ones of NVIDIA, where the device has them: in every layout, at sizes around those of tiles,
// with NaN and infinities. Another tile gives the same bits.
func TestMatrixUnits(t *testing.T) {
	for tier, kernels := range map[int]string{2: "matmul_coop_", 3: "matmul_coop2_"} {
		t.Run(fmt.Sprint("tier", tier), func(t *testing.T) { matrixUnits(t, tier, kernels) })
	}
}

func matrixUnits(t *testing.T, tier int, kernels string) {
	d := open(t, vk.Options{LikeGPU: true, Profile: true, Tier: tier})
	if d.Info().Tier < tier {
		t.Skip("the device lacks these cooperative matrices")
	}
	module := func(d *vk.Device) string {
		for _, k := range d.Profile() {
			if strings.HasPrefix(k.Kernel, "matmul") && strings.Contains(k.Instr, " [2] ") && strings.Contains(k.Instr, "add") {
				return k.Kernel
			}
		}
		return ""
	}
	tried := 0
	for _, dtype := range []ir.DType{ir.F16, ir.BF16} {
		for _, size := range [][3]int{{8, 8, 8}, {17, 33, 65}, {64, 64, 64}, {31, 12, 257}, {255, 36, 24}, {40, 136, 96}, {9, 10, 1000}} {
			for turned := range 4 {
				name := fmt.Sprintf("%v/%v/%d", dtype, size, turned)
				t.Run(name, func(t *testing.T) {
					p := halfProduct(dtype, size[0], size[1], size[2], turned&1 != 0, turned&2 != 0)
					r := rand.New(rand.NewPCG(1, uint64(turned)))
					var inputs [][]byte
					for _, s := range p.Slots[:3] {
						inputs = append(inputs, random(r, dtype, s.Len, [2]float64{-1, 1}))
					}
					for i, v := range []float64{math.NaN(), math.Inf(1), math.Inf(-1)} {
						ir.PutBits(dtype, inputs[0], i*size[2], ir.FloatBits(dtype, v))
					}
					d := open(t, vk.Options{LikeGPU: true, Profile: true, Tier: tier})
					same(t, d, p, inputs, 2, 2e-2)
					kernel := module(d)
					if !strings.HasPrefix(kernel, kernels) {
						assert.NotContains(t, fmt.Sprint(d.Report()), kernels+dtype.String()+" on:")
						return
					}
					tried++
					got, err := run(t, d, p, inputs)
					require.NoError(t, err)
					other := open(t, vk.Options{LikeGPU: true, Profile: true, Tier: tier, Disable: []string{kernel}})
					again, err := run(t, other, p, inputs)
					require.NoError(t, err)
					assert.NotEqual(t, kernel, module(other))
					assert.Equal(t, got, again)
				})
			}
		}
	}
	assert.NotZero(t, tried)
}
