//go:build cgo

package driver

/*
#include "driver.h"
*/
import "C"

import (
	"errors"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"unsafe"

	"github.com/vulkan-go/vulkan"
)

// DeviceOptions configures OpenDevice; the zero value is tier 0 without a pipeline cache on disk.
type DeviceOptions struct {
	// Tier caps what is enabled. 0: nothing optional but 64-bit floats and integers, which are Vulkan 1.0.
	// 1: buffer device address, subgroup size control, 8- and 16-bit types, … where present.
	// 2: cooperative matrices and bfloat16 too. 3: VK_NV_cooperative_matrix2 too.
	Tier int
	// Minimum treats the device as one that has what Vulkan 1.1 guarantees and no more. It wants tier 0.
	Minimum bool
	// MemoryBytes bounds the heaps that are the device's own; 0 leaves them as they are.
	MemoryBytes int
	// ForceStaging treats all device memory as invisible to the host, for tests.
	ForceStaging bool
	// CacheDir holds the pipeline cache file; empty: none. It is made when it does not exist.
	CacheDir string
	// FailAlloc, for tests, is called in every Alloc with the running count of Alloc calls, from 1
	// (staging memory counts too); a non-nil error makes the call fail with it, wrapped.
	FailAlloc func(n int) error
	// FailSubmit is the same for vkQueueSubmit. An error that is ErrDeviceLost loses the device.
	FailSubmit func(n int) error
}

// Device is a logical device with one compute queue.
type Device struct {
	in       *Instance
	index    int
	opt      DeviceOptions
	c        *C.fx_device
	info     PhysicalDevice
	features Features

	lost   atomic.Bool
	closed atomic.Bool

	mem    memory
	queue  queue
	stage  staging
	layout layouts
	sets   descriptorPools
	cache  pipelineCache

	mu         sync.Mutex // the registries below
	pipelines  map[*Pipeline]struct{}
	timestamps map[*Timestamps]struct{}
	pools      []C.fx_commands // every command pool, for Close
	idlePools  []C.fx_commands

	count counters
}

type counters struct {
	submits, pipelines, recorded, allocs, blockAllocs atomic.Uint64
}

// Stats counts what a device did since it was opened, and what it holds.
type Stats struct {
	Submits        uint64 // vkQueueSubmit calls, transfers included
	Pipelines      uint64 // pipelines built
	CommandBuffers uint64 // command buffers recorded, transfers included
	Allocs         uint64 // Alloc calls
	Memory         MemoryStats
}

// MemoryStats are the figures of the suballocator.
type MemoryStats struct {
	Live        uint64 // bytes handed out, rounded up
	Reserved    uint64 // bytes of all blocks
	Blocks      int
	BlockAllocs uint64 // vkAllocateMemory calls that succeeded
}

// OpenDevice opens device i of Devices.
func (in *Instance) OpenDevice(i int, opt DeviceOptions) (*Device, error) {
	if i < 0 || i >= len(in.devices) {
		return nil, fmt.Errorf("%w: device %d of %d", ErrNoDevice, i, len(in.devices))
	}
	in.mu.Lock()
	defer in.mu.Unlock()
	if in.closed.Load() {
		return nil, ErrClosed
	}
	d := &Device{in: in, index: i, opt: opt, info: in.devices[i], pipelines: map[*Pipeline]struct{}{}, timestamps: map[*Timestamps]struct{}{}}
	if s := C.fx_device_open(in.c, &in.handles[i], C.int(opt.Tier), &d.c); s.result != C.VK_SUCCESS {
		return nil, fmt.Errorf("driver: open %s: %w", d.info.Name, callError(C.GoString(s.call), Result(s.result)))
	}
	d.features = features(C.fx_device_features(d.c))
	if opt.Minimum {
		d.info, d.features = d.info.minimum(), Features{}
	}
	whole := d.info
	if n := uint64(opt.MemoryBytes); n > 0 {
		d.info.Heaps = slices.Clone(d.info.Heaps)
		for i := range d.info.Heaps {
			if h := &d.info.Heaps[i]; h.DeviceLocal {
				h.Size = min(h.Size, n)
			}
		}
	}
	err := d.mem.init(d, &whole)
	if err == nil {
		d.queue.init(d)
		d.stage.init(d)
		err = d.cache.open(d)
	}
	if err != nil {
		C.fx_device_close(d.c)
		return nil, fmt.Errorf("driver: open %s: %w", d.info.Name, err)
	}
	in.open++
	return d, nil
}

