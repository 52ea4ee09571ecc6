package nn

import (
	"fmt"
	"iter"
	"slices"
	"sync"

	"github.com/fornax-ml/fornax/tensor"
)

// An Optimizer changes parameters so that a loss falls. A step only records
// what to do: whatever evaluates the loss, or a parameter, carries it out in
// the same program, in the parameters' own memory.
//
//	loss := nn.CrossEntropy(model.Forward(x), class)
//	opt.Step(loss)
//	v, err := loss.Item()
//
// In a function given to tensor.Compile a step is the same, bit for bit. All
// state is in cells, on the device of each parameter.
type Optimizer interface {
	// Step does StepWith(Grads(loss)).
	Step(loss *tensor.Tensor)
	// Grads returns the gradient of the sum of loss for each parameter, in
	// the order they were given in; nil for frozen ones. Between Grads and
	// StepWith there is room for ClipGradNorm.
	Grads(loss *tensor.Tensor) []*tensor.Tensor
	// StepWith makes one step along the gradients, one for each parameter;
	// parameters whose gradient is nil stay. It panics with a
	// *tensor.ShapeError, and changes nothing, where they do not fit.
	StepWith(grads []*tensor.Tensor)
	// LR returns the learning rate.
	LR() float64
	// SetLR sets the learning rate of the next steps. It is data: nothing is
	// planned or compiled, and compiled steps see it. Call it outside of them.
	SetLR(lr float64)
	// StateDict returns the state by name, the caller's to keep: the learning
	// rate as "lr", and for each parameter what the optimizer has, such as
	// "0.weight.exp_avg".
	StateDict() map[string]*tensor.Tensor
	// LoadStateDict sets the state. Where it does not fit the error is a
	// *StateError and nothing has changed.
	LoadStateDict(state map[string]*tensor.Tensor) error
}

// A base is what optimizers have in common.
type base struct {
	op     string
	names  []string
	params []*Param
	site   []*site // of each parameter
	sites  []*site
	mu     sync.Mutex
	lr     float64
}

// A site is a device and dtype that parameters have, with the state that they
// share.
type site struct {
	dev    *tensor.Device
	dtype  tensor.DType
	rate   *tensor.Cell   // rank 0
	shared []*tensor.Cell // rank 0, of the optimizer's kind
}

// init takes the parameters, and makes state cells shared by those of a site.
func (b *base) init(op string, params iter.Seq2[string, *Param], lr float64, shared int) {
	b.op, b.lr = op, lr
	for name, p := range params {
		if !p.DType().IsFloat() {
			panic(&tensor.DTypeError{Op: op, DTypes: []tensor.DType{p.DType()}, Reason: "parameter " + name + " is not of floats"})
		}
		b.names, b.params = append(b.names, name), append(b.params, p)
		b.site = append(b.site, b.siteOf(p, shared))
	}
	if len(b.params) == 0 {
		panic("nn: " + op + ": no parameters")
	}
	for _, s := range b.sites {
		s.rate.SetScalar(lr)
	}
}

func (b *base) siteOf(p *Param, shared int) *site {
	for _, s := range b.sites {
		if s.dev == p.Device() && s.dtype == p.DType() {
			return s
		}
	}
	s := &site{dev: p.Device(), dtype: p.DType()}
	s.rate = tensor.NewCell(tensor.Zeros(s.dev).Cast(s.dtype))
	for range shared {
		s.shared = append(s.shared, tensor.NewCell(tensor.Zeros(s.dev).Cast(s.dtype)))
	}
	b.sites = append(b.sites, s)
	return s
}

// zeros makes a state cell for each parameter.
func (b *base) zeros() []*tensor.Cell {
	l := make([]*tensor.Cell, len(b.params))
	for i, p := range b.params {
		l[i] = tensor.NewCell(tensor.Zeros(p.Device(), p.Shape()...).Cast(p.DType()))
	}
	return l
}

func (b *base) parameters() []*Param { return b.params }

// LR implements Optimizer.
func (b *base) LR() float64 {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.lr
}

// SetLR implements Optimizer.
func (b *base) SetLR(lr float64) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if lr == b.lr {
		return
	}
	b.lr = lr
	for _, s := range b.sites {
		s.rate.SetScalar(lr)
	}
}

// Grads implements Optimizer.
func (b *base) Grads(loss *tensor.Tensor) []*tensor.Tensor {
	tensor.Guard(b.frozen)
	var xs []*tensor.Tensor
	var at []int
	for i, p := range b.params {
		if !p.Frozen() {
			xs, at = append(xs, p.Read()), append(at, i)
		}
	}
	out := make([]*tensor.Tensor, len(b.params))
	for k, g := range tensor.Grad(loss, xs...) {
		out[at[k]] = g
	}
	return out
}

// frozen sums up which parameters are frozen, for tensor.Guard.
func (b *base) frozen() uint64 {
	h := uint64(14695981039346656037) // FNV-1a, Fowler, Noll and Vo
	for _, p := range b.params {
		if p.Frozen() {
			h ^= 1
		}
		h *= 1099511628211
	}
	return h
}

// check panics where gradients do not fit, before anything is Set.
func (b *base) check(grads []*tensor.Tensor) {
	if len(grads) != len(b.params) {
		panic(&tensor.ShapeError{Op: b.op, Reason: fmt.Sprintf("%d gradients for %d parameters", len(grads), len(b.params))})
	}
	for i, g := range grads {
		p := b.params[i]
		switch {
		case g == nil:
		case g.Device() != p.Device():
			panic(&tensor.DeviceError{Op: b.op, Devices: []string{p.Device().Name(), g.Device().Name()}})
		case g.DType() != p.DType():
			panic(&tensor.DTypeError{Op: b.op, DTypes: []tensor.DType{p.DType(), g.DType()}, Reason: "gradient of " + b.names[i]})
		case !slices.Equal(g.Shape(), p.Shape()):
			panic(&tensor.ShapeError{Op: b.op, Shapes: [][]int{p.Shape(), g.Shape()}, Reason: "gradient of " + b.names[i]})
		}
	}
}

// A slot is a kind of state, with a cell for each parameter.
type slot struct {
	name  string
	cells []*tensor.Cell
}

// targets lists the state: the rate, the shared cells by name, the slots.
func (b *base) targets(shared []string, slots ...slot) []target {
	l := make([]target, 1+len(shared))
	l[0].name = "lr"
	for i, name := range shared {
		l[1+i].name = name
	}
	for _, s := range b.sites {
		l[0].cells = append(l[0].cells, s.rate)
		for i := range shared {
			l[1+i].cells = append(l[1+i].cells, s.shared[i])
		}
	}
	for i, name := range b.names {
		for _, s := range slots {
			l = append(l, target{name: name + "." + s.name, cells: s.cells[i : i+1]})
		}
	}
	return l
}

func stateOf(l []target) map[string]*tensor.Tensor {
	m := map[string]*tensor.Tensor{}
	for _, t := range l {
		m[t.name] = t.cells[0].Value()
	}
	return m
}

// load sets the state and reads the rate back.
func (b *base) load(l []target, state map[string]*tensor.Tensor) error {
	if err := load(l, state, true); err != nil {
		return err
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	lr, err := b.sites[0].rate.Value().Item()
	if err != nil {
		return fmt.Errorf("nn: %s: %w", b.op, err)
	}
	b.lr = lr
	return nil
}

// orDefault returns v, def for 0, and 0 for negative numbers.
func orDefault(v, def float64) float64 {
	switch {
	case v == 0:
		return def
	case v < 0:
		return 0
	}
	return v
}
