//go:build !cgo

package tensor_test

import (
	"testing"

	"github.com/fornax-ml/fornax/tensor"
)

// openVulkan returns nil: without cgo there is no Vulkan.
func openVulkan(*testing.T) *tensor.Device { return nil }
