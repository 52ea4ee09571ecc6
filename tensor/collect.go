package tensor

import (
	"cmp"
	"slices"

	"github.com/fornax-ml/fornax/tensor/ir"
	"github.com/fornax-ml/fornax/tensor/plan"
)

// lastMark numbers collections; graphMu guards it.
var lastMark uint64

// A frame is a tensor whose inputs are being visited.
type frame struct {
	t    *Tensor
	next int
}

// collectGraph gathers all that xs depend on and that is not evaluated, with
// the pending replacements of the cells that it meets; those stay pending
// where xs are initial values of cells. graphMu is held.
func collectGraph(d *Device, xs []*Tensor, initial bool) (*collected, error) {
	lastMark++
	c := &collected{dev: d}
	if initial {
		c.initial = xs
	}
	for _, x := range xs {
		if err := x.usable(); err != nil {
			return nil, err
		}
		if x.cell != nil && !initial { // evaluating a cell's value carries out its replacement
			c.meet(x.cell)
		}
		if x.state != pending {
			continue
		}
		if err := c.want(x); err != nil {
			return nil, err
		}
	}
	for i := 0; i < len(c.cells) && !initial; i++ { // cells grows as replacements meet more
		cell := c.cells[i]
		if cell.pending == nil {
			continue
		}
		if err := c.replace(cell); err != nil {
			return nil, err
		}
		if i == len(c.cells)-1 {
			c.meetDependents()
		}
	}
	slices.SortFunc(c.cells, func(a, b *Cell) int { return cmp.Compare(a.id, b.id) })
	c.donate()
	return c, nil
}

// replace adds the pending replacement of a cell to the graph.
func (c *collected) replace(cell *Cell) error {
	if err := cell.pending.usable(); err != nil {
		return err
	}
	if cell.pending.state == pending {
		if err := c.want(cell.pending); err != nil {
			return err
		}
		// Read here or not, the old value will be retired, and its memory may
		// serve the new one.
		if cell.val.usable() == nil && (cell.val.state == evaluated || cell.val.read) {
			if err := c.visit(cell.val); err != nil {
				return err
			}
		}
	}
	c.replaced = append(c.replaced, replacement{cell: cell, old: cell.val, new: cell.pending})
	return nil
}

// meetDependents meets the cells whose pending replacement depends on a value
// that this graph retires: afterwards it could never be computed.
func (c *collected) meetDependents() {
	for _, cell := range c.dev.pendingCells() {
		if !slices.Contains(c.cells, cell) && c.retires(cell.pending) {
			c.meet(cell)
		}
	}
}

// retires reports whether a pending tensor depends on a value that the graph
// replaces.
func (c *collected) retires(t *Tensor) bool {
	seen := map[*Tensor]bool{}
	todo := []*Tensor{t}
	for len(todo) > 0 {
		x := todo[len(todo)-1]
		todo = todo[:len(todo)-1]
		if seen[x] {
			continue
		}
		seen[x] = true
		for _, r := range c.replaced {
			if x == r.old || x.cell == r.cell && x.state == pending {
				return true
			}
		}
		if x.state == pending {
			todo = append(todo, x.in...)
		}
	}
	return false
}

// want visits t and asks for its value.
func (c *collected) want(t *Tensor) error {
	if err := c.visit(t); err != nil {
		return err
	}
	if !slices.Contains(c.outputs, t) && !c.first(t) {
		c.outputs = append(c.outputs, t)
		c.graph.Outputs = append(c.graph.Outputs, plan.Output{Node: t.index, Prefer: -1})
	}
	return nil
}

// first reports whether t must be evaluated before this graph: the initial
// value of a cell, or a copy from another device.
func (c *collected) first(t *Tensor) bool {
	if t.state != pending {
		return false
	}
	return t.op == opTransfer || t.cell != nil && t == t.cell.val && !slices.Contains(c.initial, t)
}

// meet notes a cell that the graph reads or replaces.
func (c *collected) meet(cell *Cell) {
	if !slices.Contains(c.cells, cell) {
		c.cells = append(c.cells, cell)
	}
}

// visit adds t and what it depends on in topological order.
func (c *collected) visit(root *Tensor) error {
	mark := lastMark
	if root.mark == mark {
		return nil
	}
	stack := []frame{{t: root}}
	root.mark = mark
	for len(stack) > 0 {
		f := &stack[len(stack)-1]
		t := f.t
		if t.state == pending && !c.first(t) && f.next < len(t.in) {
			in := t.in[f.next]
			f.next++
			if in.mark != mark {
				in.mark = mark
				stack = append(stack, frame{t: in})
			}
			continue
		}
		stack = stack[:len(stack)-1]
		if err := c.add(t); err != nil {
			return err
		}
	}
	return nil
}

// add appends the node of a tensor whose inputs have been added.
func (c *collected) add(t *Tensor) error {
	if err := t.usable(); err != nil {
		return err
	}
	if t.trace != nil && !c.tracing {
		return &TraceError{Call: "Eval", Reason: "a value of a compiled function was used outside of it"}
	}
	if c.first(t) {
		c.before = append(c.before, t)
		return nil
	}
	if t.cell != nil && !slices.Contains(c.initial, t) {
		c.meet(t.cell)
	}
	n := plan.Node{Op: t.op, DType: t.dtype, From: t.from, Shape: t.shape, Ints: t.ints, K: t.k, Imm: t.imm, Name: t.name, Attrs: t.attrs, Types: t.types}
	switch {
	case t.state == evaluated || t.trace != nil:
		n = plan.Node{Op: ir.OpLoad, DType: t.dtype, Shape: t.shape, K: len(c.inputs)}
		c.inputs, c.stores = append(c.inputs, t), append(c.stores, t.st)
		c.graph.Inputs = append(c.graph.Inputs, plan.Input{DType: t.dtype, Len: t.Size()})
	case t.op == ir.OpScalar:
		n.K, n.Imm = len(c.scalars), 0
		c.scalars = append(c.scalars, ir.Scalar{DType: t.dtype, Bits: t.imm})
		c.draws = append(c.draws, t.draw)
		c.graph.Scalars = append(c.graph.Scalars, t.dtype)
	default:
		n.In = make([]int, len(t.in))
		for i, in := range t.in {
			n.In[i] = in.index
		}
	}
	t.index = len(c.graph.Nodes)
	c.graph.Nodes = append(c.graph.Nodes, n)
	c.order = append(c.order, t)
	return nil
}

// donate marks the inputs whose memory replacements may take over.
func (c *collected) donate() {
	for _, r := range c.replaced {
		if r.old.shared {
			continue
		}
		i, o := slices.Index(c.inputs, r.old), slices.Index(c.outputs, r.new)
		if i >= 0 && o >= 0 {
			c.graph.Inputs[i].Donated = true
			c.graph.Outputs[o].Prefer = i
		}
	}
}
