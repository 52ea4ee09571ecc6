package lower

import (
	"slices"
	"strings"

	"github.com/fornax-ml/fornax/tensor/ir"
)

// A Product is what the choice of a kernel for a MatMul depends on.
type Product struct {
	Batch, M, N, K int
	Parts          int      // that K is cut into
	DType          ir.DType // of the sums
	Stored         ir.DType // of A and B
	// AlongK and AlongN are true where A moves by single elements along k, B
	// along n, or neither does along its other axis.
	AlongK, AlongN bool
	// RunA and RunB are the elements along that axis that can be loaded at once: 1, or
	// 4, or of halves 8.
	RunA, RunB int
	// Packed results have less than 32 bits and can be written by the epilogue of
	// kernels whose invocations have four in a row.
	Packed bool
}

// A MatMulKernel is a way to compute products.
type MatMulKernel struct {
	Module string
	BM, BN int // rows and columns of C that a workgroup computes
	Panel  int // columns of tiles that run together; 0 is all
	// Packs is true where invocations store four sums of a row one after another.
	Packs bool
	// Matrix is the fragment of the matrix units; zero in kernels that use none.
	Matrix Matrix
	spec   []uint32
}

// Variant is the name under which a product's dispatch runs; see [Kernel.Variant].
func (k MatMulKernel) Variant() string { return variant(k.Module, "", k.spec) }

// Kernel returns the kernel's code, before anything is spliced in.
func (k MatMulKernel) Kernel() *Kernel {
	return &Kernel{Module: k.Module, Spec: k.spec, Subgroup: k.Matrix.Subgroup}
}

// A tileShape is the shape of a tiled kernel; see shaders/matmul.comp.
type tileShape struct{ bm, bn, bk, tm, tn int }

func (t tileShape) threads() int { return t.bm / t.tm * (t.bn / t.tn) }

// tileShapes are those that public tuners find best on one GPU or another, the
// largest first.
var tileShapes = []tileShape{
	{128, 128, 16, 8, 8}, {64, 128, 16, 8, 8}, {128, 64, 16, 8, 8}, {64, 128, 32, 8, 8}, {64, 64, 16, 8, 4}, {64, 64, 32, 4, 8}, {128, 128, 8, 16, 8},
	{64, 64, 16, 4, 4}, {32, 64, 16, 4, 4}, {64, 32, 16, 4, 4}, {32, 32, 16, 4, 4}, {32, 32, 32, 2, 4}, {16, 16, 16, 2, 2}, {8, 8, 8, 1, 1},
}

// directShapes are those of shaders/matmul_direct.comp; bk is not used.
var directShapes = []tileShape{{64, 64, 0, 8, 4}, {32, 64, 0, 4, 8}, {32, 32, 0, 4, 4}, {8, 32, 0, 4, 4}, {8, 16, 0, 4, 1}}

// tile is the kernel of matmul.comp with a shape; ok tells whether the device holds
// it.
func (l *lowerer) tile(p Product, t tileShape) (k MatMulKernel, ok bool) {
	threads := t.threads()
	if threads > l.o.Workgroup || t.bk*(t.bm+t.bn+8)*p.DType.Size() > l.o.Shared || threads > t.bk*min(t.bm, t.bn) {
		return k, false
	}
	load := func(run, rows int) uint32 {
		if run >= 4 && rows*t.bk/threads%4 == 0 {
			return 4
		}
		return 1
	}
	return MatMulKernel{Module: "matmul" + wideSuffix(p.DType), BM: t.bm, BN: t.bn, Panel: 8, Packs: t.tn >= 4, spec: []uint32{
		uint32(threads), uint32(t.bm), uint32(t.bn), uint32(t.bk), uint32(t.tm), uint32(t.tn), b2u(p.AlongK), b2u(p.AlongN),
		load(p.RunA, t.bm), load(p.RunB, t.bn),
	}}, true
}

// direct is the kernel of matmul_direct.comp with a shape.
func (l *lowerer) direct(p Product, t tileShape) (k MatMulKernel, ok bool) {
	return MatMulKernel{Module: "matmul_direct" + wideSuffix(p.DType), BM: t.bm, BN: t.bn, Panel: 1, spec: []uint32{
		uint32(t.threads()), uint32(t.bm), uint32(t.bn), uint32(t.tm), uint32(t.tn),
	}}, t.threads() <= l.o.Workgroup
}

// sub8 is the kernel of matmul_sub8.comp.
func sub8(tm, tn int) MatMulKernel {
	return MatMulKernel{Module: "matmul_sub8", BM: tm, BN: 8 * tn, Panel: 1, spec: []uint32{8, uint32(tm), uint32(tn)}}
}

