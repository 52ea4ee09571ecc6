package lower_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/fornax-ml/fornax/shaders"
	"github.com/fornax-ml/fornax/shaders/spirv"
	"github.com/fornax-ml/fornax/tensor/ir"
	"github.com/fornax-ml/fornax/vk/internal/lower"
	"github.com/fornax-ml/fornax/vk/internal/splice"
)

// TestDispatchIsFresh fails when the op table changed and "go generate
// ./vk/internal/lower" was not run.
func TestDispatchIsFresh(t *testing.T) {
	got, err := os.ReadFile("../../../shaders/dispatch.glsl")
	require.NoError(t, err)
	assert.Equal(t, lower.DispatchGLSL(), string(got))
}

func TestEveryOpHasAFunction(t *testing.T) {
	set, err := shaders.Builtin()
	require.NoError(t, err)
	for _, name := range set.Names() {
		m, _ := set.Module(name)
		tm, err := splice.New(m.Words())
		require.NoError(t, err)
		for _, f := range lower.OpFuncs() {
			if !f.Wide {
				assert.True(t, tm.Has(f.Name), "%s: %s", name, f.Name)
			}
		}
	}
}

var opt = lower.Options{Device: "test", Buffers: 16, Workgroup: 128, Shared: 16 << 10, Align: 256, DTypes: lower.Narrow}

// build splices a dispatch's kernel and has spirv-val look at it.
func build(t *testing.T, d lower.Dispatch, suffix string) []uint32 {
	set, err := shaders.Builtin()
	require.NoError(t, err)
	m, ok := set.Module(d.Kernel.Module + suffix)
	require.True(t, ok, d.Kernel.Module+suffix)
	tm, err := splice.New(m.Words())
	require.NoError(t, err)
	words, err := tm.Build(d.Kernel.Bodies)
	require.NoError(t, err)
	if val, err := exec.LookPath("spirv-val"); err == nil {
		file := filepath.Join(t.TempDir(), "k.spv")
		require.NoError(t, os.WriteFile(file, spirv.WordsToBytes(words), 0o644))
		out, err := exec.Command(val, "--target-env", m.Target, file).CombinedOutput()
		old := strings.HasPrefix(d.Kernel.Module, "matmul_coop") && strings.Contains(string(out), "Invalid capability operand")
		if !old { // a validator from before cooperative matrices
			require.NoError(t, err, "%s", out)
		}
	}
	return words
}

func in(d ir.DType, n int) ir.Slot { return ir.Slot{DType: d, Len: n} }

func out(d ir.DType, n int) ir.Slot {
	return ir.Slot{Kind: ir.Output, DType: d, Len: n, Alias: ir.NoSlot}
}

func operand(slot int, shape ...int) ir.Operand {
	return ir.Operand{Slot: slot, View: ir.Contiguous(shape)}
}

func step(op ir.Op, d ir.DType, args ...int) ir.Step {
	return ir.Step{Op: op, DType: op.ResultType(d), From: d, Args: args}
}

