//go:build cgo

package vk_test

import (
	"context"
	"encoding/binary"
	"errors"
	"math"
	"math/rand/v2"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/fornax-ml/fornax/tensor/ir"
	"github.com/fornax-ml/fornax/vk"
)

// axpy is w += a·x in place, with a scalar a, by way of a temporary.
func axpy(n int) *ir.Program {
	o := out(ir.F32, n)
	o.Alias = 0
	return &ir.Program{
		Slots:  []ir.Slot{in(ir.F32, n), in(ir.F32, n), o, {Kind: ir.Temp, DType: ir.F32, Len: n}},
		Inputs: 2, Outputs: 1, Scalars: []ir.DType{ir.F32}, ArenaBytes: ir.SlotBytes(ir.F32, n),
		Instrs: []ir.Instr{
			&ir.Map{Shape: []int{n}, Operands: []ir.Operand{whole(1, n)}, Stores: []ir.Store{{Slot: 3, Reg: 2}},
				Chain: ir.Chain{load(0, ir.F32), {Op: ir.OpScalar, DType: ir.F32}, apply(ir.OpMul, ir.F32, 0, 1)}},
			&ir.Map{Shape: []int{n}, Operands: []ir.Operand{whole(0, n), whole(3, n)}, Stores: []ir.Store{{Slot: 2, Reg: 2}},
				Chain: ir.Chain{load(0, ir.F32), load(1, ir.F32), apply(ir.OpAdd, ir.F32, 0, 1)}},
		},
	}
}

func f32s(v ...float32) []byte {
	var b []byte
	for _, x := range v {
		b = binary.LittleEndian.AppendUint32(b, math.Float32bits(x))
	}
	return b
}

func f32(v float64) ir.Scalar { return ir.Scalar{DType: ir.F32, Bits: ir.FloatBits(ir.F32, v)} }

// steps runs axpy on buffers that it makes.
type steps struct {
	x    ir.Executable
	args []ir.Buffer
}

func newSteps(t testing.TB, d *vk.Device, n int) *steps {
	p := axpy(n)
	require.NoError(t, p.Check())
	x, err := d.Compile(p)
	require.NoError(t, err)
	s := &steps{x: x}
	for range 2 {
		b, err := d.NewBuffer(4 * n)
		require.NoError(t, err)
		v := make([]float32, n)
		for i := range v {
			v[i] = float32(i)
		}
		require.NoError(t, b.Write(0, f32s(v...)))
		s.args = append(s.args, b)
	}
	s.args = append(s.args, s.args[0])
	return s
}

func (s *steps) run(t testing.TB, a float64) {
	require.NoError(t, s.x.Run(context.Background(), s.args, []ir.Scalar{f32(a)}))
}

func (s *steps) last(t testing.TB) float32 {
	b := make([]byte, 4)
	require.NoError(t, s.args[0].Read(b, s.args[0].Bytes()-4))
	return math.Float32frombits(binary.LittleEndian.Uint32(b))
}

// TestReplay: after the first few, a run builds, records and allocates nothing,
// and submits once.
func TestReplay(t *testing.T) {
	eachVariant(t, func(t *testing.T, d *vk.Device) {
		s := newSteps(t, d, 1000)
		for range 10 {
			s.run(t, 0.5)
		}
		require.NoError(t, d.Sync(context.Background()))
		before := d.Stats()
		const n = 100
		for range n {
			s.run(t, 0.5)
		}
		after := d.Stats()
		assert.Equal(t, n, after.Submits-before.Submits)
		assert.Equal(t, 2*n, after.Dispatches-before.Dispatches)
		assert.Equal(t, before.Pipelines, after.Pipelines)
		assert.Equal(t, before.Allocs, after.Allocs)
		assert.Equal(t, before.PoolBytes, after.PoolBytes)
		assert.Equal(t, float32(999*(1+0.5*(n+10))), s.last(t))
		require.NoError(t, d.Sync(context.Background()))
		args, sc := s.args, []ir.Scalar{f32(0)}
		per := testing.AllocsPerRun(50, func() {
			if err := s.x.Run(context.Background(), args, sc); err != nil {
				t.Fatal(err)
			}
		})
		assert.LessOrEqual(t, per, 2.0)
	})
}

