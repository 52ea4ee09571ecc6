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
	used    atomic.Uint64 // epoch of the last submit that reads or writes it, see lastUse
	wrote   atomic.Uint64 // epoch of the last submit that writes it, see lastWrite
	holds   atomic.Pointer[[]*hold]
	touched atomic.Bool // written or run since NewBuffer
	hosted  bool        // the host wrote it
	pooled  bool        // the allocation was a result's before
	freed   atomic.Bool
}

// pool keeps freed allocations by size class, those that the host wrote apart
// from results. Work on the queue is in order, so the device may use an
// allocation again while old work still has it: the last freed result goes
// first. Only the host must wait, so what it writes goes round in a circle of a
// few. Thus a loop that makes and frees its batches and results meets few
// combinations of them, each of which finds its recorded command buffer.
type pool struct {
	live atomic.Int64

	mu      sync.Mutex
	results map[int][]pooled // by class, oldest first
	inputs  map[int][]pooled
}

type pooled struct {
	a   *driver.Allocation
	use driver.Epoch
}

// busyInputs is how many inputs of a class may wait for the device before a
// Write waits too.
const busyInputs = 3

func (p *pool) init(*Device) { p.results, p.inputs = map[int][]pooled{}, map[int][]pooled{} }

// classOf rounds up to one of four sizes an octave.
func classOf(bytes int) int {
	const least = 256
	if bytes <= least {
		return least
	}
	step := 1 << max(bits.Len(uint(bytes-1))-3, 8)
	return (bytes + step - 1) / step * step
}

// take finds a free allocation of b's class for it.
func (p *pool) take(b *buffer) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	var x pooled
	if l := p.results[b.class]; len(l) > 0 {
		x, p.results[b.class] = l[len(l)-1], l[:len(l)-1]
		b.pooled = true
	} else if l := p.inputs[b.class]; len(l) > 0 {
		x, p.inputs[b.class] = first(l)
	} else {
		return false
	}
	b.a = x.a
	b.used.Store(uint64(x.use))
	return true
}

// first takes the oldest out, without making a new slice.
func first(l []pooled) (pooled, []pooled) {
	x := l[0]
	return x, append(l[:0], l[1:]...)
}

// put takes a freed buffer's allocation back.
func (p *pool) put(b *buffer) {
	p.mu.Lock()
	defer p.mu.Unlock()
	to := p.results
	if b.hosted {
		to = p.inputs
	}
	to[b.class] = append(to[b.class], pooled{b.a, b.lastUse()})
}

// host makes b, which nothing has touched, ready for the host to write: it
// exchanges a result's allocation for an input's, and one that the device is
// busy with for a new one, unless several are busy already.
func (p *pool) host(b *buffer) {
	d := b.d
	b.hosted = true
	use := b.lastUse()
	busy := !d.drv.Done(use)
	if !b.pooled && !busy {
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	l := p.inputs[b.class]
	x := pooled{use: use}
	switch {
	case b.pooled && len(l) > 0 && (len(l) > busyInputs || d.drv.Done(l[0].use)):
		x, p.inputs[b.class] = first(l)
	case len(l) < busyInputs:
		a, err := d.drv.Alloc(b.class, driver.DeviceMemory)
		if err != nil {
			return // waiting does as well
		}
		x = pooled{a: a}
	default:
		return
	}
	if b.pooled {
		p.results[b.class] = append(p.results[b.class], pooled{b.a, use})
	} else {
		p.inputs[b.class] = append(p.inputs[b.class], pooled{b.a, use})
	}
	b.a, b.pooled = x.a, false
	b.used.Store(uint64(x.use))
}

// drop gives all free allocations back to the driver package, each once its
// work is done.
func (p *pool) drop(d *Device) {
	p.mu.Lock()
	all := [2]map[int][]pooled{p.results, p.inputs}
	p.init(d)
	p.mu.Unlock()
	for _, m := range all {
		for _, l := range m {
			for _, x := range l {
				d.drv.After(x.use, x.a.Free)
			}
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
	class := d.class(bytes)
	b := &buffer{d: d, class: class, bytes: bytes}
	if !d.pool.take(b) {
		if err := b.alloc(); err != nil {
			return nil, err
		}
	}
	d.pool.live.Add(int64(bytes))
	d.used.add(d.size(class))
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
			d.trim()
		case 1:
			if d.drv.WaitIdle(context.Background()) != nil {
				return d.fail(err)
			}
			runtime.GC()
			time.Sleep(time.Millisecond) // cleanups run on a goroutine of their own
			d.trim()
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
	if !b.touched.Swap(true) {
		b.d.pool.host(b)
	}
	e, err := b.d.drv.Upload(context.Background(), b.a, off, src, b.lastUse())
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
		if err := b.d.drv.Download(context.Background(), dst, b.a, off, b.lastWrite()); err != nil {
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
	b.breakHolds()
	d := b.d
	d.pool.live.Add(-int64(b.bytes))
	d.used.add(-d.size(b.class))
	d.pool.put(b)
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
