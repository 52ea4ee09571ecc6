//go:build !purego

package cpu

// gemmAVX512 has tiles of 12 rows and two vectors of 16 columns: 24 of the 32
// registers are accumulators.
func gemmAVX512() gemmKernel {
	return gemmKernel{
		MR: 12, NR: 32, KC: 512, NC: blockColumns(512, 32), MC: 24,
		rows: []func(*gemmArgs){
			nil, gemm512x1, gemm512x2, gemm512x3, gemm512x4, gemm512x5, gemm512x6,
			gemm512x7, gemm512x8, gemm512x9, gemm512x10, gemm512x11, gemm512x12,
		},
		axpy: axpy512, dot: dot512,
		copyA: copy512x12, copyB: copy512x32,
		copiesA: copy512x4x12, copiesB: copy512x4x32,
		transposeA: transpose512x12, transposeB: transpose512x16, width: 16,
		ns: 0.0125,
	}
}

// gemmAVX2 has tiles of 6 rows and two vectors of 8 columns: 12 of the 16
// registers are accumulators.
func gemmAVX2() gemmKernel {
	return gemmKernel{
		MR: 6, NR: 16, KC: 512, NC: blockColumns(512, 16), MC: 24,
		rows: []func(*gemmArgs){nil, gemm256x1, gemm256x2, gemm256x3, gemm256x4, gemm256x5, gemm256x6},
		axpy: axpy256, dot: dot256,
		copyA: copy256x6, copyB: copy256x16,
		copiesA: copy256x4x6, copiesB: copy256x4x16,
		transposeA: transpose256x6, transposeB: transpose256x8, width: 8,
		ns: 0.025,
	}
}

// gemmDoubleAVX512 and gemmDoubleAVX2 have half as many columns. Panels of B are
// copied as pairs of float32; those of A are packed in Go.
func gemmDoubleAVX512() gemmKernel {
	return gemmKernel{
		MR: 12, NR: 16, KC: 512, NC: blockColumns(2*512, 16), MC: 24,
		rows: []func(*gemmArgs){
			nil, gemmDouble512x1, gemmDouble512x2, gemmDouble512x3, gemmDouble512x4, gemmDouble512x5, gemmDouble512x6,
			gemmDouble512x7, gemmDouble512x8, gemmDouble512x9, gemmDouble512x10, gemmDouble512x11, gemmDouble512x12,
		},
		axpy:  axpyDouble512,
		copyB: copy512x32,
		ns:    0.025,
	}
}

func gemmDoubleAVX2() gemmKernel {
	return gemmKernel{
		MR: 6, NR: 8, KC: 512, NC: blockColumns(2*512, 8), MC: 24,
		rows: []func(*gemmArgs){
			nil, gemmDouble256x1, gemmDouble256x2, gemmDouble256x3, gemmDouble256x4, gemmDouble256x5, gemmDouble256x6,
		},
		axpy:  axpyDouble256,
		copyB: copy256x16,
		ns:    0.05,
	}
}

// gemmPairsAVX512 multiplies BF16 by AVX512_BF16, two elements of K at a time.
func gemmPairsAVX512() *gemmKernel {
	return &gemmKernel{
		MR: 12, NR: 32, KC: 1024, NC: blockColumns(512, 32), MC: 24, pairs: true,
		rows: []func(*gemmArgs){
			nil, gemmPairs512x1, gemmPairs512x2, gemmPairs512x3, gemmPairs512x4, gemmPairs512x5, gemmPairs512x6,
			gemmPairs512x7, gemmPairs512x8, gemmPairs512x9, gemmPairs512x10, gemmPairs512x11, gemmPairs512x12,
		},
		copyA: packPairs512x12, copyB: packPairs512x32,
		transposeA: transpose512x12, transposeB: transpose512x16, width: 16,
		ns: 0.00625,
	}
}

// blockColumns returns the columns of a block of B that is kc float32 deep, a multiple of
// nr: as many as fill the second-level cache, since a little that spills costs
// less than more passes over A and C. What it returns does not touch bits.
func blockColumns(kc, nr int) int {
	const usual, most = 1 << 20, 512
	var info uint64
	cacheInfo(&info)
	bytes := int(info >> 16 & 0xffff << 10)
	if bytes == 0 { // a virtual machine may not say
		bytes = usual
	}
	return max(4*nr, min(most, bytes/(4*kc)/nr*nr))
}
