package nn

import (
	"fmt"

	"github.com/fornax-ml/fornax/tensor"
)

// A Dropout zeroes each element with probability P while it trains and divides
// the others by 1-P, so that the mean stays; otherwise it does nothing.
// Srivastava et al. (2014).
type Dropout struct {
	P    float64
	rng  *tensor.RNG
	mode Mode
}

// NewDropout makes a Dropout of probability p in [0, 1]. Every Forward takes
// new numbers from rng, in compiled steps too.
func NewDropout(p float64, rng *tensor.RNG) *Dropout {
	if !(p >= 0 && p <= 1) || rng == nil {
		panic(fmt.Sprintf("nn: NewDropout: p is %v: want a number in [0, 1], and an RNG", p))
	}
	return &Dropout{P: p, rng: rng}
}

// Visit implements Tree: there is only the mode.
func (l *Dropout) Visit(v *Visitor) { v.Mode(&l.mode) }

// Forward implements Module.
func (l *Dropout) Forward(x *tensor.Tensor) *tensor.Tensor {
	if !l.mode.Training() || l.P == 0 {
		return x
	}
	if l.P == 1 {
		return tensor.ZerosLike(x)
	}
	keep := l.rng.Bernoulli(x.Device(), 1-l.P, x.Shape()...)
	return tensor.Where(keep, x.MulScalar(1/(1-l.P)), tensor.ZerosLike(x))
}
