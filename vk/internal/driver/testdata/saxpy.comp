#version 450
// y = a*x + y over n words, by descriptors. Constant 0: invocations a workgroup; constant 1: a.
layout(local_size_x_id = 0) in;
layout(constant_id = 1) const float a = 1;
layout(push_constant) uniform Push { uint n; };
layout(set = 0, binding = 0) readonly buffer X { float x[]; };
layout(set = 0, binding = 1) buffer Y { float y[]; };
void main() {
	uint i = gl_GlobalInvocationID.x;
	if (i < n) y[i] = a * x[i] + y[i];
}