// TestTurningBuffers: a loop that makes and frees its batches allocates nothing
// once it is under way, and runs with many tuples of arguments stay right.
func TestTurningBuffers(t *testing.T) {
	eachVariant(t, func(t *testing.T, d *vk.Device) {
		s := newSteps(t, d, 300)
		want := s.last(t)
		var before ir.Stats
		for i := range 60 {
			if i == 30 {
				before = d.Stats()
			}
			b, err := d.NewBuffer(1200)
			require.NoError(t, err)
			v := make([]float32, 300)
			v[299] = float32(i)
			require.NoError(t, b.Write(0, f32s(v...)))
			require.NoError(t, s.x.Run(context.Background(), []ir.Buffer{s.args[0], b, s.args[0]}, []ir.Scalar{f32(2)}))
			b.Free()
			want += 2 * float32(i)
		}
		assert.Equal(t, want, s.last(t))
		after := d.Stats()
		// How many batches are in flight depends on timing: a last replay of
		// another tuple may come late, and need a block.
		assert.LessOrEqual(t, after.Allocs, before.Allocs+1)
		assert.Equal(t, before.LiveBytes, after.LiveBytes)
	})
}

func TestConcurrentRuns(t *testing.T) {
	eachVariant(t, func(t *testing.T, d *vk.Device) {
		s := newSteps(t, d, 100)
		var wg sync.WaitGroup
		for g := range 6 {
			wg.Add(1)
			go func() {
				defer wg.Done()
				mine := newSteps(t, d, 100+g)
				shared := &steps{x: s.x, args: newSteps(t, d, 100).args}
				for range 20 {
					mine.run(t, 1)
					shared.run(t, 1)
				}
				assert.Equal(t, float32(21*(99+g)), mine.last(t))
				assert.Equal(t, float32(21*99), shared.last(t))
				mine.x.Free()
				for _, b := range append(mine.args, shared.args...) {
					b.Free()
				}
			}()
		}
		wg.Wait()
		assert.Equal(t, 800, d.Stats().LiveBytes)
	})
}

func TestTrimAndBigArena(t *testing.T) {
	eachVariant(t, func(t *testing.T, d *vk.Device) {
		s := newSteps(t, d, 64)
		s.run(t, 1)
		big := newSteps(t, d, 1<<20)
		big.run(t, 1)
		s.run(t, 1)
		d.Trim()
		s.run(t, 1)
		assert.Equal(t, float32(4*63), s.last(t))
		assert.Equal(t, float32(2*(1<<20-1)), big.last(t))
	})
}

func TestFaults(t *testing.T) {
	t.Run("memory", func(t *testing.T) {
		fail := false
		d := open(t, vk.Options{FailAlloc: func(int) error {
			if fail {
				return ir.ErrOutOfMemory
			}
			return nil
		}})
		s := newSteps(t, d, 10)
		fail = true
		err := s.x.Run(context.Background(), s.args, []ir.Scalar{f32(1)})
		require.ErrorIs(t, err, ir.ErrOutOfMemory)
		_, err = d.NewBuffer(1 << 20)
		require.ErrorIs(t, err, ir.ErrOutOfMemory)
		fail = false
		s.run(t, 1)
		assert.Equal(t, float32(18), s.last(t))
		_, err = d.NewBuffer(1 << 60)
		var m *ir.MemoryError
		require.ErrorAs(t, err, &m)
		assert.Equal(t, 1<<60, m.Need)
	})
	t.Run("lost", func(t *testing.T) {
		lose := false
		d := open(t, vk.Options{FailSubmit: func(int) error {
			if lose {
				return vk.ErrLoseDevice
			}
			return nil
		}})
		s := newSteps(t, d, 10)
		s.run(t, 1)
		require.NoError(t, d.Sync(context.Background()))
		lose = true
		for range 2 { // it stays lost
			require.ErrorIs(t, s.x.Run(context.Background(), s.args, []ir.Scalar{f32(1)}), ir.ErrDeviceLost)
			lose = false
		}
		_, err := d.NewBuffer(4)
		require.ErrorIs(t, err, ir.ErrDeviceLost)
		require.ErrorIs(t, s.args[0].Read(make([]byte, 4), 0), ir.ErrDeviceLost)
		require.ErrorIs(t, d.Sync(context.Background()), ir.ErrDeviceLost)
		s.args[0].Free()
		s.x.Free()
	})
	t.Run("cancelled", func(t *testing.T) {
		d := open(t, vk.Options{})
		s := newSteps(t, d, 10)
		ctx, cancel := context.WithCancel(context.Background())
		cancel()
		require.ErrorIs(t, s.x.Run(ctx, s.args, []ir.Scalar{f32(1)}), context.Canceled)
		assert.Equal(t, float32(9), s.last(t))
	})
	t.Run("closed", func(t *testing.T) {
		d := open(t, vk.Options{})
		s := newSteps(t, d, 10)
		require.NoError(t, d.Close())
		require.ErrorIs(t, s.x.Run(context.Background(), s.args, []ir.Scalar{f32(1)}), ir.ErrClosed)
		require.ErrorIs(t, s.args[0].Read(make([]byte, 4), 0), ir.ErrClosed)
		_, err := d.NewBuffer(4)
		require.ErrorIs(t, err, ir.ErrClosed)
		_, err = d.Compile(axpy(3))
		require.ErrorIs(t, err, ir.ErrClosed)
		s.x.Free()
		s.args[0].Free()
		d.Trim()
	})
}

