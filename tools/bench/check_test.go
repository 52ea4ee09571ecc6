package main

import (
	"math"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestSpread(t *testing.T) {
	require.Equal(t, []int{0}, spread(1, 64))
	require.Equal(t, []int{0, 1, 2}, spread(3, 64))
	l := spread(1<<24, 64)
	require.Len(t, l, 64)
	require.Equal(t, 0, l[0])
	require.Equal(t, 1<<24-1, l[63])
}

// Each wrong element of a small product is found, and a small error of a long
// sum.
func TestCheckFindsPlantedErrors(t *testing.T) {
	for _, p := range []product{{7, 5, 9, false, false}, {4, 33, 6, true, false}, {3, 2, 5, false, true}, {6, 4096, 2, true, true}} {
		a, b, c := p.operands()
		gonumProduct(p, a, b, c)
		r := p.reference(a, b)
		require.NoError(t, r.check(&call{result: c}, false), "%v", p)
		for i := range c {
			for _, wrong := range []float32{c[i] + 1e-3, -c[i] - 1e-2, float32(math.NaN()), float32(math.Inf(1))} {
				was := c[i]
				c[i] = wrong
				require.ErrorContains(t, r.check(&call{result: c}, false), "wrong result", "%v, element %d is %v", p, i, wrong)
				c[i] = was
			}
		}
		require.ErrorContains(t, r.check(&scripted{value: c[1:]}, false), "elements")
		c[0]++
		require.ErrorContains(t, r.check(&call{result: c}, true), "element 0 is", "a peer's")
	}
}

// A large product is looked at in places.
func TestCheckOfLargeProduct(t *testing.T) {
	p := product{m: 300, k: 1 << 14, n: 200}
	r := p.reference(nil, nil)
	require.Len(t, r.elements, 2048)
	require.Equal(t, p.m*p.n-1, r.elements[2047])
}

func TestMemoryReferences(t *testing.T) {
	const rows, cols = 3, 4
	for _, op := range memoryOps {
		x, y := fill(rows*cols, 1, op.scale), fill(rows*cols, 2, op.scale)
		if op.inputs == 1 {
			y = nil
		}
		r := op.want(x, y, rows, cols)
		got := make([]float32, r.n)
		for i := range got {
			v, tolerance := r.want(i)
			require.False(t, math.IsNaN(v), "%s", op.name)
			require.LessOrEqual(t, tolerance, 1e-3, "%s", op.name)
			got[i] = float32(v)
		}
		require.NoError(t, r.check(&call{result: got}, false), "%s", op.name)
		got[r.n-1] += 0.01
		require.Error(t, r.check(&call{result: got}, false), "%s", op.name)
	}
	sum := wantSum(func(rows, cols int) (int, int, int, int) { return cols, 1, rows, cols })([]float32{1, 2, 3, 4, 5, 6}, nil, 2, 3)
	for i, want := range []float64{5, 7, 9} {
		v, _ := sum.want(i)
		require.Equal(t, want, v)
	}
	v, _ := wantTranspose([]float32{1, 2, 3, 4, 5, 6}, nil, 2, 3).want(1)
	require.Equal(t, 4.0, v)
}

// The reference's gradients are those of its loss: each step of Adam moves a
// parameter by about the rate against its gradient, so the loss falls.
func TestMLPReference(t *testing.T) {
	m := mlp{batch: 16, widths: []int{12, 9, 7, 4}}
	losses := m.reference().losses
	require.Len(t, losses, checkedLosses)
	require.InDelta(t, math.Log(4), losses[0], 0.3)
	require.Less(t, losses[1], losses[0])
	require.Less(t, losses[2], losses[1])
}
