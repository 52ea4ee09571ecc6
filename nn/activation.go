package nn

import (
	"fmt"
	"slices"

	"github.com/fornax-ml/fornax/tensor"
)

// ReLU computes max(x, 0); its gradient at 0 is 0.
type ReLU struct{ Leaf }

// Forward implements Module.
func (ReLU) Forward(x *tensor.Tensor) *tensor.Tensor { return x.Relu() }

// GELU computes x·Φ(x) = x/2·(1 + erf(x/√2)), Hendrycks and Gimpel (2016).
type GELU struct{ Leaf }

// Forward implements Module.
func (GELU) Forward(x *tensor.Tensor) *tensor.Tensor { return x.GELU() }

// Tanh computes (eˣ - e⁻ˣ)/(eˣ + e⁻ˣ).
type Tanh struct{ Leaf }

// Forward implements Module.
func (Tanh) Forward(x *tensor.Tensor) *tensor.Tensor { return x.Tanh() }

// Sigmoid computes 1/(1 + e⁻ˣ).
type Sigmoid struct{ Leaf }

// Forward implements Module.
func (Sigmoid) Forward(x *tensor.Tensor) *tensor.Tensor { return x.Sigmoid() }

// SiLU computes x/(1 + e⁻ˣ), Elfwing, Uchibe and Doya (2017).
type SiLU struct{ Leaf }

// Forward implements Module.
func (SiLU) Forward(x *tensor.Tensor) *tensor.Tensor { return x.SiLU() }

// Softmax computes eˣ/Σ eˣ along an axis, the last one in the zero Softmax.
type Softmax struct {
	Leaf
	axis int // less 1: the zero Softmax has the last axis
}

// NewSoftmax makes a Softmax along an axis; negative ones count from the end.
func NewSoftmax(axis int) Softmax { return Softmax{axis: axis + 1} }

// Forward implements Module.
func (s Softmax) Forward(x *tensor.Tensor) *tensor.Tensor { return x.Softmax(s.axis - 1) }

// Flatten joins the axes from Start on into one: [N, C, H, W] becomes
// [N, C·H·W].
type Flatten struct {
	Leaf
	Start int // 0 means 1: the first axis counts examples
}

// Forward implements Module.
func (f Flatten) Forward(x *tensor.Tensor) *tensor.Tensor {
	start := max(f.Start, 1)
	shape := x.Shape()
	if start > len(shape) {
		panic(&tensor.ShapeError{Op: "Flatten", Shapes: [][]int{shape}, Reason: fmt.Sprintf("no axis %d", start)})
	}
	n := 1
	for _, s := range shape[start:] {
		n *= s
	}
	return x.Reshape(append(slices.Clone(shape[:start]), n)...)
}
