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

// rowSum returns the sum of n elements: runs of subRun are added in float32, and
// their totals in float64.
func rowSum(_ rowKind, x unsafe.Pointer, n int) (sum float64) {
	const most = 16
	for n > 0 {
		var runs [most]float64
		k := min(n, most*subRun)
		rowSumNEON(unsafe.Pointer(&runs), x, k)
		for _, v := range runs[:(k+subRun-1)/subRun] {
			sum += v
		}
		x, n = unsafe.Add(x, 4*k), n-k
	}
	return sum
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
