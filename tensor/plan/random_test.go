package plan

import (
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/fornax-ml/fornax/tensor/ir"
	"github.com/fornax-ml/fornax/tensor/ir/ref"
)

// A randomGraph draws ops over values that it has so far.
type randomGraph struct {
	gb
	r *rand.Rand
}

var sizes = []int{1, 2, 3, 4, 6}

func (b *randomGraph) shape() []int {
	s := make([]int, b.r.IntN(4))
	for a := range s {
		s[a] = sizes[b.r.IntN(len(sizes))]
		if b.r.IntN(60) == 0 {
			s[a] = 0
		}
	}
	return s
}

func (b *randomGraph) dtype() ir.DType {
	return []ir.DType{ir.F32, ir.F32, ir.F32, ir.F32, ir.I32, ir.U8, ir.Bool, ir.F16, ir.U32}[b.r.IntN(9)]
}

// pick returns a value, mostly a recent one; of a dtype and shape if told,
// made to fit if there is none.
func (b *randomGraph) pick(d ir.DType, shape []int) int {
	var fit []int
	for i := range b.g.Nodes {
		n := b.node(i)
		if n.Op != ir.OpCustom && (d == ir.Invalid || n.DType == d) && (shape == nil || slices.Equal(n.Shape, shape)) {
			fit = append(fit, i)
		}
	}
	if len(fit) > 0 && b.r.IntN(8) > 0 {
		if n := len(fit); b.r.IntN(2) == 0 {
			return fit[n-1-b.r.IntN(min(n, 4))]
		}
		return fit[b.r.IntN(len(fit))]
	}
	if d == ir.Invalid {
		d = b.dtype()
	}
	if shape == nil {
		shape = b.shape()
	}
	shape = slices.Clone(shape)
	like := b.add(Node{Op: ir.OpConst, DType: d, Imm: ir.FloatBits(d, float64(b.r.IntN(3)))})
	if len(shape) > 0 {
		b.node(like).Shape = shape // only to be read below
	}
	i := like
	switch b.r.IntN(6) {
	case 0:
		i = b.scalar(d, like)
	case 1:
		i = b.constant(d, float64(b.r.IntN(4)-1), like)
	case 2:
		if d == ir.I32 || d == ir.U32 {
			i = b.index(d, shape...)
		}
	case 3: // broadcast along one axis
		if len(shape) > 0 {
			small := slices.Clone(shape)
			small[b.r.IntN(len(small))] = 1
			i = b.expand(b.input(d, small...), shape...)
		}
	}
	b.node(like).Shape = nil
	if i == like {
		i = b.input(d, shape...)
		b.g.Inputs[len(b.g.Inputs)-1].Donated = b.r.IntN(3) > 0
	}
	return i
}

func (b *randomGraph) fits(op ir.Op) ir.DType {
	for {
		if d := b.dtype(); op.Info().Args.Has(d) {
			return d
		}
	}
}

