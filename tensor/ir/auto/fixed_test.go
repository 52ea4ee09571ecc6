//go:build cgo

package auto_test

import (
	"context"
	"fmt"
	"math"
	"os"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/fornax-ml/fornax/cpu"
	"github.com/fornax-ml/fornax/nn"
	"github.com/fornax-ml/fornax/tensor"
	"github.com/fornax-ml/fornax/tensor/ir"
	"github.com/fornax-ml/fornax/tensor/ir/auto"
	"github.com/fornax-ml/fornax/vk"
)

// A raced program makes, on a device, a function that runs it once.
type raced struct {
	name string
	open func(d *tensor.Device) func() error
}

// calls returns a raced program of a compiled function whose result is given back before
// the next call, as training loops do.
func calls(name string, f func(in ...*tensor.Tensor) []*tensor.Tensor, in func(d *tensor.Device) []*tensor.Tensor) raced {
	return raced{name, func(d *tensor.Device) func() error {
		step, args := tensor.Compile(f), in(d)
		return func() error {
			out, err := step.Call(args...)
			for _, t := range out {
				t.Free()
			}
			return err
		}
	}}
}

func uniform(shapes ...[]int) func(d *tensor.Device) []*tensor.Tensor {
	return func(d *tensor.Device) []*tensor.Tensor {
		rng := tensor.NewRNG(1)
		var l []*tensor.Tensor
		for _, s := range shapes {
			l = append(l, rng.Uniform(d, s...))
		}
		return l
	}
}

// programs are forty, of five kinds, over matrices of 1x1 to 4096x4096.
func programs() (l []raced) {
	type ts = []*tensor.Tensor
	sizes := []int{1, 8, 32, 128, 512, 1024, 2048, 4096}
	if testing.Short() {
		sizes = sizes[:6]
	}
	for _, n := range sizes {
		at := func(kind string) string { return fmt.Sprintf("%s %dx%d", kind, n, n) }
		square := []int{n, n}
		l = append(l,
			calls(at("add"), func(in ...*tensor.Tensor) ts { return ts{in[0].Add(in[1])} }, uniform(square, square)),
			calls(at("gelu"), func(in ...*tensor.Tensor) ts {
				x := in[0]
				return ts{x.MulScalar(0.5).Mul(x.MulScalar(math.Sqrt2 / 2).Erf().AddScalar(1)).Tanh()}
			}, uniform(square)),
			calls(at("sum"), func(in ...*tensor.Tensor) ts { return ts{in[0].Sum(1)} }, uniform(square)),
			calls(at("softmax"), func(in ...*tensor.Tensor) ts { return ts{in[0].Softmax(1)} }, uniform(square)),
			calls(at("product"), func(in ...*tensor.Tensor) ts { return ts{in[0].MatMul(in[1])} }, uniform(square, square)),
		)
	}
	return l
}

// training returns steps of perceptrons with Adam, as examples/mnist has them: each gets
// its batch from the host, and with loss the host reads what the step returns.
func training() (l []raced) {
	for _, c := range []struct {
		hidden, batch int
		loss          bool
	}{{16, 8, true}, {128, 128, false}, {128, 128, true}, {512, 128, false}, {512, 1024, false}} {
		name := fmt.Sprintf("step 784-%d-10 batch %d", c.hidden, c.batch)
		if c.loss {
			name += ", loss read"
		}
		l = append(l, raced{name, func(d *tensor.Device) func() error {
			rng := tensor.NewRNG(1)
			model := nn.Sequential{nn.NewLinear(d, rng, 784, c.hidden), nn.ReLU{}, nn.NewLinear(d, rng, c.hidden, 10)}
			opt := nn.NewAdam(nn.Parameters(model), nn.AdamConfig{LR: 1e-3})
			step := tensor.Compile(func(in ...*tensor.Tensor) []*tensor.Tensor {
				loss := nn.CrossEntropy(model.Forward(in[0]), in[1])
				opt.Step(loss)
				return []*tensor.Tensor{loss}
			})
			x, y := make([]float32, c.batch*784), make([]int32, c.batch)
			for i := range x {
				x[i] = float32(i%97) / 97
			}
			for i := range y {
				y[i] = int32(i % 10)
			}
			return func() error {
				in := []*tensor.Tensor{tensor.FromSlice(d, x, c.batch, 784), tensor.FromSlice(d, y, c.batch)}
				out, err := step.Call(in...)
				if err != nil {
					return err
				}
				if c.loss {
					_, err = out[0].Item()
				}
				for _, t := range append(in, out...) {
					t.Free()
				}
				return err
			}
		}})
	}
	return l
}

// A runner is a program on a device.
type runner struct {
	dev   *tensor.Device
	run   func() error
	times []float64 // seconds of a call, by round
}

