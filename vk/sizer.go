//go:build cgo

package vk

import (
	"sync"

	"github.com/fornax-ml/fornax/tensor/ir"
	"github.com/fornax-ml/fornax/vk/internal/lower"
)

// usage counts the bytes of buffers and the arena.
type usage struct {
	mu        sync.Mutex
	now, peak int
}

func (u *usage) add(n int) {
	u.mu.Lock()
	defer u.mu.Unlock()
	u.now += n
	u.peak = max(u.peak, u.now)
}

// again begins a new peak.
func (u *usage) again() {
	u.mu.Lock()
	defer u.mu.Unlock()
	u.peak = u.now
}

func (u *usage) figures() (now, peak int) {
	u.mu.Lock()
	defer u.mu.Unlock()
	return u.now, u.peak
}

// size is what an allocation takes of the device's memory.
func (d *Device) size(bytes int) int {
	align := d.drv.Alignment()
	return (max(bytes, 1) + align - 1) / align * align
}

// class is the size of the allocation behind a buffer.
func (d *Device) class(bytes int) int {
	return min(classOf(bytes), max((bytes+3)&^3, d.info.Limits.BufferBytes))
}

// BufferSize implements ir.Sizer.
func (d *Device) BufferSize(bytes int) int { return d.size(d.class(bytes)) }

// WorkSize implements ir.Sizer: the arena, with what the device's kernels want behind
// the program's own. Kernels are neither built nor timed for it.
func (d *Device) WorkSize(p *ir.Program) (n int, err error) {
	for _, w := range d.ways {
		o := w.options
		o.MatMul = func(p lower.Product, ks []lower.MatMulKernel) int { return max(d.tuner.known(p, ks), 0) }
		plan, werr := lower.Lower(p, o)
		if werr == nil {
			if plan.ArenaBytes == 0 {
				return 0, nil
			}
			return d.size(plan.ArenaBytes), nil
		}
		if err == nil {
			err = werr
		}
	}
	return 0, err
}

// Room implements ir.Sizer: the heap that buffers are in without two blocks, which may be
// used in part, and without what transfers take of it.
func (d *Device) Room() int {
	return max(d.drv.HeapBytes()-2*d.drv.MostBlock()-d.drv.StagingShare(), 1)
}
