package tensor_test

import (
	"context"
	"errors"
	"runtime"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/fornax-ml/fornax/tensor"
)

// step is a training step by hand: the loss of a least-squares fit and the
// replacement of its weights.
func step(w, lr *tensor.Cell, x, y *tensor.Tensor) *tensor.Tensor {
	p := w.Read()
	loss := x.MatMul(p).Sub(y).Square().Mean()
	w.Set(p.Sub(tensor.Grad(loss, p)[0].Mul(lr.Read())))
	return loss
}

func fit(d *tensor.Device) (w, lr *tensor.Cell, x, y *tensor.Tensor) {
	w = tensor.NewCell(tensor.Zeros(d, 3, 1))
	lr = tensor.NewCell(tensor.Full(d, 0.1))
	x = tensor.FromSlice(d, []float32{1, 2, 3, 4, 5, 6, 7, 8, 10, 1, 0, 1}, 4, 3)
	y = tensor.FromSlice(d, []float32{1, 2, 3, 4}, 4, 1)
	lr.SetScalar(0.01)
	return w, lr, x, y
}

func TestStepIsOneProgram(t *testing.T) {
	onEach(t, func(t *testing.T, d *tensor.Device) {
		w, lr, x, y := fit(d)
		var losses []float64
		for i := range 5 {
			before := d.Stats()
			if i == 3 {
				lr.SetScalar(0.005)
			}
			losses = append(losses, item(t, step(w, lr, x, y)))
			after := d.Stats()
			if i > 0 {
				require.Equal(t, before.Planned, after.Planned, "step %d planned a program", i)
				require.Equal(t, before.Runs+1, after.Runs, "step %d", i)
				require.Less(t, losses[i], losses[i-1])
			}
		}
		require.Equal(t, 3, len(data[float32](t, w.Value())))
	})
}

func TestCompiledStepEqualsPlain(t *testing.T) {
	onEach(t, func(t *testing.T, d *tensor.Device) {
		run := func(compiled bool) (losses []float32, weights []float32) {
			w, lr, x, y := fit(d)
			rng := tensor.NewRNG(7)
			f := func(in ...*tensor.Tensor) []*tensor.Tensor {
				noisy := in[0].Add(rng.Normal(d, 4, 3).MulScalar(0.01))
				return []*tensor.Tensor{step(w, lr, noisy, in[1])}
			}
			c := tensor.Compile(f)
			for i := range 6 {
				lr.SetScalar(0.01 / float64(i+1))
				var out []*tensor.Tensor
				before := d.Stats()
				if compiled {
					var err error
					out, err = c.Call(x, y)
					require.NoError(t, err)
				} else {
					out = f(x, y)
				}
				losses = append(losses, data[float32](t, out[0])...)
				after := d.Stats()
				if compiled && i > 0 {
					require.Equal(t, before.Nodes, after.Nodes, "step %d built a graph", i)
					require.Equal(t, before.Planned, after.Planned)
					require.Equal(t, before.Runs+1, after.Runs)
				}
			}
			return losses, data[float32](t, w.Value())
		}
		pl, pw := run(false)
		cl, cw := run(true)
		require.Equal(t, pl, cl)
		require.Equal(t, pw, cw)
	})
}

func TestStaleTensorIsRetired(t *testing.T) {
	onEach(t, func(t *testing.T, d *tensor.Device) {
		c := tensor.NewCell(tensor.Ones(d, 2))
		old := c.Read()
		stale := old.Exp()
		c.Set(old.AddScalar(1))
		require.Equal(t, []float32{2, 2}, data[float32](t, c.Read()))
		_, err := stale.Item()
		require.Error(t, err)
		_, err = tensor.Data[float32](stale)
		require.ErrorIs(t, err, tensor.ErrRetired)
		_, err = tensor.Data[float32](old)
		require.ErrorIs(t, err, tensor.ErrRetired)
		require.ErrorIs(t, tensor.Eval(stale), tensor.ErrRetired)
	})
}

func TestValueIsKept(t *testing.T) {
	onEach(t, func(t *testing.T, d *tensor.Device) {
		c := tensor.NewCell(tensor.Ones(d, 2))
		kept := c.Value()
		for range 3 {
			c.Set(c.Read().AddScalar(1))
			require.NoError(t, tensor.Eval(c.Read()))
		}
		require.Equal(t, []float32{1, 1}, data[float32](t, kept))
		require.Equal(t, []float32{4, 4}, data[float32](t, c.Read()))
	})
}

