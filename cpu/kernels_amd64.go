//go:build !purego

package cpu

import (
	"math"
	"unsafe"

	"github.com/fornax-ml/fornax/tensor/ir"
)

// kernelsAVX512 returns the portable table with the assembly's kernels in it.
func kernelsAVX512() *kernelTable {
	t := *portableKernels()
	for op, k := range map[ir.Op]kernel{
		ir.OpAdd: mapAdd512, ir.OpSub: mapSub512, ir.OpMul: mapMul512, ir.OpDiv: mapDiv512,
		ir.OpMaximum: mapMaximum512, ir.OpMinimum: mapMinimum512, ir.OpNeg: mapNeg512, ir.OpAbs: mapAbs512,
		ir.OpSquare: mapSquare512, ir.OpSqrt: mapSqrt512, ir.OpRsqrt: mapRsqrt512, ir.OpReciprocal: mapReciprocal512,
		ir.OpRelu: mapRelu512, ir.OpFloor: mapFloor512, ir.OpCeil: mapCeil512, ir.OpRound: mapRound512, ir.OpTrunc: mapTrunc512,
		ir.OpLess: mapLess512, ir.OpLessEqual: mapLessEqual512, ir.OpEqual: mapEqual512, ir.OpNotEqual: mapNotEqual512,
		ir.OpSign: mapSign512, ir.OpIsNaN: mapIsNaN512, ir.OpIsInf: mapIsInf512,
		ir.OpExp: mapExp512, ir.OpExp2: mapExp2512, ir.OpExpm1: mapExpm1512, ir.OpLog: mapLog512, ir.OpLog2: mapLog2512, ir.OpLog1p: mapLog1p512,
		ir.OpSinh: mapSinh512, ir.OpCosh: mapCosh512, ir.OpAsin: mapAsin512, ir.OpAcos: mapAcos512, ir.OpAtan: mapAtan512, ir.OpAtan2: mapAtan2512, ir.OpPow: mapPow512,
		ir.OpTanh: mapTanh512, ir.OpSigmoid: mapSigmoid512, ir.OpErf: mapErf512,
		ir.OpSin: angles(mapSin512, rowsAVX512, math.Sin), ir.OpCos: angles(mapCos512, rowsAVX512, math.Cos), ir.OpTan: angles(mapTan512, rowsAVX512, math.Tan),
	} {
		t.calc[op][ir.F32] = k
	}
	intsAVX512(&t)
	castsAVX512(&t)
	doublesAVX512(&t)
	t.philox, t.stream = mapPhilox512, fromCounter(philoxRun512)
	t.fused = newFusedSet(fused512, fusedRoutines512(), fusedChunk512)
	t.rows, t.rowSums, t.moves = rowsAVX512, rowSums512, movesAVX512()
	t.cols = colKernels{sum: colSum512, max: colMax512, min: colMin512}
	t.lanes.max, t.lanes.min = rowMax512, rowMin512
	return &t
}

// kernelsAVX2 is kernelsAVX512 for AVX2.
func kernelsAVX2() *kernelTable {
	t := *portableKernels()
	for op, k := range map[ir.Op]kernel{
		ir.OpAdd: mapAdd256, ir.OpSub: mapSub256, ir.OpMul: mapMul256, ir.OpDiv: mapDiv256,
		ir.OpMaximum: mapMaximum256, ir.OpMinimum: mapMinimum256, ir.OpNeg: mapNeg256, ir.OpAbs: mapAbs256,
		ir.OpSquare: mapSquare256, ir.OpSqrt: mapSqrt256, ir.OpRsqrt: mapRsqrt256, ir.OpReciprocal: mapReciprocal256,
		ir.OpRelu: mapRelu256, ir.OpFloor: mapFloor256, ir.OpCeil: mapCeil256, ir.OpRound: mapRound256, ir.OpTrunc: mapTrunc256,
		ir.OpLess: mapLess256, ir.OpLessEqual: mapLessEqual256, ir.OpEqual: mapEqual256, ir.OpNotEqual: mapNotEqual256,
		ir.OpSign: mapSign256, ir.OpIsNaN: mapIsNaN256, ir.OpIsInf: mapIsInf256,
		ir.OpExp: mapExp256, ir.OpExp2: mapExp2256, ir.OpExpm1: mapExpm1256, ir.OpLog: mapLog256, ir.OpLog2: mapLog2256, ir.OpLog1p: mapLog1p256,
		ir.OpSinh: mapSinh256, ir.OpCosh: mapCosh256, ir.OpAsin: mapAsin256, ir.OpAcos: mapAcos256, ir.OpAtan: mapAtan256, ir.OpAtan2: mapAtan2256, ir.OpPow: mapPow256,
		ir.OpTanh: mapTanh256, ir.OpSigmoid: mapSigmoid256, ir.OpErf: mapErf256,
		ir.OpSin: angles(mapSin256, rowsAVX2, math.Sin), ir.OpCos: angles(mapCos256, rowsAVX2, math.Cos), ir.OpTan: angles(mapTan256, rowsAVX2, math.Tan),
	} {
		t.calc[op][ir.F32] = k
	}
	intsAVX2(&t)
	castsAVX2(&t)
	doublesAVX2(&t)
	t.philox, t.stream = mapPhilox256, fromCounter(philoxRun256)
	t.fused = newFusedSet(fused256, fusedRoutines256(), fusedChunk256)
	t.rows, t.rowSums, t.moves = rowsAVX2, rowSums256, movesAVX2()
	t.cols = colKernels{sum: colSum256, max: colMax256, min: colMin256}
	t.lanes.max, t.lanes.min = rowMax256, rowMin256
	return &t
}

