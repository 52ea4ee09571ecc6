package tensor_test

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/fornax-ml/fornax/cpu"
	"github.com/fornax-ml/fornax/tensor"
	"github.com/fornax-ml/fornax/tensor/ir"
	"github.com/fornax-ml/fornax/tensor/ir/auto"
)

// ownCache keeps calibrations out of the user's folder.
func ownCache(t *testing.T) {
	for _, name := range []string{"XDG_CACHE_HOME", "HOME", "LocalAppData"} {
		t.Setenv(name, t.TempDir())
	}
}

// "auto" is the cpu where there is nothing else, and what the environment names
// otherwise.
func TestOpenAuto(t *testing.T) {
	ownCache(t)
	t.Setenv("FORNAX_AUTO", "cpu")
	d, err := tensor.Open("auto")
	require.NoError(t, err)
	require.Equal(t, "cpu", d.Name())
	require.Equal(t, openCPU(t), d)

	t.Setenv("FORNAX_AUTO", "cpu, cpu")
	d, err = tensor.Open("")
	require.NoError(t, err)
	require.Equal(t, "auto", d.Name())
	require.Equal(t, "auto", d.Info().Backend)
	again, err := tensor.Open("auto")
	require.NoError(t, err)
	require.Same(t, d, again)
	x := tensor.FromSlice(d, []float32{1, 2, 3}, 3)
	require.EqualValues(t, 14, item(t, x.Mul(x).Sum()))
	require.EqualValues(t, 6, item(t, x.To(openCPU(t)).Sum()))
	require.NoError(t, d.Close())

	for _, bad := range []string{"cpu,nothing", "cpu,vulkan:99"} {
		t.Setenv("FORNAX_AUTO", bad)
		_, err = tensor.Open("auto")
		require.ErrorContains(t, err, strings.TrimPrefix(bad, "cpu,"))
	}
	t.Setenv("FORNAX_AUTO", "cpu,cpu")
	t.Setenv("FORNAX_AUTO_PIN", "vulkan:0")
	_, err = tensor.Open("auto")
	require.ErrorContains(t, err, "vulkan:0")
}

// What a program is, needs and takes can be read; it is told once, and again when it has
// run.
func TestExplain(t *testing.T) {
	var out bytes.Buffer
	dev, err := auto.New([]ir.Device{cpu.New(cpu.Options{})}, auto.Options{Budget: time.Millisecond, Explain: &out})
	require.NoError(t, err)
	d := tensor.New(dev)
	defer d.Close()
	d.Explain(&out)
	step := tensor.Compile(func(in ...*tensor.Tensor) []*tensor.Tensor { return []*tensor.Tensor{in[0].MatMul(in[0]).Sum(0)} })
	x := tensor.Ones(d, 4, 4)
	for range 100 {
		_, err := step.Call(x)
		require.NoError(t, err)
	}
	text := out.String()
	require.Equal(t, 1, strings.Count(text, "matmul [] 4x4x4"), text)
	for _, want := range []string{"for auto, ", "memory: inputs 64, outputs 16, arena ", "cpu: estimated ", " after 64 runs\n", "; measured ", "runs on cpu"} {
		require.Contains(t, text, want)
	}
}
