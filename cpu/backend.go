package cpu

import (
	"fmt"
	"math"
	"os"
	"runtime"
	"strconv"
	"strings"
	"sync"

	"github.com/fornax-ml/fornax/tensor/ir"
)

func init() { ir.Register(backend{}) }

type backend struct{}

// Name implements ir.Backend.
func (backend) Name() string { return "cpu" }

// Devices implements ir.Backend.
func (backend) Devices() ([]ir.Info, error) { return []ir.Info{*infoAt(fallback())}, nil }

// Open implements ir.Backend.
func (backend) Open(i int) (ir.Device, error) {
	if i != 0 {
		return nil, fmt.Errorf("cpu: no device %d", i)
	}
	if _, err := defaultLevel(); err != nil {
		return nil, err
	}
	return New(Options{}), nil
}

var hostInfo = sync.OnceValue(func() *ir.Info {
	model, vendor := hostModel()
	mem := hostMemory()
	most := math.MaxInt / 4
	if mem > 0 {
		most = min(most, mem)
	}
	return &ir.Info{
		Backend: "cpu",
		Name:    "cpu",
		Model:   model,
		Vendor:  vendor,
		DTypes:  ir.Any,
		Limits:  ir.Limits{Operands: 256, BufferBytes: most, Align: align, MemoryBytes: mem},
		Customs: true,
	}
})

// hostModel returns the processor's name and vendor. Linux has no names for arm64,
// where an emulator shows those of its host.
func hostModel() (model, vendor string) {
	model = runtime.GOARCH
	b, err := os.ReadFile("/proc/cpuinfo")
	if err != nil || runtime.GOARCH == "arm64" {
		return model, ""
	}
	for line := range strings.Lines(string(b)) {
		k, v, _ := strings.Cut(line, ":")
		switch v = strings.TrimSpace(v); strings.TrimSpace(k) {
		case "model name":
			return v, vendor
		case "vendor_id":
			vendor = v
		}
	}
	return model, vendor
}

// hostMemory returns the bytes of memory of the machine, or of the control
// group where that is less; 0 where neither is known.
func hostMemory() int {
	total := int64(0)
	if b, err := os.ReadFile("/proc/meminfo"); err == nil {
		for line := range strings.Lines(string(b)) {
			if rest, ok := strings.CutPrefix(line, "MemTotal:"); ok {
				kb, _ := strconv.ParseInt(strings.Fields(rest)[0], 10, 64)
				total = kb << 10
			}
		}
	}
	if b, err := os.ReadFile("/sys/fs/cgroup/memory.max"); err == nil {
		if n, err := strconv.ParseInt(strings.TrimSpace(string(b)), 10, 64); err == nil && (total == 0 || n < total) {
			total = n
		}
	}
	return int(min(total, math.MaxInt))
}
