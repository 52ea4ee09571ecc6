//go:build cgo

package auto_test

import (
	"os"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/fornax-ml/fornax/cpu"
	"github.com/fornax-ml/fornax/tensor/devicetest"
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
// one of them: their sums differ in the last bits.
func TestVulkanConformance(t *testing.T) {
	d := newAuto(t, auto.Options{Choose: byProgram(2)}, cpu.New(cpu.Options{}), openVulkan(t, vk.Options{}))
	devicetest.Run(t, d, devicetest.Options{Programs: 20})
}
