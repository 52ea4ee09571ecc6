//go:build cgo

package driver

/*
#include "driver.h"
*/
import "C"

import "fmt"

// APIVersion is a packed Vulkan version.
type APIVersion uint32

// Version packs a Vulkan version.
func Version(major, minor, patch int) APIVersion {
	return APIVersion(uint32(major)<<22 | uint32(minor)<<12 | uint32(patch))
}

func (v APIVersion) String() string { return fmt.Sprintf("%d.%d.%d", v>>22&0x7f, v>>12&0x3ff, v&0xfff) }

// DeviceType is VkPhysicalDeviceType.
type DeviceType int32

const (
	OtherDevice DeviceType = iota
	IntegratedDevice
	DiscreteDevice
	VirtualDevice
	CPUDevice
)

func (t DeviceType) String() string {
	if t < 0 || t > CPUDevice {
		t = OtherDevice
	}
	return [...]string{"other", "integrated", "discrete", "virtual", "cpu"}[t]
}

// PhysicalDevice is what a device has, before any tier cap.
type PhysicalDevice struct {
	Name          string
	Type          DeviceType
	VendorID      uint32
	DeviceID      uint32
	DriverVersion uint32 // packed in the vendor's own way
	DriverName    string // such as "llvmpipe" or "NVIDIA"; empty where the driver does not tell
	DriverInfo    string // such as "Mesa 22.3.6"
	APIVersion    APIVersion

	DeviceUUID, DriverUUID, PipelineCacheUUID [16]byte

	Heaps       []MemoryHeap
	MemoryTypes []MemoryType
	Limits      Limits
	Subgroup    Subgroup
	Float       FloatControls
	Features    Features
	// CooperativeMatrices lists the shapes and types of VK_KHR_cooperative_matrix.
	CooperativeMatrices []CooperativeMatrix
	// FlexibleMatrices lists what VK_NV_cooperative_matrix2 computes: of sizes up to
	// FlexibleMax that are multiples of M, N and K. A workgroup's take FlexibleShared
	// bytes of its shared memory.
	FlexibleMatrices            []CooperativeMatrix
	FlexibleMax, FlexibleShared int
}

// MemoryHeap is one memory of the device.
type MemoryHeap struct {
	Size        uint64
	DeviceLocal bool
}

// HeapBudget is what VK_EXT_memory_budget says of one heap, in bytes.
type HeapBudget struct{ Budget, Usage uint64 }

// MemoryType is a way of using a heap.
type MemoryType struct {
	Heap                                               int
	DeviceLocal, HostVisible, HostCoherent, HostCached bool
	// Special: protected, lazily allocated or device-coherent memory, never chosen.
	Special bool
}

// Limits are the limits that matter to compute; names follow VkPhysicalDeviceLimits.
type Limits struct {
	MaxWorkGroupCount       [3]uint32
	MaxWorkGroupSize        [3]uint32
	MaxWorkGroupInvocations uint32
	SharedMemory            uint32 // bytes, maxComputeSharedMemorySize
	PushConstants           uint32 // bytes

	StorageBuffersPerStage uint32
	UniformBuffersPerStage uint32
	StorageBuffersPerSet   uint32
	UniformBuffersPerSet   uint32
	DynamicStoragePerSet   uint32
	DynamicUniformPerSet   uint32
	ResourcesPerStage      uint32

	StorageBufferRange       uint64 // bytes one binding may span
	UniformBufferRange       uint64
	StorageOffsetAlignment   uint64
	UniformOffsetAlignment   uint64
	NonCoherentAtom          uint64
	MaxAllocation            uint64 // bytes of one vkAllocateMemory
	MaxBuffer                uint64 // bytes of one buffer; 0 where unknown (before maintenance4)
	MaxAllocationCount       uint32
	TimestampPeriod          float32 // nanoseconds a tick; 0: no timestamps
	TimestampBits            uint32  // of the compute queue; 0: no timestamps
	MaxSubgroupsPerWorkGroup uint32  // 0 where unknown
}

// SubgroupOps is VkSubgroupFeatureFlags.
type SubgroupOps uint32

const (
	SubgroupBasic SubgroupOps = 1 << iota
	SubgroupVote
	SubgroupArithmetic
	SubgroupBallot
	SubgroupShuffle
	SubgroupShuffleRelative
	SubgroupClustered
	SubgroupQuad
)

// Subgroup says how wide subgroups are and what they can do in a compute shader.
type Subgroup struct {
	Size, Min, Max int // Min = Max = Size without subgroup size control
	Ops            SubgroupOps
	Compute        bool // the Ops hold in compute shaders
	SizeRequest    bool // PipelineDesc.RequiredSubgroupSize works in compute shaders
}

