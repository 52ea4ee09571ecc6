// Shaderc compiles GLSL compute shaders to SPIR-V modules with a manifest that
// describes them, for fornax itself and for kernels of its users.
//
//	go run github.com/fornax-ml/fornax/tools/shaderc [flags] DIR
//
// It compiles every NAME.comp of DIR with the system's glslc or
// glslangValidator, validates the modules with spirv-val, compares their
// interfaces with what is declared beside the shader, and writes
// DIR/spv/NAME.spv and DIR/spv/manifest.json. Package shaders loads these:
//
//	//go:generate go run github.com/fornax-ml/fornax/tools/shaderc .
//	//go:embed all:spv
//	var files embed.FS
//
//	var set, err = shaders.Load(files)
//
// The flags and modes are told by shaderc -h.
//
// # Includes
//
// A shader that says
//
//	#extension GL_GOOGLE_include_directive : require
//	#include "ops.glsl"
//
// gets the file beside the one that includes it, or else in DIR, or else in the
// folders of -I, in this order. A path may lead down but not out of its folder.
// Put the name in quotes; glslangValidator knows no angle brackets.
//
// # Variants
//
// A shader makes one module with its own name, for Vulkan 1.1 and tier 0,
// unless NAME.variants.json lies beside it:
//
//	{
//	  "defaults": {
//	    "interface": 2,
//	    "defines": {"T": "float", "WIDE": "1"},
//	    "bindings": [
//	      {"set": 0, "binding": 0, "kind": "storage", "name": "Dst", "access": "w"},
//	      {"set": 0, "binding": 1, "kind": "storage", "optional": true}
//	    ],
//	    "push_constant_bytes": 16,
//	    "spec_constants": [
//	      {"id": 0, "type": "uint"},
//	      {"id": 1, "name": "SCALE", "type": "float", "default": 0.5}
//	    ],
//	    "local_size": ["id:0", 1, 1]
//	  },
//	  "variants": [
//	    {"suffix": ""},
//	    {"suffix": "_f16", "tier": 1, "defines": {"T": "float16_t", "WIDE": null}}
//	  ]
//	}
//
// Here scale.comp gives the modules scale and scale_f16. Every field may be
// left out:
//
//	suffix               added to the shader's name
//	defines              macros; "" defines without a value, null takes a default's away
//	target               "vulkan1.1" (SPIR-V 1.3) and so on, for compiler and validator
//	spirv                SPIR-V version, when not the target's own
//	tier                 0 to 3, what the device must offer (see package shaders)
//	interface            a number that the author raises when host code must change too
//	bindings             all descriptors: set, binding, kind (storage, uniform, image,
//	                     sampler, sampled_image, other), name, count, access (r, w, rw),
//	                     optional
//	push_constant_bytes  the end of the block's last member, rounded up to 4
//	spec_constants       all specialization constants: id, name, type (bool, int, uint,
//	                     float, uint16, int64, double, …), default, optional
//	local_size           three sizes, "id:N" for specialization constant N
//
// A variant's field replaces the default; only defines are joined. What is
// declared must be what the module has: a binding too many, too few or of
// another kind is an error. Compilers leave out what a shader does not use;
// "optional" says that this may happen.
//
// The tier is checked as well: a tier 0 module that asks for 16-bit storage or
// subgroup operations, or a tier 1 module with cooperative matrices, is an
// error. A tier 0 module that needs more buffers, push constants or invocations
// than every Vulkan device has gives a warning.
//
// # Manifest
//
// The manifest lists for each module its sources' hash (with all includes, the
// defines and the options), the compiler and its version, and the reflected
// interface; [github.com/fornax-ml/fornax/shaders.Module] is its schema. A
// module:
//
//	{
//	  "name": "scale_f16", "file": "scale_f16.spv", "source": "scale.comp",
//	  "tier": 1, "interface": 2, "target": "vulkan1.1", "spirv": "1.3",
//	  "defines": ["T=float16_t"],
//	  "compiler": {"name": "glslc", "version": "shaderc 2023.2, …"},
//	  "source_sha256": "…", "inputs": [{"file": "scale.comp", "sha256": "…"}, …],
//	  "sha256": "…", "size": 1712, "entry_point": "main",
//	  "local_size": [{"size": 1, "spec_id": 0}, {"size": 1}, {"size": 1}],
//	  "bindings": [{"set": 0, "binding": 0, "kind": "storage", "name": "Dst", "count": 1,
//	    "bytes": 0, "runtime": true, "access": "w"}, …],
//	  "push_constant_bytes": 16, "spec_constants": […], "capabilities": ["Shader"], "extensions": []
//	}
//
// # Reproducible modules
//
// Sources are read once, line ends made LF, and laid out in a temporary folder
// in which the compiler runs with relative paths and an environment of a few
// variables. So the same compiler gives the same bytes on every machine, and
// -verify can prove it. Nothing is optimised or stripped: fornax finds functions
// by their OpName at run time, and spirv-opt breaks cooperative matrices.
package main
