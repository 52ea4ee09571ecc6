package lower

import (
	"slices"

	"github.com/fornax-ml/fornax/tensor/ir"
)

// A Product is what the choice of a kernel for a MatMul depends on.
type Product struct {
	Batch, M, N, K int
	DType          ir.DType // of the sums
	// AlongK and AlongN are true where A moves by single elements along k, B
	// along n, or neither does along its other axis.
	AlongK, AlongN bool
}

// along is true but where only the outer axis moves by single elements.
func along(inner, outer int) bool { return inner == 1 || outer != 1 }

// A MatMulKernel is a way to compute products.
type MatMulKernel struct {
	Module string
	BM, BN int // rows and columns of C that a workgroup computes
	spec   []uint32
}

// Variant is the name under which a product's dispatch runs; see [Kernel.Variant].
func (k MatMulKernel) Variant() string { return variant(k.Module, "", k.spec) }

// tile is the kernel of matmul.comp with these tiles; ok tells whether the device
// holds it.
func (l *lowerer) tile(p Product, bm, bn, bk, tm, tn int) (k MatMulKernel, ok bool) {
	threads := bm / tm * (bn / tn)
	shared := bk * (bm + bn + 2) * p.DType.Size()
	if threads > l.o.Workgroup || shared > l.o.Shared {
		return k, false
	}
	module := "matmul"
	if p.DType == ir.F64 {
		module = "matmul_wide"
	}
	return MatMulKernel{module, bm, bn, []uint32{
		uint32(threads), uint32(bm), uint32(bn), uint32(bk), uint32(tm), uint32(tn), b2u(p.AlongK), b2u(p.AlongN),
	}}, true
}

// sub8 is the kernel of matmul_sub8.comp.
func sub8(tm, tn int) MatMulKernel {
	return MatMulKernel{"matmul_sub8", tm, 8 * tn, []uint32{8, uint32(tm), uint32(tn)}}
}

// Kernel returns the kernel's code, before anything is spliced in.
func (k MatMulKernel) Kernel() *Kernel { return &Kernel{Module: k.Module, Spec: k.spec} }

// MatMulKernels lists the kernels that a device can run for a product.
func MatMulKernels(p Product, o Options) []MatMulKernel {
	return (&lowerer{o: o}).matmulKernels(p)
}

// matmulKernels lists the kernels that can compute a product, the largest tiles
// first; sums do not depend on the choice.
func (l *lowerer) matmulKernels(p Product) []MatMulKernel {
	var ks []MatMulKernel
	if l.o.Subgroup8 && p.DType == ir.F32 {
		ks = append(ks, sub8(8, 4), sub8(4, 2))
	}
	for _, t := range [][5]int{{64, 64, 16, 8, 4}, {32, 32, 16, 4, 4}, {16, 16, 16, 2, 2}, {8, 8, 8, 1, 1}} {
		if k, ok := l.tile(p, t[0], t[1], t[2], t[3], t[4]); ok {
			ks = append(ks, k)
		}
	}
	return slices.DeleteFunc(ks, func(k MatMulKernel) bool { return l.off(k.Variant()) != "" })
}

// chooseMatMul picks the kernel of a product.
func (l *lowerer) chooseMatMul(p Product) MatMulKernel {
	ks := l.matmulKernels(p)
	if len(ks) == 0 {
		unsupported("matmul of %v: every kernel is off", p.DType)
	}
	i := slices.IndexFunc(ks, func(k MatMulKernel) bool { return l.suits(p, k) })
	if i < 0 {
		i = len(ks) - 1
	}
	ks[0], ks[i] = ks[i], ks[0]
	if l.o.MatMul != nil {
		return ks[l.o.MatMul(p, ks)]
	}
	return ks[0]
}

// suits is the choice without measurements: the largest tile that is not mostly
// padding and leaves enough workgroups.
func (l *lowerer) suits(p Product, k MatMulKernel) bool {
	if k.Module == "matmul_sub8" {
		// Small products take the small kernel, which compiles faster.
		return k.BM == 4 || p.Batch*p.M*p.N*max(p.K, 1) > 1<<20 && p.M > 4 && p.N > 16
	}
	few := 256
	if l.o.Software {
		few = 8
	}
	return p.M > k.BM/2 && p.N > k.BN/2 && (k.BM < 64 || p.Batch*ceilDiv(p.M, k.BM)*ceilDiv(p.N, k.BN) >= few)
}

// MatMulTile is what a trial of a product's kernel needs to know.
type MatMulTile struct {
	BM, BN, BK     int
	AlongK, AlongN bool
}

// MatMulConstants reads a product kernel's specialization constants.
func MatMulConstants(k *Kernel) MatMulTile {
	c := func(i int) int { return int(k.Spec[i]) }
	if k.Module == "matmul_sub8" {
		return MatMulTile{BM: c(1), BN: 8 * c(2), BK: 8, AlongK: true, AlongN: true}
	}
	return MatMulTile{BM: c(1), BN: c(2), BK: c(3), AlongK: c(6) != 0, AlongN: c(7) != 0}
}
