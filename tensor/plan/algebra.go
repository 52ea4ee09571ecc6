package plan

import (
	"math"

	"github.com/fornax-ml/fornax/tensor/ir"
)

// algebra returns the node that an elementwise node equals by a law of
// arithmetic, or -1. All laws keep every bit, NaN payloads aside, but x + 0:
// it is x, so that -0 + 0 stays -0.
func (s *simplifier) algebra(n *Node) int {
	at := func(k int) *Node { return &s.nodes[n.In[k]] }
	isConst := func(k int, v float64) bool {
		x := at(k)
		return x.Op == ir.OpConst && ir.BitsFloat(x.DType, x.Imm) == v
	}
	switch n.Op {
	case ir.OpAdd:
		if isConst(1, 0) {
			return n.In[0]
		}
		if isConst(0, 0) {
			return n.In[1]
		}
	case ir.OpSub:
		if isConst(1, 0) {
			return n.In[0]
		}
		if n.From.IsInt() {
			if n.In[0] == n.In[1] {
				return s.constant(n.DType, n.Shape, 0)
			}
			if isConst(0, 0) {
				return s.add(Node{Op: ir.OpNeg, DType: n.DType, From: n.From, Shape: n.Shape, In: []int{n.In[1]}})
			}
		}
	case ir.OpMul:
		if isConst(1, 1) {
			return n.In[0]
		}
		if isConst(0, 1) {
			return n.In[1]
		}
		if n.From.IsInt() && (isConst(0, 0) || isConst(1, 0)) {
			return s.constant(n.DType, n.Shape, 0)
		}
	case ir.OpDiv:
		if isConst(1, 1) {
			return n.In[0]
		}
	case ir.OpAnd, ir.OpOr:
		if n.In[0] == n.In[1] {
			return n.In[0]
		}
		if n.From == ir.Bool {
			for k := range 2 {
				if x := at(k); x.Op == ir.OpConst {
					if (x.Imm != 0) == (n.Op == ir.OpAnd) {
						return n.In[1-k]
					}
					return n.In[k]
				}
			}
		}
	case ir.OpNeg, ir.OpNot:
		if x := at(0); x.Op == n.Op {
			return x.In[0]
		}
	case ir.OpMaximum, ir.OpMinimum:
		if n.In[0] == n.In[1] {
			return n.In[0]
		}
	case ir.OpWhere:
		if n.In[1] == n.In[2] {
			return n.In[1]
		}
		if c := at(0); c.Op == ir.OpConst {
			if c.Imm != 0 {
				return n.In[1]
			}
			return n.In[2]
		}
	case ir.OpCast:
		if n.From == n.DType {
			return n.In[0]
		}
	}
	return -1
}

// fold computes an elementwise node of constants where every device gives the
// same bits, and returns the constant or -1.
func (s *simplifier) fold(n *Node) int {
	for _, a := range n.In {
		if s.nodes[a].Op != ir.OpConst {
			return -1
		}
	}
	info := n.Op.Info()
	if n.Op == ir.OpCast {
		return s.foldCast(n)
	}
	switch {
	case (n.From.IsInt() || n.From == ir.Bool) && info.Int != nil:
		x := make([]int64, len(n.In))
		for k, a := range n.In {
			x[k] = ir.BitsInt(s.nodes[a].DType, s.nodes[a].Imm)
		}
		return s.constant(n.DType, n.Shape, ir.IntBits(n.DType, info.Int(n.From, x)))
	case n.From == ir.F32 || n.From == ir.F64:
		// Double rounding is harmless for these ops: binary64 holds more than
		// twice the digits of binary32.
		switch n.Op {
		case ir.OpAdd, ir.OpSub, ir.OpMul, ir.OpNeg, ir.OpAbs, ir.OpSquare, ir.OpRelu,
			ir.OpLess, ir.OpLessEqual, ir.OpEqual, ir.OpNotEqual:
		default:
			return -1
		}
		x := make([]float64, len(n.In))
		for k, a := range n.In {
			x[k] = ir.BitsFloat(s.nodes[a].DType, s.nodes[a].Imm)
			if !plainFloat(x[k]) {
				return -1
			}
		}
		v := info.Float(x)
		if n.DType == ir.F32 {
			v = float64(float32(v))
		}
		if !plainFloat(v) {
			return -1
		}
		return s.constant(n.DType, n.Shape, ir.FloatBits(n.DType, v))
	}
	return -1
}

// foldCast computes the cast of a constant. Casts of other dtypes to 16-bit
// floats are left to the device: it may round them in one step or in two.
func (s *simplifier) foldCast(n *Node) int {
	x := &s.nodes[n.In[0]]
	half := func(d ir.DType) bool { return d == ir.F16 || d == ir.BF16 }
	switch {
	case half(n.DType) && x.DType != ir.F32:
		return -1
	case x.DType.IsFloat():
		v := ir.BitsFloat(x.DType, x.Imm)
		if n.DType.IsFloat() && !plainFloat(v) {
			return -1
		}
		return s.constant(n.DType, n.Shape, ir.FloatBits(n.DType, v))
	}
	return s.constant(n.DType, n.Shape, ir.IntBits(n.DType, ir.BitsInt(x.DType, x.Imm)))
}

// plainFloat reports whether v is a number that all devices treat alike: no
// NaN, nothing that could be a denormal of binary32.
func plainFloat(v float64) bool {
	return v == 0 || math.Abs(v) >= 0x1p-126 && !math.IsInf(v, 0)
}
