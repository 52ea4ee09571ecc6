package record

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestDigits(t *testing.T) {
	for x, want := range map[float64]string{0: "0", 1: "1.00", 0.04567: "0.0457", 12.34: "12.3", 123.4: "123", 98765: "98765", -2.5: "-2.50"} {
		require.Equal(t, want, Digits(x))
	}
}

func TestShow(t *testing.T) {
	for _, c := range []struct {
		x    float64
		unit string
		want string
	}{
		{2e-6, "s", "2.00 µs"}, {0, "s", "0 s"}, {999.9e-6, "s", "1.00 ms"}, {3.2e4, "s", "32000 s"}, {1e-13, "s", "0.000100 ns"},
		{4.5e10, "B/s", "45.0 GB/s"}, {1.2e12, "flop/s", "1.20 TFLOP/s"}, {65536, "elements", "65,536 elements"},
		{1.5, "", "1.50"}, {2.25, "flop per byte", "2.25 flop per byte"}, {1 << 30, "B", "1.07 GB"},
	} {
		require.Equal(t, c.want, Show(c.x, c.unit))
	}
	require.Equal(t, "-1,234,567", Count(-1234567))
	require.Equal(t, "12", Count(12))
}

func TestLabel(t *testing.T) {
	require.Equal(t, "CPU avx2", Device{Kind: "cpu", Driver: "fornax cpu, amd64 avx2"}.Label())
	require.Equal(t, "CPU", Device{Kind: "cpu"}.Label())
	require.Equal(t, "llvmpipe", Device{Kind: "vulkan", Model: "llvmpipe (LLVM 15)"}.Label())
	require.Equal(t, "vulkan:1", Device{ID: "vulkan:1", Kind: "vulkan", Model: " (x"}.Label())
}
