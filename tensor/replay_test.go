package tensor_test

import (
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/fornax-ml/fornax/tensor"
)

// A sharedCells is three cells of two numbers, compiled steps that share them, and what plain
// numbers say that the cells hold.
type sharedCells struct {
	d               *tensor.Device
	cells           [3]*tensor.Cell
	want            [3][2]float64
	add, swap, turn *tensor.Compiled
	look            *tensor.Compiled
	outside         *tensor.Tensor
}

func newSharedCells(d *tensor.Device) *sharedCells {
	s := &sharedCells{d: d, outside: tensor.FromSlice(d, []float32{10, 10})}
	for i := range s.cells {
		s.want[i] = [2]float64{float64(i), float64(i + 1)}
		s.cells[i] = tensor.NewCell(s.pair(s.want[i]))
	}
	a, b, h := s.cells[0], s.cells[1], s.cells[2]
	s.add = tensor.Compile(func(in ...*tensor.Tensor) []*tensor.Tensor { // in place
		a.Set(a.Read().MulScalar(0.5).Add(in[0]))
		b.Set(b.Read().MulScalar(0.5).Add(a.Read()))
		return []*tensor.Tensor{b.Read().Add(s.outside)}
	})
	s.swap = tensor.Compile(func(...*tensor.Tensor) []*tensor.Tensor {
		x, y := a.Read(), b.Read()
		a.Set(y)
		b.Set(x)
		return nil
	})
	s.turn = tensor.Compile(func(in ...*tensor.Tensor) []*tensor.Tensor { // h has other memory after each run
		h.Set(h.Read().Flip(0).MulScalar(0.5).Add(in[0]))
		a.Set(a.Read().MulScalar(0.5))
		return nil
	})
	s.look = tensor.Compile(func(...*tensor.Tensor) []*tensor.Tensor {
		return []*tensor.Tensor{a.Read().Add(b.Read()).Add(h.Read())}
	})
	return s
}

func (s *sharedCells) pair(v [2]float64) *tensor.Tensor {
	return tensor.FromSlice(s.d, []float32{float32(v[0]), float32(v[1])})
}

func (s *sharedCells) call(t *testing.T, f *tensor.Compiled, in ...*tensor.Tensor) *tensor.Tensor {
	out, err := f.Call(in...)
	require.NoError(t, err)
	if len(out) == 0 {
		return nil
	}
	return out[0]
}

func (s *sharedCells) check(t *testing.T, want [2]float64, got *tensor.Tensor, msg string) {
	t.Helper()
	v := data[float32](t, got)
	assert.InDeltaSlice(t, want[:], []float64{float64(v[0]), float64(v[1])}, 1e-3, msg)
}

// added is what add makes of the numbers.
func (s *sharedCells) added(x [2]float64) (result [2]float64) {
	for i := range x {
		s.want[0][i] = s.want[0][i]/2 + x[i]
		s.want[1][i] = s.want[1][i]/2 + s.want[0][i]
		result[i] = s.want[1][i] + 10
	}
	return result
}

// TestStepsAmongOtherUses runs steps in a random order with all that may happen to a cell
// between them: a step that remembers its cells from the run before must notice.
func TestStepsAmongOtherUses(t *testing.T) {
	onEach(t, func(t *testing.T, d *tensor.Device) {
		for seed := range uint64(4) {
			t.Run(fmt.Sprint(seed), func(t *testing.T) {
				stepsAmongOtherUses(t, newSharedCells(d), rand.New(rand.NewPCG(seed, 1)))
			})
		}
	})
}

