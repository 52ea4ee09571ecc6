#version 450
// y[i] = x[i]*scale, with x and y dynamic storage buffers and scale in a dynamic uniform buffer.
layout(local_size_x = 64) in;
layout(set = 0, binding = 0) readonly buffer X { uint x[]; };
layout(set = 0, binding = 1) writeonly buffer Y { uint y[]; };
layout(set = 0, binding = 2) uniform P { uint n; uint scale; };
void main() {
	uint i = gl_GlobalInvocationID.x;
	if (i < n) y[i] = x[i] * scale;
}
