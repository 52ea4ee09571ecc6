package nn

import "github.com/fornax-ml/fornax/tensor"

// Correct returns how many of the classes [N…] are the ArgMax of their logits
// x [N…, C], as a rank-0 I32. It is counted on the device.
func Correct(x, class *tensor.Tensor) *tensor.Tensor {
	guess := x.ArgMax(-1)
	sameShape("Correct", guess, class)
	return guess.Equal(class.Cast(tensor.I32)).Cast(tensor.I32).Sum()
}

// Accuracy returns Correct as a share of all, a rank-0 F32.
func Accuracy(x, class *tensor.Tensor) *tensor.Tensor {
	return Correct(x, class).Cast(tensor.F32).DivScalar(float64(class.Size()))
}
