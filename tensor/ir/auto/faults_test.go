package auto_test

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"math"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/fornax-ml/fornax/cpu"
	"github.com/fornax-ml/fornax/tensor/ir"
	"github.com/fornax-ml/fornax/tensor/ir/auto"
	"github.com/fornax-ml/fornax/tensor/ir/ref"
)

var ctx = context.Background()

func floats(v ...float32) []byte {
	var b []byte
	for _, x := range v {
		b = binary.LittleEndian.AppendUint32(b, math.Float32bits(x))
	}
	return b
}

func read(t *testing.T, b ir.Buffer) float32 {
	t.Helper()
	got := make([]byte, 4)
	require.NoError(t, b.Read(got, 0))
	return math.Float32frombits(binary.LittleEndian.Uint32(got))
}

// compiled compiles a program and makes its arguments, of which the inputs are 2.
func compiled(t *testing.T, d ir.Device, p *ir.Program) (ir.Executable, []ir.Buffer) {
	t.Helper()
	e, err := d.Compile(p)
	require.NoError(t, err)
	args := buffers(t, d, p)
	for i, s := range p.Slots[:p.Inputs] {
		require.NoError(t, args[i].Write(0, bytes.Repeat(floats(2), s.Len)))
	}
	return e, args
}

// A hand chooses the member that the test says.
type hand struct{ atomic.Int32 }

func (h *hand) choose(*ir.Program) int { return int(h.Load()) }

// A member that is lost is out: what only it had is gone, all else goes on.
func TestLost(t *testing.T) {
	var h hand
	lose := false
	second := cpu.New(cpu.Options{FailRun: func(int) error {
		if lose {
			return ir.ErrDeviceLost
		}
		return nil
	}})
	d := newAuto(t, auto.Options{Choose: h.choose}, cpu.New(cpu.Options{}), second)
	e, args := compiled(t, d, square(1))
	h.Store(1)
	require.NoError(t, e.Run(ctx, args, nil)) // args[0] is on both now, args[1] on the second
	inPlace := square(1)
	inPlace.Slots[1].Alias = 0
	f, own := compiled(t, d, inPlace)
	h.Store(0)
	require.NoError(t, f.Run(ctx, own, nil))
	lose = true
	h.Store(1)
	require.NoError(t, f.Run(ctx, own, nil), "the step goes on where the state still is")
	require.EqualValues(t, 16, read(t, own[0]))
	require.ErrorIs(t, args[1].Read(make([]byte, 4), 0), ir.ErrDeviceLost)
	require.EqualValues(t, 2, read(t, args[0]))
	require.ErrorIs(t, e.Run(ctx, []ir.Buffer{args[1], args[0]}, nil), ir.ErrDeviceLost)
	require.NoError(t, e.Run(ctx, args, nil), "an output that was lost is written anew")
	require.EqualValues(t, 4, read(t, args[1]))
	require.NoError(t, d.Sync(ctx))
	b, err := d.NewBuffer(4)
	require.NoError(t, err)
	require.NoError(t, b.Write(0, floats(1)))
	require.NoError(t, d.Pin("cpu"))
	require.NoError(t, e.Run(ctx, args, nil))
}

// All members lost is the device lost.
func TestAllLost(t *testing.T) {
	lost := func(int) error { return ir.ErrDeviceLost }
	begun := false
	d := newAuto(t, auto.Options{}, cpu.New(cpu.Options{FailRun: func(n int) error {
		if begun {
			return lost(n)
		}
		return nil
	}}))
	e, args := compiled(t, d, square(1))
	begun = true
	require.ErrorIs(t, e.Run(ctx, args, nil), ir.ErrDeviceLost)
	require.ErrorIs(t, e.Run(ctx, args, nil), ir.ErrDeviceLost)
	require.ErrorIs(t, args[0].Read(make([]byte, 4), 0), ir.ErrDeviceLost)
	require.ErrorIs(t, d.Sync(ctx), ir.ErrDeviceLost)
	_, err := d.NewBuffer(4)
	require.ErrorIs(t, err, ir.ErrDeviceLost)
	args[0].Free()
}

