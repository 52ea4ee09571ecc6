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

// A Compiled function is traced once for each signature and then only
// replayed: a call builds no graph and plans nothing.
//
// The signature is the shapes, dtypes and device of the arguments, the dtype of the
// [Autocast] around the call, and the values of Guards (nn's layers guard train mode). Cells that the function
// reads or Sets are implicit inputs and outputs. Anything else that varies
// from call to call must be an argument or a cell: Go numbers, and tensors
// from outside, are those of the traced call. An RNG goes on as in a plain
// step.
//
// It is safe for concurrent use.
type Compiled struct {
	f      func(in ...*Tensor) []*Tensor
	mu     sync.Mutex
	traces []traces
}

// traces are those of one signature, which differ in their Guards' values.
type traces struct {
	of   signature
	list []*replay
}

// Compile makes a Compiled of f, which builds a graph with ops of this package
// and may Set cells. Eval, Data and Item panic inside f with a *TraceError.
func Compile(f func(in ...*Tensor) []*Tensor) *Compiled {
	return &Compiled{f: f}
}

// Call runs the function. The results are evaluated tensors; gradients do not
// flow through them.
func (c *Compiled) Call(in ...*Tensor) ([]*Tensor, error) {
	return c.CallContext(context.Background(), in...)
}

// CallContext is Call, given up when ctx is cancelled before the program began
// to change a cell.
func (c *Compiled) CallContext(ctx context.Context, in ...*Tensor) ([]*Tensor, error) {
	if tracing() {
		return c.f(in...), nil // a compiled function inside another is part of it
	}
	if err := ctx.Err(); err != nil {
		return nil, fmt.Errorf("tensor: compiled step: %w", err)
	}
	if !plain(in) {
		if err := EvalContext(ctx, in...); err != nil {
			return nil, err
		}
	}
	r, err := c.find(in)
	if err != nil {
		return nil, err
	}
	return r.run(ctx, in)
}

// plain reports whether tensors are evaluated and no cells' values, so that there is
// nothing to do before a step reads them.
func plain(in []*Tensor) bool {
	graphMu.Lock()
	defer graphMu.Unlock()
	for _, t := range in {
		if t.state != evaluated || t.cell != nil {
			return false
		}
	}
	return true
}

// find returns the trace for the arguments, making it if there is none.
func (c *Compiled) find(in []*Tensor) (*replay, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	at := slices.IndexFunc(c.traces, func(t traces) bool { return t.of.is(in) })
	if at >= 0 {
		for _, r := range c.traces[at].list {
			if r.valid() {
				return r, nil
			}
		}
	}
	r, err := c.record(in)
	if err != nil {
		return nil, err
	}
	if err := r.compile(in); err != nil {
		return nil, err
	}
	if at < 0 {
		at, c.traces = len(c.traces), append(c.traces, traces{of: signatureOf(in)})
	}
	c.traces[at].list = append(c.traces[at].list, r)
	return r, nil
}

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

// record runs f on placeholders and gathers what it built.
func (c *Compiled) record(in []*Tensor) (r *replay, err error) {
	traceMu.Lock()
	defer traceMu.Unlock()
	args := make([]*Tensor, len(in))
	for i, t := range in {
		args[i] = newNode(t.dev, t.dtype, t.shape, spec{op: ir.OpLoad, trace: &placeholder{arg: i}})
	}
	tr := &trace{goroutine: goroutineID(), sets: map[*Cell]*Tensor{}, reads: map[*Cell]*Tensor{}}
	return tr.replay(tr.run(c.f, args))
}

// run runs f under the trace.
func (tr *trace) run(f func(...*Tensor) []*Tensor, args []*Tensor) []*Tensor {
	active.Store(tr)
	defer active.Store(nil)
	return f(args...)
}

