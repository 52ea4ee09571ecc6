#version 450
// Gated linear unit: y[i] = a[i]·σ(b[i]), elementwise over N numbers.
//
// Specialization constant 0: invocations a workgroup. Push constant: N.

layout(local_size_x_id = 0) in;

layout(set = 0, binding = 0, std430) readonly buffer A { float a[]; };
layout(set = 0, binding = 1, std430) readonly buffer B { float b[]; };
layout(set = 0, binding = 2, std430) writeonly buffer Y { float y[]; };

layout(push_constant) uniform Params { uint n; };

void main() {
	// Workgroups beyond 65,535 on the first axis go to the second.
	uint i = (gl_WorkGroupID.y * gl_NumWorkGroups.x + gl_WorkGroupID.x) * gl_WorkGroupSize.x + gl_LocalInvocationID.x;
	if (i < n) y[i] = a[i] / (1.0 + exp(-b[i]));
}
