//go:build !purego

package cpu

// gemmNEON has tiles of 8 rows and three vectors of 4 columns: 24 of the 32
// registers are accumulators.
func gemmNEON() gemmKernel {
	return gemmKernel{
		MR: 8, NR: 12, KC: 256, NC: 264, MC: 48,
		rows: []func(*gemmArgs){
			nil, gemmNEONx1, gemmNEONx2, gemmNEONx3, gemmNEONx4,
			gemmNEONx5, gemmNEONx6, gemmNEONx7, gemmNEONx8,
		},
		axpy:  axpyNEON,
		copyA: copyNEONx8, copyB: copyNEONx12,
		transposeA: transposeNEONx8, transposeB: transposeNEONx12, width: 12,
		ns: 0.05,
	}
}