func stepsAmongOtherUses(t *testing.T, s *sharedCells, rng *rand.Rand) {
	type value struct {
		x    *tensor.Tensor
		want [2]float64
	}
	var kept []value
	for range 150 {
		x := [2]float64{float64(rng.IntN(4)), float64(rng.IntN(4))}
		k := rng.IntN(3)
		switch rng.IntN(14) {
		case 0, 1, 2:
			out := s.call(t, s.add, s.pair(x))
			s.check(t, s.added(x), out, "add")
		case 3:
			s.call(t, s.swap)
			s.want[0], s.want[1] = s.want[1], s.want[0]
		case 4, 5:
			s.call(t, s.turn, s.pair(x))
			h := s.want[2]
			s.want[2] = [2]float64{h[1]/2 + x[0], h[0]/2 + x[1]}
			s.want[0] = [2]float64{s.want[0][0] / 2, s.want[0][1] / 2}
		case 6, 7:
			sum := [2]float64{}
			for _, w := range s.want {
				sum[0], sum[1] = sum[0]+w[0], sum[1]+w[1]
			}
			s.check(t, sum, s.call(t, s.look), "look")
		case 8:
			kept = append(kept, value{s.cells[k].Value(), s.want[k]})
		case 9:
			s.want[k] = x
			s.cells[k].Set(s.pair(x))
		case 10:
			s.want[k] = [2]float64{x[0], x[0]}
			s.cells[k].SetScalar(x[0])
		case 11:
			s.check(t, s.want[k], s.cells[k].Read(), "read")
		case 12: // the argument is the value that the step replaces
			out := s.call(t, s.add, s.cells[0].Read())
			s.check(t, s.added(s.want[0]), out, "add of the value")
		case 13: // a value pending when the step begins
			s.cells[k].Set(s.cells[k].Read().AddScalar(1))
			s.want[k][0]++
			s.want[k][1]++
		}
	}
	for _, v := range kept {
		s.check(t, v.want, v.x, "a value that was handed out")
	}
	for k, c := range s.cells {
		s.check(t, s.want[k], c.Value(), "at the end")
	}
}

// TestFreedValueOfSteps: a step that has run often gives an error, and no other number, once
// a value that it reads is freed.
func TestFreedValueOfSteps(t *testing.T) {
	onEach(t, func(t *testing.T, d *tensor.Device) {
		s := newSharedCells(d)
		for range 3 {
			s.call(t, s.look)
			s.call(t, s.add, s.pair([2]float64{1, 2}))
		}
		s.cells[0].Read().Free()
		_, err := s.look.Call()
		require.ErrorIs(t, err, tensor.ErrFreed)
		s.outside.Free()
		s.cells[0].SetScalar(1)
		_, err = s.add.Call(s.pair([2]float64{1, 2}))
		require.ErrorIs(t, err, tensor.ErrFreed)
	})
}

// TestStepsAtOnce: steps that share some cells, from several goroutines, and reads between.
func TestStepsAtOnce(t *testing.T) {
	onEach(t, func(t *testing.T, d *tensor.Device) {
		a, b, both := tensor.NewCell(tensor.Zeros(d, 3)), tensor.NewCell(tensor.Zeros(d, 3)), tensor.NewCell(tensor.Zeros(d, 3))
		count := func(c *tensor.Cell) *tensor.Compiled {
			return tensor.Compile(func(...*tensor.Tensor) []*tensor.Tensor {
				for _, c := range []*tensor.Cell{c, both} {
					c.Set(c.Read().AddScalar(1))
				}
				return nil
			})
		}
		steps := []*tensor.Compiled{count(a), count(b)}
		const n = 30
		var wg sync.WaitGroup
		for g := range 4 {
			wg.Go(func() {
				for i := range n {
					_, err := steps[g%2].Call()
					assert.NoError(t, err)
					if i%7 == g {
						if _, err := tensor.Data[float32](both.Value()); err != nil {
							assert.ErrorIs(t, err, tensor.ErrRetired) // a step had begun
						}
					}
				}
			})
		}
		wg.Wait()
		require.Equal(t, []float32{2 * n, 2 * n, 2 * n}, data[float32](t, a.Value()))
		require.Equal(t, []float32{2 * n, 2 * n, 2 * n}, data[float32](t, b.Value()))
		require.Equal(t, []float32{4 * n, 4 * n, 4 * n}, data[float32](t, both.Value()))
	})
}
