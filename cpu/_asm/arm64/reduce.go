package arm64

import "math"

// sumRun is the length of the runs that sums add in float32 (subRun of package
// cpu).
const sumRun = 256

func emitReduce(f *file) {
	f.rowSum()
	f.colFlush()
	f.rowFold("Max", "maxima", math.Inf(-1), fmax)
	f.rowFold("Min", "minima", math.Inf(1), fmin)
}

// rowSum writes the sums of runs of 256 elements, the last one shorter, as
// float64. A run is added in 32 lanes: eight vectors, which are added to two, whose
// eight lanes are added in float64. What is left below 32 goes by eight to the
// first lanes on, and the last seven or fewer to the last eight lanes. That is the
// order of the level avx2.
func (f *file) rowSum() {
	f.begin("writes the sums of runs of 256 of n elements as float64.", "rowSumNEON", "dst", "unsafe.Pointer", "a", "unsafe.Pointer", "n", "int")
	const dst, src, n, left, most reg = 0, 1, 2, 3, 4
	const x vec = 16 // what is loaded: up to V23
	f.load("dst", dst)
	f.load("a", src)
	f.load("n", n)
	f.op("MOVD", "$%d, %v", sumRun, most)
	f.label("run")
	for j := range vec(8) {
		f.zero(j)
	}
	f.op("CMP", "%v, %v", most, n)
	f.op("CSEL", "LT, %v, %v, %v", n, most, left)
	f.op("SUB", "%v, %v", left, n)
	f.op("SUBS", "$32, %v", left)
	f.op("BLT", "short")
	f.label("loop")
	for half := range vec(2) {
		f.op("VLD1.P", "64(%v), %s", src, (x + 4*half).list(4))
	}
	for j := range vec(8) {
		f.raw(fadd.three(j, j, x+j))
	}
	f.op("SUBS", "$32, %v", left)
	f.op("BGE", "loop")
	f.label("short")
	f.op("ADDS", "$32, %v", left)
	f.op("BEQ", "total")
	for j := vec(0); j < 6; j += 2 {
		f.op("CMP", "$8, %v", left)
		f.op("BLT", "last")
		f.op("VLD1.P", "32(%v), %s", src, x.list(2))
		f.raw(fadd.three(j, j, x))
		f.raw(fadd.three(j+1, j+1, x+1))
		f.op("SUB", "$8, %v", left)
	}
	f.label("last")
	f.zero(x)
	f.zero(x + 1)
	f.op("CMP", "$4, %v", left)
	f.op("BLT", "few")
	f.op("FMOVQ.P", "16(%v), %s", src, x.f())
	f.op("SUBS", "$4, %v", left)
	f.op("BEQ", "add")
	f.partialLoad("part", src, left, x+1)
	f.op("B", "add")
	f.label("few")
	f.op("CBZ", "%v, total", left)
	f.partialLoad("part_few", src, left, x)
	f.label("add")
	f.raw(fadd.three(6, 6, x))
	f.raw(fadd.three(7, 7, x+1))
	f.label("total")
	for step := vec(4); step > 1; step /= 2 {
		for j := range step {
			f.raw(fadd.three(j, j, j+step))
		}
	}
	for j := range vec(2) {
		f.raw(fcvtl.two(4+2*j, j))
		f.raw(fcvtl2.two(5+2*j, j))
	}
	f.raw(faddDouble.three(4, 4, 6))
	f.raw(faddDouble.three(5, 5, 7))
	f.raw(faddDouble.three(4, 4, 5))
	f.raw(faddp.two(4, 4))
	f.op("FMOVD.P", "F4, 8(%v)", dst)
	f.op("CBNZ", "%v, run", n)
	f.ret()
}

// partialLoad loads the one to three elements at p into the lowest lanes of v; the
// others are 0.
func (f *file) partialLoad(label string, p, n reg, v vec) {
	f.op("FMOVS", "(%v), %s", p, v.f())
	f.op("CMP", "$2, %v", n)
	f.op("BLT", "%s", label)
	f.op("ADD", "$4, %v", p)
	f.op("VLD1.P", "4(%v), V%d.S[1]", p, int(v))
	f.op("BEQ", "%s", label)
	f.op("VLD1", "(%v), V%d.S[2]", p, int(v))
	f.label("%s", label)
}

