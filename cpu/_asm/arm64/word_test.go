package arm64

import "testing"

// Encodings and texts are those that an assembler of Arm's syntax has for each
// other.
func TestWords(t *testing.T) {
	for _, c := range []struct {
		w    word
		bits uint32
		text string
	}{
		{fmlaLane(8, 1, 3, 0), 0x4f831028, "fmla v8.4s, v1.4s, v3.s[0]"},
		{fmlaLane(31, 2, 7, 3), 0x4fa7185f, "fmla v31.4s, v2.4s, v7.s[3]"},
		{fadd.three(1, 2, 3), 0x4e23d441, "fadd v1.4s, v2.4s, v3.4s"},
		{fsub.three(1, 2, 3), 0x4ea3d441, "fsub v1.4s, v2.4s, v3.4s"},
		{fmul.three(1, 2, 3), 0x6e23dc41, "fmul v1.4s, v2.4s, v3.4s"},
		{fdiv.three(1, 2, 3), 0x6e23fc41, "fdiv v1.4s, v2.4s, v3.4s"},
		{fmax.three(1, 2, 3), 0x4e23f441, "fmax v1.4s, v2.4s, v3.4s"},
		{fmin.three(1, 2, 3), 0x4ea3f441, "fmin v1.4s, v2.4s, v3.4s"},
		{fcmeq.three(1, 2, 3), 0x4e23e441, "fcmeq v1.4s, v2.4s, v3.4s"},
		{fcmge.three(1, 2, 3), 0x6e23e441, "fcmge v1.4s, v2.4s, v3.4s"},
		{fcmgt.three(1, 2, 3), 0x6ea3e441, "fcmgt v1.4s, v2.4s, v3.4s"},
		{faddDouble.three(1, 2, 3), 0x4e63d441, "fadd v1.2d, v2.2d, v3.2d"},
		{fsubDouble.three(1, 2, 3), 0x4ee3d441, "fsub v1.2d, v2.2d, v3.2d"},
		{fcmeqDouble.three(1, 2, 3), 0x4e63e441, "fcmeq v1.2d, v2.2d, v3.2d"},
		{fabs.two(1, 2), 0x4ea0f841, "fabs v1.4s, v2.4s"},
		{fneg.two(1, 2), 0x6ea0f841, "fneg v1.4s, v2.4s"},
		{fsqrt.two(1, 2), 0x6ea1f841, "fsqrt v1.4s, v2.4s"},
		{frintn.two(1, 2), 0x4e218841, "frintn v1.4s, v2.4s"},
		{frintm.two(1, 2), 0x4e219841, "frintm v1.4s, v2.4s"},
		{frintp.two(1, 2), 0x4ea18841, "frintp v1.4s, v2.4s"},
		{frintz.two(1, 2), 0x4ea19841, "frintz v1.4s, v2.4s"},
		{fcvtns.two(1, 2), 0x4e21a841, "fcvtns v1.4s, v2.4s"},
		{scvtf.two(1, 2), 0x4e21d841, "scvtf v1.4s, v2.4s"},
		{fcvtl.two(1, 2), 0x0e617841, "fcvtl v1.2d, v2.2s"},
		{fcvtl2.two(1, 2), 0x4e617841, "fcvtl2 v1.2d, v2.4s"},
		{faddp.two(1, 2), 0x7e70d841, "faddp d1, v2.2d"},
		{not.two(1, 2), 0x6e205841, "not v1.16b, v2.16b"},
		{sshr(1, 2, 1), 0x4f3f0441, "sshr v1.4s, v2.4s, #1"},
	} {
		if c.w.bits != c.bits || c.w.text != c.text {
			t.Errorf("%#08x %s, not %#08x %s", c.w.bits, c.w.text, c.bits, c.text)
		}
	}
}
