package main

import (
	"math"

	"github.com/fornax-ml/fornax/tensor"
)

const memorySuite = "memory"

// A memoryOp is a kernel whose time is that of moving memory.
type memoryOp struct {
	name   string
	moves  int // float32 moved for each element of x
	inputs int
	scale  float32 // inputs are in [-scale/2, scale/2)
	f      func(x, y *tensor.Tensor) *tensor.Tensor
	want   func(x, y []float32, rows, cols int) reference
}

var memoryOps = []memoryOp{
	{"copy", 2, 1, 1, func(x, _ *tensor.Tensor) *tensor.Tensor { return x }, elementwise(func(x, _ float64) float64 { return x }, 0)},
	{"add", 3, 2, 1, func(x, y *tensor.Tensor) *tensor.Tensor { return x.Add(y) }, elementwise(func(x, y float64) float64 { return x + y }, 1)},
	{"exp", 2, 1, 8, func(x, _ *tensor.Tensor) *tensor.Tensor { return x.Exp() }, elementwise(func(x, _ float64) float64 { return math.Exp(x) }, 4)},
	{"tanh", 2, 1, 8, func(x, _ *tensor.Tensor) *tensor.Tensor { return x.Tanh() }, elementwise(func(x, _ float64) float64 { return math.Tanh(x) }, 4)},
	{"erf", 2, 1, 8, func(x, _ *tensor.Tensor) *tensor.Tensor { return x.Erf() }, elementwise(func(x, _ float64) float64 { return math.Erf(x) }, 4)},
	{"softmax", 2, 1, 8, func(x, _ *tensor.Tensor) *tensor.Tensor { return x.Softmax(1) }, wantSoftmax},
	{"sum", 1, 1, 1, func(x, _ *tensor.Tensor) *tensor.Tensor { return x.Sum() }, wantSum(func(rows, cols int) (int, int, int, int) { return 1, 0, rows * cols, 1 })},
	{"sum_rows", 1, 1, 1, func(x, _ *tensor.Tensor) *tensor.Tensor { return x.Sum(1) }, wantSum(func(rows, cols int) (int, int, int, int) { return rows, cols, cols, 1 })},
	{"sum_columns", 1, 1, 1, func(x, _ *tensor.Tensor) *tensor.Tensor { return x.Sum(0) }, wantSum(func(rows, cols int) (int, int, int, int) { return cols, 1, rows, cols })},
	{"transpose", 2, 1, 1, func(x, _ *tensor.Tensor) *tensor.Tensor { return x.T() }, wantTranspose},
	{"chain", 3, 2, 1, chain[*tensor.Tensor], elementwise(func(x, y float64) float64 { return float64(chain(number(x), number(y))) }, 16)},
}

// chain is ten cheap ops, as torch.py has them.
func chain[T interface {
	Add(T) T
	Mul(T) T
	Maximum(T) T
}](x, y T) T {
	r := x.Add(y).Mul(x).Maximum(y).Add(x).Mul(y).Maximum(x)
	return r.Add(y).Mul(x).Maximum(y).Add(x)
}

// A number has a tensor's methods, for chain.
type number float64

// Add returns x + y.
func (x number) Add(y number) number { return x + y }

// Mul returns x·y.
func (x number) Mul(y number) number { return x * y }

// Maximum returns the larger one.
func (x number) Maximum(y number) number { return max(x, y) }

// memoryCases are the ops on a rows×cols matrix.
func memoryCases(l *lab, rows, cols int) []benchCase {
	var cases []benchCase
	for _, op := range memoryOps {
		for _, n := range threads() {
			cases = append(cases, benchCase{
				suite: memorySuite, name: op.name, threads: n, work: 4 * float64(op.moves) * float64(rows) * float64(cols),
				open: func() (*entry, error) { return l.openMemory(op, rows, cols, n) },
			})
		}
	}
	return cases
}

func (l *lab) openMemory(op memoryOp, rows, cols, threads int) (*entry, error) {
	var host [2][]float32
	var in []*tensor.Tensor
	dev := l.device(threads)
	for i := range op.inputs {
		host[i] = fill(rows*cols, uint32(i+1), op.scale)
		in = append(in, tensor.FromSlice(dev, host[i], rows, cols))
	}
	s, err := newStep(op.compiled, in...)
	if err != nil {
		return nil, err
	}
	e := &entry{ours: s, reference: op.want(host[0], host[1], rows, cols)}
	e.rivals = append(e.rivals, l.against("torch", "torch", levels()[0], memorySuite+"/"+op.name, threads, rows, cols))
	if op.name == "chain" && l.subject == nil {
		one, err := newStep(memoryOps[1].compiled, tensor.FromSlice(dev, host[0], rows, cols), tensor.FromSlice(dev, host[1], rows, cols))
		add := memoryOps[1].want(host[0], host[1], rows, cols)
		e.rivals = append(e.rivals, rival{name: "our add", ratio: "ratio", contender: one, err: err, reference: &add})
	}
	return e, nil
}

func (op memoryOp) compiled(in ...*tensor.Tensor) []*tensor.Tensor {
	return []*tensor.Tensor{op.f(in[0], in[len(in)-1])}
}

// elementwise makes the reference of a function within so many units in the last place of
// the larger of its value and 2^-10.
func elementwise(f func(x, y float64) float64, ulps float64) func(x, y []float32, rows, cols int) reference {
	return func(x, y []float32, rows, cols int) reference {
		return reference{n: rows * cols, want: func(i int) (float64, float64) {
			second := 0.0
			if y != nil {
				second = float64(y[i])
			}
			v := f(float64(x[i]), second)
			return v, ulps * 0x1p-23 * max(math.Abs(v), 0x1p-10)
		}}
	}
}

func wantSoftmax(x, _ []float32, rows, cols int) reference {
	row, sum, most := -1, 0.0, 0.0
	return reference{n: rows * cols, want: func(i int) (float64, float64) {
		if i/cols != row {
			row, sum, most = i/cols, 0, math.Inf(-1)
			for _, v := range x[row*cols : (row+1)*cols] {
				most = max(most, float64(v))
			}
			for _, v := range x[row*cols : (row+1)*cols] {
				sum += math.Exp(float64(v) - most)
			}
		}
		v := math.Exp(float64(x[i])-most) / sum
		return v, 16 * 0x1p-23 * v
	}}
}

// wantSum makes the reference of sums. layout gives how many there are and how far apart,
// and how many numbers each has and how far apart.
func wantSum(layout func(rows, cols int) (n, step, count, stride int)) func(x, y []float32, rows, cols int) reference {
	return func(x, _ []float32, rows, cols int) reference {
		n, step, count, stride := layout(rows, cols)
		return reference{n: n, want: func(i int) (float64, float64) {
			sum, squares := 0.0, 0.0
			for k := range count {
				v := float64(x[i*step+k*stride])
				sum += v
				squares += v * v
			}
			return sum, sumTolerance(count, squares)
		}}
	}
}

func wantTranspose(x, _ []float32, rows, cols int) reference {
	return reference{n: rows * cols, want: func(i int) (float64, float64) {
		return float64(x[i%rows*cols+i/rows]), 0
	}}
}
