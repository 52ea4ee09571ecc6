package main

import (
	"context"

	"github.com/fornax-ml/fornax/tensor"
)

// A step is a contender that is a compiled function of tensors. Each call's
// result goes back to the device's pool before the next call, so that all calls write
// the same memory.
type step struct {
	f   *tensor.Compiled
	in  []*tensor.Tensor
	out []*tensor.Tensor // the last results; none where the function only sets a cell
	// first is read for the result where it is no result of the function.
	first func() ([]float32, error)
}

// newStep compiles f and calls it once.
func newStep(f func(in ...*tensor.Tensor) []*tensor.Tensor, in ...*tensor.Tensor) (*step, error) {
	s := &step{f: tensor.Compile(f), in: in}
	return s, s.call()
}

func (s *step) call() error {
	for _, t := range s.out {
		t.Free()
	}
	var err error
	s.out, err = s.f.Call(s.in...)
	return err
}

// run returns once the device has computed all n.
func (s *step) run(n int) (span, error) {
	return timed(1, func() error {
		for range n {
			if err := s.call(); err != nil {
				return err
			}
		}
		return s.in[0].Device().Sync(context.Background())
	})
}

func (s *step) at(elements []int) ([]float32, error) {
	read := s.first
	if read == nil {
		read = s.read
	}
	all, err := read()
	if err != nil {
		return nil, err
	}
	return (&call{result: all}).at(elements)
}

// read returns the results one behind the other.
func (s *step) read() (all []float32, err error) {
	for _, t := range s.out {
		x, err := tensor.Data[float32](t)
		if err != nil {
			return nil, err
		}
		all = append(all, x...)
	}
	return all, nil
}

func (s *step) close() {
	for _, t := range s.out {
		t.Free()
	}
	for _, t := range s.in {
		t.Free()
	}
}
