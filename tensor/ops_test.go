package tensor_test

import (
	"math"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/fornax-ml/fornax/tensor"
)

func TestShapesPanic(t *testing.T) {
	d, err := tensor.Open("cpu")
	require.NoError(t, err)
	a, b := tensor.Zeros(d, 32, 784), tensor.Zeros(d, 512, 10)
	err = tensor.Try(func() { a.MatMul(b) })
	var se *tensor.ShapeError
	require.ErrorAs(t, err, &se)
	require.Equal(t, "MatMul", se.Op)
	require.Equal(t, [][]int{{32, 784}, {512, 10}}, se.Shapes)
	require.Equal(t, "tensor: MatMul[[32 784] [512 10]]: inner dimensions differ: 784 and 512", err.Error())

	for name, f := range map[string]func(){
		"broadcast": func() { a.Add(b) },
		"reshape":   func() { a.Reshape(3, -1) },
		"axis":      func() { a.Sum(2) },
		"twice":     func() { a.Sum(0, -2) },
		"permute":   func() { a.Permute(0, 0) },
		"concat":    func() { tensor.Concat(0, a, b) },
		"rank":      func() { tensor.Zeros(d, 1, 1, 1, 1, 1, 1, 1, 1, 1) },
		"negative":  func() { tensor.Zeros(d, -1) },
		"size":      func() { tensor.FromSlice(d, []float32{1}, 2) },
		"huge":      func() { tensor.Zeros(d, math.MaxInt32, math.MaxInt32, math.MaxInt32) },
		"narrow":    func() { a.Narrow(0, 30, 3) },
		"argmax":    func() { tensor.Zeros(d, 0).ArgMax(0) },
	} {
		require.ErrorAs(t, tensor.Try(f), &se, name)
	}
	var de *tensor.DTypeError
	i := tensor.Arange(d, 0, 3, 1)
	for name, f := range map[string]func(){
		"mix":  func() { i.Add(tensor.Ones(d, 3)) },
		"exp":  func() { i.Exp() },
		"mean": func() { i.Mean() },
		"not":  func() { tensor.Ones(d).Not() },
		"any":  func() { i.Any() },
	} {
		require.ErrorAs(t, tensor.Try(f), &de, name)
	}
	if wide := int64(math.MaxInt32) + 1; int64(int(wide)) == wide { // an int of 64 bits
		require.ErrorAs(t, tensor.Try(func() { tensor.FromSlice(d, []int{1, int(wide)}) }), &de)
	}
	require.Panics(t, func() { _ = tensor.Try(func() { panic("other") }) })
}

func TestMovement(t *testing.T) {
	onEach(t, func(t *testing.T, d *tensor.Device) {
		x := tensor.Arange(d, 0, 12, 1).Reshape(3, 4)
		require.Equal(t, []int32{0, 4, 8, 1, 5, 9, 2, 6, 10, 3, 7, 11}, data[int32](t, x.T()))
		require.Equal(t, []int32{5, 7}, data[int32](t, x.Slice(tensor.Range{1, 2, 1}, tensor.Range{1, tensor.End, 2})))
		require.Equal(t, []int32{11, 8, 3, 0}, data[int32](t, x.Slice(tensor.Range{-1, tensor.End, -2}, tensor.Range{-1, tensor.End, -3})))
		require.Equal(t, []int32{2, 3, 0, 1}, data[int32](t, tensor.Arange(d, 0, 4, 1).Reshape(2, 2).Flip(0)))
		require.Equal(t, []int32{9, 9, 9, 9, 0, 9, 9, 1, 9}, data[int32](t, tensor.Arange(d, 0, 2, 1).Reshape(2, 1).Pad([]int{1, 1}, []int{0, 1}, 9)))
		y := tensor.Concat(1, x, x.Slice(tensor.All, tensor.Range{0, 1, 1}), x.Narrow(1, 0, 0))
		require.Equal(t, []int{3, 5}, y.Shape())
		require.Equal(t, []int32{0, 1, 2, 3, 0, 4, 5, 6, 7, 4, 8, 9, 10, 11, 8}, data[int32](t, y))
		parts := y.Split(1, 2, 0, 3)
		require.Equal(t, []int32{2, 3, 0, 6, 7, 4, 10, 11, 8}, data[int32](t, parts[2]))
		require.Empty(t, data[int32](t, parts[1]))
		s := tensor.Stack(-1, x.Narrow(0, 0, 1).Flatten(), x.Narrow(0, 1, 1).Flatten())
		require.Equal(t, []int32{0, 4, 1, 5, 2, 6, 3, 7}, data[int32](t, s))
		b := tensor.FromSlice(d, []bool{true, false, true})
		require.Equal(t, []bool{true, false, true, true, false, true}, data[bool](t, tensor.Concat(0, b, b)))
		require.Equal(t, []uint8{1, 2, 3, 1}, data[uint8](t, tensor.Concat(0, tensor.FromSlice(d, []uint8{1, 2, 3}), tensor.FromSlice(d, []uint8{1}))))
	})
}

