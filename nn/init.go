package nn

import (
	"math"

	"github.com/fornax-ml/fornax/tensor"
)

// An Initializer makes the first value of a parameter: float32 of a shape on a
// device. Random ones take numbers from rng; others accept nil.
type Initializer func(rng *tensor.RNG, d *tensor.Device, shape ...int) *tensor.Tensor

// Zeros is the Initializer of zeros.
func Zeros(_ *tensor.RNG, d *tensor.Device, shape ...int) *tensor.Tensor {
	return tensor.Zeros(d, shape...)
}

// Ones is the Initializer of ones.
func Ones(_ *tensor.RNG, d *tensor.Device, shape ...int) *tensor.Tensor {
	return tensor.Ones(d, shape...)
}

// Constant makes the Initializer of one number.
func Constant(v float64) Initializer {
	return func(_ *tensor.RNG, d *tensor.Device, shape ...int) *tensor.Tensor {
		return tensor.Full(d, v, shape...)
	}
}

// Uniform makes the Initializer of numbers uniform in [lo, hi).
func Uniform(lo, hi float64) Initializer {
	return func(rng *tensor.RNG, d *tensor.Device, shape ...int) *tensor.Tensor {
		return rng.Uniform(d, shape...).MulScalar(hi - lo).AddScalar(lo)
	}
}

// Normal makes the Initializer of normally distributed numbers.
func Normal(mean, std float64) Initializer {
	return func(rng *tensor.RNG, d *tensor.Device, shape ...int) *tensor.Tensor {
		return rng.Normal(d, shape...).MulScalar(std).AddScalar(mean)
	}
}

// A FanMode says which number of connections keeps its variance.
type FanMode int

// The modes.
const (
	FanIn  FanMode = iota // of an output: the forward pass
	FanOut                // of an input: the backward pass
)

// Gains of activations: what variance they take, to be put back by the
// initialiser; as torch.nn.init.calculate_gain has them.
const (
	GainLinear = 1.0 // also sigmoid and convolution
	GainTanh   = 5.0 / 3
	GainReLU   = math.Sqrt2
)

// GainLeakyReLU returns √(2/(1 + a²)), for the slope a of negative numbers.
func GainLeakyReLU(a float64) float64 { return math.Sqrt(2 / (1 + a*a)) }

// Fans returns, for a weight [Out, In, …], the connections of an output,
// In·Π…, and of an input, Out·Π…, where … are the sizes of a convolution's
// kernel. It panics with a *tensor.ShapeError below rank 2.
func Fans(shape ...int) (in, out int) {
	if len(shape) < 2 {
		panic(&tensor.ShapeError{Op: "Fans", Shapes: [][]int{shape}, Reason: "wants rank 2 or more"})
	}
	kernel := 1
	for _, s := range shape[2:] {
		kernel *= s
	}
	return shape[1] * kernel, shape[0] * kernel
}

// KaimingConfig configures Kaiming initialisation. The zero value is that for
// layers before a ReLU.
type KaimingConfig struct {
	Mode FanMode
	Gain float64 // 0 means GainReLU
}

func (c KaimingConfig) std(shape []int) float64 {
	in, out := Fans(shape...)
	gain := c.Gain
	if gain == 0 {
		gain = GainReLU
	}
	if c.Mode == FanOut {
		in = out
	}
	return gain * inverseRoot(in)
}

// KaimingUniform makes the Initializer U(-b, b) with b = gain·√(3/fan). He et
// al. (2015), "Delving Deep into Rectifiers".
func KaimingUniform(c KaimingConfig) Initializer {
	return func(rng *tensor.RNG, d *tensor.Device, shape ...int) *tensor.Tensor {
		b := math.Sqrt(3) * c.std(shape)
		return Uniform(-b, b)(rng, d, shape...)
	}
}

// KaimingNormal makes the Initializer N(0, s²) with s = gain/√fan. He et al.
// (2015).
func KaimingNormal(c KaimingConfig) Initializer {
	return func(rng *tensor.RNG, d *tensor.Device, shape ...int) *tensor.Tensor {
		return Normal(0, c.std(shape))(rng, d, shape...)
	}
}

// XavierUniform makes the Initializer U(-b, b) with b = gain·√(6/(in + out));
// gain 0 means 1. Glorot and Bengio (2010).
func XavierUniform(gain float64) Initializer {
	return func(rng *tensor.RNG, d *tensor.Device, shape ...int) *tensor.Tensor {
		b := math.Sqrt(3) * xavierStd(gain, shape)
		return Uniform(-b, b)(rng, d, shape...)
	}
}

// XavierNormal makes the Initializer N(0, s²) with s = gain·√(2/(in + out));
// gain 0 means 1. Glorot and Bengio (2010).
func XavierNormal(gain float64) Initializer {
	return func(rng *tensor.RNG, d *tensor.Device, shape ...int) *tensor.Tensor {
		return Normal(0, xavierStd(gain, shape))(rng, d, shape...)
	}
}

func xavierStd(gain float64, shape []int) float64 {
	if gain == 0 {
		gain = GainLinear
	}
	in, out := Fans(shape...)
	return gain * math.Sqrt2 * inverseRoot(in+out)
}

// inverseRoot returns 1/√n, 0 for 0.
func inverseRoot(n int) float64 {
	if n == 0 {
		return 0
	}
	return 1 / math.Sqrt(float64(n))
}
