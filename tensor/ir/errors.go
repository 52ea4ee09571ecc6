package ir

import (
	"errors"
	"fmt"
)

// Failures of devices. Errors wrap these with what happened.
var (
	// ErrOutOfMemory: the device has not the memory that was asked for; the
	// *MemoryError around it has the figures.
	ErrOutOfMemory = errors.New("out of device memory")
	// ErrDeviceLost: the device failed; open it anew. Tensors on it are gone.
	ErrDeviceLost = errors.New("device lost")
	// ErrUnsupported: the device cannot run an instruction.
	ErrUnsupported = errors.New("not supported by the device")
	// ErrClosed: the device was closed, or the buffer or executable freed.
	ErrClosed = errors.New("closed")
)

// A MemoryError says what was asked for and what there is, in bytes. It is an
// ErrOutOfMemory.
type MemoryError struct {
	Device string
	Need   int // what the failed request asked for
	Live   int // held by buffers and arenas
	Limit  int // what the device has; 0 where unknown
	Reason string
}

// Error implements error.
func (e *MemoryError) Error() string {
	s := fmt.Sprintf("%s: out of device memory: %d bytes asked for, %d in use", e.Device, e.Need, e.Live)
	if e.Limit > 0 {
		s += fmt.Sprintf(", %d in all", e.Limit)
	}
	if e.Reason != "" {
		s += ": " + e.Reason
	}
	return s
}

// Unwrap returns ErrOutOfMemory.
func (e *MemoryError) Unwrap() error { return ErrOutOfMemory }

// An UnsupportedError names the instruction that a device cannot run. It is an
// ErrUnsupported.
type UnsupportedError struct {
	Device string
	Instr  string // the instruction as text
	Reason string
}

// Error implements error.
func (e *UnsupportedError) Error() string {
	return fmt.Sprintf("%s: not supported: %s: %s", e.Device, e.Reason, e.Instr)
}

// Unwrap returns ErrUnsupported.
func (e *UnsupportedError) Unwrap() error { return ErrUnsupported }

// An IndexError says that a Gather or ScatterAdd met an index outside its
// axis. The element was not touched.
type IndexError struct {
	Op    string // as the user called it
	Index int64  // the first one met, in C order of the index tensor
	Size  int    // of the axis
}

// Error implements error.
func (e *IndexError) Error() string {
	return fmt.Sprintf("%s: index %d is out of range for an axis of size %d", e.Op, e.Index, e.Size)
}
