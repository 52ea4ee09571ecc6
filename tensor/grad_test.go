package tensor_test

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/fornax-ml/fornax/tensor"
	"github.com/fornax-ml/fornax/tensor/ir"
)

// A gradCase is a function whose gradient is compared with differences.
type gradCase struct {
	name   string
	op     ir.Op // of the table, where the case stands for a row
	shapes [][]int
	lo, hi float64 // domain of all inputs
	f      func(x []*tensor.Tensor) *tensor.Tensor
}

func one(f func(x *tensor.Tensor) *tensor.Tensor) func([]*tensor.Tensor) *tensor.Tensor {
	return func(x []*tensor.Tensor) *tensor.Tensor { return f(x[0]) }
}

func two(f func(a, b *tensor.Tensor) *tensor.Tensor) func([]*tensor.Tensor) *tensor.Tensor {
	return func(x []*tensor.Tensor) *tensor.Tensor { return f(x[0], x[1]) }
}

var gradCases = []gradCase{
	{"neg", ir.OpNeg, [][]int{{3, 2}}, -2, 2, one((*tensor.Tensor).Neg)},
	{"abs", ir.OpAbs, [][]int{{3, 2}}, 0.5, 2, one(func(x *tensor.Tensor) *tensor.Tensor { return x.Neg().Abs() })},
	{"square", ir.OpSquare, [][]int{{3, 2}}, -2, 2, one((*tensor.Tensor).Square)},
	{"sqrt", ir.OpSqrt, [][]int{{3, 2}}, 0.5, 2, one((*tensor.Tensor).Sqrt)},
	{"rsqrt", ir.OpRsqrt, [][]int{{3, 2}}, 0.5, 2, one((*tensor.Tensor).Rsqrt)},
	{"reciprocal", ir.OpReciprocal, [][]int{{3, 2}}, 0.5, 2, one((*tensor.Tensor).Reciprocal)},
	{"exp", ir.OpExp, [][]int{{3, 2}}, -2, 2, one((*tensor.Tensor).Exp)},
	{"exp2", ir.OpExp2, [][]int{{3, 2}}, -2, 2, one((*tensor.Tensor).Exp2)},
	{"expm1", ir.OpExpm1, [][]int{{3, 2}}, -2, 2, one((*tensor.Tensor).Expm1)},
	{"log", ir.OpLog, [][]int{{3, 2}}, 0.5, 2, one((*tensor.Tensor).Log)},
	{"log2", ir.OpLog2, [][]int{{3, 2}}, 0.5, 2, one((*tensor.Tensor).Log2)},
	{"log1p", ir.OpLog1p, [][]int{{3, 2}}, -0.5, 2, one((*tensor.Tensor).Log1p)},
	{"sin", ir.OpSin, [][]int{{3, 2}}, -2, 2, one((*tensor.Tensor).Sin)},
	{"cos", ir.OpCos, [][]int{{3, 2}}, -2, 2, one((*tensor.Tensor).Cos)},
	{"tan", ir.OpTan, [][]int{{3, 2}}, -1, 1, one((*tensor.Tensor).Tan)},
	{"asin", ir.OpAsin, [][]int{{3, 2}}, -0.8, 0.8, one((*tensor.Tensor).Asin)},
	{"acos", ir.OpAcos, [][]int{{3, 2}}, -0.8, 0.8, one((*tensor.Tensor).Acos)},
	{"atan", ir.OpAtan, [][]int{{3, 2}}, -2, 2, one((*tensor.Tensor).Atan)},
	{"sinh", ir.OpSinh, [][]int{{3, 2}}, -2, 2, one((*tensor.Tensor).Sinh)},
	{"cosh", ir.OpCosh, [][]int{{3, 2}}, -2, 2, one((*tensor.Tensor).Cosh)},
	{"tanh", ir.OpTanh, [][]int{{3, 2}}, -2, 2, one((*tensor.Tensor).Tanh)},
	{"erf", ir.OpErf, [][]int{{3, 2}}, -2, 2, one((*tensor.Tensor).Erf)},
	{"sigmoid", ir.OpSigmoid, [][]int{{3, 2}}, -2, 2, one((*tensor.Tensor).Sigmoid)},
	{"relu", ir.OpRelu, [][]int{{3, 2}}, -2, 2, one((*tensor.Tensor).Relu)},
	{"cast", ir.OpCast, [][]int{{3, 2}}, -2, 2, one(func(x *tensor.Tensor) *tensor.Tensor { return x.Square().Cast(tensor.F32).Cast(tensor.F64) })},
	{"add", ir.OpAdd, [][]int{{3, 2}, {2}}, -2, 2, two((*tensor.Tensor).Add)},
	{"sub", ir.OpSub, [][]int{{3, 1}, {2}}, -2, 2, two((*tensor.Tensor).Sub)},
	{"mul", ir.OpMul, [][]int{{3, 2}, {2}}, -2, 2, two((*tensor.Tensor).Mul)},
	{"div", ir.OpDiv, [][]int{{3, 2}, {2}}, 0.5, 2, two((*tensor.Tensor).Div)},
	{"rem", ir.OpRem, [][]int{{3, 2}, {2}}, 0.5, 2, two(func(a, b *tensor.Tensor) *tensor.Tensor { return a.AddScalar(3).Rem(b) })},
	{"pow", ir.OpPow, [][]int{{3, 2}, {2}}, 0.5, 2, two((*tensor.Tensor).Pow)},
	{"atan2", ir.OpAtan2, [][]int{{3, 2}, {2}}, 0.5, 2, two((*tensor.Tensor).Atan2)},
	{"maximum", ir.OpMaximum, [][]int{{3, 2}, {2}}, -2, 2, two((*tensor.Tensor).Maximum)},
	{"minimum", ir.OpMinimum, [][]int{{3, 2}, {2}}, -2, 2, two((*tensor.Tensor).Minimum)},
	{"where", ir.OpWhere, [][]int{{3, 2}, {2}}, -2, 2, two(func(a, b *tensor.Tensor) *tensor.Tensor { return tensor.Where(a.Less(b), a.Square(), b.Exp()) })},
	{"sum", ir.OpSum, [][]int{{3, 2, 4}}, -2, 2, one(func(x *tensor.Tensor) *tensor.Tensor { return x.Sum(0, 2).Square() })},
	{"prod", ir.OpProd, [][]int{{3, 4}}, 0.5, 2, one(func(x *tensor.Tensor) *tensor.Tensor { return x.Prod(1).Square() })},
	{"max", ir.OpMax, [][]int{{3, 4}}, -2, 2, one(func(x *tensor.Tensor) *tensor.Tensor { return x.Max(0).Square() })},
	{"min", ir.OpMin, [][]int{{3, 4}}, -2, 2, one(func(x *tensor.Tensor) *tensor.Tensor { return x.Min(1).Square() })},
	{"reshape", ir.OpReshape, [][]int{{3, 4}}, -2, 2, one(func(x *tensor.Tensor) *tensor.Tensor { return x.T().Reshape(2, 6).Square() })},
	{"permute", ir.OpPermute, [][]int{{3, 4, 2}}, -2, 2, one(func(x *tensor.Tensor) *tensor.Tensor { return x.Permute(2, 0, 1).Square() })},
	{"slice", ir.OpSlice, [][]int{{7, 5}}, -2, 2, one(func(x *tensor.Tensor) *tensor.Tensor {
		return x.Slice(tensor.Range{1, 6, 2}, tensor.Range{-1, tensor.End, -3}).Square()
	})},
	{"expand", ir.OpExpand, [][]int{{3, 1}}, -2, 2, one(func(x *tensor.Tensor) *tensor.Tensor { return x.Expand(2, 3, 4).Square() })},
	{"pad", ir.OpPad, [][]int{{3, 2}}, -2, 2, one(func(x *tensor.Tensor) *tensor.Tensor { return x.Pad([]int{1, 0}, []int{2, 1}, 3).Square() })},
	{"matmul", ir.OpMatMul, [][]int{{2, 3, 4}, {4, 5}}, -2, 2, two((*tensor.Tensor).MatMul)},
	{"gather", ir.OpGather, [][]int{{5, 2}}, -2, 2, one(func(x *tensor.Tensor) *tensor.Tensor {
		i := tensor.FromSlice(x.Device(), []int32{0, 4, 4, 1, 2, 2}, 3, 2)
		return x.Gather(0, i).Square()
	})},
	{"scatteradd", ir.OpScatterAdd, [][]int{{5, 2}, {3, 2}}, -2, 2, two(func(x, u *tensor.Tensor) *tensor.Tensor {
		i := tensor.FromSlice(x.Device(), []int32{0, 4, 4, 1, 0, 2}, 3, 2)
		return x.ScatterAdd(0, i, u).Square()
	})},

	{"mean", 0, [][]int{{3, 4}}, -2, 2, one(func(x *tensor.Tensor) *tensor.Tensor { return x.Mean(0).Square() })},
	{"var", 0, [][]int{{3, 4}}, -2, 2, one(func(x *tensor.Tensor) *tensor.Tensor { return x.Var(1, 1) })},
	{"softmax", 0, [][]int{{3, 4}}, -2, 2, one(func(x *tensor.Tensor) *tensor.Tensor { return x.Softmax(1).Square() })},
	{"logsoftmax", 0, [][]int{{3, 4}}, -2, 2, one(func(x *tensor.Tensor) *tensor.Tensor { return x.LogSoftmax(0).Square() })},
	{"logsumexp", 0, [][]int{{3, 4}}, -2, 2, one(func(x *tensor.Tensor) *tensor.Tensor { return x.LogSumExp(0) })},
	{"crossentropy", 0, [][]int{{3, 4}}, -2, 2, one(func(x *tensor.Tensor) *tensor.Tensor {
		return tensor.CrossEntropy(x, tensor.FromSlice(x.Device(), []int32{1, 3, 0}))
	})},
	{"gelu", 0, [][]int{{3, 4}}, -2, 2, one((*tensor.Tensor).GELU)},
	{"silu", 0, [][]int{{3, 4}}, -2, 2, one((*tensor.Tensor).SiLU)},
	{"softplus", 0, [][]int{{3, 4}}, -2, 2, one((*tensor.Tensor).Softplus)},
	{"concat", 0, [][]int{{3, 2}, {3, 4}}, -2, 2, two(func(a, b *tensor.Tensor) *tensor.Tensor { return tensor.Concat(1, a, b, a).Square() })},
	{"stack", 0, [][]int{{3, 2}, {3, 2}}, -2, 2, two(func(a, b *tensor.Tensor) *tensor.Tensor { return tensor.Stack(1, a, b).Exp() })},
	{"take", 0, [][]int{{5, 2}}, -2, 2, one(func(x *tensor.Tensor) *tensor.Tensor {
		return x.Take(0, tensor.FromSlice(x.Device(), []int32{4, 0, 4, 1}, 2, 2)).Square()
	})},
	{"tril", 0, [][]int{{3, 4}}, -2, 2, one(func(x *tensor.Tensor) *tensor.Tensor { return x.Tril(1).Square() })},
	{"flip", 0, [][]int{{3, 4}}, -2, 2, one(func(x *tensor.Tensor) *tensor.Tensor { return x.Flip(0).Mul(x) })},
}

