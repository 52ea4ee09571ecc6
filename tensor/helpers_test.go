package tensor_test

import (
	"math"
	"math/rand/v2"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/fornax-ml/fornax/cpu"
	"github.com/fornax-ml/fornax/tensor"
	"github.com/fornax-ml/fornax/tensor/ir"
	"github.com/fornax-ml/fornax/tensor/ir/auto"
	"github.com/fornax-ml/fornax/tensor/ir/ref"
)

// devices returns the reference, the cpu, a device that runs each program on another
// of two, and the first Vulkan device: what stands above the seam must not depend on which.
// The Vulkan device reports validation messages when the test ends.
func devices(t *testing.T) map[string]*tensor.Device {
	l := map[string]*tensor.Device{"ref": tensor.New(ref.NewDevice()), "cpu": openCPU(t), "auto": openRestless(t)}
	if d := openVulkan(t); d != nil {
		l["vulkan"] = d
	}
	return l
}

// onEach runs a test on every device.
func onEach(t *testing.T, f func(t *testing.T, d *tensor.Device)) {
	for name, d := range devices(t) {
		t.Run(name, func(t *testing.T) { f(t, d) })
	}
}

func data[T tensor.Element](t *testing.T, x *tensor.Tensor) []T {
	t.Helper()
	v, err := tensor.Data[T](x)
	require.NoError(t, err)
	return v
}

func item(t *testing.T, x *tensor.Tensor) float64 {
	t.Helper()
	v, err := x.Item()
	require.NoError(t, err)
	return v
}

// random fills a float64 slice from [lo, hi).
func random(rng *rand.Rand, n int, lo, hi float64) []float64 {
	s := make([]float64, n)
	for i := range s {
		s[i] = lo + (hi-lo)*rng.Float64()
	}
	return s
}

func closeTo(t *testing.T, want, got, tol float64, msg ...any) {
	t.Helper()
	if math.IsNaN(want) && math.IsNaN(got) || want == got {
		return
	}
	if !(math.Abs(want-got) <= tol*(1+math.Abs(want))) {
		require.Fail(t, "values differ", append([]any{"want %v, got %v %v", want, got}, msg...)...)
	}
}

func openCPU(t *testing.T) *tensor.Device {
	d, err := tensor.Open("cpu")
	require.NoError(t, err)
	return d
}

// openRestless opens a device of two that changes between them with every run, so that
// all values are where they are not needed.
func openRestless(t *testing.T) *tensor.Device {
	var n atomic.Int32
	dev, err := auto.New([]ir.Device{cpu.New(cpu.Options{}), cpu.New(cpu.Options{Workers: 1})},
		auto.Options{Budget: time.Millisecond, Choose: func(*ir.Program) int { return int(n.Add(1) % 2) }})
	require.NoError(t, err)
	d := tensor.New(dev)
	t.Cleanup(func() { require.NoError(t, d.Close()) })
	return d
}