// ByWidth is a property of float16, float32 and float64 arithmetic.
type ByWidth struct{ F16, F32, F64 bool }

// FloatControls is what VK_KHR_shader_float_controls lets a module ask for.
type FloatControls struct {
	SignedZeroInfNan, DenormPreserve, DenormFlush, RoundNearest, RoundZero ByWidth
}

// Features are the optional features. In PhysicalDevice: present. From Device.Features: enabled.
type Features struct {
	Float64, Int64, Int16, Float16, Int8 bool
	Storage16, Storage8                  bool // 16- and 8-bit types in storage buffers
	BufferDeviceAddress                  bool
	TimelineSemaphore                    bool
	SubgroupSizeControl                  bool
	FullSubgroups                        bool // computeFullSubgroups
	SubgroupExtendedTypes                bool
	Synchronization2                     bool
	ScalarBlockLayout                    bool
	IntegerDotProduct                    bool
	Maintenance4                         bool
	VulkanMemoryModel                    bool
	VulkanMemoryModelDeviceScope         bool
	Fault                                bool // VK_EXT_device_fault
	CooperativeMatrix                    bool // VK_KHR_cooperative_matrix
	BFloat16                             bool // VK_KHR_shader_bfloat16, the type
	BFloat16CooperativeMatrix            bool
	// Of VK_NV_cooperative_matrix2.
	WorkgroupMatrices  bool // cooperativeMatrixWorkgroupScope
	FlexibleMatrices   bool // cooperativeMatrixFlexibleDimensions
	MatricesPerElement bool // cooperativeMatrixPerElementOperations
	PushDescriptor     bool // VK_KHR_push_descriptor is listed; never enabled here
	FloatControls      bool
	MemoryBudget       bool
}

// ComponentType is VkComponentTypeKHR.
type ComponentType int32

const (
	ComponentF16 ComponentType = iota
	ComponentF32
	ComponentF64
	ComponentI8
	ComponentI16
	ComponentI32
	ComponentI64
	ComponentU8
	ComponentU16
	ComponentU32
	ComponentU64
	ComponentBF16 ComponentType = 1000141000
)

// CooperativeMatrix is one supported Result = A*B + C, A being MxK, B KxN.
type CooperativeMatrix struct {
	M, N, K         int
	A, B, C, Result ComponentType
	Saturating      bool
	Subgroup        bool // scope is the subgroup
	Workgroup       bool // scope is the workgroup
	// Invocations of flexible ones is the workgroup that the scope wants; 0 for any.
	Invocations int
}