// A member without memory does not end a run: another one has it. Where none has, no
// argument has changed.
func TestOutOfMemory(t *testing.T) {
	var h hand
	var full [2]bool
	member := func(i int) *cpu.Device {
		return cpu.New(cpu.Options{FailAlloc: func(int) error {
			if full[i] {
				return &ir.MemoryError{Device: "cpu", Need: 1}
			}
			return nil
		}})
	}
	d := newAuto(t, auto.Options{Choose: h.choose}, member(0), member(1))
	p := step(1<<16, 8)
	e, args := compiled(t, d, p)
	h.Store(1)
	full[1] = true
	require.NoError(t, e.Run(ctx, args, nil))
	require.EqualValues(t, 4, read(t, args[0]))
	full[0] = true
	d.Trim()
	out, err := d.NewBuffer(32)
	require.NoError(t, err)
	args[3] = out
	require.ErrorIs(t, e.Run(ctx, args, nil), ir.ErrOutOfMemory)
	require.EqualValues(t, 4, read(t, args[0]))
	full = [2]bool{}
	require.NoError(t, e.Run(ctx, args, nil))
	require.EqualValues(t, 16, read(t, args[0]))
	require.EqualValues(t, 4, read(t, args[3]))
}

// Copies that another member has too make room.
func TestEvict(t *testing.T) {
	var h hand
	const n = 1 << 20
	d := newAuto(t, auto.Options{Choose: h.choose}, cpu.New(cpu.Options{}), cpu.New(cpu.Options{MemoryBytes: 10 * n}))
	h.Store(1)
	var all [][]ir.Buffer
	e, err := d.Compile(square(n))
	require.NoError(t, err)
	for range 6 { // each input stays on the first as well
		args := buffers(t, d, square(n))
		require.NoError(t, args[0].Write(0, bytes.Repeat(floats(3), n)))
		require.NoError(t, e.Run(ctx, args, nil))
		require.EqualValues(t, 9, read(t, args[1]))
		args[1].Free()
		all = append(all, args)
	}
	for _, args := range all {
		require.EqualValues(t, 3, read(t, args[0]))
	}
}

// A cancelled run changes nothing, wherever it would have been.
func TestCancelled(t *testing.T) {
	d := newAuto(t, auto.Options{Choose: atRandom(2)}, cpu.New(cpu.Options{}), cpu.New(cpu.Options{}))
	p := step(8, 8)
	e, args := compiled(t, d, p)
	gone, cancel := context.WithCancel(ctx)
	cancel()
	for range 10 {
		require.ErrorIs(t, e.Run(gone, args, nil), context.Canceled)
		require.EqualValues(t, 2, read(t, args[0]))
	}
}

// A program runs where it can: dtypes, limits and kernels of custom ops may leave one
// member.
func TestUnsupported(t *testing.T) {
	few := &limited{ir.Device(ref.NewDevice())}
	d := newAuto(t, auto.Options{}, few, cpu.New(cpu.Options{}))
	require.True(t, d.Info().DTypes.Has(ir.F64))
	p := square(4)
	for i := range p.Slots {
		p.Slots[i].DType = ir.F64
	}
	m := p.Instrs[0].(*ir.Map)
	for i := range m.Chain {
		m.Chain[i].DType = ir.F64
	}
	m.Chain[1].From = ir.F64
	e, args := compiled(t, d, p)
	require.NoError(t, e.Run(ctx, args, nil))
	require.NoError(t, d.Sync(ctx))

	ir.RegisterCustom(ir.CustomOp{Name: "auto.test", Kernels: map[string]any{"cpu": cpu.Kernel(func(dst, src [][]byte, _ [][]int, _ []int64) error {
		copy(dst[0], src[0])
		return nil
	})}})
	p = square(4)
	p.Instrs = []ir.Instr{&ir.Custom{Name: "auto.test", Operands: p.Instrs[0].(*ir.Map).Operands, Dst: []int{1}}}
	e, args = compiled(t, d, p)
	require.NoError(t, e.Run(ctx, args, nil))
	require.EqualValues(t, 2, read(t, args[1]))

	require.NoError(t, d.Pin("few"))
	require.ErrorIs(t, e.Run(ctx, args, nil), ir.ErrUnsupported)
	require.Contains(t, e.(ir.Explainer).Explain(), "cannot")
	_, err := d.Compile(p)
	require.ErrorIs(t, err, ir.ErrUnsupported)
	require.Error(t, d.Pin("none"))
	require.NoError(t, d.Pin(""))
	require.NoError(t, e.Run(ctx, args, nil))
}

// limited is the reference without wide dtypes and custom ops.
type limited struct{ ir.Device }

func (l *limited) Info() *ir.Info {
	i := *l.Device.Info()
	i.Name, i.Backend, i.DTypes, i.Customs = "few", "few", ir.Any&^(1<<ir.F64|1<<ir.I64), false
	return &i
}

