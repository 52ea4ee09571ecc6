package arm64

import "fmt"

// A mapOp is a block kernel over float32: n elements at dst from those at a, b.
type mapOp struct {
	name string
	args int
	body func(c *code, x []value) value // returns the result, or a mask
	mask bool                           // the result is a mask: bytes 0 and 1 are stored
}

func one(name string, f func(c *code, x value) value) mapOp {
	return mapOp{name: name, args: 1, body: func(c *code, x []value) value { return f(c, x[0]) }}
}

func two(name string, f func(c *code, x, y value) value) mapOp {
	return mapOp{name: name, args: 2, body: func(c *code, x []value) value { return f(c, x[0], x[1]) }}
}

// simple is an op that is one instruction.
func simple(name string, o form) mapOp {
	return one(name, func(c *code, x value) value { return c.two(o, x) })
}

func compare(name string, f func(c *code, x, y value) value) mapOp {
	o := two(name, f)
	o.mask = true
	return o
}

// mapOps returns the kernels: the name is that of the op.
func mapOps(s Series) []mapOp {
	return []mapOp{
		two("Add", (*code).add),
		two("Sub", (*code).sub),
		two("Mul", (*code).mul),
		two("Div", (*code).div),
		two("Maximum", (*code).max),
		two("Minimum", (*code).min),
		simple("Neg", fneg),
		simple("Abs", fabs),
		one("Square", func(c *code, x value) value { return c.mul(x, x) }),
		simple("Sqrt", fsqrt),
		one("Rsqrt", func(c *code, x value) value { return c.div(c.c(1), c.two(fsqrt, x)) }),
		one("Reciprocal", func(c *code, x value) value { return c.div(c.c(1), x) }),
		one("Relu", func(c *code, x value) value { return c.max(x, c.c(0)) }), // 0 for -0, too
		simple("Floor", frintm),
		simple("Ceil", frintp),
		simple("Round", frintn),
		simple("Trunc", frintz),
		compare("Less", (*code).less),
		compare("LessEqual", func(c *code, x, y value) value { return c.greaterEqual(y, x) }),
		compare("Equal", (*code).equal),
		compare("NotEqual", func(c *code, x, y value) value { return c.two(not, c.equal(x, y)) }),
		one("Exp", func(c *code, x value) value { return c.exp(x, s) }),
		one("Log", (*code).log),
		one("Tanh", func(c *code, x value) value { return c.tanh(x, s) }),
		one("Sigmoid", func(c *code, x value) value { return c.sigmoid(x, s) }),
		one("Erf", func(c *code, x value) value { return c.erf(x, s) }),
	}
}

func emitMap(f *file, s Series) {
	for _, o := range mapOps(s) {
		f.mapKernel(o)
	}
	f.whereKernel()
}

// The registers of a block kernel.
const (
	mDst reg = 0
	mSrc reg = 1 // up to three
	mN   reg = 4
)

func (f *file) beginMap(name, doc string, args int) {
	f.begin(doc, name, "dst", "unsafe.Pointer", "a", "unsafe.Pointer", "b", "unsafe.Pointer", "c", "unsafe.Pointer", "n", "int")
	f.load("dst", mDst)
	for i := range args {
		f.load(string(rune('a'+i)), mSrc+reg(i))
	}
	f.load("n", mN)
}

// mapKernel writes loops over pairs of vectors and over single ones, and the same
// instructions once more for the elements that are left.
func (f *file) mapKernel(o mapOp) {
	f.beginMap(fmt.Sprintf("map%sNEON", o.name), "is a block kernel of "+o.name+".", o.args)
	c := &code{}
	var x []value
	for range o.args {
		x = append(x, c.input())
	}
	y := o.body(c, x)
	if c.table {
		f.op("MOVD", "$%s<>(SB), %v", f.lanes, tableReg)
	}
	f.loops(func(u int) {
		for i := range o.args {
			if first := vec(i * u); u == 2 {
				f.op("FLDPQ.P", "32(%v), (%s, %s)", mSrc+reg(i), first.f(), (first + 1).f())
			} else {
				f.op("FMOVQ.P", "16(%v), %s", mSrc+reg(i), first.f())
			}
		}
		r := c.writeTo(f, u, o.args, y)
		switch {
		case o.mask:
			f.maskBytes(r)
			f.op([]string{"FMOVS.P", "FMOVD.P"}[u-1], "%s, %d(%v)", r[0].f(), 4*u, mDst)
		case u == 2:
			f.op("FSTPQ.P", "(%s, %s), 32(%v)", r[0].f(), r[1].f(), mDst)
		default:
			f.op("FMOVQ.P", "%s, 16(%v)", r[0].f(), mDst)
		}
	}, func() {
		for i := range o.args {
			f.partialLoad(fmt.Sprintf("loaded%d", i), mSrc+reg(i), mN, vec(i))
		}
		r := c.writeTo(f, 1, o.args, y)
		if o.mask {
			f.maskBytes(r)
			f.partialStore(r[0], "B", 1)
		} else {
			f.partialStore(r[0], "S", 4)
		}
	})
}

