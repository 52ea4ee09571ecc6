// Package splice makes kernels concrete. Shaders are compiled with template
// functions in them; a [Template] takes a module apart once, and [Template.Build]
// gives each template function a body of straight-line calls to the module's
// other functions, and drops whatever main no longer reaches: functions, types,
// constants, variables, names, decorations and capabilities. The driver sees
// code without a switch over ops, and the GLSL stays the only source of what an
// op means.
//
// It works on what glslang writes without optimisation: functions carry their
// names in OpName, and const parameters are passed by value.
package splice
