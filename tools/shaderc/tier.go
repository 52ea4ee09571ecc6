package main

import (
	"fmt"
	"slices"
	"strings"

	"github.com/fornax-ml/fornax/shaders"
)

// tier0 lists the capabilities that every Vulkan 1.1 device has.
var tier0 = []string{"Shader", "Matrix", "ImageQuery", "Sampled1D", "Image1D", "SampledBuffer", "ImageBuffer"}

// fitsTier tells whether a tier's devices offer a capability: tier 0 the core
// of Vulkan 1.1, tier 1 all but cooperative matrices, tier 2 the Khronos ones.
func fitsTier(capability string, tier int) bool {
	matrix := strings.HasPrefix(capability, "CooperativeMatrix") || strings.HasPrefix(capability, "TensorAddressing") ||
		capability == "BFloat16CooperativeMatrixKHR"
	switch tier {
	case 0:
		return slices.Contains(tier0, capability)
	case 1:
		return !matrix
	case 2:
		return !matrix || strings.HasSuffix(capability, "KHR")
	}
	return true
}

// expectTier wants a module to ask only for what its tier promises.
func (u *unit) expectTier(m *shaders.Module) (out diags) {
	for _, c := range m.Capabilities {
		if !fitsTier(c, m.Tier) {
			out = append(out, diag{u.variants, u.spec.line, fmt.Sprintf("module %s: capability %s does not belong to tier %d", u.name, c, m.Tier)})
		}
	}
	return out
}

// The least that Vulkan 1.1 guarantees.
const (
	leastStorageBuffers = 4
	leastPushConstants  = 128
	leastInvocations    = 128
)

// exceeds lists the limits that a tier 0 module relies on beyond Vulkan's
// least: devices with more may still run it.
func (u *unit) exceeds(m *shaders.Module) (out diags) {
	if m.Tier > 0 {
		return nil
	}
	warn := func(what string, n, least uint64) {
		if n > least {
			out = append(out, diag{u.variants, u.spec.line, fmt.Sprintf("module %s: %d %s, Vulkan guarantees %d", u.name, n, what, least)})
		}
	}
	storage := uint64(0)
	for _, b := range m.Bindings {
		if b.Kind == shaders.KindStorage {
			storage += uint64(b.Count)
		}
	}
	warn("storage buffers", storage, leastStorageBuffers)
	warn("bytes of push constants", uint64(m.PushConstantBytes), leastPushConstants)
	n := uint64(1)
	for _, d := range m.LocalSize {
		n = min(n*uint64(d.Size), 1<<31)
	}
	warn("invocations in a workgroup", n, leastInvocations)
	return out
}
