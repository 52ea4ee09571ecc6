package lower_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/fornax-ml/fornax/shaders"
	"github.com/fornax-ml/fornax/shaders/spirv"
	"github.com/fornax-ml/fornax/tensor/ir"
	"github.com/fornax-ml/fornax/vk/lower"
	"github.com/fornax-ml/fornax/vk/splice"
)

// TestDispatchIsFresh fails when the op table changed and "go generate
// ./vk/lower" was not run.
func TestDispatchIsFresh(t *testing.T) {
	got, err := os.ReadFile("../../shaders/dispatch.glsl")
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
		out, err := exec.Command(val, "--target-env", "vulkan1.1", file).CombinedOutput()
		require.NoError(t, err, "%s", out)
	}
	return words
}

func TestSplicedMap(t *testing.T) {
	sh := []int{3, 5}
	p := &ir.Program{
		Slots:  []ir.Slot{{DType: ir.F32, Len: 15}, {DType: ir.F32, Len: 5}, {Kind: ir.Output, DType: ir.F32, Len: 15, Alias: ir.NoSlot}},
		Inputs: 2, Outputs: 1,
		Instrs: []ir.Instr{&ir.Map{Shape: sh,
			Operands: []ir.Operand{{Slot: 0, View: ir.Contiguous(sh)}, {Slot: 1, View: ir.View{Shape: sh, Strides: []int{0, 1}}}},
			Chain: ir.Chain{{Op: ir.OpLoad, DType: ir.F32}, {Op: ir.OpLoad, DType: ir.F32, K: 1},
				{Op: ir.OpAdd, DType: ir.F32, From: ir.F32, Args: []int{0, 1}}},
			Stores: []ir.Store{{Slot: 2, Reg: 2}}}},
	}
	require.NoError(t, p.Check())
	pl, err := lower.Lower(p, opt)
	require.NoError(t, err)
	require.Len(t, pl.Dispatches, 1)
	for _, suffix := range []string{"", "_address"} {
		words := build(t, pl.Dispatches[0], suffix)
		t.Logf("%d words", len(words))
		assert.Less(t, len(words), 1500)
	}
}
