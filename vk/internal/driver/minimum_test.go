//go:build cgo

package driver

import (
	"testing"

	"github.com/stretchr/testify/require"
)

// A device is never given more than it has.
func TestMinimum(t *testing.T) {
	var none PhysicalDevice
	got := none.minimum()
	require.Equal(t, Limits{StorageOffsetAlignment: 256, UniformOffsetAlignment: 256, NonCoherentAtom: 256}, got.Limits)

	big := PhysicalDevice{Limits: Limits{
		MaxWorkGroupInvocations: 1024, SharedMemory: 64 << 10, StorageBuffersPerStage: 1000, StorageBufferRange: 1 << 32, StorageOffsetAlignment: 16,
		NonCoherentAtom: 512,
	}, Features: Features{Float64: true, BufferDeviceAddress: true}, Subgroup: Subgroup{Size: 32, Min: 8, Max: 32, Ops: SubgroupBasic | SubgroupBallot}}
	got = big.minimum()
	require.Equal(t, Limits{
		MaxWorkGroupInvocations: 128, SharedMemory: 16 << 10, StorageBuffersPerStage: 4, StorageBufferRange: 128 << 20, StorageOffsetAlignment: 256,
		UniformOffsetAlignment: 256, NonCoherentAtom: 512,
	}, got.Limits)
	require.Equal(t, Features{}, got.Features)
	require.Equal(t, SubgroupBasic, got.Subgroup.Ops)
	require.EqualValues(t, 1024, big.Limits.MaxWorkGroupInvocations, "of the original")
}
