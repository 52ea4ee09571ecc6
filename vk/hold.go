//go:build cgo

package vk

import (
	"fmt"
	"slices"
	"sync/atomic"

	"github.com/fornax-ml/fornax/tensor/ir"
	"github.com/fornax-ml/fornax/vk/internal/driver"
)

// A hold stands for the buffers that an executable is given in one run after the other:
// parameters, and what else a training loop keeps. Its submits are noted in the hold and
// not in each of them, so that a run's cost is that of the arguments that change.
type hold struct {
	used   atomic.Uint64 // epoch of the last submit
	writes bool          // the buffers are written
	broken atomic.Bool   // one of them was freed
}

// arguments are those of an executable's last run. Device.run guards them.
type arguments struct {
	bufs   []ir.Buffer
	allocs []*driver.Allocation
	gen    uint64 // of allocs: another number for each change
	held   []bool
	loose  []int       // those that are not held
	noted  []bool      // in use by a run already
	holds  [2]*hold    // of arguments that are read, and that are written
	alone  [2]*[]*hold // each by itself
}

func (a *arguments) init(n int) {
	a.bufs, a.allocs, a.held, a.noted = make([]ir.Buffer, n), make([]*driver.Allocation, n), make([]bool, n), make([]bool, n)
	for i := range a.holds {
		a.holds[i] = &hold{writes: i == 1}
		a.alone[i] = &[]*hold{a.holds[i]}
	}
}

// hold returns the one of argument i.
func (x *executable) hold(i int) int {
	if x.writes[i] {
		return 1
	}
	return 0
}

// see checks that a run may be and its arguments, those that are held but once. d.run is
// held.
func (x *executable) see(args []ir.Buffer, scalars []ir.Scalar) error {
	if x.freed {
		return x.d.fail(driver.ErrClosed)
	}
	a, name := &x.args, x.d.info.Name
	if len(args) != x.p.NumArgs() || len(scalars) != len(x.p.Scalars) {
		return fmt.Errorf("%s: %d buffers and %d scalars for a program of %d and %d", name, len(args), len(scalars), x.p.NumArgs(), len(x.p.Scalars))
	}
	broken := false
	for _, h := range a.holds {
		broken = h.broken.Swap(false) || broken
	}
	if broken {
		x.letGo()
	}
	a.loose = a.loose[:0]
	for _, i := range x.own {
		same := args[i] == a.bufs[i]
		if same && a.held[i] {
			continue
		}
		b, ok := args[i].(*buffer)
		if !ok || b.d != x.d {
			return fmt.Errorf("%s: argument %d is of another device", name, i)
		}
		if b.freed.Load() {
			return fmt.Errorf("%s: argument %d: %w", name, i, ir.ErrClosed)
		}
		if b.class < x.needs[i] {
			return fmt.Errorf("%s: argument %d has %d bytes, needs %d", name, i, b.bytes, x.needs[i])
		}
		if a.held[i] {
			x.release(i)
		}
		if a.allocs[i] != b.a {
			a.allocs[i] = b.a
			a.gen++
		}
		a.bufs[i] = b
		a.noted[i] = a.noted[i] && same
		a.loose = append(a.loose, i)
	}
	for i, s := range scalars {
		if s.DType != x.p.Scalars[i] {
			return fmt.Errorf("%s: scalar %d is %v, not %v", name, i, s.DType, x.p.Scalars[i])
		}
	}
	return nil
}

// inUse notes what the device touches until epoch e. d.run is held.
func (x *executable) inUse(r *replay, e driver.Epoch) {
	r.epoch = e
	if x.plan.ArenaBytes > 0 {
		x.d.arenaUse = e
	}
	a := &x.args
	for _, i := range a.loose {
		b := a.bufs[i].(*buffer)
		b.touched.Store(true)
		raise(&b.used, e)
		if x.writes[i] {
			raise(&b.wrote, e)
		}
		a.held[i] = a.noted[i] && b.join(a, x.hold(i))
		a.noted[i] = true
	}
	for _, h := range a.holds {
		h.used.Store(uint64(e))
	}
}

// join adds a buffer to hold k, unless it is in one of them as another argument.
func (b *buffer) join(a *arguments, k int) bool {
	old := b.holds.Load()
	if old == nil {
		b.holds.Store(a.alone[k])
		return true
	}
	if slices.Contains(*old, a.holds[0]) || slices.Contains(*old, a.holds[1]) {
		return false
	}
	l := append(slices.Clone(*old), a.holds[k])
	b.holds.Store(&l)
	return true
}

// release takes argument i out of its hold. d.run is held.
func (x *executable) release(i int) {
	a := &x.args
	h, b := a.holds[x.hold(i)], a.bufs[i].(*buffer)
	raise(&b.used, driver.Epoch(h.used.Load()))
	if h.writes {
		raise(&b.wrote, driver.Epoch(h.used.Load()))
	}
	var rest *[]*hold
	if l := *b.holds.Load(); len(l) > 1 {
		l = slices.DeleteFunc(slices.Clone(l), func(other *hold) bool { return other == h })
		rest = &l
	}
	b.holds.Store(rest)
	a.held[i] = false
}

// letGo takes all arguments out of the holds, and forgets them. d.run is held.
func (x *executable) letGo() {
	for _, i := range x.own {
		if x.args.held[i] {
			x.release(i)
		}
		x.args.bufs[i], x.args.noted[i] = nil, false
	}
}

// lastUse is the epoch of the last submit that reads or writes b.
func (b *buffer) lastUse() driver.Epoch {
	holds, e := b.holds.Load(), b.used.Load() // in this order: see release
	if holds != nil {
		for _, h := range *holds {
			e = max(e, h.used.Load())
		}
	}
	return driver.Epoch(e)
}

// lastWrite is the epoch of the last submit that writes b.
func (b *buffer) lastWrite() driver.Epoch {
	holds, e := b.holds.Load(), b.wrote.Load()
	if holds != nil {
		for _, h := range *holds {
			if h.writes {
				e = max(e, h.used.Load())
			}
		}
	}
	return driver.Epoch(e)
}

// breakHolds tells the executables that hold b that it is freed.
func (b *buffer) breakHolds() {
	if holds := b.holds.Load(); holds != nil {
		for _, h := range *holds {
			h.broken.Store(true)
		}
	}
}
