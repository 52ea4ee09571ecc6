package nn_test

import (
	"fmt"
	"iter"
	"math"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/fornax-ml/fornax/nn"
	"github.com/fornax-ml/fornax/tensor"
)

// A reference is an optimizer in float64, after torch's documentation: it
// changes p by one step along g.
type reference func(p, g []float64, lr float64)

func refSGD(momentum, decay float64, nesterov bool) reference {
	var buf []float64
	return func(p, g []float64, lr float64) {
		first := buf == nil
		if first {
			buf = make([]float64, len(p))
		}
		for i := range p {
			d := g[i] + decay*p[i]
			if momentum != 0 {
				if first { // torch's first buffer is the gradient
					buf[i] = d
				} else {
					buf[i] = momentum*buf[i] + d
				}
				if nesterov {
					d += momentum * buf[i]
				} else {
					d = buf[i]
				}
			}
			p[i] -= lr * d
		}
	}
}

func refAdam(beta1, beta2, eps, decay float64, decoupled bool) reference {
	var m, v []float64
	t := 0
	return func(p, g []float64, lr float64) {
		if m == nil {
			m, v = make([]float64, len(p)), make([]float64, len(p))
		}
		t++
		c1, c2 := 1-math.Pow(beta1, float64(t)), 1-math.Pow(beta2, float64(t))
		for i := range p {
			d := g[i]
			if decoupled {
				p[i] *= 1 - lr*decay
			} else {
				d += decay * p[i]
			}
			m[i] += (d - m[i]) * (1 - beta1)
			v[i] = beta2*v[i] + (1-beta2)*d*d
			p[i] -= lr / c1 * m[i] / (math.Sqrt(v[i])/math.Sqrt(c2) + eps)
		}
	}
}

type params = iter.Seq2[string, *nn.Param]

var optimizers = []struct {
	name string
	make func(p params) nn.Optimizer
	ref  func() reference
	lr   float64
}{
	{"SGD", func(p params) nn.Optimizer { return nn.NewSGD(p, nn.SGDConfig{}) },
		func() reference { return refSGD(0, 0, false) }, 1e-3},
	{"SGD decay", func(p params) nn.Optimizer { return nn.NewSGD(p, nn.SGDConfig{LR: 0.1, WeightDecay: 0.05}) },
		func() reference { return refSGD(0, 0.05, false) }, 0.1},
	{"SGD momentum", func(p params) nn.Optimizer {
		return nn.NewSGD(p, nn.SGDConfig{LR: 0.05, Momentum: 0.9, WeightDecay: 0.01})
	}, func() reference { return refSGD(0.9, 0.01, false) }, 0.05},
	{"SGD Nesterov", func(p params) nn.Optimizer {
		return nn.NewSGD(p, nn.SGDConfig{LR: 0.05, Momentum: 0.8, Nesterov: true, WeightDecay: 0.01})
	}, func() reference { return refSGD(0.8, 0.01, true) }, 0.05},
	{"Adam", func(p params) nn.Optimizer { return nn.NewAdam(p, nn.AdamConfig{}) },
		func() reference { return refAdam(0.9, 0.999, 1e-8, 0, false) }, 1e-3},
	{"Adam decay", func(p params) nn.Optimizer {
		return nn.NewAdam(p, nn.AdamConfig{LR: 0.02, Beta1: -1, Beta2: 0.95, Eps: 1e-4, WeightDecay: 0.1})
	}, func() reference { return refAdam(0, 0.95, 1e-4, 0.1, false) }, 0.02},
	{"AdamW", func(p params) nn.Optimizer { return nn.NewAdamW(p, nn.AdamConfig{}) },
		func() reference { return refAdam(0.9, 0.999, 1e-8, 0.01, true) }, 1e-3},
	{"AdamW decay", func(p params) nn.Optimizer {
		return nn.NewAdamW(p, nn.AdamConfig{LR: 0.03, WeightDecay: 0.2, Beta1: 0.8})
	}, func() reference { return refAdam(0.8, 0.999, 1e-8, 0.2, true) }, 0.03},
}

// one yields a single parameter.
func one(p *nn.Param) params {
	return func(yield func(string, *nn.Param) bool) { yield("w", p) }
}

// TestOptimizers follows each optimizer for 20 steps of changing gradients and
// learning rates, in float64 and float32.
func TestOptimizers(t *testing.T) {
	const n, steps = 7, 20
	follow := func(t *testing.T, d *tensor.Device, x *tensor.Tensor, tolerance float64) {
		for _, o := range optimizers {
			p := nn.NewParam(x)
			opt, ref, want := o.make(one(p)), o.ref(), numbers(1, n)
			require.Equal(t, o.lr, opt.LR())
			for step := range steps {
				lr := o.lr * (1 + 0.1*float64(step))
				opt.SetLR(lr)
				g := numbers(uint64(2+step), n)
				gt := tensor.FromSlice(d, narrow(g))
				if x.DType() == tensor.F64 {
					gt = tensor.FromSlice(d, g)
				} else {
					for i := range g { // what the device sees
						g[i] = float64(float32(g[i]))
					}
				}
				opt.StepWith([]*tensor.Tensor{gt})
				ref(want, g, lr)
				got := values[float64](t, p.Value().Cast(tensor.F32).To(cpu(t)).Cast(tensor.F64))
				if x.DType() == tensor.F64 {
					got = values[float64](t, p.Value())
				}
				for i := range got {
					require.InDelta(t, want[i], got[i], tolerance, "%s, step %d, element %d", o.name, step, i)
				}
			}
		}
	}
	t.Run("f64", func(t *testing.T) { follow(t, cpu(t), f64(t, 1, n), 1e-13) })
	eachDevice(t, func(t *testing.T, d *tensor.Device) {
		follow(t, d, tensor.FromSlice(d, narrow(numbers(1, n))), 3e-6)
	})
}

