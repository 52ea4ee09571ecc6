package shaders_test

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/fornax-ml/fornax/shaders"
	"github.com/fornax-ml/fornax/shaders/spirv"
)

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
