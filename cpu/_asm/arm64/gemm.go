package arm64

import "fmt"

// Rows and columns of a micro-tile: 24 of the 32 registers are accumulators.
const (
	tileRows = 8
	tileCols = 12
)

func emitGemm(f *file) {
	for r := 1; r <= tileRows; r++ {
		gemm{f}.rows(r)
	}
	emitPack(f)
	emitAxpy(f)
	emitPeak(f)
}

// A gemm writes the micro-kernels.
type gemm struct{ *file }

// The registers of a micro-kernel.
const (
	gArgs  reg = 0
	gRow   reg = 1 // rows of A: eight registers
	gOff   reg = 9 // offset of A's column
	gB     reg = 10
	gLastB reg = 11 // of the last vector
	gBS    reg = 12
	gCount reg = 13
	gN     reg = 14
	gC     reg = 15
	gPanel reg = 16
	gLDC   reg = 17
	gACS   reg = 19
	gARS   reg = 20
	gLast  reg = 21 // offset of the last vector in its row, in bytes
	gNext  reg = 22 // and that of a second column, where columns are single
	gP     reg = 23
	gQ     reg = 24

	gFirstA   vec = 3 // up to five registers; those of B are below
	gFirstAcc vec = 8
)

// A tile says how the columns of a panel lie in vectors. The last vector ends
// where the columns do and so may overlap the one before it: what both compute is
// the same, and nothing is stored before all is read. Fewer than four columns are
// vectors of one lane each, the last of which are repeated.
type tile struct {
	label  string
	nv     int
	single bool
}

// rows writes the micro-kernel of r rows:
//
//	C[r, n] = [C +] Σ_k A[r, k]·B[k, n]
//
// for n in panels of 12 columns. Each element of C is one chain of fused
// multiply-adds in order of k, from 0, and is then added to C. The last panel
// may be short; nothing is read or written in columns past n.
func (g gemm) rows(r int) {
	name := fmt.Sprintf("gemmNEONx%d", r)
	g.begin(fmt.Sprintf("computes %d rows of C; see gemmArgs.", r), name, "args", "*gemmArgs")
	g.load("args", gArgs)
	g.field(gArgs, "gemmArgs_n", gN)
	g.field(gArgs, "gemmArgs_ars", gARS)
	g.field(gArgs, "gemmArgs_acs", gACS)
	g.field(gArgs, "gemmArgs_b", gPanel)
	g.field(gArgs, "gemmArgs_bs", gBS)
	g.field(gArgs, "gemmArgs_c", gC)
	g.field(gArgs, "gemmArgs_ldc", gLDC)
	g.label("panel")
	g.op("CMP", "$8, %v", gN)
	g.op("BLE", "narrow")
	g.op("MOVD", "$%d, %v", 4*(tileCols-4), gLast)
	g.op("CMP", "$%d, %v", tileCols, gN)
	g.op("BGE", "three")
	g.lastOffset()
	g.tile(r, tile{"three", 3, false})
	g.op("ADD", "$%d, %v", 4*tileCols, gC)
	g.field(gArgs, "gemmArgs_bp", gP)
	g.op("ADD", "%v, %v", gP, gPanel)
	g.op("SUBS", "$%d, %v", tileCols, gN)
	g.op("BGT", "panel")
	g.ret()
	g.label("narrow")
	g.op("CMP", "$3, %v", gN)
	g.op("BLE", "few")
	g.lastOffset()
	g.op("CBZ", "%v, one", gLast)
	g.tile(r, tile{"two", 2, false})
	g.ret()
	g.tile(r, tile{"one", 1, false})
	g.ret()
	g.label("few")
	g.op("SUBS", "$1, %v, %v", gN, gLast)
	g.op("BLT", "done")
	g.op("LSL", "$2, %v, %v", gLast, gLast)
	g.op("MOVD", "$4, %v", gNext)
	g.op("CMP", "%v, %v", gNext, gLast)
	g.op("CSEL", "LT, %v, %v, %v", gLast, gNext, gNext)
	g.tile(r, tile{"single", 3, true})
	g.label("done")
	g.ret()
}

// lastOffset computes where the last vector of gN columns is.
func (g gemm) lastOffset() {
	g.op("SUB", "$4, %v, %v", gN, gLast)
	g.op("LSL", "$2, %v, %v", gLast, gLast)
}

