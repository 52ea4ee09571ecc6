package main

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/fornax-ml/fornax/shaders"
)

func TestFitsTier(t *testing.T) {
	for capability, least := range map[string]int{
		"Shader": 0, "Float16": 1, "GroupNonUniformArithmetic": 1, "StorageBuffer16BitAccess": 1,
		"CooperativeMatrixKHR": 2, "BFloat16CooperativeMatrixKHR": 2, "CooperativeMatrixReductionsNV": 3, "TensorAddressingNV": 3,
	} {
		for tier := range shaders.MaxTier + 1 {
			assert.Equal(t, tier >= least, fitsTier(capability, tier), "%s in tier %d", capability, tier)
		}
	}
}

func TestTierIsChecked(t *testing.T) {
	compilers(t)
	dir, inc := workspace(t)
	edit(t, dir+"/scale.variants.json", `"tier": 1`, `"tier": 0`)
	assert.Regexp(t, `scale\.variants\.json:19: module scale_f16: capability StorageBuffer16BitAccess does not belong to tier 0`, fails(t, inc, dir))
}

func TestLimitsAreWarnings(t *testing.T) {
	compilers(t)
	dir := t.TempDir()
	require.NoError(t, os.WriteFile(filepath.Join(dir, "a.comp"), []byte(`#version 450
layout(local_size_x = 256) in;
layout(std430, binding = 0) buffer A { float x[]; } a[5];
void main() { a[0].x[0] = 1.0; }
`), 0o644))
	status, _, stderr := call(dir)
	assert.Equal(t, exitOK, status, "%s", stderr)
	assert.Contains(t, stderr, "a.comp: warning: module a: 5 storage buffers, Vulkan guarantees 4\n")
	assert.Contains(t, stderr, "256 invocations in a workgroup")
}

func TestScalarLayoutValidates(t *testing.T) {
	compilers(t)
	dir := t.TempDir()
	require.NoError(t, os.WriteFile(filepath.Join(dir, "a.comp"), []byte(`#version 450
#extension GL_EXT_scalar_block_layout : require
layout(local_size_x = 1) in;
layout(scalar, binding = 0) buffer A { float x; vec3 v[]; } a;
void main() { a.v[0] = vec3(a.x); }
`), 0o644))
	ok(t, dir)
}
