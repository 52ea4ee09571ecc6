package nn

import (
	"fmt"
	"slices"

	"github.com/fornax-ml/fornax/tensor"
)

// A Linear computes y = x·Wᵀ + b, for x [N…, In], W [Out, In], b [Out] and y
// [N…, Out]; N… is any number of axes. Its parameters are called weight and
// bias, as in torch.
type Linear struct {
	Weight *Param // [Out, In]
	Bias   *Param // [Out], or nil
}

// LinearConfig configures a Linear.
type LinearConfig struct {
	In, Out int
	NoBias  bool
	// The first values; nil means torch's: U(-1/√In, 1/√In) for both.
	InitWeight, InitBias Initializer
}

// NewLinear makes a Linear from in to out features on a device, with torch's
// default initialisation from rng.
func NewLinear(d *tensor.Device, rng *tensor.RNG, in, out int) *Linear {
	return NewLinearWith(d, rng, LinearConfig{In: in, Out: out})
}

// NewLinearWith makes a Linear as configured.
func NewLinearWith(d *tensor.Device, rng *tensor.RNG, c LinearConfig) *Linear {
	if c.In < 0 || c.Out < 0 {
		panic(&tensor.ShapeError{Op: "NewLinear", Shapes: [][]int{{c.Out, c.In}}, Reason: "a size is negative"})
	}
	// torch.nn.Linear.reset_parameters: Kaiming's uniform with a = √5, which
	// is this bound; the bias takes the same.
	bound := inverseRoot(c.In)
	weight, bias := c.InitWeight, c.InitBias
	if weight == nil {
		weight = Uniform(-bound, bound)
	}
	if bias == nil {
		bias = Uniform(-bound, bound)
	}
	l := &Linear{Weight: NewParam(weight(rng, d, c.Out, c.In))}
	if !c.NoBias {
		l.Bias = NewParam(bias(rng, d, c.Out))
	}
	return l
}

// Visit implements Tree.
func (l *Linear) Visit(v *Visitor) {
	v.Param("weight", l.Weight)
	v.Param("bias", l.Bias)
}

// Forward implements Module.
func (l *Linear) Forward(x *tensor.Tensor) *tensor.Tensor {
	w := l.Weight.Read()
	in, out := w.Dim(1), w.Dim(0)
	shape := x.Shape()
	last := len(shape) - 1
	if last < 0 || shape[last] != in {
		panic(&tensor.ShapeError{Op: "Linear", Shapes: [][]int{shape, w.Shape()}, Reason: fmt.Sprintf("wants %d features on the last axis", in)})
	}
	if last != 1 { // one matrix product whatever the axes in front
		n := 1
		for _, s := range shape[:last] {
			n *= s
		}
		x = x.Reshape(n, in)
	}
	y := x.MatMul(w.T())
	if l.Bias != nil {
		y = y.Add(l.Bias.Read().Cast(y.DType()))
	}
	if last != 1 {
		y = y.Reshape(append(slices.Clone(shape[:last]), out)...)
	}
	return y
}
