//go:build cgo

package vk_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/fornax-ml/fornax/nn"
	"github.com/fornax-ml/fornax/tensor"
	"github.com/fornax-ml/fornax/tensor/ir"
	"github.com/fornax-ml/fornax/vk"
)

// dispatches runs a compiled function and counts the kernels of its second run.
func dispatches(t *testing.T, d *vk.Device, f func(in ...*tensor.Tensor) []*tensor.Tensor, in ...*tensor.Tensor) int {
	step := tensor.Compile(f)
	n := 0
	for range 2 {
		before := d.Stats().Dispatches
		out, err := step.Call(in...)
		require.NoError(t, err)
		n = d.Stats().Dispatches - before
		for _, x := range out {
			x.Free()
		}
	}
	return n
}

// TestDispatches: softmax with its gradient is one dispatch, cross-entropy with its
// gradient at most three, for few classes and many.
func TestDispatches(t *testing.T) {
	d := open(t, vk.Options{})
	x := tensor.New(d)
	for _, classes := range []int{10, 1000} {
		logits := tensor.NewRNG(1).Normal(x, 128, classes)
		dy := tensor.NewRNG(2).Normal(x, 128, classes)
		labels := make([]int32, 128)
		for i := range labels {
			labels[i] = int32(i * 7 % classes)
		}
		softmax := dispatches(t, d, func(in ...*tensor.Tensor) []*tensor.Tensor {
			y := in[0].Softmax(1)
			return append(tensor.Grad(y.Mul(in[1]).Sum(), in[0]), y)
		}, logits, dy)
		require.LessOrEqual(t, softmax, 1, "softmax of %d", classes)
		loss := dispatches(t, d, func(in ...*tensor.Tensor) []*tensor.Tensor {
			l := nn.CrossEntropy(in[0], in[1])
			return append(tensor.Grad(l, in[0]), l)
		}, logits, tensor.FromSlice(x, labels, 128))
		require.LessOrEqual(t, loss, 3, "cross-entropy of %d", classes)
	}
}

// TestFusedIndexIsChecked: an index that the same rows compute is checked all the same.
func TestFusedIndexIsChecked(t *testing.T) {
	eachVariant(t, func(t *testing.T, d *vk.Device) {
		x := tensor.New(d)
		data := make([]int32, 300*40)
		for i := range data {
			data[i] = int32(i % 40)
		}
		y := tensor.FromSlice(x, data, 300, 40)
		good := y.Gather(1, y.Max(1).Unsqueeze(1))
		v, err := tensor.Data[int32](good)
		require.NoError(t, err)
		require.Equal(t, int32(39), v[299])
		_, err = tensor.Data[int32](y.Gather(1, y.Max(1).AddScalar(1000).Unsqueeze(1)))
		var index *ir.IndexError
		require.ErrorAs(t, err, &index)
	})
}
