package plan

import "github.com/fornax-ml/fornax/tensor/ir"

// A gb builds graphs for tests.
type gb struct{ g Graph }

func (b *gb) add(n Node) int {
	b.g.Nodes = append(b.g.Nodes, n)
	return len(b.g.Nodes) - 1
}

func (b *gb) node(i int) *Node { return &b.g.Nodes[i] }

func (b *gb) input(d ir.DType, shape ...int) int {
	b.g.Inputs = append(b.g.Inputs, Input{DType: d, Len: ir.Size(shape)})
	return b.add(Node{Op: ir.OpLoad, DType: d, Shape: shape, K: len(b.g.Inputs) - 1})
}

func (b *gb) donated(d ir.DType, shape ...int) int {
	i := b.input(d, shape...)
	b.g.Inputs[len(b.g.Inputs)-1].Donated = true
	return i
}

func (b *gb) scalar(d ir.DType, like int) int {
	b.g.Scalars = append(b.g.Scalars, d)
	return b.expandTo(b.add(Node{Op: ir.OpScalar, DType: d, K: len(b.g.Scalars) - 1}), like)
}

func (b *gb) constant(d ir.DType, v float64, like int) int {
	return b.expandTo(b.add(Node{Op: ir.OpConst, DType: d, Imm: ir.FloatBits(d, v)}), like)
}

// expandTo gives a rank-0 node the shape of another.
func (b *gb) expandTo(i, like int) int {
	shape := b.node(like).Shape
	if len(shape) == 0 {
		return i
	}
	ones := make([]int, len(shape))
	for a := range ones {
		ones[a] = 1
	}
	return b.expand(b.reshape(i, ones...), shape...)
}

func (b *gb) op(op ir.Op, in ...int) int {
	x := b.node(in[len(in)-1])
	return b.add(Node{Op: op, DType: op.ResultType(x.DType), From: x.DType, Shape: x.Shape, In: in})
}

func (b *gb) cast(d ir.DType, x int) int {
	n := b.node(x)
	return b.add(Node{Op: ir.OpCast, DType: d, From: n.DType, Shape: n.Shape, In: []int{x}})
}

func (b *gb) index(d ir.DType, shape ...int) int {
	return b.add(Node{Op: ir.OpIndex, DType: d, Shape: shape})
}

func (b *gb) reduce(op ir.Op, x int, axes ...int) int {
	n := b.node(x)
	var shape []int
	k := 0
	for a, s := range n.Shape {
		if k < len(axes) && axes[k] == a {
			k++
			continue
		}
		shape = append(shape, s)
	}
	return b.add(Node{Op: op, DType: op.ResultType(n.DType), From: n.DType, Shape: shape, In: []int{x}, Ints: axes})
}

func (b *gb) reshape(x int, shape ...int) int {
	return b.add(Node{Op: ir.OpReshape, DType: b.node(x).DType, Shape: shape, In: []int{x}})
}

func (b *gb) permute(x int, perm ...int) int {
	n := b.node(x)
	shape := make([]int, len(perm))
	for i, p := range perm {
		shape[i] = n.Shape[p]
	}
	return b.add(Node{Op: ir.OpPermute, DType: n.DType, Shape: shape, In: []int{x}, Ints: perm})
}

func (b *gb) expand(x int, shape ...int) int {
	return b.add(Node{Op: ir.OpExpand, DType: b.node(x).DType, Shape: shape, In: []int{x}})
}

// slice takes size positions from start by step on one axis.
func (b *gb) slice(x, axis, start, step, size int) int {
	n := b.node(x)
	r := len(n.Shape)
	shape, ints := append([]int(nil), n.Shape...), make([]int, 2*r)
	for a := range r {
		ints[r+a] = 1
	}
	shape[axis], ints[axis], ints[r+axis] = size, start, step
	return b.add(Node{Op: ir.OpSlice, DType: n.DType, Shape: shape, In: []int{x}, Ints: ints})
}

func (b *gb) pad(x, axis, before, after int, v float64) int {
	n := b.node(x)
	r := len(n.Shape)
	shape, ints := append([]int(nil), n.Shape...), make([]int, 2*r)
	shape[axis] += before + after
	ints[axis], ints[r+axis] = before, after
	return b.add(Node{Op: ir.OpPad, DType: n.DType, Shape: shape, In: []int{x}, Ints: ints, Imm: ir.FloatBits(n.DType, v)})
}

func (b *gb) matmul(x, y int) int {
	n, m := b.node(x), b.node(y)
	shape := append([]int(nil), n.Shape...)
	shape[len(shape)-1] = m.Shape[len(shape)-1]
	return b.add(Node{Op: ir.OpMatMul, DType: n.DType, From: n.DType, Shape: shape, In: []int{x, y}})
}

func (b *gb) gather(x, index, axis int) int {
	return b.add(Node{Op: ir.OpGather, DType: b.node(x).DType, Shape: b.node(index).Shape, In: []int{x, index}, Ints: []int{axis}, Name: "Gather"})
}

func (b *gb) scatter(base, index, updates, axis int) int {
	return b.add(Node{Op: ir.OpScatterAdd, DType: b.node(base).DType, Shape: b.node(base).Shape, In: []int{base, index, updates}, Ints: []int{axis}, Name: "ScatterAdd"})
}

func (b *gb) out(nodes ...int) *gb {
	for _, n := range nodes {
		b.g.Outputs = append(b.g.Outputs, Output{Node: n, Prefer: -1})
	}
	return b
}

// outFor adds an output that prefers the input that node cell loads.
func (b *gb) outFor(n, cell int) {
	b.g.Outputs = append(b.g.Outputs, Output{Node: n, Prefer: b.node(cell).K})
}
