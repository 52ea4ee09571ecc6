package train_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"math"
	"math/rand/v2"
	"os"
	"regexp"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/fornax-ml/fornax/nn"
	"github.com/fornax-ml/fornax/nn/data"
	"github.com/fornax-ml/fornax/nn/train"
	"github.com/fornax-ml/fornax/tensor"
	_ "github.com/fornax-ml/fornax/vk"
)

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

// rings makes n points of the plane, of class 0 inside a ring and 1 on it.
func rings(t *testing.T, n int, seed uint64) *data.Table[float32, int32] {
	r := rand.New(rand.NewPCG(seed, 0))
	x, y := make([]float32, 0, 2*n), make([]int32, 0, n)
	for i := range n {
		class := i % 2
		radius, angle := float64(class)+0.4*r.Float64(), 2*math.Pi*r.Float64()
		x = append(x, float32(radius*math.Cos(angle)), float32(radius*math.Sin(angle)))
		y = append(y, int32(class))
	}
	table, err := data.NewTable(x, y, []int{2}, nil)
	require.NoError(t, err)
	return table
}

// config trains a perceptron with dropout on 630 points in batches of 64: the
// last batch of an epoch is smaller.
func config(t *testing.T, d *tensor.Device) train.Config {
	loader, err := data.NewLoader(rings(t, 630, 1), data.LoaderConfig{BatchSize: 64, Shuffle: true, Seed: 1})
	require.NoError(t, err)
	test, err := data.NewLoader(rings(t, 300, 2), data.LoaderConfig{BatchSize: 128})
	require.NoError(t, err)
	rng := tensor.NewRNG(1)
	model := nn.Sequential{nn.NewLinear(d, rng, 2, 32), nn.ReLU{}, nn.NewDropout(0.1, rng), nn.NewLinear(d, rng, 32, 2)}
	const epochs = 8
	return train.Config{
		Model: model, Optimizer: nn.NewAdamW(nn.Parameters(model), nn.AdamConfig{}),
		Loss: nn.CrossEntropy, Correct: nn.Correct, Epochs: epochs,
		Train: train.From(d, loader), Test: train.From(d, test),
		Schedule: nn.OneCycleLR(nn.OneCycleConfig{LR: 0.05, Steps: epochs * loader.Batches()}),
		ClipNorm: 1, LossEvery: 4, Output: io.Discard,
	}
}

func snapshot(t *testing.T, state map[string]*tensor.Tensor) map[string][]float32 {
	s := map[string][]float32{}
	for name, x := range state {
		v, err := tensor.Data[float32](x)
		require.NoError(t, err)
		s[name] = v
	}
	return s
}

func TestRun(t *testing.T) {
	eachDevice(t, func(t *testing.T, d *tensor.Device) {
		c := config(t, d)
		var out bytes.Buffer
		var steps []float64
		seen := 0
		c.Output, c.Unit = &out, "points"
		c.OnStep = func(step int, loss *tensor.Tensor) error {
			require.Equal(t, len(steps), step)
			v, err := loss.Item()
			steps = append(steps, v)
			return err
		}
		c.OnEpoch = func(e train.Epoch) error {
			seen++
			require.Equal(t, seen, e.Number)
			return nil
		}
		epochs, err := train.Run(t.Context(), c)
		require.NoError(t, err)
		require.Len(t, epochs, 8)
		require.Equal(t, 8, seen)
		require.Len(t, steps, 80)
		for i, e := range epochs {
			mean := 0.0
			for _, v := range steps[10*i : 10*i+10] {
				mean += v / 10
			}
			require.InDelta(t, mean, e.Loss, 1e-5)
			require.Equal(t, 10*(i+1), e.Steps)
			require.Positive(t, e.Rate)
		}
		last := epochs[7]
		require.Greater(t, last.Test.Accuracy, 0.97)
		require.Less(t, last.Test.Loss, 0.1)
		lines := strings.Split(strings.TrimSpace(out.String()), "\n")
		require.Len(t, lines, 8)
		require.Regexp(t, regexp.MustCompile(`^epoch 8/8: loss 0\.\d{4}, test loss 0\.\d{4}, test accuracy \d+\.\d\d %, \d+ points/s, \d+\.\d s$`), lines[7])

		score, err := train.Evaluate(t.Context(), c.Model, c.Test, c.Loss, c.Correct)
		require.NoError(t, err)
		require.Equal(t, last.Test, score)
		score, err = train.Evaluate(t.Context(), c.Model, c.Test, c.Loss, nil)
		require.NoError(t, err)
		require.True(t, math.IsNaN(score.Accuracy))
		require.Equal(t, last.Test.Loss, score.Loss)
	})
}

// TestPlain: the loop that builds each graph again gives the same bits.
func TestPlain(t *testing.T) {
	eachDevice(t, func(t *testing.T, d *tensor.Device) {
		var results [2][]train.Epoch
		var states [2]map[string][]float32
		for k := range 2 {
			c := config(t, d)
			c.Epochs, c.Plain = 3, k == 1
			var err error
			results[k], err = train.Run(t.Context(), c)
			require.NoError(t, err)
			for i := range results[k] {
				results[k][i].Duration, results[k][i].Rate = 0, 0
			}
			states[k] = snapshot(t, nn.StateDict(c.Model))
		}
		require.Equal(t, results[0], results[1])
		require.Equal(t, states[0], states[1])
	})
}

