package shaders_test

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/fornax-ml/fornax/shaders"
	"github.com/fornax-ml/fornax/shaders/spirv"
)

// TestSharedBytes: what a tile of a product takes of shared memory, with the constants
// that say so and with the defaults.
func TestSharedBytes(t *testing.T) {
	set, err := shaders.Builtin()
	require.NoError(t, err)
	for name, c := range map[string]struct {
		spec map[uint32]uint32
		want int
	}{
		"matmul":          {map[uint32]uint32{1: 128, 2: 64, 3: 16}, 16 * (128 + 64 + 8) * 4},
		"matmul_wide":     {nil, 8 * (32 + 32 + 8) * 8},
		"matmul_direct":   {nil, 0},
		"matmul_coop_f16": {map[uint32]uint32{1: 2, 2: 2, 3: 4, 4: 4, 5: 32}, 128*5*16 + 32*17*16 + 4*16*16*4},
	} {
		m, ok := set.Module(name)
		require.True(t, ok, name)
		sm, err := spirv.Parse(m.Words())
		require.NoError(t, err)
		n, err := sm.SharedBytes(c.spec)
		require.NoError(t, err, name)
		assert.EqualValues(t, c.want, n, name)
	}
}

func TestBuiltin(t *testing.T) {
	set, err := shaders.Builtin()
	require.NoError(t, err)
	again, err := shaders.Builtin()
	require.NoError(t, err)
	assert.Same(t, set, again)
	for _, m := range set.Modules() {
		sm, err := spirv.Parse(m.Words())
		require.NoError(t, err, m.Name)
		assert.Equal(t, m.SPIRV, sm.Version.String(), m.Name)
		for _, f := range sm.Functions() {
			assert.NotEmpty(t, f.Name, "%s: run-time passes find functions by name", m.Name)
		}
		if m.Tier == 0 {
			assert.LessOrEqual(t, m.PushConstantBytes, uint32(128), m.Name)
			assert.Equal(t, "1.3", m.SPIRV, m.Name)
		}
	}
}
