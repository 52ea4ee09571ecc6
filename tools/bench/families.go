package main

import (
	"fmt"
	"math"
	"slices"

	"github.com/fornax-ml/fornax/nn"
	"github.com/fornax-ml/fornax/tensor"
	"github.com/fornax-ml/fornax/tensor/ir/ref"
)

// The suites of kernel families. Each has every op at sizes from tiny to what memory
// allows.
const (
	mapSuite    = "map"
	reduceSuite = "reduce"
	moveSuite   = "move"
	indexSuite  = "index"
	randomSuite = "random"
	matmulSuite = "matmul"
	trainSuite  = "train"
	scaleSuite  = "scaling"
)

// backward is the end of the name of an op's gradient.
const backward = "_backward"

// A familyOp is an op on a square matrix of float32, measured forward and backward.
type familyOp struct {
	suite string
	memoryOp
	flops float64 // for each element; a function is one
	// back is the gradient's reference; nil where it is not measured. dy is of the shape
	// of y.
	back      func(x, dy []float32, rows, cols int) reference
	backMoves float64 // float32 that the gradient moves for each element of x
	backFlops float64
}

// familyOps are those of memoryOps that stand for a family, with their gradients.
func familyOps() []familyOp {
	named := func(name string) memoryOp {
		return memoryOps[slices.IndexFunc(memoryOps, func(op memoryOp) bool { return op.name == name })]
	}
	return []familyOp{
		{suite: mapSuite, memoryOp: named("add"), flops: 1},
		{suite: mapSuite, memoryOp: named("exp"), flops: 1, back: elementwise(func(x, dy float64) float64 { return math.Exp(x) * dy }, 8), backMoves: 3, backFlops: 2},
		{suite: mapSuite, memoryOp: named("tanh"), flops: 1, back: wantTanhBack, backMoves: 3, backFlops: 4},
		{suite: mapSuite, memoryOp: named("chain"), flops: 10},
		{suite: reduceSuite, memoryOp: named("sum"), flops: 1},
		{suite: reduceSuite, memoryOp: named("sum_columns"), flops: 1, back: func(_, dy []float32, rows, cols int) reference {
			return reference{n: rows * cols, want: func(i int) (float64, float64) { return float64(dy[i%cols]), 0 }}
		}, backMoves: 1},
		{suite: reduceSuite, memoryOp: named("softmax"), flops: 5, back: wantSoftmaxBack, backMoves: 3, backFlops: 9},
		{suite: moveSuite, memoryOp: named("transpose"), back: func(_, dy []float32, rows, cols int) reference {
			return wantTranspose(dy, nil, cols, rows)
		}, backMoves: 2},
	}
}

// wantTanhBack is dy·(1 - tanh²x), where the difference loses what tanh is off by.
func wantTanhBack(x, dy []float32, rows, cols int) reference {
	return reference{n: rows * cols, want: func(i int) (float64, float64) {
		y, d := math.Tanh(float64(x[i])), float64(dy[i])
		return d * (1 - y*y), 8 * 0x1p-23 * (math.Abs(d) + 0x1p-10)
	}}
}

// wantSoftmaxBack is y·(dy - Σ dy·y) of each row, y the softmax of x.
func wantSoftmaxBack(x, dy []float32, rows, cols int) reference {
	row, dot, size := -1, 0.0, 0.0
	y := make([]float64, cols)
	return reference{n: rows * cols, want: func(i int) (float64, float64) {
		if i/cols != row {
			row = i / cols
			most, sum := math.Inf(-1), 0.0
			for _, v := range x[row*cols : (row+1)*cols] {
				most = max(most, float64(v))
			}
			for j, v := range x[row*cols : (row+1)*cols] {
				y[j] = math.Exp(float64(v) - most)
				sum += y[j]
			}
			dot, size = 0, 0
			for j := range y {
				y[j] /= sum
				dot += y[j] * float64(dy[row*cols+j])
				size += math.Abs(y[j] * float64(dy[row*cols+j]))
			}
		}
		d := float64(dy[i])
		return y[i%cols] * (d - dot), 32 * 0x1p-23 * (y[i%cols]*(math.Abs(d)+size) + 0x1p-30)
	}}
}

