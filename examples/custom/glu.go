// Package glu shows an op of one's own: a gated linear unit with a GLSL kernel
// for Vulkan, a Go kernel for the CPU, a decomposition for every other device
// and a gradient. The kernel is compiled by fornax's shader compile tool and
// embedded; nothing is compiled at run time.
package glu

import (
	"embed"
	"fmt"
	"io/fs"
	"math"
	"slices"
	"unsafe"

	"github.com/fornax-ml/fornax/cpu"
	"github.com/fornax-ml/fornax/shaders"
	"github.com/fornax-ml/fornax/tensor"
	"github.com/fornax-ml/fornax/tensor/ir"
	"github.com/fornax-ml/fornax/vk"
)

//go:generate go run github.com/fornax-ml/fornax/tools/shaderc kernels
//go:embed all:kernels/spv
var files embed.FS

const workgroup = 64

var op = tensor.RegisterCustom(tensor.CustomOp{
	Name:      "example.glu",
	Outputs:   outputs,
	Kernels:   map[string]any{"vulkan": vulkanKernel(), "cpu": cpu.Kernel(cpuKernel)},
	Decompose: decompose,
	VJP:       vjp,
})

// GLU returns a·σ(b), element by element, of two float32 tensors of one shape.
func GLU(a, b *tensor.Tensor) *tensor.Tensor { return op.Apply(nil, a, b)[0] }

func outputs(in []ir.Type, _ []int64) ([]ir.Type, error) {
	if len(in) != 2 || in[0].DType != ir.F32 || in[1].DType != ir.F32 || !slices.Equal(in[0].Shape, in[1].Shape) {
		return nil, fmt.Errorf("wants two float32 tensors of one shape")
	}
	return in[:1], nil
}

// vulkanKernel loads the embedded module.
func vulkanKernel() vk.Kernel {
	spv, err := fs.Sub(files, "kernels/spv")
	if err != nil {
		panic(err)
	}
	set, err := shaders.Load(spv)
	if err != nil {
		panic(err) // the embedded files are broken: the program was built wrong
	}
	m, ok := set.Module("glu")
	if !ok {
		panic("glu: no module glu is embedded")
	}
	size := func(in []ir.Type) uint32 { return uint32(ir.Size(in[0].Shape)) }
	return vk.Kernel{
		SPIRV: m.Words(),
		Spec:  []uint32{workgroup},
		Groups: func(in, _ []ir.Type, _ []int64) [3]uint32 {
			n := (size(in) + workgroup - 1) / workgroup
			return [3]uint32{min(n, 65535), (n + 65534) / 65535, 1}
		},
		Params: func(in, _ []ir.Type, _ []int64) []uint32 { return []uint32{size(in)} },
	}
}

func cpuKernel(dst, src [][]byte, _ [][]int, _ []int64) error {
	a, b, y := floats(src[0]), floats(src[1]), floats(dst[0])
	for i := range y {
		y[i] = a[i] / (1 + float32(math.Exp(-float64(b[i]))))
	}
	return nil
}

func floats(b []byte) []float32 {
	return unsafe.Slice((*float32)(unsafe.Pointer(unsafe.SliceData(b))), len(b)/4)
}

func decompose(in []*tensor.Tensor, _ []int64) []*tensor.Tensor {
	return []*tensor.Tensor{in[0].Mul(in[1].Sigmoid())}
}

// vjp: da = dy·σ(b), db = y·(1 - σ(b))·dy.
func vjp(in, out, dout []*tensor.Tensor, _ []int64) []*tensor.Tensor {
	s := in[1].Sigmoid()
	return []*tensor.Tensor{dout[0].Mul(s), dout[0].Mul(out[0]).Mul(s.RSubScalar(1))}
}
