#version 450
#extension GL_EXT_buffer_reference : require
#extension GL_EXT_buffer_reference_uvec2 : require
// y = a*x + y over n words, by device addresses. Constants as in saxpy.comp.
layout(local_size_x_id = 0) in;
layout(constant_id = 1) const float a = 1;
layout(buffer_reference, std430, buffer_reference_align = 4) buffer Floats { float v[]; };
layout(push_constant) uniform Push { Floats x; Floats y; uint n; };
void main() {
	uint i = gl_GlobalInvocationID.x;
	if (i < n) y.v[i] = a * x.v[i] + y.v[i];
}