// sides are the sides of squares, up to as many elements.
func sides(quick bool, elements int) (l []int) {
	all := []int{1, 8, 32, 128, 256, 512, 1024, 2048, 4096, 8192, 16384}
	if quick {
		all = []int{1, 32, 256, 1024}
	}
	for _, n := range all {
		if n*n <= elements {
			l = append(l, n)
		}
	}
	return l
}

// familyCases are all kernel families on a device.
func familyCases(l *lab, s *subject) (cases []benchCase) {
	all := sides(l.quick, mostFloats(s, l.quick))
	add := func(suite, op string, size int, flops, bytes float64, open func() (*entry, error)) {
		work := bytes
		if suite == matmulSuite {
			work = flops
		}
		cases = append(cases, benchCase{
			suite: suite, op: op, name: fmt.Sprintf("%s/%d", op, size), size: float64(size),
			work: max(work, 1), flops: flops, bytes: bytes, open: open,
		})
	}
	for _, op := range familyOps() {
		for _, n := range all {
			e := float64(n * n)
			add(op.suite, op.name, n*n, op.flops*e, 4*float64(op.moves)*e, func() (*entry, error) {
				return sampled(l.openMemory(op.memoryOp, n, n, 0))
			})
		}
		for _, n := range all {
			if e := float64(n * n); op.back != nil {
				add(op.suite, op.name+backward, n*n, op.backFlops*e, 4*op.backMoves*e, func() (*entry, error) {
					return sampled(l.openBackward(op, n))
				})
			}
		}
	}
	for _, op := range rowsOps {
		name := op.name
		if name == "gradient" {
			name = "gather" + backward
		}
		for _, n := range all {
			if n < 32 {
				continue
			}
			const width = 32
			picked, table := n*n/width, max(n*n/width/2, 1) // rows; each is picked twice, about
			add(indexSuite, name, n*n, 0, float64(op.bytes(table, width, picked)), func() (*entry, error) {
				return sampled(l.openRows(op.name, table, width, picked, 0))
			})
		}
	}
	for _, n := range all {
		add(randomSuite, "uniform", n*n, 0, 4*float64(n*n), func() (*entry, error) { return l.openUniform(n * n) })
	}
	squares := []int{1, 16, 64, 256, 1024}
	if !l.quick {
		squares = []int{1, 8, 16, 32, 64, 128, 256, 512, 1024, 2048, 4096, 8192}
	}
	for _, back := range []bool{false, true} {
		for _, n := range squares {
			if n*n > mostFloats(s, false) || back && l.quick && n > 256 {
				break
			}
			e := float64(n)
			p := product{n, n, n, false, false}
			if back {
				add(matmulSuite, "matmul"+backward, n, 4*e*e*e, 20*e*e, func() (*entry, error) { return l.openProductBack(p) })
				continue
			}
			add(matmulSuite, "matmul", n, 2*e*e*e, 12*e*e, func() (*entry, error) {
				return l.openHalf(productDType{tensor.F32, 0}, p, 0)
			})
		}
	}
	return cases
}

// sampledElements is how many elements of a large result are compared.
const sampledElements = 1 << 16

// sampled compares elements all over a large result; small ones are compared in full.
func sampled(e *entry, err error) (*entry, error) {
	if err == nil && e.reference.n > sampledElements && e.reference.elements == nil {
		e.reference.elements = spread(e.reference.n, sampledElements)
	}
	return e, err
}

