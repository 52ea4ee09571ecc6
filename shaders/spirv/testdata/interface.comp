#version 450
// A kernel that shows one of everything that Reflect reports.
layout(local_size_x_id = 0, local_size_y = 2) in;
layout(constant_id = 1) const uint OP = 7;
layout(constant_id = 2) const float SCALE = -2.5;
layout(constant_id = 3) const bool FLAG = true;
layout(constant_id = 4) const int SHIFT = -3;

layout(std430, set = 0, binding = 0) buffer Dst { uint count; float dst[]; };
layout(std430, set = 0, binding = 1) readonly buffer Src { float src[]; } srcs[2];
layout(std430, set = 0, binding = 1) readonly buffer SrcVec { vec4 src[]; } vecs[2];
layout(std430, set = 0, binding = 2) writeonly buffer Log { uint log[]; };
layout(std140, set = 1, binding = 3) uniform Params { vec4 a; mat3 m; } params;
layout(push_constant) uniform Push { uint n; uint off[3]; layout(row_major) mat2x3 q; vec3 v; } push;

float apply(uint op, float a, float b) { return op == 7 ? a + b : a * b; }
float scale(float a) { return a * SCALE; }

void main() {
    uint i = gl_GlobalInvocationID.x;
    if (i >= push.n || !FLAG) return;
    dst[i] = apply(OP, srcs[0].src[i] + vecs[1].src[i].x, scale(params.a.x)) + push.q[0][0] + push.v.x;
    log[i] = uint(SHIFT) + push.off[1];
    count = gl_WorkGroupSize.x;
}
