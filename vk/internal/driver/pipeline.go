//go:build cgo

package driver

/*
#include "driver.h"

#cgo noescape fx_pipeline_create
#cgo nocallback fx_pipeline_create
#cgo noescape fx_layout_create
#cgo nocallback fx_layout_create
*/
import "C"

import (
	"fmt"
	"sync"
	"unsafe"

	"github.com/vulkan-go/vulkan"
)

// BindingType is the kind of buffer at a binding.
type BindingType int32

// The values are VkDescriptorType's. A dynamic binding takes a byte offset at each dispatch.
const (
	StorageBuffer        = BindingType(vulkan.DescriptorTypeStorageBuffer)
	UniformBuffer        = BindingType(vulkan.DescriptorTypeUniformBuffer)
	StorageBufferDynamic = BindingType(vulkan.DescriptorTypeStorageBufferDynamic)
	UniformBufferDynamic = BindingType(vulkan.DescriptorTypeUniformBufferDynamic)
)

func (t BindingType) storage() bool { return t == StorageBuffer || t == StorageBufferDynamic }

// SpecConstant sets the 32-bit specialization constant with this id (a float by its bits, a bool as 0 or 1).
type SpecConstant struct{ ID, Value uint32 }

// PipelineDesc describes a compute pipeline. Bindings[i] is set 0, binding i.
type PipelineDesc struct {
	SPIRV             []uint32
	Entry             string // "" is main
	Spec              []SpecConstant
	PushConstantBytes int // a multiple of 4, at most MaxPush
	Bindings          []BindingType
	// RequiredSubgroupSize, when not 0, needs Features.SubgroupSizeControl and Subgroup.SizeRequest, and
	// lies in [Subgroup.Min, Subgroup.Max].
	RequiredSubgroupSize int
	// FullSubgroups asks that no subgroup has idle invocations; needs Features.FullSubgroups, and a
	// workgroup width that is a multiple of the largest subgroup size or of the required one.
	FullSubgroups bool
	// Base allows dispatches that begin at other workgroups than the first; see
	// Command.From.
	Base bool
}

// Pipeline is a compute pipeline with its layout.
type Pipeline struct {
	d      *Device
	handle C.VkPipeline
	layout *layout
}

// layout is a descriptor set layout and a pipeline layout over it, shared by all pipelines that agree.
type layout struct {
	set      C.VkDescriptorSetLayout // 0 without bindings
	pipeline C.VkPipelineLayout
	bindings []BindingType
	dynamic  int // how many bindings are dynamic
	push     int // bytes
}

type layoutKey struct {
	bindings string
	push     int
}

type layouts struct {
	mu sync.Mutex
	m  map[layoutKey]*layout
}

func (l *layouts) get(d *Device, bindings []BindingType, push int) (*layout, error) {
	key := make([]byte, len(bindings))
	for i, b := range bindings {
		key[i] = byte(b)
	}
	k := layoutKey{string(key), push}
	l.mu.Lock()
	defer l.mu.Unlock()
	if x := l.m[k]; x != nil {
		return x, nil
	}
	x := &layout{bindings: append([]BindingType(nil), bindings...), push: push}
	for _, b := range bindings {
		if b == StorageBufferDynamic || b == UniformBufferDynamic {
			x.dynamic++
		}
	}
	var types *C.int32_t
	if len(bindings) > 0 {
		types = (*C.int32_t)(unsafe.Pointer(&bindings[0]))
	}
	if err := d.checkStatus(C.fx_layout_create(d.c, types, C.uint32_t(len(bindings)), C.uint32_t(push), &x.set, &x.pipeline)); err != nil {
		return nil, err
	}
	if l.m == nil {
		l.m = map[layoutKey]*layout{}
	}
	l.m[k] = x
	return x, nil
}

func (l *layouts) close(d *Device) {
	for _, x := range l.m {
		C.fx_layout_destroy(d.c, x.set, x.pipeline)
	}
	l.m = nil
}

