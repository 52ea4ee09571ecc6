package tensor

import (
	"context"
	"fmt"
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
	reads   []read // of args, those that are arguments

	bindings sync.Pool    // of *stepBinding
	warm     *stepBinding // of the last run, where nothing has happened to the cells since
}

// A read is an input of the program that is an argument of the step.
type read struct{ input, arg int }

// A stepBinding is the memory of a step's run, with its cells.
type stepBinding struct {
	binding
	busy  bool // a run has it, and the locks
	held  []*cellLock
	old   []*Tensor // the values of the cells that are set
	moved []int     // of the cells set: whose memory changes
}

func (b *stepBinding) reset() {
	b.binding.reset()
	clear(b.held)
	clear(b.old)
	b.held, b.old, b.moved = b.held[:0], b.old[:0], b.moved[:0]
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
		b, unready, busy, err := r.begin(in)
		switch {
		case err != nil:
			return nil, err
		case unready != nil:
			if err := unready.ready(ctx); err != nil {
				return nil, err
			}
		case busy != nil:
			busy.wait()
		default:
			return r.runLocked(ctx, in, b)
		}
	}
}

// plain reports whether tensors are evaluated and no cells' values, so that there is
// nothing to do before a step reads them. graphMu is held.
func plain(in []*Tensor) bool {
	for _, t := range in {
		if t.state != evaluated || t.cell != nil {
			return false
		}
	}
	return true
}

// begin locks the step's cells and gathers what a run with arguments in needs; else it
// tells what stands in the way.
func (r *replay) begin(in []*Tensor) (b *stepBinding, unready *Cell, busy *cellLock, err error) {
	graphMu.Lock()
	defer graphMu.Unlock()
	if b := r.warm; b != nil && plain(in) && plain(r.outside) {
		b.held[0] = b.held[0].root()
		if !b.held[0].mu.TryLock() {
			return nil, nil, b.held[0], nil
		}
		b.busy = true
		for _, a := range r.reads {
			st := in[a.arg].st
			b.inputs[a.input], b.args[a.input] = st, st.buf
		}
		return b, nil, nil, nil
	}
	if c := r.unready(in); c != nil {
		return nil, c, nil, nil
	}
	b, ok := r.bindings.Get().(*stepBinding)
	if !ok {
		b = &stepBinding{}
	}
	if b.held, busy = tryLock(b.held, r.cellsWith(in)...); busy == nil {
		err = r.gather(b, in)
	}
	b.busy = true
	if busy != nil || err != nil {
		r.end(b)
		return nil, nil, busy, err
	}
	return b, nil, nil, nil
}

// cellsWith returns the cells to lock: the step's, and those whose values are
// arguments or were captured. graphMu is held.
func (r *replay) cellsWith(in []*Tensor) []*Cell {
	cells := r.cells
	for _, l := range [][]*Tensor{in, r.outside} {
		for _, t := range l {
			if t.cell != nil {
				cells = append(slices.Clip(cells), t.cell)
			}
		}
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
				s.cell.disturb()
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
		c.disturb()
	}
	return nil
}

// input returns what input i of the program is with arguments in. graphMu is held.
func (r *replay) input(i int, in []*Tensor) *Tensor {
	switch {
	case r.args[i] >= 0:
		return in[r.args[i]]
	case r.source[i] != nil:
		return r.source[i].val
	}
	return r.graph.inputs[i]
}

// gather lists what the program runs on: arguments, tensors from outside and what the
// cells hold. graphMu is held.
func (r *replay) gather(b *stepBinding, in []*Tensor) error {
	for i := range r.graph.inputs {
		t := r.input(i, in)
		if err := t.usable(); err != nil {
			return err
		}
		b.inputs = append(b.inputs, t.st)
	}
	for _, s := range r.sets {
		b.old = append(b.old, s.cell.val)
	}
	b.bind(r.entry.Program)
	return nil
}

// runLocked runs what begin gathered, and replaces the cells' values.
func (r *replay) runLocked(ctx context.Context, in []*Tensor, b *stepBinding) ([]*Tensor, error) {
	err := b.allocate(r.dev, r.entry.Program)
	if err == nil {
		err = r.dev.runRetry(ctx, r.entry.Executable, b.args, r.scalars())
		if err != nil {
			b.free()
		}
	}
	if err != nil {
		err = &OpError{Op: "compiled step", Err: r.dev.explain(err, &r.graph.graph, b.inputs)}
	}
	graphMu.Lock()
	defer graphMu.Unlock()
	defer r.end(b)
	if err != nil {
		return nil, err
	}
	result := make([]*Tensor, len(r.results))
	for i, o := range r.results {
		result[i] = r.leaf(b.outs, o)
	}
	r.replace(b, in)
	return result, nil
}

// replace gives the cells what the run computed. graphMu is held.
func (r *replay) replace(b *stepBinding, in []*Tensor) {
	warm, same := r.warm == b, true
	if !warm {
		b.moved = b.moved[:0]
		for i := range r.sets {
			if !r.stays(b, i) {
				b.moved = append(b.moved, i)
				same = same && r.moves(b, i)
			}
		}
	}
	for _, i := range b.moved {
		s := r.sets[i]
		t := r.leaf(b.outs, s.output)
		t.cell, t.kept = s.cell, true
		replacement{cell: s.cell, old: b.old[i], new: t}.carryOut(b.taken)
		if b.old[i] = t; s.input >= 0 {
			b.inputs[s.input], b.args[s.input] = t.st, t.st.buf
		}
	}
	if warm || same && r.settled(in) {
		b.held = join(b.held)
		if r.warm != b {
			b.held[0].remember(r)
			r.warm = b
		}
	}
}

// stays reports whether the same memory has the new value of a cell that is set, and
// nobody else has the tensor, so that it stands for the new value.
func (r *replay) stays(b *stepBinding, set int) bool {
	s, old := r.sets[set], b.old[set]
	return old.kept && !old.read && !old.shared && old == s.cell.val && old.st == b.outs[s.output]
}

// moves reports whether the new value of a cell that is set is in memory of its own, and
// no output has that of the old.
func (r *replay) moves(b *stepBinding, set int) bool {
	s := r.sets[set]
	return slices.Contains(b.fresh, s.output) && (s.input < 0 || !slices.Contains(b.taken, b.inputs[s.input]))
}

// settled reports whether the next run finds the cells as this one left them, and need
// not look at each. graphMu is held.
func (r *replay) settled(in []*Tensor) bool {
	return len(r.cells) > 0 && plain(in) && plain(r.outside) && r.unready(in) == nil
}

// cool makes the next run look at each cell. graphMu is held.
func (r *replay) cool() {
	b := r.warm
	if r.warm = nil; b != nil && !b.busy {
		r.end(b)
	}
}

// end unlocks the cells, and keeps the slices of a run for another. graphMu is held.
func (r *replay) end(b *stepBinding) {
	if b.busy {
		unlock(b.held)
		b.busy = false
	}
	if r.warm == b {
		b.drop(r.reads, r.entry.Program.Inputs)
		return
	}
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
