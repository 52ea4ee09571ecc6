package tensor

import (
	"cmp"
	"context"
	"slices"
	"sync/atomic"
	"weak"
)

// A Cell is a variable: a parameter, an optimizer's state, a learning rate.
// Tensors never change; a cell's value is replaced.
//
// Set records a replacement. It is carried out, once, by the evaluation of
// anything that read the cell or of the replacement, in the same program, so
// that
//
//	loss := model(x)         // reads the parameters
//	opt.Step(loss)           // Set on each of them
//	v, err := loss.Item()    // runs the whole step
//
// is one program. From then on the old value is retired and its memory
// belongs to the new one; a pending tensor that still depends on it gives
// ErrRetired. Value hands a value out instead and keeps it.
type Cell struct {
	id      uint64
	dev     *Device
	dtype   DType
	shape   []int
	lock    *cellLock // graphMu guards the fields from here on
	val     *Tensor
	pending *Tensor
	self    weak.Pointer[Cell] // so that a waiting replacement keeps no cell alive
}

var lastCell atomic.Uint64

// NewCell makes a cell whose value is x. The cell has its own copy, or, where
// x is not evaluated, computes x once when it is first read.
func NewCell(x *Tensor) *Cell {
	c := &Cell{id: lastCell.Add(1), dev: x.dev, dtype: x.dtype, shape: x.shape, lock: &cellLock{}}
	v := x.copy()
	v.cell, c.val, c.self = c, v, weak.Make(c)
	return c
}

// copy makes a tensor of the same value with memory of its own.
func (t *Tensor) copy() *Tensor { return t.convert(t.dtype) }

// Shape returns the size of each axis.
func (c *Cell) Shape() []int { return append([]int{}, c.shape...) }

// DType returns the type of the elements.
func (c *Cell) DType() DType { return c.dtype }

// Device returns where the cell is.
func (c *Cell) Device() *Device { return c.dev }

// Read returns the current value for use in expressions; after Set, the
// replacement. The tensor may be used until the next replacement is carried
// out.
func (c *Cell) Read() *Tensor {
	if tr := currentTrace(); tr != nil {
		return tr.read(c)
	}
	graphMu.Lock()
	defer graphMu.Unlock()
	t := c.current()
	t.read = true
	c.disturb()
	return t
}

func (c *Cell) current() *Tensor {
	if c.pending != nil {
		return c.pending
	}
	return c.val
}

// Value returns the current value to keep: later replacements do not retire
// it, and the next one takes new memory.
func (c *Cell) Value() *Tensor {
	if tr := currentTrace(); tr != nil {
		return tr.read(c)
	}
	graphMu.Lock()
	defer graphMu.Unlock()
	t := c.current()
	t.read, t.shared = true, true
	c.disturb()
	return t
}

// Set records x as the replacement of the value. x must have the cell's shape,
// dtype and device. The cell owns x from then on: x is retired when it is
// replaced in turn. Where x is evaluated already, the cell takes a copy.
func (c *Cell) Set(x *Tensor) {
	if x.dev != c.dev {
		panic(&DeviceError{Op: "Cell.Set", Devices: []string{c.dev.name, x.dev.name}})
	}
	if x.dtype != c.dtype {
		panic(&DTypeError{Op: "Cell.Set", DTypes: []DType{c.dtype, x.dtype}, Reason: "dtypes differ"})
	}
	if !slices.Equal(x.shape, c.shape) {
		panic(&ShapeError{Op: "Cell.Set", Shapes: [][]int{c.shape, x.shape}, Reason: "shapes differ"})
	}
	if tr := currentTrace(); tr != nil {
		tr.set(c, x)
		return
	}
	graphMu.Lock()
	owned := x.state == pending && x.cell == nil && x.op != opTransfer && x.trace == nil
	graphMu.Unlock()
	if !owned {
		x = x.copy()
	}
	graphMu.Lock()
	x.cell = c
	c.setPending(x)
	deep := x.state == pending && x.depth > pendingLimit
	graphMu.Unlock()
	if deep { // a cell that is only ever Set must not grow without bound
		if err := c.settle(context.Background()); err != nil {
			graphMu.Lock()
			x.err = err
			graphMu.Unlock()
		}
	}
}

// setPending records the replacement, nil for none. graphMu is held.
func (c *Cell) setPending(x *Tensor) {
	c.disturb()
	c.pending = x
	if x == nil {
		delete(c.dev.waiting, c.self)
		return
	}
	if c.dev.waiting == nil {
		c.dev.waiting = map[weak.Pointer[Cell]]struct{}{}
	}
	c.dev.waiting[c.self] = struct{}{}
}

// pendingCells returns the cells with a pending replacement, by id. graphMu is
// held.
func (d *Device) pendingCells() []*Cell {
	var l []*Cell
	for p := range d.waiting {
		if c := p.Value(); c != nil {
			l = append(l, c)
		} else {
			delete(d.waiting, p)
		}
	}
	slices.SortFunc(l, func(a, b *Cell) int { return cmp.Compare(a.id, b.id) })
	return l
}

// SetScalar replaces the value of a cell of any shape by one number, without
// running a program: for learning rates and the like. As with Set, tensors
// that read the old value may be evaluated once more, together.
func (c *Cell) SetScalar(v float64) {
	t := numberTensor(c.dev, c.dtype, c.shape, v)
	if tr := currentTrace(); tr != nil {
		tr.set(c, t)
		return
	}
	graphMu.Lock()
	defer graphMu.Unlock()
	if p := c.pending; p != nil && p.state == evaluated && !p.read {
		p.retire(nil) // replaced before anybody saw it
	}
	t.cell = c
	if c.pending == nil && c.val.state == pending && !c.val.read {
		c.val = t // the initial value is never needed
		return
	}
	c.setPending(t)
}

// Discard drops a replacement that was Set and is not carried out yet, as after
// a step whose evaluation failed for good.
func (c *Cell) Discard() {
	graphMu.Lock()
	defer graphMu.Unlock()
	c.setPending(nil)
}

// A replacement is what a program carries out for a cell.
type replacement struct {
	cell     *Cell
	old, new *Tensor
}

// carryOut makes the replacements of a graph the cells' values. graphMu is
// held.
func (c *collected) carryOut(taken []*storage) {
	for _, r := range c.replaced {
		r.carryOut(taken)
	}
}

// carryOut makes the evaluated replacement the value. graphMu is held. A Set
// that came while the program ran stands. taken is the memory that outputs of
// the program took over.
func (r replacement) carryOut(taken []*storage) {
	r.cell.disturb()
	r.old.retire(taken)
	if r.cell.val == r.old {
		r.cell.val = r.new
	}
	if r.cell.pending == r.new {
		r.cell.setPending(nil)
	}
}

// retire ends a value that its cell replaced, unless it was handed out. Its
// memory is given back unless an output took it over.
func (t *Tensor) retire(taken []*storage) {
	lost := slices.Contains(taken, t.st) // handed out too late: an error, no wrong number
	if t.state != evaluated || t.shared && !lost {
		return
	}
	st := t.st
	t.state, t.st, t.rec = retired, nil, nil
	if !lost {
		st.free()
	}
}
