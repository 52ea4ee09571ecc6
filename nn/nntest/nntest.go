package nntest

import (
	"os"
	"runtime"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/fornax-ml/fornax/nn"
	"github.com/fornax-ml/fornax/tensor"
)

// Options tune a run of the suite.
type Options struct {
	// Steps of the soak test; 0 means 20,000, or 2,000 with -short; negative
	// none.
	Steps int
	// Idle is the memory that the device needs while it is open, in bytes.
	Idle int
}

// Run runs the suite on a device, as subtests of t.
func Run(t *testing.T, d *tensor.Device, o Options) {
	if o.Steps == 0 {
		o.Steps = 20000
		if testing.Short() {
			o.Steps = 2000
		}
	}
	t.Run("counters", func(t *testing.T) { testCounters(t, d) })
	t.Run("compiled", func(t *testing.T) { testCompiled(t, d) })
	t.Run("losses", func(t *testing.T) { testLosses(t, d) })
	if o.Steps > 0 {
		t.Run("soak", func(t *testing.T) { testSoak(t, d, o) })
	}
}

// A run is a small classifier in training: every kind of state there is.
type run struct {
	model nn.Module
	opt   nn.Optimizer
	rng   *tensor.RNG
	dev   *tensor.Device
}

func newRun(d *tensor.Device, dropout float64) *run {
	rng := tensor.NewRNG(11)
	layers := []nn.Module{nn.NewLinear(d, rng, 20, 32), nn.ReLU{}}
	if dropout > 0 {
		layers = append(layers, nn.NewDropout(dropout, rng))
	}
	m := nn.Sequential(append(layers, nn.NewLinear(d, rng, 32, 5)))
	nn.SetTraining(m, true)
	return &run{model: m, opt: nn.NewAdamW(nn.Parameters(m), nn.AdamConfig{LR: 0.01}), rng: rng, dev: d}
}

// batch makes batch i of a task that can be learned: the class is the position
// of the largest of the first five features.
func (r *run) batch(i int) (x, y *tensor.Tensor) {
	const n = 16
	xs, ys := make([]float32, n*20), make([]int32, n)
	state := uint32(i)*2654435761 + 1
	for k := range xs {
		state = state*1664525 + 1013904223
		xs[k] = float32(state>>8)/(1<<23) - 1
	}
	for k := range ys {
		row := xs[20*k : 20*k+5]
		for c, v := range row {
			if v > row[ys[k]] {
				ys[k] = int32(c)
			}
		}
	}
	return tensor.FromSlice(r.dev, xs, n, 20), tensor.FromSlice(r.dev, ys)
}

// step builds one training step and returns its loss.
func (r *run) step(x, y *tensor.Tensor) *tensor.Tensor {
	loss := nn.CrossEntropy(r.model.Forward(x), y)
	r.opt.Step(loss)
	return loss
}

// testCounters: from the second step on nothing is planned, built or
// allocated, and a step is one submit; a new learning rate or random counter
// changes nothing.
func testCounters(t *testing.T, d *tensor.Device) {
	for _, mode := range []string{"plain", "compiled"} {
		t.Run(mode, func(t *testing.T) {
			r := newRun(d, 0.2)
			compiled := tensor.Compile(func(in ...*tensor.Tensor) []*tensor.Tensor {
				return []*tensor.Tensor{r.step(in[0], in[1])}
			})
			x, y := r.batch(0)
			before := d.Stats()
			for i := range 6 {
				base := d.Stats()
				r.opt.SetLR(0.01 / float64(i+2)) // a schedule
				written := d.Stats().Submits
				var loss *tensor.Tensor
				if mode == "plain" {
					loss = r.step(x, y)
				} else {
					out, err := compiled.Call(x, y)
					require.NoError(t, err)
					loss = out[0]
				}
				require.NoError(t, tensor.Eval(loss))
				after := d.Stats()
				_, err := loss.Item()
				require.NoError(t, err)
				loss.Free()
				if i == 0 {
					require.Greater(t, after.Planned, before.Planned)
					continue
				}
				require.Equal(t, base.Planned, after.Planned, "step %d: programs planned", i)
				require.Equal(t, base.Programs, after.Programs, "step %d: programs compiled", i)
				require.Equal(t, base.Pipelines, after.Pipelines, "step %d: pipelines built", i)
				require.Equal(t, base.Runs+1, after.Runs, "step %d: runs", i)
				require.Equal(t, written+1, after.Submits, "step %d: submits", i)
				require.Equal(t, base.Allocs, after.Allocs, "step %d: allocations", i)
				require.Equal(t, base.PoolBytes, after.PoolBytes, "step %d: pool bytes", i)
				if mode == "compiled" {
					require.Equal(t, base.Nodes, after.Nodes, "step %d: nodes", i)
				}
			}
		})
	}
}

