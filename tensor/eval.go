package tensor

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"slices"

	"github.com/fornax-ml/fornax/tensor/ir"
	"github.com/fornax-ml/fornax/tensor/plan"
)

// Eval computes the tensors, together with the pending replacements of every
// cell that they read, as one program a device. It returns once the work is
// submitted; Data, Item and Device.Sync wait. After an error nothing has
// changed.
func Eval(xs ...*Tensor) error { return EvalContext(context.Background(), xs...) }

// EvalContext is Eval, given up when ctx is cancelled before the program
// began to change a cell: then every cell is as it was.
func EvalContext(ctx context.Context, xs ...*Tensor) error {
	if tracing() {
		panic(&TraceError{Call: "Eval", Reason: "values are known only when the compiled function runs"})
	}
	for len(xs) > 0 {
		dev := xs[0].dev
		var here, rest []*Tensor
		for _, x := range xs {
			if x.dev == dev {
				here = append(here, x)
			} else {
				rest = append(rest, x)
			}
		}
		if err := dev.eval(ctx, here, false); err != nil {
			return err
		}
		xs = rest
	}
	return nil
}

// eval computes tensors of one device. With initial, xs are the first values of
// cells: they are computed without the cells' replacements.
func (d *Device) eval(ctx context.Context, xs []*Tensor, initial bool) error {
	for {
		if err := ctx.Err(); err != nil {
			return fmt.Errorf("tensor: Eval: %w", err)
		}
		graphMu.Lock()
		c, err := collectGraph(d, xs, initial)
		if err != nil || (len(c.before) == 0 && len(c.outputs) == 0 && len(c.replaced) == 0) {
			graphMu.Unlock()
			return err
		}
		if len(c.before) > 0 {
			graphMu.Unlock()
			if err := c.prepare(ctx); err != nil {
				return err
			}
			continue
		}
		held, busy := tryLock(nil, c.cells...)
		graphMu.Unlock()
		if busy != nil { // wait without a lock that others need
			busy.wait()
			continue
		}
		err = c.run(ctx)
		unlock(held)
		return err
	}
}

// prepare brings about what the graph needs before it can run: copies from
// other devices, initial values of cells.
func (c *collected) prepare(ctx context.Context) error {
	var initial []*Tensor
	for _, t := range c.before {
		if t.op == opTransfer && t.state == pending {
			if err := t.transfer(ctx); err != nil {
				return err
			}
			continue
		}
		initial = append(initial, t)
	}
	if len(initial) == 0 {
		return nil
	}
	return c.dev.eval(ctx, initial, true)
}

// transfer evaluates the source of a To and copies it.
func (t *Tensor) transfer(ctx context.Context) error {
	graphMu.Lock()
	done, src := t.state != pending, (*Tensor)(nil)
	if !done {
		src = t.in[0]
	}
	graphMu.Unlock()
	if done {
		return nil
	}
	data, err := src.bytes(ctx)
	if err != nil {
		return err
	}
	st, err := t.dev.newStorage(ir.SlotBytes(t.dtype, t.Size()))
	if err == nil {
		err = st.buf.Write(0, data)
	}
	if err != nil {
		return &OpError{Op: "To", Shape: t.shape, Err: err}
	}
	graphMu.Lock()
	defer graphMu.Unlock()
	if t.state == pending {
		t.commit(st, &record{ids: []uint64{src.id, t.id}, in: [][]int{nil, {0}}, src: []*record{src.rec, nil}, srcNode: []int{src.recNode, 0}}, 1)
	}
	return nil
}

// run plans, allocates, runs and commits what was collected. The cells are
// locked.
func (c *collected) run(ctx context.Context) error {
	if len(c.outputs) == 0 { // only numbers to put in place
		graphMu.Lock()
		defer graphMu.Unlock()
		c.carryOut(nil)
		return nil
	}
	entry, err := c.dev.cache.Get(&c.graph)
	if err != nil {
		return c.fail(err)
	}
	defer entry.Release()
	b := binding{inputs: c.stores}
	b.bind(entry.Program)
	if err := b.allocate(c.dev, entry.Program); err != nil {
		return c.fail(err)
	}
	if err := c.dev.runRetry(ctx, entry.Executable, b.args, c.scalars); err != nil {
		b.free()
		return c.fail(err)
	}
	runtime.KeepAlive(c.stores)
	graphMu.Lock()
	defer graphMu.Unlock()
	rec := c.record()
	for i, t := range c.outputs {
		if t.state == pending { // else freed meanwhile
			t.commit(b.outs[i], rec, c.graph.Outputs[i].Node)
		}
	}
	c.carryOut(b.taken)
	return nil
}

