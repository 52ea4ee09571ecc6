//go:build cgo

package vk

import (
	"context"
	"encoding/binary"
	"fmt"

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
	patches   []patch            // scalars in the block
	needs     []int              // bytes, by argument
	own       []int              // the arguments but for outputs in place of an input, which have the input's buffer
	writes    []bool             // by argument
	taken     []bool             // by argument: an output takes over its memory
	addresses bool               // kernels reach buffers by address
	bound     bool               // command buffers name arguments: re-record for others

	// Device.run guards what follows.
	args      arguments
	instances []*replay
	clock     uint64
	freed     bool
}

// A patch is a scalar's place in the parameter block.
type patch struct{ offset, scalar int }

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
		for _, p := range x.plan.Dispatches[i].Patches {
			x.patches = append(x.patches, patch{offset: x.windows[i] + 4*p.Word, scalar: p.Scalar})
		}
	}
	x.writes, x.taken = make([]bool, x.p.NumArgs()), make([]bool, x.p.NumArgs())
	x.args.init(x.p.NumArgs())
	for i, s := range x.p.Slots[:x.p.NumArgs()] {
		x.needs = append(x.needs, s.Bytes())
		if s.Kind == ir.Output && s.Alias != ir.NoSlot {
			x.taken[s.Alias] = true
		} else {
			x.own = append(x.own, i)
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
	d.run.Lock()
	defer d.run.Unlock()
	if err := x.see(args, scalars); err != nil {
		return err
	}
	if len(x.plan.Dispatches) == 0 {
		d.runs.Add(1)
		return nil
	}
	r, err := x.ready(ctx, args, scalars)
	if err != nil {
		return err
	}
	if err := d.growArena(ctx, x.plan.ArenaBytes); err != nil {
		return err
	}
	if err := x.prepare(r, scalars); err != nil {
		return d.fail(err)
	}
	e, err := x.submit(ctx, r)
	if e != 0 {
		x.inUse(r, e)
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

// ready finds a replay for the arguments, which have been seen, and waits for the device
// when all are in flight. d.run is held, but for the waiting.
func (x *executable) ready(ctx context.Context, args []ir.Buffer, scalars []ir.Scalar) (*replay, error) {
	d := x.d
	for {
		r, busy := x.find()
		if r != nil {
			return r, nil
		}
		d.run.Unlock()
		err := d.drv.Wait(ctx, busy)
		d.run.Lock()
		if err != nil {
			return nil, d.fail(err)
		}
		if err := x.see(args, scalars); err != nil {
			return nil, err
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

// Free implements ir.Executable.
func (x *executable) Free() {
	x.d.run.Lock()
	defer x.d.run.Unlock()
	x.letGo()
	x.freed = true
	for _, r := range x.instances {
		r.free(x.d)
	}
	x.instances = nil
}
