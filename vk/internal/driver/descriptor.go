//go:build cgo

package driver

/*
#include "driver.h"

#cgo noescape fx_descriptor_set_create
#cgo nocallback fx_descriptor_set_create
#cgo noescape fx_descriptor_set_write
#cgo nocallback fx_descriptor_set_write
#cgo noescape fx_descriptor_pool_create
#cgo nocallback fx_descriptor_pool_create
*/
import "C"

import (
	"fmt"
	"sync"
)

// BufferBinding is Range bytes from Offset of an allocation; Range 0 is the rest of it.
type BufferBinding struct {
	Allocation    *Allocation
	Offset, Range int
}

// DescriptorSet binds buffers to a pipeline, and to every other with the same bindings and push constant
// size. It never changes after it was made.
type DescriptorSet struct {
	d      *Device
	handle C.VkDescriptorSet
	pool   C.VkDescriptorPool
	freed  bool // guarded by descriptorPools.mu
}

// descriptorPools grow: each new pool holds twice as many sets.
type descriptorPools struct {
	mu    sync.Mutex
	pools []C.VkDescriptorPool
	next  C.uint32_t
}

// NewDescriptorSet binds bufs[i] to binding i of p.
func (d *Device) NewDescriptorSet(p *Pipeline, bufs []BufferBinding) (*DescriptorSet, error) {
	if err := d.usable(); err != nil {
		return nil, err
	}
	types := p.layout.bindings
	if len(bufs) != len(types) || len(bufs) == 0 {
		return nil, fmt.Errorf("driver: descriptor set: %d buffers for %d bindings", len(bufs), len(types))
	}
	l := d.info.Limits
	var b [C.FX_MAX_BINDINGS]C.fx_binding
	for i, x := range bufs {
		n := x.Range
		if n == 0 {
			// Storage ranges are whole words, also at the end of an allocation; its rounding covers them.
			n = (x.Allocation.Size+3)&^3 - x.Offset
		}
		align, most := l.UniformOffsetAlignment, l.UniformBufferRange
		if types[i].storage() {
			align, most = l.StorageOffsetAlignment, l.StorageBufferRange
		}
		if x.Offset < 0 || n <= 0 || x.Offset+n > (x.Allocation.Size+3)&^3 {
			return nil, fmt.Errorf("driver: descriptor set: binding %d: %d bytes at %d of an allocation of %d", i, n, x.Offset, x.Allocation.Size)
		}
		if uint64(x.Allocation.Offset+x.Offset)%max(align, 1) != 0 || uint64(n) > most {
			return nil, fmt.Errorf("driver: descriptor set: binding %d: %d bytes at %d, alignment %d, at most %d: %w", i, n, x.Offset, align, most, ErrUnsupported)
		}
		b[i] = C.fx_binding{buffer: C.VkBuffer(x.Allocation.Buffer), offset: C.uint64_t(x.Allocation.Offset + x.Offset),
			_range: C.uint64_t(n), _type: C.int32_t(types[i])}
	}
	s := &DescriptorSet{d: d}
	if err := d.sets.alloc(d, p.layout.set, s); err != nil {
		return nil, wrap("descriptor set", err)
	}
	C.fx_descriptor_set_write(d.c, s.handle, &b[0], C.uint32_t(len(bufs)))
	return s, nil
}

func (ps *descriptorPools) alloc(d *Device, lay C.VkDescriptorSetLayout, s *DescriptorSet) error {
	ps.mu.Lock()
	defer ps.mu.Unlock()
	var r C.VkResult
	for i := len(ps.pools) - 1; i >= 0; i-- {
		s.pool = ps.pools[i]
		r = C.fx_descriptor_set_create(d.c, s.pool, lay, &s.handle)
		if r == C.VK_SUCCESS {
			return nil
		}
		// Out of pool memory and fragmented pool mean: try another. So does out of device memory, which
		// drivers of Vulkan 1.0 days return for a full pool.
		if r == C.VK_ERROR_DEVICE_LOST {
			return d.check("vkAllocateDescriptorSets", r)
		}
	}
	ps.next = min(max(64, 2*ps.next), 4096)
	var pool C.VkDescriptorPool
	if err := d.check("vkCreateDescriptorPool", C.fx_descriptor_pool_create(d.c, ps.next, ps.next, &pool)); err != nil {
		return err
	}
	ps.pools = append(ps.pools, pool)
	s.pool = pool
	return d.check("vkAllocateDescriptorSets", C.fx_descriptor_set_create(d.c, pool, lay, &s.handle))
}

// Free gives the set back at once: no recorded command buffer that uses it may be pending or be submitted
// again.
func (s *DescriptorSet) Free() {
	ps := &s.d.sets
	ps.mu.Lock()
	defer ps.mu.Unlock()
	if !s.freed && ps.pools != nil {
		C.fx_descriptor_set_free(s.d.c, s.pool, s.handle)
	}
	s.freed = true
}

func (ps *descriptorPools) close(d *Device) {
	ps.mu.Lock()
	defer ps.mu.Unlock()
	for _, p := range ps.pools {
		C.fx_descriptor_pool_destroy(d.c, p)
	}
	ps.pools = nil
}
