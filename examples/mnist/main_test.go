package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"math"
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/fornax-ml/fornax/tensor"
)

func open(t *testing.T, name string) *tensor.Device {
	d, err := tensor.Open(name)
	require.NoError(t, err)
	return d
}

// TestAccuracy is what the example promises, in each precision.
func TestAccuracy(t *testing.T) {
	if testing.Short() {
		t.Skip("trains three times")
	}
	defer func() { *precision = "f32" }()
	for _, *precision = range []string{"f32", "bf16", "f16"} {
		t.Run(*precision, func(t *testing.T) {
			got, err := run(t.Context(), open(t, "cpu"), io.Discard)
			require.NoError(t, err)
			require.Len(t, got, *epochs)
			require.GreaterOrEqual(t, got[len(got)-1].Test.Accuracy, 0.975)
		})
	}
	*precision = "f8"
	_, err := run(t.Context(), open(t, "cpu"), io.Discard)
	require.ErrorContains(t, err, "wants f32, bf16 or f16")
}

// firstLosses trains until n losses are printed.
type firstLosses struct {
	n      int
	losses []float64
	cancel func()
}

func (f *firstLosses) Write(b []byte) (int, error) {
	for line := range strings.Lines(string(bytes.TrimSpace(b))) {
		var step int
		var loss float64
		if _, err := fmt.Sscanf(line, "step %d: loss %g", &step, &loss); err != nil {
			return 0, err
		}
		if f.losses = append(f.losses, loss); len(f.losses) == f.n {
			f.cancel()
		}
	}
	return len(b), nil
}

// TestDevicesAgree compares the first 50 training losses of every Vulkan
// driver with those of the cpu.
func TestDevicesAgree(t *testing.T) {
	const n = 50
	*losses = n
	defer func() { *losses = 0 }()
	first := func(name string) []float64 {
		ctx, cancel := context.WithCancel(t.Context())
		f := &firstLosses{n: n, cancel: cancel}
		_, err := run(ctx, open(t, name), f)
		require.ErrorIs(t, err, context.Canceled)
		require.Len(t, f.losses, n)
		return f.losses
	}
	want := first("cpu")
	require.Less(t, want[n-1], want[0]/1.5, "it learns")
	vulkan := 0
	for _, i := range tensor.Devices() {
		if i.Backend != "vulkan" {
			continue
		}
		vulkan++
		worst := 0.0
		for k, v := range first(i.Name) {
			worst = max(worst, math.Abs(v-want[k])/want[k])
		}
		t.Logf("%s: %.1e relative at most", i.Model, worst)
		require.LessOrEqual(t, worst, 1e-4, i.Model)
	}
	if vulkan == 0 && os.Getenv("FORNAX_REQUIRE_VULKAN") == "1" {
		t.Error("no Vulkan device")
	}
}
