package auto_test

import (
	"context"
	"fmt"
	"math"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/fornax-ml/fornax/tensor/ir"
	"github.com/fornax-ml/fornax/tensor/ir/auto"
)

// The simulated devices: a CPU that starts quickly, and a GPU a hundred times as fast
// behind a slow start.
var (
	likeCPU = speed{launch: 2e-6, op: 1e-9, compile: 20e-6, copy: 100e-9, byte: 0.1e-9}
	likeGPU = speed{launch: 40e-6, submit: 10e-6, op: 0.01e-9, compile: 5e-3, copy: 10e-6, byte: 0.2e-9}
)

// simulated makes the device that chooses between two simulated ones.
func simulated(t *testing.T, a, b speed) (*auto.Device, *sim, *sim, *clock) {
	c := &clock{}
	x, y := &sim{name: "cpu", clock: c, speed: a}, &sim{name: "gpu", clock: c, speed: b}
	d := newAuto(t, auto.Options{Now: c.Now, Budget: 2 * time.Second}, x, y)
	return d, x, y, c
}

// buffers makes a program's arguments, the inputs written by the host.
func buffers(t *testing.T, d ir.Device, p *ir.Program) []ir.Buffer {
	args := make([]ir.Buffer, p.NumArgs())
	for i, s := range p.Slots[:p.NumArgs()] {
		if s.Alias != ir.NoSlot {
			args[i] = args[s.Alias]
			continue
		}
		b, err := d.NewBuffer(s.Bytes())
		require.NoError(t, err)
		if s.Kind == ir.Input {
			require.NoError(t, b.Write(0, make([]byte, s.Bytes())))
		}
		args[i] = b
	}
	return args
}

// repeat runs a program so often on the same arguments, waits, and returns the seconds
// that passed.
func repeat(t *testing.T, d ir.Device, c *clock, p *ir.Program, n int) float64 {
	begin := c.Now()
	x, err := d.Compile(p)
	require.NoError(t, err)
	defer x.Free()
	args := buffers(t, d, p)
	for range n {
		require.NoError(t, x.Run(context.Background(), args, nil))
	}
	require.NoError(t, d.Sync(context.Background()))
	for _, a := range args {
		a.Free()
	}
	return c.Now().Sub(begin).Seconds()
}

// The device crosses over from one member to the other at the size from which on that is
// faster, and does not lose much before it knows.
func TestCrossover(t *testing.T) {
	for _, calls := range []int{1, 30, 1000} {
		d, x, y, c := simulated(t, likeCPU, likeGPU)
		for n := 1; n <= 1<<24; n *= 2 {
			p := square(n)
			// What a run takes on either: work overlaps the host's on the GPU.
			onCPU, onGPU := x.cost(p), max(y.cost(p), y.speed.submit)
			before := y.Stats().Runs
			took := repeat(t, d, c, p, calls)
			ran := y.Stats().Runs - before
			name := fmt.Sprintf("%d elements, %d runs: %d on the GPU; a run takes %.3g and %.3g s", n, calls, ran, onCPU, onGPU)
			if calls == 1000 {
				switch {
				case onGPU*1.3 < onCPU && onCPU*1000 > 0.1:
					require.Greater(t, ran, 700, name)
				case onCPU*1.3 < onGPU:
					require.Less(t, ran, 300, name)
				}
			}
			a, b := &sim{name: "a", clock: c, speed: likeCPU}, &sim{name: "b", clock: c, speed: likeGPU}
			better := min(repeat(t, a, c, p, calls), repeat(t, b, c, p, calls))
			limit := 1.5
			if calls < 1000 { // nobody knows how often a program will run: at most about twice
				limit = 2.5
			}
			require.Less(t, took, limit*better, "%s: %.3g s, not %.3g s", name, took, better)
		}
	}
}

// A member that is better at a program than at those of the calibration is found out, and
// one that is worse is left again, at a small price.
func TestOdd(t *testing.T) {
	const n, calls = 1 << 17, 3000
	is := func(p *ir.Program) bool { return len(p.Instrs) == 1 && p.Slots[0].Len == n }
	for _, odd := range []struct {
		cpu, gpu float64
		better   int
	}{{1, 40, 0}, {1, 2000, 0}, {4, 1, 1}, {0.1, 1, 0}, {0.005, 1, 0}} {
		a, b := likeCPU, likeGPU
		a.odd = func(p *ir.Program) float64 {
			if is(p) {
				return odd.cpu
			}
			return 1
		}
		b.odd = func(p *ir.Program) float64 {
			if is(p) {
				return odd.gpu
			}
			return 1
		}
		d, x, y, c := simulated(t, a, b)
		p := square(n)
		took := repeat(t, d, c, p, calls)
		better := calls * min(x.cost(p), y.cost(p))
		require.Less(t, took, 1.3*better+0.01, "%+v: %d runs on the GPU", odd, y.Stats().Runs)
	}
}