// NewPipeline builds a pipeline. Several may be built at once; the driver compiles without a lock held.
// The error wraps ErrUnsupported when desc asks for what the device lacks.
func (d *Device) NewPipeline(desc PipelineDesc) (*Pipeline, error) {
	if err := d.usable(); err != nil {
		return nil, err
	}
	if err := d.checkDesc(&desc); err != nil {
		return nil, fmt.Errorf("driver: pipeline: %w", err)
	}
	lay, err := d.layout.get(d, desc.Bindings, desc.PushConstantBytes)
	if err != nil {
		return nil, wrap("pipeline", err)
	}
	entry := desc.Entry
	if entry == "" {
		entry = "main"
	}
	name := append([]byte(entry), 0)
	var spec *C.uint32_t
	if len(desc.Spec) > 0 {
		spec = (*C.uint32_t)(unsafe.Pointer(&desc.Spec[0]))
	}
	flag := func(on bool) C.int {
		if on {
			return 1
		}
		return 0
	}
	p := &Pipeline{d: d, layout: lay}
	err = d.checkStatus(C.fx_pipeline_create(d.c, d.cache.handle, lay.pipeline,
		(*C.uint32_t)(unsafe.Pointer(&desc.SPIRV[0])), C.size_t(4*len(desc.SPIRV)), (*C.char)(unsafe.Pointer(&name[0])),
		spec, C.uint32_t(len(desc.Spec)), C.uint32_t(desc.RequiredSubgroupSize), flag(desc.FullSubgroups), flag(desc.Base), &p.handle))
	if err != nil {
		return nil, wrap("pipeline", err)
	}
	d.count.pipelines.Add(1)
	d.mu.Lock()
	d.pipelines[p] = struct{}{}
	d.mu.Unlock()
	return p, nil
}

func (d *Device) checkDesc(desc *PipelineDesc) error {
	l := d.info.Limits
	if len(desc.SPIRV) < 5 || desc.SPIRV[0] != 0x07230203 {
		return fmt.Errorf("not a SPIR-V module")
	}
	if n := desc.PushConstantBytes; n < 0 || n%4 != 0 || uint32(n) > min(MaxPush, l.PushConstants) {
		return fmt.Errorf("%d bytes of push constants: %w", n, ErrUnsupported)
	}
	var storage, uniform, dynStorage, dynUniform uint32
	for i, b := range desc.Bindings {
		switch b {
		case StorageBuffer:
			storage++
		case UniformBuffer:
			uniform++
		case StorageBufferDynamic:
			storage++
			dynStorage++
		case UniformBufferDynamic:
			uniform++
			dynUniform++
		default:
			return fmt.Errorf("binding %d has type %d", i, b)
		}
	}
	if len(desc.Bindings) > C.FX_MAX_BINDINGS || storage > l.StorageBuffersPerStage || uniform > l.UniformBuffersPerStage {
		return fmt.Errorf("%d storage and %d uniform buffers: %w", storage, uniform, ErrUnsupported)
	}
	if dynStorage > l.DynamicStoragePerSet || dynUniform > l.DynamicUniformPerSet || dynStorage+dynUniform > MaxDynamic {
		return fmt.Errorf("%d storage and %d uniform buffers with dynamic offsets: %w", dynStorage, dynUniform, ErrUnsupported)
	}
	if n := desc.RequiredSubgroupSize; n != 0 {
		s := d.info.Subgroup
		if !d.features.SubgroupSizeControl || !s.SizeRequest || n < s.Min || n > s.Max || n&(n-1) != 0 {
			return fmt.Errorf("subgroup size %d: %w", n, ErrUnsupported)
		}
	}
	if desc.FullSubgroups && !d.features.FullSubgroups {
		return fmt.Errorf("full subgroups: %w", ErrUnsupported)
	}
	return nil
}

// Free destroys the pipeline at once: no recorded command buffer that uses it may be pending or be
// submitted again.
func (p *Pipeline) Free() {
	d := p.d
	d.mu.Lock()
	defer d.mu.Unlock()
	if _, ok := d.pipelines[p]; ok {
		delete(d.pipelines, p)
		C.fx_pipeline_destroy(d.c, p.handle)
	}
}
