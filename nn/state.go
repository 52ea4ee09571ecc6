package nn

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/fornax-ml/fornax/tensor"
)

// StateDict returns the values of all parameters of t by name, as torch's
// state_dict does. The tensors are the caller's to keep: training goes on in
// other memory. A parameter with several names is under each.
func StateDict(t Tree) map[string]*tensor.Tensor {
	m := map[string]*tensor.Tensor{}
	for _, n := range named(t) {
		m[n.name] = n.param.Value()
	}
	return m
}

// LoadStateDict sets the parameters of t to the values in state, which may be
// on another device and of another float dtype. Names that t lacks, shapes
// and dtypes that do not fit, and names missing in state give a *StateError
// that lists all of them, and t is as it was; when strict is false, names
// missing on either side are passed over. A parameter with several names needs
// one of them.
func LoadStateDict(t Tree, state map[string]*tensor.Tensor, strict bool) error {
	var l []target
	for _, n := range named(t) {
		l = append(l, target{name: n.name, cells: []*tensor.Cell{n.param.Cell}})
	}
	return load(l, state, strict)
}

// A StateError says why a state dict does not fit.
type StateError struct {
	Missing    []string // names that the state lacks
	Unexpected []string // names that only the state has
	Wrong      []string // "name: f32[10 784], want f32[10 256]"
}

// Error lists every name.
func (e *StateError) Error() string {
	var parts []string
	for _, p := range []struct {
		what string
		l    []string
	}{{"missing", e.Missing}, {"unexpected", e.Unexpected}, {"wrong", e.Wrong}} {
		if len(p.l) > 0 {
			parts = append(parts, p.what+": "+strings.Join(p.l, ", "))
		}
	}
	return "nn: state dict does not fit: " + strings.Join(parts, "; ")
}

// A target is a name and the cells that take its value.
type target struct {
	name  string
	cells []*tensor.Cell
}

// check compares names, shapes and dtypes.
func check(targets []target, state map[string]*tensor.Tensor, strict bool) error {
	e := &StateError{}
	known, given := map[string]bool{}, map[*tensor.Cell]bool{}
	for _, t := range targets {
		known[t.name] = true
		x := state[t.name]
		if x == nil {
			continue
		}
		given[t.cells[0]] = true
		c := t.cells[0]
		fits := x.DType() == c.DType() || x.DType().IsFloat() && c.DType().IsFloat()
		if !fits || !slices.Equal(x.Shape(), c.Shape()) {
			e.Wrong = append(e.Wrong, fmt.Sprintf("%s: %v%v, want %v%v", t.name, x.DType(), x.Shape(), c.DType(), c.Shape()))
		}
	}
	if strict {
		for _, t := range targets {
			if !given[t.cells[0]] {
				e.Missing = append(e.Missing, t.name)
			}
		}
		for _, name := range slices.Sorted(maps.Keys(state)) {
			if !known[name] {
				e.Unexpected = append(e.Unexpected, name)
			}
		}
	}
	if len(e.Missing)+len(e.Unexpected)+len(e.Wrong) > 0 {
		return e
	}
	return nil
}

// load sets cells to the values of their names.
func load(targets []target, state map[string]*tensor.Tensor, strict bool) error {
	if err := check(targets, state, strict); err != nil {
		return err
	}
	var cells []*tensor.Cell
	var values []*tensor.Tensor
	for _, t := range targets {
		x := state[t.name]
		if x == nil {
			continue
		}
		for _, c := range t.cells {
			// Cast where both devices have the source's dtype: a half goes to a
			// device without halves as a float.
			if !c.Device().Has(x.DType()) {
				x = x.Cast(c.DType())
			}
			cells, values = append(cells, c), append(values, x.To(c.Device()).Cast(c.DType()))
		}
	}
	// What cannot be read is found before anything is set.
	if err := tensor.Eval(values...); err != nil {
		return fmt.Errorf("nn: load state dict: %w", err)
	}
	for i, c := range cells {
		c.Set(values[i])
	}
	for i, c := range cells { // now, so that the caller may free what it gave
		values[i] = c.Read()
	}
	if err := tensor.Eval(values...); err != nil {
		return fmt.Errorf("nn: load state dict: %w", err)
	}
	return nil
}
