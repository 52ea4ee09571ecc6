//go:build cgo

package driver

// minimum returns the device as if it had no more than every Vulkan 1.1 device has:
// the limits of the specification's table "Required Limits", and no optional feature.
func (p PhysicalDevice) minimum() PhysicalDevice {
	l := &p.Limits
	for _, x := range []struct {
		v    *uint32
		most uint32
	}{
		{&l.MaxWorkGroupCount[0], 65535}, {&l.MaxWorkGroupCount[1], 65535}, {&l.MaxWorkGroupCount[2], 65535},
		{&l.MaxWorkGroupSize[0], 128}, {&l.MaxWorkGroupSize[1], 128}, {&l.MaxWorkGroupSize[2], 64}, {&l.MaxWorkGroupInvocations, 128},
		{&l.SharedMemory, 16 << 10}, {&l.PushConstants, 128},
		{&l.StorageBuffersPerStage, 4}, {&l.UniformBuffersPerStage, 12}, {&l.StorageBuffersPerSet, 24}, {&l.UniformBuffersPerSet, 72},
		{&l.DynamicStoragePerSet, 4}, {&l.DynamicUniformPerSet, 8}, {&l.ResourcesPerStage, 128},
		{&l.MaxAllocationCount, 4096}, {&l.TimestampBits, 0},
	} {
		*x.v = min(*x.v, x.most)
	}
	for _, x := range []struct {
		v    *uint64
		most uint64
	}{{&l.StorageBufferRange, 128 << 20}, {&l.UniformBufferRange, 16 << 10}, {&l.MaxAllocation, 1 << 30}} {
		*x.v = min(*x.v, x.most)
	}
	for _, v := range []*uint64{&l.StorageOffsetAlignment, &l.UniformOffsetAlignment, &l.NonCoherentAtom} {
		*v = max(*v, 256)
	}
	p.Subgroup = Subgroup{Size: p.Subgroup.Size, Min: p.Subgroup.Size, Max: p.Subgroup.Size, Ops: SubgroupBasic, Compute: true}
	p.Features, p.CooperativeMatrices, p.FlexibleMatrices = Features{}, nil, nil
	return p
}