// openBackward is the gradient of an op of an n×n matrix, from that of its result.
func (l *lab) openBackward(op familyOp, n int) (*entry, error) {
	dev := l.device(0)
	x := fill(n*n, 1, op.scale)
	shape := op.f(tensor.Zeros(dev, n, n), nil).Shape()
	size := 1
	for _, d := range shape {
		size *= d
	}
	dy := fill(size, 3, 1)
	s, err := newStep(func(in ...*tensor.Tensor) []*tensor.Tensor {
		return tensor.VJP(op.f(in[0], nil), in[1], in[0])
	}, tensor.FromSlice(dev, x, n, n), tensor.FromSlice(dev, dy, shape...))
	if err != nil {
		return nil, err
	}
	return &entry{ours: s, reference: op.back(x, dy, n, n)}, nil
}

// openProductBack is the gradients of both operands of a product.
func (l *lab) openProductBack(p product) (*entry, error) {
	dev := l.device(0)
	a, b, _ := p.operands()
	dz := fill(p.m*p.n, 3, 1)
	s, err := newStep(func(in ...*tensor.Tensor) []*tensor.Tensor {
		return tensor.VJP(in[0].MatMul(in[1]), in[2], in[0], in[1])
	}, tensor.FromSlice(dev, a, p.m, p.k), tensor.FromSlice(dev, b, p.k, p.n), tensor.FromSlice(dev, dz, p.m, p.n))
	if err != nil {
		return nil, err
	}
	da := product{p.m, p.n, p.k, false, true}.reference(dz, b)
	db := product{p.k, p.m, p.n, true, false}.reference(a, dz)
	return &entry{ours: s, reference: join(da, db)}, nil
}

// join is the reference of one result behind another.
func join(a, b reference) reference {
	r := reference{n: a.n + b.n, want: func(i int) (float64, float64) {
		if i < a.n {
			return a.want(i)
		}
		return b.want(i - a.n)
	}}
	if a.elements != nil || b.elements != nil {
		for _, part := range []struct {
			reference
			from int
		}{{a, 0}, {b, a.n}} {
			elements := part.elements
			if elements == nil {
				elements = spread(part.n, part.n)
			}
			for _, i := range elements {
				r.elements = append(r.elements, part.from+i)
			}
		}
	}
	return r
}

// openUniform is random numbers, whose bits are the same on every device. The reference
// makes those of the first elements.
func (l *lab) openUniform(n int) (*entry, error) {
	first := min(n, 1<<12)
	exact, err := tensor.Data[float32](tensor.NewRNG(7).Uniform(tensor.New(ref.NewDevice()), first))
	if err != nil {
		return nil, err
	}
	dev, rng := l.device(0), tensor.NewRNG(7)
	// An input, although nothing reads it, says which device a step is of.
	s, err := newStep(func(in ...*tensor.Tensor) []*tensor.Tensor {
		return []*tensor.Tensor{rng.Uniform(in[0].Device(), n)}
	}, tensor.Zeros(dev, 1))
	if err != nil {
		return nil, err
	}
	return &entry{ours: s, reference: reference{n: n, elements: spread(first, first), want: func(i int) (float64, float64) {
		return float64(exact[i]), 0
	}}}, nil
}

// trainCases are the parts of training steps of the perceptron, and whole ones.
func trainCases(l *lab) (cases []benchCase) {
	batches := []int{1, 32, 128}
	if !l.quick {
		batches = []int{1, 4, 16, 32, 64, 128, 256, 512, 1024, 2048, 4096}
	}
	for _, part := range []struct {
		op            string
		flops, params float64 // for each weight: of an example; floats moved
		open          func(m mlp) (*entry, error)
	}{
		{"forward", 2, 1, l.openForward},
		{"forward" + backward, 6, 3, l.openGradients},
		{"step", 6, 9, func(m mlp) (*entry, error) { return l.openMLP(m, 0) }},
	} {
		for _, b := range batches {
			m := mlp{b, []int{784, 512, 512, 10}}
			weights, activations := m.weights(), 0
			for _, w := range m.widths {
				activations += w
			}
			// The gradient of the input is not wanted.
			flops := part.flops * float64(b) * float64(weights)
			if part.flops > 2 {
				flops -= 2 * float64(b) * float64(m.widths[0]*m.widths[1])
			}
			cases = append(cases, benchCase{
				suite: trainSuite, op: part.op, name: fmt.Sprintf("%s/%d", part.op, b), size: float64(b), work: 1,
				flops: flops, bytes: 4 * (part.params*float64(weights) + part.flops/2*float64(b*activations)),
				open: func() (*entry, error) { return part.open(m) },
			})
		}
	}
	return cases
}

