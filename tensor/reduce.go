package tensor

import (
	"slices"

	"github.com/fornax-ml/fornax/tensor/ir"
)

// Reductions drop the axes they reduce; no axes means all. Unsqueeze puts them
// back, for free.

// Sum returns Σ x over the axes, in x's dtype.
func (t *Tensor) Sum(axes ...int) *Tensor { return t.reduce("Sum", ir.OpSum, axes) }

// Prod returns Π x over the axes, in x's dtype.
func (t *Tensor) Prod(axes ...int) *Tensor { return t.reduce("Prod", ir.OpProd, axes) }

// Max returns the largest element over the axes; NaN if there is one. Its
// gradient is shared equally among ties. Of no elements it is -Inf, or an
// integer dtype's lowest value.
func (t *Tensor) Max(axes ...int) *Tensor { return t.reduce("Max", ir.OpMax, axes) }

// Min returns the smallest element over the axes; NaN if there is one. Its
// gradient is shared equally among ties. Of no elements it is +Inf, or an
// integer dtype's highest value.
func (t *Tensor) Min(axes ...int) *Tensor { return t.reduce("Min", ir.OpMin, axes) }

// Any returns whether an element of a bool tensor is true.
func (t *Tensor) Any(axes ...int) *Tensor { return t.reduce("Any", ir.OpAny, axes) }

// All returns whether every element of a bool tensor is true.
func (t *Tensor) All(axes ...int) *Tensor { return t.reduce("All", ir.OpAll, axes) }

// ArgMax returns the position (I32) of the first largest element along an
// axis, of the first NaN if there is one.
func (t *Tensor) ArgMax(axis int) *Tensor { return t.reduceArg("ArgMax", ir.OpArgMax, axis) }

// ArgMin returns the position (I32) of the first smallest element along an
// axis, of the first NaN if there is one.
func (t *Tensor) ArgMin(axis int) *Tensor { return t.reduceArg("ArgMin", ir.OpArgMin, axis) }

func (t *Tensor) reduceArg(name string, op ir.Op, axis int) *Tensor {
	axis = normAxis(name, t, axis)
	if t.shape[axis] == 0 {
		badShape(name, "of no elements", t)
	}
	return t.reduce(name, op, []int{axis})
}

// Mean returns Σ x / n over the axes, of floats; NaN of no elements.
func (t *Tensor) Mean(axes ...int) *Tensor {
	if !t.dtype.IsFloat() {
		badDType("Mean", "wants floats; use Cast", t)
	}
	axes = normAxes("Mean", t, axes)
	n := t.count(axes)
	s := t.Sum(axes...)
	if n == 0 {
		return s.fixed(ir.OpDiv, 0)
	}
	return s.fixed(ir.OpMul, 1/float64(n))
}

// Var returns Σ (x - Mean x)² / (n - ddof) over the axes, of floats: ddof 0 is
// the population's variance, 1 the sample's estimate.
func (t *Tensor) Var(ddof int, axes ...int) *Tensor {
	if !t.dtype.IsFloat() {
		badDType("Var", "wants floats; use Cast", t)
	}
	autocast(ir.OpSum, &t)
	axes = normAxes("Var", t, axes)
	d := t.Sub(t.Mean(axes...).Unsqueeze(axes...))
	s := d.Square().Sum(axes...)
	n := t.count(axes) - ddof
	if n <= 0 {
		return s.fixed(ir.OpDiv, 0)
	}
	return s.fixed(ir.OpMul, 1/float64(n)) // n itself may be beyond f16
}

// Std returns the square root of Var.
func (t *Tensor) Std(ddof int, axes ...int) *Tensor { return t.Var(ddof, axes...).Sqrt() }

// Norm returns the Euclidean length √Σ x² over the axes, of floats.
func (t *Tensor) Norm(axes ...int) *Tensor {
	autocast(ir.OpSum, &t)
	return t.Square().Sum(axes...).Sqrt()
}

// count returns the number of elements that a reduction over axes joins.
func (t *Tensor) count(axes []int) int {
	n := 1
	for _, a := range axes {
		n *= t.shape[a]
	}
	return n
}

func (t *Tensor) reduce(name string, op ir.Op, axes []int) *Tensor {
	if !op.Info().Args.Has(t.dtype) {
		badDType(name, "wants "+className(op.Info().Args)+"; use Cast", t)
	}
	autocast(op, &t)
	axes = normAxes(name, t, axes)
	shape := make([]int, 0, len(t.shape))
	for a, n := range t.shape {
		if !slices.Contains(axes, a) {
			shape = append(shape, n)
		}
	}
	if len(axes) == 0 && op != ir.OpArgMax && op != ir.OpArgMin {
		return t // a scalar reduces to itself
	}
	return newNode(t.dev, op.ResultType(t.dtype), shape, spec{op: op, from: t.dtype, ints: axes}, t)
}
