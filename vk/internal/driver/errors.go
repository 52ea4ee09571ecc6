package driver

import (
	"errors"
	"fmt"
)

// Result is a VkResult that is not success. It is an error, compares with ==, and is what every failing
// Vulkan call is wrapped around: errors.Is(err, ErrDeviceLost).
type Result int32

// The results that callers tell apart.
const (
	ErrOutOfHostMemory   Result = -1
	ErrOutOfDeviceMemory Result = -2
	ErrDeviceLost        Result = -4
	ErrTooManyObjects    Result = -10
)

// Not ready is a status, not a failure; Timestamps.Read returns it for values not yet written.
const ErrNotReady Result = 1

var (
	// ErrNoCgo: built without cgo, so there is no Vulkan.
	ErrNoCgo = errors.New("driver: built without cgo, Vulkan is not available")
	// ErrNoLoader: no Vulkan loader library on this machine.
	ErrNoLoader = errors.New("driver: no Vulkan loader found (libvulkan.so.1, vulkan-1.dll, libvulkan.1.dylib)")
	// ErrNoDevice: the loader works and shows no device that can compute with Vulkan 1.1.
	ErrNoDevice = errors.New("driver: no usable Vulkan device")
	// ErrNoValidation: validation was asked for and the layer is not installed.
	ErrNoValidation = errors.New("driver: validation asked for, but VK_LAYER_KHRONOS_validation is not installed")
	// ErrClosed: the device or instance was closed.
	ErrClosed = errors.New("driver: closed")
	// ErrPending: a command buffer was submitted or recorded again before its last run ended.
	ErrPending = errors.New("driver: command buffer is still pending")
	// ErrUnsupported: the device, or the tier it was opened with, lacks a feature.
	ErrUnsupported = errors.New("driver: not supported by the device at this tier")
)

var resultNames = map[Result]string{
	1: "not ready", 2: "timeout", 5: "incomplete",
	-1: "out of host memory", -2: "out of device memory", -3: "initialization failed", -4: "device lost",
	-5: "memory map failed", -6: "layer not present", -7: "extension not present", -8: "feature not present",
	-9: "incompatible driver", -10: "too many objects", -11: "format not supported", -12: "fragmented pool",
	-13: "unknown error", -1000069000: "out of pool memory", -1000072003: "invalid external handle",
	-1000161000: "fragmentation", -1000257000: "invalid device address", -1000011001: "validation failed",
	-1000012000: "invalid shader", -1000174001: "not permitted", 1000297000: "pipeline compile required",
}

func (r Result) Error() string {
	if s, ok := resultNames[r]; ok {
		return "vulkan: " + s
	}
	return fmt.Sprintf("vulkan: result %d", int32(r))
}

// MemoryError is an allocation that failed, with the figures. It unwraps to ErrOutOfDeviceMemory or
// ErrOutOfHostMemory.
type MemoryError struct {
	Kind      MemoryKind
	Need      uint64 // bytes asked for, rounded up
	Available uint64 // bytes the heap still had: its budget where the driver tells, else size less what this device reserved
	Heap      uint64 // bytes of the heap
	Limit     uint64 // most bytes of one allocation
	Result    Result
}

func (e *MemoryError) Error() string {
	if e.Limit != 0 && e.Need > e.Limit {
		return fmt.Sprintf("%v: %v memory: need %d bytes in one piece, the device allows %d", e.Result, e.Kind, e.Need, e.Limit)
	}
	return fmt.Sprintf("%v: %v memory: need %d bytes, %d available of a heap of %d", e.Result, e.Kind, e.Need, e.Available, e.Heap)
}

func (e *MemoryError) Unwrap() error { return e.Result }

// MemoryKind says who reads and writes an allocation.
type MemoryKind uint8

const (
	// DeviceMemory is for what kernels work on; mapped where the device has such memory.
	DeviceMemory MemoryKind = iota
	// UploadMemory is always mapped, for bytes that the host writes and the device reads once or so.
	UploadMemory
	// ReadbackMemory is always mapped and cached where possible, for bytes that the host reads.
	ReadbackMemory
	memoryKinds
)

func (k MemoryKind) String() string {
	return [...]string{"device", "upload", "readback", "unknown"}[min(k, memoryKinds)]
}
