//go:build cgo

package vk

import (
	"context"
	"encoding/binary"
	"fmt"
	"sync"

	"github.com/fornax-ml/fornax/tensor/ir"
	"github.com/fornax-ml/fornax/vk/internal/driver"
	"github.com/fornax-ml/fornax/vk/internal/lower"
)

// blockRange is what kernels bind of the parameter block: all that they
// declare.
const blockRange = 4 * lower.BlockWords

// executable is an ir.Executable.
type executable struct {
	d         *Device
	p         *ir.Program
	plan      *lower.Plan
	pipelines []*driver.Pipeline // by dispatch
	customs   []customCall       // by dispatch; zero but for customs
	windows   []int              // byte offset of each dispatch's words in the block
	bytes     int                // of the block
	first     []byte             // the block before scalars and addresses
	writes    []bool             // by argument
	taken     []bool             // by argument: an output takes over its memory
	addresses bool               // kernels reach buffers by address
	bound     bool               // command buffers name arguments: re-record for others

	mu        sync.Mutex
	instances []*replay
	clock     uint64
	freed     bool
}

// Compile implements ir.Device.
func (d *Device) Compile(p *ir.Program) (ir.Executable, error) {
	if d.closed.Load() {
		return nil, d.fail(driver.ErrClosed)
	}
	if len(p.Instrs) > 0 && p.ArenaBytes > d.info.Limits.BufferBytes {
		return nil, &ir.MemoryError{Device: d.info.Name, Need: p.ArenaBytes, Live: int(d.pool.live.Load()), Limit: d.info.Limits.MemoryBytes,
			Reason: fmt.Sprintf("an arena has at most %d bytes", d.info.Limits.BufferBytes)}
	}
	plan, addresses, err := d.plan(p)
	if err != nil {
		return nil, err
	}
	x, err := d.build(p, plan, addresses)
	if err != nil {
		return nil, err
	}
	if d.cache != nil {
		d.cache.soon(d)
	}
	d.programs.Add(1)
	return x, nil
}

// build makes a lowered program ready to run.
func (d *Device) build(p *ir.Program, plan *lower.Plan, addresses bool) (x *executable, err error) {
	x = &executable{d: d, p: p, plan: plan, addresses: addresses, bound: !addresses}
	n := len(plan.Dispatches)
	x.pipelines, x.customs, x.windows = make([]*driver.Pipeline, n), make([]customCall, n), make([]int, n)
	for i := range plan.Dispatches {
		if c := plan.Dispatches[i].Custom; c != nil {
			x.bound = true
			if x.customs[i], err = d.custom(p, c); err != nil {
				return nil, err
			}
		}
	}
	err = each(n, func(i int) (err error) {
		x.pipelines[i], err = x.pipeline(&plan.Dispatches[i], &x.customs[i])
		return d.fail(err)
	})
	if err != nil {
		return nil, err
	}
	x.layout()
	return x, nil
}

func (x *executable) pipeline(k *lower.Dispatch, c *customCall) (*driver.Pipeline, error) {
	if k.Custom != nil {
		return x.d.customPipeline(c, len(k.Bindings))
	}
	_, _, n := k.Cut(x.d.submitWork)
	return x.d.pipeline(k.Kernel, x.addresses, n > 1)
}

// layout places the dispatches' words in the block and fills in what is known.
func (x *executable) layout() {
	align := x.d.drv.Alignment()
	for _, c := range x.plan.Checks {
		n := x.d.status.number(c.Name, c.DType)
		for _, i := range c.Dispatch {
			x.plan.Dispatches[i].Block[lower.NumberWord] = uint32(n)
		}
	}
	at := 0
	for i := range x.plan.Dispatches {
		x.windows[i] = at
		at += (4*len(x.plan.Dispatches[i].Block) + align - 1) / align * align
	}
	x.bytes = at + blockRange
	x.first = make([]byte, at)
	for i := range x.plan.Dispatches {
		for k, w := range x.plan.Dispatches[i].Block {
			binary.LittleEndian.PutUint32(x.first[x.windows[i]+4*k:], w)
		}
	}
	x.writes, x.taken = make([]bool, x.p.NumArgs()), make([]bool, x.p.NumArgs())
	for _, s := range x.p.Slots[:x.p.NumArgs()] {
		if s.Kind == ir.Output && s.Alias != ir.NoSlot {
			x.taken[s.Alias] = true
		}
	}
	for i := range x.plan.Dispatches {
		for _, m := range x.plan.Dispatches[i].Writes {
			if m.Arg >= 0 {
				x.writes[m.Arg] = true
			}
		}
	}
}

