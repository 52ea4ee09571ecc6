package lower

import (
	"github.com/fornax-ml/fornax/tensor/ir"
	"github.com/fornax-ml/fornax/vk/internal/splice"
)

// A Matrix is a fragment that a device's matrix units compute: an M × N one of C from
// K elements of each sum, by a subgroup of that size.
type Matrix struct {
	M, N, K, Subgroup int
	// Flexible, where it is not zero, is the largest size of matrices of any
	// multiples of M, N and K.
	Flexible int
	// Workgroup is the invocations of a workgroup that computes flexible ones together, and
	// takes Reserved bytes of its shared memory for that; 0 where a subgroup does.
	Workgroup, Reserved int
}

// module names the module of a dtype's products.
func (x Matrix) module(d ir.DType) string {
	if x.Flexible > 0 {
		return "matmul_coop2_" + d.String()
	}
	return "matmul_coop_" + d.String()
}

// A coopShape is the shape of a kernel of matmul_coop.comp.
type coopShape struct{ wm, wn, fm, fn, bk int }

// coopShapes, the largest first: fragments of four by four keep a subgroup's operands
// in registers for as many products as it has registers for; smaller ones make more
// workgroups.
var coopShapes = []coopShape{
	{2, 4, 4, 4, 32}, {4, 2, 4, 4, 32}, {2, 2, 4, 4, 32}, {2, 4, 4, 2, 32}, {2, 2, 4, 4, 64}, {2, 2, 4, 2, 32}, {2, 2, 2, 4, 32},
	{2, 2, 2, 2, 32}, {2, 2, 2, 2, 64}, {1, 4, 2, 2, 32}, {2, 1, 2, 2, 32}, {1, 1, 2, 2, 32}, {1, 1, 1, 1, 32},
}

// A wholeShape is that of a matrix of sums, and of the slices of A and B.
type wholeShape struct{ bm, bn, bk int }

// wholeShapes are those of flexible matrices, the largest first.
var wholeShapes = []wholeShape{
	{256, 128, 32}, {128, 256, 32}, {128, 128, 64}, {128, 128, 32}, {64, 128, 32}, {128, 64, 32}, {64, 64, 64}, {64, 64, 32}, {32, 64, 32}, {32, 32, 32}, {16, 16, 32}, {8, 16, 32},
}

// leastOfMatrices is the least of M, N and K with which a product runs on matrix units. Dtype
// and sizes alone decide, since sums there are not those of other kernels bit by bit.
const leastOfMatrices = 8

// coops lists the kernels of a product on matrix units.
func (l *lowerer) coops(p Product, x Matrix, add func(MatMulKernel, bool)) {
	if x.Flexible == 0 {
		for _, s := range coopShapes {
			add(l.coop(p, x, s))
		}
		return
	}
	for _, s := range wholeShapes {
		add(l.whole(p, x, s))
	}
}

// coop is the kernel of matmul_coop.comp with a shape; ok tells whether the device
// holds it.
func (l *lowerer) coop(p Product, x Matrix, s coopShape) (k MatMulKernel, ok bool) {
	threads := s.wm * s.wn * x.Subgroup
	bm, bn := s.wm*s.fm*x.M, s.wn*s.fn*x.N
	if s.bk%x.K != 0 || !l.holds(p, threads, bm, bn, s.bk, 4*x.M*x.N*s.wm*s.wn) {
		return k, false
	}
	run := uint32(1)
	if p.Packed {
		run = 4
	}
	return MatMulKernel{Module: x.module(p.Stored), BM: bm, BN: bn, Panel: 8, Packs: true, Matrix: x, spec: []uint32{
		uint32(threads), uint32(s.wm), uint32(s.wn), uint32(s.fm), uint32(s.fn), uint32(s.bk), b2u(p.AlongK), b2u(p.AlongN),
		eight(p.RunA), eight(p.RunB), uint32(x.M), uint32(x.N), uint32(x.K), run,
	}}, true
}

// whole is the kernel of matmul_coop.comp with flexible matrices of a shape.
func (l *lowerer) whole(p Product, x Matrix, s wholeShape) (k MatMulKernel, ok bool) {
	const workgroup, subgroup = 2, 3 // scopes
	threads, scope, reserved := x.Subgroup, uint32(subgroup), 0
	if x.Workgroup > 0 {
		threads, scope, reserved = x.Workgroup, workgroup, x.Reserved
	}
	depth := 2 * x.K // the least that hides a load, and of one size: sums follow it
	if s.bm%x.M+s.bn%x.N+s.bk%depth != 0 || max(s.bm, s.bn, s.bk) > x.Flexible || s.bm*s.bn > 128*threads || max(s.bm, s.bn)*s.bk > 64*threads || !l.holds(p, threads, s.bm, s.bn, s.bk, reserved) {
		return k, false
	}
	return MatMulKernel{Module: x.module(p.Stored), BM: s.bm, BN: s.bn, Panel: 8, Matrix: x, spec: []uint32{
		uint32(threads), 1, 1, 1, 1, uint32(s.bk), b2u(p.AlongK), b2u(p.AlongN),
		eight(p.RunA), eight(p.RunB), uint32(s.bm), uint32(s.bn), uint32(depth), 1, scope,
	}}, true
}

// holds reports whether the device has room for a kernel of matmul_coop.comp, which has
// more shared memory than its slices, and each invocation the same share of those.
func (l *lowerer) holds(p Product, threads, bm, bn, bk, more int) bool {
	slice := func(along bool, x int) int {
		inner, outer := x, bk
		if along {
			inner, outer = bk, x
		}
		return outer * (inner/8 + 1) * 16
	}
	return threads <= l.o.Workgroup && bm*bk%(8*threads) == 0 && bn*bk%(8*threads) == 0 &&
		slice(p.AlongK, bm)+slice(!p.AlongN, bn)+more <= l.o.Shared
}

// eight is how many elements of a run are loaded at once.
func eight(run int) uint32 {
	if run == 8 {
		return 8
	}
	return 1
}

// loadHalves splices the loads of an operand of matmul_coop.comp: the bits of one half,
// and of eight where they are loaded at once.
func (c *dispatcher) loadHalves(o ir.Operand, name string, eight bool) {
	buffer := digits(c.read(c.l.mem(o.Slot)))
	f := c.fn("half_" + name)
	f.body.Return = f.call("half_of", f.call("word_"+buffer, f.call("word_of_16", param0)), param0)
	f = c.fn("load8_" + name)
	if eight {
		f.body.Return = f.call("quad_"+buffer, f.call("word_of_16", param0))
	} else {
		f.body.Return = f.call("no_eight")
	}
}

// loadWhole splices the products of tiles that lie within C whole. A is in buffer 0.
func (c *dispatcher) loadWhole(b ir.Operand, eight bool) {
	f := c.fn("whole")
	if !eight {
		return
	}
	var args []splice.Arg
	for i := range 8 {
		args = append(args, splice.Param(i))
	}
	f.call("whole_"+digits(c.read(c.l.mem(b.Slot))), args...)
}

// coopTile reads back what a trial needs to know; see [MatMulConstants].
func coopTile(d ir.DType, c func(int) int) MatMulTile {
	return MatMulTile{
		DType: d, BM: c(1) * c(3) * c(10), BN: c(2) * c(4) * c(11), BK: c(5), Least: leastOfMatrices, AlongK: c(6) != 0, AlongN: c(7) != 0,
		RunA: c(8), RunB: c(9), Packed: c(13) > 1,
	}
}
