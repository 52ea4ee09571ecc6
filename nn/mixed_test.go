package nn_test

import (
	"fmt"
	"math"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/fornax-ml/fornax/nn"
	"github.com/fornax-ml/fornax/tensor"
)

// classifier is a small perceptron whose first parameters are always the same.
func classifier(d *tensor.Device) nn.Sequential {
	rng := tensor.NewRNG(7)
	return nn.Sequential{nn.NewLinear(d, rng, 12, 32), nn.ReLU{}, nn.NewLinear(d, rng, 32, 32), nn.ReLU{}, nn.NewLinear(d, rng, 32, 3)}
}

// spirals makes n points of 12 features in three classes that no plane parts.
func spirals(d *tensor.Device, n int) (x, class *tensor.Tensor) {
	f, c, noise := make([]float32, 12*n), make([]int32, n), numbers(9, 12*n)
	for i := range n {
		c[i] = int32(i % 3)
		for k := range 12 {
			f[12*i+k] = float32(math.Sin(float64(c[i]+1)*float64(k+1)+3*noise[12*i]) + 0.1*noise[12*i+k])
		}
	}
	return tensor.FromSlice(d, f, n, 12), tensor.FromSlice(d, c, n)
}

// Mixed training ends where training in F32 does, on every device that has the half,
// and a compiled step is the plain one bit for bit.
func TestMixedTraining(t *testing.T) {
	eachDevice(t, func(t *testing.T, d *tensor.Device) {
		train := func(half tensor.DType, compile bool) (loss, share float64, last []float32) {
			net := classifier(d)
			var model nn.Module = net
			var opt nn.Optimizer = nn.NewAdam(nn.Parameters(model), nn.AdamConfig{LR: 0.01})
			if half != tensor.F32 {
				model = nn.Mixed{Module: net, DType: half}
			}
			if half == tensor.F16 {
				opt = nn.NewLossScaler(opt, nn.LossScalerConfig{})
			}
			x, class := spirals(d, 96)
			step := func(in ...*tensor.Tensor) []*tensor.Tensor {
				loss := nn.CrossEntropy(model.Forward(in[0]), in[1])
				opt.Step(loss)
				return []*tensor.Tensor{loss}
			}
			f := tensor.Compile(step)
			for range 60 {
				if compile {
					out, err := f.Call(x, class)
					require.NoError(t, err)
					loss = item(t, out[0])
				} else {
					loss = item(t, step(x, class)[0])
				}
			}
			for _, p := range nn.Parameters(model) {
				require.Equal(t, tensor.F32, p.DType())
				last = append(last, values[float32](t, p.Value())...)
			}
			return loss, item(t, nn.Correct(model.Forward(x), class)) / 96, last
		}
		exact, right, _ := train(tensor.F32, true)
		require.Greater(t, right, 0.95)
		for _, half := range []tensor.DType{tensor.BF16, tensor.F16} {
			if !d.Has(half) {
				t.Logf("%s has no %v", d.Name(), half)
				continue
			}
			loss, share, compiled := train(half, true)
			require.InDelta(t, exact, loss, 0.05, "%v", half)
			require.InDelta(t, right, share, 0.03, "%v", half)
			_, _, plain := train(half, false)
			require.Equal(t, plain, compiled, "%v", half)
		}
	})
}

// A wrapped model has the names of its module and its modes.
func TestMixedTree(t *testing.T) {
	d := cpu(t)
	net := nn.Sequential{nn.NewLinear(d, tensor.NewRNG(1), 3, 2), nn.NewDropout(0.5, tensor.NewRNG(2))}
	model := nn.Mixed{Module: net, DType: tensor.BF16}
	require.Equal(t, keys(nn.StateDict(net)), keys(nn.StateDict(model)))
	x := tensor.Ones(d, 4, 3)
	nn.SetTraining(model, false)
	require.Equal(t, values[float32](t, model.Forward(x)), values[float32](t, model.Forward(x)))
	require.Equal(t, tensor.F32, model.Forward(x).DType())
}

func keys[V any](m map[string]V) map[string]bool {
	l := map[string]bool{}
	for k := range m {
		l[k] = true
	}
	return l
}

// A bad step changes nothing but the scale, which falls until steps are good, and
// grows after Interval of them; and the same in a compiled step.
func TestLossScaler(t *testing.T) {
	eachDevice(t, func(t *testing.T, d *tensor.Device) {
		for _, compile := range []bool{false, true} {
			t.Run(fmt.Sprint("compiled=", compile), func(t *testing.T) {
				w := nn.NewParam(tensor.FromSlice(d, []float32{1, -2}, 2))
				params := func(yield func(string, *nn.Param) bool) { yield("w", w) }
				opt := nn.NewLossScaler(nn.NewAdam(params, nn.AdamConfig{LR: 0.125}), nn.LossScalerConfig{Init: 8, Interval: 2})
				step := func(in ...*tensor.Tensor) []*tensor.Tensor {
					loss := w.Read().Mul(in[0]).Sum()
					opt.Step(loss)
					return []*tensor.Tensor{loss}
				}
				if compile {
					f := tensor.Compile(step)
					step = func(in ...*tensor.Tensor) []*tensor.Tensor {
						out, err := f.Call(in...)
						require.NoError(t, err)
						return out
					}
				}
				bad := []float32{1, float32(math.Inf(1))}
				for i, c := range []struct {
					x     []float32
					scale float64
					moves bool
				}{
					{[]float32{1, 3}, 8, true}, {bad, 4, false}, {[]float32{1, float32(math.NaN())}, 2, false}, {[]float32{1, 3}, 2, true},
					{[]float32{1, 3}, 4, true}, {[]float32{3e38, 1}, 2, false}, {[]float32{2, 2}, 2, true},
				} {
					before := opt.StateDict()
					old := values[float32](t, w.Value())
					out := step(tensor.FromSlice(d, c.x, 2))
					_, err := out[0].Item()
					require.NoError(t, err)
					scale, err := opt.Scale()
					require.NoError(t, err)
					require.Equal(t, c.scale, scale, "step %d", i)
					require.Equal(t, c.moves, old[0] != values[float32](t, w.Value())[0], "step %d", i)
					for name, v := range opt.StateDict() {
						if name != "loss_scale" && name != "loss_scale_steps" && name != "lr" {
							was, is := values[float32](t, before[name]), values[float32](t, v)
							require.Equal(t, c.moves, was[0] != is[0], "step %d: %s: %v, %v", i, name, was, is)
						}
					}
				}
			})
		}
	})
}

