//go:build cgo

package vk_test

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/fornax-ml/fornax/shaders/spirv"
	"github.com/fornax-ml/fornax/tensor/ir"
	"github.com/fornax-ml/fornax/vk"
)

const scaleGLSL = `#version 450
layout(local_size_x = 64) in;
layout(constant_id = 0) const float BIAS = 0.0;
layout(push_constant) uniform Params { uint n; float factor; };
layout(set = 0, binding = 0) readonly buffer X { float x[]; };
layout(set = 0, binding = 1) writeonly buffer Y { float y[]; };
void main() {
	uint i = gl_GlobalInvocationID.x;
	if (i < n) y[i] = x[i] * factor + BIAS;
}`

// compileGLSL compiles a kernel with the system's compiler.
func compileGLSL(t testing.TB, src string) []uint32 {
	glslc, err := exec.LookPath("glslc")
	if err != nil {
		t.Skip("no glslc")
	}
	dir := t.TempDir()
	require.NoError(t, os.WriteFile(filepath.Join(dir, "k.comp"), []byte(src), 0o644))
	msg, err := exec.Command(glslc, "-o", filepath.Join(dir, "k.spv"), filepath.Join(dir, "k.comp")).CombinedOutput()
	require.NoError(t, err, "%s", msg)
	data, err := os.ReadFile(filepath.Join(dir, "k.spv"))
	require.NoError(t, err)
	words, err := spirv.BytesToWords(data)
	require.NoError(t, err)
	return words
}

var registerScale sync.Once

func TestCustom(t *testing.T) {
	words := compileGLSL(t, scaleGLSL)
	registerScale.Do(func() {
		ir.RegisterCustom(ir.CustomOp{
			Name:    "vk_test.scale",
			Outputs: func(in []ir.Type, _ []int64) ([]ir.Type, error) { return in, nil },
			Kernels: map[string]any{"vulkan": vk.Kernel{
				SPIRV: words, Spec: []uint32{0x3f800000},
				Groups: func(in, _ []ir.Type, _ []int64) [3]uint32 {
					return [3]uint32{uint32(ir.Size(in[0].Shape)+63) / 64, 1, 1}
				},
				Params: func(in, _ []ir.Type, attrs []int64) []uint32 {
					return []uint32{uint32(ir.Size(in[0].Shape)), uint32(ir.FloatBits(ir.F32, float64(attrs[0])))}
				},
			}},
		})
		ir.RegisterCustom(ir.CustomOp{Name: "vk_test.none"})
	})
	program := func(name string) *ir.Program {
		return &ir.Program{
			Slots:  []ir.Slot{in(ir.F32, 5), out(ir.F32, 5), {Kind: ir.Temp, DType: ir.F32, Len: 5}},
			Inputs: 1, Outputs: 1, ArenaBytes: 20,
			Instrs: []ir.Instr{
				&ir.Custom{Name: name, Operands: []ir.Operand{whole(0, 5)}, Dst: []int{2}, Attrs: []int64{3}},
				&ir.Map{Shape: []int{5}, Operands: []ir.Operand{whole(2, 5)}, Chain: ir.Chain{load(0, ir.F32), apply(ir.OpNeg, ir.F32, 0)},
					Stores: []ir.Store{{Slot: 1, Reg: 1}}},
			},
		}
	}
	eachVariant(t, func(t *testing.T, d *vk.Device) {
		got, err := run(t, d, program("vk_test.scale"), [][]byte{f32s(0, 1, 2, 3, 4)})
		require.NoError(t, err)
		assert.Equal(t, f32s(-1, -4, -7, -10, -13), got[0])
		_, err = d.Compile(program("vk_test.none"))
		require.ErrorIs(t, err, ir.ErrUnsupported)
	})
}

func TestIndexError(t *testing.T) {
	eachVariant(t, func(t *testing.T, d *vk.Device) {
		// More indices than one workgroup checks, two of them wrong.
		const n = 10000
		idx := make([]byte, 4*n)
		for _, bad := range []struct {
			at    int
			value int64
		}{{9000, 99}, {8000, -3}} {
			ir.PutBits(ir.I32, idx, bad.at, ir.IntBits(ir.I32, bad.value))
		}
		p := &ir.Program{
			Slots: []ir.Slot{in(ir.F32, 4), in(ir.I32, n), out(ir.F32, n)}, Inputs: 2, Outputs: 1,
			Instrs: []ir.Instr{&ir.Gather{Shape: []int{n}, DType: ir.F32, X: whole(0, 4), Index: whole(1, n), Dst: 2, Name: "Pick"}},
		}
		got, err := run(t, d, p, [][]byte{f32s(7, 8, 9, 10), idx})
		var ie *ir.IndexError
		require.ErrorAs(t, err, &ie)
		assert.Equal(t, ir.IndexError{Op: "Pick", Index: -3, Size: 4}, *ie)
		assert.Equal(t, f32s(7, 0, 7), append(append([]byte{}, got[0][4*7999:4*8000]...), got[0][4*8000:4*8002]...))
		require.NoError(t, d.Sync(context.Background()), "the record is cleared")
	})
}
