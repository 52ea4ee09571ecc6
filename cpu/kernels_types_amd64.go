//go:build !purego

package cpu

import (
	"unsafe"

	"github.com/fornax-ml/fornax/tensor/ir"
)

// ofBytes enters the kernels of the bits of integers, which count bytes.
func ofBytes(t *kernelTable, and, or, xor, not kernel) {
	for _, d := range []ir.DType{ir.I8, ir.U8, ir.I32, ir.U32, ir.I64} {
		size := d.Size()
		for op, f := range map[ir.Op]kernel{ir.OpAnd: and, ir.OpOr: or, ir.OpXor: xor, ir.OpNot: not} {
			t.calc[op][d] = func(dst, a, b, _ unsafe.Pointer, n int) { f(dst, a, b, nil, n*size) }
		}
	}
}

// intsAVX512 enters the kernels of integers and bools.
func intsAVX512(t *kernelTable) {
	for op, k := range map[ir.Op]kernel{
		ir.OpAdd: mapAddInt512, ir.OpSub: mapSubInt512, ir.OpMul: mapMulInt512, ir.OpSquare: mapSquareInt512, ir.OpNeg: mapNegInt512,
		ir.OpEqual: mapEqualInt512, ir.OpNotEqual: mapNotEqualInt512, ir.OpShl: mapShl512,
	} {
		t.calc[op][ir.I32], t.calc[op][ir.U32] = k, k
	}
	for op, k := range map[ir.Op]kernel{
		ir.OpAbs: mapAbsInt512, ir.OpSign: mapSignInt512, ir.OpRelu: mapReluInt512, ir.OpMaximum: mapMaximumInt512, ir.OpMinimum: mapMinimumInt512,
		ir.OpLess: mapLessInt512, ir.OpLessEqual: mapLessEqualInt512, ir.OpShr: mapShrInt512,
	} {
		t.calc[op][ir.I32] = k
	}
	for op, k := range map[ir.Op]kernel{
		ir.OpMaximum: mapMaximumUint512, ir.OpMinimum: mapMinimumUint512, ir.OpLess: mapLessUint512, ir.OpLessEqual: mapLessEqualUint512, ir.OpShr: mapShrUint512,
	} {
		t.calc[op][ir.U32] = k
	}
	t.calc[ir.OpDiv][ir.I32], t.calc[ir.OpRem][ir.I32] = mapDivInt512, mapRemInt512
	for op, k := range map[ir.Op]kernel{
		ir.OpAdd: mapAddLong512, ir.OpSub: mapSubLong512, ir.OpNeg: mapNegLong512, ir.OpMaximum: mapMaximumLong512, ir.OpMinimum: mapMinimumLong512,
		ir.OpLess: mapLessLong512, ir.OpLessEqual: mapLessEqualLong512, ir.OpEqual: mapEqualLong512, ir.OpNotEqual: mapNotEqualLong512,
	} {
		t.calc[op][ir.I64] = k
	}
	for _, d := range []ir.DType{ir.I8, ir.U8} {
		t.calc[ir.OpEqual][d], t.calc[ir.OpNotEqual][d] = mapEqualByte512, mapNotEqualByte512
	}
	ofBytes(t, mapAnd512, mapOr512, mapXor512, mapNot512)
	t.notBool = mapNotBool512
	t.where[1], t.where[4], t.where[8] = mapWhereByte512, mapWhere512, mapWhereLong512
}

// castsAVX512 enters the conversions.
func castsAVX512(t *kernelTable) {
	t.widen[ir.F16], t.narrow[ir.F16], t.round[ir.F16] = mapWidenHalf512, mapNarrowHalf512, mapRoundHalf512
	t.widen[ir.BF16], t.narrow[ir.BF16], t.round[ir.BF16] = mapWidenBfloat512, mapNarrowBfloat512, mapRoundBfloat512
	f := &t.cast[ir.F32]
	f[ir.I32], f[ir.U8], f[ir.Bool], f[ir.F64] = mapFloatToInt512, mapFloatToByte512, mapFloatToBool512, mapFloatToDouble512
	i := &t.cast[ir.I32]
	i[ir.F32], i[ir.F64], i[ir.I64] = mapIntToFloat512, mapIntToDouble512, mapIntToLong512
	i[ir.I8], i[ir.U8] = mapIntToByte512, mapIntToByte512
	u := &t.cast[ir.U32]
	u[ir.F32], u[ir.I8], u[ir.U8] = mapUintToFloat512, mapIntToByte512, mapIntToByte512
	b := &t.cast[ir.U8]
	b[ir.F32], b[ir.I32], b[ir.U32] = mapByteToFloat512, mapByteToInt512, mapByteToInt512
	l := &t.cast[ir.I64]
	l[ir.I32], l[ir.U32] = mapLongToInt512, mapLongToInt512
	t.cast[ir.F64][ir.F32] = mapDoubleToFloat512
}

// doublesAVX512 enters the arithmetic of float64.
func doublesAVX512(t *kernelTable) {
	for op, k := range map[ir.Op]kernel{
		ir.OpAdd: mapAddDouble512, ir.OpSub: mapSubDouble512, ir.OpMul: mapMulDouble512, ir.OpDiv: mapDivDouble512,
		ir.OpMaximum: mapMaximumDouble512, ir.OpMinimum: mapMinimumDouble512, ir.OpNeg: mapNegDouble512, ir.OpAbs: mapAbsDouble512,
		ir.OpSquare: mapSquareDouble512, ir.OpSqrt: mapSqrtDouble512, ir.OpRsqrt: mapRsqrtDouble512, ir.OpReciprocal: mapReciprocalDouble512, ir.OpRelu: mapReluDouble512,
		ir.OpFloor: mapFloorDouble512, ir.OpCeil: mapCeilDouble512, ir.OpRound: mapRoundDouble512, ir.OpTrunc: mapTruncDouble512,
		ir.OpLess: mapLessDouble512, ir.OpLessEqual: mapLessEqualDouble512, ir.OpEqual: mapEqualDouble512, ir.OpNotEqual: mapNotEqualDouble512,
	} {
		t.calc[op][ir.F64] = k
	}
}

