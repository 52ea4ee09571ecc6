package tensor

import (
	"cmp"
	"context"
	"fmt"
	"runtime"
	"slices"
	"sync"

	"github.com/fornax-ml/fornax/tensor/ir"
	"github.com/fornax-ml/fornax/tensor/plan"
)

// A replay is a traced function, planned and compiled.
type replay struct {
	dev     *Device
	graph   collected
	entry   *plan.Entry
	args    []int     // of each input: argument, or -1
	source  []*Cell   // of each input: cell, or nil
	outside []*Tensor // the other inputs
	results []int     // of each result: output
	sets    []cellSet
	cells   []*Cell
	rngs    []*rngUse
	guards  []guard

	bindings sync.Pool // of *binding
}

// A cellSet says which output replaces a cell's value.
type cellSet struct {
	cell   *Cell
	output int
	input  int // that reads the old value, or -1
}

func (r *replay) valid() bool {
	for _, g := range r.guards {
		if g.key() != g.value {
			return false
		}
	}
	return true
}

// run replays the step.
func (r *replay) run(ctx context.Context, in []*Tensor) ([]*Tensor, error) {
	for {
		if err := ctx.Err(); err != nil {
			return nil, fmt.Errorf("tensor: compiled step: %w", err)
		}
		graphMu.Lock()
		unready := r.unready(in)
		cells := r.cellsWith(in)
		var busy *Cell
		if unready == nil {
			busy = lockCells(cells)
		}
		graphMu.Unlock()
		switch {
		case unready != nil:
			if err := unready.ready(ctx); err != nil {
				return nil, err
			}
		case busy != nil:
			busy.wait()
		default:
			out, err := r.runLocked(ctx, in)
			unlockCells(cells)
			return out, err
		}
	}
}

// cellsWith returns the cells to lock: the step's, and those whose values are
// arguments or were captured. graphMu is held.
func (r *replay) cellsWith(in []*Tensor) []*Cell {
	cells := r.cells
	for _, l := range [][]*Tensor{in, r.outside} {
		for _, t := range l {
			if t.cell != nil && !slices.Contains(cells, t.cell) {
				cells = append(slices.Clone(cells), t.cell)
			}
		}
	}
	if len(cells) > len(r.cells) {
		slices.SortFunc(cells, func(a, b *Cell) int { return cmp.Compare(a.id, b.id) })
	}
	return cells
}

// unready returns a cell that the step cannot run on as it is. graphMu is
// held.
func (r *replay) unready(in []*Tensor) *Cell {
	for _, c := range r.cells {
		if c.pending != nil || c.val.state != evaluated {
			return c
		}
	}
	for _, s := range r.sets {
		if s.input < 0 {
			continue
		}
		for _, l := range [][]*Tensor{in, r.outside} {
			if slices.Contains(l, s.cell.val) { // read under another name as well
				s.cell.val.shared = true
			}
		}
		if s.cell.val.shared {
			return s.cell
		}
	}
	return nil
}

// ready carries out what is pending for a cell and gives it a value of its own
// where the value was handed out.
func (c *Cell) ready(ctx context.Context) error {
	if err := c.settle(ctx); err != nil {
		return err
	}
	graphMu.Lock()
	val, shared, err := c.val, c.val.shared, c.val.usable()
	graphMu.Unlock()
	if err != nil || !shared {
		return err
	}
	own := val.copy()
	if err := c.dev.eval(ctx, []*Tensor{own}, false); err != nil {
		if c.moved(val) {
			return nil // the caller looks again
		}
		return err
	}
	graphMu.Lock()
	defer graphMu.Unlock()
	if c.val == val && c.pending == nil {
		own.cell, c.val = c, own
	}
	return nil
}

// runLocked gathers arguments, runs and replaces the cells' values. The cells
// are locked.
func (r *replay) runLocked(ctx context.Context, in []*Tensor) ([]*Tensor, error) {
	g := &r.graph
	b, ok := r.bindings.Get().(*binding)
	if !ok {
		b = &binding{}
	}
	defer r.release(b)
	graphMu.Lock()
	for i, t := range g.inputs {
		switch {
		case r.args[i] >= 0:
			t = in[r.args[i]]
		case r.source[i] != nil:
			t = r.source[i].val
		}
		if err := t.usable(); err != nil {
			graphMu.Unlock()
			return nil, err
		}
		b.inputs = append(b.inputs, t.st)
	}
	for _, s := range r.sets {
		b.old = append(b.old, s.cell.val)
	}
	graphMu.Unlock()
	if err := b.allocate(r.dev, r.entry.Program); err != nil {
		return nil, &OpError{Op: "compiled step", Err: r.dev.explain(err, &g.graph, b.inputs)}
	}
	err := r.dev.runRetry(ctx, r.entry.Executable, b.args, r.scalars())
	runtime.KeepAlive(b.inputs)
	if err != nil {
		b.free()
		return nil, &OpError{Op: "compiled step", Err: r.dev.explain(err, &g.graph, b.inputs)}
	}
	graphMu.Lock()
	defer graphMu.Unlock()
	b.takeOver(r.entry.Program)
	result := make([]*Tensor, len(r.results))
	for i, o := range r.results {
		result[i] = r.leaf(b.outs, o)
	}
	for i, s := range r.sets {
		old := b.old[i]
		if old.kept && !old.read && !old.shared && old == s.cell.val && old.st == b.outs[s.output] {
			continue // the same memory has the new value, and nobody else has the tensor
		}
		t := r.leaf(b.outs, s.output)
		t.cell, t.kept = s.cell, true
		replacement{cell: s.cell, old: old, new: t}.carryOut(b.taken)
	}
	return result, nil
}

// release keeps the slices of a run for another.
func (r *replay) release(b *binding) {
	b.reset()
	r.bindings.Put(b)
}

// leaf makes the evaluated tensor of an output.
func (r *replay) leaf(outs []*storage, o int) *Tensor {
	n := &r.graph.graph.Nodes[r.graph.graph.Outputs[o].Node]
	return &Tensor{id: lastID.Add(1), dev: r.dev, dtype: n.DType, shape: n.Shape, spec: spec{op: ir.OpLoad}, state: evaluated, st: outs[o]}
}

// scalars returns the numbers of this run: RNGs go on.
func (r *replay) scalars() []ir.Scalar {
	if len(r.rngs) == 0 {
		return r.graph.scalars
	}
	base := make([]uint64, len(r.rngs))
	for i, u := range r.rngs {
		base[i] = u.rng.take(u.calls)
	}
	s := slices.Clone(r.graph.scalars)
	for i, d := range r.graph.draws {
		if d != nil {
			s[i].Bits = d.at(r.rngs[d.use].rng.seed.Load(), base[d.use])
		}
	}
	return s
}
