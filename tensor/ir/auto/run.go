package auto

import (
	"context"
	"errors"
	"fmt"
	"math"
	"time"

	"github.com/fornax-ml/fornax/tensor/ir"
)

// Run implements ir.Executable.
func (e *executable) Run(ctx context.Context, args []ir.Buffer, scalars []ir.Scalar) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	if err := e.d.usable(); err != nil {
		return err
	}
	c, ok := e.calls.Get().(*call)
	if !ok {
		n := e.p.NumArgs()
		c = &call{bufs: make([]*buffer, n), snaps: make([]snapshot, n), args: make([]ir.Buffer, n)}
	}
	defer e.end(c)
	if err := e.begin(c, args, scalars); err != nil {
		return err
	}
	var first error
	for {
		m, err := e.pick(c, true)
		if m == nil {
			if first != nil && !errors.Is(err, ir.ErrClosed) {
				return first
			}
			return err
		}
		err = e.runOn(ctx, m, c, scalars)
		switch {
		case err == nil:
			if e.d.opts.Explain != nil {
				e.tell(settledRuns)
			}
			return nil
		case errors.Is(err, ir.ErrDeviceLost), errors.Is(err, ir.ErrOutOfMemory), errors.Is(err, ir.ErrUnsupported):
			// No argument has changed, but what was on a lost device.
			if first == nil || errors.Is(err, ir.ErrDeviceLost) {
				first = err
			}
			c.tries |= one(m.index)
			if e.lostInput(c) {
				return first
			}
		default:
			return err
		}
	}
}

// begin checks and pins the arguments.
func (e *executable) begin(c *call, args []ir.Buffer, scalars []ir.Scalar) error {
	p := e.p
	if len(args) != p.NumArgs() || len(scalars) != len(p.Scalars) {
		return fmt.Errorf("auto: %d buffers and %d scalars for a program of %d and %d", len(args), len(scalars), p.NumArgs(), len(p.Scalars))
	}
	for i, s := range scalars {
		if s.DType != p.Scalars[i] {
			return fmt.Errorf("auto: scalar %d is %v, not %v", i, s.DType, p.Scalars[i])
		}
	}
	c.valid, c.tries, c.ready = ^set(0), 0, true
	c.on = int(e.last.Load())
	m := e.d.members[c.on]
	for i, a := range args {
		b, ok := a.(*buffer)
		slot := &p.Slots[i]
		switch {
		case !ok || b == nil || b.d != e.d:
			return fmt.Errorf("auto: argument %d is a buffer of another device", i)
		case b.bytes < e.bytes[i]:
			return fmt.Errorf("auto: argument %d has %d bytes, not %d", i, b.bytes, e.bytes[i])
		case slot.Kind == ir.Output && slot.Alias != ir.NoSlot:
			if args[slot.Alias] != a {
				return fmt.Errorf("auto: argument %d must be the buffer of argument %d", i, slot.Alias)
			}
			c.args[i] = c.args[slot.Alias]
			continue
		}
		s := &c.snaps[i]
		on, err := b.pin(m, slot.Kind == ir.Output, s)
		if err != nil {
			return fmt.Errorf("auto: argument %d: %w", i, err)
		}
		c.bufs[i] = b
		switch reads := e.reads(i, b); {
		case s.valid != 0 && reads:
			c.valid &= s.valid
		case s.valid != 0 && on == nil:
			on = b.on(m)
		case reads && b.isGone():
			return b.lostError()
		}
		c.args[i] = on
		c.ready = c.ready && on != nil
	}
	return nil
}

// reads reports whether a run needs what an argument holds: inputs, and what lies
// behind the end of an output.
func (e *executable) reads(arg int, b *buffer) bool {
	return e.p.Slots[arg].Kind == ir.Input || b.bytes > e.bytes[arg]
}

// lostInput reports whether something that is read was on lost devices only.
func (e *executable) lostInput(c *call) bool {
	for i, b := range c.bufs {
		if b != nil && e.reads(i, b) && b.isGone() {
			return true
		}
	}
	return false
}

// end unpins the arguments that the run has not, and keeps the call for another.
func (e *executable) end(c *call) {
	for i, b := range c.bufs {
		if b != nil {
			b.unpin()
			c.bufs[i] = nil
		}
	}
	e.calls.Put(c)
}

// bring has all arguments on a member.
func (e *executable) bring(ctx context.Context, m *member, c *call) (err error) {
	switch {
	case c.on != m.index:
		clear(c.args)
		c.on = m.index
	case c.ready:
		return nil
	}
	c.ready = false
	for i, b := range c.bufs {
		switch {
		case b == nil:
			c.args[i] = c.args[e.p.Slots[i].Alias]
		case c.args[i] != nil:
		case e.reads(i, b):
			c.args[i], err = b.content(ctx, m)
		default:
			c.args[i], err = b.space(m)
		}
		if err != nil {
			c.args[i] = nil
			return err
		}
	}
	return nil
}

// runOn brings the arguments to a member and runs there.
func (e *executable) runOn(ctx context.Context, m *member, c *call, scalars []ir.Scalar) error {
	if c.exe == nil {
		if _, err := e.compiled(m); err != nil {
			return err
		}
		if err := e.take(m, c); err != nil {
			return err
		}
	}
	exe := c.exe
	c.exe = nil
	if err := e.bring(ctx, m, c); err != nil {
		return err
	}
	if c.measure {
		m.openWindow(ctx, e, c.expected, c.first)
	} else if m.timing.Load() {
		m.otherThan(e)
	}
	timing := m.timing.Load()
	var begin time.Time
	if timing {
		begin = m.d.now()
	}
	alone := m.inflight.Add(1) == 1
	err := m.failed(exe.Run(ctx, c.args, scalars))
	m.inflight.Add(-1)
	if timing {
		m.account(ctx, e, m.d.now().Sub(begin), alone && err == nil)
	}
	if err != nil {
		return err
	}
	in := e.p.Inputs
	for i, s := range e.p.Slots[in:e.p.NumArgs()] {
		k := in + i
		if s.Alias != ir.NoSlot {
			k = s.Alias
		}
		if b := c.bufs[k]; b != nil {
			b.made(m, e, i, c.version+uint64(i))
			c.bufs[k] = nil
		}
	}
	for i, b := range c.bufs[:in] {
		if b != nil && c.snaps[i].news && c.snaps[i].maker != e {
			b.read(m, e)
		}
	}
	return nil
}

// take counts a run of the executable of a member, where it has one, and says whether
// that is to be measured.
func (e *executable) take(m *member, c *call) error {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.taken(m, c)
}

// taken is take with e.mu held.
func (e *executable) taken(m *member, c *call) error {
	x := &e.on[m.index]
	if e.freed {
		return fmt.Errorf("auto: the executable was freed: %w", ir.ErrClosed)
	}
	c.measure = false
	if c.exe = x.exe; c.exe == nil {
		return nil
	}
	x.runs++
	if x.runs <= x.next {
		return nil
	}
	c.expected = e.time(m)
	c.first = x.runs == 1 && c.expected <= longRun && !math.IsInf(e.rival(m), 1)
	if c.measure = c.first || x.runs > 1 || c.expected > longRun; c.measure {
		if x.gap = min(max(2*x.gap, 1), restGap); x.times.n < 3 {
			x.gap = 0
		}
		x.next = x.runs + mostRuns + x.gap
	}
	return nil
}
