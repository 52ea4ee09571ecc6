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
// It is safe for concurrent use. A step waits for other programs that use one of its
// cells, and from its second run on those wait for it that use any.
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
	graphMu.Lock()
	ready := plain(in)
	graphMu.Unlock()
	if !ready {
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
	for i := range r.graph.inputs {
		if t := r.input(i, in); t.state == evaluated {
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
			if arg >= 0 {
				r.reads = append(r.reads, read{input: i, arg: arg})
			}
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