// TestCancel: wherever training is stopped, model and optimizer are those
// after the last whole step, and nothing is left pending.
func TestCancel(t *testing.T) {
	eachDevice(t, func(t *testing.T, d *tensor.Device) {
		for _, plain := range []bool{false, true} {
			c := config(t, d)
			c.Plain = plain
			ctx, cancel := context.WithCancel(t.Context())
			var model, opt map[string][]float32
			c.OnStep = func(step int, loss *tensor.Tensor) error {
				if step == 13 {
					model, opt = snapshot(t, nn.StateDict(c.Model)), snapshot(t, c.Optimizer.StateDict())
					cancel()
				}
				return nil
			}
			epochs, err := train.Run(ctx, c)
			require.ErrorIs(t, err, context.Canceled)
			require.Contains(t, err.Error(), "train: epoch 2, step 14:")
			require.Len(t, epochs, 1)
			after := snapshot(t, c.Optimizer.StateDict())
			delete(after, "lr") // of the step that was not made
			delete(opt, "lr")
			require.Equal(t, opt, after)
			require.Equal(t, model, snapshot(t, nn.StateDict(c.Model)))
			_, err = train.Run(ctx, c)
			require.ErrorIs(t, err, context.Canceled)
			require.Equal(t, model, snapshot(t, nn.StateDict(c.Model)))
			c.OnStep = nil
			_, err = train.Run(t.Context(), c)
			require.NoError(t, err, "training goes on")
		}
	})
}

func TestErrors(t *testing.T) {
	d, err := tensor.Open("cpu")
	require.NoError(t, err)
	_, err = train.Run(t.Context(), train.Config{})
	require.Error(t, err)

	stop := errors.New("enough")
	c := config(t, d)
	c.OnStep = func(step int, _ *tensor.Tensor) error {
		if step == 2 {
			return stop
		}
		return nil
	}
	_, err = train.Run(t.Context(), c)
	require.ErrorIs(t, err, stop)
	c = config(t, d)
	c.OnEpoch = func(train.Epoch) error { return stop }
	epochs, err := train.Run(t.Context(), c)
	require.ErrorIs(t, err, stop)
	require.Len(t, epochs, 1)

	// A class that is out of range comes out where the loss is read.
	bad, err := data.NewTable([]float32{1, 2}, []int32{0, 2}, []int{1}, nil)
	require.NoError(t, err)
	loader, err := data.NewLoader(bad, data.LoaderConfig{})
	require.NoError(t, err)
	model := nn.NewLinear(d, tensor.NewRNG(1), 1, 2)
	_, err = train.Run(t.Context(), train.Config{Model: model, Optimizer: nn.NewSGD(nn.Parameters(model), nn.SGDConfig{}),
		Loss: nn.CrossEntropy, Train: train.From(d, loader), Epochs: 1, Output: io.Discard})
	var index *tensor.IndexError
	require.ErrorAs(t, err, &index)
}

// TestMemory: batches, losses and old parameters go back at once; the device's
// memory is flat without the collector's help.
func TestMemory(t *testing.T) {
	eachDevice(t, func(t *testing.T, d *tensor.Device) {
		for _, plain := range []bool{false, true} {
			c := config(t, d)
			c.Plain, c.Schedule, c.LossEvery = plain, nil, 1000
			c.Epochs = 6
			live := func() int {
				require.NoError(t, d.Sync(t.Context()))
				return d.Stats().LiveBytes
			}
			var after []int
			c.OnEpoch = func(train.Epoch) error {
				after = append(after, live())
				return nil
			}
			runtime.GC()
			_, err := train.Run(t.Context(), c)
			require.NoError(t, err)
			// A few numbers are set by hand each epoch; 10 batches have 7.5 kB.
			require.Less(t, after[5]-after[1], 4*256*4)
		}
	})
}

// TestCancelAnywhere stops training at random times and expects exactly the
// parameters after as many steps as were made.
func TestCancelAnywhere(t *testing.T) {
	eachDevice(t, func(t *testing.T, d *tensor.Device) {
		c := config(t, d)
		c.Epochs = 4
		after := []map[string][]float32{snapshot(t, nn.StateDict(c.Model))}
		c.OnStep = func(int, *tensor.Tensor) error {
			after = append(after, snapshot(t, nn.StateDict(c.Model)))
			return nil
		}
		_, err := train.Run(t.Context(), c)
		require.NoError(t, err)
		r := rand.New(rand.NewPCG(1, 2))
		for range 20 {
			c := config(t, d)
			c.Epochs, c.Test = 4, nil
			steps := 0
			ctx, cancel := context.WithCancel(t.Context())
			stopAt := r.IntN(40)
			c.OnStep = func(step int, _ *tensor.Tensor) error {
				if steps++; step == stopAt { // while the next steps are made
					time.AfterFunc(time.Duration(r.IntN(3000))*time.Microsecond, cancel)
				}
				return nil
			}
			if _, err := train.Run(ctx, c); err != nil {
				require.ErrorIs(t, err, context.Canceled)
			}
			cancel()
			require.Equal(t, after[steps], snapshot(t, nn.StateDict(c.Model)), "after %d steps", steps)
		}
	})
}
