package lower_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/fornax-ml/fornax/shaders/spirv"
	"github.com/fornax-ml/fornax/tensor/ir"
	"github.com/fornax-ml/fornax/vk/internal/lower"
)

// TestMatrixKernelsFit: for the fragments that GPUs have, each kernel's tile is
// made of whole loads and whole fragments, and there is a kernel for every layout.
func TestMatrixKernelsFit(t *testing.T) {
	for name, x := range map[string]lower.Matrix{
		"NVIDIA": {M: 16, N: 16, K: 16, Subgroup: 32}, "NVIDIA 16x8x16": {M: 16, N: 8, K: 16, Subgroup: 32}, "AMD": {M: 16, N: 16, K: 16, Subgroup: 64},
		"AMD wave32": {M: 16, N: 16, K: 16, Subgroup: 32}, "Intel": {M: 8, N: 16, K: 16, Subgroup: 16}, "Intel 32": {M: 8, N: 16, K: 16, Subgroup: 32},
		"lavapipe": {M: 8, N: 8, K: 8, Subgroup: 8},
	} {
		t.Run(name, func(t *testing.T) {
			o := opt
			o.Workgroup, o.Shared, o.Matrices = 256, 32<<10, map[ir.DType]lower.Matrix{ir.F16: x}
			for layout := range 4 {
				p := lower.Product{Batch: 1, M: 300, N: 200, K: 40, Parts: 1, DType: ir.F32, Stored: ir.F16, AlongK: layout&1 != 0, AlongN: layout&2 != 0, RunA: 8, RunB: 1}
				l := lower.MatMulKernels(p, o)
				require.NotEmpty(t, l)
				for _, k := range l {
					s := k.Kernel().Spec
					require.Equal(t, "matmul_coop_f16", k.Module)
					assert.Equal(t, uint32(x.Subgroup), s[0]/(s[1]*s[2]), k.Variant())
					assert.EqualValues(t, k.BM, s[1]*s[3]*s[10], k.Variant())
					assert.EqualValues(t, k.BN, s[2]*s[4]*s[11], k.Variant())
					assert.Zero(t, s[5]%s[12], k.Variant())
					for _, edge := range []int{k.BM, k.BN} {
						assert.Zero(t, uint32(edge)*s[5]%(8*s[0]), k.Variant())
						assert.Zero(t, edge%8, k.Variant())
					}
				}
				p.Stored = ir.BF16 // which these units do not multiply
				assert.NotContains(t, lower.MatMulKernels(p, o)[0].Module, "coop")
			}
		})
	}
}

// TestWholeKernelsFit: the same of flexible matrices, whose kernels add products in steps of
// one depth, as sums follow it.
func TestWholeKernelsFit(t *testing.T) {
	for name, x := range map[string]lower.Matrix{
		"workgroup of 256": {M: 32, N: 32, K: 16, Subgroup: 32, Flexible: 512, Workgroup: 256, Reserved: 4096},
		"workgroup of 128": {M: 32, N: 16, K: 16, Subgroup: 32, Flexible: 512, Workgroup: 128},
		"subgroup":         {M: 16, N: 16, K: 16, Subgroup: 32, Flexible: 256},
		"lavapipe":         {M: 8, N: 8, K: 8, Subgroup: 8, Flexible: 1024},
	} {
		t.Run(name, func(t *testing.T) {
			o := opt
			o.Workgroup, o.Shared, o.Flexible = 256, 48<<10, map[ir.DType]lower.Matrix{ir.F16: x}
			for layout := range 4 {
				p := lower.Product{Batch: 1, M: 300, N: 200, K: 40, Parts: 1, DType: ir.F32, Stored: ir.F16, AlongK: layout&1 != 0, AlongN: layout&2 != 0, RunA: 8, RunB: 8}
				l := lower.MatMulKernels(p, o)
				require.GreaterOrEqual(t, len(l), 2)
				for _, k := range l {
					s := k.Kernel().Spec
					require.Equal(t, "matmul_coop2_f16", k.Module)
					assert.Equal(t, []uint32{1, 1, 1, 1}, s[1:5])
					assert.Equal(t, []uint32{uint32(k.BM), uint32(k.BN), uint32(2 * x.K)}, s[10:13])
					assert.LessOrEqual(t, max(k.BM, k.BN), x.Flexible)
					assert.Zero(t, k.BM%x.M+k.BN%x.N, k.Variant())
					assert.Zero(t, s[5]%s[12], k.Variant())
					threads, scope := x.Subgroup, uint32(3)
					if x.Workgroup > 0 {
						threads, scope = x.Workgroup, 2
					}
					assert.EqualValues(t, threads, s[0])
					assert.Equal(t, scope, s[14])
					for _, edge := range []int{k.BM, k.BN} {
						assert.Zero(t, uint32(edge)*s[5]%(8*s[0]), k.Variant())
					}
				}
			}
		})
	}
}

// TestMatrixKernelsSplice: what is spliced into the kernels for matrix units is a module
// with the buffers it needs, and results of 16 bits are stored by the epilogue.
func TestMatrixKernelsSplice(t *testing.T) {
	o := opt
	o.Workgroup, o.Shared = 256, 32<<10
	x := lower.Matrix{M: 16, N: 16, K: 16, Subgroup: 32}
	o.Matrices = map[ir.DType]lower.Matrix{ir.F16: x, ir.BF16: x}
	matrixKernelsSplice(t, o, false)
	x.Flexible = 512
	o.Flexible = map[ir.DType]lower.Matrix{ir.F16: x, ir.BF16: x}
	matrixKernelsSplice(t, o, true)
}

func matrixKernelsSplice(t *testing.T, o lower.Options, flexible bool) {
	for _, d := range []ir.DType{ir.F16, ir.BF16} {
		for _, n := range []int{40, 42} {
			v := func(slot, rows, columns int) ir.Operand { return operand(slot, rows, columns) }
			p := &ir.Program{Slots: []ir.Slot{in(d, 20*30), in(d, 30*n), out(d, 20*n)}, Inputs: 2, Outputs: 1, Instrs: []ir.Instr{&ir.MatMul{
				M: 20, N: n, K: 30, DType: d, A: v(0, 20, 30), B: v(1, 30, n), Post: ir.Chain{{Op: ir.OpAcc, DType: d}}, Stores: []ir.Store{{Slot: 2}},
			}}}
			pl, err := lower.Lower(p, o)
			require.NoError(t, err)
			want := 1                 // of the dispatches: rows of 42 halves are not fours
			if n%4 != 0 || flexible { // which have no four in a row
				want = 2
			}
			require.Len(t, pl.Dispatches, want)
			k := pl.Dispatches[0].Kernel
			require.Equal(t, flexible, strings.HasPrefix(k.Module, "matmul_coop2_"))
			require.Equal(t, !flexible, strings.HasPrefix(k.Module, "matmul_coop_"))
			assert.Equal(t, 32, k.Subgroup)
			for _, suffix := range []string{"", "_address"} {
				m, err := spirv.Parse(build(t, pl.Dispatches[0], suffix))
				require.NoError(t, err)
				r, err := spirv.Reflect(m)
				require.NoError(t, err)
				assert.Contains(t, r.Capabilities, "CooperativeMatrixKHR")
				if flexible {
					assert.Contains(t, r.Capabilities, "CooperativeMatrixPerElementOperationsNV")
				}
				buffers := 1
				if suffix == "" {
					buffers += 3
				}
				assert.LessOrEqual(t, len(r.Bindings), buffers+2) // and views of A and B in fours
			}
		}
	}
}