// replay makes a replay of the graph, which is not compiled yet.
func (tr *trace) replay(out []*Tensor) (*replay, error) {
	wanted := slices.Clone(out)
	for _, c := range tr.cells {
		wanted = append(wanted, tr.sets[c])
	}
	if len(wanted) == 0 {
		return nil, fmt.Errorf("tensor: Compile: the function returns nothing and sets no cell")
	}
	sameDevice("Compile", wanted...)
	r := &replay{dev: wanted[0].dev, rngs: tr.rngs, guards: tr.guards}
	for {
		graphMu.Lock()
		g, err := tr.collect(r.dev, wanted)
		graphMu.Unlock()
		if err != nil {
			return nil, err
		}
		if len(g.before) == 0 {
			r.graph = *g
			break
		}
		for _, t := range g.before {
			if t.dependsOnTrace() {
				panic(&TraceError{Call: "To", Reason: "a value cannot change device inside a compiled function"})
			}
		}
		if err := g.prepare(context.Background()); err != nil {
			return nil, err
		}
	}
	r.bind(tr, out)
	return r, nil
}

// compile plans and compiles the replay's program.
func (r *replay) compile(in []*Tensor) error {
	entry, err := r.dev.cache.Get(&r.graph.graph)
	if err != nil {
		return &OpError{Op: "Compile", Err: r.dev.explain(err, &r.graph.graph, r.held(in))}
	}
	r.entry = entry
	runtime.AddCleanup(r, func(e *plan.Entry) { e.Release() }, entry)
	return nil
}

// held returns the storages of the program's inputs that are on the device, for
// arguments in.
func (r *replay) held(in []*Tensor) (l []*storage) {
	graphMu.Lock()
	defer graphMu.Unlock()
	for i, t := range r.graph.inputs {
		switch {
		case r.args[i] >= 0:
			t = in[r.args[i]]
		case r.source[i] != nil:
			t = r.source[i].val
		}
		if t.state == evaluated {
			l = append(l, t.st)
		}
	}
	return l
}

// dependsOnTrace reports whether t's value is known only when the step runs.
func (t *Tensor) dependsOnTrace() bool {
	if t.trace != nil {
		return true
	}
	for _, x := range t.in {
		if x.dependsOnTrace() {
			return true
		}
	}
	return false
}

// collect gathers the graph of the results and replacements. graphMu is held.
func (tr *trace) collect(d *Device, wanted []*Tensor) (*collected, error) {
	lastMark++
	g := &collected{dev: d, tracing: true}
	for _, t := range wanted {
		if err := g.visit(t); err != nil {
			return nil, err
		}
	}
	if len(g.before) > 0 {
		return g, nil
	}
	for _, t := range wanted {
		g.graph.Outputs = append(g.graph.Outputs, plan.Output{Node: t.index, Prefer: -1})
	}
	return g, nil
}

// bind notes what each input and output of the program stands for.
func (r *replay) bind(tr *trace, out []*Tensor) {
	g := &r.graph
	for i, t := range g.inputs {
		arg, cell := -1, (*Cell)(nil)
		if t.trace != nil {
			arg, cell = t.trace.arg, t.trace.cell
			g.inputs[i] = nil // not kept
		} else {
			r.outside = append(r.outside, t)
		}
		if cell != nil {
			r.cells = append(r.cells, cell)
		}
		r.args, r.source = append(r.args, arg), append(r.source, cell)
	}
	for i := range out {
		r.results = append(r.results, i)
	}
	for k, c := range tr.cells {
		s := cellSet{cell: c, output: len(out) + k, input: slices.Index(r.source, c)}
		if s.input >= 0 {
			g.graph.Inputs[s.input].Donated = true
			g.graph.Outputs[s.output].Prefer = s.input
		}
		if !slices.Contains(r.cells, c) {
			r.cells = append(r.cells, c)
		}
		r.sets = append(r.sets, s)
	}
	slices.SortFunc(r.cells, func(a, b *Cell) int { return cmp.Compare(a.id, b.id) })
	g.order, g.cells, g.outputs, g.replaced, g.stores = nil, nil, nil, nil, nil
	g.graph.Nodes = slices.Clip(g.graph.Nodes)
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
