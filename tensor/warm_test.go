package tensor

import (
	"testing"

	"github.com/stretchr/testify/require"
)

// TestWarm: a step that ran twice remembers what its cells hold, whatever their memory does,
// until something else happens to one of them; other steps with the cells do not matter.
func TestWarm(t *testing.T) {
	d, err := Open("cpu")
	require.NoError(t, err)
	a, h := NewCell(Ones(d, 4)), NewCell(Ones(d, 4))
	train := Compile(func(in ...*Tensor) []*Tensor {
		a.Set(a.Read().Add(in[0]))
		h.Set(h.Read().Flip(0).Add(in[0]))
		return []*Tensor{a.Read().Sum()}
	})
	eval := Compile(func(in ...*Tensor) []*Tensor { return []*Tensor{a.Read().Mul(in[0])} })
	other := Compile(func(...*Tensor) []*Tensor {
		a.Set(a.Read().MulScalar(2))
		return nil
	})
	x := Ones(d, 4)
	call := func(c *Compiled) *replay {
		var in []*Tensor
		if c != other {
			in = []*Tensor{x}
		}
		_, err := c.Call(in...)
		require.NoError(t, err)
		return c.traces[0].list[0]
	}
	for _, disturb := range []func(){
		func() {},
		func() { a.Read() },
		func() { a.Value() },
		func() { a.SetScalar(1) },
		func() { h.Set(h.Read().AddScalar(1)) },
	} {
		disturb()
		for range 3 {
			call(train)
			call(eval)
			call(other)
		}
		b := call(train).warm
		require.NotNil(t, b)
		require.Equal(t, []int{1}, b.moved, "h alone has other memory after each run")
		require.NotNil(t, call(eval).warm)
		require.NotNil(t, call(other).warm)
		require.Same(t, b, call(train).warm)
	}
	require.Same(t, a.held(), h.held(), "cells of one step have one lock")
	a.Read().Free()
	_, err = eval.Call(x)
	require.ErrorIs(t, err, ErrFreed)
}
