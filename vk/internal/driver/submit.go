//go:build cgo

package driver

/*
#include "driver.h"

#cgo noescape fx_fence_create
#cgo nocallback fx_fence_create
#cgo nocallback fx_fence_reset
#cgo nocallback fx_fence_status
#cgo nocallback fx_fence_wait
#cgo noescape fx_submit
#cgo nocallback fx_submit
*/
import "C"

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

// Epoch names a submit: the first is 1, each later one is greater. Epochs complete in order. 0 is
// complete from the start.
type Epoch uint64

// queue serialises submits and tracks which are done. Two locks, neither held while waiting for the
// device: submit orders vkQueueSubmit calls, mu guards the bookkeeping. submit is taken first.
//
// A fence signals only when all work submitted before it is done too, so a signalled fence completes
// every epoch up to its own.
type queue struct {
	submit  sync.Mutex
	scratch []C.VkCommandBuffer

	completed atomic.Uint64

	mu       sync.Mutex
	last     Epoch     // last submitted
	pending  []*flight // epochs completed+1 … last, in order
	free     []*flight
	all      []*flight
	deferred []deferred
	ready    []func() // deferred calls that are due
}

// flight is a submit on its way. Its fence is used again once nobody waits on it.
type flight struct {
	fence   C.VkFence
	waiters int
	retired bool
}

type deferred struct {
	epoch Epoch
	f     func()
}

func (q *queue) init(*Device) {}

// Submit sends recorded command buffers to the queue with one vkQueueSubmit. They run in order, after
// everything submitted before. It fails with ErrPending if one of them has not finished its last run.
// It does not allocate, apart from growing to the largest number of submits in flight.
func (d *Device) Submit(cbs ...*CommandBuffer) (Epoch, error) {
	if err := d.usable(); err != nil {
		return 0, err
	}
	n := d.count.submits.Add(1)
	if f := d.opt.FailSubmit; f != nil {
		if err := f(int(n)); err != nil {
			if errors.Is(err, ErrDeviceLost) {
				d.lost.Store(true)
			}
			return 0, fmt.Errorf("driver: submit %d: %w", n, err)
		}
	}
	e, err := d.submit(cbs)
	d.queue.runReady()
	return e, err
}

func (d *Device) submit(cbs []*CommandBuffer) (Epoch, error) {
	q := &d.queue
	q.submit.Lock()
	defer q.submit.Unlock()
	d.poll() // so that submits nobody waits for do not pile up

	epoch := q.last + 1 // only submits change last
	q.scratch = q.scratch[:0]
	for i, cb := range cbs {
		// Marking as we go also finds a command buffer given twice.
		if cb.freed.Load() || cb.epoch.Load() > q.completed.Load() {
			for _, done := range cbs[:i] {
				done.epoch.Store(0)
			}
			if cb.freed.Load() {
				return 0, fmt.Errorf("driver: submit: command buffer %d: %w", i, ErrClosed)
			}
			return 0, fmt.Errorf("driver: submit: command buffer %d: %w", i, ErrPending)
		}
		cb.epoch.Store(uint64(epoch))
		q.scratch = append(q.scratch, cb.c.buffer)
	}
	fl, err := d.takeFlight()
	if err == nil {
		var p *C.VkCommandBuffer
		if len(q.scratch) > 0 {
			p = &q.scratch[0]
		}
		err = d.check("vkQueueSubmit", C.fx_submit(d.c, p, C.uint32_t(len(q.scratch)), fl.fence))
	}
	q.mu.Lock()
	defer q.mu.Unlock()
	if err != nil {
		for _, cb := range cbs {
			cb.epoch.Store(0)
		}
		if fl != nil {
			q.free = append(q.free, fl)
		}
		return 0, wrap("submit", err)
	}
	q.last = epoch
	q.pending = append(q.pending, fl)
	return epoch, nil
}

// takeFlight returns a flight with an unsignalled fence.
func (d *Device) takeFlight() (*flight, error) {
	q := &d.queue
	q.mu.Lock()
	defer q.mu.Unlock()
	if n := len(q.free); n > 0 {
		fl := q.free[n-1]
		q.free = q.free[:n-1]
		if fl.retired {
			if err := d.check("vkResetFences", C.fx_fence_reset(d.c, fl.fence)); err != nil {
				q.free = append(q.free, fl)
				return nil, err
			}
		}
		fl.retired = false
		return fl, nil
	}
	fl := &flight{}
	if err := d.check("vkCreateFence", C.fx_fence_create(d.c, &fl.fence)); err != nil {
		return nil, err
	}
	q.all = append(q.all, fl)
	return fl, nil
}

// retire marks epochs up to e complete. q.mu is held.
func (q *queue) retire(e Epoch) {
	done := Epoch(q.completed.Load())
	if e <= done {
		return
	}
	k := int(e - done)
	for _, fl := range q.pending[:k] {
		fl.retired = true
		if fl.waiters == 0 {
			q.free = append(q.free, fl)
		}
	}
	n := copy(q.pending, q.pending[k:])
	clear(q.pending[n:])
	q.pending = q.pending[:n]
	q.completed.Store(uint64(e))
	if len(q.deferred) == 0 {
		return
	}
	q.deferred = slices.DeleteFunc(q.deferred, func(x deferred) bool {
		if x.epoch <= e {
			q.ready = append(q.ready, x.f)
		}
		return x.epoch <= e
	})
}

