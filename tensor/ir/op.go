package ir

import "fmt"

// An Op is a mathematical operation, a row of the op table.
type Op uint8

// The ops. Add new ones at the end of their group and give them a row in the
// table; the rows' order is the enum's.
const (
	OpInvalid Op = iota

	// Sources: the first steps of a chain.
	OpLoad   // element of operand K
	OpIndex  // position, in elements, that operand K's view computes; I32 or U32
	OpScalar // program scalar K
	OpConst  // the bits Imm
	OpAcc    // result of the instruction that the chain is the epilogue of

	// Elementwise, one argument.
	OpNeg
	OpAbs
	OpSign
	OpSquare
	OpSqrt
	OpRsqrt
	OpReciprocal
	OpExp
	OpExp2
	OpExpm1
	OpLog
	OpLog2
	OpLog1p
	OpSin
	OpCos
	OpTan
	OpAsin
	OpAcos
	OpAtan
	OpSinh
	OpCosh
	OpTanh
	OpErf
	OpSigmoid
	OpRelu
	OpFloor
	OpCeil
	OpRound
	OpTrunc
	OpIsNaN
	OpIsInf
	OpNot
	OpCast

	// Elementwise, two arguments.
	OpAdd
	OpSub
	OpMul
	OpDiv
	OpRem
	OpPow
	OpAtan2
	OpMaximum
	OpMinimum
	OpAnd
	OpOr
	OpXor
	OpShl
	OpShr
	OpLess
	OpLessEqual
	OpEqual
	OpNotEqual

	// Elementwise, more arguments.
	OpWhere
	OpPhilox

	// Reductions.
	OpSum
	OpProd
	OpMax
	OpMin
	OpArgMax
	OpArgMin
	OpAny
	OpAll

	// Movement: the planner folds them into views.
	OpReshape
	OpPermute
	OpSlice
	OpExpand
	OpPad

	// Kernel families of their own.
	OpMatMul
	OpGather
	OpScatterAdd
	OpCustom
	OpPick // output K of a custom op, in graphs

	NumOps
)

// A Kind tells which kernel family runs an op.
type Kind uint8

// The kinds of op.
const (
	KindSource Kind = iota
	KindElementwise
	KindReduction
	KindMovement
	KindMatMul
	KindGather
	KindScatter
	KindCustom
)

// A ResultRule tells an op's result dtype.
type ResultRule uint8

// The rules for result dtypes.
const (
	ResultSame  ResultRule = iota // dtype of the (last) argument
	ResultBool                    // Bool
	ResultI32                     // I32 (positions)
	ResultU32                     // U32 (random bits)
	ResultGiven                   // stated by the step (Cast, sources)
)

// Mixed says which dtype an op computes in where precision is mixed.
type Mixed uint8

// The rules of mixed precision.
const (
	MixedAny  Mixed = iota // that of the operands; F32 where they differ
	MixedLow               // the half
	MixedHigh              // F32
)

// An OpInfo is a row of the op table.
type OpInfo struct {
	Op     Op
	Name   string // as in the GLSL and in printed programs
	Kind   Kind
	Arity  int
	Args   Class // dtypes of the arguments (Where: of the values; its condition is Bool)
	Result ResultRule
	Doc    string // formula, one line

	// Float is the float64 reference of an elementwise op; nil where the op
	// has no float arguments.
	Float func(x []float64) float64
	// Int is the reference over integers and bools in int64; the caller wraps
	// the result to the dtype. Nil where the op has no integer arguments.
	Int func(d DType, x []int64) int64

	// Domain holds, for each argument, the interval that tests draw floats
	// from; one entry serves all arguments. Ints draw from it too, truncated.
	Domain [][2]float64
	// ULP bounds the float32 error of one application inside the domain, in
	// units in the last place of the reference, plus Abs absolutely.
	ULP, Abs float64
	// Mixed is the rule of the op under tensor.Autocast.
	Mixed Mixed
	// Cheap ops cost about an addition; the planner may compute them twice
	// rather than store them.
	Cheap bool
}

// Info returns the op's row.
func (o Op) Info() *OpInfo {
	if o == OpInvalid || o >= NumOps {
		panic(fmt.Sprintf("ir: no such op: %d", uint8(o)))
	}
	return &table[o]
}

// String returns the op's name.
func (o Op) String() string {
	if o == OpInvalid || o >= NumOps {
		return fmt.Sprintf("op(%d)", uint8(o))
	}
	return table[o].Name
}

// IsElementwise reports whether a chain may apply the op.
func (o Op) IsElementwise() bool { return o.Info().Kind == KindElementwise }

// IsReduction reports whether the op is a reduction.
func (o Op) IsReduction() bool { return o.Info().Kind == KindReduction }

// ResultType returns the dtype of the op on arguments of dtype d; for ops
// whose dtype is given by the step it returns d.
func (o Op) ResultType(d DType) DType {
	switch o.Info().Result {
	case ResultBool:
		return Bool
	case ResultI32:
		return I32
	case ResultU32:
		return U32
	}
	return d
}

// Table returns all rows of ops, in enum order.
func Table() []*OpInfo {
	rows := make([]*OpInfo, 0, NumOps-1)
	for o := OpInvalid + 1; o < NumOps; o++ {
		rows = append(rows, &table[o])
	}
	return rows
}

// Identity returns the bits a reduction of no elements gives in dtype d: 0
// for Sum, 1 for Prod, the lowest value for Max (-Inf for floats), the highest
// for Min, 0 for ArgMax and ArgMin, false for Any, true for All.
func Identity(o Op, d DType) uint64 {
	switch o {
	case OpProd:
		return FloatBits(d, 1)
	case OpAll:
		return 1
	case OpMax, OpMin:
		sign := -1.0
		if o == OpMin {
			sign = 1
		}
		if d.IsFloat() {
			return FloatBits(d, sign*inf)
		}
		lo, hi := IntRange(d)
		if o == OpMin {
			return IntBits(d, hi)
		}
		return IntBits(d, lo)
	}
	return 0
}