// loops writes the loops of a block kernel: body handles u vectors, and rest the
// one to three elements that mN counts at the end, and may branch to done.
func (f *file) loops(body func(u int), rest func()) {
	f.op("SUBS", "$8, %v", mN)
	f.op("BLT", "single")
	f.label("pairs")
	body(2)
	f.op("SUBS", "$8, %v", mN)
	f.op("BGE", "pairs")
	f.label("single")
	f.op("ADDS", "$4, %v", mN) // four are less than the eight taken off
	f.op("BLT", "rest")
	body(1)
	f.op("SUB", "$4, %v", mN)
	f.label("rest")
	f.op("ADDS", "$4, %v", mN)
	f.op("BEQ", "done")
	rest()
	f.label("done")
	f.ret()
}

// partialStore stores the mN lowest lanes, one to three, and may end at done.
func (f *file) partialStore(v vec, lane string, size int) {
	for i := range 3 {
		f.op("VST1.P", "V%d.%s[%d], %d(%v)", int(v), lane, i, size, mDst)
		if i < 2 {
			f.op("CMP", "$%d, %v", i+1, mN)
			f.op("BEQ", "done")
		}
	}
}

// maskBytes turns masks of one or two vectors into bytes 0 and 1 in the lowest
// lanes of the first.
func (f *file) maskBytes(r []vec) {
	lo, hi := int(r[0]), int(r[len(r)-1])
	f.op("VUZP1", "V%d.H8, V%d.H8, V%d.H8", hi, lo, lo)
	f.op("VUZP1", "V%d.B16, V%d.B16, V%d.B16", lo, lo, lo)
	f.op("VUSHR", "$7, V%d.B16, V%d.B16", lo, lo)
}

// whereKernel writes dst = b where the byte at a is not 0, and c elsewhere.
func (f *file) whereKernel() {
	f.beginMap("mapWhereNEON", "is a block kernel of Where, by bytes at a.", 3)
	const cond, yes, no = mSrc, mSrc + 1, mSrc + 2
	// V0 and V1 are masks, V2 and V3 yes, V4 and V5 no.
	choose := func(u int) {
		f.op("VUXTL", "V0.B8, V0.H8")
		if u == 2 {
			f.op("VUXTL2", "V0.H8, V1.S4")
		}
		f.op("VUXTL", "V0.H4, V0.S4")
		for k := range u {
			f.op("VCMTST", "V%d.S4, V%d.S4, V%d.S4", k, k, k)
			f.op("VBSL", "V%d.B16, V%d.B16, V%d.B16", 4+k, 2+k, k)
		}
	}
	f.loops(func(u int) {
		if u == 2 {
			f.op("FMOVD.P", "8(%v), F0", cond)
			f.op("FLDPQ.P", "32(%v), (F2, F3)", yes)
			f.op("FLDPQ.P", "32(%v), (F4, F5)", no)
			choose(2)
			f.op("FSTPQ.P", "(F0, F1), 32(%v)", mDst)
			return
		}
		f.op("FMOVS.P", "4(%v), F0", cond)
		f.op("FMOVQ.P", "16(%v), F2", yes)
		f.op("FMOVQ.P", "16(%v), F4", no)
		choose(1)
		f.op("FMOVQ.P", "F0, 16(%v)", mDst)
	}, func() {
		f.zero(0)
		for i := range 3 {
			f.op("VLD1.P", "1(%v), V0.B[%d]", cond, i)
			if i < 2 {
				f.op("CMP", "$%d, %v", i+1, mN)
				f.op("BEQ", "loaded")
			}
		}
		f.label("loaded")
		f.partialLoad("loaded_yes", yes, mN, 2)
		f.partialLoad("loaded_no", no, mN, 4)
		choose(1)
		f.partialStore(0, "S", 4)
	})
}
