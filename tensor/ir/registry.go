package ir

import (
	"fmt"
	"slices"
	"strings"
	"sync"
)

var registry struct {
	sync.Mutex
	backends []Backend
	customs  map[string]CustomOp
}

// Register makes a backend known, as an import's side effect. A second one of
// the same name panics.
func Register(b Backend) {
	registry.Lock()
	defer registry.Unlock()
	for _, o := range registry.backends {
		if o.Name() == b.Name() {
			panic(fmt.Sprintf("ir: backend %q registered twice", b.Name()))
		}
	}
	registry.backends = append(registry.backends, b)
	slices.SortFunc(registry.backends, func(a, b Backend) int { return strings.Compare(a.Name(), b.Name()) })
}

// Backends returns the registered backends by name.
func Backends() []Backend {
	registry.Lock()
	defer registry.Unlock()
	return slices.Clone(registry.backends)
}

// A CustomOp is a user's kernel. Where a device has no kernel for it the
// tensor package computes its decomposition instead.
type CustomOp struct {
	Name string
	// Outputs gives the dtype and shape of each output.
	Outputs func(in []Type, attrs []int64) ([]Type, error)
	// Kernels holds the kernel for each backend's name; its type is the
	// backend's business (cpu.Kernel, vk.Kernel).
	Kernels map[string]any
}

// A Type is a dtype with a shape.
type Type struct {
	DType DType
	Shape []int
}

// RegisterCustom makes a custom op known. A second one of the same name
// panics.
func RegisterCustom(op CustomOp) {
	registry.Lock()
	defer registry.Unlock()
	if _, ok := registry.customs[op.Name]; ok {
		panic(fmt.Sprintf("ir: custom op %q registered twice", op.Name))
	}
	if registry.customs == nil {
		registry.customs = map[string]CustomOp{}
	}
	registry.customs[op.Name] = op
}

// LookupCustom returns a registered custom op.
func LookupCustom(name string) (CustomOp, bool) {
	registry.Lock()
	defer registry.Unlock()
	op, ok := registry.customs[name]
	return op, ok
}
