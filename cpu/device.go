package cpu

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"unsafe"

	"github.com/fornax-ml/fornax/tensor/ir"
)

// Options configure a device. The zero value is the ordinary device.
type Options struct {
	// Workers bounds the goroutines that work at once; 0 is GOMAXPROCS, as it
	// is at each Run.
	Workers int
	// MemoryBytes bounds what the pool takes from the system; 0 is the memory
	// of the machine, where that is known.
	MemoryBytes int
	// Level is the name of the SIMD level to use, one of Levels; "" is the best
	// one, or the one that the environment variable FORNAX_CPU_LEVEL names. New
	// panics where the processor does not have it.
	Level string
	// FailAlloc, for tests, is called with the number of each request for a
	// buffer or an arena, from 1; where it returns an error the request fails
	// with it.
	FailAlloc func(n int) error
	// FailRun, for tests, is called with the number of each Run, from 1; where
	// it returns an error the run fails with it before it does anything. An
	// ir.ErrDeviceLost loses the device.
	FailRun func(n int) error
}

// A Device computes on the processor. It is an ir.Device.
type Device struct {
	info     ir.Info
	opts     Options
	level    *level
	products sync.Pool // of *directProduct
	pool     pool
	crew     crew
	calls    atomic.Int64 // calls in progress, and shut once the device is closed or lost

	mu     sync.Mutex
	idle   sync.Cond // no call is in progress
	closed bool
	lost   error
	failed error // the first failure since the last wait
	stats  ir.Stats
}

// New returns a device of its own: pools and workers are not shared with
// others.
func New(o Options) *Device {
	lv := fallback()
	if o.Level != "" {
		var err error
		if lv, err = findLevel(o.Level); err != nil {
			panic(err)
		}
	}
	d := &Device{info: *infoAt(lv), opts: o, level: lv}
	d.idle.L = &d.mu
	if o.MemoryBytes > 0 {
		d.info.Limits.MemoryBytes = o.MemoryBytes
	}
	d.pool.name, d.pool.limit, d.pool.fail = d.info.Name, d.info.Limits.MemoryBytes, o.FailAlloc
	d.crew.init(o.Workers)
	return d
}

// Info implements ir.Device.
func (d *Device) Info() *ir.Info { return &d.info }

// shut is a bit of Device.calls above any number of calls.
const shut = 1 << 62

// begin marks a call in progress; Close waits for its end.
func (d *Device) begin() error {
	if d.calls.Add(1) < shut {
		return nil
	}
	d.end()
	return d.gone()
}

// gone returns why there are no calls any more, or nil.
func (d *Device) gone() error {
	if d.calls.Load() < shut {
		return nil
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.closed {
		return ir.ErrClosed
	}
	return d.lost
}

func (d *Device) end() {
	if d.calls.Add(-1) == shut {
		d.mu.Lock()
		defer d.mu.Unlock()
		d.idle.Broadcast()
	}
}

// fail keeps the first failure for the next call that waits.
func (d *Device) fail(err error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.failed == nil {
		d.failed = err
	}
}

func (d *Device) takeFailure() error {
	d.mu.Lock()
	defer d.mu.Unlock()
	err := d.failed
	d.failed = nil
	return err
}

// NewBuffer implements ir.Device.
func (d *Device) NewBuffer(bytes int) (ir.Buffer, error) {
	if err := d.begin(); err != nil {
		return nil, err
	}
	defer d.end()
	b, err := d.pool.get(bytes, true)
	if err != nil {
		return nil, err
	}
	return &buffer{dev: d, block: b, bytes: bytes}, nil
}

// Sync implements ir.Device. Runs are done when Run returns; Sync reports
// failures.
func (d *Device) Sync(ctx context.Context) error {
	if err := d.begin(); err != nil {
		return err
	}
	defer d.end()
	if err := ctx.Err(); err != nil {
		return err
	}
	return d.takeFailure()
}

// Trim implements ir.Device.
func (d *Device) Trim() {
	d.pool.trim()
	d.crew.dropSpaces()
}

// Stats implements ir.Device. Submits counts runs and transfers, Dispatches
// instructions; LiveBytes counts buffers as they were asked for, PoolBytes the
// size classes. Scratch memory of workers is not counted.
func (d *Device) Stats() ir.Stats {
	d.mu.Lock()
	s := d.stats
	d.mu.Unlock()
	d.pool.mu.Lock()
	defer d.pool.mu.Unlock()
	s.Allocs, s.LiveBytes, s.PoolBytes, s.UsedBytes, s.PeakBytes = d.pool.allocs, d.pool.live, d.pool.held, d.pool.inUse, d.pool.peak
	return s
}

// Close implements ir.Device: it waits for the calls in progress and ends the
// workers. A second Close does nothing.
func (d *Device) Close() error {
	d.mu.Lock()
	if d.closed {
		d.mu.Unlock()
		return nil
	}
	d.closed = true
	d.calls.Or(shut)
	for d.calls.Load() != shut {
		d.idle.Wait()
	}
	d.mu.Unlock()
	d.crew.stop()
	d.Trim()
	return nil
}

// A buffer is an ir.Buffer.
type buffer struct {
	dev   *Device
	bytes int

	mu    sync.Mutex
	block *block // nil once the memory went back
	freed bool
	pins  int // runs and transfers that use the memory
}

// Bytes implements ir.Buffer.
func (b *buffer) Bytes() int { return b.bytes }

// pin keeps the memory from going back to the pool until unpin.
func (b *buffer) pin() error {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.freed {
		return fmt.Errorf("cpu: the buffer was freed: %w", ir.ErrClosed)
	}
	b.pins++
	return nil
}

func (b *buffer) unpin() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.pins--
	b.reclaim()
}

// reclaim gives the memory back when nobody needs it; b.mu is held.
func (b *buffer) reclaim() {
	if b.freed && b.pins == 0 && b.block != nil {
		b.dev.pool.put(b.block, b.bytes, true)
		b.block = nil
	}
}

// Free implements ir.Buffer.
func (b *buffer) Free() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.freed = true
	b.reclaim()
}

// transfer pins the buffer for a copy of n bytes at off.
func (b *buffer) transfer(off, n int) error {
	if off < 0 || off > b.bytes || n > b.bytes-off {
		return fmt.Errorf("cpu: %d bytes at %d of a buffer of %d", n, off, b.bytes)
	}
	if err := b.dev.begin(); err != nil {
		return err
	}
	if err := b.pin(); err != nil {
		b.dev.end()
		return err
	}
	b.dev.mu.Lock()
	b.dev.stats.Submits++
	b.dev.mu.Unlock()
	return nil
}

// Write implements ir.Buffer.
func (b *buffer) Write(off int, src []byte) error {
	if err := b.transfer(off, len(src)); err != nil {
		return err
	}
	copy(b.block.mem[off:], src)
	b.unpin()
	b.dev.end()
	return nil
}

// Read implements ir.Buffer.
func (b *buffer) Read(dst []byte, off int) error {
	if err := b.transfer(off, len(dst)); err != nil {
		return err
	}
	err := b.dev.takeFailure()
	if err == nil {
		copy(dst, b.block.mem[off:])
	}
	b.unpin()
	b.dev.end()
	return err
}

// base returns the address of the memory of a pinned buffer.
func (b *buffer) base() unsafe.Pointer { return b.block.ptr() }

// lose marks the device lost where err says so.
func (d *Device) lose(err error) {
	if errors.Is(err, ir.ErrDeviceLost) {
		d.mu.Lock()
		defer d.mu.Unlock()
		d.lost = err
		d.calls.Or(shut)
	}
}