func TestCellOwnsACopy(t *testing.T) {
	onEach(t, func(t *testing.T, d *tensor.Device) {
		x := tensor.FromSlice(d, []float32{1, 2})
		c := tensor.NewCell(x)
		c.Set(c.Read().MulScalar(10))
		require.Equal(t, []float32{10, 20}, data[float32](t, c.Read()))
		require.Equal(t, []float32{1, 2}, data[float32](t, x))

		c.Set(x) // an evaluated tensor: a copy again
		c.Set(c.Read().AddScalar(1))
		require.Equal(t, []float32{2, 3}, data[float32](t, c.Read()))
		require.Equal(t, []float32{1, 2}, data[float32](t, x))
	})
}

// TestSetTwice: only the last replacement stands, and it is carried out once.
func TestSetTwice(t *testing.T) {
	onEach(t, func(t *testing.T, d *tensor.Device) {
		c := tensor.NewCell(tensor.Ones(d))
		first := c.Read().AddScalar(1)
		c.Set(first)
		c.Set(c.Read().MulScalar(5))
		require.Equal(t, 10.0, item(t, c.Read()))
		require.Equal(t, 10.0, item(t, c.Read()))
		a, b := tensor.NewCell(tensor.Ones(d)), tensor.NewCell(tensor.Full(d, 2))
		va, vb := a.Read(), b.Read() // swap
		a.Set(vb)
		b.Set(va)
		require.Equal(t, 2.0, item(t, a.Read()))
		require.Equal(t, 1.0, item(t, b.Read()))
	})
}

func TestCancelledStepChangesNothing(t *testing.T) {
	onEach(t, func(t *testing.T, d *tensor.Device) {
		w, lr, x, y := fit(d)
		require.NoError(t, tensor.Eval(step(w, lr, x, y)))
		before := data[float32](t, w.Value())
		ctx, cancel := context.WithCancel(context.Background())
		cancel()
		loss := step(w, lr, x, y)
		_, err := loss.ItemContext(ctx)
		require.ErrorIs(t, err, context.Canceled)
		// The replacement is still pending: it can be carried out later, once.
		item(t, loss)
		after := data[float32](t, w.Value())
		require.NotEqual(t, before, after)

		c := tensor.Compile(func(in ...*tensor.Tensor) []*tensor.Tensor { return []*tensor.Tensor{step(w, lr, in[0], in[1])} })
		_, err = c.CallContext(ctx, x, y)
		require.ErrorIs(t, err, context.Canceled)
		require.Equal(t, after, data[float32](t, w.Value()))
	})
}

func TestDiscard(t *testing.T) {
	onEach(t, func(t *testing.T, d *tensor.Device) {
		c := tensor.NewCell(tensor.Ones(d, 2))
		next := c.Read().AddScalar(1)
		c.Set(next)
		c.Discard()
		require.Equal(t, []float32{1, 1}, data[float32](t, c.Read()))
		require.Equal(t, []float32{2, 2}, data[float32](t, next))
		c.Set(c.Read().MulScalar(3))
		require.Equal(t, []float32{3, 3}, data[float32](t, c.Read()))
	})
}

func TestCompileGuardsAndSignatures(t *testing.T) {
	onEach(t, func(t *testing.T, d *tensor.Device) {
		train, traces := uint64(0), 0
		f := tensor.Compile(func(in ...*tensor.Tensor) []*tensor.Tensor {
			traces++
			tensor.Guard(func() uint64 { return train })
			if train == 1 {
				return []*tensor.Tensor{in[0].MulScalar(2)}
			}
			return []*tensor.Tensor{in[0].MulScalar(3)}
		})
		call := func(x *tensor.Tensor) []float32 {
			out, err := f.Call(x)
			require.NoError(t, err)
			return data[float32](t, out[0])
		}
		x := tensor.FromSlice(d, []float32{1, 2})
		require.Equal(t, []float32{3, 6}, call(x))
		train = 1
		require.Equal(t, []float32{2, 4}, call(x))
		train = 0
		require.Equal(t, []float32{3, 6}, call(x.AddScalar(0)))
		require.Equal(t, 2, traces)
		require.Equal(t, []float32{3}, call(tensor.Ones(d, 1)))
		require.Equal(t, 3, traces)
	})
}

