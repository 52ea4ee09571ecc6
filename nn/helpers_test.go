package nn_test

import (
	"math"
	"math/rand/v2"
	"os"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/fornax-ml/fornax/nn"
	"github.com/fornax-ml/fornax/tensor"
	_ "github.com/fornax-ml/fornax/vk"
)

func cpu(t testing.TB) *tensor.Device {
	d, err := tensor.Open("cpu")
	require.NoError(t, err)
	return d
}

// eachDevice runs f on every device of the machine.
func eachDevice(t *testing.T, f func(t *testing.T, d *tensor.Device)) {
	vulkan := false
	for _, i := range tensor.Devices() {
		vulkan = vulkan || i.Backend == "vulkan"
		t.Run(i.Name, func(t *testing.T) {
			d, err := tensor.Open(i.Name)
			require.NoError(t, err)
			f(t, d)
		})
	}
	if !vulkan && os.Getenv("FORNAX_REQUIRE_VULKAN") == "1" {
		t.Error("no Vulkan device")
	}
}

func values[T tensor.Element](t testing.TB, x *tensor.Tensor) []T {
	v, err := tensor.Data[T](x)
	require.NoError(t, err)
	return v
}

func item(t testing.TB, x *tensor.Tensor) float64 {
	v, err := x.Item()
	require.NoError(t, err)
	return v
}

// numbers makes n numbers in [-1, 1).
func numbers(seed uint64, n int) []float64 {
	r := rand.New(rand.NewPCG(seed, 0))
	l := make([]float64, n)
	for i := range l {
		l[i] = 2*r.Float64() - 1
	}
	return l
}

// f64 makes an F64 tensor of numbers.
func f64(t testing.TB, seed uint64, shape ...int) *tensor.Tensor {
	n := 1
	for _, s := range shape {
		n *= s
	}
	return tensor.FromSlice(cpu(t), numbers(seed, n), shape...)
}

func narrow(l []float64) []float32 {
	r := make([]float32, len(l))
	for i, v := range l {
		r[i] = float32(v)
	}
	return r
}

// mlp is a user's own module.
type mlp struct {
	layers nn.Sequential
	scale  *nn.Param
}

func newMLP(d *tensor.Device, seed uint64, in, hidden, out int) *mlp {
	rng := tensor.NewRNG(seed)
	return &mlp{
		layers: nn.Sequential{nn.NewLinear(d, rng, in, hidden), nn.Tanh{}, nn.NewLinear(d, rng, hidden, out)},
		scale:  nn.NewParam(tensor.Ones(d)),
	}
}

func (m *mlp) Visit(v *nn.Visitor) {
	v.Tree("layers", m.layers)
	v.Param("scale", m.scale)
}

func (m *mlp) Forward(x *tensor.Tensor) *tensor.Tensor {
	return m.layers.Forward(x).Mul(m.scale.Read())
}

// gradCheck compares the gradient of Σ f·r for fixed r with central
// differences, in float64 along each element.
func gradCheck(t *testing.T, f func(x []*tensor.Tensor) *tensor.Tensor, xs ...*tensor.Tensor) {
	loss := func(xs []*tensor.Tensor) *tensor.Tensor {
		y := f(xs)
		return y.Mul(f64(t, 99, y.Shape()...)).Sum()
	}
	grads := tensor.Grad(loss(xs), xs...)
	for k, x := range xs {
		got, at := values[float64](t, grads[k]), values[float64](t, x)
		for i := range at {
			const h = 1e-5
			diff := func(d float64) float64 {
				moved := append([]float64{}, at...)
				moved[i] += d
				l := append([]*tensor.Tensor{}, xs...)
				l[k] = tensor.FromSlice(cpu(t), moved, x.Shape()...)
				return item(t, loss(l))
			}
			want := (diff(h) - diff(-h)) / (2 * h)
			if math.Abs(got[i]-want) > 1e-7*(1+math.Abs(want)) {
				t.Fatalf("input %d, element %d: gradient %g, differences give %g", k, i, got[i], want)
			}
		}
	}
}