// TestGradOfEveryOp fails when an op has a rule and no case.
func TestGradOfEveryOp(t *testing.T) {
	have := map[ir.Op]bool{}
	for _, c := range gradCases {
		have[c.op] = true
	}
	for _, row := range ir.Table() {
		if tensor.HasGradient(row.Op) {
			require.True(t, have[row.Op], "no gradient case for %v", row.Op)
		}
	}
}

// TestGrad compares gradients, and gradients of gradients, with central
// differences in float64.
func TestGrad(t *testing.T) {
	onEach(t, func(t *testing.T, d *tensor.Device) {
		if !d.Has(tensor.F64) {
			t.Skip("device lacks f64, without which differences are too coarse")
		}
		for _, c := range gradCases {
			t.Run(c.name, func(t *testing.T) {
				eps, tol := 1e-5, 1e-6
				if c.op == ir.OpCast { // rounds to float32 on the way
					eps, tol = 1e-2, 1e-4
				}
				checkGrad(t, d, c, eps, tol)
			})
		}
	})
}

func checkGrad(t *testing.T, d *tensor.Device, c gradCase, eps, tol float64) {
	rng := rand.New(rand.NewPCG(1, 2))
	vals := make([][]float64, len(c.shapes))
	dirs := make([][]float64, len(c.shapes))
	for i, s := range c.shapes {
		vals[i] = random(rng, ir.Size(s), c.lo, c.hi)
		dirs[i] = random(rng, ir.Size(s), -1, 1)
	}
	// A weighted sum, so that every output has a different gradient.
	scalar := func(xs []*tensor.Tensor) *tensor.Tensor {
		y := c.f(xs)
		return y.Mul(tensor.Arange(d, 1, y.Size()+1, 1).Cast(y.DType()).Reshape(y.Shape()...)).Sum()
	}
	at := func(h float64) []*tensor.Tensor {
		xs := make([]*tensor.Tensor, len(vals))
		for i, v := range vals {
			w := make([]float64, len(v))
			for k := range v {
				w[k] = v[k] + h*dirs[i][k]
			}
			xs[i] = tensor.FromSlice(d, w, c.shapes[i]...)
		}
		return xs
	}
	along := func(xs, gs []*tensor.Tensor) *tensor.Tensor {
		var s *tensor.Tensor
		for i, g := range gs {
			require.Equal(t, xs[i].Shape(), g.Shape())
			p := g.Mul(tensor.FromSlice(d, dirs[i], c.shapes[i]...)).Sum()
			if s == nil {
				s = p
			} else {
				s = s.Add(p)
			}
		}
		return s
	}
	value := func(h float64) float64 { return item(t, scalar(at(h))) }
	slope := func(h float64) float64 {
		xs := at(h)
		return item(t, along(xs, tensor.Grad(scalar(xs), xs...)))
	}
	xs := at(0)
	first := along(xs, tensor.Grad(scalar(xs), xs...))
	second := along(xs, tensor.Grad(first, xs...))
	closeTo(t, (value(eps)-value(-eps))/(2*eps), item(t, first), tol, "first derivative")
	closeTo(t, (slope(eps)-slope(-eps))/(2*eps), item(t, second), 10*tol, "second derivative")
}