// A long program is tried on the other member after a few runs, where that is expected to
// take about as long.
func TestLong(t *testing.T) {
	const n, calls = 15_000_000, 40 // which is no size of the calibration
	a, b := likeCPU, likeGPU
	a.op, b.op = 8e-9, 16e-9
	for _, odd := range []float64{0.21, 3} {
		b.odd = func(p *ir.Program) float64 {
			if p.Slots[0].Len == n {
				return odd
			}
			return 1
		}
		d, x, y, c := simulated(t, a, b)
		p := square(n)
		took := repeat(t, d, c, p, calls)
		better := calls * min(x.cost(p), y.cost(p))
		require.Less(t, took, 1.35*better, "%v: %d runs on the GPU", odd, y.Stats().Runs)
	}
}

// state is a training step: x = x·x in place, of n floats, and a batch of m floats that
// it reads.
func step(n, m int) *ir.Program {
	p := square(n)
	p.Slots[1].Alias = 0
	p.Slots = []ir.Slot{p.Slots[0], {Kind: ir.Input, DType: ir.F32, Len: m, Alias: ir.NoSlot}, p.Slots[1],
		{Kind: ir.Output, DType: ir.F32, Len: m, Alias: ir.NoSlot}}
	p.Inputs, p.Outputs = 2, 2
	p.Instrs[0].(*ir.Map).Stores[0].Slot = 2
	p.Instrs = append(p.Instrs, square(m).Instrs[0])
	in := p.Instrs[1].(*ir.Map)
	in.Operands[0].Slot, in.Stores[0].Slot = 1, 3
	return p
}

// A training's state moves to where the step runs, once, and batches are written there
// by the host without a detour.
func TestTraining(t *testing.T) {
	const n, m, calls = 1 << 20, 1 << 10, 400
	d, x, y, _ := simulated(t, likeCPU, likeGPU)
	p := step(n, m)
	e, err := d.Compile(p)
	require.NoError(t, err)
	state := buffers(t, d, p)[0]
	x.reads, x.writes, x.readBytes, x.writeBytes, y.reads, y.writes, y.readBytes, y.writeBytes = 0, 0, 0, 0, 0, 0, 0, 0
	x.runs, y.runs = 0, 0
	for range calls {
		args := buffers(t, d, square(m))
		in, out := args[0], args[1]
		require.NoError(t, e.Run(context.Background(), []ir.Buffer{state, in, state, out}, nil))
		require.NoError(t, out.Read(make([]byte, 4), 0))
		in.Free()
		out.Free()
	}
	require.Greater(t, y.runs, calls*9/10)
	require.Less(t, x.readBytes, 3*4*n, "the state moves once")
	require.Less(t, y.readBytes, 4*calls+4*n/2, "and not back")
	require.Less(t, x.writes, calls/5, "batches are written where they are needed")
	live := d.Stats().LiveBytes
	require.LessOrEqual(t, live, 4*n+8*4*m)
	state.Free()
	e.Free()
}

// Values that the host reads every time stay where reading is cheap, if computing them
// elsewhere does not make up for it.
func TestReads(t *testing.T) {
	slow := likeGPU
	slow.byte = 20e-9
	const n = 1 << 17
	for _, reads := range []bool{false, true} {
		d, x, y, _ := simulated(t, likeCPU, slow)
		e, err := d.Compile(square(n))
		require.NoError(t, err)
		args := buffers(t, d, square(n))
		x.runs, y.runs = 0, 0
		for range 500 {
			require.NoError(t, e.Run(context.Background(), args, nil))
			if reads {
				require.NoError(t, args[1].Read(make([]byte, 4*n), 0))
			}
		}
		if reads {
			require.Greater(t, x.runs, 400)
		} else {
			require.Greater(t, y.runs, 400)
		}
	}
}

// Two members that are equally fast do not take turns, whatever noise there is.
func TestSteady(t *testing.T) {
	k := 0
	noisy := likeCPU
	noisy.odd = func(*ir.Program) float64 {
		k++
		return 1 + 0.3*math.Sin(float64(k)*1.7)
	}
	d, _, y, _ := simulated(t, noisy, noisy)
	p := step(1<<16, 16)
	e, err := d.Compile(p)
	require.NoError(t, err)
	args := buffers(t, d, p)
	changes, last := 0, 0
	for range 3000 {
		before := y.runs
		require.NoError(t, e.Run(context.Background(), args, nil))
		if on := y.runs - before; on != last {
			changes++
			last = on
		}
	}
	require.Less(t, changes, 90) // a trial is two
}