// runRetry runs a program; out of memory, it runs the collector once and tries
// again.
func (d *Device) runRetry(ctx context.Context, e ir.Executable, args []ir.Buffer, scalars []ir.Scalar) error {
	err := e.Run(ctx, args, scalars)
	if errors.Is(err, ir.ErrOutOfMemory) {
		collect()
		err = e.Run(ctx, args, scalars)
	}
	return err
}

// fail names the tensor asked for in an error of the device.
func (c *collected) fail(err error) error {
	t := c.outputs[0]
	return &OpError{Op: t.opName(), Shape: t.shape, Err: c.dev.explain(err, &c.graph, c.stores)}
}

// commit makes t an evaluated tensor that forgets its inputs. graphMu is
// held.
func (t *Tensor) commit(st *storage, rec *record, node int) {
	t.st, t.state, t.rec, t.recNode = st, evaluated, rec, node
	t.in, t.depth, t.readsCell = nil, 0, false
}

// bytes evaluates t and reads it.
func (t *Tensor) bytes(ctx context.Context) ([]byte, error) {
	if tracing() {
		panic(&TraceError{Call: "Data", Reason: "values are known only when the compiled function runs"})
	}
	if err := EvalContext(ctx, t); err != nil {
		return nil, err
	}
	graphMu.Lock()
	cell, st, err := t.cell, t.st, t.usable()
	graphMu.Unlock()
	if err != nil {
		return nil, err
	}
	if cell != nil { // nobody may replace the value while it is read
		defer unlock(cell.take())
		graphMu.Lock()
		err = t.usable()
		graphMu.Unlock()
		if err != nil {
			return nil, err
		}
	}
	b := make([]byte, t.Size()*t.dtype.Size())
	if err := st.buf.Read(b, 0); err != nil {
		return nil, &OpError{Op: "Data", Shape: t.shape, Err: err}
	}
	return b, nil
}

// usable reports why an evaluated tensor has no value any more. graphMu is
// held.
func (t *Tensor) usable() error {
	switch {
	case t.state == retired:
		return &OpError{Op: t.opName(), Shape: t.shape, Err: ErrRetired}
	case t.state == freed:
		return &OpError{Op: t.opName(), Shape: t.shape, Err: ErrFreed}
	case t.err != nil:
		return t.err
	}
	return nil
}

// A record is the skeleton of an evaluated graph: enough for Grad to know
// that a tensor came from another after it forgot its inputs.
type record struct {
	ids     []uint64
	in      [][]int
	src     []*record // of nodes that were evaluated before, theirs
	srcNode []int
	depth   int // of the chain of records
}

// recordDepth is how many evaluations back Grad can tell that a tensor came
// from another.
const recordDepth = 16

// record makes the skeleton of what was collected. Records of cells' values are
// not kept, and others only so many evaluations back: a training run would
// chain them for ever.
func (c *collected) record() *record {
	n := len(c.order)
	r := &record{ids: make([]uint64, n), in: make([][]int, n)}
	for i, t := range c.order {
		r.ids[i], r.in[i] = t.id, c.graph.Nodes[i].In
		if t.rec != nil && t.cell == nil && t.rec.depth < recordDepth {
			if r.src == nil {
				r.src, r.srcNode = make([]*record, n), make([]int, n)
			}
			r.src[i], r.srcNode[i] = t.rec, t.recNode
			r.depth = max(r.depth, t.rec.depth+1)
		}
	}
	return r
}

// reaches reports whether node i was computed from the tensor of an id.
func (r *record) reaches(i int, id uint64) bool {
	if r == nil || r.src == nil && !slices.Contains(r.ids, id) {
		return false
	}
	seen := make([]bool, len(r.ids))
	todo := []int{i}
	for len(todo) > 0 {
		n := todo[len(todo)-1]
		todo = todo[:len(todo)-1]
		if seen[n] {
			continue
		}
		seen[n] = true
		if r.ids[n] == id {
			return true
		}
		todo = append(todo, r.in[n]...)
		if r.src != nil && r.src[n].reaches(r.srcNode[n], id) {
			return true
		}
	}
	return false
}

// collected is a graph ready to be planned, with what its parts stand for.
type collected struct {
	dev     *Device
	graph   plan.Graph
	order   []*Tensor  // of the nodes
	inputs  []*Tensor  // evaluated tensors
	stores  []*storage // their memory
	scalars []ir.Scalar
	draws   []*draw   // of scalars, nil where the number is fixed
	outputs []*Tensor // of the graph's outputs
	cells   []*Cell   // read or replaced, by id
	before  []*Tensor // to be evaluated first

	initial  []*Tensor // first values of cells that are asked for
	replaced []replacement
	tracing  bool // placeholders are inputs
}
