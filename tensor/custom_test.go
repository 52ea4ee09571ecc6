package tensor_test

import (
	"errors"
	"math"
	"slices"
	"testing"
	"unsafe"

	"github.com/stretchr/testify/require"

	"github.com/fornax-ml/fornax/cpu"
	"github.com/fornax-ml/fornax/tensor"
	"github.com/fornax-ml/fornax/tensor/ir"
)

// sinCos has two outputs, a kernel for the cpu, and the gradient of its
// decomposition.
var sinCos = tensor.RegisterCustom(tensor.CustomOp{
	Name: "test.sincos",
	Outputs: func(in []ir.Type, _ []int64) ([]ir.Type, error) {
		if len(in) != 1 || in[0].DType != ir.F64 {
			return nil, errors.New("wants one float64 tensor")
		}
		return []ir.Type{in[0], in[0]}, nil
	},
	Kernels: map[string]any{"cpu": cpu.Kernel(func(dst, src [][]byte, _ [][]int, attrs []int64) error {
		f := func(b []byte) []float64 {
			return unsafe.Slice((*float64)(unsafe.Pointer(unsafe.SliceData(b))), len(b)/8)
		}
		for i, x := range f(src[0]) {
			f(dst[0])[i], f(dst[1])[i] = math.Sincos(float64(attrs[0]) * x)
		}
		return nil
	})},
	Decompose: func(in []*tensor.Tensor, attrs []int64) []*tensor.Tensor {
		x := in[0].MulScalar(float64(attrs[0]))
		return []*tensor.Tensor{x.Sin(), x.Cos()}
	},
})

func TestCustomOp(t *testing.T) {
	onEach(t, func(t *testing.T, d *tensor.Device) {
		x := tensor.FromSlice(d, []float64{0.1, 0.2, 0.3, 0.4, 0.5, 0.6}, 2, 3)
		out := sinCos.Apply([]int64{2}, x.T())
		both := out[0].Mul(out[1]).Sum() // ½ sin 4x: gradient 2 cos 4x
		only := out[1].Sum()             // gradient -2 sin 2x
		g := slices.Concat(tensor.Grad(both, x), tensor.Grad(only, x), tensor.Grad(tensor.Grad(only, x)[0], x))
		require.NoError(t, tensor.Eval(append(g, both, only)...))
		v := [3][]float64{data[float64](t, g[0]), data[float64](t, g[1]), data[float64](t, g[2])}
		sum := 0.0
		for i := range 6 {
			a := 0.1 * float64(i+1)
			sum += math.Sin(4*a) / 2
			require.InDelta(t, 2*math.Cos(4*a), v[0][i], 1e-12)
			require.InDelta(t, -2*math.Sin(2*a), v[1][i], 1e-12)
			require.InDelta(t, -4*math.Cos(2*a), v[2][i], 1e-12)
		}
		require.InDelta(t, sum, item(t, both), 1e-12)

		var se *tensor.ShapeError
		require.ErrorAs(t, tensor.Try(func() { sinCos.Apply([]int64{1}, tensor.Ones(d, 2)) }), &se)
		require.Equal(t, "test.sincos", se.Op)
	})
	require.Panics(t, func() { tensor.RegisterCustom(tensor.CustomOp{Name: "x"}) })
}
