// Package spirv reads and writes SPIR-V modules at the level of words.
//
// [Parse] checks the physical layout of a module and cuts it into
// instructions; [Module.Words] joins them again. In between a program may
// look at the instructions by section ([Module.Sections]), by function
// ([Module.Functions]), by name ([Module.Names]) or by type ([Module.Types]),
// and may replace, drop or add instructions. [Reflect] tells a compute
// module's interface: bindings, push constants, specialization constants,
// workgroup size, capabilities.
//
// The package is written for input that nobody has vouched for: a malformed
// module gives an error, never a panic, and never work or memory out of
// proportion to its size. It is not a validator: whether an instruction's
// operands mean something is for spirv-val to say.
//
// A pass that renames a function's callee reads like this:
//
//	m, err := spirv.Parse(words)
//	if err != nil { … }
//	from, to := m.FunctionNamed("relu"), m.FunctionNamed("gelu")
//	for i, in := range m.Insts {
//		if in.Op == spirv.OpFunctionCall && in.Words[2] == from.ID {
//			w := slices.Clone(in.Words) // Words share memory with the input
//			w[2] = to.ID
//			m.Insts[i].Words = w
//		}
//	}
//	out, err := m.Words()
//
// Source: Khronos, SPIR-V Specification, version 1.6, sections 2.3 (physical
// layout), 2.4 (logical layout), 2.17 (universal limits) and 3 (binary form).
package spirv