func wideSuffix(d ir.DType) string {
	if d == ir.F64 {
		return "_wide"
	}
	return ""
}

// matmulKernels lists the kernels that can compute a product; sums do not depend on
// the choice among them.
func (l *lowerer) matmulKernels(p Product) []MatMulKernel {
	var ks []MatMulKernel
	add := func(k MatMulKernel, ok bool) {
		if ok && l.off(k.Variant()) == "" {
			ks = append(ks, k)
		}
	}
	for _, matrices := range []map[ir.DType]Matrix{l.o.Flexible, l.o.Matrices} {
		if x, ok := matrices[p.Stored]; ok && min(p.M, p.N, p.K) >= leastOfMatrices {
			l.coops(p, x, add)
		}
		if len(ks) > 0 {
			return ks
		}
	}
	if l.o.Subgroup8 && p.DType == ir.F32 {
		add(sub8(8, 4), true)
		add(sub8(4, 2), true)
	}
	if l.o.NoShared {
		for _, t := range l.o.ordered(directShapes, true) {
			add(l.direct(p, t))
		}
	}
	for _, t := range l.o.ordered(tileShapes, false) {
		add(l.tile(p, t))
	}
	if !l.o.NoShared {
		for _, t := range l.o.ordered(directShapes, true) {
			add(l.direct(p, t))
		}
	}
	return ks
}

// MatMulKernels lists the kernels that a device can run for a product.
func MatMulKernels(p Product, o Options) []MatMulKernel {
	return (&lowerer{o: o}).matmulKernels(p)
}

// chooseMatMul picks the kernel of a product.
func (l *lowerer) chooseMatMul(p Product) MatMulKernel {
	ks := l.matmulKernels(p)
	if len(ks) == 0 {
		unsupported("matmul of %v: every kernel is off", p.DType)
	}
	i := slices.IndexFunc(ks, func(k MatMulKernel) bool { return l.suits(p, k) })
	if i < 0 { // a thin product: the least padding
		padded := func(k MatMulKernel) int { return ceilDiv(p.M, k.BM) * k.BM * ceilDiv(p.N, k.BN) * k.BN }
		least := slices.MinFunc(ks, func(a, b MatMulKernel) int { return padded(a) - padded(b) })
		i = slices.IndexFunc(ks, func(k MatMulKernel) bool { return k.Variant() == least.Variant() })
	}
	ks[0], ks[i] = ks[i], ks[0]
	if l.o.MatMul != nil {
		return ks[l.o.MatMul(p, ks)]
	}
	return ks[0]
}

// suits is the choice without measurements: the first kernel whose tile is not mostly
// padding and that leaves enough workgroups.
func (l *lowerer) suits(p Product, k MatMulKernel) bool {
	if k.Module == "matmul_sub8" {
		return k.BM == 4 || p.M > 4 && p.N > 16
	}
	few := 128
	if l.o.Software {
		few = 8
	}
	fits := p.M > k.BM/2 && p.N > k.BN/2
	return fits && (k.BM*k.BN <= 32*32 || p.Batch*p.Parts*ceilDiv(p.M, k.BM)*ceilDiv(p.N, k.BN) >= few)
}

// MatMulTile is what a trial of a product's kernel needs to know.
type MatMulTile struct {
	DType          ir.DType // of A and B
	BM, BN, BK     int
	Least          int // of M, N and K
	AlongK, AlongN bool
	RunA, RunB     int
	Packed         bool
}

// MatMulConstants reads a product kernel's specialization constants.
func MatMulConstants(k *Kernel) MatMulTile {
	c := func(i int) int { return int(k.Spec[i]) }
	d := ir.F32
	if strings.HasSuffix(k.Module, "_wide") {
		d = ir.F64
	}
	switch k.Module {
	case "matmul_coop_f16", "matmul_coop2_f16":
		return coopTile(ir.F16, c)
	case "matmul_coop_bf16", "matmul_coop2_bf16":
		return coopTile(ir.BF16, c)
	case "matmul_sub8":
		return MatMulTile{DType: d, BM: c(1), BN: 8 * c(2), BK: 8, Least: 1, AlongK: true, AlongN: true, RunA: 1, RunB: 1}
	case "matmul_direct", "matmul_direct_wide":
		return MatMulTile{DType: d, BM: c(1), BN: c(2), BK: 4, Least: 1, AlongK: true, AlongN: true, RunA: 1, RunB: 1}
	}
	return MatMulTile{DType: d, BM: c(1), BN: c(2), BK: c(3), Least: 1, AlongK: c(6) != 0, AlongN: c(7) != 0, RunA: c(8), RunB: c(9)}
}