// runReady calls what After deferred and is now due, without holding a lock.
func (q *queue) runReady() {
	q.mu.Lock()
	if len(q.ready) == 0 {
		q.mu.Unlock()
		return
	}
	ready := q.ready
	q.ready = nil
	q.mu.Unlock()
	for _, f := range ready {
		f()
	}
}

// poll retires what has completed, asking the oldest fences without waiting.
func (d *Device) poll() {
	q := &d.queue
	q.mu.Lock()
	defer q.mu.Unlock()
	done, n := Epoch(q.completed.Load()), 0
	for ; n < len(q.pending); n++ {
		r := C.fx_fence_status(d.c, q.pending[n].fence)
		if r != C.VK_SUCCESS {
			if r != C.VK_NOT_READY {
				d.check("vkGetFenceStatus", r)
			}
			break
		}
	}
	q.retire(done + Epoch(n))
}

// Done reports, without waiting, whether epoch e is complete. It stays false once the device is lost or
// closed, so a loop around it must look at Lost too, or use Wait.
func (d *Device) Done(e Epoch) bool {
	q := &d.queue
	if uint64(e) <= q.completed.Load() {
		return true
	}
	if d.usable() != nil {
		return false
	}
	q.mu.Lock()
	if e > q.last {
		q.mu.Unlock()
		return false
	}
	done := Epoch(q.completed.Load())
	if e > done {
		switch r := C.fx_fence_status(d.c, q.pending[e-done-1].fence); r {
		case C.VK_SUCCESS:
			q.retire(e)
			done = e
		case C.VK_NOT_READY:
		default:
			d.check("vkGetFenceStatus", r)
		}
	}
	q.mu.Unlock()
	q.runReady()
	return e <= done
}

// Completed is the greatest epoch known to be complete.
func (d *Device) Completed() Epoch { return Epoch(d.queue.completed.Load()) }

// Submitted is the greatest epoch handed out.
func (d *Device) Submitted() Epoch {
	d.queue.mu.Lock()
	defer d.queue.mu.Unlock()
	return d.queue.last
}

// Wait returns when epoch e is complete; after that the host sees what it wrote. It returns early with
// the context's error (the work goes on), or ErrDeviceLost. It does not allocate.
func (d *Device) Wait(ctx context.Context, e Epoch) error {
	if err := d.usable(); err != nil {
		return err
	}
	q := &d.queue
	if uint64(e) <= q.completed.Load() {
		return nil
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	q.mu.Lock()
	done := Epoch(q.completed.Load())
	if e <= done {
		q.mu.Unlock()
		return nil
	}
	if e > q.last {
		q.mu.Unlock()
		return fmt.Errorf("driver: wait for epoch %d, and the last is %d", e, q.last)
	}
	fl := q.pending[e-done-1]
	fl.waiters++ // keeps the fence from being used again
	q.mu.Unlock()

	err := d.waitFence(ctx, fl.fence)

	q.mu.Lock()
	fl.waiters--
	if fl.retired {
		if fl.waiters == 0 {
			q.free = append(q.free, fl)
		}
	} else if err == nil {
		q.retire(e)
	}
	q.mu.Unlock()
	q.runReady()
	return err
}

// waitFence sleeps in the driver, in pieces: short ones when there is a context that can be cancelled.
func (d *Device) waitFence(ctx context.Context, f C.VkFence) error {
	piece := time.Second
	if ctx.Done() != nil {
		piece = 5 * time.Millisecond
	}
	for {
		switch r := C.fx_fence_wait(d.c, f, C.uint64_t(piece)); r {
		case C.VK_SUCCESS:
			return nil
		case C.VK_TIMEOUT:
		default:
			return d.check("vkWaitForFences", r)
		}
		if err := ctx.Err(); err != nil {
			return err
		}
		if d.lost.Load() {
			return ErrDeviceLost
		}
	}
}

// WaitIdle waits for everything submitted so far.
func (d *Device) WaitIdle(ctx context.Context) error { return d.Wait(ctx, d.Submitted()) }

// After calls f once epoch e is complete: at once if it is, else in some later Submit, Done or Wait, or
// in Close, on that goroutine and with no lock held. It is how things in use are freed.
func (d *Device) After(e Epoch, f func()) {
	q := &d.queue
	q.mu.Lock()
	if uint64(e) <= q.completed.Load() || d.closed.Load() {
		q.mu.Unlock()
		f()
		return
	}
	q.deferred = append(q.deferred, deferred{e, f})
	q.mu.Unlock()
}

// drain runs every deferred call; the device is idle.
func (q *queue) drain() {
	q.mu.Lock()
	for _, x := range q.deferred {
		q.ready = append(q.ready, x.f)
	}
	q.deferred = nil
	q.mu.Unlock()
	q.runReady()
}

func (q *queue) close(d *Device) {
	q.mu.Lock()
	defer q.mu.Unlock()
	for _, fl := range q.all {
		C.fx_fence_destroy(d.c, fl.fence)
	}
	q.all, q.free, q.pending = nil, nil, nil
	q.completed.Store(uint64(q.last))
}
