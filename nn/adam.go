package nn

import (
	"iter"

	"github.com/fornax-ml/fornax/tensor"
)

// AdamConfig configures Adam and AdamW. A number that is 0 means the default,
// and a negative one means 0.
type AdamConfig struct {
	LR    float64 // η, default 0.001
	Beta1 float64 // β₁, default 0.9
	Beta2 float64 // β₂, default 0.999
	Eps   float64 // ε, default 1e-8
	// WeightDecay λ: Adam adds λ·p to the gradient, default 0; AdamW shrinks
	// the parameter by η·λ, default 0.01.
	WeightDecay float64
}

// Adam is Kingma and Ba (2015), algorithm 1, in the order of operations of
// torch.optim.Adam and torch.optim.AdamW. For a parameter p with gradient g:
//
//	g ← g + λ·p            (Adam)
//	p ← p·(1 - η·λ)        (AdamW: Loshchilov and Hutter (2019), algorithm 2)
//	m ← β₁·m + (1-β₁)·g
//	v ← β₂·v + (1-β₂)·g²
//	p ← p - (η/c₁)·m / (√v/√c₂ + ε)
//
// c₁ = 1-β₁ᵗ and c₂ = 1-β₂ᵗ of step t are state too, c ← β·c + (1-β) from 0,
// so that no step needs a number from Go. They count for all parameters alike,
// also for one that was frozen meanwhile. State: exp_avg, exp_avg_sq,
// and correction1 and correction2 for c₁ and c₂.
type Adam struct {
	base
	cfg       AdamConfig
	decoupled bool
	mean      []*tensor.Cell // m
	square    []*tensor.Cell // v
}

// NewAdam makes an Adam of parameters, such as Parameters(model).
func NewAdam(params iter.Seq2[string, *Param], c AdamConfig) *Adam {
	c.WeightDecay = orDefault(c.WeightDecay, 0)
	return newAdam("Adam", params, c, false)
}

// NewAdamW makes an Adam with decoupled weight decay.
func NewAdamW(params iter.Seq2[string, *Param], c AdamConfig) *Adam {
	c.WeightDecay = orDefault(c.WeightDecay, 0.01)
	return newAdam("AdamW", params, c, true)
}

func newAdam(op string, params iter.Seq2[string, *Param], c AdamConfig, decoupled bool) *Adam {
	c.LR = orDefault(c.LR, 1e-3)
	c.Beta1, c.Beta2 = orDefault(c.Beta1, 0.9), orDefault(c.Beta2, 0.999)
	c.Eps = orDefault(c.Eps, 1e-8)
	if c.Beta1 >= 1 || c.Beta2 >= 1 {
		panic("nn: " + op + ": Beta1 and Beta2 must be below 1")
	}
	o := &Adam{cfg: c, decoupled: decoupled}
	o.init(op, params, c.LR, 2)
	o.mean, o.square = o.zeros(), o.zeros()
	return o
}

// Step implements Optimizer.
func (o *Adam) Step(loss *tensor.Tensor) { o.StepWith(o.Grads(loss)) }

// adamNumbers are rank-0 tensors of a site.
type adamNumbers struct {
	beta1, rest1, beta2, rest2 *tensor.Tensor // β₁, 1-β₁, β₂, 1-β₂
	eps, decay                 *tensor.Tensor // ε; λ, or 1-η·λ where decoupled
	step, root                 *tensor.Tensor // η/c₁, √c₂
}

// begin advances the corrections of a site.
func (o *Adam) begin(s *site) adamNumbers {
	rate := s.rate.Read()
	num := func(v float64) *tensor.Tensor { return tensor.FullLike(rate, v) }
	n := adamNumbers{
		beta1: num(o.cfg.Beta1), rest1: num(1 - o.cfg.Beta1),
		beta2: num(o.cfg.Beta2), rest2: num(1 - o.cfg.Beta2),
		eps: num(o.cfg.Eps), decay: num(o.cfg.WeightDecay),
	}
	c1 := s.shared[0].Read().Mul(n.beta1).Add(n.rest1)
	c2 := s.shared[1].Read().Mul(n.beta2).Add(n.rest2)
	s.shared[0].Set(c1)
	s.shared[1].Set(c2)
	n.step, n.root = rate.Div(c1), c2.Sqrt()
	if o.decoupled {
		n.decay = tensor.OnesLike(rate).Sub(rate.Mul(n.decay))
	}
	return n
}

// StepWith implements Optimizer.
func (o *Adam) StepWith(grads []*tensor.Tensor) {
	o.check(grads)
	numbers := map[*site]adamNumbers{}
	for i, g := range grads {
		if g == nil {
			continue
		}
		s := o.site[i]
		n, ok := numbers[s]
		if !ok {
			n = o.begin(s)
			numbers[s] = n
		}
		p := o.params[i].Read()
		if o.cfg.WeightDecay > 0 {
			if o.decoupled {
				p = p.Mul(n.decay)
			} else {
				g = g.Add(p.Mul(n.decay))
			}
		}
		m := o.mean[i].Read().Mul(n.beta1).Add(g.Mul(n.rest1))
		v := o.square[i].Read().Mul(n.beta2).Add(g.Square().Mul(n.rest2))
		o.mean[i].Set(m)
		o.square[i].Set(v)
		o.params[i].Set(p.Sub(m.Mul(n.step).Div(v.Sqrt().Div(n.root).Add(n.eps))))
	}
}

func (o *Adam) state() []target {
	return o.targets([]string{"correction1", "correction2"}, slot{"exp_avg", o.mean}, slot{"exp_avg_sq", o.square})
}

// StateDict implements Optimizer.
func (o *Adam) StateDict() map[string]*tensor.Tensor { return stateOf(o.state()) }

// LoadStateDict implements Optimizer.
func (o *Adam) LoadStateDict(state map[string]*tensor.Tensor) error { return o.load(o.state(), state) }