// fromCounter makes a kernel for words from any on of one that starts with the
// first word of a counter and ends before the numbers of words wrap.
func fromCounter(run streamKernel) streamKernel {
	return func(dst unsafe.Pointer, first, k0, k1, c0, c1 uint32, n int) {
		head := min(int(-first&3), n)
		stream(dst, first, k0, k1, c0, c1, head)
		dst, first, n = unsafe.Add(dst, 4*head), first+uint32(head), n-head
		for n > 0 {
			k := int(min(int64(n), 1<<32-int64(first)))
			run(dst, first, k0, k1, c0, c1, k)
			dst, first, n = unsafe.Add(dst, 4*k), 0, n-k
		}
	}
}

// angles makes a kernel for any argument of one whose reduction is good for
// magnitudes below bigAngle: elements that are not get what slow computes.
func angles(fast kernel, kind rowKind, slow func(float64) float64) kernel {
	return func(dst, a, _, _ unsafe.Pointer, n int) {
		var lanes [16]float32 // the largest magnitudes
		if kind == rowsAVX512 {
			rowSize512(unsafe.Pointer(&lanes), a, n)
		} else {
			rowSize256(unsafe.Pointer(&lanes), a, n)
		}
		for _, v := range lanes {
			if !(v < bigAngle) {
				bigAngles(fast, slow, dst, a, n)
				return
			}
		}
		fast(dst, a, nil, nil, n)
	}
}

func bigAngles(fast kernel, slow func(float64) float64, dst, a unsafe.Pointer, n int) {
	x := make([]float32, n)
	copy(x, slice[float32](a, n)) // a may be dst
	fast(dst, unsafe.Pointer(&x[0]), nil, nil, n)
	y := slice[float32](dst, n)
	for i, v := range x {
		if !(max(v, -v) < bigAngle) {
			y[i] = float32(slow(float64(v)))
		}
	}
}

// rowSum returns the sum of n elements: runs of subRun are added in float32, and
// their totals in float64.
func rowSum(kind rowKind, x unsafe.Pointer, n int) (sum float64) {
	if kind == rowsAVX512 {
		rowSum512(unsafe.Pointer(&sum), x, n)
	} else {
		rowSum256(unsafe.Pointer(&sum), x, n)
	}
	return sum
}

// extreme returns the maximum of n elements, or the minimum, and NaN where there
// is one; n is at least 1.
func extreme(kind rowKind, least bool, x unsafe.Pointer, n int) float32 {
	var lanes [16]float32
	dst := unsafe.Pointer(&lanes)
	switch {
	case kind == rowsAVX512 && least:
		rowMin512(dst, x, n, 1)
	case kind == rowsAVX512:
		rowMax512(dst, x, n, 1)
	case least:
		rowMin256(dst, x, n, 1)
	default:
		rowMax256(dst, x, n, 1)
	}
	if least {
		return minRow(lanes[0], lanes[1:])
	}
	return maxRow(lanes[0], lanes[1:])
}

// flushColumns adds n float32 at x to float64 sums, the errors to rests, and
// clears them; n is a multiple of 8.
func flushColumns(kind rowKind, sums, rests, x unsafe.Pointer, n int) {
	if kind == rowsAVX512 {
		colFlush512(sums, rests, x, n)
	} else {
		colFlush256(sums, rests, x, n)
	}
}