// tile multiplies r rows with the columns of a tile.
func (g gemm) tile(r int, t tile) {
	acc := func(i, j int) vec { return gFirstAcc + vec(i*t.nv+j) }
	g.label("%s", t.label)
	for i := range r * t.nv {
		g.zero(gFirstAcc + vec(i))
	}
	g.field(gArgs, "gemmArgs_a", gRow)
	for i := 1; i < r; i++ {
		g.op("ADD", "%v, %v, %v", gARS, gRow+reg(i-1), gRow+reg(i))
	}
	g.op("MOVD", "%v, %v", gPanel, gB)
	g.op("ADD", "%v, %v, %v", gLast, gPanel, gLastB)
	g.field(gArgs, "gemmArgs_k", gCount)
	if r%4 == 0 { // columns of A are whole vectors where its rows lie close
		g.op("CMP", "$4, %v", gARS)
		g.op("BEQ", "%s_close", t.label)
	}
	g.op("MOVD", "ZR, %v", gOff)
	g.label("%s_loop", t.label)
	g.loadB(t)
	a := func(i int) vec { return gFirstA + vec(i)%(gFirstAcc-gFirstA) }
	loadA := func(i int) { g.op("FMOVS", "(%v)(%v), %s", gRow+reg(i), gOff, a(i).f()) }
	const ahead = 3 // rows between loading and use: not all processors reorder
	for i := range min(ahead, r) {
		loadA(i)
	}
	for i := range r {
		if i+ahead < r {
			loadA(i + ahead)
		}
		for j := range t.nv {
			g.raw(fmlaLane(acc(i, j), vec(j), a(i), 0))
		}
	}
	g.op("ADD", "%v, %v", gACS, gOff)
	g.op("SUB", "$1, %v", gCount)
	g.op("CBNZ", "%v, %s_loop", gCount, t.label)
	if r%4 == 0 {
		g.op("B", "%s_end", t.label)
		g.label("%s_close", t.label)
		g.loadB(t)
		g.op("VLD1.P", "(%v)(%v), %s", gRow, gACS, gFirstA.list(r/4))
		for i := range r {
			for j := range t.nv {
				g.raw(fmlaLane(acc(i, j), vec(j), gFirstA+vec(i/4), i%4))
			}
		}
		g.op("SUB", "$1, %v", gCount)
		g.op("CBNZ", "%v, %s_close", gCount, t.label)
		g.label("%s_end", t.label)
	}
	g.field(gArgs, "gemmArgs_add", gP)
	g.op("CBZ", "%v, %s_store", gP, t.label)
	g.eachRow(r, func(i int) {
		g.eachC(t, func(j int, name, at string) { g.op(name, "%s, %s", at, vec(j).f()) })
		for j := range t.nv {
			g.raw(fadd.three(acc(i, j), vec(j), acc(i, j)))
		}
	})
	g.label("%s_store", t.label)
	g.eachRow(r, func(i int) {
		g.eachC(t, func(j int, name, at string) { g.op(name, "%s, %s", acc(i, j).f(), at) })
	})
}

// loadB loads a row of the panel into the lowest vectors, and goes to the next.
func (g gemm) loadB(t tile) {
	if t.single {
		g.op("FMOVS", "(%v), F0", gB)
		g.op("FMOVS", "(%v)(%v), F1", gB, gNext)
		g.op("FMOVS", "(%v)(%v), F2", gB, gLast)
		g.op("ADD", "%v, %v", gBS, gB)
		return
	}
	if t.nv > 1 {
		g.op("VLD1.P", "(%v)(%v), %s", gB, gBS, vec(0).list(t.nv-1))
	}
	g.op("VLD1.P", "(%v)(%v), %s", gLastB, gBS, vec(t.nv-1).list(1))
}

// eachRow calls f with gP at each row of C, and gQ at its last vector.
func (g gemm) eachRow(r int, f func(i int)) {
	g.op("MOVD", "%v, %v", gC, gP)
	for i := range r {
		g.op("ADD", "%v, %v, %v", gLast, gP, gQ)
		f(i)
		if i+1 < r {
			g.op("ADD", "%v, %v", gLDC, gP)
		}
	}
}

// eachC calls f with the address of each vector of a row of C, and the name of
// what moves it.
func (g gemm) eachC(t tile, f func(j int, name, at string)) {
	if t.single {
		f(0, "FMOVS", fmt.Sprintf("(%v)", gP))
		f(1, "FMOVS", fmt.Sprintf("(%v)(%v)", gP, gNext))
		f(2, "FMOVS", fmt.Sprintf("(%v)", gQ))
		return
	}
	for j := range t.nv - 1 {
		f(j, "FMOVQ", fmt.Sprintf("%d(%v)", 16*j, gP))
	}
	f(t.nv-1, "FMOVQ", fmt.Sprintf("(%v)", gQ))
}
