package lower

import "github.com/fornax-ml/fornax/tensor/ir"

// A Matrix is a fragment that a device's matrix units compute: an M × N one of C from
// K elements of each sum, by a subgroup of that size.
type Matrix struct{ M, N, K, Subgroup int }

// A coopShape is the shape of a kernel of matmul_coop.comp.
type coopShape struct{ wm, wn, fm, fn, bk int }

// coopShapes, the largest first: fragments of four by four keep a subgroup's operands
// in registers for as many products as it has registers for; smaller ones make more
// workgroups.
var coopShapes = []coopShape{
	{2, 4, 4, 4, 32}, {4, 2, 4, 4, 32}, {2, 2, 4, 4, 32}, {2, 4, 4, 2, 32}, {2, 2, 4, 4, 64}, {2, 2, 4, 2, 32}, {2, 2, 2, 4, 32},
	{2, 2, 2, 2, 32}, {2, 2, 2, 2, 64}, {1, 4, 2, 2, 32}, {2, 1, 2, 2, 32}, {1, 1, 2, 2, 32}, {1, 1, 1, 1, 32},
}

// matrixOf returns the fragment that computes a product; ok is false where it runs
// without matrix units. That depends on dtype and sizes only, since their sums are not
// those of other kernels bit by bit.
func (l *lowerer) matrixOf(p Product) (x Matrix, ok bool) {
	const least = 8
	x, ok = l.o.Matrices[p.Stored]
	return x, ok && min(p.M, p.N, p.K) >= least
}

// coop is the kernel of matmul_coop.comp with a shape; ok tells whether the device
// holds it.
func (l *lowerer) coop(p Product, x Matrix, s coopShape) (k MatMulKernel, ok bool) {
	threads := s.wm * s.wn * x.Subgroup
	bm, bn := s.wm*s.fm*x.M, s.wn*s.fn*x.N
	if threads > l.o.Workgroup || s.bk%x.K != 0 || bm*s.bk%(8*threads) != 0 || bn*s.bk%(8*threads) != 0 {
		return k, false
	}
	slice := func(inner, outer int) int { return outer * (inner/8 + 1) * 16 }
	shared := 4 * x.M * x.N * s.wm * s.wn
	if p.AlongK {
		shared += slice(s.bk, bm)
	} else {
		shared += slice(bm, s.bk)
	}
	if p.AlongN {
		shared += slice(bn, s.bk)
	} else {
		shared += slice(s.bk, bn)
	}
	eight := func(run int) uint32 {
		if run == 8 {
			return 8
		}
		return 1
	}
	run := uint32(1)
	if p.Packed {
		run = 4
	}
	return MatMulKernel{Module: "matmul_coop_" + p.Stored.String(), BM: bm, BN: bn, Panel: 8, Packs: true, Matrix: x, spec: []uint32{
		uint32(threads), uint32(s.wm), uint32(s.wn), uint32(s.fm), uint32(s.fn), uint32(s.bk), b2u(p.AlongK), b2u(p.AlongN),
		eight(p.RunA), eight(p.RunB), uint32(x.M), uint32(x.N), uint32(x.K), run,
	}}, shared <= l.o.Shared
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

// coopTile reads back what a trial needs to know; see [MatMulConstants].
func coopTile(d ir.DType, c func(int) int) MatMulTile {
	return MatMulTile{
		DType: d, BM: c(1) * c(3) * c(10), BN: c(2) * c(4) * c(11), BK: c(5), Least: 8, AlongK: c(6) != 0, AlongN: c(7) != 0,
		RunA: c(8), RunB: c(9), Packed: c(13) > 1,
	}
}
