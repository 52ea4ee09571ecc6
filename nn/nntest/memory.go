package nntest

import (
	"errors"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/fornax-ml/fornax/nn"
	"github.com/fornax-ml/fornax/tensor"
)

// A perceptron is a classifier with two hidden layers, in training by Adam.
type perceptron struct {
	dev  *tensor.Device
	in   int
	step *tensor.Compiled
}

func newPerceptron(d *tensor.Device, in, hidden int) *perceptron {
	rng := tensor.NewRNG(3)
	model := nn.Sequential{
		nn.NewLinear(d, rng, in, hidden), nn.ReLU{}, nn.NewLinear(d, rng, hidden, hidden), nn.ReLU{}, nn.NewLinear(d, rng, hidden, 10),
	}
	opt := nn.NewAdam(nn.Parameters(model), nn.AdamConfig{LR: 1e-3})
	return &perceptron{d, in, tensor.Compile(func(in ...*tensor.Tensor) []*tensor.Tensor {
		loss := nn.CrossEntropy(model.Forward(in[0]), in[1])
		opt.Step(loss)
		return []*tensor.Tensor{loss}
	})}
}

// batch is one of zeros, which has no memory yet.
func (p *perceptron) batch(n int) []*tensor.Tensor {
	return []*tensor.Tensor{tensor.Zeros(p.dev, n, p.in), tensor.Zeros(p.dev, n).Cast(tensor.I32)}
}

// run makes steps with one batch.
func (p *perceptron) run(n, steps int) error {
	in := p.batch(n)
	defer func() {
		for _, x := range in {
			x.Free()
		}
	}()
	for range steps {
		out, err := p.step.Call(in...)
		if err != nil {
			return err
		}
		if _, err := out[0].Item(); err != nil {
			return err
		}
		out[0].Free()
	}
	return nil
}

// Memory tests that the memory a step is planned with is what it takes, that the
// largest batch planned to fit does, and that a batch twice as large gives an error that
// explains itself and loses nothing. open opens the device anew, with so many bytes of
// memory; 0 is all of it. The device is an ir.Sizer.
func Memory(t *testing.T, open func(memory int) *tensor.Device) {
	for _, s := range []struct {
		name              string
		batch, in, hidden int
	}{{"small", 32, 64, 256}, {"middle", 64, 256, 512}, {"large batch", 2048, 128, 64}} {
		t.Run(s.name, func(t *testing.T) {
			d := open(0)
			p := newPerceptron(d, s.in, s.hidden)
			m, err := p.step.Plan(p.batch(s.batch)...)
			require.NoError(t, err)
			require.NoError(t, m.Err())
			require.Zero(t, m.Others)
			assert.NotEmpty(t, m.Arena)
			require.NoError(t, p.run(s.batch, 2))
			assert.InEpsilon(t, d.Stats().PeakBytes, m.Peak(), 0.05, "of the first steps: %v", m)

			later, err := p.step.Plan(p.batch(s.batch)...)
			require.NoError(t, err)
			assert.InEpsilon(t, m.Peak(), later.Peak(), 0.05, "with the arena of the first steps: %v", later)

			// Again with nothing of the first run but the parameters.
			d.Trim()
			require.NoError(t, p.run(s.batch, 2))
			assert.InEpsilon(t, d.Stats().PeakBytes, m.Peak(), 0.05, "of later steps: %v", m)
		})
	}
	t.Run("largest batch", func(t *testing.T) {
		d := open(192 << 20)
		p := newPerceptron(d, 256, 16)
		n, m, err := tensor.LargestBatch(1<<30, func(n int) (*tensor.MemoryPlan, error) { return p.step.Plan(p.batch(n)...) })
		require.NoError(t, err)
		require.NoError(t, m.Err())
		require.Greater(t, n, 1000, "%v", m)
		assert.Greater(t, float64(m.Peak()), 0.85*float64(m.Room)) // sizes come in steps
		require.NoError(t, p.run(n, 1), "%v", m)

		err = p.run(2*n, 1)
		var e *tensor.OutOfMemoryError
		require.True(t, errors.As(err, &e), "%v", err)
		assert.Error(t, e.Plan.Err())
		assert.ErrorContains(t, err, "the program needs")
		require.NoError(t, p.run(n, 1), "after the error")
	})
}
