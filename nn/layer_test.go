package nn_test

import (
	"math"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/fornax-ml/fornax/nn"
	"github.com/fornax-ml/fornax/tensor"
)

func TestLinear(t *testing.T) {
	eachDevice(t, func(t *testing.T, d *tensor.Device) {
		l := nn.NewLinear(d, tensor.NewRNG(1), 3, 2)
		l.Weight.Set(tensor.FromSlice(d, []float32{1, 2, 3, 4, 5, 6}, 2, 3))
		l.Bias.Set(tensor.FromSlice(d, []float32{10, 20}))
		x := tensor.FromSlice(d, []float32{1, 0, -1, 2, 1, 0}, 2, 3)
		want := []float32{8, 18, 14, 33}
		require.Equal(t, want, values[float32](t, l.Forward(x)))
		// Any axes in front.
		for _, shape := range [][]int{{3}, {2, 1, 3}, {1, 2, 1, 3}} {
			n := 1
			for _, s := range shape {
				n *= s
			}
			y := l.Forward(x.Flatten().Narrow(0, 0, n).Reshape(shape...))
			require.Equal(t, append(append([]int{}, shape[:len(shape)-1]...), 2), y.Shape())
			require.Equal(t, want[:n/3*2], values[float32](t, y))
		}
		require.Equal(t, []int{0, 2}, l.Forward(tensor.Zeros(d, 0, 3)).Shape())
		var shape *tensor.ShapeError
		require.ErrorAs(t, tensor.Try(func() { l.Forward(tensor.Zeros(d, 2, 4)) }), &shape)
		require.Equal(t, "tensor: Linear[[2 4] [2 3]]: wants 3 features on the last axis", shape.Error())
	})
}

func TestLinearNoBias(t *testing.T) {
	l := nn.NewLinearWith(cpu(t), nil, nn.LinearConfig{In: 2, Out: 2, NoBias: true, InitWeight: nn.Ones})
	require.Equal(t, 4, nn.CountParameters(l))
	require.Equal(t, []float32{3, 3}, values[float32](t, l.Forward(tensor.FromSlice(cpu(t), []float32{1, 2}))))
}

// TestGradients compares layers and losses with finite differences.
func TestGradients(t *testing.T) {
	d := cpu(t)
	for name, m := range map[string]nn.Module{
		"GELU": nn.GELU{}, "Tanh": nn.Tanh{}, "Sigmoid": nn.Sigmoid{}, "SiLU": nn.SiLU{}, "ReLU": nn.ReLU{},
		"Softmax": nn.Softmax{}, "Softmax0": nn.NewSoftmax(0), "Flatten": nn.Flatten{},
	} {
		t.Run(name, func(t *testing.T) {
			gradCheck(t, func(x []*tensor.Tensor) *tensor.Tensor { return m.Forward(x[0]) }, f64(t, 1, 2, 3, 2))
		})
	}
	t.Run("Linear", func(t *testing.T) {
		gradCheck(t, func(x []*tensor.Tensor) *tensor.Tensor {
			// The layer's own arithmetic on tensors that can be moved.
			l := &nn.Linear{Weight: nn.NewParam(x[1]), Bias: nn.NewParam(x[2])}
			return l.Forward(x[0])
		}, f64(t, 1, 2, 2, 3), f64(t, 2, 4, 3), f64(t, 3, 4))
	})
	class := tensor.FromSlice(d, []int32{2, 0, 1})
	losses := map[string]func(y, target *tensor.Tensor) *tensor.Tensor{
		"MSE": nn.MSE, "L1": nn.L1, "BCEWithLogits": nn.BCEWithLogits,
		"CrossEntropy": func(y, _ *tensor.Tensor) *tensor.Tensor { return nn.CrossEntropy(y, class) },
		"smooth": func(y, _ *tensor.Tensor) *tensor.Tensor {
			return nn.CrossEntropyWith(y, class, nn.CrossEntropyConfig{LabelSmoothing: 0.2, Reduction: nn.Sum})
		},
	}
	for name, loss := range losses {
		t.Run(name, func(t *testing.T) {
			gradCheck(t, func(x []*tensor.Tensor) *tensor.Tensor { return loss(x[0], x[1]) }, f64(t, 4, 3, 4), f64(t, 5, 3, 4))
		})
	}
}

