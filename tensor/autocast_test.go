package tensor_test

import (
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/fornax-ml/fornax/tensor"
	"github.com/fornax-ml/fornax/tensor/ir"
)

func randomFloats(seed uint64, n int) []float32 {
	r := rand.New(rand.NewPCG(seed, 1))
	l := make([]float32, n)
	for i := range l {
		l[i] = float32(r.NormFloat64())
	}
	return l
}

// Ops choose their dtype by their row, in the scope of the goroutine and only there.
func TestAutocastRules(t *testing.T) {
	d := openCPU(t)
	a, b := tensor.FromSlice(d, randomFloats(1, 6), 2, 3), tensor.FromSlice(d, randomFloats(2, 12), 3, 4)
	index := tensor.FromSlice(d, []int32{0, 1, 1, 0, 0, 1}, 2, 3)
	for _, half := range []tensor.DType{tensor.F16, tensor.BF16} {
		tensor.Autocast(half, func() {
			low := a.MatMul(b)
			require.Equal(t, half, low.DType())
			require.Equal(t, half, low.MatMul(b.T()).DType())
			wide := tensor.FromSlice(d, randomFloats(3, 8), 2, 4)
			for name, c := range map[string]struct {
				y    *tensor.Tensor
				want tensor.DType
			}{
				"relu keeps": {low.Relu(), half}, "half and half": {low.Add(low), half}, "half and float": {low.Mul(wide), tensor.F32},
				"float and half": {wide.Maximum(low), tensor.F32}, "number": {low.MulScalar(2), half}, "max": {low.Max(1), half}, "tanh": {low.Tanh(), half},
				"exp": {low.Exp(), tensor.F32}, "pow": {low.Pow(low), tensor.F32}, "sum": {low.Sum(), tensor.F32}, "mean": {low.Mean(0), tensor.F32},
				"softmax": {low.Softmax(1), tensor.F32}, "variance": {low.Var(0, 1), tensor.F32}, "norm": {low.Norm(), tensor.F32},
				"where": {tensor.Where(low.Less(wide), low, wide), tensor.F32}, "compare": {low.Less(wide), tensor.Bool},
				"cross-entropy": {tensor.CrossEntropy(low, tensor.FromSlice(d, []int32{1, 3}, 2)), tensor.F32},
				"scatter":       {a.ScatterAdd(0, index, a.Cast(half)), tensor.F32},
				"doubles":       {a.Cast(tensor.F64).MatMul(b.Cast(tensor.F64)), tensor.F64},
				"integers":      {index.Sum(), tensor.I32},
			} {
				require.Equal(t, c.want, c.y.DType(), name)
			}
			tensor.Autocast(tensor.F32, func() { require.Equal(t, tensor.F32, a.MatMul(b).DType(), "suspended") })
			require.Equal(t, half, a.MatMul(b).DType(), "and again")
			other := make(chan tensor.DType)
			go func() { other <- a.MatMul(b).DType() }()
			require.Equal(t, tensor.F32, <-other, "another goroutine")
		})
		require.Equal(t, tensor.F32, a.MatMul(b).DType(), "outside")
	}
	require.Panics(t, func() { tensor.Autocast(tensor.BF16, func() { panic("x") }) })
	require.Equal(t, tensor.F32, a.MatMul(b).DType(), "after a panic")
	require.ErrorAs(t, tensor.Try(func() { tensor.Autocast(tensor.I32, func() {}) }), new(*tensor.DTypeError))
	require.ErrorAs(t, tensor.Try(func() { a.Add(a.Cast(tensor.BF16)) }), new(*tensor.DTypeError), "no promotion outside")
}

// High ops see the half's value in float32: what is lost is lost in products only.
func TestAutocastValues(t *testing.T) {
	d := openCPU(t)
	a, b := tensor.FromSlice(d, randomFloats(4, 35), 5, 7), tensor.FromSlice(d, randomFloats(5, 63), 7, 9)
	var got *tensor.Tensor
	tensor.Autocast(tensor.BF16, func() { got = a.MatMul(b).LogSoftmax(1) })
	want := a.Cast(tensor.BF16).MatMul(b.Cast(tensor.BF16)).Cast(tensor.F32).LogSoftmax(1)
	require.Equal(t, data[float32](t, want), data[float32](t, got))
}