func TestCompileMisuse(t *testing.T) {
	onEach(t, func(t *testing.T, d *tensor.Device) {
		x := tensor.Ones(d, 2)
		c := tensor.NewCell(tensor.Ones(d))
		f := tensor.Compile(func(in ...*tensor.Tensor) []*tensor.Tensor {
			c.Set(c.Read().AddScalar(1))
			in[0].Sum().Item()
			return in
		})
		err := tensor.Try(func() { f.Call(x) })
		var te *tensor.TraceError
		require.ErrorAs(t, err, &te)
		require.Equal(t, 1.0, item(t, c.Read()), "a failed trace leaves the cell")
		require.Equal(t, 2.0, item(t, x.Sum()), "and evaluation works again")
		_, err = tensor.Compile(func(in ...*tensor.Tensor) []*tensor.Tensor { return nil }).Call(x)
		require.Error(t, err)
	})
}

// TestCompiledCellOnly: a cell that is only Set, and captured tensors.
func TestCompiledCells(t *testing.T) {
	onEach(t, func(t *testing.T, d *tensor.Device) {
		count := tensor.NewCell(tensor.Zeros(d))
		last := tensor.NewCell(tensor.Zeros(d, 2))
		table := tensor.FromSlice(d, []float32{10, 20})
		f := tensor.Compile(func(in ...*tensor.Tensor) []*tensor.Tensor {
			count.Set(count.Read().AddScalar(1))
			last.Set(in[0].Add(table))
			return nil
		})
		for i := range 4 {
			_, err := f.Call(tensor.FromSlice(d, []float32{float32(i), 1}))
			require.NoError(t, err)
			if i == 1 { // handed out: the next run must not destroy it
				kept := count.Value()
				_, err := f.Call(tensor.FromSlice(d, []float32{9, 9}))
				require.NoError(t, err)
				require.Equal(t, 2.0, item(t, kept))
			}
		}
		require.Equal(t, 5.0, item(t, count.Read()))
		require.Equal(t, []float32{13, 21}, data[float32](t, last.Value()))
	})
}

func TestConcurrentSteps(t *testing.T) {
	onEach(t, func(t *testing.T, d *tensor.Device) {
		c := tensor.NewCell(tensor.Zeros(d, 100))
		f := tensor.Compile(func(in ...*tensor.Tensor) []*tensor.Tensor {
			c.Set(c.Read().Add(in[0]))
			return []*tensor.Tensor{c.Read().Sum()}
		})
		var wg sync.WaitGroup
		for range 4 {
			wg.Go(func() {
				for range 25 {
					if _, err := f.Call(tensor.Ones(d, 100)); err != nil {
						t.Error(err)
					}
					w := tensor.NewCell(tensor.Ones(d, 3)) // another model, traced beside
					w.Set(w.Read().AddScalar(1))
					if v, err := w.Read().Sum().Item(); err != nil || v != 6 {
						t.Error(v, err)
					}
				}
			})
		}
		wg.Wait()
		require.Equal(t, 100.0*100, item(t, c.Read().Sum()))
	})
}

func TestUnevaluatedLoopStaysBounded(t *testing.T) {
	onEach(t, func(t *testing.T, d *tensor.Device) {
		x := tensor.Zeros(d)
		for range 10000 {
			x = x.AddScalar(1)
		}
		require.Equal(t, 10000.0, item(t, x))
		bad := tensor.Zeros(d, 3).Gather(0, tensor.FromSlice(d, []int32{7}))
		_, err := tensor.Data[float32](bad)
		var ie *tensor.IndexError
		require.ErrorAs(t, err, &ie)
		require.Equal(t, int64(7), ie.Index)
		require.Equal(t, 3, ie.Size)
	})
}

func TestFree(t *testing.T) {
	onEach(t, func(t *testing.T, d *tensor.Device) {
		x := tensor.FromSlice(d, []float32{1, 2})
		y := x.Exp()
		x.Free()
		x.Free()
		require.ErrorIs(t, tensor.Eval(y), tensor.ErrFreed)
		_, err := tensor.Data[float32](x)
		require.True(t, errors.Is(err, tensor.ErrFreed))
	})
}

// TestMemoryComesBack: dropped tensors give their memory back through the
// collector.
func TestMemoryComesBack(t *testing.T) {
	onEach(t, func(t *testing.T, d *tensor.Device) {
		live := func() int {
			for range 5 {
				runtime.GC()
			}
			return d.Stats().LiveBytes
		}
		before := live()
		func() {
			for range 10 {
				require.NoError(t, tensor.Eval(tensor.Ones(d, 1000).Exp()))
			}
		}()
		require.Eventually(t, func() bool { return live() <= before }, 5e9, 1e7)
	})
}