func (b *randomGraph) step() {
	switch b.r.IntN(16) {
	case 0, 1, 2:
		ops := []ir.Op{ir.OpNeg, ir.OpAbs, ir.OpSquare, ir.OpExp, ir.OpTanh, ir.OpRelu, ir.OpFloor, ir.OpNot, ir.OpSqrt, ir.OpSign}
		op := ops[b.r.IntN(len(ops))]
		b.op(op, b.pick(b.fits(op), nil))
	case 3, 4, 5, 6:
		ops := []ir.Op{ir.OpAdd, ir.OpSub, ir.OpMul, ir.OpDiv, ir.OpMaximum, ir.OpLess, ir.OpEqual, ir.OpAnd, ir.OpAdd, ir.OpMul}
		op := ops[b.r.IntN(len(ops))]
		x := b.pick(b.fits(op), nil)
		n := *b.node(x)
		y := b.pick(n.DType, append([]int{}, n.Shape...))
		if b.r.IntN(2) == 0 {
			x, y = y, x
		}
		b.op(op, x, y)
	case 7:
		x := b.pick(ir.Invalid, nil)
		shape := append([]int{}, b.node(x).Shape...)
		d := b.node(x).DType
		if b.r.IntN(2) == 0 {
			b.op(ir.OpWhere, b.pick(ir.Bool, shape), x, b.pick(d, shape))
		} else {
			b.cast(b.dtype(), x)
		}
	case 8:
		ops := []ir.Op{ir.OpSum, ir.OpProd, ir.OpMax, ir.OpMin, ir.OpArgMax, ir.OpAny, ir.OpAll}
		op := ops[b.r.IntN(len(ops))]
		x := b.pick(b.fits(op), nil)
		var axes []int
		for a := range b.node(x).Shape {
			if b.r.IntN(2) == 0 {
				axes = append(axes, a)
			}
		}
		b.reduce(op, x, axes...)
	case 9, 10, 11:
		b.move(b.pick(ir.Invalid, nil))
	case 12, 13:
		x := b.pick(ir.F32, nil)
		s := append([]int{}, b.node(x).Shape...)
		if len(s) < 2 {
			return
		}
		r := len(s)
		k := s[r-1]
		s[r-2], s[r-1] = k, sizes[b.r.IntN(len(sizes))]
		y := b.pick(ir.F32, s)
		if b.r.IntN(2) == 0 { // a transposed factor
			s[r-2], s[r-1] = s[r-1], s[r-2]
			perm := []int{0, 1, 2, 3}[:r]
			perm[r-2], perm[r-1] = r-1, r-2
			y = b.permute(b.pick(ir.F32, s), perm...)
		}
		b.matmul(x, y)
	case 14:
		x := b.pick(b.fits(ir.OpScatterAdd), nil)
		s := append([]int{}, b.node(x).Shape...)
		if len(s) == 0 {
			return
		}
		axis := b.r.IntN(len(s))
		s[axis] = sizes[b.r.IntN(len(sizes))]
		if b.r.IntN(2) == 0 {
			b.gather(x, b.pick(ir.U8, s), axis)
		} else {
			b.scatter(x, b.pick(ir.U8, s), b.pick(b.node(x).DType, s), axis)
		}
	case 15:
		if b.r.IntN(2) == 0 {
			like := b.index(ir.U32, append([]int{1}, b.shape()...)...)
			c := func() int { return b.constant(ir.U32, float64(b.r.IntN(9)), like) }
			b.op(ir.OpPhilox, like, c(), b.scalar(ir.U32, like), c(), c())
			return
		}
		x := b.pick(ir.F32, nil)
		s := append([]int{}, b.node(x).Shape...)
		y := b.pick(ir.F32, s)
		c := b.add(Node{Op: ir.OpCustom, Name: "plan.test", In: []int{x, y}, Types: []ir.Type{{DType: ir.F32, Shape: s}, {DType: ir.F32, Shape: s}}})
		for k := range 2 {
			if b.r.IntN(3) > 0 {
				b.add(Node{Op: ir.OpPick, DType: ir.F32, Shape: s, In: []int{c}, K: k})
			}
		}
	}
}

// move adds one to three movements.
func (b *randomGraph) move(x int) {
	for range 1 + b.r.IntN(3) {
		s := append([]int{}, b.node(x).Shape...)
		if len(s) == 0 {
			x = b.reshape(x, 1, 1)
			continue
		}
		axis := b.r.IntN(len(s))
		switch b.r.IntN(6) {
		case 0:
			x = b.permute(x, b.r.Perm(len(s))...)
		case 1:
			if len(s) < 4 {
				x = b.reshape(x, slices.Insert(s, b.r.IntN(len(s)+1), 1)...)
			}
		case 2: // merge two axes, or split one
			if len(s) > 1 && b.r.IntN(2) == 0 {
				a := b.r.IntN(len(s) - 1)
				s[a] *= s[a+1]
				x = b.reshape(x, slices.Delete(s, a+1, a+2)...)
			} else if s[axis]%2 == 0 && len(s) < 4 {
				s[axis] /= 2
				x = b.reshape(x, slices.Insert(s, axis, 2)...)
			}
		case 3:
			if n := s[axis]; n > 0 {
				step := 1 + b.r.IntN(2)
				start := b.r.IntN(n)
				size := b.r.IntN((n-1-start)/step+1) + 1
				if b.r.IntN(2) == 0 {
					start, step = start+(size-1)*step, -step
				}
				x = b.slice(x, axis, start, step, size)
			}
		case 4:
			if s[axis] == 1 {
				s[axis] = 2 + b.r.IntN(3)
				x = b.expand(x, s...)
			}
		case 5:
			if s[axis] < 8 {
				x = b.pad(x, axis, b.r.IntN(3), b.r.IntN(3), float64(b.r.IntN(2)))
			}
		}
	}
}

