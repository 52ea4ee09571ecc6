package nn

import (
	"strconv"

	"github.com/fornax-ml/fornax/tensor"
)

// Sequential applies modules one after the other. Their names are their
// positions: "0.weight", "0.bias", "2.weight", …
//
//	model := nn.Sequential{nn.NewLinear(d, rng, 784, 128), nn.ReLU{}, nn.NewLinear(d, rng, 128, 10)}
type Sequential []Module

// Visit implements Tree.
func (s Sequential) Visit(v *Visitor) {
	for i, m := range s {
		v.Tree(strconv.Itoa(i), m)
	}
}

// Forward implements Module.
func (s Sequential) Forward(x *tensor.Tensor) *tensor.Tensor {
	for _, m := range s {
		x = m.Forward(x)
	}
	return x
}