// step makes a training step of a model on a fixed task and returns the loss.
func step(d *tensor.Device, m nn.Module, opt nn.Optimizer, seed uint64) *tensor.Tensor {
	x := tensor.FromSlice(d, narrow(numbers(seed, 24)), 8, 3)
	y := tensor.FromSlice(d, narrow(numbers(seed+100, 16)), 8, 2)
	loss := nn.MSE(m.Forward(x), y)
	opt.Step(loss)
	return loss
}

// TestOptimizerState: training goes on from saved state as if it had not been
// interrupted, bit for bit.
func TestOptimizerState(t *testing.T) {
	for _, o := range optimizers {
		t.Run(o.name, func(t *testing.T) {
			eachDevice(t, func(t *testing.T, d *tensor.Device) {
				m := newMLP(d, 1, 3, 4, 2)
				opt := o.make(nn.Parameters(m))
				for s := range 3 {
					item(t, step(d, m, opt, uint64(s)))
				}
				opt.SetLR(0.25)
				saved, state := nn.StateDict(m), opt.StateDict()
				goOn := func(m nn.Module, opt nn.Optimizer) (losses []float64) {
					for s := range 3 {
						losses = append(losses, item(t, step(d, m, opt, uint64(10+s))))
					}
					return losses
				}
				want := goOn(m, opt)
				other := newMLP(d, 2, 3, 4, 2)
				otherOpt := o.make(nn.Parameters(other))
				require.NoError(t, nn.LoadStateDict(other, saved, true))
				require.NoError(t, otherOpt.LoadStateDict(state))
				require.Equal(t, 0.25, otherOpt.LR())
				require.Equal(t, want, goOn(other, otherOpt))
				require.Equal(t, snapshot(t, m), snapshot(t, other))
			})
		})
	}
	m := newMLP(cpu(t), 1, 3, 4, 2)
	opt := nn.NewAdam(nn.Parameters(m), nn.AdamConfig{})
	state := opt.StateDict()
	require.Contains(t, state, "layers.0.weight.exp_avg")
	require.Contains(t, state, "scale.exp_avg_sq")
	require.Len(t, state, 3+2*5)
	delete(state, "correction2")
	state["step"] = state["lr"]
	require.EqualError(t, opt.LoadStateDict(state), "nn: state dict does not fit: missing: correction2; unexpected: step")
}

func TestStepWithErrors(t *testing.T) {
	d := cpu(t)
	m := nn.NewLinear(d, tensor.NewRNG(1), 2, 2)
	opt := nn.NewSGD(nn.Parameters(m), nn.SGDConfig{LR: 1})
	before := snapshot(t, m)
	var shape *tensor.ShapeError
	require.ErrorAs(t, tensor.Try(func() { opt.StepWith(nil) }), &shape)
	require.ErrorAs(t, tensor.Try(func() { opt.StepWith([]*tensor.Tensor{tensor.Ones(d, 2, 2), tensor.Ones(d, 1)}) }), &shape)
	require.Contains(t, shape.Error(), "gradient of bias")
	var dtype *tensor.DTypeError
	require.ErrorAs(t, tensor.Try(func() {
		opt.StepWith([]*tensor.Tensor{tensor.Ones(d, 2, 2), tensor.Ones(d, 2).Cast(tensor.F64)})
	}), &dtype)
	require.Equal(t, before, snapshot(t, m))
	opt.StepWith([]*tensor.Tensor{nil, tensor.Ones(d, 2)})
	after := snapshot(t, m)
	require.Equal(t, before["weight"], after["weight"])
	require.NotEqual(t, before["bias"], after["bias"])
	require.Panics(t, func() { nn.NewSGD(nn.Parameters(nn.ReLU{}), nn.SGDConfig{}) })
	require.Panics(t, func() { nn.NewAdam(nn.Parameters(m), nn.AdamConfig{Beta1: 1}) })
	require.ErrorAs(t, tensor.Try(func() { nn.NewSGD(one(nn.NewParam(tensor.Arange(d, 0, 3, 1))), nn.SGDConfig{}) }), &dtype)
}

