package arm64

import "fmt"

// emitAxpy writes y[n] += Σ_k x[k]·B[k, n], eight rows of B at a time: a chain
// of fused multiply-adds in order of k for each element. Columns go by 16, by 4
// and one by one.
func emitAxpy(f *file) {
	f.begin("adds the product of a vector and a matrix to y; see axpyArgs.", "axpyNEON", "args", "*axpyArgs")
	const args, xs, bs, k, x, b, y, n, row reg = 0, 1, 2, 3, 4, 5, 6, 7, 8 // rows of B: from R8 to R15
	const firstX vec = 16
	f.load("args", args)
	f.field(args, "axpyArgs_xs", xs)
	f.field(args, "axpyArgs_bs", bs)
	f.field(args, "axpyArgs_k", k)
	f.field(args, "axpyArgs_x", x)
	f.field(args, "axpyArgs_b", b)
	for _, rows := range []int{8, 1} {
		label := fmt.Sprintf("rows%d", rows)
		f.label("%s", label)
		f.op("CMP", "$%d, %v", rows, k)
		f.op("BLT", "%s_end", label)
		for i := range rows {
			f.op("FMOVS", "(%v), %s", x, (firstX + vec(i)).f())
			f.op("ADD", "%v, %v", xs, x)
			f.op("MOVD", "%v, %v", b, row+reg(i))
			f.op("ADD", "%v, %v", bs, b)
		}
		f.field(args, "axpyArgs_y", y)
		f.field(args, "axpyArgs_n", n)
		for _, cols := range []int{16, 4, 1} {
			l := fmt.Sprintf("%s_cols%d", label, cols)
			f.op("SUBS", "$%d, %v", cols, n)
			f.op("BLT", "%s_end", l)
			f.label("%s", l)
			f.loadColumns(y, 0, cols, false)
			for i := range rows {
				first := 4 + vec(i%2*4)
				f.loadColumns(row+reg(i), first, cols, true)
				for j := range vec((cols + 3) / 4) {
					f.raw(fmlaLane(j, first+j, firstX+vec(i), 0))
				}
			}
			if cols == 1 {
				f.op("FMOVS.P", "F0, 4(%v)", y)
			} else {
				f.op("VST1.P", "%s, %d(%v)", vec(0).list(cols/4), 4*cols, y)
			}
			f.op("SUBS", "$%d, %v", cols, n)
			f.op("BGE", "%s", l)
			f.label("%s_end", l)
			f.op("ADD", "$%d, %v", cols, n)
		}
		f.op("SUB", "$%d, %v", rows, k)
		f.op("B", "%s", label)
		f.label("%s_end", label)
	}
	f.ret()
}

// loadColumns loads vectors from first on, or one number, and moves p past them
// where next is set.
func (f *file) loadColumns(p reg, first vec, cols int, next bool) {
	suffix, disp := "", ""
	if next {
		suffix, disp = ".P", fmt.Sprint(4*cols)
	}
	if cols == 1 {
		f.op("FMOVS"+suffix, "%s(%v), %s", disp, p, first.f())
		return
	}
	f.op("VLD1"+suffix, "%s(%v), %s", disp, p, first.list(cols/4))
}

// emitPeak writes a loop of fused multiply-adds on registers, to measure what
// the processor can do: rounds of 12 on one half of the registers and the other.
func emitPeak(f *file) {
	const chains = 12
	f.begin(fmt.Sprintf("does n rounds of %d fused multiply-adds on vectors of 4.", chains), "peakNEON", "n", "int")
	const n reg = 0
	f.load("n", n)
	for i := range vec(2*chains + 1) {
		f.zero(i)
	}
	f.label("loop")
	for half := range vec(2) {
		for i := range vec(chains) {
			x := vec(2 * chains).s()
			f.op("VFMLA", "%s, %s, %s", x, x, (half*chains + i).s())
		}
		f.op("SUB", "$1, %v", n)
		if half == 0 {
			f.op("CBZ", "%v, done", n)
		}
	}
	f.op("CBNZ", "%v, loop", n)
	f.label("done")
	f.ret()
}
