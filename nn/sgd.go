package nn

import (
	"iter"

	"github.com/fornax-ml/fornax/tensor"
)

// SGDConfig configures SGD. In all optimizers a number that is 0 means torch's
// default, and a negative one means 0.
type SGDConfig struct {
	LR          float64 // default 0.001
	Momentum    float64 // μ, default 0: none
	Nesterov    bool    // look ahead along the momentum
	WeightDecay float64 // λ, default 0; adds λ·p to the gradient
}

// SGD is stochastic gradient descent with momentum, as torch.optim.SGD without
// dampening. For a parameter p with gradient g and learning rate η:
//
//	g ← g + λ·p
//	b ← μ·b + g            (b begins as 0)
//	g ← g + μ·b  with Nesterov, else b
//	p ← p - η·g
//
// Sutskever, Martens, Dahl and Hinton (2013), "On the importance of
// initialization and momentum in deep learning". State: momentum_buffer.
type SGD struct {
	base
	cfg    SGDConfig
	buffer []*tensor.Cell
}

// NewSGD makes an SGD of parameters, such as Parameters(model).
func NewSGD(params iter.Seq2[string, *Param], c SGDConfig) *SGD {
	c.LR = orDefault(c.LR, 1e-3)
	o := &SGD{cfg: c}
	o.init("SGD", params, c.LR, 0)
	if c.Momentum > 0 {
		o.buffer = o.zeros()
	}
	return o
}

// Step implements Optimizer.
func (o *SGD) Step(loss *tensor.Tensor) { o.StepWith(o.Grads(loss)) }

// StepWith implements Optimizer.
func (o *SGD) StepWith(grads []*tensor.Tensor) {
	o.check(grads)
	hyper := map[*site][]*tensor.Tensor{}
	for _, s := range o.sites {
		rate := s.rate.Read()
		hyper[s] = []*tensor.Tensor{rate, tensor.FullLike(rate, o.cfg.Momentum), tensor.FullLike(rate, o.cfg.WeightDecay)}
	}
	for i, g := range grads {
		if g == nil {
			continue
		}
		p, h := o.params[i].Read(), hyper[o.site[i]]
		rate, momentum, decay := h[0], h[1], h[2]
		if o.cfg.WeightDecay > 0 {
			g = g.Add(p.Mul(decay))
		}
		if o.buffer != nil {
			b := o.buffer[i].Read().Mul(momentum).Add(g)
			o.buffer[i].Set(b)
			if o.cfg.Nesterov {
				g = g.Add(b.Mul(momentum))
			} else {
				g = b
			}
		}
		o.params[i].Set(p.Sub(g.Mul(rate)))
	}
}

func (o *SGD) state() []target {
	if o.buffer == nil {
		return o.targets(nil)
	}
	return o.targets(nil, slot{"momentum_buffer", o.buffer})
}

// StateDict implements Optimizer.
func (o *SGD) StateDict() map[string]*tensor.Tensor { return stateOf(o.state()) }

// LoadStateDict implements Optimizer.
func (o *SGD) LoadStateDict(state map[string]*tensor.Tensor) error { return o.load(o.state(), state) }
