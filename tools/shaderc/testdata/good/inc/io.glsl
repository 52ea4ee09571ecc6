layout(std430, set = 0, binding = 0) writeonly buffer Dst { T dst[]; };
layout(std430, set = 0, binding = 1) readonly buffer Src { T src[]; };
