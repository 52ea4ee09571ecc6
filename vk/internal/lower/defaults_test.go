package lower_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/fornax-ml/fornax/tensor/ir"
	"github.com/fornax-ml/fornax/vk/internal/lower"
)

// TestDefaultsByModel: a large product begins with the kernel of the model's line, where
// the device holds it, and every kernel is listed once.
func TestDefaultsByModel(t *testing.T) {
	for _, c := range []struct{ vendor, model, want string }{
		{"NVIDIA", "NVIDIA GeForce RTX 4090", "matmul 256 128 64 32 4 8"}, {"NVIDIA", "NVIDIA GeForce GTX 1070", "matmul 128 128 128 16 8 16"},
		{"NVIDIA", "NVIDIA H100 80GB HBM3", "matmul 128 64 128 32 8 8"}, {"AMD", "AMD Radeon RX 7900 XTX (RADV NAVI31)", "matmul 128 64 128 32 4 16"},
		{"AMD", "AMD Radeon RX 6700 XT", "matmul 128 128 128 16 16 8"}, {"Intel", "Intel(R) Arc(tm) A770 Graphics (DG2)", "matmul_direct 128 64 64 4 8"},
		{"Intel", "Intel(R) Iris(R) Xe Graphics (TGL GT2)", "matmul 64 64 64 16 8 8"}, {"Qualcomm", "Adreno (TM) 740", "matmul_direct 128 64 64 4 8"},
		{"Apple", "Apple M2 Max", "matmul 128 32 32 32 2 4"}, {"Imagination", "PowerVR", "matmul 256 128 128 16 8 8"},
	} {
		o := opt
		o.Workgroup, o.Shared = 256, 48<<10
		assert.NotEmpty(t, o.SetDefaults(c.vendor, c.model))
		p := lower.Product{Batch: 1, M: 4096, N: 4096, K: 4096, Parts: 1, DType: ir.F32, Stored: ir.F32, AlongK: true, AlongN: true, RunA: 4, RunB: 4}
		l := lower.MatMulKernels(p, o)
		require.NotEmpty(t, l)
		assert.True(t, strings.HasPrefix(l[0].Variant(), c.want), "%s: %s", c.model, l[0].Variant())
		seen := map[string]bool{}
		for _, k := range l {
			assert.False(t, seen[k.Variant()], k.Variant())
			seen[k.Variant()] = true
		}
	}
}
