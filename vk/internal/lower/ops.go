package lower

import (
	"github.com/fornax-ml/fornax/tensor/ir"
)

// Narrow and Wide are the dtypes of the two builds of the shaders. Halves are
// computed as F32.
const (
	Narrow ir.Class = 1<<ir.F32 | 1<<ir.I32 | 1<<ir.U32 | 1<<ir.I8 | 1<<ir.U8 | 1<<ir.Bool | halves
	Wide   ir.Class = Narrow | 1<<ir.I64 | 1<<ir.F64

	halves ir.Class = 1<<ir.F16 | 1<<ir.BF16
)

// An OpFunc is a function of the shaders that applies one op to one dtype.
type OpFunc struct {
	Name  string
	Arity int
	Wide  bool // in the wide build only
	// Op is applied to dtype From; To is the result's of a cast.
	Op       ir.Op
	From, To ir.DType
}

// OpFuncs lists the functions that a chain may call, in the order of the op
// table; shaders/dispatch.glsl is made from it.
func OpFuncs() []OpFunc {
	var l []OpFunc
	for _, row := range ir.Table() {
		if row.Kind != ir.KindElementwise {
			continue
		}
		for _, from := range row.Args.List() {
			if !computed.Has(from) {
				continue
			}
			if row.Op != ir.OpCast {
				l = append(l, OpFunc{opName(row.Op, from, ir.Invalid), row.Arity, !Narrow.Has(from), row.Op, from, ir.Invalid})
				continue
			}
			for _, to := range computed.List() {
				if to != from {
					l = append(l, OpFunc{opName(row.Op, from, to), 1, !Narrow.Has(from) || !Narrow.Has(to), row.Op, from, to})
				}
			}
		}
	}
	for _, d := range computed.List() {
		if d != ir.Bool {
			for _, op := range []ir.Op{ir.OpArgMax, ir.OpArgMin} {
				l = append(l, OpFunc{opName(op, d, ir.Invalid), 2, !Narrow.Has(d), op, d, ir.Invalid})
			}
		}
	}
	return l
}

// computed are the dtypes that have functions of their own.
const computed = Wide &^ halves

// computedAs is the dtype whose functions compute d.
func computedAs(d ir.DType) ir.DType {
	if halves.Has(d) {
		return ir.F32
	}
	return d
}

// staysHalf are the ops whose result is a half where the arguments are.
var staysHalf = []ir.Op{
	ir.OpNeg, ir.OpAbs, ir.OpSign, ir.OpRelu, ir.OpFloor, ir.OpCeil, ir.OpRound, ir.OpTrunc,
	ir.OpMaximum, ir.OpMinimum, ir.OpWhere,
}

// opName names the shaders' function for an op on arguments of dtype from.
func opName(op ir.Op, from, to ir.DType) string {
	from, to = computedAs(from), computedAs(to)
	if op == ir.OpCast {
		return "cast_" + from.String() + "_" + to.String()
	}
	return from.String() + "_" + op.String()
}

// combineName names the function that joins two values of a reduction.
func combineName(op ir.Op, d ir.DType) string {
	switch op {
	case ir.OpSum:
		op = ir.OpAdd
	case ir.OpProd:
		op = ir.OpMul
	case ir.OpMax:
		op = ir.OpMaximum
	case ir.OpMin:
		op = ir.OpMinimum
	case ir.OpAny:
		op = ir.OpOr
	case ir.OpAll:
		op = ir.OpAnd
	}
	return opName(op, d, ir.Invalid)
}
