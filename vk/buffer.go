//go:build cgo

package vk

import (
	"context"
	"errors"
	"fmt"
	"math/bits"
	"runtime"
	"sync"
	"sync/atomic"
	"time"

	"github.com/fornax-ml/fornax/tensor/ir"
	"github.com/fornax-ml/fornax/vk/internal/driver"
)

// A buffer is an ir.Buffer: an allocation of the pool.
type buffer struct {
	d       *Device
	a       *driver.Allocation
	class   int
	bytes   int
	used    atomic.Uint64 // epoch of the last submit that reads or writes it
	wrote   atomic.Uint64 // epoch of the last submit that writes it
	touched atomic.Bool   // written or run since NewBuffer
	freed   atomic.Bool
}

// pool keeps freed allocations by size class. Work on the queue is in order, so
// the device may use an allocation again while old work still has it: the last
// freed goes first, and a loop that makes and frees its results gets the same
// one each time, which lets executables find a recorded command buffer. Only
// the host must wait; so the first Write to a buffer that is busy exchanges its
// allocation for an idle one.
type pool struct {
	live atomic.Int64

	mu   sync.Mutex
	free map[int][]pooled // by class, oldest first
}

type pooled struct {
	a   *driver.Allocation
	use driver.Epoch
}

// busyFree is how many allocations of a class may wait for the device before a
// Write waits too.
const busyFree = 3

func (p *pool) init(*Device) { p.free = map[int][]pooled{} }

// classOf rounds up to one of four sizes an octave.
func classOf(bytes int) int {
	const least = 256
	if bytes <= least {
		return least
	}
	step := 1 << max(bits.Len(uint(bytes-1))-3, 8)
	return (bytes + step - 1) / step * step
}

// take returns the last freed allocation of a class.
func (p *pool) take(class int) (pooled, bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.remove(class, len(p.free[class])-1)
}

// remove takes an allocation out of the pool; p.mu is held.
func (p *pool) remove(class, i int) (pooled, bool) {
	if i < 0 {
		return pooled{}, false
	}
	l := p.free[class]
	x := l[i]
	copy(l[i:], l[i+1:])
	l[len(l)-1] = pooled{}
	p.free[class] = l[:len(l)-1]
	return x, true
}

func (p *pool) put(class int, x pooled) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.free[class] = append(p.free[class], x)
}

// exchange gives a busy buffer that nothing has touched an allocation that the
// host need not wait for, if there is one or few are waiting.
func (p *pool) exchange(b *buffer) {
	d := b.d
	use := driver.Epoch(b.used.Load())
	if d.drv.Done(use) {
		return
	}
	p.mu.Lock()
	idle := -1
	l := p.free[b.class]
	for i := range l {
		if l[i].use <= d.drv.Completed() {
			idle = i
			break
		}
	}
	x, ok := p.remove(b.class, idle)
	p.mu.Unlock()
	if !ok {
		if len(l) >= busyFree {
			return
		}
		a, err := d.drv.Alloc(b.class, driver.DeviceMemory)
		if err != nil {
			return // waiting does as well
		}
		x.a = a
	}
	p.put(b.class, pooled{b.a, use})
	b.a = x.a
	b.used.Store(uint64(x.use))
}

// drop gives all free allocations back to the driver package, each once its
// work is done.
func (p *pool) drop(d *Device) {
	p.mu.Lock()
	all := p.free
	p.free = map[int][]pooled{}
	p.mu.Unlock()
	for _, l := range all {
		for _, x := range l {
			d.drv.After(x.use, x.a.Free)
		}
	}
}

// NewBuffer implements ir.Device.
func (d *Device) NewBuffer(bytes int) (ir.Buffer, error) {
	if d.closed.Load() {
		return nil, d.fail(driver.ErrClosed)
	}
	if d.drv.Lost() {
		return nil, d.fail(driver.ErrDeviceLost)
	}
	if bytes < 0 || bytes > d.info.Limits.BufferBytes {
		return nil, &ir.MemoryError{Device: d.info.Name, Need: bytes, Live: int(d.pool.live.Load()), Limit: d.info.Limits.MemoryBytes,
			Reason: fmt.Sprintf("a buffer has at most %d bytes", d.info.Limits.BufferBytes)}
	}
	class := min(classOf(bytes), max((bytes+3)&^3, d.info.Limits.BufferBytes))
	b := &buffer{d: d, class: class, bytes: bytes}
	if x, ok := d.pool.take(class); ok {
		b.a = x.a
		b.used.Store(uint64(x.use))
	} else if err := b.alloc(); err != nil {
		return nil, err
	}
	d.pool.live.Add(int64(bytes))
	return b, nil
}

// alloc gets memory; under pressure it first gives the pool's back, then waits
// for the device and runs the collector, which may free buffers that nobody
// reaches.
func (b *buffer) alloc() (err error) {
	d := b.d
	for try := range 3 {
		b.a, err = d.drv.Alloc(b.class, driver.DeviceMemory)
		if err == nil || !errors.Is(d.fail(err), ir.ErrOutOfMemory) {
			break
		}
		switch try {
		case 0:
			d.Trim()
		case 1:
			if d.drv.WaitIdle(context.Background()) != nil {
				return d.fail(err)
			}
			runtime.GC()
			time.Sleep(time.Millisecond) // cleanups run on a goroutine of their own
			d.Trim()
		}
	}
	return d.fail(err)
}

// Bytes implements ir.Buffer.
func (b *buffer) Bytes() int { return b.bytes }

func (b *buffer) check(off, n int) error {
	if b.freed.Load() || b.d.closed.Load() {
		return b.d.fail(driver.ErrClosed)
	}
	if off < 0 || n < 0 || off+n > b.bytes {
		return fmt.Errorf("%s: %d bytes at %d of a buffer of %d", b.d.info.Name, n, off, b.bytes)
	}
	return nil
}

// Write implements ir.Buffer.
func (b *buffer) Write(off int, src []byte) error {
	if err := b.check(off, len(src)); err != nil || len(src) == 0 {
		return err
	}
	if !b.touched.Swap(true) && b.d.drv.HostVisible() {
		b.d.pool.exchange(b)
	}
	e, err := b.d.drv.Upload(context.Background(), b.a, off, src, driver.Epoch(b.used.Load()))
	if e != 0 {
		raise(&b.used, e)
		raise(&b.wrote, e)
	}
	return b.d.fail(err)
}

// Read implements ir.Buffer.
func (b *buffer) Read(dst []byte, off int) error {
	if err := b.check(off, len(dst)); err != nil {
		return err
	}
	if len(dst) > 0 {
		if err := b.d.drv.Download(context.Background(), dst, b.a, off, driver.Epoch(b.wrote.Load())); err != nil {
			return b.d.fail(err)
		}
	}
	return b.d.status.take(b.d)
}

// Free implements ir.Buffer.
func (b *buffer) Free() {
	if b.freed.Swap(true) {
		return
	}
	d := b.d
	d.pool.live.Add(-int64(b.bytes))
	d.pool.put(b.class, pooled{b.a, driver.Epoch(b.used.Load())})
}

// raise sets an epoch unless it is later already.
func raise(to *atomic.Uint64, e driver.Epoch) {
	for {
		old := to.Load()
		if old >= uint64(e) || to.CompareAndSwap(old, uint64(e)) {
			return
		}
	}
}
