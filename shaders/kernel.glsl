// Everything that a kernel with a chain needs.

#include "reg.glsl"
#include "memory.glsl"
#include "int.glsl"
#include "cast.glsl"
#include "f32.glsl"
#include "half.glsl"
#include "math_f32.glsl"
#include "trig_f32.glsl"
#ifdef WIDE
#include "int64.glsl"
#include "f64.glsl"
#include "math_f64.glsl"
#endif
#include "dispatch.glsl"
