//go:build cgo

package driver

/*
#include "driver.h"

#cgo noescape fx_timestamps_read
#cgo nocallback fx_timestamps_read
#cgo noescape fx_timestamps_create
#cgo nocallback fx_timestamps_create
*/
import "C"

import (
	"fmt"
	"unsafe"
)

// Timestamps is a row of device times, written by commands and read by the host.
type Timestamps struct {
	d      *Device
	handle C.VkQueryPool
	n      int
}

// NewTimestamps makes room for n times; ErrUnsupported where the queue has no clock.
func (d *Device) NewTimestamps(n int) (*Timestamps, error) {
	if err := d.usable(); err != nil {
		return nil, err
	}
	if n <= 0 {
		return nil, fmt.Errorf("driver: %d timestamps", n)
	}
	if l := d.info.Limits; l.TimestampBits == 0 || l.TimestampPeriod == 0 {
		return nil, fmt.Errorf("driver: timestamps: %w", ErrUnsupported)
	}
	t := &Timestamps{d: d, n: n}
	if err := d.check("vkCreateQueryPool", C.fx_timestamps_create(d.c, C.uint32_t(n), &t.handle)); err != nil {
		return nil, wrap("timestamps", err)
	}
	d.mu.Lock()
	d.timestamps[t] = struct{}{}
	d.mu.Unlock()
	return t, nil
}

// Write stores the time when all commands before it are done as time i. A command buffer writes each i
// at most once.
func (t *Timestamps) Write(i int) Command {
	if i < 0 || i >= t.n {
		panic(fmt.Sprintf("driver: timestamp %d of %d", i, t.n))
	}
	return Command{Kind: TimestampCommand, Pipeline: uint64(t.handle), Value: uint32(i)}
}

// Read stores times 0 … len(dst)-1 in nanoseconds from an arbitrary start; differences count, and they
// are right across one wrap of the device's counter only when it has 64 bits. The submit that writes them
// must be complete: ErrNotReady.
func (t *Timestamps) Read(dst []uint64) error {
	d := t.d
	if err := d.usable(); err != nil {
		return err
	}
	if len(dst) == 0 {
		return nil
	}
	if len(dst) > t.n {
		return fmt.Errorf("driver: read of %d timestamps of %d", len(dst), t.n)
	}
	r := C.fx_timestamps_read(d.c, t.handle, C.uint32_t(len(dst)), (*C.uint64_t)(unsafe.Pointer(&dst[0])))
	if err := d.check("vkGetQueryPoolResults", r); err != nil {
		return wrap("timestamps", err)
	}
	l := d.info.Limits
	mask := ^uint64(0) >> (64 - min(l.TimestampBits, 64))
	for i := range dst {
		if ticks := dst[i] & mask; l.TimestampPeriod == 1 {
			dst[i] = ticks
		} else {
			dst[i] = uint64(float64(ticks) * float64(l.TimestampPeriod))
		}
	}
	return nil
}

// Free destroys the row at once, as Pipeline.Free.
func (t *Timestamps) Free() {
	d := t.d
	d.mu.Lock()
	defer d.mu.Unlock()
	if _, ok := d.timestamps[t]; ok {
		delete(d.timestamps, t)
		C.fx_timestamps_destroy(d.c, t.handle)
	}
}