// rowFold writes 16 lanes, each folded over every sixteenth element.
func (f *file) rowFold(name, doc string, unit float64, fold form) {
	f.begin("writes the lanes' "+doc+", 16 of them, of n elements.", "row"+name+"NEON", "dst", "unsafe.Pointer", "a", "unsafe.Pointer", "n", "int")
	const dst, src, n, bits reg = 0, 1, 2, 3
	const x vec = 4
	f.load("dst", dst)
	f.load("a", src)
	f.load("n", n)
	f.op("MOVW", "$0x%x, %v", math.Float32bits(float32(unit)), bits)
	for j := range vec(4) {
		f.op("VDUP", "%v, %s", bits, j.s())
	}
	f.op("SUBS", "$16, %v", n)
	f.op("BLT", "rest")
	f.label("loop")
	f.op("VLD1.P", "64(%v), %s", src, x.list(4))
	for j := range vec(4) {
		f.raw(fold.three(j, j, x+j))
	}
	f.op("SUBS", "$16, %v", n)
	f.op("BGE", "loop")
	f.label("rest")
	f.op("ADDS", "$16, %v", n)
	f.op("BEQ", "done")
	f.label("one")
	f.op("VLD1R.P", "4(%v), %s", src, x.list(1))
	f.raw(fold.three(0, 0, x))
	f.op("SUBS", "$1, %v", n)
	f.op("BNE", "one")
	f.label("done")
	f.op("VST1", "%s, (%v)", vec(0).list(4), dst)
	f.ret()
}

// colFlush adds n float32 totals at a to float64 sums, the rounding errors to
// float64 rests, and clears the totals; n is a multiple of 4. The error of a sum,
// by Knuth's TwoSum, is exact; where it is not a number, for the sum is infinite,
// it is left out.
func (f *file) colFlush() {
	f.begin("adds n float32 at a to float64 sums and rests, and clears them.", "colFlushNEON", "sums", "unsafe.Pointer", "rests", "unsafe.Pointer", "a", "unsafe.Pointer", "n", "int")
	const sums, rests, src, n reg = 0, 1, 2, 3
	const x, zeros vec = 0, 31
	f.load("sums", sums)
	f.load("rests", rests)
	f.load("a", src)
	f.load("n", n)
	f.zero(zeros)
	f.label("loop")
	f.op("FMOVQ", "(%v), %s", src, x.f())
	f.op("VLD1", "(%v), [V2.D2, V3.D2]", sums)
	f.op("VLD1", "(%v), [V4.D2, V5.D2]", rests)
	f.raw(fcvtl2.two(1, x))
	f.raw(fcvtl.two(0, x))
	for i := range vec(2) {
		v, s, rest, t, d, e := i, 2+i, 4+i, 6+i, 8+i, 10+i
		f.raw(faddDouble.three(t, s, v))
		f.raw(fsubDouble.three(d, t, s))
		f.raw(fsubDouble.three(e, t, d))
		f.raw(fsubDouble.three(e, s, e)) // s - (t - (t - s))
		f.raw(fsubDouble.three(d, v, d))
		f.raw(faddDouble.three(e, e, d))
		f.raw(fcmeqDouble.three(d, e, e))
		f.op("VAND", "%s, %s, %s", d.b(), e.b(), e.b())
		f.raw(faddDouble.three(rest, rest, e))
	}
	f.op("FMOVQ.P", "%s, 16(%v)", zeros.f(), src)
	f.op("VST1.P", "[V6.D2, V7.D2], 32(%v)", sums)
	f.op("VST1.P", "[V4.D2, V5.D2], 32(%v)", rests)
	f.op("SUBS", "$4, %v", n)
	f.op("BNE", "loop")
	f.ret()
}
