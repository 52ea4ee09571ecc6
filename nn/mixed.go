package nn

import "github.com/fornax-ml/fornax/tensor"

// Mixed is a module in mixed precision: Forward runs under tensor.Autocast with
// DType, F16 or BF16, and returns F32, so that losses are computed in F32. Parameters
// stay F32, under the same names, and so do their gradients and the optimizer: there
// are no copies to keep in step.
//
//	model := nn.Mixed{Module: net, DType: tensor.BF16}
//
// F16 wants a [LossScaler] around the optimizer.
type Mixed struct {
	Module
	DType tensor.DType
}

// Forward implements Module.
func (m Mixed) Forward(x *tensor.Tensor) (y *tensor.Tensor) {
	tensor.Autocast(m.DType, func() { y = m.Module.Forward(x) })
	return y.Cast(tensor.F32)
}

// LossScalerConfig configures a LossScaler. A number that is 0 means torch's default.
type LossScalerConfig struct {
	Init     float64 // the first scale, default 65536
	Growth   float64 // factor after Interval good steps, default 2
	Backoff  float64 // factor after a bad step, default 0.5
	Interval int     // good steps until the scale grows, default 2000
}

// A LossScaler is an optimizer for gradients in F16, which has nothing between 0 and
// 6e-8: it differentiates s·loss and divides the gradients by s, so that small ones
// survive on the way. A step in which a gradient is infinite or NaN is bad: it
// changes neither parameters nor the optimizer's state, and s shrinks; after
// Interval good steps on end it grows, within 2^-100 and 2^100. Nothing is read back:
// all of it is part of the step. After torch.amp.GradScaler; Micikevicius et al.
// (2018), "Mixed precision training", section 3.2.
//
// State, beside the optimizer's: loss_scale and loss_scale_steps, the number of good
// steps since the scale changed.
type LossScaler struct {
	Optimizer
	cfg   LossScalerConfig
	inner stateful
	scale *tensor.Cell // s, rank 0
	steps *tensor.Cell // rank 0
}

// stateful optimizers are those of this package: all that a step changes is known.
type stateful interface {
	Optimizer
	state() []target
	parameters() []*Param
	load(l []target, state map[string]*tensor.Tensor) error
}

// NewLossScaler makes a LossScaler of an optimizer of this package, all of whose
// parameters are on one device and of F32.
func NewLossScaler(o Optimizer, c LossScalerConfig) *LossScaler {
	inner, ok := o.(stateful)
	if !ok {
		panic("nn: LossScaler: wants an optimizer of package nn")
	}
	c.Init, c.Growth, c.Backoff = orDefault(c.Init, 65536), orDefault(c.Growth, 2), orDefault(c.Backoff, 0.5)
	if c.Interval <= 0 {
		c.Interval = 2000
	}
	if !(c.Init > 0 && c.Growth > 1 && c.Backoff > 0 && c.Backoff < 1) {
		panic("nn: LossScaler: wants Init above 0, Growth above 1 and Backoff between 0 and 1")
	}
	if _, ok := o.(*LossScaler); ok {
		panic("nn: LossScaler: of a LossScaler")
	}
	params := inner.parameters()
	dev := params[0].Device()
	for _, p := range params {
		if p.Device() != dev {
			panic(&tensor.DeviceError{Op: "LossScaler", Devices: []string{dev.Name(), p.Device().Name()}})
		}
		if p.DType() != tensor.F32 {
			panic(&tensor.DTypeError{Op: "LossScaler", DTypes: []tensor.DType{p.DType()}, Reason: "wants parameters of f32"})
		}
	}
	return &LossScaler{
		Optimizer: o, cfg: c, inner: inner,
		scale: tensor.NewCell(tensor.Full(dev, c.Init)), steps: tensor.NewCell(tensor.Zeros(dev)),
	}
}

// Scale returns the scale of the next step; it waits for the steps before.
func (s *LossScaler) Scale() (float64, error) { return s.scale.Read().Item() }

// Step implements Optimizer.
func (s *LossScaler) Step(loss *tensor.Tensor) { s.StepWith(s.Grads(loss)) }

// Grads implements Optimizer: the gradients of loss itself, all of F32. What comes
// before StepWith may scale them, as ClipGradNorm does: a gradient that is not finite
// stays so. Clipping element by element would hide it.
func (s *LossScaler) Grads(loss *tensor.Tensor) []*tensor.Tensor {
	if loss.DType() != tensor.F32 { // which could not hold the scale
		panic(&tensor.DTypeError{Op: "LossScaler", DTypes: []tensor.DType{loss.DType()}, Reason: "wants a loss of f32"})
	}
	scale := s.scale.Read()
	grads := s.Optimizer.Grads(loss.Mul(scale))
	inverse := scale.Reciprocal()
	for i, g := range grads {
		if g != nil {
			grads[i] = g.Mul(inverse)
		}
	}
	return grads
}

// StepWith implements Optimizer. Until it returns, nothing may evaluate what reads the
// parameters: the step is not yet conditional.
func (s *LossScaler) StepWith(grads []*tensor.Tensor) {
	cells := s.changed()
	before := make([]*tensor.Tensor, len(cells))
	for i, c := range cells {
		before[i] = c.Read()
	}
	s.Optimizer.StepWith(grads)
	good := s.good(grads)
	for i, c := range cells {
		if now := c.Read(); now != before[i] {
			c.Set(tensor.Where(good, now, before[i]))
		}
	}
	scale, steps := s.scale.Read(), s.steps.Read().AddScalar(1)
	full := steps.GreaterEqual(tensor.FullLike(steps, float64(s.cfg.Interval)))
	zero := tensor.ZerosLike(steps)
	grown, shrunk := scale.MulScalar(s.cfg.Growth).MinimumScalar(0x1p100), scale.MulScalar(s.cfg.Backoff).MaximumScalar(0x1p-100)
	s.scale.Set(tensor.Where(good, tensor.Where(full, grown, scale), shrunk))
	s.steps.Set(tensor.Where(good, tensor.Where(full, zero, steps), zero))
}

// good is whether all gradients are finite, a Bool of rank 0.
func (s *LossScaler) good(grads []*tensor.Tensor) *tensor.Tensor {
	largest := tensor.ZerosLike(s.scale.Read())
	for _, g := range grads {
		if g != nil && g.Size() > 0 {
			largest = largest.Maximum(g.Abs().Max()) // NaN stays
		}
	}
	return largest.IsNaN().Or(largest.IsInf()).Not()
}

// changed are the cells that a step of the optimizer may change.
func (s *LossScaler) changed() []*tensor.Cell {
	var l []*tensor.Cell
	for _, p := range s.inner.parameters() {
		l = append(l, p.Cell)
	}
	for _, t := range s.inner.state() {
		l = append(l, t.cells...)
	}
	return l
}

func (s *LossScaler) state() []target {
	return append(s.inner.state(),
		target{name: "loss_scale", cells: []*tensor.Cell{s.scale}}, target{name: "loss_scale_steps", cells: []*tensor.Cell{s.steps}})
}

// StateDict implements Optimizer.
func (s *LossScaler) StateDict() map[string]*tensor.Tensor { return stateOf(s.state()) }

// LoadStateDict implements Optimizer.
func (s *LossScaler) LoadStateDict(state map[string]*tensor.Tensor) error {
	return s.inner.load(s.state(), state)
}