// Gradients come back in F32 through the casts, taken inside of the scope or outside.
func TestAutocastGradient(t *testing.T) {
	d := openCPU(t)
	x, w := tensor.FromSlice(d, randomFloats(6, 12), 3, 4), tensor.FromSlice(d, randomFloats(7, 20), 4, 5)
	loss := func() *tensor.Tensor { return x.MatMul(w).Tanh().Erf().Square().Sum() }
	var inside []float32
	tensor.Autocast(tensor.BF16, func() {
		g := tensor.Grad(loss(), w)[0]
		require.Equal(t, tensor.F32, g.DType())
		inside = data[float32](t, g)
	})
	var y *tensor.Tensor
	tensor.Autocast(tensor.BF16, func() { y = loss() })
	g := tensor.Grad(y, w)[0]
	require.Equal(t, tensor.F32, g.DType())
	require.Equal(t, data[float32](t, g), inside)
	exact := data[float32](t, tensor.Grad(loss(), w)[0])
	for i := range exact {
		require.InDelta(t, exact[i], inside[i], 0.05, "%d", i)
	}
	require.NotEqual(t, exact, inside)
}

// A compiled function has the dtypes of the scopes it was traced in.
func TestAutocastCompiled(t *testing.T) {
	d := openCPU(t)
	a, b := tensor.FromSlice(d, randomFloats(8, 6), 2, 3), tensor.FromSlice(d, randomFloats(9, 12), 3, 4)
	f := tensor.Compile(func(in ...*tensor.Tensor) (out []*tensor.Tensor) {
		tensor.Autocast(tensor.BF16, func() { out = append(out, in[0].MatMul(in[1])) })
		return append(out, in[0].MatMul(in[1]))
	})
	out, err := f.Call(a, b)
	require.NoError(t, err)
	require.Equal(t, tensor.BF16, out[0].DType())
	require.Equal(t, tensor.F32, out[1].DType())
}

// And those of the scope that it is called in, whichever call comes first.
func TestAutocastAroundCompiled(t *testing.T) {
	d := openCPU(t)
	a, b := tensor.FromSlice(d, randomFloats(8, 6), 2, 3), tensor.FromSlice(d, randomFloats(9, 12), 3, 4)
	for _, first := range []bool{true, false} {
		f := tensor.Compile(func(in ...*tensor.Tensor) []*tensor.Tensor { return []*tensor.Tensor{in[0].MatMul(in[1])} })
		call := func() tensor.DType {
			out, err := f.Call(a, b)
			require.NoError(t, err)
			return out[0].DType()
		}
		if first {
			tensor.Autocast(tensor.BF16, func() { require.Equal(t, tensor.BF16, call()) })
		}
		require.Equal(t, tensor.F32, call())
		tensor.Autocast(tensor.BF16, func() { require.Equal(t, tensor.BF16, call()) })
	}
}

// Joining takes halves and floats; powers take their exponent in F32; a custom op's
// decomposition is computed as it is written.
func TestAutocastComposites(t *testing.T) {
	d := openCPU(t)
	x := tensor.FromSlice(d, []float32{1e-6, 0.5, 2}, 3)
	plain := tensor.RegisterCustom(tensor.CustomOp{
		Name:    "autocast_test",
		Outputs: func(in []ir.Type, _ []int64) ([]ir.Type, error) { return in[:1], nil },
		Decompose: func(in []*tensor.Tensor, _ []int64) []*tensor.Tensor {
			return []*tensor.Tensor{in[0].MatMul(in[0])}
		},
	})
	square := tensor.FromSlice(d, randomFloats(3, 9), 3, 3)
	tensor.Autocast(tensor.BF16, func() {
		half := x.Cast(tensor.BF16)
		require.Equal(t, tensor.F32, tensor.Concat(0, half, x).DType())
		require.Equal(t, tensor.BF16, tensor.Stack(0, half, half).DType())
		require.Equal(t, data[float32](t, half.Cast(tensor.F32).PowScalar(0.1)), data[float32](t, half.PowScalar(0.1)))
		y := plain.Apply(nil, square)[0]
		require.Equal(t, tensor.F32, y.DType())
		require.Equal(t, tensor.BF16, square.MatMul(y).DType(), "the scope goes on")
		err := new(*tensor.DTypeError)
		require.ErrorAs(t, tensor.Try(func() { half.Add(tensor.FromSlice(d, []int32{1, 2, 3}, 3)) }), err)
		require.Equal(t, []tensor.DType{tensor.BF16, tensor.I32}, (*err).DTypes)
	})
}

// Rows with a rule are ops on floats.
func TestMixedRows(t *testing.T) {
	for _, row := range ir.Table() {
		if row.Mixed != ir.MixedAny {
			require.NotZero(t, row.Args&ir.Floats, row.Name)
		}
	}
}