func TestGradOfProdWithZeros(t *testing.T) {
	onEach(t, func(t *testing.T, d *tensor.Device) {
		x := tensor.FromSlice(d, []float32{2, 0, 3, 0, 0, 5, 2, 3, 4}, 3, 3)
		g := tensor.Grad(x.Prod(1), x)[0]
		require.Equal(t, []float32{0, 6, 0, 0, 0, 0, 12, 8, 6}, data[float32](t, g))
	})
}

// TestGradOfPowAtExponentZero: ∂(aᵇ)/∂a = b·aᵇ⁻¹ is 0 at b = 0, but changes with
// b there; at a = 0 too it is 0, not NaN.
func TestGradOfPowAtExponentZero(t *testing.T) {
	onEach(t, func(t *testing.T, d *tensor.Device) {
		a, b := tensor.FromSlice(d, []float32{2, 0}), tensor.FromSlice(d, []float32{0, 0})
		g := tensor.Grad(a.Pow(b), a)[0]
		mixed := tensor.Grad(g, b)[0]
		require.Equal(t, []float32{0, 0}, data[float32](t, g))
		require.InDelta(t, 0.5, data[float32](t, mixed)[0], 1e-6)
	})
}

func TestGradSharesTies(t *testing.T) {
	onEach(t, func(t *testing.T, d *tensor.Device) {
		x := tensor.FromSlice(d, []float32{1, 3, 3, 2})
		require.Equal(t, []float32{0, 0.5, 0.5, 0}, data[float32](t, tensor.Grad(x.Max(), x)[0]))
		y := tensor.FromSlice(d, []float32{1, 4, 2, 2})
		g := tensor.Grad(x.Maximum(y), x, y)
		require.Equal(t, []float32{0.5, 0, 1, 0.5}, data[float32](t, g[0]))
		require.Equal(t, []float32{0.5, 1, 0, 0.5}, data[float32](t, g[1]))
	})
}