func (m mlp) weights() (n int) {
	for i := range len(m.widths) - 1 {
		n += m.widths[i] * m.widths[i+1]
	}
	return n
}

// openForward is the loss of the perceptron.
func (l *lab) openForward(m mlp) (*entry, error) {
	return l.openLoss(m, func(loss *tensor.Tensor, _ nn.Sequential) []*tensor.Tensor { return []*tensor.Tensor{loss} },
		func(r mlpReference) reference {
			return reference{n: 1, want: func(int) (float64, float64) { return r.losses[0], 1e-4 * r.losses[0] }}
		})
}

// openGradients is the gradients of the loss by all parameters.
func (l *lab) openGradients(m mlp) (*entry, error) {
	return l.openLoss(m, func(loss *tensor.Tensor, model nn.Sequential) []*tensor.Tensor {
		var x []*tensor.Tensor
		for _, p := range nn.Parameters(model) {
			x = append(x, p.Read())
		}
		return tensor.Grad(loss, x...)
	}, func(r mlpReference) reference {
		most := 0.0
		for _, v := range r.grads {
			most = max(most, math.Abs(v))
		}
		return reference{n: len(r.grads), want: func(i int) (float64, float64) { return r.grads[i], 1e-4 * most }}
	})
}

// openLoss is a function of the perceptron's loss.
func (l *lab) openLoss(m mlp, f func(loss *tensor.Tensor, model nn.Sequential) []*tensor.Tensor, want func(mlpReference) reference) (*entry, error) {
	dev := l.device(0)
	model := m.model(dev)
	x, class := m.data()
	s, err := newStep(func(in ...*tensor.Tensor) []*tensor.Tensor {
		return f(nn.CrossEntropy(model.Forward(in[0]), in[1]), model)
	}, tensor.FromSlice(dev, x, m.batch, m.widths[0]), tensor.FromSlice(dev, class, m.batch))
	if err != nil {
		return nil, err
	}
	return &entry{ours: s, reference: want(l.reference(m)())}, nil
}

// scaleCases are work of one size on 1 to all cores.
func scaleCases(l *lab, s *subject) (cases []benchCase) {
	if s.ID != "cpu" || s.Cores < 2 {
		return nil
	}
	m := mlp{128, []int{784, 512, 512, 10}}
	for _, part := range []struct {
		op   string
		open func() (*entry, error)
	}{
		{"add", func() (*entry, error) { return sampled(l.openMemory(familyOps()[0].memoryOp, 2048, 2048, 0)) }},
		{"matmul", func() (*entry, error) {
			return l.openHalf(productDType{tensor.F32, 0}, product{512, 512, 512, false, false}, 0)
		}},
		{"step", func() (*entry, error) { return l.openMLP(m, 0) }},
	} {
		for n := 1; n <= s.Cores; n = nextCores(n, s.Cores) {
			cases = append(cases, benchCase{suite: scaleSuite, op: part.op, name: fmt.Sprintf("%s/%d", part.op, n), size: float64(n), work: 1, open: func() (*entry, error) {
				whole := l.subject
				defer func() { l.subject = whole }()
				l.subject = &subject{tensor: l.narrow(n)} // no peers
				return part.open()
			}})
		}
	}
	return cases
}

// nextCores goes through 1, 2, 3, 4, 6, 8, 12, 16, …, and the last.
func nextCores(n, last int) int {
	next := n + max(1, n/2)
	if n&(n-1) != 0 && n > 2 { // 3·2^k
		next = n / 3 * 4
	}
	if n < last {
		return min(next, last)
	}
	return next
}
