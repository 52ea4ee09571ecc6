package ir

import (
	"math"
)

var inf = math.Inf(1)

func un(f func(float64) float64) func([]float64) float64 {
	return func(x []float64) float64 { return f(x[0]) }
}

func bin(f func(a, b float64) float64) func([]float64) float64 {
	return func(x []float64) float64 { return f(x[0], x[1]) }
}

func iun(f func(a int64) int64) func(DType, []int64) int64 {
	return func(_ DType, x []int64) int64 { return f(x[0]) }
}

func ibin(f func(a, b int64) int64) func(DType, []int64) int64 {
	return func(_ DType, x []int64) int64 { return f(x[0], x[1]) }
}

func cmp(f func(a, b float64) bool) func([]float64) float64 {
	return func(x []float64) float64 { return b2f(f(x[0], x[1])) }
}

func icmp(f func(a, b int64) bool) func(DType, []int64) int64 {
	return func(_ DType, x []int64) int64 { return b2i(f(x[0], x[1])) }
}

func b2f(b bool) float64 {
	if b {
		return 1
	}
	return 0
}

func b2i(b bool) int64 {
	if b {
		return 1
	}
	return 0
}

var (
	wide     = [][2]float64{{-100, 100}}
	positive = [][2]float64{{1e-3, 100}}
	unit     = [][2]float64{{-0.999, 0.999}}
	small    = [][2]float64{{-10, 10}}
)

