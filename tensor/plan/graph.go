package plan

import (
	"encoding/binary"

	"github.com/fornax-ml/fornax/tensor/ir"
)

// A Graph is what Eval asks for: nodes in topological order and the values
// wanted.
type Graph struct {
	Nodes   []Node
	Inputs  []Input    // buffers, by the K of OpLoad nodes
	Scalars []ir.DType // run-time numbers, by the K of OpScalar nodes
	Outputs []Output
}

// An Input is a buffer that the program reads.
type Input struct {
	DType ir.DType
	Len   int
	// Donated: nobody needs the value after the program, so that an output
	// may take over its memory.
	Donated bool
}

// An Output is a value wanted: packed, in C order.
type Output struct {
	Node int
	// Prefer is the donated input whose memory the output should take over if
	// it can (the old value of the same cell), or -1.
	Prefer int
}

// A Node is an op on earlier nodes.
//
//	OpLoad      Graph input K, packed under Shape
//	OpScalar    Graph scalar K; rank 0
//	OpConst     the bits Imm; rank 0
//	OpIndex     position in C order under Shape; I32 or U32
//	elementwise In all have Shape; From is the dtype of the arguments
//	reductions  Ints: axes, ascending; Shape: without them
//	OpReshape   Shape
//	OpPermute   Ints: axis a of Shape is axis Ints[a] of the argument
//	OpSlice     Ints: start of each axis, then step of each axis (may be negative)
//	OpExpand    Shape: rank of the argument
//	OpPad       Ints: before each axis, then after each axis; Imm: bits of the border
//	OpMatMul    In: A[batch…, M, K], B[batch…, K, N] of equal batch axes
//	OpGather    In: x, index (shape Shape; x differs on the axis); Ints: axis
//	OpScatterAdd In: base, index, updates; Ints: axis; Shape: of base
//	OpCustom    Name, Attrs, Types (of its outputs); read through OpPick only
//	OpPick      output K of a custom node
type Node struct {
	Op    ir.Op
	DType ir.DType
	From  ir.DType
	Shape []int
	In    []int
	Ints  []int
	K     int
	Imm   uint64
	Name  string // OpCustom: of the op; OpGather, OpScatterAdd: for IndexError
	Attrs []int64
	Types []ir.Type
}

// AppendKey appends bytes that are equal for two graphs exactly when Build
// gives both the same program.
func (g *Graph) AppendKey(b []byte) []byte {
	num := func(v int) { b = binary.AppendVarint(b, int64(v)) }
	ints := func(v []int) {
		num(len(v))
		for _, x := range v {
			num(x)
		}
	}
	num(len(g.Nodes))
	for i := range g.Nodes {
		n := &g.Nodes[i]
		b = append(b, byte(n.Op), byte(n.DType), byte(n.From))
		ints(n.Shape)
		ints(n.In)
		ints(n.Ints)
		num(n.K)
		b = binary.AppendUvarint(b, n.Imm)
		num(len(n.Name))
		b = append(b, n.Name...)
		num(len(n.Attrs))
		for _, a := range n.Attrs {
			b = binary.AppendVarint(b, a)
		}
		num(len(n.Types))
		for _, t := range n.Types {
			b = append(b, byte(t.DType))
			ints(t.Shape)
		}
	}
	num(len(g.Inputs))
	for _, in := range g.Inputs {
		d := byte(0)
		if in.Donated {
			d = 1
		}
		b = append(b, byte(in.DType), d)
		num(in.Len)
	}
	num(len(g.Scalars))
	for _, d := range g.Scalars {
		b = append(b, byte(d))
	}
	num(len(g.Outputs))
	for _, o := range g.Outputs {
		num(o.Node)
		num(o.Prefer)
	}
	return b
}
