#version 450
#extension GL_GOOGLE_include_directive : require
#ifdef HALF
#extension GL_EXT_shader_16bit_storage : require
#endif
#include "inc/io.glsl"
#include "ops.glsl"
layout(local_size_x_id = 0) in;
layout(constant_id = 1) const float SCALE = 0.5;
layout(push_constant) uniform Push { uint n; uint op; } push;
void main() {
    uint i = gl_GlobalInvocationID.x;
    if (i < push.n) dst[i] = T(apply(push.op, float(src[i]), SCALE));
}
