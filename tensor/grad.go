package tensor

import (
	"fmt"
	"slices"

	"github.com/fornax-ml/fornax/tensor/ir"
)

// Grad returns the gradients of Σ y with respect to each of xs, of their
// shapes and dtypes: zeros where y does not depend on x. The gradients are
// tensors like others and can be differentiated again.
//
// Take gradients before anything on the way is evaluated: an evaluated tensor
// has forgotten its inputs, and Grad panics with a *GradError where y depends
// on x through one.
func Grad(y *Tensor, xs ...*Tensor) []*Tensor { return VJP(y, OnesLike(y), xs...) }

// VJP returns, for each of xs, the vector-Jacobian product Σ dy·∂y/∂x; dy has
// the shape and dtype of y.
func VJP(y, dy *Tensor, xs ...*Tensor) []*Tensor {
	if !slices.Equal(y.shape, dy.shape) {
		badShape("VJP", "y and dy differ", y, dy)
	}
	if dy.dtype != y.dtype {
		badDType("VJP", "y and dy differ", y, dy)
	}
	for _, x := range append([]*Tensor{y}, xs...) {
		if !x.dtype.IsFloat() {
			badDType("Grad", "wants floats", x)
		}
	}
	if autocasts.current() != F32 { // a rule computes in the dtypes that its op had
		defer autocasts.enter(F32)()
	}
	w := walk(y, xs)
	w.add(y, dy)
	for i := len(w.order) - 1; i >= 0; i-- {
		t := w.order[i]
		d := w.grad[t]
		if d == nil && w.outputs[t] == nil || !w.needed[t] {
			continue
		}
		in := w.in[t]
		if t.op == ir.OpPick { // the custom op's rule wants all its outputs' gradients
			w.pick(in[0], t.k, d)
			continue
		}
		for k, dx := range w.rule(t, d, in) {
			if dx != nil && w.needed[in[k]] {
				w.add(in[k], dx)
			}
		}
	}
	out := make([]*Tensor, len(xs))
	for i, x := range xs {
		if out[i] = w.grad[x]; out[i] == nil {
			out[i] = ZerosLike(x)
		}
	}
	return out
}

// A walker goes back through a graph.
type walker struct {
	order  []*Tensor             // topological, inputs first
	in     map[*Tensor][]*Tensor // as they were when the walk began
	needed map[*Tensor]bool      // depends on one of xs
	grad   map[*Tensor]*Tensor
	// outputs holds the gradients of a custom op's outputs.
	outputs map[*Tensor][]*Tensor
}

// pick notes the gradient of output k of a custom op.
func (w *walker) pick(node *Tensor, k int, d *Tensor) {
	if w.outputs[node] == nil {
		w.outputs[node] = make([]*Tensor, len(node.types))
	}
	w.outputs[node][k] = d
}

func (w *walker) add(t, d *Tensor) {
	if g := w.grad[t]; g != nil {
		d = g.Add(d)
	}
	w.grad[t] = d
}

// walk orders the nodes between y and xs.
func walk(y *Tensor, xs []*Tensor) *walker {
	graphMu.Lock()
	defer graphMu.Unlock()
	w := &walker{in: map[*Tensor][]*Tensor{}, needed: map[*Tensor]bool{}, grad: map[*Tensor]*Tensor{}, outputs: map[*Tensor][]*Tensor{}}
	for _, x := range xs {
		w.needed[x] = true
	}
	oldest := ^uint64(0)
	for _, x := range xs {
		oldest = min(oldest, x.id)
	}
	seen := map[*Tensor]bool{y: true}
	stack := []frame{{t: y}}
	for len(stack) > 0 {
		f := &stack[len(stack)-1]
		t := f.t
		// A tensor older than every x depends on none of them.
		if t.state == pending && !t.stop && t.id > oldest && f.next < len(t.in) {
			in := t.in[f.next]
			f.next++
			if !seen[in] {
				seen[in] = true
				stack = append(stack, frame{t: in})
			}
			continue
		}
		stack = stack[:len(stack)-1]
		w.close(t, xs)
	}
	return w
}

// close finishes a node whose inputs have been visited.
func (w *walker) close(t *Tensor, xs []*Tensor) {
	w.order = append(w.order, t)
	if t.stop {
		return
	}
	if t.state != pending {
		for _, x := range xs {
			if x != t && t.rec.reaches(t.recNode, x.id) {
				panic(&GradError{Op: t.opName(), Reason: fmt.Sprintf("%v has been evaluated and forgot its inputs; take Grad before Eval", t)})
			}
		}
		return
	}
	w.in[t] = t.in
	for _, in := range t.in {
		if w.needed[in] {
			w.needed[t] = true
		}
	}
}

// rule returns the gradients of the op's inputs, given that of its result; nil
// for an input without one.
func (w *walker) rule(t, dy *Tensor, in []*Tensor) []*Tensor {
	switch {
	case len(in) == 0:
		return nil
	case t.op == opTransfer:
		return []*Tensor{dy.To(in[0].dev)}
	case t.op == ir.OpCustom:
		return t.customRule(w.outputs[t], in)
	}
	r := rules[t.op]
	if r == nil {
		return nil // piecewise constant, or of integers
	}
	return r(t, dy, in)
}

// HasGradient reports whether an op of the table has a gradient rule: the
// others are piecewise constant, sources, or work on integers and bools.
func HasGradient(op ir.Op) bool { return rules[op] != nil }