// Run implements ir.Executable.
func (x *executable) Run(ctx context.Context, args []ir.Buffer, scalars []ir.Scalar) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	d := x.d
	if d.closed.Load() {
		return d.fail(driver.ErrClosed)
	}
	if err := x.checkArgs(args, scalars); err != nil {
		return err
	}
	if len(x.plan.Dispatches) == 0 {
		d.runs.Add(1)
		return nil
	}
	r, err := x.take(ctx, args)
	if err != nil {
		return d.fail(err)
	}
	defer x.put(r)
	d.run.Lock()
	defer d.run.Unlock()
	if err := d.growArena(ctx, x.plan.ArenaBytes); err != nil {
		return err
	}
	if err := x.prepare(r, args, scalars); err != nil {
		return d.fail(err)
	}
	e, err := x.submit(ctx, r)
	if e != 0 {
		x.inUse(r, args, e)
	}
	if err != nil {
		return d.fail(err)
	}
	d.runs.Add(1)
	d.dispatches.Add(int64(len(x.plan.Dispatches)))
	if d.profile != nil {
		return d.fail(d.profile.add(ctx, x, r))
	}
	return nil
}

// inUse notes what the device touches until epoch e.
func (x *executable) inUse(r *replay, args []ir.Buffer, e driver.Epoch) {
	r.epoch = e
	if x.plan.ArenaBytes > 0 {
		x.d.arenaUse = e
	}
	for i, a := range args {
		b := a.(*buffer)
		b.touched.Store(true)
		raise(&b.used, e)
		// An output in place of an input has the input's buffer; the write is on
		// record under the input.
		if x.writes[i] {
			raise(&b.wrote, e)
		}
	}
}

// submit hands the command buffers to the device one after the other, and returns the
// epoch of the last. The context cancels between two, until memory that an output took
// over is written; a submit that fails after that loses the device, since arguments
// have changed.
func (x *executable) submit(ctx context.Context, r *replay) (last driver.Epoch, err error) {
	for i, cb := range r.cbs {
		if i > 0 && i <= r.donated {
			if err := ctx.Err(); err != nil {
				return last, err
			}
		}
		e, err := x.d.drv.Submit(cb)
		if err != nil {
			if i > r.donated {
				err = fmt.Errorf("%w: %w", ir.ErrDeviceLost, err)
			}
			return last, err
		}
		last = e
	}
	return last, nil
}

func (x *executable) checkArgs(args []ir.Buffer, scalars []ir.Scalar) error {
	name := x.d.info.Name
	if len(args) != x.p.NumArgs() || len(scalars) != len(x.p.Scalars) {
		return fmt.Errorf("%s: %d buffers and %d scalars for a program of %d and %d", name, len(args), len(scalars), x.p.NumArgs(), len(x.p.Scalars))
	}
	for i, a := range args {
		b, ok := a.(*buffer)
		if !ok || b.d != x.d {
			return fmt.Errorf("%s: argument %d is of another device", name, i)
		}
		if b.freed.Load() {
			return fmt.Errorf("%s: argument %d: %w", name, i, ir.ErrClosed)
		}
		if need := x.p.Slots[i].Bytes(); b.class < need {
			return fmt.Errorf("%s: argument %d has %d bytes, needs %d", name, i, b.bytes, need)
		}
	}
	for i, s := range scalars {
		if s.DType != x.p.Scalars[i] {
			return fmt.Errorf("%s: scalar %d is %v, not %v", name, i, s.DType, x.p.Scalars[i])
		}
	}
	return nil
}

// Free implements ir.Executable.
func (x *executable) Free() {
	x.mu.Lock()
	defer x.mu.Unlock()
	x.freed = true
	for _, r := range x.instances {
		if !r.taken {
			r.free(x.d)
		}
	}
	x.instances = nil
}
