package tensor

import (
	"fmt"
	"slices"

	"github.com/fornax-ml/fornax/tensor/ir"
)

// An index out of range touches nothing: Gather and Take give 0 there,
// ScatterAdd adds nothing, and the next call that waits returns an
// *IndexError. Indices are I32, U32, U8 or I64; negative ones are out of range.

const indexTypes = ir.Class(1<<ir.I32 | 1<<ir.U32 | 1<<ir.U8 | 1<<ir.I64)

// Gather picks elements along an axis:
//
//	y[p] = x[p with p[axis] replaced by index[p]]
//
// index has x's rank and, on the other axes, x's sizes; y has index's shape.
func (t *Tensor) Gather(axis int, index *Tensor) *Tensor {
	axis = checkIndex("Gather", t, axis, index)
	checkOtherAxes("Gather", axis, t, index)
	return newNode(t.dev, t.dtype, index.shape, spec{op: ir.OpGather, from: t.dtype, ints: []int{axis}, name: "Gather"}, t, index)
}

// ScatterAdd returns x with updates added along an axis:
//
//	y = x;  y[p with p[axis] replaced by index[p]] += updates[p]
//
// in order of p, so that duplicates add up the same way on every run. index
// and updates have one shape: x's but for the axis.
func (t *Tensor) ScatterAdd(axis int, index, updates *Tensor) *Tensor {
	axis = checkIndex("ScatterAdd", t, axis, index)
	sameDevice("ScatterAdd", t, updates)
	autocast(ir.OpScatterAdd, &t, &updates)
	checkOtherAxes("ScatterAdd", axis, t, index)
	if !slices.Equal(index.shape, updates.shape) {
		badShape("ScatterAdd", "index and updates differ", t, index, updates)
	}
	if updates.dtype != t.dtype || !ir.OpScatterAdd.Info().Args.Has(t.dtype) {
		badDType("ScatterAdd", "wants updates of x's dtype, a number", t, index, updates)
	}
	return newNode(t.dev, t.dtype, t.shape, spec{op: ir.OpScatterAdd, from: t.dtype, ints: []int{axis}, name: "ScatterAdd"}, t, index, updates)
}

// Take picks whole slices of an axis: the axis is replaced by index's axes,
//
//	y[…, i…, …] = x[…, index[i…], …]
//
// With axis 0 it looks up rows of an embedding.
func (t *Tensor) Take(axis int, index *Tensor) *Tensor {
	axis = checkIndex("Take", t, axis, index)
	flat := index.Flatten()
	shape := slices.Clone(t.shape)
	shape[axis] = flat.shape[0]
	for range len(t.shape) - axis - 1 {
		flat = flat.Unsqueeze(-1)
	}
	y := newNode(t.dev, t.dtype, shape, spec{op: ir.OpGather, from: t.dtype, ints: []int{axis}, name: "Take"}, t, flat.broadcastTo("Take", shape))
	full := slices.Concat(t.shape[:axis], index.shape, t.shape[axis+1:])
	checkShape("Take", full)
	return y.reshape(full)
}

// OneHot returns, on a new last axis of n positions, dtype d's 1 at the index
// and 0 elsewhere; an index outside [0, n) gives only zeros.
func (t *Tensor) OneHot(n int, d DType) *Tensor {
	if !indexTypes.Has(t.dtype) {
		badDType("OneHot", "wants an index dtype", t)
	}
	checkShape("OneHot", append(slices.Clone(t.shape), n))
	index, pos := t, positions(t.dev, I32, n)
	if t.dtype == I64 {
		pos = pos.Cast(I64)
	} else {
		index = t.Cast(I32) // a U32 beyond is negative then, and matches nothing
	}
	return index.Unsqueeze(-1).Equal(pos).Cast(d)
}

func checkIndex(op string, t *Tensor, axis int, index *Tensor) int {
	sameDevice(op, t, index)
	if !indexTypes.Has(index.dtype) {
		badDType(op, "wants an index of i32, u32, u8 or i64", t, index)
	}
	return normAxis(op, t, axis)
}

func checkOtherAxes(op string, axis int, t, index *Tensor) {
	if len(index.shape) != len(t.shape) {
		badShape(op, "ranks differ", t, index)
	}
	for a, n := range index.shape {
		if a != axis && n != t.shape[a] {
			badShape(op, fmt.Sprintf("axis %d differs: %d and %d", a, t.shape[a], n), t, index)
		}
	}
}
