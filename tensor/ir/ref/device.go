package ref

import (
	"context"
	"fmt"
	"sync"

	"github.com/fornax-ml/fornax/tensor/ir"
)

// A Device runs programs on the reference executor: slow, plain, and the same
// everywhere. Tests of what stands above the seam use it where a device's
// speed does not matter. It rounds each step and has every dtype.
type Device struct {
	Executor Executor

	mu    sync.Mutex
	stats ir.Stats
	fail  error // for the next call that waits
}

const maxBuffer = 1 << 30 // bytes

// NewDevice returns a device.
func NewDevice() *Device { return &Device{Executor: Executor{Round: true}} }

// Info implements ir.Device.
func (d *Device) Info() *ir.Info {
	return &ir.Info{
		Backend: "ref", Name: "ref", Model: "reference", Vendor: "fornax", Driver: "ref", Software: true,
		DTypes: ir.Any, Customs: true, Limits: ir.Limits{Operands: 64, BufferBytes: maxBuffer, Align: 4},
	}
}

// NewBuffer implements ir.Device.
func (d *Device) NewBuffer(bytes int) (ir.Buffer, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if bytes > maxBuffer {
		return nil, &ir.MemoryError{Device: "ref", Need: bytes, Live: d.stats.LiveBytes, Limit: maxBuffer, Reason: "larger than a buffer may be"}
	}
	d.stats.Allocs++
	d.stats.LiveBytes += bytes
	return &buffer{d: d, b: make([]byte, bytes)}, nil
}

// Compile implements ir.Device.
func (d *Device) Compile(p *ir.Program) (ir.Executable, error) {
	if err := p.Check(); err != nil {
		return nil, err
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	d.stats.Programs++
	return &executable{d: d, p: p}, nil
}

// Sync implements ir.Device.
func (d *Device) Sync(context.Context) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.takeFail()
}

func (d *Device) takeFail() error {
	err := d.fail
	d.fail = nil
	return err
}

// Trim implements ir.Device.
func (d *Device) Trim() {}

// Stats implements ir.Device.
func (d *Device) Stats() ir.Stats {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.stats
}

// Close implements ir.Device.
func (d *Device) Close() error { return nil }

type buffer struct {
	d     *Device
	b     []byte
	freed bool
}

func (b *buffer) Bytes() int { return len(b.b) }

func (b *buffer) in(off, n int) error {
	if b.freed {
		return ir.ErrClosed
	}
	if off < 0 || n > len(b.b)-off {
		return fmt.Errorf("ref: bytes %d to %d of a buffer of %d", off, off+n, len(b.b))
	}
	return nil
}

func (b *buffer) Write(off int, src []byte) error {
	b.d.mu.Lock()
	defer b.d.mu.Unlock()
	if err := b.in(off, len(src)); err != nil {
		return err
	}
	copy(b.b[off:], src)
	return nil
}

func (b *buffer) Read(dst []byte, off int) error {
	b.d.mu.Lock()
	defer b.d.mu.Unlock()
	if err := b.in(off, len(dst)); err != nil {
		return err
	}
	copy(dst, b.b[off:])
	return b.d.takeFail()
}

func (b *buffer) Free() {
	b.d.mu.Lock()
	defer b.d.mu.Unlock()
	if !b.freed {
		b.freed = true
		b.d.stats.LiveBytes -= len(b.b)
	}
}

type executable struct {
	d     *Device
	p     *ir.Program
	freed bool
}

func (e *executable) Run(ctx context.Context, args []ir.Buffer, scalars []ir.Scalar) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	d, p := e.d, e.p
	if len(args) != p.NumArgs() {
		return fmt.Errorf("ref: %d arguments for a program of %d", len(args), p.NumArgs())
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if e.freed {
		return fmt.Errorf("ref: the executable was freed: %w", ir.ErrClosed)
	}
	mem := make([][]byte, len(args))
	for i, a := range args {
		b, ok := a.(*buffer)
		if !ok {
			return fmt.Errorf("ref: argument %d is a %T", i, a)
		}
		if err := b.in(0, p.Slots[i].Bytes()); err != nil {
			return fmt.Errorf("argument %d: %w", i, err)
		}
		mem[i] = b.b
	}
	outs, err := d.Executor.RunBytes(p, mem[:p.Inputs], scalars)
	if outs == nil && err != nil {
		return err
	}
	for i, o := range outs {
		copy(mem[p.Inputs+i], o.Bytes())
	}
	if err != nil && d.fail == nil {
		d.fail = err
	}
	d.stats.Runs++
	d.stats.Submits++
	d.stats.Dispatches += len(p.Instrs)
	return nil
}

func (e *executable) Free() {
	e.d.mu.Lock()
	defer e.d.mu.Unlock()
	e.freed = true
}
