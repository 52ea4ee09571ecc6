//go:build cgo

package driver

import (
	"strings"
	"testing"

	"github.com/vulkan-go/vulkan"
)

// The values declared by hand against those of vulkan-go, whose constants come from Khronos's headers.
func TestResultsAgreeWithVulkanGo(t *testing.T) {
	for r, v := range map[Result]vulkan.Result{
		ErrNotReady: vulkan.NotReady, ErrOutOfHostMemory: vulkan.ErrorOutOfHostMemory,
		ErrOutOfDeviceMemory: vulkan.ErrorOutOfDeviceMemory, ErrDeviceLost: vulkan.ErrorDeviceLost,
		ErrTooManyObjects: vulkan.ErrorTooManyObjects, -12: vulkan.ErrorFragmentedPool, -1000069000: vulkan.ErrorOutOfPoolMemory,
		-5: vulkan.ErrorMemoryMapFailed, -9: vulkan.ErrorIncompatibleDriver,
	} {
		if int32(r) != int32(v) {
			t.Errorf("%v is %d, Vulkan says %d", r, r, v)
		}
	}
	for code := vulkan.Result(-12); code <= vulkan.ErrorOutOfHostMemory; code++ {
		if strings.Contains(Result(code).Error(), "result") {
			t.Errorf("no name for result %d", code)
		}
	}
}

// chooseType on the memory types of well-known kinds of device.
func TestChooseType(t *testing.T) {
	local := MemoryType{DeviceLocal: true}
	window := MemoryType{Heap: 2, DeviceLocal: true, HostVisible: true, HostCoherent: true}
	host := MemoryType{Heap: 1, HostVisible: true, HostCoherent: true}
	cached := MemoryType{Heap: 1, HostVisible: true, HostCoherent: true, HostCached: true}
	bar := window
	bar.Heap = 0
	all := MemoryType{DeviceLocal: true, HostVisible: true, HostCoherent: true, HostCached: true}
	special := bar
	special.Special = true
	heaps := []MemoryHeap{{8 << 30, true}, {16 << 30, false}, {256 << 20, true}}
	for _, c := range []struct {
		name   string
		device PhysicalDevice
		want   [memoryKinds]int
	}{
		{"discrete with a window", PhysicalDevice{Type: DiscreteDevice, Heaps: heaps, MemoryTypes: []MemoryType{local, host, cached, window}}, [...]int{0, 1, 2}},
		{"discrete with resizable BAR", PhysicalDevice{Type: DiscreteDevice, Heaps: heaps[:2], MemoryTypes: []MemoryType{local, host, cached, bar, special}}, [...]int{3, 1, 2}},
		{"integrated", PhysicalDevice{Type: IntegratedDevice, Heaps: heaps[:1], MemoryTypes: []MemoryType{bar, all}}, [...]int{1, 0, 1}},
		{"one type", PhysicalDevice{Type: CPUDevice, Heaps: heaps[:1], MemoryTypes: []MemoryType{all}}, [...]int{0, 0, 0}},
		{"none for the host", PhysicalDevice{Type: DiscreteDevice, Heaps: heaps[:1], MemoryTypes: []MemoryType{local}}, [...]int{0, -1, -1}},
	} {
		for k, want := range c.want {
			if got := chooseType(MemoryKind(k), &c.device, ^uint32(0)); got != want {
				t.Errorf("%s: %v memory from type %d, want %d", c.name, MemoryKind(k), got, want)
			}
		}
	}
}
