package tensor_test

import (
	"errors"
	"math"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/fornax-ml/fornax/cpu"
	"github.com/fornax-ml/fornax/tensor"
	"github.com/fornax-ml/fornax/tensor/ir"
)

// TestPlanGivesFigures: inputs that are there, outputs and temporaries each count once,
// and nothing is computed.
func TestPlanGivesFigures(t *testing.T) {
	dev := cpu.New(cpu.Options{MemoryBytes: 64 << 20})
	d := tensor.New(dev)
	defer d.Close()
	x, other := tensor.Ones(d, 1<<16), tensor.Ones(d, 1<<17)
	require.NoError(t, tensor.Eval(x, other))
	y := x.MulScalar(2)
	runs := d.Stats().Runs
	m, err := tensor.Plan(y.Flip(0).Add(y.Reshape(1<<8, 1<<8).T().Reshape(1 << 16)))
	require.NoError(t, err)
	assert.Equal(t, runs, d.Stats().Runs)
	assert.Equal(t, 1<<18, m.Inputs)
	assert.Equal(t, 1<<18, m.Outputs)
	assert.Equal(t, 1<<19, m.Others)
	assert.Equal(t, m.Inputs+m.Outputs+m.Work+m.Others, m.Peak())
	assert.Equal(t, 64<<20, m.Room)
	assert.NoError(t, m.Err())
	assert.Contains(t, m.String(), "others 512.0 KiB")
	assert.NotEmpty(t, m.Program)
	_, err = tensor.Plan()
	assert.Error(t, err)

	cell := tensor.NewCell(tensor.Ones(d, 1<<10)) // whose first value is computed before
	m, err = tensor.Plan(cell.Value().MulScalar(2))
	require.NoError(t, err)
	assert.Equal(t, 4<<10, m.Inputs)
	assert.Equal(t, 4<<10, m.Outputs)
}

// TestOutOfMemoryExplains: an evaluation that does not fit says what it needs, and what
// was there stays.
func TestOutOfMemoryExplains(t *testing.T) {
	d := tensor.New(cpu.New(cpu.Options{MemoryBytes: 4 << 20}))
	defer d.Close()
	x := tensor.Ones(d, 1<<18)
	require.NoError(t, tensor.Eval(x))
	err := tensor.Eval(x.Expand(16, 1<<18).Exp())
	var e *tensor.OutOfMemoryError
	require.True(t, errors.As(err, &e), "%v", err)
	require.ErrorIs(t, err, ir.ErrOutOfMemory)
	assert.Equal(t, 1<<20, e.Plan.Inputs)
	assert.Equal(t, 16<<20, e.Plan.Outputs)
	assert.Error(t, e.Plan.Err())
	v, err := x.Sum().Item()
	require.NoError(t, err)
	assert.InDelta(t, 1<<18, v, 0)
}

func TestLargestBatch(t *testing.T) {
	calls := 0
	planned := func(each, room int) func(int) (*tensor.MemoryPlan, error) {
		return func(n int) (*tensor.MemoryPlan, error) {
			calls++
			return &tensor.MemoryPlan{Work: each * n, Inputs: 5, Room: room}, nil
		}
	}
	for _, c := range []struct{ each, room, most, want int }{
		{10, 1234, 1 << 30, 122}, {10, 1234, 100, 100}, {10, 1234, 122, 122}, {10, 14, 50, 0}, {10, 15, 50, 1}, {1, 0, 77, 77}, {1, 1<<29 + 5, 1 << 30, 1 << 29},
		{1 << 10, 1 << 20, math.MaxInt, 1023},
	} {
		calls = 0
		n, m, err := tensor.LargestBatch(c.most, planned(c.each, c.room))
		require.NoError(t, err)
		assert.Equal(t, c.want, n, "%+v", c)
		assert.Equal(t, c.each*max(n, 1), m.Work)
		assert.LessOrEqual(t, calls, 90)
	}
	_, _, err := tensor.LargestBatch(0, planned(1, 1))
	require.Error(t, err)
	n, _, err := tensor.LargestBatch(1000, func(n int) (*tensor.MemoryPlan, error) {
		if n > 33 {
			return nil, &ir.UnsupportedError{Reason: "too many positions"}
		}
		return &tensor.MemoryPlan{}, nil
	})
	require.NoError(t, err)
	assert.Equal(t, 33, n)
	wrong := errors.New("wrong")
	_, _, err = tensor.LargestBatch(9, func(n int) (*tensor.MemoryPlan, error) {
		if n > 3 {
			return nil, wrong
		}
		return &tensor.MemoryPlan{}, nil
	})
	require.ErrorIs(t, err, wrong)
}