// batch calls so often and waits.
func (r *runner) batch(n int) (float64, error) {
	begin := time.Now()
	for range n {
		if err := r.run(); err != nil {
			return 0, err
		}
	}
	err := r.dev.Sync(context.Background())
	return time.Since(begin).Seconds(), err
}

// BenchmarkFixed compares the device that chooses with the better one of its members, in
// turns, over forty programs and the steps of some trainings, and prints a table to
// standard error:
//
//	go test ./tensor/ir/auto -run '^$' -bench Fixed -benchtime 1x
//
// With -short there are no matrices of more than 1024x1024.
//
// ratio is the time of a call, once the choice is made, to that on the better member;
// early the same of the first rounds, where it is made: all calls but the first, which
// compiles. Metrics are the medians and the worst.
//
// The second CPU is one without SIMD kernels on one processor, so that a software driver
// has something to win.
func BenchmarkFixed(b *testing.B) {
	for name, o := range map[string]cpu.Options{"cpu": {}, "portable": {Level: "portable", Workers: 1}} {
		b.Run(name, func(b *testing.B) { againstFixed(b, o) })
	}
}

func againstFixed(b *testing.B, o cpu.Options) {
	dir := b.TempDir()
	members := []*tensor.Device{tensor.New(cpu.New(o)), tensor.New(openVulkan(b, vk.Options{CacheDir: dir}))}
	opened := openVulkan(b, vk.Options{CacheDir: dir})
	begin := time.Now()
	chooser, err := auto.New([]ir.Device{cpu.New(o), opened}, auto.Options{CacheDir: dir})
	require.NoError(b, err)
	fmt.Fprintf(os.Stderr, "\ncalibrated in %v\n%-36s %12s %12s %12s %7s %7s\n", time.Since(begin).Round(time.Millisecond), "program", "cpu", "vulkan:0", "auto", "ratio", "early")
	devices := append(members, tensor.New(chooser))
	defer func() {
		for _, d := range devices {
			require.NoError(b, d.Close())
		}
	}()
	var ratios, early []float64
	for range b.N {
		for _, p := range append(programs(), training()...) {
			r, e := race(b, p, devices)
			ratios, early = append(ratios, r), append(early, e)
		}
	}
	slices.Sort(ratios)
	slices.Sort(early)
	b.ReportMetric(ratios[len(ratios)/2], "median")
	b.ReportMetric(ratios[len(ratios)-1], "worst")
	b.ReportMetric(early[len(early)/2], "median-early")
	b.ReportMetric(early[len(early)-1], "worst-early")
}

// race measures one program on each device, in turns. A member that is far behind is
// measured once.
func race(b *testing.B, p raced, devices []*tensor.Device) (ratio, early float64) {
	const warm, slice, far, budget = 4, 0.02, 5, 4.0
	l := make([]*runner, len(devices))
	best := math.Inf(1)
	for i, d := range devices {
		l[i] = &runner{dev: d, run: p.open(d)}
		t, err := l[i].batch(1) // compiles
		if i < 2 && t < 1 && err == nil {
			t, err = l[i].batch(1)
		}
		require.NoError(b, err, p.name)
		if l[i].times = []float64{t}; i < 2 {
			best = min(best, t)
		}
	}
	n := min(max(1, int(slice/best)), 100000)
	rounds := min(max(int(budget/(3*best*float64(n))), 3), 25)
	if best > budget/2 {
		rounds = 1
	}
	var first float64
	left := [3]bool{l[0].times[0] > far*best, l[1].times[0] > far*best}
	for k := range rounds {
		for j := range l {
			i := (j + k) % len(l)
			r := l[i]
			if left[i] {
				continue
			}
			t, err := r.batch(n)
			require.NoError(b, err)
			if i == 2 && k < warm {
				first += t / float64(n) / float64(min(rounds, warm))
			}
			if k == min(warm, rounds/2) {
				r.times = r.times[:0] // what was before made it warm
			}
			r.times = append(r.times, t/float64(n))
		}
	}
	better := l[0]
	if left[0] || !left[1] && middle(l[1].times) < middle(l[0].times) {
		better = l[1]
	}
	// Within a round, since what else the machine does changes more slowly.
	var rs []float64
	for k, t := range l[2].times {
		rs = append(rs, t/better.times[k])
	}
	ratio, early = middle(rs), first/middle(better.times)
	show := func(r *runner) time.Duration { return time.Duration(middle(r.times) * 1e9).Round(10) }
	fmt.Fprintf(os.Stderr, "%-36s %12v %12v %12v %7.2f %7.2f\n", p.name, show(l[0]), show(l[1]), show(l[2]), ratio, early)
	return ratio, early
}

// middle returns the median.
func middle(l []float64) float64 {
	l = slices.Clone(l)
	slices.Sort(l)
	return l[len(l)/2]
}
