//go:build cgo

package vk

import (
	"cmp"
	"fmt"
	"os"
	"strconv"
	"strings"
	"sync"

	"github.com/fornax-ml/fornax/tensor/ir"
	"github.com/fornax-ml/fornax/vk/internal/driver"
	"github.com/fornax-ml/fornax/vk/internal/lower"
)

// environment is what the package takes from the environment, read here only:
// tier as Options.Tier, disable as Options.Disable, tuning as
// Options.Tuning.
func environment() (e struct {
	tier       int
	validation bool
	disable    []string
	tuning     Tuning
}) {
	if s, ok := os.LookupEnv("FORNAX_VK_TIER"); ok {
		if n, err := strconv.Atoi(s); err == nil && n >= 0 && n <= 3 {
			e.tier = n
			if n == 0 {
				e.tier = TierCore
			}
		}
	}
	e.validation = os.Getenv("FORNAX_VALIDATION") == "1"
	switch os.Getenv("FORNAX_VK_TUNE") {
	case "0":
		e.tuning = TuneNever
	case "1":
		e.tuning = TuneAtFirstUse
	}
	for _, name := range strings.Split(os.Getenv("FORNAX_VK_DISABLE"), ",") {
		if name = strings.TrimSpace(name); name != "" {
			e.disable = append(e.disable, name)
		}
	}
	return e
}

// instances are opened once a process, with and without validation, and stay
// open: drivers are not made for more.
var instances = [2]func() (*driver.Instance, error){
	sync.OnceValues(func() (*driver.Instance, error) { return driver.Open(driver.InstanceOptions{}) }),
	sync.OnceValues(func() (*driver.Instance, error) {
		return driver.Open(driver.InstanceOptions{Validation: true})
	}),
}

func instance(validation bool) (*driver.Instance, error) {
	if validation || environment().validation {
		return instances[1]()
	}
	return instances[0]()
}

// defaultTier is the highest where nothing else is asked for. Nobody has measured tier 3
// on a GPU yet.
const defaultTier = 2

// tier is the highest that the options, the environment and the package allow.
func (o Options) tier() int {
	t := 0
	for _, lim := range []int{o.Tier, environment().tier} {
		switch {
		case lim == TierCore:
			return 0
		case lim > 0 && (t == 0 || lim < t):
			t = lim
		}
	}
	return cmp.Or(t, defaultTier)
}

// tierOf is the highest up to a cap that a device with these features has.
func tierOf(most int, f driver.Features) int {
	switch {
	case !f.BufferDeviceAddress:
		return 0
	case !f.CooperativeMatrix || !f.VulkanMemoryModel || !f.Float16:
		return min(most, 1)
	case !f.FlexibleMatrices || !f.MatricesPerElement:
		return min(most, 2)
	}
	return most
}

// Devices implements ir.Backend.
func (backend) Devices() ([]ir.Info, error) {
	in, err := instance(false)
	if err != nil {
		return nil, fmt.Errorf("vk: %w", err)
	}
	var l []ir.Info
	for i, p := range in.Devices() {
		t := tierOf(Options{}.tier(), p.Features)
		l = append(l, describe(i, t, &p, p.Features, 0, 0))
	}
	return l, nil
}

// Open implements ir.Backend.
func (backend) Open(i int) (ir.Device, error) {
	d, err := Open(i, Options{CacheDir: DefaultCacheDir()})
	if err != nil {
		return nil, err
	}
	return d, nil
}

var vendors = map[uint32]string{
	0x1002: "AMD", 0x1010: "Imagination", 0x106b: "Apple", 0x10de: "NVIDIA", 0x13b5: "ARM", 0x5143: "Qualcomm",
	0x8086: "Intel", 0x10005: "Mesa", 0x1ae0: "Google", 0x144d: "Samsung", 0x14e4: "Broadcom",
}

// describe makes the device's Info. maxAlloc and align are the driver
// package's; 0 before the device is open.
func describe(i, tier int, p *driver.PhysicalDevice, f driver.Features, maxAlloc, align int) ir.Info {
	vendor := vendors[p.VendorID]
	if vendor == "" {
		vendor = fmt.Sprintf("%#x", p.VendorID)
	}
	info := ir.Info{
		Backend: backendName, Name: fmt.Sprintf("%s:%d", backendName, i), Model: p.Name, Vendor: vendor,
		Driver: p.DriverName + " " + p.DriverInfo, Software: p.Type == driver.CPUDevice, Tier: tier,
		DTypes: lower.Narrow, Customs: true,
	}
	if f.Float64 && f.Int64 && haveWide() {
		info.DTypes = lower.Wide
	}
	for _, h := range p.Heaps {
		if h.DeviceLocal {
			info.Limits.MemoryBytes += int(h.Size)
		}
	}
	if maxAlloc == 0 {
		maxAlloc = int(p.Limits.MaxAllocation)
	}
	if align == 0 {
		align = int(max(256, p.Limits.StorageOffsetAlignment, p.Limits.UniformOffsetAlignment, p.Limits.NonCoherentAtom))
	}
	info.Limits.BufferBytes, info.Limits.Align, info.Limits.Operands = maxAlloc, align, lower.MaxBuffers
	if tier == 0 {
		info.Limits.Operands = min(lower.MaxBuffers, int(p.Limits.StorageBuffersPerStage), int(p.Limits.StorageBuffersPerSet))
		info.Limits.BufferBytes = min(maxAlloc, int(min(p.Limits.StorageBufferRange, 1<<62)))
	}
	return info
}