func physicalDevice(p *C.fx_physical) PhysicalDevice {
	l := &p.props.limits
	d := PhysicalDevice{
		Name: cString(p.props.deviceName[:]), Type: DeviceType(p.props.deviceType),
		VendorID: uint32(p.props.vendorID), DeviceID: uint32(p.props.deviceID),
		DriverVersion: uint32(p.props.driverVersion), APIVersion: APIVersion(p.api_version),
		DriverName: cString(p.driver_name[:]), DriverInfo: cString(p.driver_info[:]),
		DeviceUUID: uuid(p.device_uuid), DriverUUID: uuid(p.driver_uuid), PipelineCacheUUID: uuid(p.props.pipelineCacheUUID),
		Features: features(p.has),
		Limits: Limits{
			MaxWorkGroupCount:        three(l.maxComputeWorkGroupCount),
			MaxWorkGroupSize:         three(l.maxComputeWorkGroupSize),
			MaxWorkGroupInvocations:  uint32(l.maxComputeWorkGroupInvocations),
			SharedMemory:             uint32(l.maxComputeSharedMemorySize),
			PushConstants:            uint32(l.maxPushConstantsSize),
			StorageBuffersPerStage:   uint32(l.maxPerStageDescriptorStorageBuffers),
			UniformBuffersPerStage:   uint32(l.maxPerStageDescriptorUniformBuffers),
			StorageBuffersPerSet:     uint32(l.maxDescriptorSetStorageBuffers),
			UniformBuffersPerSet:     uint32(l.maxDescriptorSetUniformBuffers),
			DynamicStoragePerSet:     uint32(l.maxDescriptorSetStorageBuffersDynamic),
			DynamicUniformPerSet:     uint32(l.maxDescriptorSetUniformBuffersDynamic),
			ResourcesPerStage:        uint32(l.maxPerStageResources),
			StorageBufferRange:       uint64(l.maxStorageBufferRange),
			UniformBufferRange:       uint64(l.maxUniformBufferRange),
			StorageOffsetAlignment:   uint64(l.minStorageBufferOffsetAlignment),
			UniformOffsetAlignment:   uint64(l.minUniformBufferOffsetAlignment),
			NonCoherentAtom:          uint64(l.nonCoherentAtomSize),
			MaxAllocation:            uint64(p.max_allocation),
			MaxBuffer:                uint64(p.max_buffer),
			MaxAllocationCount:       uint32(l.maxMemoryAllocationCount),
			TimestampPeriod:          float32(l.timestampPeriod),
			TimestampBits:            uint32(p.timestamp_bits),
			MaxSubgroupsPerWorkGroup: uint32(p.max_subgroups),
		},
		Subgroup: Subgroup{
			Size: int(p.subgroup_size), Min: int(p.subgroup_min), Max: int(p.subgroup_max),
			Ops:         SubgroupOps(p.subgroup_ops),
			Compute:     p.subgroup_stages&C.VK_SHADER_STAGE_COMPUTE_BIT != 0,
			SizeRequest: p.subgroup_size_stages&C.VK_SHADER_STAGE_COMPUTE_BIT != 0,
		},
		Float: FloatControls{
			SignedZeroInfNan: byWidth(p.signed_zero_inf_nan), DenormPreserve: byWidth(p.denorm_preserve),
			DenormFlush: byWidth(p.denorm_flush), RoundNearest: byWidth(p.rte), RoundZero: byWidth(p.rtz),
		},
	}
	if d.Limits.MaxAllocation == 0 {
		d.Limits.MaxAllocation = 1 << 30 // the least that Vulkan 1.1 allows
	}
	for _, h := range p.memory.memoryHeaps[:p.memory.memoryHeapCount] {
		d.Heaps = append(d.Heaps, MemoryHeap{Size: uint64(h.size), DeviceLocal: h.flags&1 != 0})
	}
	for _, t := range p.memory.memoryTypes[:p.memory.memoryTypeCount] {
		f := t.propertyFlags
		d.MemoryTypes = append(d.MemoryTypes, MemoryType{Heap: int(t.heapIndex), DeviceLocal: f&1 != 0,
			HostVisible: f&2 != 0, HostCoherent: f&4 != 0, HostCached: f&8 != 0, Special: f&^15 != 0})
	}
	d.CooperativeMatrices = matrices(p.coopmats[:p.coopmat_count])
	d.FlexibleMatrices = matrices(p.flexible[:p.flexible_count])
	d.FlexibleMax, d.FlexibleShared = int(p.flexible_max), int(p.flexible_shared)
	return d
}

func matrices(list []C.fx_coopmat) (l []CooperativeMatrix) {
	for _, c := range list {
		l = append(l, CooperativeMatrix{M: int(c.m), N: int(c.n), K: int(c.k),
			A: ComponentType(c.a), B: ComponentType(c.b), C: ComponentType(c.c), Result: ComponentType(c.result),
			Saturating: c.saturating != 0, Subgroup: c.scope == 3, Workgroup: c.scope == 2, Invocations: int(c.invocations)})
	}
	return l
}

func features(f C.fx_features) Features {
	return Features{
		Float64: f.float64 != 0, Int64: f.int64 != 0, Int16: f.int16 != 0, Float16: f.float16 != 0, Int8: f.int8 != 0,
		Storage16: f.storage16 != 0, Storage8: f.storage8 != 0, BufferDeviceAddress: f.address != 0,
		TimelineSemaphore: f.timeline != 0, SubgroupSizeControl: f.subgroup_size != 0, FullSubgroups: f.full_subgroups != 0,
		SubgroupExtendedTypes: f.subgroup_types != 0, Synchronization2: f.sync2 != 0, ScalarBlockLayout: f.scalar_layout != 0,
		IntegerDotProduct: f.dot_product != 0, Maintenance4: f.maintenance4 != 0, VulkanMemoryModel: f.memory_model != 0,
		VulkanMemoryModelDeviceScope: f.memory_model_device != 0, Fault: f.fault != 0, CooperativeMatrix: f.coopmat != 0, BFloat16: f.bfloat16 != 0,
		BFloat16CooperativeMatrix: f.bfloat16_coopmat != 0, WorkgroupMatrices: f.coopmat2_workgroup != 0,
		FlexibleMatrices: f.coopmat2_flexible != 0, MatricesPerElement: f.coopmat2_per_element != 0,
		PushDescriptor: f.push_descriptor != 0, FloatControls: f.float_controls != 0, MemoryBudget: f.memory_budget != 0,
	}
}

func three(v [3]C.uint32_t) [3]uint32 { return [3]uint32{uint32(v[0]), uint32(v[1]), uint32(v[2])} }

func byWidth(v [3]C.uint8_t) ByWidth { return ByWidth{v[0] != 0, v[1] != 0, v[2] != 0} }

func uuid(v [16]C.uint8_t) (u [16]byte) {
	for i := range v {
		u[i] = byte(v[i])
	}
	return u
}