func TestReductions(t *testing.T) {
	onEach(t, func(t *testing.T, d *tensor.Device) {
		x := tensor.FromSlice(d, []float32{1, 5, 2, 8, 3, 8}, 2, 3)
		require.Equal(t, []float32{8, 19}, data[float32](t, x.Sum(1)))
		require.Equal(t, []float32{9, 8, 10}, data[float32](t, x.Sum(0)))
		require.Equal(t, 27.0, item(t, x.Sum()))
		require.Equal(t, 4.5, item(t, x.Mean()))
		require.Equal(t, []int32{1, 0}, data[int32](t, x.ArgMax(1)))
		require.Equal(t, []int32{0, 1, 0}, data[int32](t, x.ArgMin(0)))
		closeTo(t, 9.1, item(t, x.Var(1)), 1e-6)
		nan := tensor.FromSlice(d, []float32{1, float32(math.NaN()), 3})
		require.True(t, math.IsNaN(item(t, nan.Max())))
		require.Equal(t, 1.0, item(t, nan.ArgMax(0)))
		empty := tensor.Zeros(d, 0, 3)
		require.Equal(t, []float32{0, 0, 0}, data[float32](t, empty.Sum(0)))
		require.True(t, math.IsNaN(item(t, empty.Mean())))
		require.True(t, math.IsInf(item(t, empty.Max()), -1))
		require.Equal(t, 1.0, item(t, tensor.FromSlice(d, []bool{false, true}).Any()))
		require.Equal(t, 0.0, item(t, tensor.FromSlice(d, []bool{false, true}).All()))
	})
}

func TestMatMulShapes(t *testing.T) {
	onEach(t, func(t *testing.T, d *tensor.Device) {
		a := tensor.Arange(d, 0, 6, 1).Cast(tensor.F32).Reshape(2, 3)
		v := tensor.FromSlice(d, []float32{1, 10, 100})
		require.Equal(t, []float32{210, 543}, data[float32](t, a.MatMul(v)))
		require.Equal(t, []float32{210, 543}, data[float32](t, v.MatMul(a.T())))
		require.Equal(t, 10101.0, item(t, v.MatMul(v)))
		b := tensor.Stack(0, a, a.MulScalar(2))
		require.Equal(t, []int{2, 2, 2}, b.MatMul(a.T()).Shape())
		require.Equal(t, []float32{5, 14, 14, 50, 10, 28, 28, 100}, data[float32](t, b.MatMul(a.T())))
		require.Equal(t, []float32{0, 0, 0, 0}, data[float32](t, tensor.Zeros(d, 2, 0).MatMul(tensor.Zeros(d, 0, 2))))
	})
}