func TestActivationValues(t *testing.T) {
	in := []float32{-3, -0.5, 0, 1, 20}
	want := map[string]func(x float64) float64{
		"ReLU":    func(x float64) float64 { return max(x, 0) },
		"GELU":    func(x float64) float64 { return x / 2 * (1 + math.Erf(x/math.Sqrt2)) },
		"Tanh":    math.Tanh,
		"Sigmoid": func(x float64) float64 { return 1 / (1 + math.Exp(-x)) },
		"SiLU":    func(x float64) float64 { return x / (1 + math.Exp(-x)) },
	}
	modules := map[string]nn.Module{"ReLU": nn.ReLU{}, "GELU": nn.GELU{}, "Tanh": nn.Tanh{}, "Sigmoid": nn.Sigmoid{}, "SiLU": nn.SiLU{}}
	eachDevice(t, func(t *testing.T, d *tensor.Device) {
		for name, m := range modules {
			for i, y := range values[float32](t, m.Forward(tensor.FromSlice(d, in))) {
				require.InDelta(t, want[name](float64(in[i])), float64(y), 1e-6*math.Max(1, math.Abs(float64(in[i]))), "%s(%v)", name, in[i])
			}
		}
	})
}

func TestFlatten(t *testing.T) {
	x := tensor.Zeros(cpu(t), 2, 3, 4)
	require.Equal(t, []int{2, 12}, nn.Flatten{}.Forward(x).Shape())
	require.Equal(t, []int{2, 3, 4}, nn.Flatten{Start: 2}.Forward(x).Shape())
	require.Equal(t, []int{0, 12}, nn.Flatten{}.Forward(tensor.Zeros(cpu(t), 0, 3, 4)).Shape())
	require.Error(t, tensor.Try(func() { nn.Flatten{}.Forward(tensor.Zeros(cpu(t))) }))
}

func TestLosses(t *testing.T) {
	eachDevice(t, func(t *testing.T, d *tensor.Device) {
		x := tensor.FromSlice(d, []float32{1, 2, 3, -1, 0, 1000}, 2, 3)
		class := tensor.FromSlice(d, []uint8{0, 2})
		first := math.Log(math.Exp(1)+math.Exp(2)+math.Exp(3)) - 1
		require.InDelta(t, first/2, item(t, nn.CrossEntropy(x, class)), 1e-6)
		each := values[float32](t, nn.CrossEntropyWith(x, class, nn.CrossEntropyConfig{Reduction: nn.None}))
		require.InDelta(t, first, each[0], 1e-6)
		require.Zero(t, each[1])

		y, z := tensor.FromSlice(d, []float32{1, 2, 3}), tensor.FromSlice(d, []float32{1, 0, 6})
		require.InDelta(t, 13.0/3, item(t, nn.MSE(y, z)), 1e-6)
		require.InDelta(t, 5.0/3, item(t, nn.L1(y, z)), 1e-6)

		logits, target := tensor.FromSlice(d, []float32{0, 200, -200, 2}), tensor.FromSlice(d, []float32{1, 0, 0, 0.5})
		bce := nn.BCEWithLogits(logits, target)
		g := values[float32](t, tensor.Grad(bce, logits)[0])
		require.InDelta(t, (math.Ln2+200+0+2-1+math.Log1p(math.Exp(-2)))/4, item(t, bce), 1e-4)
		for i, want := range []float64{0.5 - 1, 1, 0, 1/(1+math.Exp(-2)) - 0.5} {
			require.InDelta(t, want/4, float64(g[i]), 1e-7)
		}

		require.EqualValues(t, 1, item(t, nn.Correct(x, class)))
		require.Equal(t, 0.5, item(t, nn.Accuracy(x, class)))
		var shape *tensor.ShapeError
		require.ErrorAs(t, tensor.Try(func() { nn.MSE(y, y.Unsqueeze(1)) }), &shape)
		require.ErrorAs(t, tensor.Try(func() { nn.Correct(x, y.Cast(tensor.I32)) }), &shape)

		_, err := nn.CrossEntropy(x, tensor.FromSlice(d, []int32{0, 3})).Item()
		var index *tensor.IndexError
		require.ErrorAs(t, err, &index)
	})
}

