//go:build cgo

package vk

import (
	"crypto/sha256"
	"encoding/binary"
	"fmt"

	"github.com/fornax-ml/fornax/shaders/spirv"
	"github.com/fornax-ml/fornax/tensor/ir"
	"github.com/fornax-ml/fornax/vk/internal/driver"
)

// customCall is a custom op's kernel with what its shapes give.
type customCall struct {
	kernel Kernel
	push   []byte
	groups [3]uint32
}

// custom looks a custom instruction's kernel up.
func (d *Device) custom(p *ir.Program, c *ir.Custom) (customCall, error) {
	no := func(format string, args ...any) (customCall, error) {
		return customCall{}, &ir.UnsupportedError{Device: d.info.Name, Instr: "custom " + c.Name, Reason: fmt.Sprintf(format, args...)}
	}
	op, ok := ir.LookupCustom(c.Name)
	if !ok {
		return no("not registered")
	}
	var k Kernel
	switch v := op.Kernels[backendName].(type) {
	case Kernel:
		k = v
	case *Kernel:
		k = *v
	default:
		return no("no Vulkan kernel")
	}
	if n := len(c.Operands) + len(c.Dst); n > min(d.info.Limits.Operands, int(d.drv.Limits().StorageBuffersPerStage)) {
		return no("%d buffers, the device binds %d to a kernel", n, d.info.Limits.Operands)
	}
	var in []ir.Type
	for _, o := range c.Operands {
		in = append(in, ir.Type{DType: p.Slots[o.Slot].DType, Shape: o.View.Shape})
	}
	out, err := op.Outputs(in, c.Attrs)
	if err != nil {
		return no("%v", err)
	}
	if k.Groups == nil || len(out) != len(c.Dst) {
		return no("the kernel has no Groups, or %d outputs instead of %d", len(out), len(c.Dst))
	}
	if limit := int(min(d.drv.Limits().StorageBufferRange, 1<<62)); limit > 0 {
		for _, s := range append(slotsOf(c.Operands), c.Dst...) {
			if n := p.Slots[s].Bytes(); n > limit {
				return no("a slot of %d bytes exceeds maxStorageBufferRange, %d bytes", n, limit)
			}
		}
	}
	call := customCall{kernel: k, groups: k.Groups(in, out, c.Attrs)}
	if k.Params != nil {
		for _, w := range k.Params(in, out, c.Attrs) {
			call.push = binary.LittleEndian.AppendUint32(call.push, w)
		}
	}
	if len(call.push) > driver.MaxPush {
		return no("%d bytes of push constants", len(call.push))
	}
	return call, nil
}

func slotsOf(ops []ir.Operand) (l []int) {
	for _, o := range ops {
		l = append(l, o.Slot)
	}
	return l
}

// customPipeline builds the pipeline of a custom kernel with n buffers.
func (d *Device) customPipeline(c *customCall, n int) (*driver.Pipeline, error) {
	key := fmt.Sprintf("custom %x %q %v %d %d", sha256.Sum256(spirv.WordsToBytes(c.kernel.SPIRV)), c.kernel.Entry, c.kernel.Spec, len(c.push), n)
	return d.kernels.get(key, func() (*driver.Pipeline, error) {
		bindings := make([]driver.BindingType, n)
		for i := range bindings {
			bindings[i] = driver.StorageBuffer
		}
		return d.drv.NewPipeline(driver.PipelineDesc{SPIRV: c.kernel.SPIRV, Entry: c.kernel.Entry, Spec: specs(c.kernel.Spec),
			PushConstantBytes: len(c.push), Bindings: bindings})
	})
}