func TestClipGradNorm(t *testing.T) {
	eachDevice(t, func(t *testing.T, d *tensor.Device) {
		grads := []*tensor.Tensor{tensor.FromSlice(d, []float32{3, 0}), nil, tensor.FromSlice(d, []float32{4})}
		clipped, norm := nn.ClipGradNorm(grads, 1)
		require.InDelta(t, 5, item(t, norm), 1e-6)
		require.Nil(t, clipped[1])
		require.InDeltaSlice(t, []float64{0.6, 0}, widen(values[float32](t, clipped[0])), 1e-6)
		require.InDeltaSlice(t, []float64{0.8}, widen(values[float32](t, clipped[2])), 1e-6)
		clipped, _ = nn.ClipGradNorm(grads, 10)
		require.Equal(t, []float32{3, 0}, values[float32](t, clipped[0]))
	})
}

func widen(l []float32) []float64 {
	r := make([]float64, len(l))
	for i, v := range l {
		r[i] = float64(v)
	}
	return r
}

// TestOneProgram: from the second step on nothing is planned or compiled, and
// each step is one run, whatever the learning rate; a compiled step makes no
// nodes but its result.
func TestOneProgram(t *testing.T) {
	eachDevice(t, func(t *testing.T, d *tensor.Device) {
		for _, o := range optimizers {
			for _, compiled := range []bool{false, true} {
				t.Run(fmt.Sprintf("%s compiled %v", o.name, compiled), func(t *testing.T) {
					rng := tensor.NewRNG(3)
					m := nn.Sequential{newMLP(d, 1, 3, 4, 2), nn.NewDropout(0.1, rng)}
					opt := o.make(nn.Parameters(m))
					x, y := tensor.FromSlice(d, narrow(numbers(1, 24)), 8, 3), tensor.FromSlice(d, narrow(numbers(2, 16)), 8, 2)
					build := func(in ...*tensor.Tensor) []*tensor.Tensor {
						loss := nn.MSE(m.Forward(in[0]), in[1])
						grads, _ := nn.ClipGradNorm(opt.Grads(loss), 1)
						opt.StepWith(grads)
						return []*tensor.Tensor{loss}
					}
					f := tensor.Compile(build)
					do := func() {
						if compiled {
							out, err := f.Call(x, y)
							require.NoError(t, err)
							out[0].Free()
							return
						}
						loss := build(x, y)[0]
						item(t, loss)
						loss.Free()
					}
					do()
					before := d.Stats()
					const steps = 30
					for range steps {
						do()
					}
					require.NoError(t, d.Sync(t.Context()))
					s := d.Stats()
					require.Equal(t, steps, s.Runs-before.Runs)
					require.Zero(t, s.Planned-before.Planned)
					require.Zero(t, s.Programs-before.Programs)
					require.Zero(t, s.Pipelines-before.Pipelines)
					if compiled {
						require.Zero(t, s.Nodes-before.Nodes)
						require.Equal(t, steps, s.Submits-before.Submits)
					}
					vary := func() {
						for i := range steps {
							opt.SetLR(0.1 / float64(i+1))
							do()
						}
						require.NoError(t, d.Sync(t.Context()))
					}
					vary() // now there is room for all runs that may be in flight
					memory := d.Stats()
					vary()
					s = d.Stats()
					require.Equal(t, 3*steps, s.Runs-before.Runs)
					require.Zero(t, s.Planned-before.Planned)
					require.Zero(t, s.Programs-before.Programs)
					require.Zero(t, s.Allocs-memory.Allocs)
					require.Equal(t, memory.PoolBytes, s.PoolBytes)
				})
			}
		}
	})
}

// TestCompiledEqualsPlain trains twice under a schedule, plain and compiled,
// and compares every loss and parameter bit for bit.
func TestCompiledEqualsPlain(t *testing.T) {
	schedule := nn.CosineLR(nn.CosineConfig{LR: 0.1, Warmup: 4, Steps: 20})
	eachDevice(t, func(t *testing.T, d *tensor.Device) {
		for _, o := range optimizers {
			var losses [2][]float64
			var state [2]map[string][]float32
			for k := range 2 {
				m := nn.Sequential{newMLP(d, 1, 3, 4, 2), nn.NewDropout(0.2, tensor.NewRNG(5))}
				opt := o.make(nn.Parameters(m))
				build := func(in ...*tensor.Tensor) []*tensor.Tensor {
					loss := nn.MSE(m.Forward(in[0]), in[1])
					opt.Step(loss)
					return []*tensor.Tensor{loss}
				}
				f := tensor.Compile(build)
				for s := range 20 {
					opt.SetLR(schedule(s))
					x := tensor.FromSlice(d, narrow(numbers(uint64(s), 24)), 8, 3)
					y := tensor.FromSlice(d, narrow(numbers(uint64(s+100), 16)), 8, 2)
					if k == 0 {
						losses[k] = append(losses[k], item(t, build(x, y)[0]))
						continue
					}
					out, err := f.Call(x, y)
					require.NoError(t, err)
					losses[k] = append(losses[k], item(t, out[0]))
				}
				state[k] = snapshot(t, m)
			}
			require.Equal(t, losses[0], losses[1], o.name)
			require.Equal(t, state[0], state[1], o.name)
		}
	})
}