// Physical describes the device as it is, whatever the tier, or with DeviceOptions.Minimum the least.
func (d *Device) Physical() PhysicalDevice { return d.info }

// Limits are the physical device's.
func (d *Device) Limits() Limits { return d.info.Limits }

// Features are those enabled.
func (d *Device) Features() Features { return d.features }

// Lost reports whether the device is lost; every call that can fail then returns ErrDeviceLost.
func (d *Device) Lost() bool { return d.lost.Load() }

// Stats returns the counters.
func (d *Device) Stats() Stats {
	return Stats{Submits: d.count.submits.Load(), Pipelines: d.count.pipelines.Load(), CommandBuffers: d.count.recorded.Load(),
		Allocs: d.count.allocs.Load(), Memory: d.mem.stats()}
}

// usable is the first line of every call that can fail.
func (d *Device) usable() error {
	if d.closed.Load() {
		return ErrClosed
	}
	if d.lost.Load() {
		return ErrDeviceLost
	}
	return nil
}

// callError names the Vulkan call that failed.
func callError(call string, r Result) error { return fmt.Errorf("%s: %w", call, r) }

// check turns a VkResult into an error and remembers a lost device.
func (d *Device) check(call string, r C.VkResult) error {
	if r == C.VK_SUCCESS {
		return nil
	}
	if r == C.VK_ERROR_DEVICE_LOST {
		d.lost.Store(true)
		if why := d.fault(); why != "" {
			return fmt.Errorf("%w: %s", callError(call, ErrDeviceLost), why)
		}
	}
	return callError(call, Result(r))
}

// fault is what the driver tells of why the device was lost (VK_EXT_device_fault).
func (d *Device) fault() string {
	var text [4096]C.char
	C.fx_fault(d.c, &text[0], C.size_t(len(text)))
	return C.GoString(&text[0])
}

func (d *Device) checkStatus(s C.fx_status) error {
	if s.result == C.VK_SUCCESS {
		return nil
	}
	return d.check(C.GoString(s.call), s.result)
}

// Close waits for the queue, saves the pipeline cache and destroys everything the device made; handles
// of it may still be freed afterwards, which does nothing. No other call may be running.
func (d *Device) Close() error {
	if d.closed.Swap(true) {
		return nil
	}
	vulkan.DeviceWaitIdle(vulkan.Device(unsafe.Pointer(C.fx_device_handle(d.c))))
	d.queue.drain()
	var err error
	if !d.lost.Load() {
		err = d.cache.save(d)
	}
	d.mu.Lock()
	for p := range d.pipelines {
		C.fx_pipeline_destroy(d.c, p.handle)
	}
	for t := range d.timestamps {
		C.fx_timestamps_destroy(d.c, t.handle)
	}
	for _, p := range d.pools {
		C.fx_commands_destroy(d.c, p.pool)
	}
	d.pipelines, d.timestamps, d.pools, d.idlePools = nil, nil, nil, nil
	d.mu.Unlock()
	d.sets.close(d)
	d.layout.close(d)
	d.cache.close(d)
	d.queue.close(d)
	d.mem.close(d)
	C.fx_device_close(d.c)
	d.c = nil
	d.in.mu.Lock()
	d.in.open--
	d.in.mu.Unlock()
	return err
}

// wrap keeps sentinel errors bare where they say everything.
func wrap(what string, err error) error {
	if err == nil || errors.Is(err, ErrClosed) {
		return err
	}
	return fmt.Errorf("driver: %s: %w", what, err)
}
