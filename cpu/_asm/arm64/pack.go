package arm64

import "fmt"

// emitPack writes what packs panels of A and of B: by copying where the rows of
// a column lie one after the other, by transposing where the columns of a row do.
func emitPack(f *file) {
	for _, w := range []int{tileRows, tileCols} {
		f.packCopy(w)
		f.packTranspose(w)
	}
}

// packCopy writes the copy of columns of w rows, of which packArgs.rows are there;
// the others get zeros.
func (f *file) packCopy(w int) {
	name := fmt.Sprintf("copyNEONx%d", w)
	f.begin(fmt.Sprintf("packs columns of up to %d contiguous rows; see packArgs.", w), name, "args", "*packArgs")
	const args, dst, step, src, srcS, count, rows, left, from, to reg = 0, 1, 2, 3, 4, 5, 6, 7, 8, 9
	f.load("args", args)
	f.field(args, "packArgs_dst", dst)
	f.field(args, "packArgs_step", step)
	f.field(args, "packArgs_src", src)
	f.field(args, "packArgs_srcS", srcS)
	f.field(args, "packArgs_cols", count)
	f.field(args, "packArgs_rows", rows)
	const zeros vec = 4
	f.op("CMP", "$%d, %v", w, rows)
	f.op("BLT", "short")
	f.label("loop")
	f.op("VLD1.P", "(%v)(%v), %s", src, srcS, vec(0).list(w/4))
	f.op("VST1.P", "%s, (%v)(%v)", vec(0).list(w/4), dst, step)
	f.op("SUB", "$1, %v", count)
	f.op("CBNZ", "%v, loop", count)
	f.ret()
	f.label("short")
	for v := range vec(w / 4) {
		f.zero(zeros + v)
	}
	f.label("column")
	f.op("VST1", "%s, (%v)", zeros.list(w/4), dst)
	f.op("MOVD", "%v, %v", src, from)
	f.op("MOVD", "%v, %v", dst, to)
	f.op("SUBS", "$4, %v, %v", rows, left)
	f.op("BLT", "rest")
	f.label("four")
	f.op("VLD1.P", "16(%v), [V0.S4]", from)
	f.op("VST1.P", "[V0.S4], 16(%v)", to)
	f.op("SUBS", "$4, %v", left)
	f.op("BGE", "four")
	f.label("rest")
	f.op("ADDS", "$4, %v", left)
	f.op("BEQ", "next")
	f.label("one")
	f.op("FMOVS.P", "4(%v), F0", from)
	f.op("FMOVS.P", "F0, 4(%v)", to)
	f.op("SUBS", "$1, %v", left)
	f.op("BNE", "one")
	f.label("next")
	f.op("ADD", "%v, %v", srcS, src)
	f.op("ADD", "%v, %v", step, dst)
	f.op("SUB", "$1, %v", count)
	f.op("CBNZ", "%v, column", count)
	f.ret()
}

// packTranspose writes the transposition of w rows, packArgs.cols columns of them, a
// multiple of 4, in blocks of 4×4.
func (f *file) packTranspose(w int) {
	name := fmt.Sprintf("transposeNEONx%d", w)
	f.begin(fmt.Sprintf("packs %d rows whose columns are contiguous; see packArgs.", w), name, "args", "*packArgs")
	const args, dst, step, count, row reg = 0, 1, 2, 3, 4 // rows: from R4 on
	f.load("args", args)
	f.field(args, "packArgs_dst", dst)
	f.field(args, "packArgs_step", step)
	f.field(args, "packArgs_cols", count)
	for i := range w {
		f.field(args, fmt.Sprintf("packArgs_table+%d", 8*i), row+reg(i))
	}
	f.label("loop")
	for i := range w {
		f.op("FMOVQ.P", "16(%v), %s", row+reg(i), vec(i).f())
	}
	turn := func(half int, a, b, d vec, lanes string) {
		f.op(fmt.Sprintf("VTRN%d", half), "V%d.%s, V%d.%s, V%d.%s", b, lanes, a, lanes, d, lanes)
	}
	for i := range vec(w / 4) {
		x, t := 4*i, vec(16+i%4*4) // rows, then columns; and pairs of them
		turn(1, x, x+1, t, "S4")
		turn(2, x, x+1, t+1, "S4")
		turn(1, x+2, x+3, t+2, "S4")
		turn(2, x+2, x+3, t+3, "S4")
		turn(1, t, t+2, x, "D2")
		turn(1, t+1, t+3, x+1, "D2")
		turn(2, t, t+2, x+2, "D2")
		turn(2, t+1, t+3, x+3, "D2")
	}
	for c := range 4 {
		for i := range w / 4 {
			f.op("FMOVQ", "F%d, %d(%v)", 4*i+c, 16*i, dst)
		}
		f.op("ADD", "%v, %v", step, dst)
	}
	f.op("SUBS", "$4, %v", count)
	f.op("BNE", "loop")
	f.ret()
}
