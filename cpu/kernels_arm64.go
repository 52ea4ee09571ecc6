//go:build !purego

package cpu

import (
	"unsafe"

	"github.com/fornax-ml/fornax/tensor/ir"
)

// kernelsNEON returns the portable table with the assembly's kernels in it.
func kernelsNEON() *kernelTable {
	t := *portableKernels()
	for op, k := range map[ir.Op]kernel{
		ir.OpAdd: mapAddNEON, ir.OpSub: mapSubNEON, ir.OpMul: mapMulNEON, ir.OpDiv: mapDivNEON,
		ir.OpMaximum: mapMaximumNEON, ir.OpMinimum: mapMinimumNEON, ir.OpNeg: mapNegNEON, ir.OpAbs: mapAbsNEON,
		ir.OpSquare: mapSquareNEON, ir.OpSqrt: mapSqrtNEON, ir.OpRsqrt: mapRsqrtNEON, ir.OpReciprocal: mapReciprocalNEON,
		ir.OpRelu: mapReluNEON, ir.OpFloor: mapFloorNEON, ir.OpCeil: mapCeilNEON, ir.OpRound: mapRoundNEON, ir.OpTrunc: mapTruncNEON,
		ir.OpLess: mapLessNEON, ir.OpLessEqual: mapLessEqualNEON, ir.OpEqual: mapEqualNEON, ir.OpNotEqual: mapNotEqualNEON,
		ir.OpExp: mapExpNEON, ir.OpLog: mapLogNEON, ir.OpTanh: mapTanhNEON, ir.OpSigmoid: mapSigmoidNEON, ir.OpErf: mapErfNEON,
	} {
		t.calc[op][ir.F32] = k
	}
	t.where[4] = mapWhereNEON
	t.rows = rowsNEON
	return &t
}

// sumRuns writes the sums of runs of subRun elements, the last one shorter; n is
// 1 to blockLen.
func sumRuns(_ rowKind, dst *[blockLen / subRun]float64, x unsafe.Pointer, n int) {
	rowSumNEON(unsafe.Pointer(dst), x, n)
}

// extreme returns the maximum of n elements, or the minimum, and NaN where there
// is one; n is at least 1.
func extreme(_ rowKind, least bool, x unsafe.Pointer, n int) float32 {
	var lanes [16]float32
	dst := unsafe.Pointer(&lanes)
	if least {
		rowMinNEON(dst, x, n)
		return minRow(lanes[0], lanes[1:])
	}
	rowMaxNEON(dst, x, n)
	return maxRow(lanes[0], lanes[1:])
}

// flushColumns adds n float32 at x to float64 sums, the errors to rests, and
// clears them; n is a multiple of 8.
func flushColumns(_ rowKind, sums, rests, x unsafe.Pointer, n int) {
	colFlushNEON(sums, rests, x, n)
}