// programs has one instruction of each family and way of cutting it.
func programs(d, index ir.DType) map[string]*ir.Program {
	one := func(in ir.Instr, inputs int, slots ...ir.Slot) *ir.Program {
		return &ir.Program{Slots: slots, Inputs: inputs, Outputs: len(slots) - inputs, Instrs: []ir.Instr{in}}
	}
	acc := ir.Step{Op: ir.OpAcc, DType: d}
	sh := []int{3, 5}
	masked := operand(1, 5).View.Pad(0, 1, 2).Slice(0, 1, 1, 5)
	masked = ir.View{Offset: masked.Offset, Shape: sh, Strides: []int{0, 1}, Lo: []int{0, 1}, Hi: []int{3, 4}}
	reduce := func(op ir.Op, outer, inner int) *ir.Program {
		r := &ir.Reduce{Outer: []int{outer}, Inner: []int{inner}, Op: op, DType: d, Operands: []ir.Operand{operand(0, outer, inner)},
			Pre: ir.Chain{{Op: ir.OpLoad, DType: d}, step(ir.OpSquare, d, 0)}, Reg: 1}
		r.Post = ir.Chain{{Op: ir.OpAcc, DType: op.ResultType(d)}}
		r.Stores = []ir.Store{{Slot: 1}}
		return one(r, 1, in(d, outer*inner), out(op.ResultType(d), outer))
	}
	matmul := func(post ir.Chain, o ir.Slot) *ir.Program {
		return one(&ir.MatMul{Batch: []int{2}, M: 3, N: 4, K: 5, DType: d, A: operand(0, 2, 3, 5), B: operand(1, 2, 5, 4),
			Post: post, Stores: []ir.Store{{Slot: 2, Reg: len(post) - 1}}}, 2, in(d, 30), in(d, 40), o)
	}
	return map[string]*ir.Program{
		"map": one(&ir.Map{Shape: sh, Operands: []ir.Operand{operand(0, 3, 5), {Slot: 1, View: masked, Fill: 1}},
			Chain:  ir.Chain{{Op: ir.OpLoad, DType: d}, {Op: ir.OpLoad, DType: d, K: 1}, step(ir.OpAdd, d, 0, 1), step(ir.OpLess, d, 0, 2)},
			Stores: []ir.Store{{Slot: 2, Reg: 2}, {Slot: 3, Reg: 3}}}, 2, in(d, 15), in(d, 5), out(d, 15), out(ir.Bool, 15)),
		"lane":    reduce(ir.OpSum, 5000, 4),
		"row":     reduce(ir.OpMax, 5000, 500),
		"cut":     reduce(ir.OpSum, 2, 100000),
		"arg":     reduce(ir.OpArgMax, 5000, 4),
		"arg row": reduce(ir.OpArgMin, 500, 500),
		"arg cut": reduce(ir.OpArgMin, 2, 100000),
		"matmul":  matmul(ir.Chain{acc, step(ir.OpNeg, d, 0)}, out(d, 24)),
		"matmul to bool": matmul(ir.Chain{acc, step(ir.OpNeg, d, 0), step(ir.OpLess, d, 0, 1)},
			out(ir.Bool, 24)),
		"gather": one(&ir.Gather{Shape: []int{3, 2}, Axis: 0, DType: d, X: operand(0, 7, 2), Index: operand(1, 3, 2), Dst: 2, Name: "G"},
			2, in(d, 14), in(index, 6), out(d, 6)),
		"scatteradd": one(&ir.ScatterAdd{Shape: []int{7, 2}, Axis: 0, DType: d, Base: operand(0, 7, 2), Index: operand(1, 30000, 2),
			Updates: operand(2, 30000, 2), Dst: 3, Name: "S"}, 3, in(d, 14), in(index, 60000), in(d, 60000), out(d, 14)),
	}
}

// TestSplicedModulesAreValid has spirv-val look at a kernel of every kind, and
// checks that nothing unused came along.
func TestSplicedModulesAreValid(t *testing.T) {
	wide := opt
	wide.DTypes = lower.Wide
	sub8 := opt
	sub8.Subgroup8 = true
	for _, c := range []struct {
		name     string
		o        lower.Options
		d, index ir.DType
	}{{"narrow", opt, ir.F32, ir.I32}, {"half", opt, ir.F16, ir.I32}, {"bfloat", sub8, ir.BF16, ir.U32}, {"subgroup", sub8, ir.F32, ir.U8}, {"wide", wide, ir.F64, ir.I64}} {
		for name, p := range programs(c.d, c.index) {
			t.Run(c.name+"/"+name, func(t *testing.T) {
				require.NoError(t, p.Check())
				pl, err := lower.Lower(p, c.o)
				require.NoError(t, err)
				require.NotEmpty(t, pl.Dispatches)
				for _, d := range pl.Dispatches {
					for _, suffix := range []string{"", "_address"} {
						words := build(t, d, suffix)
						assert.Less(t, len(words), 8000)
						m, err := spirv.Parse(words)
						require.NoError(t, err)
						r, err := spirv.Reflect(m)
						require.NoError(t, err)
						want := 1 // the block
						if suffix == "" {
							want += len(d.Bindings)
						}
						assert.Len(t, r.Bindings, want)
						if c.d != ir.F64 {
							assert.NotContains(t, r.Capabilities, "Float64")
							assert.NotContains(t, r.Capabilities, "Int64")
						}
					}
				}
			})
		}
	}
}

// TestNumbersAreData: another batch size gives the same kernels.
func TestNumbersAreData(t *testing.T) {
	make := func(n int) *ir.Program {
		sh := []int{n, 5}
		return &ir.Program{Inputs: 2, Outputs: 1, Slots: []ir.Slot{in(ir.F32, 5*n), in(ir.F32, 5), out(ir.F32, 5*n)},
			Instrs: []ir.Instr{&ir.Map{Shape: sh, Operands: []ir.Operand{operand(0, sh...), {Slot: 1, View: ir.View{Shape: sh, Strides: []int{0, 1}}}},
				Chain: ir.Chain{{Op: ir.OpLoad, DType: ir.F32}, {Op: ir.OpLoad, DType: ir.F32, K: 1}, step(ir.OpMul, ir.F32, 0, 1)}, Stores: []ir.Store{{Slot: 2, Reg: 2}}}}}
	}
	a, err := lower.Lower(make(7), opt)
	require.NoError(t, err)
	b, err := lower.Lower(make(64), opt)
	require.NoError(t, err)
	assert.Equal(t, a.Dispatches[0].Kernel.Key(), b.Dispatches[0].Kernel.Key())
	assert.NotEqual(t, a.Dispatches[0].Block, b.Dispatches[0].Block)
}