func TestDropout(t *testing.T) {
	eachDevice(t, func(t *testing.T, d *tensor.Device) {
		const n, p = 100_000, 0.3
		x := tensor.Ones(d, n)
		forward := func(seed uint64) []float32 {
			return values[float32](t, nn.NewDropout(p, tensor.NewRNG(seed)).Forward(x))
		}
		a := forward(1)
		kept := 0
		for _, v := range a {
			if v != 0 {
				require.InDelta(t, 1/(1-p), float64(v), 1e-6)
				kept++
			}
		}
		require.InDelta(t, (1-p)*n, kept, 5*math.Sqrt(n*p*(1-p)))
		require.Equal(t, a, forward(1), "one seed, one mask")
		require.NotEqual(t, a, forward(2))

		l := nn.NewDropout(p, tensor.NewRNG(1))
		require.Equal(t, a, values[float32](t, l.Forward(x)))
		require.NotEqual(t, a, values[float32](t, l.Forward(x)), "a new mask each time")
		y := l.Forward(x) // the gradient goes where the value came from
		require.Equal(t, values[float32](t, y), values[float32](t, tensor.Grad(l2(d, l, y), y)[0]))

		nn.SetTraining(nn.Sequential{nn.ReLU{}, l}, false)
		require.Same(t, x, l.Forward(x))
		nn.SetTraining(l, true)
		require.NotSame(t, x, l.Forward(x))
	})
	require.Zero(t, item(t, nn.NewDropout(1, tensor.NewRNG(1)).Forward(tensor.Ones(cpu(t), 4)).Sum()))
	require.Panics(t, func() { nn.NewDropout(1.5, tensor.NewRNG(1)) })
	require.Panics(t, func() { nn.NewDropout(math.NaN(), tensor.NewRNG(1)) })
	require.Panics(t, func() { nn.NewDropout(0.5, nil) })
}

// l2 is a loss whose gradient at y is y.
func l2(_ *tensor.Device, _ nn.Module, y *tensor.Tensor) *tensor.Tensor {
	return y.Square().Sum().MulScalar(0.5)
}

// TestDropoutCompiled: a compiled step takes new numbers at each call, the same
// ones as plain steps, and is traced again when the mode changes.
func TestDropoutCompiled(t *testing.T) {
	eachDevice(t, func(t *testing.T, d *tensor.Device) {
		x := tensor.Ones(d, 50)
		plain, l := nn.NewDropout(0.5, tensor.NewRNG(7)), nn.NewDropout(0.5, tensor.NewRNG(7))
		f := tensor.Compile(func(in ...*tensor.Tensor) []*tensor.Tensor {
			return []*tensor.Tensor{l.Forward(in[0].MulScalar(3))}
		})
		call := func() []float32 {
			out, err := f.Call(x)
			require.NoError(t, err)
			return values[float32](t, out[0])
		}
		for range 3 {
			require.Equal(t, values[float32](t, plain.Forward(x.MulScalar(3))), call())
		}
		nn.SetTraining(l, false)
		require.Equal(t, values[float32](t, x.MulScalar(3)), call())
		nn.SetTraining(l, true)
		require.Equal(t, values[float32](t, plain.Forward(x.MulScalar(3))), call())
	})
}
