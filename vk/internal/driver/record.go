//go:build cgo

package driver

/*
#include "driver.h"

#cgo noescape fx_commands_create
#cgo nocallback fx_commands_create
#cgo noescape fx_record
#cgo nocallback fx_record
*/
import "C"

import (
	"fmt"
	"sync/atomic"
	"unsafe"
)

// CommandKind says which fields of a Command count.
type CommandKind uint32

const (
	DispatchCommand CommandKind = iota + 1
	CopyCommand
	FillCommand
	BarrierCommand
	TimestampCommand
)

const (
	// MaxPush is the most bytes of push constants that a command carries: what every device has.
	MaxPush = 128
	// MaxDynamic is the most dynamic offsets that a command carries.
	MaxDynamic = 4
)

// Command is one recorded command, made by Pipeline.Dispatch, Copy, Fill, Barrier and Timestamps.Write.
// It holds handles and no Go pointers: what it names must stay alive until the command buffer is freed
// and its last run is complete.
type Command struct {
	Kind                       CommandKind
	PushBytes                  uint32
	Pipeline, Layout, Set      uint64 // of a timestamp, Pipeline is the query pool
	Src, Dst                   uint64
	SrcOffset, DstOffset, Size uint64
	Groups                     [3]uint32
	Value                      uint32 // fill: the word; timestamp: the index; barrier: 1 for the host too
	DynamicCount               uint32
	Dynamic                    [MaxDynamic]uint32
	Base                       [2]uint32 // of the workgroups, on the first two axes
	_                          uint32
	Push                       [MaxPush]byte
}

func init() {
	if unsafe.Sizeof(Command{}) != unsafe.Sizeof(C.fx_command{}) || unsafe.Offsetof(Command{}.Push) != unsafe.Offsetof(C.fx_command{}.push) {
		panic("driver: Command and fx_command differ")
	}
}

// Dispatch runs p over x*y*z workgroups. set may be nil when p has no bindings; dynamic gives the byte
// offsets of dynamic bindings in binding order. It panics when set, push or dynamic do not suit p.
func (p *Pipeline) Dispatch(set *DescriptorSet, push []byte, x, y, z int, dynamic ...uint32) Command {
	if l := p.layout; (set == nil) != (len(l.bindings) == 0) || len(push) > l.push || len(dynamic) != l.dynamic {
		panic(fmt.Sprintf("driver: dispatch with set %v, %d bytes pushed, %d dynamic offsets; the pipeline has %d bindings, %d bytes, %d dynamic",
			set != nil, len(push), len(dynamic), len(l.bindings), l.push, l.dynamic))
	}
	c := Command{Kind: DispatchCommand, PushBytes: uint32(len(push)), Pipeline: uint64(p.handle), Layout: uint64(p.layout.pipeline),
		Groups: [3]uint32{uint32(x), uint32(y), uint32(z)}, DynamicCount: uint32(len(dynamic))}
	if set != nil {
		c.Set = uint64(set.handle)
	}
	copy(c.Dynamic[:], dynamic)
	copy(c.Push[:], push)
	return c
}

// From makes a dispatch's workgroups begin at x and y instead of 0. The pipeline must be
// one with PipelineDesc.Base, and the ends lie within the device's limits.
func (c Command) From(x, y int) Command {
	c.Base = [2]uint32{uint32(x), uint32(y)}
	return c
}

// Copy copies n bytes of device memory. The pieces must not overlap.
func Copy(dst *Allocation, dstOff int, src *Allocation, srcOff, n int) Command {
	return Command{Kind: CopyCommand, Src: src.Buffer, Dst: dst.Buffer, SrcOffset: uint64(src.Offset + srcOff),
		DstOffset: uint64(dst.Offset + dstOff), Size: uint64(n)}
}

// Fill writes word over n bytes; off and n are multiples of 4.
func Fill(dst *Allocation, off, n int, word uint32) Command {
	return Command{Kind: FillCommand, Dst: dst.Buffer, DstOffset: uint64(dst.Offset + off), Size: uint64(n), Value: word}
}

// Barrier makes what dispatches, copies and fills before it wrote visible to those after it, and keeps
// those after from writing what those before still read: one global memory barrier.
func Barrier() Command { return Command{Kind: BarrierCommand} }

// HostBarrier is Barrier, and makes the writes visible to the host as well. Every command buffer ends
// with one of its own.
func HostBarrier() Command { return Command{Kind: BarrierCommand, Value: C.FX_BARRIER_HOST} }