// table is indexed by Op. Sources and families have rows without references:
// their meaning is in doc.go and at the instruction.
var table = [NumOps]OpInfo{
	OpLoad:   {Name: "load", Kind: KindSource, Args: Any, Result: ResultGiven, Doc: "x[p], an element of a slot through a view"},
	OpIndex:  {Name: "index", Kind: KindSource, Args: 1<<I32 | 1<<U32, Result: ResultGiven, Doc: "Offset + Σ p[a]·Strides[a], the position a view computes"},
	OpScalar: {Name: "scalar", Kind: KindSource, Args: Any, Result: ResultGiven, Doc: "a run-time number"},
	OpConst:  {Name: "const", Kind: KindSource, Args: Any, Result: ResultGiven, Doc: "a fixed number"},
	OpAcc:    {Name: "acc", Kind: KindSource, Args: Any, Result: ResultGiven, Doc: "the result before the epilogue"},

	OpNeg:        {Name: "neg", Kind: KindElementwise, Arity: 1, Args: Numbers, Doc: "-x", Cheap: true, Domain: wide, Float: un(func(x float64) float64 { return -x }), Int: iun(func(a int64) int64 { return -a })},
	OpAbs:        {Name: "abs", Kind: KindElementwise, Arity: 1, Args: Numbers, Doc: "|x|", Cheap: true, Domain: wide, Float: un(math.Abs), Int: iun(func(a int64) int64 { return max(a, -a) })},
	OpSign:       {Name: "sign", Kind: KindElementwise, Arity: 1, Args: Numbers, Doc: "-1, 0 or 1; NaN stays NaN, ±0 gives 0", Cheap: true, Domain: wide, Float: un(sign), Int: iun(func(a int64) int64 { return b2i(a > 0) - b2i(a < 0) })},
	OpSquare:     {Name: "square", Kind: KindElementwise, Arity: 1, Args: Numbers, Doc: "x²", Cheap: true, Domain: wide, ULP: 0.5, Float: un(func(x float64) float64 { return x * x }), Int: iun(func(a int64) int64 { return a * a })},
	OpSqrt:       {Name: "sqrt", Kind: KindElementwise, Arity: 1, Args: Floats, Doc: "√x", Domain: positive, ULP: 3, Float: un(math.Sqrt)},
	OpRsqrt:      {Name: "rsqrt", Mixed: MixedHigh, Kind: KindElementwise, Arity: 1, Args: Floats, Doc: "1/√x", Domain: positive, ULP: 4, Float: un(func(x float64) float64 { return 1 / math.Sqrt(x) })},
	OpReciprocal: {Name: "reciprocal", Mixed: MixedHigh, Kind: KindElementwise, Arity: 1, Args: Floats, Doc: "1/x", Domain: positive, ULP: 2.5, Float: un(func(x float64) float64 { return 1 / x })},
	OpExp:        {Name: "exp", Mixed: MixedHigh, Kind: KindElementwise, Arity: 1, Args: Floats, Doc: "eˣ", Domain: [][2]float64{{-87, 88}}, ULP: 4, Float: un(math.Exp)},
	OpExp2:       {Name: "exp2", Mixed: MixedHigh, Kind: KindElementwise, Arity: 1, Args: Floats, Doc: "2ˣ", Domain: [][2]float64{{-126, 127}}, ULP: 4, Float: un(math.Exp2)},
	OpExpm1:      {Name: "expm1", Mixed: MixedHigh, Kind: KindElementwise, Arity: 1, Args: Floats, Doc: "eˣ - 1", Domain: [][2]float64{{-87, 88}}, ULP: 4, Float: un(math.Expm1)},
	OpLog:        {Name: "log", Mixed: MixedHigh, Kind: KindElementwise, Arity: 1, Args: Floats, Doc: "ln x; ln 0 = -Inf, NaN below", Domain: positive, ULP: 4, Float: un(math.Log)},
	OpLog2:       {Name: "log2", Mixed: MixedHigh, Kind: KindElementwise, Arity: 1, Args: Floats, Doc: "log₂ x", Domain: positive, ULP: 4, Float: un(math.Log2)},
	OpLog1p:      {Name: "log1p", Mixed: MixedHigh, Kind: KindElementwise, Arity: 1, Args: Floats, Doc: "ln(1 + x)", Domain: [][2]float64{{-0.99, 100}}, ULP: 4, Float: un(math.Log1p)},
	OpSin:        {Name: "sin", Kind: KindElementwise, Arity: 1, Args: Floats, Doc: "sin x, x in radians", Domain: wide, ULP: 4, Abs: 1e-7, Float: un(math.Sin)},
	OpCos:        {Name: "cos", Kind: KindElementwise, Arity: 1, Args: Floats, Doc: "cos x, x in radians", Domain: wide, ULP: 4, Abs: 1e-7, Float: un(math.Cos)},
	OpTan:        {Name: "tan", Mixed: MixedHigh, Kind: KindElementwise, Arity: 1, Args: Floats, Doc: "tan x, x in radians", Domain: [][2]float64{{-1.5, 1.5}}, ULP: 8, Abs: 1e-7, Float: un(math.Tan)},
	OpAsin:       {Name: "asin", Mixed: MixedHigh, Kind: KindElementwise, Arity: 1, Args: Floats, Doc: "arcsin x, in radians", Domain: unit, ULP: 8, Abs: 1e-7, Float: un(math.Asin)},
	OpAcos:       {Name: "acos", Mixed: MixedHigh, Kind: KindElementwise, Arity: 1, Args: Floats, Doc: "arccos x, in radians", Domain: unit, ULP: 8, Abs: 1e-7, Float: un(math.Acos)},
	OpAtan:       {Name: "atan", Kind: KindElementwise, Arity: 1, Args: Floats, Doc: "arctan x, in radians", Domain: wide, ULP: 4, Float: un(math.Atan)},
	OpSinh:       {Name: "sinh", Mixed: MixedHigh, Kind: KindElementwise, Arity: 1, Args: Floats, Doc: "(eˣ - e⁻ˣ)/2", Domain: [][2]float64{{-80, 80}}, ULP: 8, Float: un(math.Sinh)},
	OpCosh:       {Name: "cosh", Mixed: MixedHigh, Kind: KindElementwise, Arity: 1, Args: Floats, Doc: "(eˣ + e⁻ˣ)/2", Domain: [][2]float64{{-80, 80}}, ULP: 8, Float: un(math.Cosh)},
	OpTanh:       {Name: "tanh", Kind: KindElementwise, Arity: 1, Args: Floats, Doc: "(eˣ - e⁻ˣ)/(eˣ + e⁻ˣ)", Domain: small, ULP: 4, Float: un(math.Tanh)},
	OpErf:        {Name: "erf", Kind: KindElementwise, Arity: 1, Args: Floats, Doc: "2/√π ∫₀ˣ e^(-t²) dt", Domain: [][2]float64{{-5, 5}}, ULP: 4, Float: un(math.Erf)},
	OpSigmoid:    {Name: "sigmoid", Kind: KindElementwise, Arity: 1, Args: Floats, Doc: "1/(1 + e⁻ˣ)", Domain: [][2]float64{{-80, 80}}, ULP: 6, Float: un(func(x float64) float64 { return 1 / (1 + math.Exp(-x)) })},
	OpRelu:       {Name: "relu", Kind: KindElementwise, Arity: 1, Args: Numbers, Doc: "max(x, 0), NaN stays NaN", Cheap: true, Domain: wide, Float: un(relu), Int: iun(func(a int64) int64 { return max(a, 0) })},
	OpFloor:      {Name: "floor", Kind: KindElementwise, Arity: 1, Args: Floats, Doc: "⌊x⌋", Cheap: true, Domain: wide, Float: un(math.Floor)},
	OpCeil:       {Name: "ceil", Kind: KindElementwise, Arity: 1, Args: Floats, Doc: "⌈x⌉", Cheap: true, Domain: wide, Float: un(math.Ceil)},
	OpRound:      {Name: "round", Kind: KindElementwise, Arity: 1, Args: Floats, Doc: "nearest integer, ties to even", Cheap: true, Domain: wide, Float: un(math.RoundToEven)},
	OpTrunc:      {Name: "trunc", Kind: KindElementwise, Arity: 1, Args: Floats, Doc: "x toward zero", Cheap: true, Domain: wide, Float: un(math.Trunc)},
	OpIsNaN:      {Name: "isnan", Kind: KindElementwise, Arity: 1, Args: Floats, Result: ResultBool, Doc: "x is NaN", Cheap: true, Domain: wide, Float: un(func(x float64) float64 { return b2f(x != x) })},
	OpIsInf:      {Name: "isinf", Kind: KindElementwise, Arity: 1, Args: Floats, Result: ResultBool, Doc: "x is +Inf or -Inf", Cheap: true, Domain: wide, Float: un(func(x float64) float64 { return b2f(math.IsInf(x, 0)) })},
	OpNot:        {Name: "not", Kind: KindElementwise, Arity: 1, Args: Ints | Bools, Doc: "logical not of a bool, bitwise not of an integer", Cheap: true, Domain: wide, Int: func(d DType, x []int64) int64 { return not(d, x[0]) }},
	OpCast:       {Name: "cast", Kind: KindElementwise, Arity: 1, Args: Any, Result: ResultGiven, Doc: "x as another dtype: float to integer truncates and saturates, integers wrap, to bool is x ≠ 0", Cheap: true, Domain: wide},

	OpAdd:       {Name: "add", Kind: KindElementwise, Arity: 2, Args: Numbers, Doc: "a + b", Cheap: true, Domain: wide, ULP: 0.5, Float: bin(func(a, b float64) float64 { return a + b }), Int: ibin(func(a, b int64) int64 { return a + b })},
	OpSub:       {Name: "sub", Kind: KindElementwise, Arity: 2, Args: Numbers, Doc: "a - b", Cheap: true, Domain: wide, ULP: 0.5, Float: bin(func(a, b float64) float64 { return a - b }), Int: ibin(func(a, b int64) int64 { return a - b })},
	OpMul:       {Name: "mul", Kind: KindElementwise, Arity: 2, Args: Numbers, Doc: "a·b", Cheap: true, Domain: wide, ULP: 0.5, Float: bin(func(a, b float64) float64 { return a * b }), Int: ibin(func(a, b int64) int64 { return a * b })},
	OpDiv:       {Name: "div", Kind: KindElementwise, Arity: 2, Args: Numbers, Doc: "a/b; integers truncate, by zero gives 0", Domain: [][2]float64{{-100, 100}, {0.5, 100}}, ULP: 2.5, Float: bin(func(a, b float64) float64 { return a / b }), Int: ibin(idiv)},
	OpRem:       {Name: "rem", Kind: KindElementwise, Arity: 2, Args: Numbers, Doc: "a - b·trunc(a/b), sign of a; integers by zero give 0", Domain: [][2]float64{{-100, 100}, {0.5, 100}}, Float: bin(math.Mod), Int: ibin(irem)},
	OpPow:       {Name: "pow", Mixed: MixedHigh, Kind: KindElementwise, Arity: 2, Args: Floats, Doc: "aᵇ as IEEE pow", Domain: [][2]float64{{0.05, 20}, {-5, 5}}, ULP: 16, Float: bin(math.Pow)},
	OpAtan2:     {Name: "atan2", Kind: KindElementwise, Arity: 2, Args: Floats, Doc: "angle of the point (b, a), in radians", Domain: wide, ULP: 8, Float: bin(atan2)},
	OpMaximum:   {Name: "maximum", Kind: KindElementwise, Arity: 2, Args: Numbers, Doc: "the larger; NaN if either is", Cheap: true, Domain: wide, Float: bin(func(a, b float64) float64 { return max(a, b) }), Int: ibin(func(a, b int64) int64 { return max(a, b) })},
	OpMinimum:   {Name: "minimum", Kind: KindElementwise, Arity: 2, Args: Numbers, Doc: "the smaller; NaN if either is", Cheap: true, Domain: wide, Float: bin(func(a, b float64) float64 { return min(a, b) }), Int: ibin(func(a, b int64) int64 { return min(a, b) })},
	OpAnd:       {Name: "and", Kind: KindElementwise, Arity: 2, Args: Ints | Bools, Doc: "logical and of bools, bitwise and of integers", Cheap: true, Domain: wide, Int: ibin(func(a, b int64) int64 { return a & b })},
	OpOr:        {Name: "or", Kind: KindElementwise, Arity: 2, Args: Ints | Bools, Doc: "logical or of bools, bitwise or of integers", Cheap: true, Domain: wide, Int: ibin(func(a, b int64) int64 { return a | b })},
	OpXor:       {Name: "xor", Kind: KindElementwise, Arity: 2, Args: Ints | Bools, Doc: "exclusive or", Cheap: true, Domain: wide, Int: ibin(func(a, b int64) int64 { return a ^ b })},
	OpShl:       {Name: "shl", Kind: KindElementwise, Arity: 2, Args: Ints, Doc: "a·2ᵇ, wrapping; 0 where b is negative or not below the width", Cheap: true, Domain: [][2]float64{{-100, 100}, {0, 40}}, Int: shl},
	OpShr:       {Name: "shr", Kind: KindElementwise, Arity: 2, Args: Ints, Doc: "⌊a/2ᵇ⌋; where b is negative or not below the width: 0, or -1 for negative a", Cheap: true, Domain: [][2]float64{{-100, 100}, {0, 40}}, Int: shr},
	OpLess:      {Name: "less", Kind: KindElementwise, Arity: 2, Args: Numbers, Result: ResultBool, Doc: "a < b", Cheap: true, Domain: wide, Float: cmp(func(a, b float64) bool { return a < b }), Int: icmp(func(a, b int64) bool { return a < b })},
	OpLessEqual: {Name: "lessequal", Kind: KindElementwise, Arity: 2, Args: Numbers, Result: ResultBool, Doc: "a ≤ b", Cheap: true, Domain: wide, Float: cmp(func(a, b float64) bool { return a <= b }), Int: icmp(func(a, b int64) bool { return a <= b })},
	OpEqual:     {Name: "equal", Kind: KindElementwise, Arity: 2, Args: Any, Result: ResultBool, Doc: "a = b", Cheap: true, Domain: wide, Float: cmp(func(a, b float64) bool { return a == b }), Int: icmp(func(a, b int64) bool { return a == b })},
	OpNotEqual:  {Name: "notequal", Kind: KindElementwise, Arity: 2, Args: Any, Result: ResultBool, Doc: "a ≠ b, true for NaN", Cheap: true, Domain: wide, Float: cmp(func(a, b float64) bool { return a != b }), Int: icmp(func(a, b int64) bool { return a != b })},

	OpWhere: {Name: "where", Kind: KindElementwise, Arity: 3, Args: Any, Doc: "a where the condition holds, else b", Cheap: true, Domain: wide, Float: func(x []float64) float64 { return pick(x[0] != 0, x[1], x[2]) }, Int: func(_ DType, x []int64) int64 { return pick(x[0] != 0, x[1], x[2]) }},
	OpPhilox: {Name: "philox", Kind: KindElementwise, Arity: 5, Args: 1 << U32, Result: ResultU32, Doc: "word i mod 4 of Philox4x32-10 with key (k0, k1) and counter (⌊i/4⌋, 0, c0, c1); arguments i, k0, k1, c0, c1", Domain: [][2]float64{{0, 1e6}}, Int: func(_ DType, x []int64) int64 {
		return int64(PhiloxAt(uint32(x[0]), uint32(x[1]), uint32(x[2]), uint32(x[3]), uint32(x[4])))
	}},

	OpSum:    {Name: "sum", Mixed: MixedHigh, Kind: KindReduction, Arity: 1, Args: Numbers, Doc: "Σ x", Domain: wide},
	OpProd:   {Name: "prod", Mixed: MixedHigh, Kind: KindReduction, Arity: 1, Args: Numbers, Doc: "Π x", Domain: [][2]float64{{0.9, 1.1}}},
	OpMax:    {Name: "max", Kind: KindReduction, Arity: 1, Args: Numbers, Doc: "the largest; NaN if there is one", Domain: wide},
	OpMin:    {Name: "min", Kind: KindReduction, Arity: 1, Args: Numbers, Doc: "the smallest; NaN if there is one", Domain: wide},
	OpArgMax: {Name: "argmax", Kind: KindReduction, Arity: 1, Args: Numbers, Result: ResultI32, Doc: "position of the first largest, of the first NaN if there is one", Domain: wide},
	OpArgMin: {Name: "argmin", Kind: KindReduction, Arity: 1, Args: Numbers, Result: ResultI32, Doc: "position of the first smallest, of the first NaN if there is one", Domain: wide},
	OpAny:    {Name: "any", Kind: KindReduction, Arity: 1, Args: Bools, Doc: "whether one is true"},
	OpAll:    {Name: "all", Kind: KindReduction, Arity: 1, Args: Bools, Doc: "whether none is false"},

	OpReshape: {Name: "reshape", Kind: KindMovement, Arity: 1, Args: Any, Doc: "the same elements in C order under another shape"},
	OpPermute: {Name: "permute", Kind: KindMovement, Arity: 1, Args: Any, Doc: "axis a of the result is axis perm[a]"},
	OpSlice:   {Name: "slice", Kind: KindMovement, Arity: 1, Args: Any, Doc: "positions start + i·step of each axis; flip is step -1"},
	OpExpand:  {Name: "expand", Kind: KindMovement, Arity: 1, Args: Any, Doc: "axes of size 1 repeated"},
	OpPad:     {Name: "pad", Kind: KindMovement, Arity: 1, Args: Any, Doc: "a border of one value around"},

	OpMatMul:     {Name: "matmul", Mixed: MixedLow, Kind: KindMatMul, Arity: 2, Args: Floats, Doc: "C[…,m,n] = Σₖ A[…,m,k]·B[…,k,n]", Domain: [][2]float64{{-1, 1}}},
	OpGather:     {Name: "gather", Kind: KindGather, Arity: 2, Args: Any, Doc: "y[p] = x[p with its coordinate on the axis replaced by index[p]]", Domain: wide},
	OpScatterAdd: {Name: "scatteradd", Kind: KindScatter, Arity: 3, Args: Numbers, Doc: "y = base; y[p with its coordinate on the axis replaced by index[p]] += updates[p], in order of p", Domain: wide},
	OpCustom:     {Name: "custom", Kind: KindCustom, Args: Any, Result: ResultGiven, Doc: "a user's kernel"},
	OpPick:       {Name: "pick", Kind: KindCustom, Arity: 1, Args: Any, Result: ResultGiven, Doc: "one output of a custom op"},
}

