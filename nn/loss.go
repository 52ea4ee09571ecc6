package nn

import (
	"fmt"
	"slices"

	"github.com/fornax-ml/fornax/tensor"
)

// A Reduction says what becomes of the losses of a batch.
type Reduction int

// The reductions.
const (
	Mean Reduction = iota // their mean, a rank-0 tensor
	Sum                   // their sum, a rank-0 tensor
	None                  // all of them
)

func (r Reduction) of(x *tensor.Tensor) *tensor.Tensor {
	switch r {
	case Mean:
		return x.Mean()
	case Sum:
		return x.Sum()
	case None:
		return x
	}
	panic(fmt.Sprintf("nn: no reduction %d", r))
}

// CrossEntropy returns the mean over n of
//
//	-LogSoftmax(x)[n, class n]
//
// for logits x [N…, C] and classes [N…] of an integer dtype. A class outside
// [0, C) adds nothing and gives a *tensor.IndexError from the next call that
// waits.
func CrossEntropy(x, class *tensor.Tensor) *tensor.Tensor {
	return CrossEntropyWith(x, class, CrossEntropyConfig{})
}

// CrossEntropyConfig configures CrossEntropyWith.
type CrossEntropyConfig struct {
	Reduction Reduction
	// LabelSmoothing ε takes as the target 1-ε of the class and ε/C of every
	// class: the loss is (1-ε)·(-log p[class]) + ε·Mean(-log p). Szegedy et al.
	// (2016).
	LabelSmoothing float64
}

// CrossEntropyWith returns CrossEntropy as configured.
func CrossEntropyWith(x, class *tensor.Tensor, c CrossEntropyConfig) *tensor.Tensor {
	loss := tensor.CrossEntropy(x, class)
	if e := c.LabelSmoothing; e != 0 {
		even := x.LogSoftmax(-1).Mean(-1)
		loss = loss.MulScalar(1 - e).Sub(even.MulScalar(e))
	}
	return c.Reduction.of(loss)
}

// MSE returns the mean of (y - t)², for y and t of one shape.
func MSE(y, t *tensor.Tensor) *tensor.Tensor {
	sameShape("MSE", y, t)
	return y.Sub(t).Square().Mean()
}

// L1 returns the mean of |y - t|, for y and t of one shape.
func L1(y, t *tensor.Tensor) *tensor.Tensor {
	sameShape("L1", y, t)
	return y.Sub(t).Abs().Mean()
}

// BCEWithLogits returns the mean binary cross-entropy of logits x and targets t
// in [0, 1] of one shape,
//
//	-t·ln σ(x) - (1-t)·ln(1-σ(x)) = max(x, 0) - x·t + ln(1 + e^-|x|)
//
// The form on the right does not overflow. Its gradient is (σ(x) - t)/n.
func BCEWithLogits(x, t *tensor.Tensor) *tensor.Tensor {
	sameShape("BCEWithLogits", x, t)
	// Maximum, not Relu: at 0 its gradient is ½, which is σ(0).
	m := x.Maximum(tensor.ZerosLike(x))
	return m.Sub(x.Mul(t)).Add(x.Abs().Neg().Exp().Log1p()).Mean()
}

// sameShape keeps a [N, 1] from meeting an [N], which would broadcast to
// [N, N].
func sameShape(op string, a, b *tensor.Tensor) {
	if !slices.Equal(a.Shape(), b.Shape()) {
		panic(&tensor.ShapeError{Op: op, Shapes: [][]int{a.Shape(), b.Shape()}, Reason: "shapes differ"})
	}
}
