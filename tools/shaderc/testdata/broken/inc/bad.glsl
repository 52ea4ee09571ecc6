// The third line is wrong.
float good(float x) { return x; }
float bad(float x) { return x + missing; }
