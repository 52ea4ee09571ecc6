package gauge

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/fornax-ml/fornax/tensor/ir"
	"github.com/fornax-ml/fornax/tensor/ir/ref"
)

// The programs are right, and compute what their operations are counted for.
func TestPrograms(t *testing.T) {
	for _, n := range []int{1, 256, 1000} {
		require.NoError(t, Copy(n).Check())
		p := Arithmetic(n)
		require.NoError(t, p.Check())
		out, err := ref.Run(p, nil, nil)
		require.NoError(t, err)
		// x = (…((i·½)+½)·½…)+½ ends near 1 for every i.
		require.InDelta(t, 256, out[0].F[0], 1)
	}
	p := Dependent(5)
	require.NoError(t, p.Check())
	out, err := ref.Run(p, []ref.Values{{DType: ir.F32, F: []float64{3}}}, nil)
	require.NoError(t, err)
	require.Equal(t, 3.0, out[4].F[0])
	in := Arithmetic(1).Instrs[0].(*ir.Reduce)
	ops := 0
	for _, s := range in.Pre {
		if s.Op == ir.OpMul || s.Op == ir.OpAdd {
			ops++
		}
	}
	require.Equal(t, Operations, ops)
}

// Measure gives positive figures of any device, within its time, and passes errors on.
func TestMeasure(t *testing.T) {
	d := ref.NewDevice()
	f, err := Measure(context.Background(), d, 60*time.Millisecond)
	require.NoError(t, err)
	require.Positive(t, f.Latency)
	require.Positive(t, f.Bandwidth)
	require.Positive(t, f.Rate)
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	_, err = Measure(ctx, d, time.Millisecond)
	require.ErrorIs(t, err, context.Canceled)
}