// Gradients too small for F16 arrive through the scaler, and are lost without it.
func TestLossScalerKeepsSmallGradients(t *testing.T) {
	d := cpu(t)
	grad := func(scaled bool) float32 {
		w := nn.NewParam(tensor.FromSlice(d, []float32{1}, 1, 1))
		params := func(yield func(string, *nn.Param) bool) { yield("w", w) }
		var opt nn.Optimizer = nn.NewSGD(params, nn.SGDConfig{})
		if scaled {
			opt = nn.NewLossScaler(opt, nn.LossScalerConfig{})
		}
		var y *tensor.Tensor
		tensor.Autocast(tensor.F16, func() { y = tensor.Ones(d, 1, 1).MatMul(w.Read()) })
		return values[float32](t, opt.Grads(y.Cast(tensor.F32).MulScalar(1e-9).Sum())[0])[0]
	}
	require.Zero(t, grad(false))
	require.InEpsilon(t, 1e-9, grad(true), 1e-3)
}

// The scale stays where training goes on: it neither grows to infinity nor falls to 0.
func TestLossScalerBounds(t *testing.T) {
	d := cpu(t)
	for _, good := range []bool{true, false} {
		w := nn.NewParam(tensor.FromSlice(d, []float32{1}, 1))
		params := func(yield func(string, *nn.Param) bool) { yield("w", w) }
		opt := nn.NewLossScaler(nn.NewSGD(params, nn.SGDConfig{}), nn.LossScalerConfig{Growth: 1e6, Backoff: 1e-6, Interval: 1})
		step := tensor.Compile(func(in ...*tensor.Tensor) []*tensor.Tensor {
			loss := w.Read().Mul(in[0]).Sum()
			opt.Step(loss)
			return []*tensor.Tensor{loss}
		})
		run := func(x float32) {
			_, err := step.Call(tensor.FromSlice(d, []float32{x}, 1))
			require.NoError(t, err)
		}
		x := float32(1e-30)
		if !good {
			x = float32(math.Inf(1))
		}
		for range 30 {
			run(x)
		}
		before := values[float32](t, w.Value())
		for range 3 {
			run(1e-3)
		}
		require.NotEqual(t, before, values[float32](t, w.Value()), "good %v", good)
	}
	w := nn.NewParam(tensor.Zeros(d, 1))
	sgd := nn.NewSGD(func(yield func(string, *nn.Param) bool) { yield("w", w) }, nn.SGDConfig{})
	for _, c := range []nn.LossScalerConfig{{Init: -1}, {Growth: 0.5}, {Backoff: 2}, {Backoff: -1}} {
		require.Panics(t, func() { nn.NewLossScaler(sgd, c) }, "%v", c)
	}
	require.Panics(t, func() { nn.NewLossScaler(nn.NewLossScaler(sgd, nn.LossScalerConfig{}), nn.LossScalerConfig{}) })
	require.ErrorAs(t, tensor.Try(func() {
		nn.NewLossScaler(sgd, nn.LossScalerConfig{}).Grads(w.Read().Cast(tensor.F16).Sum())
	}), new(*tensor.DTypeError))
}

// A layer's output is the half: its bias is added in it.
func TestLinearUnderAutocast(t *testing.T) {
	d := cpu(t)
	l := nn.NewLinear(d, tensor.NewRNG(3), 4, 2)
	tensor.Autocast(tensor.BF16, func() {
		y := l.Forward(tensor.Ones(d, 3, 4))
		require.Equal(t, tensor.BF16, y.DType())
		for _, g := range tensor.Grad(y, l.Weight.Read(), l.Bias.Read()) {
			require.Equal(t, tensor.F32, g.DType())
		}
	})
}

// The scale is saved and loaded with the optimizer's state.
func TestLossScalerState(t *testing.T) {
	d := cpu(t)
	make := func(init float64) *nn.LossScaler {
		return nn.NewLossScaler(nn.NewAdam(nn.Parameters(classifier(d)), nn.AdamConfig{}), nn.LossScalerConfig{Init: init})
	}
	a, b := make(1024), make(2)
	require.NoError(t, b.LoadStateDict(a.StateDict()))
	s, err := b.Scale()
	require.NoError(t, err)
	require.Equal(t, 1024.0, s)
	state := a.StateDict()
	delete(state, "loss_scale")
	require.ErrorContains(t, b.LoadStateDict(state), "missing: loss_scale")
	require.ErrorAs(t, tensor.Try(func() {
		p := nn.NewParam(tensor.Zeros(d, 2).Cast(tensor.F64))
		nn.NewLossScaler(nn.NewSGD(func(yield func(string, *nn.Param) bool) { yield("p", p) }, nn.SGDConfig{}), nn.LossScalerConfig{})
	}), new(*tensor.DTypeError))
}
