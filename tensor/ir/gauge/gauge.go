package gauge

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/fornax-ml/fornax/tensor/ir"
)

// Figures are what [Measure] finds.
type Figures struct {
	// Latency is the time from the start of a program of one element until the host
	// has waited for it.
	Latency time.Duration
	// Bandwidth is that of a copy, in bytes a second, read and written ones counted.
	Bandwidth float64
	// Rate is how many float32 operations a second a long chain of multiplications and
	// additions makes that touches no memory. Matrix units are not used.
	Rate float64
}

// String returns the figures with units.
func (f Figures) String() string {
	return fmt.Sprintf("latency %v, copy %.1f GB/s, float32 %.1f GFLOP/s", f.Latency, f.Bandwidth/1e9, f.Rate/1e9)
}

// The most that is measured with.
const (
	mostBytes = 256 << 20
	mostRuns  = 64
)

// Measure measures a device for about the given time. Errors are the device's.
func Measure(ctx context.Context, d ir.Device, budget time.Duration) (f Figures, err error) {
	part := budget / 3
	latency, err := best(ctx, d, Copy(1), part)
	if err != nil {
		return f, err
	}
	f.Latency = latency

	limit := mostBytes / 4
	if m := d.Info().Limits.MemoryBytes; m > 0 {
		limit = min(limit, m/64)
	}
	if b := d.Info().Limits.BufferBytes; b > 0 {
		limit = min(limit, b/4)
	}
	n, t, err := grow(ctx, d, Copy, limit, part)
	if err != nil {
		return f, err
	}
	f.Bandwidth = 8 * float64(n) / t.Seconds()

	n, t, err = grow(ctx, d, Arithmetic, 1<<30, part)
	if err != nil {
		return f, err
	}
	f.Rate = Operations * float64(n) / t.Seconds()
	return f, nil
}

// grow finds the best time of a program of as many elements as take a fiftieth of the
// budget, and at most limit: a copy shall be of memory and not of a cache.
func grow(ctx context.Context, d ir.Device, make func(n int) *ir.Program, limit int, budget time.Duration) (n int, t time.Duration, err error) {
	for n = min(1<<12, limit); ; n = min(4*n, limit) {
		if t, err = best(ctx, d, make(n), budget/20); err != nil {
			return 0, 0, err
		}
		if t > budget/50 || n == limit {
			break
		}
	}
	last, err := best(ctx, d, make(n), budget/4)
	return n, min(t, last), err
}

// best returns the shortest of several runs of a program, the wait included. The first is
// not timed.
func best(ctx context.Context, d ir.Device, p *ir.Program, budget time.Duration) (time.Duration, error) {
	x, err := d.Compile(p)
	if err != nil {
		return 0, err
	}
	defer x.Free()
	args := make([]ir.Buffer, p.NumArgs())
	for i, s := range p.Slots {
		if args[i], err = d.NewBuffer(s.Bytes()); err != nil {
			return 0, err
		}
		defer args[i].Free()
		if s.Kind == ir.Input {
			if err := args[i].Write(0, make([]byte, s.Bytes())); err != nil {
				return 0, err
			}
		}
	}
	var times []time.Duration
	for start := time.Now(); len(times) < 2 || len(times) < mostRuns && time.Since(start) < budget; {
		begin := time.Now()
		if err := x.Run(ctx, args, nil); err != nil {
			return 0, err
		}
		if err := d.Sync(ctx); err != nil {
			return 0, err
		}
		times = append(times, time.Since(begin))
	}
	return max(slices.Min(times[1:]), 1), nil
}

// Copy returns the program that copies n floats.
func Copy(n int) *ir.Program {
	return &ir.Program{
		Slots: []ir.Slot{
			{Kind: ir.Input, DType: ir.F32, Len: n, Alias: ir.NoSlot}, {Kind: ir.Output, DType: ir.F32, Len: n, Alias: ir.NoSlot},
		},
		Inputs: 1, Outputs: 1,
		Instrs: []ir.Instr{&ir.Map{
			Shape: []int{n}, Operands: []ir.Operand{{Slot: 0, View: ir.Contiguous([]int{n})}},
			Chain: ir.Chain{{Op: ir.OpLoad, DType: ir.F32}}, Stores: []ir.Store{{Slot: 1}},
		}},
	}
}

// Dependent returns the program of n copies of one float, each of what the one before
// wrote, so that none can begin before the last is done.
func Dependent(n int) *ir.Program {
	one := ir.Contiguous([]int{1})
	p := &ir.Program{Slots: []ir.Slot{{Kind: ir.Input, DType: ir.F32, Len: 1, Alias: ir.NoSlot}}, Inputs: 1, Outputs: n}
	for i := range n {
		p.Slots = append(p.Slots, ir.Slot{Kind: ir.Output, DType: ir.F32, Len: 1, Alias: ir.NoSlot})
		p.Instrs = append(p.Instrs, &ir.Map{
			Shape: []int{1}, Operands: []ir.Operand{{Slot: i, View: one}},
			Chain: ir.Chain{{Op: ir.OpLoad, DType: ir.F32}}, Stores: []ir.Store{{Slot: i + 1}},
		})
	}
	return p
}

// Operations is how many float32 multiplications and additions [Arithmetic] makes for
// each element, and Row how many elements it adds up to one.
const (
	Operations = 56
	Row        = 256
)

// Arithmetic returns the program that sums, in rows of Row, chains of multiplications and
// additions over n positions, at least one row. It reads no memory.
func Arithmetic(n int) *ir.Program {
	rows := max(n/Row, 1)
	shape := []int{rows, Row}
	chain := ir.Chain{
		{Op: ir.OpIndex, DType: ir.I32}, {Op: ir.OpCast, DType: ir.F32, From: ir.I32, Args: []int{0}},
		{Op: ir.OpConst, DType: ir.F32, Imm: ir.FloatBits(ir.F32, 0.5)},
	}
	for i := range Operations {
		op := ir.OpMul
		if i%2 == 1 {
			op = ir.OpAdd
		}
		chain = append(chain, ir.Step{Op: op, DType: ir.F32, From: ir.F32, Args: []int{1 + min(i, 1)*(i+1), 2}})
	}
	return &ir.Program{
		Slots: []ir.Slot{{Kind: ir.Output, DType: ir.F32, Len: rows, Alias: ir.NoSlot}}, Outputs: 1,
		Instrs: []ir.Instr{&ir.Reduce{
			Outer: shape[:1], Inner: shape[1:], Op: ir.OpSum, DType: ir.F32,
			Operands: []ir.Operand{{Slot: ir.NoSlot, View: ir.Contiguous(shape)}}, Pre: chain, Reg: len(chain) - 1,
			Post: ir.Chain{{Op: ir.OpAcc, DType: ir.F32}}, Stores: []ir.Store{{Slot: 0}},
		}},
	}
}
