//go:build cgo

package auto_test

import (
	"hash/fnv"
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

// byProgram chooses the member by the text of the program.
func byProgram(members int) func(*ir.Program) int {
	return func(p *ir.Program) int {
		h := fnv.New32a()
		h.Write([]byte(p.String()))
		return int(h.Sum32()>>8) % members
	}
}

// TestVulkanConformance runs a short suite on the CPU and a Vulkan device, each program on
// one of them: their sums differ in the last bits.
func TestVulkanConformance(t *testing.T) {
	d := newAuto(t, auto.Options{Choose: byProgram(2)}, cpu.New(cpu.Options{}), openVulkan(t, vk.Options{}))
	devicetest.Run(t, d, devicetest.Options{Programs: 20, Short: true})
}
