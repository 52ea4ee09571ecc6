//go:build cgo

package vk

import (
	"context"
	"encoding/binary"
	"sync"

	"github.com/fornax-ml/fornax/tensor/ir"
	"github.com/fornax-ml/fornax/vk/internal/driver"
	"github.com/fornax-ml/fornax/vk/internal/lower"
)

// status is the record that index checks write, in memory that the host sees;
// its layout is in shaders/indexcheck.comp.
type status struct {
	a *driver.Allocation

	mu     sync.Mutex
	checks []check // number-1 is the position
}

type check struct {
	name  string
	dtype ir.DType
}

var statusClear = [lower.StatusBytes]byte{4: 0xff, 5: 0xff, 6: 0xff, 7: 0xff}

func (s *status) init(d *Device) (err error) {
	if s.a, err = d.drv.Alloc(lower.StatusBytes, driver.ReadbackMemory); err != nil {
		return d.fail(err)
	}
	return s.clear(d)
}

func (s *status) clear(d *Device) error {
	copy(s.a.Mapped, statusClear[:])
	return d.fail(s.a.Flush(0, lower.StatusBytes))
}

// number returns the number that stands for an instruction's check.
func (s *status) number(name string, dtype ir.DType) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	for i, c := range s.checks {
		if c == (check{name, dtype}) {
			return i + 1
		}
	}
	s.checks = append(s.checks, check{name, dtype})
	return len(s.checks)
}

func (s *status) word(i int) uint32 { return binary.LittleEndian.Uint32(s.a.Mapped[4*i:]) }

// take returns the failure on record, as an *ir.IndexError, and clears it. The
// caller has waited for the work it asks about.
func (s *status) take(d *Device) error {
	if err := s.a.Invalidate(0, lower.StatusBytes); err != nil {
		return d.fail(err)
	}
	if s.word(0) == 0 {
		return nil
	}
	// Nothing may write the record while the host clears it.
	d.run.Lock()
	defer d.run.Unlock()
	if err := d.drv.WaitIdle(context.Background()); err != nil {
		return d.fail(err)
	}
	if err := s.a.Invalidate(0, lower.StatusBytes); err != nil {
		return d.fail(err)
	}
	n := int(s.word(0))
	if n == 0 {
		return nil // another goroutine has it
	}
	s.mu.Lock()
	c := s.checks[n-1]
	s.mu.Unlock()
	bits := uint64(s.word(2)) | uint64(s.word(3))<<32
	err := &ir.IndexError{Op: c.name, Index: ir.BitsInt(c.dtype, bits), Size: int(s.word(4))}
	if cerr := s.clear(d); cerr != nil {
		return cerr
	}
	return err
}
