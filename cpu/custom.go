package cpu

import (
	"fmt"

	"github.com/fornax-ml/fornax/tensor/ir"
)

// A Kernel computes a custom op on the processor; ir.CustomOp.Kernels holds it
// under "cpu". dst and src are the packed elements of the outputs and the
// operands, in host byte order; shapes are those of the operands. The kernel
// may start goroutines but must not keep the slices. It must give equal bits
// whenever it is called with equal arguments.
type Kernel func(dst, src [][]byte, shapes [][]int, attrs []int64) error

type customInstr struct {
	in     *ir.Custom
	kernel Kernel
	shapes [][]int
	slots  []ir.Slot
}

func (c *compiler) compileCustom(in *ir.Custom) (instr, error) {
	op, ok := ir.LookupCustom(in.Name)
	if !ok {
		return nil, fmt.Errorf("no custom op is called %q", in.Name)
	}
	k := &customInstr{in: in, slots: c.p.Slots}
	switch f := op.Kernels["cpu"].(type) {
	case Kernel:
		k.kernel = f
	case func(dst, src [][]byte, shapes [][]int, attrs []int64) error:
		k.kernel = f
	default:
		return nil, fmt.Errorf("custom op %q has no kernel for the cpu", in.Name)
	}
	for _, o := range in.Operands {
		k.shapes = append(k.shapes, o.View.Shape)
	}
	return k, nil
}

func (k *customInstr) run(r *run) (err error) {
	dst, src := make([][]byte, len(k.in.Dst)), make([][]byte, len(k.in.Operands))
	bytes := func(slot, n int) []byte { return slice[byte](r.slots[slot], n*k.slots[slot].DType.Size()) }
	for i, s := range k.in.Dst {
		dst[i] = bytes(s, k.slots[s].Len)
	}
	for i, o := range k.in.Operands {
		if o.Slot != ir.NoSlot {
			src[i] = bytes(o.Slot, product(o.View.Shape))
		}
	}
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("cpu: custom op %q panicked: %v", k.in.Name, p)
		}
	}()
	if err := k.kernel(dst, src, k.shapes, k.in.Attrs); err != nil {
		return fmt.Errorf("cpu: custom op %q: %w", k.in.Name, err)
	}
	return nil
}