func (l *limited) Compile(p *ir.Program) (ir.Executable, error) {
	for _, in := range p.Instrs {
		if in.Family() == "custom" {
			return nil, &ir.UnsupportedError{Device: "few", Instr: "custom", Reason: "no kernel"}
		}
	}
	return l.Device.Compile(p)
}

// The failure of a run comes back once, though its values were moved meanwhile.
func TestFailureMoves(t *testing.T) {
	var h hand
	d := newAuto(t, auto.Options{Choose: h.choose}, cpu.New(cpu.Options{}), cpu.New(cpu.Options{}))
	g := &ir.Program{
		Slots: []ir.Slot{
			{Kind: ir.Input, DType: ir.F32, Len: 1, Alias: ir.NoSlot}, {Kind: ir.Input, DType: ir.I32, Len: 1, Alias: ir.NoSlot},
			{Kind: ir.Output, DType: ir.F32, Len: 1, Alias: ir.NoSlot},
		},
		Inputs: 2, Outputs: 1,
		Instrs: []ir.Instr{&ir.Gather{Shape: []int{1}, DType: ir.F32, X: ir.Operand{View: ir.Contiguous([]int{1})}, Index: ir.Operand{Slot: 1, View: ir.Contiguous([]int{1})}, Dst: 2, Name: "Take"}},
	}
	pick, in := compiled(t, d, g)
	sq, args := compiled(t, d, square(1))
	h.Store(0)
	require.NoError(t, pick.Run(ctx, in, nil)) // index 2.0, of 1
	h.Store(1)
	args[0] = in[2]
	require.NoError(t, sq.Run(ctx, args, nil))
	var index *ir.IndexError
	require.ErrorAs(t, args[1].Read(make([]byte, 4), 0), &index)
	require.EqualValues(t, 0, read(t, args[1]))
	require.NoError(t, d.Sync(ctx))
}

// Many goroutines run programs that share an input on members chosen at random, while
// others write, read and free.
func TestConcurrent(t *testing.T) {
	d := newAuto(t, auto.Options{Choose: atRandom(2)}, cpu.New(cpu.Options{}), cpu.New(cpu.Options{Workers: 1}))
	const n = 1000
	e, args := compiled(t, d, square(n))
	f, _ := compiled(t, d, square(n))
	var all sync.WaitGroup
	for range 6 {
		all.Go(func() {
			for i := range 200 {
				x := []ir.Executable{e, f}[i%2]
				out, err := d.NewBuffer(4 * n)
				if err == nil {
					err = x.Run(ctx, []ir.Buffer{args[0], out}, nil)
				}
				again, err2 := d.NewBuffer(4 * n)
				if err = errors.Join(err, err2); err == nil {
					err = x.Run(ctx, []ir.Buffer{out, again}, nil)
				}
				got := make([]byte, 4*n)
				if err == nil {
					err = again.Read(got, 0)
				}
				if err != nil || !bytes.Equal(got, bytes.Repeat(floats(16), n)) {
					t.Errorf("%v: %v", err, got[:4])
					return
				}
				out.Free()
				again.Free()
				if i%50 == 0 {
					d.Trim()
				}
			}
		})
	}
	all.Wait()
}

// A long training holds memory flat, wherever its steps run.
func TestFlat(t *testing.T) {
	d := newAuto(t, auto.Options{Choose: atRandom(2)}, cpu.New(cpu.Options{}), cpu.New(cpu.Options{}))
	p := step(16, 4)
	e, args := compiled(t, d, p)
	steps := 100_000
	if testing.Short() {
		steps = 5000
	}
	var early ir.Stats
	for i := range steps {
		in, out := buffers(t, d, square(4)), args[3]
		require.NoError(t, in[0].Write(0, floats(1, 1, 1, 1)))
		require.NoError(t, e.Run(ctx, []ir.Buffer{args[0], in[0], args[0], out}, nil))
		in[0].Free()
		in[1].Free()
		if i == 1000 {
			early = d.Stats()
		}
	}
	late := d.Stats()
	require.LessOrEqual(t, late.LiveBytes, early.LiveBytes+200)
	require.LessOrEqual(t, late.PoolBytes, early.PoolBytes*3/2)
	for _, b := range []int{0, 1, 3} {
		args[b].Free()
	}
	require.NoError(t, d.Sync(ctx))
	require.Zero(t, d.Stats().LiveBytes)
}
