package tensor

import (
	"fmt"
	"slices"

	"github.com/fornax-ml/fornax/tensor/ir"
)

// MatMul returns the matrix product over the last two axes,
//
//	C[…,m,n] = Σₖ A[…,m,k]·B[…,k,n]
//
// Axes before them are batches and broadcast. A vector on the left is one row,
// on the right one column, and its axis is dropped from the result. Any
// strides: transposed operands cost nothing. Of floats.
func (t *Tensor) MatMul(b *Tensor) *Tensor {
	a := t
	sameDevice("MatMul", a, b)
	autocast(ir.OpMatMul, &a, &b)
	if a.dtype != b.dtype || !ir.OpMatMul.Info().Args.Has(a.dtype) {
		badDType("MatMul", "wants two of one float dtype", a, b)
	}
	if len(a.shape) == 0 || len(b.shape) == 0 {
		badShape("MatMul", "wants an axis or more", a, b)
	}
	if len(a.shape) > 2 && len(b.shape) == 2 && a.shape[len(a.shape)-1] == b.shape[0] {
		// One matrix for all batches: one product over all rows, and one in the
		// gradient of b where a batch of products and a sum would be.
		k, n := b.shape[0], b.shape[1]
		rows := ir.Size(a.shape[:len(a.shape)-1])
		return a.reshape([]int{rows, k}).MatMul(b).reshape(slices.Concat(a.shape[:len(a.shape)-1], []int{n}))
	}
	x, y := a, b
	if len(a.shape) == 1 {
		x = a.Unsqueeze(0)
	}
	if len(b.shape) == 1 {
		y = b.Unsqueeze(1)
	}
	xr, yr := len(x.shape), len(y.shape)
	m, k, n := x.shape[xr-2], x.shape[xr-1], y.shape[yr-1]
	if y.shape[yr-2] != k {
		badShape("MatMul", fmt.Sprintf("inner dimensions differ: %d and %d", k, y.shape[yr-2]), a, b)
	}
	batch := batchShape(a, b, x.shape[:xr-2], y.shape[:yr-2])
	x = x.broadcastTo("MatMul", slices.Concat(batch, []int{m, k}))
	y = y.broadcastTo("MatMul", slices.Concat(batch, []int{k, n}))
	c := newNode(a.dev, a.dtype, slices.Concat(batch, []int{m, n}), spec{op: ir.OpMatMul, from: a.dtype}, x, y)
	if len(b.shape) == 1 {
		c = c.Squeeze(-1)
	}
	if len(a.shape) == 1 {
		c = c.Squeeze(len(batch))
	}
	return c
}

func batchShape(a, b *Tensor, x, y []int) []int {
	rank := max(len(x), len(y))
	shape := make([]int, rank)
	for i := range shape {
		shape[i] = 1
	}
	for _, s := range [][]int{x, y} {
		off := rank - len(s)
		for i, n := range s {
			switch {
			case n == 1 || n == shape[off+i]:
			case shape[off+i] == 1:
				shape[off+i] = n
			default:
				badShape("MatMul", fmt.Sprintf("batch axis %d does not broadcast: %d and %d", off+i, shape[off+i], n), a, b)
			}
		}
	}
	return shape
}
