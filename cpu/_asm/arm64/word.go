package arm64

import "fmt"

// A word is an instruction by its encoding, with its text in Arm's syntax. The
// encodings are those of the Arm Architecture Reference Manual, "Advanced SIMD
// data-processing": a pattern of fixed bits, the destination in bits 0 to 4, the
// first operand in bits 5 to 9, and the second in bits 16 to 20.
type word struct {
	bits uint32
	text string
}

// A form is the fixed bits of an instruction on whole vectors and the shapes of
// its operands.
type form struct {
	name     string
	bits     uint32
	dst, src string
}

// Instructions of three vectors.
var (
	fadd  = form{"fadd", 0x4e20d400, "4s", "4s"}
	fsub  = form{"fsub", 0x4ea0d400, "4s", "4s"}
	fmul  = form{"fmul", 0x6e20dc00, "4s", "4s"}
	fdiv  = form{"fdiv", 0x6e20fc00, "4s", "4s"}
	fmax  = form{"fmax", 0x4e20f400, "4s", "4s"}
	fmin  = form{"fmin", 0x4ea0f400, "4s", "4s"}
	fcmeq = form{"fcmeq", 0x4e20e400, "4s", "4s"}
	fcmge = form{"fcmge", 0x6e20e400, "4s", "4s"}
	fcmgt = form{"fcmgt", 0x6ea0e400, "4s", "4s"}

	faddDouble  = form{"fadd", 0x4e60d400, "2d", "2d"}
	fsubDouble  = form{"fsub", 0x4ee0d400, "2d", "2d"}
	fcmeqDouble = form{"fcmeq", 0x4e60e400, "2d", "2d"}
)

// Instructions of two vectors. Those with a 2 read the upper half, and faddp
// adds the two halves.
var (
	fabs   = form{"fabs", 0x4ea0f800, "4s", "4s"}
	fneg   = form{"fneg", 0x6ea0f800, "4s", "4s"}
	fsqrt  = form{"fsqrt", 0x6ea1f800, "4s", "4s"}
	frintn = form{"frintn", 0x4e218800, "4s", "4s"} // to nearest, ties to even
	frintm = form{"frintm", 0x4e219800, "4s", "4s"} // down
	frintp = form{"frintp", 0x4ea18800, "4s", "4s"} // up
	frintz = form{"frintz", 0x4ea19800, "4s", "4s"} // to zero
	fcvtns = form{"fcvtns", 0x4e21a800, "4s", "4s"} // to int32, as frintn
	scvtf  = form{"scvtf", 0x4e21d800, "4s", "4s"}  // from int32
	fcvtl  = form{"fcvtl", 0x0e617800, "2d", "2s"}
	fcvtl2 = form{"fcvtl2", 0x4e617800, "2d", "4s"}
	faddp  = form{"faddp", 0x7e70d800, "d", "2d"}
	not    = form{"not", 0x6e205800, "16b", "16b"}
)

// three is d = op(a, b).
func (o form) three(d, a, b vec) word {
	return word{o.bits | uint32(b)<<16 | uint32(a)<<5 | uint32(d), fmt.Sprintf("%s v%d.%s, v%d.%s, v%d.%s", o.name, d, o.dst, a, o.src, b, o.src)}
}

// two is d = op(a).
func (o form) two(d, a vec) word {
	dst := fmt.Sprintf("v%d.%s", d, o.dst)
	if o.dst == "d" {
		dst = fmt.Sprintf("d%d", d)
	}
	return word{o.bits | uint32(a)<<5 | uint32(d), fmt.Sprintf("%s %s, v%d.%s", o.name, dst, a, o.src)}
}

// sshr is d = a >> n with the sign kept; the field of the shift is 64 - n.
func sshr(d, a vec, n int) word {
	return word{0x4f000400 | uint32(64-n)<<16 | uint32(a)<<5 | uint32(d), fmt.Sprintf("sshr v%d.4s, v%d.4s, #%d", d, a, n)}
}

// fmlaLane is d += a·b[lane], rounded once. The lane's number is in bits 21 (the
// lower) and 11.
func fmlaLane(d, a, b vec, lane int) word {
	l := uint32(lane)
	return word{
		0x4f801000 | l&1<<21 | l>>1<<11 | uint32(b)<<16 | uint32(a)<<5 | uint32(d),
		fmt.Sprintf("fmla v%d.4s, v%d.4s, v%d.s[%d]", d, a, b, lane),
	}
}
