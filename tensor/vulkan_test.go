//go:build cgo

package tensor_test

import (
	"os"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/fornax-ml/fornax/tensor"
	"github.com/fornax-ml/fornax/vk"
)

// openVulkan opens the first Vulkan device, nil where there is none and
// FORNAX_REQUIRE_VULKAN does not ask for one.
func openVulkan(t *testing.T) *tensor.Device {
	dev, err := vk.Open(0, vk.Options{})
	if err != nil {
		require.NotEqual(t, "1", os.Getenv("FORNAX_REQUIRE_VULKAN"), "no Vulkan device: %v", err)
		return nil
	}
	d := tensor.New(dev)
	t.Cleanup(func() {
		require.NoError(t, d.Close())
		require.Empty(t, dev.Messages())
	})
	return d
}