func TestGradWithoutDependenceIsZeros(t *testing.T) {
	onEach(t, func(t *testing.T, d *tensor.Device) {
		x, y := tensor.Ones(d, 2), tensor.Ones(d, 3)
		require.Equal(t, []float32{0, 0}, data[float32](t, tensor.Grad(y.Exp().Sum(), x)[0]))
		require.Equal(t, []float32{0, 0}, data[float32](t, tensor.Grad(x.Detach().Exp(), x)[0]))
	})
}

// TestGradAcrossForgottenEdge: an evaluated tensor has forgotten its inputs;
// Grad says so where it matters and only there.
func TestGradAcrossForgottenEdge(t *testing.T) {
	onEach(t, func(t *testing.T, d *tensor.Device) {
		x := tensor.FromSlice(d, []float32{1, 2})
		y := x.Exp()
		z := y.Square().Sum()
		require.NoError(t, tensor.Eval(y))
		err := tensor.Try(func() { tensor.Grad(z, x) })
		var ge *tensor.GradError
		require.ErrorAs(t, err, &ge)
		require.Contains(t, err.Error(), "take Grad before Eval")
		require.Contains(t, err.Error(), "exp")

		other := tensor.FromSlice(d, []float32{3, 4}).Exp()
		require.NoError(t, tensor.Eval(other))
		g := tensor.Grad(x.Mul(other).Sum(), x)[0]
		require.Equal(t, data[float32](t, other), data[float32](t, g))
		require.Equal(t, fmt.Sprint([]float32{2, 4}), fmt.Sprint(data[float32](t, tensor.Grad(x.Square(), x)[0])))
	})
}

func TestGradAcrossDevices(t *testing.T) {
	ds := devices(t)
	x := tensor.FromSlice(ds["cpu"], []float32{1, 2, 3})
	y := x.Square().To(ds["ref"]).Mul(tensor.FromSlice(ds["ref"], []float32{1, 10, 100})).Sum()
	g := tensor.Grad(y, x)[0]
	require.Equal(t, ds["cpu"], g.Device())
	require.Equal(t, []float32{2, 40, 600}, data[float32](t, g))
	require.Equal(t, 941.0, item(t, y))
}

// TestSoftplusGradientAtZero: the two terms have a kink there, their sum has
// none.
func TestSoftplusGradientAtZero(t *testing.T) {
	d, err := tensor.Open("cpu")
	require.NoError(t, err)
	x := tensor.FromSlice(d, []float32{0, 100, -100})
	g, err := tensor.Data[float32](tensor.Grad(x.Softplus(), x)[0])
	require.NoError(t, err)
	require.InDeltaSlice(t, []float32{0.5, 1, 0}, g, 1e-6)
}
