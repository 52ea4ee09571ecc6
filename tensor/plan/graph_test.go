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

// rows repeats each element of a vector n times, as a row.
func (b *gb) rows(x, n int) int {
	m := b.node(x).Shape[0]
	return b.expand(b.reshape(x, m, 1), m, n)
}

// columns repeats a vector as n rows.
func (b *gb) columns(x, n int) int {
	m := b.node(x).Shape[0]
	return b.expand(b.reshape(x, 1, m), n, m)
}

func linear(b *gb) {
	x, w, c := b.input(ir.F32, 4, 8), b.input(ir.F32, 3, 8), b.input(ir.F32, 3)
	b.out(b.op(ir.OpRelu, b.op(ir.OpAdd, b.matmul(x, b.permute(w, 1, 0)), b.columns(c, 4))))
}

func layernorm(b *gb) {
	x, scale, shift := b.input(ir.F32, 4, 8), b.input(ir.F32, 8), b.input(ir.F32, 8)
	mean := func(x int) int {
		s := b.reduce(ir.OpSum, x, 1)
		return b.op(ir.OpMul, s, b.constant(ir.F32, 0.125, s))
	}
	d := b.op(ir.OpSub, x, b.rows(mean(x), 8))
	v := mean(b.op(ir.OpSquare, d))
	r := b.op(ir.OpRsqrt, b.op(ir.OpAdd, v, b.constant(ir.F32, 0.5, v)))
	y := b.op(ir.OpMul, b.op(ir.OpMul, d, b.rows(r, 8)), b.columns(scale, 4))
	b.out(b.op(ir.OpAdd, y, b.columns(shift, 4)))
}

func adam(b *gb) {
	x, dy := b.input(ir.F32, 16, 8), b.input(ir.F32, 16, 4)
	p, m, v := b.donated(ir.F32, 8, 4), b.donated(ir.F32, 8, 4), b.donated(ir.F32, 8, 4)
	g := b.matmul(b.permute(x, 1, 0), dy)
	c := func(f float64) int { return b.constant(ir.F32, f, g) }
	m2 := b.op(ir.OpAdd, b.op(ir.OpMul, m, c(0.75)), b.op(ir.OpMul, g, c(0.25)))
	v2 := b.op(ir.OpAdd, b.op(ir.OpMul, v, c(0.875)), b.op(ir.OpMul, b.op(ir.OpSquare, g), c(0.125)))
	p2 := b.op(ir.OpSub, p, b.op(ir.OpMul, b.scalar(ir.F32, g), b.op(ir.OpDiv, m2, b.op(ir.OpAdd, b.op(ir.OpSqrt, v2), c(0.5)))))
	b.outFor(p2, p)
	b.outFor(m2, m)
	b.outFor(v2, v)
}

// mlp is a training step of a network of one hidden layer and softmax
// cross-entropy, by gradient descent; with more sizes, of more layers.
func mlp(b *gb, batch int, sizes ...int) {
	x, label := b.input(ir.F32, batch, sizes[0]), b.input(ir.I32, batch)
	layers := len(sizes) - 1
	var w, c, in []int
	for l := range layers {
		w = append(w, b.donated(ir.F32, sizes[l], sizes[l+1]))
		c = append(c, b.donated(ir.F32, sizes[l+1]))
	}
	h := x
	for l := range layers {
		in = append(in, h)
		h = b.op(ir.OpAdd, b.matmul(h, w[l]), b.columns(c[l], batch))
		if l < layers-1 {
			h = b.op(ir.OpRelu, h)
		}
	}
	n := sizes[layers]
	s := b.op(ir.OpSub, h, b.rows(b.reduce(ir.OpMax, h, 1), n))
	logp := b.op(ir.OpSub, s, b.rows(b.op(ir.OpLog, b.reduce(ir.OpSum, b.op(ir.OpExp, s), 1)), n))
	i := b.expand(b.reshape(b.index(ir.I32, n), 1, n), batch, n)
	hot := b.cast(ir.F32, b.op(ir.OpEqual, b.rows(label, n), i))
	sum := b.reduce(ir.OpSum, b.op(ir.OpMul, logp, hot), 0, 1)
	b.out(b.op(ir.OpMul, sum, b.constant(ir.F32, -1/float64(batch), sum)))
	dy := b.op(ir.OpMul, b.op(ir.OpSub, b.op(ir.OpExp, logp), hot), b.constant(ir.F32, 1/float64(batch), h))
	rate := b.add(Node{Op: ir.OpScalar, DType: ir.F32})
	b.g.Scalars = append(b.g.Scalars, ir.F32)
	for l := layers - 1; l >= 0; l-- {
		for _, u := range []struct{ cell, grad int }{{w[l], b.matmul(b.permute(in[l], 1, 0), dy)}, {c[l], b.reduce(ir.OpSum, dy, 0)}} {
			b.outFor(b.op(ir.OpSub, u.cell, b.op(ir.OpMul, u.grad, b.expandTo(rate, u.grad))), u.cell)
		}
		if l > 0 {
			dx := b.matmul(dy, b.permute(w[l], 1, 0))
			dy = b.op(ir.OpWhere, b.op(ir.OpLess, b.constant(ir.F32, 0, dx), in[l]), dx, b.constant(ir.F32, 0, dx))
		}
	}
}