func TestUnsupported(t *testing.T) {
	d := open(t, vk.Options{MinimumLimits: true})
	_, err := d.Compile(&ir.Program{Slots: []ir.Slot{out(ir.F64, 3)}, Outputs: 1, Instrs: []ir.Instr{
		&ir.Map{Shape: []int{3}, Chain: ir.Chain{{Op: ir.OpConst, DType: ir.F64}}, Stores: []ir.Store{{}}}}})
	var u *ir.UnsupportedError
	require.ErrorAs(t, err, &u)
	require.True(t, errors.Is(err, ir.ErrUnsupported))
	assert.Contains(t, u.Instr, "map [3]")
	n := d.Info().Limits.BufferBytes/4 + 1
	_, err = d.Compile(elementwise(ir.OpNeg, ir.F32, ir.F32, n))
	require.ErrorAs(t, err, &u)
	assert.Contains(t, u.Reason, "maxStorageBufferRange")
}

// TestPoolKeepsBuffersApart makes, writes, runs and frees buffers of one class
// in a jumble, and checks that no two that live share memory.
func TestPoolKeepsBuffersApart(t *testing.T) {
	eachVariant(t, func(t *testing.T, d *vk.Device) {
		r := rand.New(rand.NewPCG(5, 6))
		x, err := d.Compile(elementwise(ir.OpNeg, ir.F32, ir.F32, 20))
		require.NoError(t, err)
		type held struct {
			b    ir.Buffer
			want float32
		}
		var live []held
		for i := range 500 {
			if len(live) > 6 {
				k := r.IntN(len(live))
				h := live[k]
				got := make([]byte, 4)
				require.NoError(t, h.b.Read(got, 76))
				require.Equal(t, f32s(h.want), got, "buffer of step %d", i)
				h.b.Free()
				live = append(live[:k], live[k+1:]...)
			}
			b, err := d.NewBuffer(80)
			require.NoError(t, err)
			if k := r.IntN(len(live) + 1); k < len(live) {
				require.NoError(t, x.Run(context.Background(), []ir.Buffer{live[k].b, b}, nil))
				live = append(live, held{b, -live[k].want})
				continue
			}
			v := make([]float32, 20)
			v[19] = float32(i)
			require.NoError(t, b.Write(0, f32s(v...)))
			live = append(live, held{b, float32(i)})
		}
	})
}

// TestHeldBuffers: buffers that two programs are given run after run may be written and read
// by the host between, turn with others, and be freed.
func TestHeldBuffers(t *testing.T) {
	eachVariant(t, func(t *testing.T, d *vk.Device) {
		const n = 500
		a, b := newSteps(t, d, n), newSteps(t, d, n)
		b.args = []ir.Buffer{a.args[1], b.args[1], a.args[1]} // a's addend grows
		w, x := float32(n-1), float32(n-1)
		step := func() {
			a.run(t, 1)
			b.run(t, 1)
			w, x = w+x, x+n-1
		}
		for i := range 12 {
			step()
			if i%4 == 3 {
				require.Equal(t, w, a.last(t))
				require.Equal(t, x, b.last(t))
				x = float32(i)
				require.NoError(t, a.args[1].Write(4*(n-1), f32s(x)))
			}
		}
		other := newSteps(t, d, n) // in turns with other memory
		held := a.args[0]
		for range 3 {
			a.args[0], a.args[2] = other.args[0], other.args[0]
			a.run(t, 0)
			a.args[0], a.args[2] = held, held
			step()
		}
		require.Equal(t, w, a.last(t))
		require.Equal(t, float32(n-1), other.last(t))
		a.args[1].Free()
		for _, s := range []*steps{a, b} {
			err := s.x.Run(context.Background(), s.args, []ir.Scalar{f32(1)})
			require.ErrorIs(t, err, ir.ErrClosed)
		}
		b.x.Free()
		a.args[1] = other.args[1]
		a.run(t, 1)
		require.Equal(t, w+n-1, a.last(t))
	})
}
