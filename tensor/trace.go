package tensor

import (
	"bytes"
	"context"
	"runtime"
	"strconv"
	"sync"
	"sync/atomic"

	"github.com/fornax-ml/fornax/tensor/ir"
)

// A trace records what a function given to Compile does besides building its
// graph. One function is traced at a time.
type trace struct {
	goroutine uint64
	cells     []*Cell // replaced, in the order of the first Set
	sets      map[*Cell]*Tensor
	reads     map[*Cell]*Tensor // placeholders of values
	rngs      []*rngUse
	guards    []guard
}

// A placeholder stands for an argument, or for the value that a cell has when
// the step runs.
type placeholder struct {
	arg  int
	cell *Cell // nil for an argument
}

// A guard is a condition under which a trace may be replayed.
type guard struct {
	key   func() uint64
	value uint64
}

var (
	traceMu sync.Mutex
	active  atomic.Pointer[trace]
)

// currentTrace returns the trace that the calling goroutine makes, or nil.
func currentTrace() *trace {
	tr := active.Load()
	if tr == nil || tr.goroutine != goroutineID() {
		return nil
	}
	return tr
}

// tracing reports whether the calling goroutine makes a trace.
func tracing() bool { return currentTrace() != nil }

// goroutineID reads the number in "goroutine 123 [running]:". Only calls made
// while some function is being traced, or runs under Autocast, come here; without it
// a training step of another goroutine would be recorded in the trace, or cast.
func goroutineID() uint64 {
	var buf [64]byte
	b := bytes.TrimPrefix(buf[:runtime.Stack(buf[:], false)], []byte("goroutine "))
	id, _, _ := bytes.Cut(b, []byte(" "))
	n, _ := strconv.ParseUint(string(id), 10, 64)
	return n
}

// Guard makes a traced function depend on a setting that is no tensor, such as
// whether a model trains: the trace is replayed only while key returns what it
// returned when the function was traced; else the function is traced again.
// Outside a traced function it does nothing.
func Guard(key func() uint64) {
	if tr := currentTrace(); tr != nil {
		tr.guards = append(tr.guards, guard{key: key, value: key()})
	}
}

// read returns a cell's value inside the function: what it Set, or the value
// the cell has when the step runs.
func (tr *trace) read(c *Cell) *Tensor {
	if t := tr.sets[c]; t != nil {
		return t
	}
	if tr.reads[c] == nil {
		tr.reads[c] = newNode(c.dev, c.dtype, c.shape, spec{op: ir.OpLoad, trace: &placeholder{arg: -1, cell: c}})
	}
	return tr.reads[c]
}

// set records a replacement that each run of the step makes.
func (tr *trace) set(c *Cell, x *Tensor) {
	graphMu.Lock()
	leaf := x.state != pending || x.trace != nil || x.cell != nil
	graphMu.Unlock()
	if leaf {
		x = x.copy()
	}
	if tr.sets[c] == nil {
		tr.cells = append(tr.cells, c)
	}
	tr.sets[c] = x
}

// settle carries out what is pending for a cell.
func (c *Cell) settle(ctx context.Context) error {
	for {
		graphMu.Lock()
		t := c.current()
		ready := c.pending == nil && t.state == evaluated
		graphMu.Unlock()
		if ready {
			return nil
		}
		err := c.dev.eval(ctx, []*Tensor{t}, false)
		if err == nil || !c.moved(t) {
			return err
		}
	}
}

// moved reports whether another goroutine has replaced t as the cell's current
// value: a failure to evaluate t is then no failure of the cell.
func (c *Cell) moved(t *Tensor) bool {
	graphMu.Lock()
	defer graphMu.Unlock()
	return c.current() != t
}
