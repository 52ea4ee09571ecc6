package tensor

import (
	"fmt"
	"slices"

	"github.com/fornax-ml/fornax/tensor/ir"
)

// broadcast returns the shape that the operands' shapes broadcast to.
func broadcast(name string, xs ...*Tensor) []int {
	if len(xs) == 2 && slices.Equal(xs[0].shape, xs[1].shape) {
		return xs[0].shape
	}
	rank := 0
	for _, x := range xs {
		rank = max(rank, len(x.shape))
	}
	shape := make([]int, rank)
	for i := range shape {
		shape[i] = 1
	}
	for _, x := range xs {
		off := rank - len(x.shape)
		for i, n := range x.shape {
			switch {
			case n == shape[off+i] || n == 1:
			case shape[off+i] == 1:
				shape[off+i] = n
			default:
				badShape(name, fmt.Sprintf("axis %d does not broadcast: %d and %d", off+i, shape[off+i], n), xs...)
			}
		}
	}
	return shape
}

// broadcastTo stretches t to shape, which it broadcasts to.
func (t *Tensor) broadcastTo(name string, shape []int) *Tensor {
	if slices.Equal(t.shape, shape) {
		return t
	}
	off := len(shape) - len(t.shape)
	if off < 0 {
		badShape(name, fmt.Sprintf("does not broadcast to %v", shape), t)
	}
	ones := make([]int, len(shape))
	for i := range ones {
		ones[i] = 1
		if i >= off {
			ones[i] = t.shape[i-off]
			if ones[i] != shape[i] && ones[i] != 1 {
				badShape(name, fmt.Sprintf("does not broadcast to %v", shape), t)
			}
		}
	}
	x := t.reshape(ones)
	if slices.Equal(ones, shape) {
		return x
	}
	return newNode(t.dev, t.dtype, slices.Clone(shape), spec{op: ir.OpExpand}, x)
}

// reshape changes the shape to one of equal size.
func (t *Tensor) reshape(shape []int) *Tensor {
	if slices.Equal(t.shape, shape) {
		return t
	}
	return newNode(t.dev, t.dtype, shape, spec{op: ir.OpReshape}, t)
}
