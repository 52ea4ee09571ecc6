package tensor

import (
	"fmt"
	"runtime"
	"sync"
	"sync/atomic"

	"github.com/fornax-ml/fornax/tensor/ir"
)

// A Tensor describes a value: an array of one dtype on one device. It never
// changes. Ops make new tensors and compute nothing; Eval, Data and Item do.
type Tensor struct {
	id    uint64
	dev   *Device
	dtype DType
	shape []int
	spec  // immutable description of the op

	// The fields below change when the tensor is evaluated; graphMu guards
	// them.
	in        []*Tensor
	st        *storage // the value, once evaluated
	err       error    // why there will never be a value
	state     state
	rec       *record // what an evaluated tensor was computed from
	recNode   int
	cell      *Cell // the cell whose value or replacement this is
	shared    bool  // handed out: the memory is not donated
	read      bool  // by Cell.Read or Value: pending tensors may depend on it
	kept      bool  // made by a compiled step for its cell: without read nobody else has it
	depth     int   // longest chain of pending nodes below, this included
	readsCell bool  // a pending node below reads a cell
	mark      uint64
	index     int
}

// A spec says how a tensor is computed from its inputs; see plan.Node for the
// meaning of the fields.
type spec struct {
	op    ir.Op
	from  DType
	ints  []int
	k     int
	imm   uint64
	name  string
	attrs []int64
	types []ir.Type
	draw  *draw        // of an OpScalar that an RNG supplies
	vjp   CustomVJP    // of a custom op
	stop  bool         // gradients end here
	trace *placeholder // argument of a compiled function
}

type state uint8

const (
	pending state = iota
	evaluated
	retired
	freed
)

// graphMu guards the links between tensors and between tensors and cells. It
// is held for short times only, never while a device computes.
var graphMu sync.Mutex

var lastID atomic.Uint64

// nodes counts the graph nodes made; a compiled step makes none.
var nodes atomic.Int64

// storage is device memory that goes back to the pool when nobody reaches it.
type storage struct {
	buf     ir.Buffer
	once    sync.Once
	cleanup runtime.Cleanup
}

// pendingLimit is the length of a chain of pending nodes at which operands
// are evaluated, so that a loop that never evaluates stays bounded.
const pendingLimit = 4096

// newNode makes a tensor of an op. Inputs have been checked.
func newNode(dev *Device, dtype DType, shape []int, s spec, in ...*Tensor) *Tensor {
	if s.op != opTransfer {
		checkShape(s.op.String(), shape)
	}
	t := &Tensor{id: lastID.Add(1), dev: dev, dtype: dtype, shape: shape, spec: s, in: in}
	nodes.Add(1)
	graphMu.Lock()
	t.link()
	deep := t.depth > pendingLimit && !t.readsCell
	graphMu.Unlock()
	if deep && !tracing() {
		t.evalOperands()
	}
	return t
}

// link derives depth and readsCell from the inputs. graphMu is held.
func (t *Tensor) link() {
	t.depth, t.readsCell = 1, false
	for _, x := range t.in {
		if x.state == pending {
			t.depth = max(t.depth, x.depth+1)
			t.readsCell = t.readsCell || x.readsCell
		}
		t.readsCell = t.readsCell || x.cell != nil || x.trace != nil
	}
}

// evalOperands evaluates the inputs; a failure is carried by t.
func (t *Tensor) evalOperands() {
	err := Eval(t.in...)
	graphMu.Lock()
	defer graphMu.Unlock()
	if err != nil && t.err == nil {
		t.err = err
	}
	t.link()
}

// Shape returns the size of each axis.
func (t *Tensor) Shape() []int { return append([]int{}, t.shape...) }

// Rank returns the number of axes.
func (t *Tensor) Rank() int { return len(t.shape) }

// Dim returns the size of one axis; negative axes count from the end.
func (t *Tensor) Dim(axis int) int { return t.shape[normAxis("Dim", t, axis)] }

// Size returns the number of elements.
func (t *Tensor) Size() int { return ir.Size(t.shape) }

// DType returns the type of the elements.
func (t *Tensor) DType() DType { return t.dtype }

// Device returns where the tensor is.
func (t *Tensor) Device() *Device { return t.dev }

// String describes the tensor without evaluating it: "f32[2 3] add on cpu".
func (t *Tensor) String() string {
	return fmt.Sprintf("%v%v %s on %s", t.dtype, t.shape, t.opName(), t.dev.Name())
}

// opName returns the op's name for messages.
func (t *Tensor) opName() string {
	switch {
	case t.name != "":
		return t.name
	case t.op == opTransfer:
		return "to"
	}
	return t.op.String()
}

// Free gives the tensor's memory back at once; a later use returns ErrFreed.
// Memory also goes back when the collector finds the tensor unreachable, but a
// training loop that frees its batches by hand needs no collector.
func (t *Tensor) Free() {
	graphMu.Lock()
	if t.state == freed || t.state == retired {
		graphMu.Unlock()
		return
	}
	if t.cell != nil {
		t.cell.disturb()
	}
	st := t.st
	t.st, t.in, t.rec, t.state = nil, nil, nil, freed
	graphMu.Unlock()
	if st != nil {
		st.free()
	}
}

// checkShape panics where a size is negative, the rank too large or the
// product beyond int.
func checkShape(op string, shape []int) {
	if len(shape) > ir.MaxRank {
		panic(&ShapeError{Op: op, Shapes: [][]int{shape}, Reason: fmt.Sprintf("rank %d is above %d", len(shape), ir.MaxRank)})
	}
	n := 1
	for _, s := range shape {
		if s < 0 {
			panic(&ShapeError{Op: op, Shapes: [][]int{shape}, Reason: "a size is negative"})
		}
		if s > 0 && n > maxElements/s {
			panic(&ShapeError{Op: op, Shapes: [][]int{shape}, Reason: "too many elements"})
		}
		n *= s
	}
}

// maxElements keeps 8-byte elements addressable by int.
const maxElements = int(^uint(0)>>1) / 8

// normAxis maps an axis in [-rank, rank) to [0, rank).
func normAxis(op string, t *Tensor, axis int) int {
	r := len(t.shape)
	if axis < -r || axis >= r {
		badShape(op, fmt.Sprintf("axis %d of rank %d", axis, r), t)
	}
	if axis < 0 {
		axis += r
	}
	return axis
}

// sameDevice panics unless all tensors are on one device.
func sameDevice(op string, xs ...*Tensor) {
	for _, x := range xs[1:] {
		if x.dev != xs[0].dev {
			names := make([]string, len(xs))
			for i, x := range xs {
				names[i] = x.dev.Name()
			}
			panic(&DeviceError{Op: op, Devices: names})
		}
	}
}