func init() {
	for o := range table {
		table[o].Op = Op(o)
	}
}

func sign(x float64) float64 {
	switch {
	case x > 0:
		return 1
	case x < 0:
		return -1
	case x == 0:
		return 0
	}
	return x
}

func relu(x float64) float64 {
	if x <= 0 {
		return 0
	}
	return x
}

// atan2 is math.Atan2, which loses the sign of a where a/b underflows.
func atan2(a, b float64) float64 { return math.Copysign(math.Atan2(a, b), a) }

func not(d DType, a int64) int64 {
	if d == Bool {
		return 1 - a
	}
	return ^a
}

func idiv(a, b int64) int64 {
	if b == 0 {
		return 0
	}
	if b == -1 {
		return -a // MinInt64 / -1 would trap on some machines; it wraps
	}
	return a / b
}

func irem(a, b int64) int64 {
	if b == 0 || b == -1 {
		return 0
	}
	return a % b
}

func shl(d DType, x []int64) int64 {
	if x[1] < 0 || x[1] >= int64(8*d.Size()) {
		return 0
	}
	return x[0] << x[1]
}

func shr(d DType, x []int64) int64 {
	if x[1] < 0 || x[1] >= int64(8*d.Size()) {
		return -b2i(x[0] < 0)
	}
	return x[0] >> x[1]
}

func pick[T any](c bool, a, b T) T {
	if c {
		return a
	}
	return b
}