func TestIndexing(t *testing.T) {
	onEach(t, func(t *testing.T, d *tensor.Device) {
		x := tensor.Arange(d, 0, 6, 1).Cast(tensor.F32).Reshape(3, 2)
		i := tensor.FromSlice(d, []int{2, 0, 2})
		require.Equal(t, []float32{4, 5, 0, 1, 4, 5}, data[float32](t, x.Take(0, i)))
		require.Equal(t, []float32{1, 0, 2, 3, 5, 5}, data[float32](t, x.Gather(1, tensor.FromSlice(d, []int32{1, 0, 0, 1, 1, 1}, 3, 2))))
		require.Equal(t, []float32{4, 3}, data[float32](t, x.Gather(0, tensor.FromSlice(d, []uint8{2, 1}, 1, 2))))
		s := x.ScatterAdd(0, tensor.FromSlice(d, []int32{1, 1, 1, 2}, 2, 2), tensor.FromSlice(d, []float32{10, 20, 30, 40}, 2, 2))
		require.Equal(t, []float32{0, 1, 42, 23, 4, 45}, data[float32](t, s))
		require.Equal(t, []float32{0, 1, 0, 1, 0, 0}, data[float32](t, tensor.FromSlice(d, []int{1, 0}).OneHot(3, tensor.F32)))
		loss := tensor.CrossEntropy(tensor.FromSlice(d, []float32{1, 2, 3, 0, 0, 0}, 2, 3), tensor.FromSlice(d, []int{2, 0}))
		v := data[float32](t, loss)
		closeTo(t, math.Log(1+math.Exp(-1)+math.Exp(-2)), float64(v[0]), 1e-6)
		closeTo(t, math.Log(3), float64(v[1]), 1e-6)
	})
}

func TestRNG(t *testing.T) {
	ds := devices(t)
	bits := func(d *tensor.Device) []uint32 {
		r := tensor.NewRNG(42)
		r.Bits(d, 3)
		return data[uint32](t, r.Bits(d, 7, 3))
	}
	require.Equal(t, bits(ds["ref"]), bits(ds["cpu"]))
	d := ds["cpu"]
	r := tensor.NewRNG(1)
	u := data[float32](t, r.Uniform(d, 100003))
	n := data[float32](t, r.Normal(d, 100003))
	var mean, sq, um float64
	for i := range n {
		require.True(t, u[i] >= 0 && u[i] < 1)
		um += float64(u[i])
		mean += float64(n[i])
		sq += float64(n[i]) * float64(n[i])
	}
	k := float64(len(n))
	require.InDelta(t, 0.5, um/k, 0.005)
	require.InDelta(t, 0, mean/k, 0.015)
	require.InDelta(t, 1, sq/k, 0.02)
	seed, calls := r.State()
	a := data[float32](t, r.Uniform(d, 5))
	r.SetState(seed, calls)
	require.Equal(t, a, data[float32](t, r.Uniform(d, 5)))
}

func TestDataAndItem(t *testing.T) {
	onEach(t, func(t *testing.T, d *tensor.Device) {
		x := tensor.FromSlice(d, []int{1, 2, 3})
		require.Equal(t, tensor.I32, x.DType())
		require.Equal(t, []int{1, 2, 3}, data[int](t, x))
		_, err := tensor.Data[float32](x)
		require.Error(t, err)
		_, err = x.Item()
		require.Error(t, err)
		require.Equal(t, []float64{1.5}, data[float64](t, tensor.FromSlice(d, []float64{1.5})))
		require.Equal(t, []int64{1 << 40}, data[int64](t, tensor.FromSlice(d, []int64{1 << 40})))
		require.Equal(t, []int64{0, -1, 2}, data[int64](t, tensor.FromSlice(d, []float32{0.9, -1.9, 2}).Cast(tensor.I64)))
		require.Equal(t, []float32{1, 0, 0, 1}, data[float32](t, tensor.Eye(d, 2)))
		require.Equal(t, []int32{5, 3, 1}, data[int32](t, tensor.Arange(d, 5, 0, -2)))
	})
}

func TestMixedDevicesPanic(t *testing.T) {
	ds := devices(t)
	err := tensor.Try(func() { tensor.Ones(ds["ref"]).Add(tensor.Ones(ds["cpu"])) })
	var de *tensor.DeviceError
	require.ErrorAs(t, err, &de)
	require.Contains(t, err.Error(), "ref, cpu")
}

func TestOpenErrors(t *testing.T) {
	for _, name := range []string{"nosuch", "cpu:7", "cpu:x", "cpu:-1"} {
		_, err := tensor.Open(name)
		require.Error(t, err, name)
	}
	a, err := tensor.Open("cpu")
	require.NoError(t, err)
	b, err := tensor.Open("cpu:0")
	require.NoError(t, err)
	require.Same(t, a, b)
}
