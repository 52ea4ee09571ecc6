//go:build cgo

package auto_test

import (
	"os"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/fornax-ml/fornax/cpu"
	"github.com/fornax-ml/fornax/tensor/devicetest"
	"github.com/fornax-ml/fornax/tensor/ir"
	"github.com/fornax-ml/fornax/tensor/ir/auto"
	"github.com/fornax-ml/fornax/vk"
)

// openVulkan opens the first Vulkan device.
func openVulkan(t testing.TB, o vk.Options) *vk.Device {
	d, err := vk.Open(0, o)
	if err != nil {
		if os.Getenv("FORNAX_REQUIRE_VULKAN") == "1" {
			t.Fatal(err)
		}
		t.Skip(err)
	}
	t.Cleanup(func() { require.Empty(t, d.Messages()) })
	return d
}

// TestVulkanConformance runs the suite on the CPU and a Vulkan device, each program on
// one of them.
func TestVulkanConformance(t *testing.T) {
	for name, choose := range map[string]func(*ir.Program) int{"chosen": nil, "by program": byProgram(2)} {
		if testing.Short() && choose == nil {
			continue
		}
		t.Run(name, func(t *testing.T) {
			d := newAuto(t, auto.Options{Choose: choose}, cpu.New(cpu.Options{}), openVulkan(t, vk.Options{}))
			devicetest.Run(t, d, devicetest.Options{Programs: 20})
		})
	}
}
