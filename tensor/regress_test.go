package tensor_test

import (
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/fornax-ml/fornax/tensor"
)

// TestReplacementsOfOneSize: an output may take over the memory of another
// cell's old value; nobody else's memory is given back then.
func TestReplacementsOfOneSize(t *testing.T) {
	onEach(t, func(t *testing.T, d *tensor.Device) {
		for _, compiled := range []bool{false, true} {
			a, b := tensor.NewCell(tensor.Eye(d, 4).MulScalar(2)), tensor.NewCell(tensor.Eye(d, 4).MulScalar(3))
			require.NoError(t, tensor.Eval(a.Read(), b.Read()))
			f := func(...*tensor.Tensor) []*tensor.Tensor {
				a.Set(a.Read().MatMul(a.Read()))
				b.Set(b.Read().MatMul(b.Read()))
				return []*tensor.Tensor{a.Read().MatMul(b.Read())}
			}
			var out []*tensor.Tensor
			if compiled {
				var err error
				out, err = tensor.Compile(f).Call()
				require.NoError(t, err)
			} else {
				out = f()
			}
			require.Equal(t, 4.0*36, item(t, out[0].Sum()))
			require.Equal(t, 16.0, item(t, a.Read().Sum()))
			require.Equal(t, 36.0, item(t, b.Read().Sum()))
		}
	})
}

func TestCompiledSwap(t *testing.T) {
	onEach(t, func(t *testing.T, d *tensor.Device) {
		a, b := tensor.NewCell(tensor.Ones(d, 3)), tensor.NewCell(tensor.Full(d, 2, 3))
		f := tensor.Compile(func(...*tensor.Tensor) []*tensor.Tensor {
			x, y := a.Read(), b.Read()
			a.Set(y)
			b.Set(x)
			return []*tensor.Tensor{a.Read(), b.Read()}
		})
		for i := range 3 {
			out, err := f.Call()
			require.NoError(t, err)
			odd := float64(i % 2)
			require.Equal(t, 3*(2-odd), item(t, out[0].Sum()))
			require.Equal(t, 3*(1+odd), item(t, out[1].Sum()))
		}
	})
}

// TestCapturedValue: a value taken outside a compiled function stays what it
// was; a value read inside is that of each run.
func TestCapturedValue(t *testing.T) {
	onEach(t, func(t *testing.T, d *tensor.Device) {
		w := tensor.NewCell(tensor.Zeros(d))
		start := w.Value()
		f := tensor.Compile(func(...*tensor.Tensor) []*tensor.Tensor {
			y := w.Read().Sub(start)
			w.Set(w.Read().AddScalar(1))
			return []*tensor.Tensor{y}
		})
		for i := range 4 {
			out, err := f.Call()
			require.NoError(t, err)
			require.Equal(t, float64(i), item(t, out[0]))
		}
		var te *tensor.TraceError
		other := devices(t)["ref"]
		if d.Name() != "ref" {
			err := tensor.Try(func() {
				tensor.Compile(func(...*tensor.Tensor) []*tensor.Tensor { return []*tensor.Tensor{w.Read().To(other)} }).Call()
			})
			require.ErrorAs(t, err, &te)
		}
	})
}

// TestArgumentIsTheCellsValue: the step must not write over its argument.
func TestArgumentIsTheCellsValue(t *testing.T) {
	onEach(t, func(t *testing.T, d *tensor.Device) {
		w := tensor.NewCell(tensor.Ones(d, 8, 8))
		f := tensor.Compile(func(in ...*tensor.Tensor) []*tensor.Tensor {
			w.Set(w.Read().AddScalar(1))
			return []*tensor.Tensor{in[0].MatMul(in[0]).Mean()}
		})
		for i := range 3 {
			out, err := f.Call(w.Value())
			require.NoError(t, err)
			v := float64(i + 1)
			require.Equal(t, 8*v*v, item(t, out[0]))
		}
		require.Equal(t, 64.0*4, item(t, w.Read().Sum()))
	})
}

// TestRunningStatistic: a cell that the loss does not read is carried out with
// the step that retires what it depends on.
func TestRunningStatistic(t *testing.T) {
	onEach(t, func(t *testing.T, d *tensor.Device) {
		w, mean := tensor.NewCell(tensor.Ones(d, 2)), tensor.NewCell(tensor.Zeros(d, 2))
		for range 3 {
			p := w.Read()
			loss := p.Square().Sum()
			mean.Set(mean.Read().MulScalar(0.5).Add(p.MulScalar(0.5)))
			w.Set(p.AddScalar(1))
			item(t, loss)
		}
		require.Equal(t, []float32{4, 4}, data[float32](t, w.Read()))
		require.Equal(t, []float32{2.125, 2.125}, data[float32](t, mean.Read()))
		best := tensor.NewCell(tensor.Zeros(d, 2))
		best.Set(w.Read())
		w.Set(w.Read().AddScalar(1))
		item(t, w.Read().Sum())
		require.Equal(t, []float32{4, 4}, data[float32](t, best.Read()))
	})
}

