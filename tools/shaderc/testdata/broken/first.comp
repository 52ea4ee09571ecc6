#version 450
#extension GL_GOOGLE_include_directive : require
#include "inc/bad.glsl"
void main() { bad(1.0); }
