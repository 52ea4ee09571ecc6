// Shared between folders: found with -I.
#include "ops_more.glsl"
float apply(uint op, float a, float b) { return op == 0u ? add(a, b) : a * b; }