func TestSetOfEvaluatedTensor(t *testing.T) {
	onEach(t, func(t *testing.T, d *tensor.Device) {
		c := tensor.NewCell(tensor.Ones(d))
		c.Set(tensor.FromSlice(d, []float32{5}, []int{}...))
		c.Discard()
		require.Equal(t, 1.0, item(t, c.Read()))
		x := tensor.FromSlice(d, []float32{6}, []int{}...)
		c.Set(x)
		x.Free()
		require.ErrorIs(t, tensor.Eval(c.Read()), tensor.ErrFreed)
		c.Discard()
		n := c.Read().AddScalar(1)
		y := c.Read().AddScalar(2)
		c.Set(n)
		n.Free()
		require.ErrorIs(t, tensor.Eval(y), tensor.ErrFreed)
		c.Discard()
		require.Equal(t, 1.0, item(t, c.Read()))
	})
}

func TestPlaceholderOutsideItsFunction(t *testing.T) {
	onEach(t, func(t *testing.T, d *tensor.Device) {
		var leaked *tensor.Tensor
		_, err := tensor.Compile(func(in ...*tensor.Tensor) []*tensor.Tensor {
			leaked = in[0].Exp()
			return []*tensor.Tensor{leaked}
		}).Call(tensor.Ones(d, 2))
		require.NoError(t, err)
		var te *tensor.TraceError
		require.ErrorAs(t, tensor.Eval(leaked), &te)
	})
}

// TestGradAcrossTwoEvaluations: the walk goes back through records.
func TestGradAcrossTwoEvaluations(t *testing.T) {
	onEach(t, func(t *testing.T, d *tensor.Device) {
		x := tensor.FromSlice(d, []float32{1})
		a := x.MulScalar(2)
		require.NoError(t, tensor.Eval(a))
		b := a.MulScalar(3)
		require.NoError(t, tensor.Eval(b))
		var ge *tensor.GradError
		require.ErrorAs(t, tensor.Try(func() { tensor.Grad(b.Sum(), x) }), &ge)
	})
}

func TestCounterCellStaysBounded(t *testing.T) {
	onEach(t, func(t *testing.T, d *tensor.Device) {
		c := tensor.NewCell(tensor.Zeros(d))
		runs := d.Stats().Runs
		for range 10000 {
			c.Set(c.Read().AddScalar(1))
		}
		require.Greater(t, d.Stats().Runs, runs, "nothing was evaluated")
		require.Equal(t, 10000.0, item(t, c.Read()))
	})
}

func TestSizesDoNotOverflow(t *testing.T) {
	onEach(t, func(t *testing.T, d *tensor.Device) {
		x := tensor.Ones(d, 3)
		var se *tensor.ShapeError
		for name, f := range map[string]func(){
			"narrow": func() { x.Narrow(0, 1, tensor.End) },
			"pad":    func() { x.Pad([]int{tensor.End}, []int{tensor.End}, 0) },
			"split":  func() { x.Split(0, 1, tensor.End) },
			"outer": func() {
				tensor.Zeros(d, 1<<30, 1).Add(tensor.Zeros(d, 1, 1<<30)).Unsqueeze(0).Expand(1<<30, 1<<30, 1<<30)
			},
			"eye": func() { tensor.Eye(d, -1) },
		} {
			require.ErrorAs(t, tensor.Try(f), &se, name)
		}
		require.Equal(t, 1.0, item(t, tensor.FromSlice(d, []uint8{0}).OneHot(300, tensor.F32).Sum()))
		require.NotNil(t, tensor.Zeros(d).Shape())
	})
}

// TestSeedIsData: a compiled step draws with the seed that the generator has.
func TestSeedIsData(t *testing.T) {
	onEach(t, func(t *testing.T, d *tensor.Device) {
		r := tensor.NewRNG(1)
		f := tensor.Compile(func(...*tensor.Tensor) []*tensor.Tensor { return []*tensor.Tensor{r.Bits(d, 5)} })
		_, err := f.Call()
		require.NoError(t, err)
		r.SetState(1<<40+2, 7)
		out, err := f.Call()
		require.NoError(t, err)
		r.SetState(1<<40+2, 7)
		require.Equal(t, data[uint32](t, r.Bits(d, 5)), data[uint32](t, out[0]))
	})
}

// TestValueBesideSteps: values handed out while another goroutine steps stay
// what they were, or say that they were retired too late.
func TestValueBesideSteps(t *testing.T) {
	onEach(t, func(t *testing.T, d *tensor.Device) {
		w := tensor.NewCell(tensor.Zeros(d, 2000))
		f := tensor.Compile(func(...*tensor.Tensor) []*tensor.Tensor {
			w.Set(w.Read().AddScalar(1))
			return nil
		})
		var wg sync.WaitGroup
		wg.Go(func() {
			for range 100 {
				if _, err := f.Call(); err != nil {
					t.Error(err)
				}
			}
		})
		for range 30 {
			v, err := tensor.Data[float32](w.Value())
			if err != nil {
				continue
			}
			for _, x := range v {
				if x != v[0] {
					t.Fatalf("torn value: %v and %v", v[0], x)
				}
			}
		}
		wg.Wait()
	})
}
