package tensor

import (
	"errors"
	"fmt"
	"strings"

	"github.com/fornax-ml/fornax/tensor/ir"
)

// Failures that Eval, Data and Item return; test with errors.Is. Those of
// devices are ir.ErrOutOfMemory, ir.ErrDeviceLost, ir.ErrUnsupported.
var (
	// ErrRetired: a tensor depends on the old value of a cell that has been
	// replaced since. Read the cell again, or take Cell.Value before the
	// replacement to keep the old value.
	ErrRetired = errors.New("the value was retired by its cell's replacement")
	// ErrFreed: a tensor depends on one that was freed by hand.
	ErrFreed = errors.New("the tensor was freed")
)

// A ShapeError is the panic of an op that was called with shapes, axes or
// sizes it cannot take.
type ShapeError struct {
	Op     string  // "MatMul"
	Shapes [][]int // of the operands, in order
	Reason string  // "inner dimensions differ: 784 and 512"
}

// Error implements error: "tensor: MatMul[[32 784] [512 10]]: inner …".
func (e *ShapeError) Error() string {
	return fmt.Sprintf("tensor: %s%v: %s", e.Op, e.Shapes, e.Reason)
}

// A DTypeError is the panic of an op called with dtypes it cannot take, or of
// a tensor made on a device that lacks its dtype.
type DTypeError struct {
	Op     string
	DTypes []DType
	Reason string
}

// Error implements error.
func (e *DTypeError) Error() string {
	return fmt.Sprintf("tensor: %s%v: %s", e.Op, e.DTypes, e.Reason)
}

// A DeviceError is the panic of an op called with tensors of different
// devices.
type DeviceError struct {
	Op      string
	Devices []string
}

// Error implements error.
func (e *DeviceError) Error() string {
	return fmt.Sprintf("tensor: %s: operands are on different devices: %s; move them with To", e.Op, strings.Join(e.Devices, ", "))
}

// A GradError is the panic of Grad where it cannot follow the value back.
type GradError struct {
	Op     string
	Reason string
}

// Error implements error.
func (e *GradError) Error() string { return fmt.Sprintf("tensor: Grad of %s: %s", e.Op, e.Reason) }

// A TraceError is the panic of a call that a function given to Compile must
// not make.
type TraceError struct {
	Call   string
	Reason string
}

// Error implements error.
func (e *TraceError) Error() string {
	return fmt.Sprintf("tensor: %s inside a compiled function: %s", e.Call, e.Reason)
}

// An OpError names the op at which evaluation failed.
type OpError struct {
	Op    string
	Shape []int
	Err   error
}

// Error implements error.
func (e *OpError) Error() string { return fmt.Sprintf("tensor: %s %v: %v", e.Op, e.Shape, e.Err) }

// Unwrap returns the failure.
func (e *OpError) Unwrap() error { return e.Err }

// IndexError is returned by the next call that waits after an op met an index
// out of range.
type IndexError = ir.IndexError

// Try calls f and returns the typed panic of misuse (*ShapeError,
// *DTypeError, *DeviceError, *GradError, *TraceError) as an error. Other
// panics pass.
func Try(f func()) (err error) {
	defer func() {
		switch p := recover().(type) {
		case nil:
		case *ShapeError:
			err = p
		case *DTypeError:
			err = p
		case *DeviceError:
			err = p
		case *GradError:
			err = p
		case *TraceError:
			err = p
		default:
			panic(p)
		}
	}()
	f()
	return nil
}

func shapesOf(xs []*Tensor) [][]int {
	s := make([][]int, len(xs))
	for i, x := range xs {
		s[i] = x.shape
	}
	return s
}

func dtypesOf(xs []*Tensor) []DType {
	s := make([]DType, len(xs))
	for i, x := range xs {
		s[i] = x.dtype
	}
	return s
}

func badShape(op, reason string, xs ...*Tensor) {
	panic(&ShapeError{Op: op, Shapes: shapesOf(xs), Reason: reason})
}

func badDType(op, reason string, xs ...*Tensor) {
	panic(&DTypeError{Op: op, DTypes: dtypesOf(xs), Reason: reason})
}