// intsAVX2 enters the kernels of integers and bools.
func intsAVX2(t *kernelTable) {
	for op, k := range map[ir.Op]kernel{
		ir.OpAdd: mapAddInt256, ir.OpSub: mapSubInt256, ir.OpMul: mapMulInt256, ir.OpSquare: mapSquareInt256, ir.OpNeg: mapNegInt256,
		ir.OpEqual: mapEqualInt256, ir.OpNotEqual: mapNotEqualInt256, ir.OpShl: mapShl256,
	} {
		t.calc[op][ir.I32], t.calc[op][ir.U32] = k, k
	}
	for op, k := range map[ir.Op]kernel{
		ir.OpAbs: mapAbsInt256, ir.OpSign: mapSignInt256, ir.OpRelu: mapReluInt256, ir.OpMaximum: mapMaximumInt256, ir.OpMinimum: mapMinimumInt256,
		ir.OpLess: mapLessInt256, ir.OpLessEqual: mapLessEqualInt256, ir.OpShr: mapShrInt256,
	} {
		t.calc[op][ir.I32] = k
	}
	for op, k := range map[ir.Op]kernel{
		ir.OpMaximum: mapMaximumUint256, ir.OpMinimum: mapMinimumUint256, ir.OpLess: mapLessUint256, ir.OpLessEqual: mapLessEqualUint256, ir.OpShr: mapShrUint256,
	} {
		t.calc[op][ir.U32] = k
	}
	t.calc[ir.OpDiv][ir.I32], t.calc[ir.OpRem][ir.I32] = mapDivInt256, mapRemInt256
	for op, k := range map[ir.Op]kernel{
		ir.OpAdd: mapAddLong256, ir.OpSub: mapSubLong256, ir.OpNeg: mapNegLong256, ir.OpMaximum: mapMaximumLong256, ir.OpMinimum: mapMinimumLong256,
		ir.OpLess: mapLessLong256, ir.OpLessEqual: mapLessEqualLong256, ir.OpEqual: mapEqualLong256, ir.OpNotEqual: mapNotEqualLong256,
	} {
		t.calc[op][ir.I64] = k
	}
	for _, d := range []ir.DType{ir.I8, ir.U8} {
		t.calc[ir.OpEqual][d], t.calc[ir.OpNotEqual][d] = mapEqualByte256, mapNotEqualByte256
	}
	ofBytes(t, mapAnd256, mapOr256, mapXor256, mapNot256)
	t.notBool = mapNotBool256
	t.where[1], t.where[4], t.where[8] = mapWhereByte256, mapWhere256, mapWhereLong256
}

// castsAVX2 enters the conversions.
func castsAVX2(t *kernelTable) {
	t.widen[ir.F16], t.narrow[ir.F16], t.round[ir.F16] = mapWidenHalf256, mapNarrowHalf256, mapRoundHalf256
	t.widen[ir.BF16], t.narrow[ir.BF16], t.round[ir.BF16] = mapWidenBfloat256, mapNarrowBfloat256, mapRoundBfloat256
	f := &t.cast[ir.F32]
	f[ir.I32], f[ir.U8], f[ir.Bool], f[ir.F64] = mapFloatToInt256, mapFloatToByte256, mapFloatToBool256, mapFloatToDouble256
	i := &t.cast[ir.I32]
	i[ir.F32], i[ir.F64], i[ir.I64] = mapIntToFloat256, mapIntToDouble256, mapIntToLong256
	i[ir.I8], i[ir.U8] = mapIntToByte256, mapIntToByte256
	u := &t.cast[ir.U32]
	u[ir.F32], u[ir.I8], u[ir.U8] = mapUintToFloat256, mapIntToByte256, mapIntToByte256
	b := &t.cast[ir.U8]
	b[ir.F32], b[ir.I32], b[ir.U32] = mapByteToFloat256, mapByteToInt256, mapByteToInt256
	l := &t.cast[ir.I64]
	l[ir.I32], l[ir.U32] = mapLongToInt256, mapLongToInt256
	t.cast[ir.F64][ir.F32] = mapDoubleToFloat256
}

// doublesAVX2 enters the arithmetic of float64.
func doublesAVX2(t *kernelTable) {
	for op, k := range map[ir.Op]kernel{
		ir.OpAdd: mapAddDouble256, ir.OpSub: mapSubDouble256, ir.OpMul: mapMulDouble256, ir.OpDiv: mapDivDouble256,
		ir.OpMaximum: mapMaximumDouble256, ir.OpMinimum: mapMinimumDouble256, ir.OpNeg: mapNegDouble256, ir.OpAbs: mapAbsDouble256,
		ir.OpSquare: mapSquareDouble256, ir.OpSqrt: mapSqrtDouble256, ir.OpRsqrt: mapRsqrtDouble256, ir.OpReciprocal: mapReciprocalDouble256, ir.OpRelu: mapReluDouble256,
		ir.OpFloor: mapFloorDouble256, ir.OpCeil: mapCeilDouble256, ir.OpRound: mapRoundDouble256, ir.OpTrunc: mapTruncDouble256,
		ir.OpLess: mapLessDouble256, ir.OpLessEqual: mapLessEqualDouble256, ir.OpEqual: mapEqualDouble256, ir.OpNotEqual: mapNotEqualDouble256,
	} {
		t.calc[op][ir.F64] = k
	}
}