// CommandBuffer is a recorded list of commands that can be submitted again and again, one run at a time.
type CommandBuffer struct {
	d     *Device
	c     C.fx_commands
	epoch atomic.Uint64 // of the last submit
	freed atomic.Bool
}

// Record records commands in one call. The command buffer starts with a full memory barrier, host writes
// included, and ends with one that makes its writes visible to the host, so submits need no barriers
// among them.
func (d *Device) Record(cmds []Command) (*CommandBuffer, error) {
	if err := d.usable(); err != nil {
		return nil, err
	}
	cb := &CommandBuffer{d: d}
	d.mu.Lock()
	if n := len(d.idlePools); n > 0 {
		cb.c = d.idlePools[n-1]
		d.idlePools = d.idlePools[:n-1]
		d.mu.Unlock()
	} else {
		d.mu.Unlock()
		if err := d.checkStatus(C.fx_commands_create(d.c, &cb.c)); err != nil {
			return nil, wrap("record", err)
		}
		d.mu.Lock()
		d.pools = append(d.pools, cb.c)
		d.mu.Unlock()
	}
	if err := cb.Record(cmds); err != nil {
		cb.Free()
		return nil, err
	}
	return cb, nil
}

// Record records other commands over those it has; ErrPending while a run is not complete.
func (cb *CommandBuffer) Record(cmds []Command) error {
	d := cb.d
	if err := d.usable(); err != nil {
		return err
	}
	if cb.freed.Load() {
		return fmt.Errorf("driver: record: %w", ErrClosed)
	}
	if !d.Done(Epoch(cb.epoch.Load())) {
		return fmt.Errorf("driver: record: %w", ErrPending)
	}
	for i := range cmds {
		if err := d.checkCommand(&cmds[i]); err != nil {
			return fmt.Errorf("driver: record: command %d: %w", i, err)
		}
	}
	var p *C.fx_command
	if len(cmds) > 0 {
		p = (*C.fx_command)(unsafe.Pointer(&cmds[0]))
	}
	d.count.recorded.Add(1)
	return wrap("record", d.check("vkEndCommandBuffer", C.fx_record(d.c, cb.c.pool, cb.c.buffer, p, C.size_t(len(cmds)))))
}

func (d *Device) checkCommand(c *Command) error {
	switch c.Kind {
	case DispatchCommand:
		if c.Pipeline == 0 || c.Layout == 0 {
			return fmt.Errorf("dispatch without a pipeline")
		}
		for i, g := range c.Groups {
			if g > d.info.Limits.MaxWorkGroupCount[i] {
				return fmt.Errorf("dispatch of %v workgroups, the device allows %v", c.Groups, d.info.Limits.MaxWorkGroupCount)
			}
		}
		if c.PushBytes > MaxPush || c.PushBytes%4 != 0 {
			return fmt.Errorf("dispatch with %d bytes of push constants", c.PushBytes)
		}
		if c.DynamicCount > uint32(len(c.Dynamic)) {
			return fmt.Errorf("dispatch with %d dynamic offsets, at most %d", c.DynamicCount, len(c.Dynamic))
		}
	case CopyCommand:
		if c.Src == 0 || c.Dst == 0 || c.Size == 0 {
			return fmt.Errorf("copy of %d bytes from buffer %#x to %#x", c.Size, c.Src, c.Dst)
		}
	case FillCommand:
		if c.Dst == 0 || c.Size == 0 || c.Size%4 != 0 || c.DstOffset%4 != 0 {
			return fmt.Errorf("fill of %d bytes at %d of buffer %#x", c.Size, c.DstOffset, c.Dst)
		}
	case BarrierCommand:
	case TimestampCommand:
		if c.Pipeline == 0 {
			return fmt.Errorf("timestamp without a query pool")
		}
	default:
		return fmt.Errorf("kind %d", c.Kind)
	}
	return nil
}

// Epoch is that of the last submit, 0 before the first.
func (cb *CommandBuffer) Epoch() Epoch { return Epoch(cb.epoch.Load()) }

// Free gives the command buffer back, once its last run is complete; it returns at once.
func (cb *CommandBuffer) Free() {
	if cb.freed.Swap(true) {
		return
	}
	d := cb.d
	d.After(cb.Epoch(), func() {
		d.mu.Lock()
		defer d.mu.Unlock()
		if d.pools != nil {
			d.idlePools = append(d.idlePools, cb.c)
		}
	})
}
