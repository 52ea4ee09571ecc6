package auto_test

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/fornax-ml/fornax/cpu"
	"github.com/fornax-ml/fornax/tensor"
	"github.com/fornax-ml/fornax/tensor/ir/auto"
)

// TestMemoryIsThatOfAMember: a program is planned with the memory of the member that has
// most, one that fits there runs there, and what is in use counts on all.
func TestMemoryIsThatOfAMember(t *testing.T) {
	d := tensor.New(newAuto(t, auto.Options{}, cpu.New(cpu.Options{MemoryBytes: 4 << 20}), cpu.New(cpu.Options{MemoryBytes: 32 << 20})))
	y := tensor.Ones(d, 1<<18).Expand(8, 1<<18).Exp() // 8 MiB
	m, err := tensor.Plan(y)
	require.NoError(t, err)
	require.NoError(t, m.Err())
	assert.Equal(t, 32<<20, m.Room)
	assert.Equal(t, 8<<20, m.Outputs)
	require.NoError(t, tensor.Eval(y))
	assert.GreaterOrEqual(t, d.Stats().UsedBytes, 8<<20)
	m, err = tensor.Plan(y.Reshape(1, 8, 1<<18).Expand(8, 8, 1<<18).Exp())
	require.NoError(t, err)
	require.Error(t, m.Err())
}
