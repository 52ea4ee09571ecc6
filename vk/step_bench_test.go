//go:build cgo

package vk_test

import (
	"context"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/fornax-ml/fornax/nn"
	"github.com/fornax-ml/fornax/tensor"
	"github.com/fornax-ml/fornax/vk"
)

// perceptron makes a compiled training step of hidden layers of 32, and its inputs. It
// returns the loss, or nothing.
func perceptron(x *tensor.Device, hidden int, loss bool) (step *tensor.Compiled, in []*tensor.Tensor) {
	rng := tensor.NewRNG(1)
	model := nn.Sequential{nn.NewLinear(x, rng, 64, 32), nn.ReLU{}}
	for range hidden - 1 {
		model = append(model, nn.NewLinear(x, rng, 32, 32), nn.ReLU{})
	}
	model = append(model, nn.NewLinear(x, rng, 32, 10))
	opt := nn.NewAdam(nn.Parameters(model), nn.AdamConfig{LR: 1e-3})
	class := make([]int32, 16)
	for i := range class {
		class[i] = int32(i % 10)
	}
	return tensor.Compile(func(in ...*tensor.Tensor) []*tensor.Tensor {
		l := nn.CrossEntropy(model.Forward(in[0]), in[1])
		opt.Step(l)
		if !loss {
			return nil
		}
		return []*tensor.Tensor{l}
	}), []*tensor.Tensor{rng.Uniform(x, 16, 64), tensor.FromSlice(x, class)}
}

// TestStepAllocatesNothing: a compiled step whose results are all in cells takes nothing
// from Go's heap.
func TestStepAllocatesNothing(t *testing.T) {
	if raceDetector {
		t.Skip("the race detector allocates")
	}
	t.Setenv("FORNAX_VALIDATION", "0")
	d := open(t, vk.Options{})
	step, in := perceptron(tensor.New(d), 2, false)
	n := testing.AllocsPerRun(50, func() {
		if _, err := step.Call(in...); err != nil {
			t.Fatal(err)
		}
		if err := d.Sync(context.Background()); err != nil {
			t.Fatal(err)
		}
	})
	require.Zero(t, n)
}

// BenchmarkStepCost times what a compiled training step costs the host, with the device
// idle before and its time taken out: the call returns when the work is handed over.
func BenchmarkStepCost(b *testing.B) {
	for _, hidden := range []int{2, 20} {
		b.Run(fmt.Sprintf("hidden%d", hidden), func(b *testing.B) {
			d := open(b, vk.Options{})
			step, in := perceptron(tensor.New(d), hidden, true)
			call := func() {
				out, err := step.Call(in...)
				if err != nil {
					b.Fatal(err)
				}
				out[0].Free()
			}
			for range 3 {
				call()
			}
			require.NoError(b, d.Sync(context.Background()))
			b.ReportAllocs()
			var host []time.Duration
			sum := time.Duration(0)
			for b.Loop() {
				start := time.Now()
				call()
				host = append(host, time.Since(start))
				sum += host[len(host)-1]
				if err := d.Sync(context.Background()); err != nil {
					b.Fatal(err)
				}
			}
			slices.Sort(host)
			b.ReportMetric(float64(host[len(host)/2])/1e3, "host-us")
			b.ReportMetric(float64(sum)/1e3/float64(len(host)), "host-mean-us")
			b.ReportMetric(float64(d.Stats().Dispatches)/float64(d.Stats().Runs), "dispatches")
		})
	}
}
