package nn

import (
	"fmt"
	"iter"
	"slices"
	"sync/atomic"

	"github.com/fornax-ml/fornax/tensor"
)

// A Tree is anything that holds parameters. Visit names its own parameters
// and the trees inside it, always the same ones in the same order:
//
//	func (m *MLP) Visit(v *nn.Visitor) {
//		v.Tree("layers", m.layers)
//		v.Param("scale", m.scale)
//	}
//
// Names are joined by dots: the first weight of layers is "layers.0.weight".
type Tree interface {
	Visit(v *Visitor)
}

// A Module is a Tree that computes one tensor from one. A model with more
// arguments need not be a Module: all else in this package wants a Tree.
type Module interface {
	Tree
	// Forward returns the module's value at x. It computes nothing yet.
	Forward(x *tensor.Tensor) *tensor.Tensor
}

// A Visitor is told what is in a Tree.
type Visitor struct {
	prefix string
	param  func(name string, p *Param)
	mode   func(m *Mode)
}

// Param names a parameter. A nil one is left out.
func (v *Visitor) Param(name string, p *Param) {
	if p != nil && v.param != nil {
		v.param(v.prefix+name, p)
	}
}

// Tree names a tree inside the one that is visited. A nil interface is left
// out.
func (v *Visitor) Tree(name string, t Tree) {
	if t == nil {
		return
	}
	sub := *v
	sub.prefix += name + "."
	t.Visit(&sub)
}

// Mode hands over the switch of a module that behaves differently in
// training.
func (v *Visitor) Mode(m *Mode) {
	if v.mode != nil {
		v.mode(m)
	}
}

// Leaf is embedded in modules without parameters.
type Leaf struct{}

// Visit implements Tree: there is nothing.
func (Leaf) Visit(*Visitor) {}

// Func makes a Module without parameters of a function.
func Func(f func(x *tensor.Tensor) *tensor.Tensor) Module { return function{f: f} }

type function struct {
	Leaf
	f func(x *tensor.Tensor) *tensor.Tensor
}

func (f function) Forward(x *tensor.Tensor) *tensor.Tensor { return f.f(x) }

// A Param is a trained value: a cell. Forward methods use Read, so that a
// training step updates the parameter in its own memory.
type Param struct {
	*tensor.Cell
	frozen atomic.Bool
}

// NewParam makes a parameter whose first value is x. Where x is not evaluated,
// it is when the parameter is first used.
func NewParam(x *tensor.Tensor) *Param { return &Param{Cell: tensor.NewCell(x)} }

// Freeze keeps the parameter from being trained, or lets it again. Compiled
// steps notice.
func (p *Param) Freeze(on bool) { p.frozen.Store(on) }

// Frozen reports whether the parameter is kept from being trained.
func (p *Param) Frozen() bool { return p.frozen.Load() }

// Freeze does Param.Freeze to all parameters of t.
func Freeze(t Tree, on bool) {
	for _, p := range Parameters(t) {
		p.Freeze(on)
	}
}

// Parameters yields the parameters of t with their names, in order. One that
// has several names comes once, under the first.
func Parameters(t Tree) iter.Seq2[string, *Param] {
	return func(yield func(string, *Param) bool) {
		seen := map[*Param]bool{}
		for _, n := range named(t) {
			if seen[n.param] {
				continue
			}
			seen[n.param] = true
			if !yield(n.name, n.param) {
				return
			}
		}
	}
}

// CountParameters returns the number of elements of all parameters of t.
func CountParameters(t Tree) int {
	n := 0
	for _, p := range Parameters(t) {
		size := 1
		for _, s := range p.Shape() {
			size *= s
		}
		n += size
	}
	return n
}

type namedParam struct {
	name  string
	param *Param
}

// named lists every name of every parameter.
func named(t Tree) []namedParam {
	var l []namedParam
	t.Visit(&Visitor{param: func(name string, p *Param) {
		if slices.ContainsFunc(l, func(n namedParam) bool { return n.name == name && n.param != p }) {
			panic(fmt.Sprintf("nn: two parameters are called %q", name))
		}
		l = append(l, namedParam{name, p})
	}})
	return l
}

// A Mode says whether a module trains; the zero Mode does. A module has one in
// a field, hands it to Visitor.Mode and asks it in Forward.
type Mode struct{ eval atomic.Bool }

// Training reports whether the module trains. Asked while a function is being
// compiled, it makes the trace valid for this mode only.
func (m *Mode) Training() bool {
	tensor.Guard(m.key)
	return !m.eval.Load()
}

func (m *Mode) key() uint64 {
	if m.eval.Load() {
		return 1
	}
	return 0
}

// SetTraining switches t and all modules in it to training or to evaluation.
// New modules train.
func SetTraining(t Tree, on bool) {
	t.Visit(&Visitor{mode: func(m *Mode) { m.eval.Store(!on) }})
}