// testCompiled: a compiled loop with a learning-rate schedule and dropout
// equals the plain one bit for bit.
func testCompiled(t *testing.T, d *tensor.Device) {
	train := func(compile bool) (losses, weights []float32) {
		r := newRun(d, 0.3)
		schedule := nn.CosineLR(nn.CosineConfig{LR: 0.02, Steps: 12, Warmup: 3})
		step := func(in ...*tensor.Tensor) []*tensor.Tensor { return []*tensor.Tensor{r.step(in[0], in[1])} }
		compiled := tensor.Compile(step)
		for i := range 12 {
			r.opt.SetLR(schedule(i))
			x, y := r.batch(i)
			out := []*tensor.Tensor(nil)
			if compile {
				var err error
				out, err = compiled.Call(x, y)
				require.NoError(t, err)
			} else {
				out = step(x, y)
			}
			v, err := tensor.Data[float32](out[0])
			require.NoError(t, err)
			losses = append(losses, v...)
		}
		for _, p := range nn.Parameters(r.model) {
			v, err := tensor.Data[float32](p.Value())
			require.NoError(t, err)
			weights = append(weights, v...)
		}
		return losses, weights
	}
	pl, pw := train(false)
	cl, cw := train(true)
	require.Equal(t, pl, cl)
	require.Equal(t, pw, cw)
}

// testLosses: the first 50 losses agree with the cpu's to 1e-4.
func testLosses(t *testing.T, d *tensor.Device) {
	cpu, err := tensor.Open("cpu")
	require.NoError(t, err)
	losses := func(d *tensor.Device) []float64 {
		r := newRun(d, 0.2)
		var l []float64
		for i := range 50 {
			x, y := r.batch(i)
			v, err := r.step(x, y).Item()
			require.NoError(t, err)
			l = append(l, v)
		}
		return l
	}
	want, got := losses(cpu), losses(d)
	for i := range want {
		require.InEpsilon(t, want[i], got[i], 1e-4, "loss %d", i)
	}
	require.Less(t, want[49], want[0])
}

// testSoak: many steps hold memory flat; dropped, everything comes back.
func testSoak(t *testing.T, d *tensor.Device, o Options) {
	runtime.GC()
	func() {
		r := newRun(d, 0.2)
		step := tensor.Compile(func(in ...*tensor.Tensor) []*tensor.Tensor { return []*tensor.Tensor{r.step(in[0], in[1])} })
		var pool, resident int
		for i := range o.Steps {
			x, y := r.batch(i % 64)
			out, err := step.Call(x, y)
			require.NoError(t, err)
			if i%100 == 99 {
				v, err := out[0].Item()
				require.NoError(t, err)
				require.Less(t, v, 3.0)
			}
			x.Free()
			y.Free()
			out[0].Free()
			switch i {
			case 99:
				pool = d.Stats().PoolBytes
			case 499: // the Go heap has found its size
				resident = residentBytes()
			}
		}
		require.Equal(t, pool, d.Stats().PoolBytes, "pool bytes after %d steps", o.Steps)
		if resident > 0 && !raceEnabled {
			require.Less(t, residentBytes(), resident+16<<20, "resident bytes")
		}
	}()
	require.Eventually(t, func() bool {
		runtime.GC()
		return d.Stats().LiveBytes == 0
	}, 20e9, 1e7, "live bytes stay at %d", d.Stats().LiveBytes)
	d.Trim()
	require.LessOrEqual(t, d.Stats().PoolBytes, o.Idle, "pool bytes after Trim")
}

// residentBytes returns the memory of the process, 0 where the system does not
// tell.
func residentBytes() int {
	b, err := os.ReadFile("/proc/self/statm")
	if err != nil {
		return 0
	}
	f := strings.Fields(string(b))
	if len(f) < 2 {
		return 0
	}
	pages, _ := strconv.Atoi(f[1])
	return pages * os.Getpagesize()
}
