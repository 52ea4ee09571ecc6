package tensor

import (
	"fmt"
	"slices"

	"github.com/fornax-ml/fornax/tensor/ir"
)

// A CustomVJP gives the gradient of each input of a custom op (nil for none),
// given its inputs, outputs and the outputs' gradients.
type CustomVJP func(in, out, dout []*Tensor, attrs []int64) []*Tensor

// A CustomOp is a user's kernel as an op. Kernels holds what each backend runs,
// by backend name; see cpu.Kernel and vk.Kernel. Where a device has no kernel,
// the decomposition is computed instead; it is also what tests compare kernels
// with.
type CustomOp struct {
	Name string
	// Outputs gives the dtypes and shapes of the outputs.
	Outputs func(in []ir.Type, attrs []int64) ([]ir.Type, error)
	Kernels map[string]any
	// Decompose computes the outputs with ops of this package.
	Decompose func(in []*Tensor, attrs []int64) []*Tensor
	// VJP is the gradient; nil means that of the decomposition.
	VJP CustomVJP
}

// A Custom is a registered CustomOp.
type Custom struct{ op CustomOp }

// RegisterCustom makes a custom op known to every device. It panics where the
// name is taken or a function is missing.
func RegisterCustom(op CustomOp) *Custom {
	if op.Name == "" || op.Outputs == nil || op.Decompose == nil {
		panic("tensor: RegisterCustom: Name, Outputs and Decompose are needed")
	}
	ir.RegisterCustom(ir.CustomOp{Name: op.Name, Outputs: op.Outputs, Kernels: op.Kernels})
	return &Custom{op: op}
}

// Apply returns the op's outputs.
func (c *Custom) Apply(attrs []int64, in ...*Tensor) []*Tensor {
	if len(in) == 0 {
		panic(&ShapeError{Op: c.op.Name, Reason: "of nothing"})
	}
	sameDevice(c.op.Name, in...)
	types := make([]ir.Type, len(in))
	for i, x := range in {
		types[i] = ir.Type{DType: x.dtype, Shape: x.Shape()}
	}
	outs, err := c.op.Outputs(types, attrs)
	if err != nil {
		badShape(c.op.Name, err.Error(), in...)
	}
	if !c.runsOn(in[0].dev.dev) {
		return c.decompose(in, outs, attrs)
	}
	s := spec{op: ir.OpCustom, name: c.op.Name, attrs: slices.Clone(attrs), types: outs, vjp: c.vjp}
	return newNode(in[0].dev, outs[0].DType, outs[0].Shape, s, in...).picks()
}

// runsOn reports whether a device has a kernel for the op: of several devices, one.
func (c *Custom) runsOn(dev ir.Device) bool {
	if m, ok := dev.(ir.Composite); ok {
		return slices.ContainsFunc(m.Members(), c.runsOn)
	}
	info := dev.Info()
	return c.op.Kernels[info.Backend] != nil && info.Customs
}

// picks returns the outputs of a custom op's node.
func (t *Tensor) picks() []*Tensor {
	out := make([]*Tensor, len(t.types))
	for k, o := range t.types {
		out[k] = newNode(t.dev, o.DType, slices.Clone(o.Shape), spec{op: ir.OpPick, name: t.name, k: k}, t)
	}
	return out
}

func (c *Custom) decompose(in []*Tensor, outs []ir.Type, attrs []int64) []*Tensor {
	if autocasts.current() != F32 { // the outputs have the dtypes that the op says
		defer autocasts.enter(F32)()
	}
	res := c.op.Decompose(in, attrs)
	if len(res) != len(outs) {
		panic(fmt.Sprintf("tensor: %s: the decomposition gives %d outputs, not %d", c.op.Name, len(res), len(outs)))
	}
	for k, o := range outs {
		if res[k].dtype != o.DType || !slices.Equal(res[k].shape, o.Shape) {
			badShape(c.op.Name, fmt.Sprintf("output %d of the decomposition is not %v%v", k, o.DType, o.Shape), res[k])
		}
	}
	return res
}

// vjp is the user's gradient or that of the decomposition.
func (c *Custom) vjp(in, out, dout []*Tensor, attrs []int64) []*Tensor {
	if c.op.VJP != nil {
		return c.op.VJP(in, out, dout, attrs)
	}
	// Differentiate a second decomposition, of copies of the inputs, so that
	// gradients stop at this op's inputs.
	x := make([]*Tensor, len(in))
	var floats []*Tensor
	var position []int
	for i, t := range in {
		x[i] = t.copy()
		if t.dtype.IsFloat() {
			floats, position = append(floats, x[i]), append(position, i)
		}
	}
	total := make([]*Tensor, len(in))
	for k, y := range c.op.Decompose(x, attrs) {
		if dout[k] == nil {
			continue
		}
		for j, g := range VJP(y, dout[k], floats...) {
			i := position[j]
			if total[i] != nil {
				g = total[i].Add(g)
			}
			total[i] = g
		}
	}
	return total
}

// customRule gives the gradients of a custom op's inputs from those of its
// outputs; an output nobody used has zeros.
func (t *Tensor) customRule(dout, in []*Tensor) []*Tensor {
	out := t.picks()
	for k, y := range out {
		if dout[k] == nil && y.dtype.IsFloat() {
			dout[k] = ZerosLike(y)
		}
	}
	return t.vjp(in, out, dout, t.attrs)
}