func (b *randomGraph) build(steps int) {
	b.pick(ir.Invalid, nil)
	for range steps {
		b.step()
	}
	n := len(b.g.Nodes)
	for k := range 1 + b.r.IntN(4) {
		o := n - 1 - b.r.IntN(min(n, 4+k*4))
		if b.node(o).Op == ir.OpCustom {
			continue
		}
		prefer := -1
		if b.r.IntN(2) == 0 && len(b.g.Inputs) > 0 {
			prefer = b.r.IntN(len(b.g.Inputs))
		}
		b.g.Outputs = append(b.g.Outputs, Output{Node: o, Prefer: prefer})
		if b.r.IntN(8) == 0 {
			b.g.Outputs = append(b.g.Outputs, Output{Node: o, Prefer: -1})
		}
	}
}

func randomValues(r *rand.Rand, d ir.DType, n int) ref.Values {
	v := ref.New(d, n)
	for k := range n {
		x := float64(r.IntN(9)-4) / 2
		if d == ir.U8 || d == ir.U32 {
			x = float64(r.IntN(6))
		}
		setBits(v, k, ir.FloatBits(d, x))
	}
	return v
}

func TestRandomGraphs(t *testing.T) {
	n := 4000
	if testing.Short() {
		n = 400
	}
	for seed := range n {
		testRandom(t, uint64(seed), 0)
		if t.Failed() {
			return
		}
	}
}

func FuzzBuild(f *testing.F) {
	f.Add(uint64(1), uint64(2))
	f.Fuzz(func(t *testing.T, a, b uint64) { testRandom(t, a, b) })
}

func testRandom(t *testing.T, s0, s1 uint64) {
	b := &randomGraph{r: rand.New(rand.NewPCG(s0, s1))}
	b.build(2 + b.r.IntN(30))
	g := &b.g
	inputs := make([]ref.Values, len(g.Inputs))
	for k, in := range g.Inputs {
		inputs[k] = randomValues(b.r, in.DType, in.Len)
	}
	scalars := make([]ir.Scalar, len(g.Scalars))
	for k, d := range g.Scalars {
		scalars[k] = ir.Scalar{DType: d, Bits: ir.FloatBits(d, float64(b.r.IntN(4)))}
	}
	want := evalGraph(g, inputs, scalars)
	exec := ref.Executor{Round: true, Custom: map[string]func(out, in []ref.Values, attrs []int64) error{"plan.test": testCustom}}
	instrs, costly := 0, 0
	for _, opt := range []Options{{NoFuse: true}, {}, {Limits: ir.Limits{Operands: 4, Align: 64}}, {Limits: ir.Limits{Operands: 6}}} {
		p, err := Build(g, opt)
		if err != nil {
			t.Fatalf("seed %d %d, %+v: %v", s0, s1, opt, err)
		}
		again, _ := Build(g, opt)
		if p.String() != again.String() {
			t.Fatalf("seed %d %d, %+v: two plans:\n%s\n%s", s0, s1, opt, p, again)
		}
		outs, err := exec.Run(p, inputs, scalars)
		if _, index := err.(*ir.IndexError); err != nil && !index {
			t.Fatalf("seed %d %d, %+v: %v\n%s", s0, s1, opt, err, p)
		}
		if err := checkPlan(p, g, opt.Limits); err != nil {
			t.Fatalf("seed %d %d, %+v: %v\n%s", s0, s1, opt, err, p)
		}
		if opt.NoFuse {
			instrs, costly = len(p.Instrs), costlyWork(p)
		} else if n, c := len(p.Instrs), costlyWork(p); c > costly || n > instrs {
			t.Fatalf("seed %d %d, %+v: fused %d instructions and %d costly steps, else %d and %d\n%s", s0, s1, opt, n, c, instrs, costly, p)
		}
		for k := range want {
			if err := ref.Compare(outs[k].Bytes(), want[k], 0, 0); err != nil {
				t.Fatalf("seed %d %d, %+v: output %d: %v\n%s", s0, s1, opt, k, err, p)
			}
		}
	}
}
