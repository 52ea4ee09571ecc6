//go:build cgo

package driver

/*
#cgo CFLAGS: -std=gnu11
#cgo linux LDFLAGS: -ldl
#include <stdlib.h>
#include "driver.h"

#cgo noescape fx_instance_open
#cgo nocallback fx_instance_open
#cgo noescape fx_physical_query
#cgo nocallback fx_physical_query
*/
import "C"

import (
	"errors"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"unsafe"

	"github.com/vulkan-go/vulkan"
)

// InstanceOptions configures Open; the zero value is the usual one.
type InstanceOptions struct {
	// Validation enables VK_LAYER_KHRONOS_validation with synchronization validation. Warnings and
	// errors are collected and read with Messages.
	Validation bool
}

// Instance is a connection to the Vulkan loader and the devices it shows.
type Instance struct {
	c       *C.fx_instance
	devices []PhysicalDevice
	handles []C.fx_physical
	skipped []string

	mu     sync.Mutex
	open   int // devices open
	closed atomic.Bool
}

// loader is loaded once a process and never unloaded: drivers do not survive it.
var loader = sync.OnceValue(func() error {
	proc := C.fx_load()
	if proc == nil {
		return ErrNoLoader
	}
	vulkan.SetGetInstanceProcAddr(proc)
	return vulkan.Init()
})

// bindInstance gives vulkan-go its instance functions. They are the loader's trampolines, good for every
// instance, so once is enough, and only once is free of races.
var bindInstance sync.Once

// Open loads Vulkan and lists the devices. It returns ErrNoLoader, ErrNoDevice (which says what was left
// out and why) or ErrNoValidation, wrapped.
func Open(opt InstanceOptions) (*Instance, error) {
	if err := loader(); err != nil {
		return nil, err
	}
	validation := C.int(0)
	if opt.Validation {
		validation = 1
	}
	in := &Instance{}
	var c *C.fx_instance
	if s := C.fx_instance_open(validation, &c); s.result != C.VK_SUCCESS {
		err := callError(C.GoString(s.call), Result(s.result))
		switch {
		case opt.Validation && s.result == C.VK_ERROR_LAYER_NOT_PRESENT:
			return nil, fmt.Errorf("%w (%w)", ErrNoValidation, err)
		case s.result == C.VK_ERROR_INCOMPATIBLE_DRIVER:
			return nil, fmt.Errorf("%w: %w", ErrNoDevice, err)
		}
		return nil, fmt.Errorf("driver: open: %w", err)
	}
	in.c = c
	bindInstance.Do(func() {
		vulkan.InitInstance(vulkan.Instance(unsafe.Pointer(C.fx_instance_handle(c))))
	})
	if err := in.list(); err != nil {
		C.fx_instance_close(in.c)
		return nil, err
	}
	return in, nil
}

func (in *Instance) list() error {
	var n C.uint32_t
	if r := C.fx_physical_count(in.c, &n); r < 0 {
		return fmt.Errorf("%w: %w", ErrNoDevice, callError("vkEnumeratePhysicalDevices", Result(r)))
	}
	handles := make([]C.VkPhysicalDevice, n+1)
	if n > 0 {
		if r := C.fx_physical_handles(in.c, &n, &handles[0]); r < 0 {
			return fmt.Errorf("%w: %w", ErrNoDevice, callError("vkEnumeratePhysicalDevices", Result(r)))
		}
	}
	for _, h := range handles[:n] {
		p := new(C.fx_physical)
		if r := C.fx_physical_query(in.c, h, p); r != C.VK_SUCCESS {
			in.skipped = append(in.skipped, fmt.Sprintf("device %s: %v", cString(p.props.deviceName[:]), Result(r)))
			continue
		}
		info := physicalDevice(p)
		switch {
		case info.APIVersion < Version(1, 1, 0):
			in.skipped = append(in.skipped, fmt.Sprintf("%s: Vulkan %v, and 1.1 is needed", info.Name, info.APIVersion))
		case p.queue_family < 0:
			in.skipped = append(in.skipped, info.Name+": no compute queue")
		default:
			in.devices = append(in.devices, info)
			in.handles = append(in.handles, *p)
		}
	}
	if len(in.devices) == 0 {
		if len(in.skipped) > 0 {
			return fmt.Errorf("%w: %s", ErrNoDevice, strings.Join(in.skipped, "; "))
		}
		return ErrNoDevice
	}
	return nil
}

// Devices lists the usable devices in the loader's order. The memory figures of Heaps are those of Open;
// see Budget for fresh ones.
func (in *Instance) Devices() []PhysicalDevice { return append([]PhysicalDevice(nil), in.devices...) }

// Skipped says which devices were left out, and why.
func (in *Instance) Skipped() []string { return append([]string(nil), in.skipped...) }

// APIVersion is the version that the instance was made with.
func (in *Instance) APIVersion() APIVersion { return APIVersion(C.fx_instance_version(in.c)) }

// Budget returns, for every memory heap of device i, how many bytes this process may use and how many it
// uses now (VK_EXT_memory_budget); ok is false where the driver does not tell.
func (in *Instance) Budget(i int) (heaps []HeapBudget, ok bool) {
	p := &in.handles[i]
	if p.has.memory_budget == 0 || in.closed.Load() {
		return nil, false
	}
	var budget, usage [16]C.uint64_t
	C.fx_physical_budget(in.c, p.handle, &budget[0], &usage[0])
	for h := range in.devices[i].Heaps {
		heaps = append(heaps, HeapBudget{Budget: uint64(budget[h]), Usage: uint64(usage[h])})
	}
	return heaps, true
}

// Messages drains the validation messages collected since the last call, oldest first: at most 256, and
// one more that says how many did not fit. Nil without Validation.
func (in *Instance) Messages() []string {
	in.mu.Lock()
	defer in.mu.Unlock()
	if in.closed.Load() {
		return nil
	}
	var out []string
	for {
		s := C.fx_instance_message(in.c)
		if s == nil {
			break
		}
		out = append(out, C.GoString(s))
		C.free(unsafe.Pointer(s))
	}
	if n := C.fx_instance_messages_dropped(in.c); n > 0 {
		out = append(out, fmt.Sprintf("and %d more messages", n))
	}
	return out
}

// Close destroys the instance. Its devices must be closed first.
func (in *Instance) Close() error {
	in.mu.Lock()
	defer in.mu.Unlock()
	if in.open > 0 {
		return errors.New("driver: instance closed before its devices")
	}
	if !in.closed.Swap(true) {
		C.fx_instance_close(in.c)
	}
	return nil
}

func cString(b []C.char) string {
	var s strings.Builder
	for _, c := range b {
		if c == 0 {
			break
		}
		s.WriteByte(byte(c))
	}
	return s.String()
}
