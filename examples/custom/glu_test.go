package glu

import (
	"math/rand/v2"
	"os"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/fornax-ml/fornax/nn"
	"github.com/fornax-ml/fornax/tensor"
)

// devices returns the cpu and every Vulkan device; FORNAX_REQUIRE_VULKAN=1
// wants one.
func devices(t *testing.T) []*tensor.Device {
	var l []*tensor.Device
	vulkan := false
	for _, info := range tensor.Devices() {
		d, err := tensor.Open(info.Name)
		require.NoError(t, err)
		l = append(l, d)
		vulkan = vulkan || info.Backend == "vulkan"
	}
	require.True(t, vulkan || os.Getenv("FORNAX_REQUIRE_VULKAN") != "1", "no Vulkan device")
	return l
}

func random(n int) []float32 {
	rng := rand.New(rand.NewPCG(1, 2))
	v := make([]float32, n)
	for i := range v {
		v[i] = rng.Float32()*4 - 2
	}
	return v
}

// TestKernelEqualsDecomposition compares values and gradients on awkward sizes
// and through views.
func TestKernelEqualsDecomposition(t *testing.T) {
	for _, d := range devices(t) {
		t.Run(d.Name(), func(t *testing.T) {
			for _, n := range []int{0, 1, 3, 63, 64, 65, 1023, 100003} {
				a := tensor.FromSlice(d, random(2*n), n, 2).Slice(tensor.All, tensor.Range{Start: 0, Stop: 1})
				b := tensor.FromSlice(d, random(n), n, 1)
				y := GLU(a, b)
				want := decompose([]*tensor.Tensor{a, b}, nil)[0]
				g, w := tensor.Grad(y.Square(), a, b), tensor.Grad(want.Square(), a, b)
				near(t, want, y)
				near(t, w[0], g[0])
				near(t, w[1], g[1])
			}
			require.Contains(t, GLU(tensor.Ones(d, 2), tensor.Ones(d, 2)).String(), "example.glu", "the device runs the kernel, not the decomposition")
		})
	}
}

func near(t *testing.T, want, got *tensor.Tensor) {
	t.Helper()
	w, err := tensor.Data[float32](want)
	require.NoError(t, err)
	g, err := tensor.Data[float32](got)
	require.NoError(t, err)
	require.Len(t, g, len(w))
	for i := range w {
		require.InDelta(t, w[i], g[i], 2e-6*(1+max(float64(w[i]), -float64(w[i]))), "element %d", i)
	}
}

// gated is a model with the op inside.
type gated struct {
	value, gate, out *nn.Linear
}

func (m *gated) Visit(v *nn.Visitor) {
	v.Tree("value", m.value)
	v.Tree("gate", m.gate)
	v.Tree("out", m.out)
}

func (m *gated) Forward(x *tensor.Tensor) *tensor.Tensor {
	return m.out.Forward(GLU(m.value.Forward(x), m.gate.Forward(x)))
}

// TestModelTrains fits y = x₀·x₁, which a linear model cannot, and wants the
// same losses from every device.
func TestModelTrains(t *testing.T) {
	var first []float64
	for _, d := range devices(t) {
		rng := tensor.NewRNG(3)
		m := &gated{nn.NewLinear(d, rng, 2, 16), nn.NewLinear(d, rng, 2, 16), nn.NewLinear(d, rng, 16, 1)}
		opt := nn.NewAdam(nn.Parameters(m), nn.AdamConfig{LR: 0.02})
		xs := random(512)
		ys := make([]float32, 256)
		for i := range ys {
			ys[i] = xs[2*i] * xs[2*i+1]
		}
		x, y := tensor.FromSlice(d, xs, 256, 2), tensor.FromSlice(d, ys, 256, 1)
		step := tensor.Compile(func(in ...*tensor.Tensor) []*tensor.Tensor {
			loss := m.Forward(in[0]).Sub(in[1]).Square().Mean()
			opt.Step(loss)
			return []*tensor.Tensor{loss}
		})
		var losses []float64
		for range 300 {
			out, err := step.Call(x, y)
			require.NoError(t, err)
			v, err := out[0].Item()
			require.NoError(t, err)
			losses = append(losses, v)
		}
		require.Less(t, losses[299], losses[0]/20, "%s: %v to %v", d.Name(), losses[0], losses[299])
		if first == nil {
			first = losses
		}
		for i := range 20 {
			require.InEpsilon(t, first[i], losses[i], 1e-4, "%s: loss %d", d.Name(), i)
		}
	}
}
