// Package shaders holds compute kernels as SPIR-V modules with a manifest that
// describes them, as the command tools/shaderc writes them.
//
// [Builtin] gives fornax's own modules. A program with kernels of its own
// compiles them with the same command and embeds the result:
//
//	//go:generate go run github.com/fornax-ml/fornax/tools/shaderc .
//	//go:embed all:spv
//	var files embed.FS
//
//	set, err := shaders.Load(files)
//	…
//	m, ok := set.Module("scale_f16")
//	words := m.Words() // for vkCreateShaderModule
//
// Load trusts nothing: sizes and hashes are compared with the manifest, so a
// module that was built from other sources than its neighbours, or was damaged,
// is found at start and not on the device.
//
// The modules of tiers 2 and 3 (matmul_coop*) need a compiler that knows
// GL_KHR_cooperative_matrix, GL_NV_cooperative_matrix2 and GL_EXT_bfloat16, such as glslc 2026.4; others may be older.
// Where a source of those changed they are built first, by the newer tools:
//
//	go run ./tools/shaderc -only 'matmul_coop*' -compiler /opt/new/glslc -val /opt/new/spirv-val shaders
//
// The package imports only the standard library. The reader of SPIR-V is
// package shaders/spirv.
package shaders
