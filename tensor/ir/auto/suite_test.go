package auto_test

import (
	"context"
	"math/rand/v2"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/fornax-ml/fornax/cpu"
	"github.com/fornax-ml/fornax/tensor/devicetest"
	"github.com/fornax-ml/fornax/tensor/ir"
	"github.com/fornax-ml/fornax/tensor/ir/auto"
)

// budget is how long tests calibrate.
const budget = 100 * time.Millisecond

// newAuto makes a device that the test closes.
func newAuto(t testing.TB, o auto.Options, members ...ir.Device) *auto.Device {
	if o.Budget == 0 {
		o.Budget = budget
	}
	d, err := auto.New(members, o)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, d.Close()) })
	return d
}

// atRandom chooses another member for each run, so that values are always elsewhere.
func atRandom(members int) func(*ir.Program) int {
	var mu sync.Mutex
	r := rand.New(rand.NewPCG(1, 2))
	return func(*ir.Program) int {
		mu.Lock()
		defer mu.Unlock()
		return r.IntN(members)
	}
}

// TestConformance runs the suite, a short one as the members run all of it, on two CPU
// devices that differ in what must not matter.
func TestConformance(t *testing.T) {
	for name, choose := range map[string]func(*ir.Program) int{"chosen": nil, "random": atRandom(2)} {
		if testing.Short() && choose == nil {
			continue
		}
		t.Run(name, func(t *testing.T) {
			d := newAuto(t, auto.Options{Choose: choose}, cpu.New(cpu.Options{}), cpu.New(cpu.Options{Workers: 1}))
			devicetest.Run(t, d, devicetest.Options{Programs: 60, Short: true})
		})
	}
}

// BenchmarkOverhead is the time of a program of one element on the CPU, and of the same
// through the device that chooses.
func BenchmarkOverhead(b *testing.B) {
	for name, d := range map[string]ir.Device{
		"cpu":  cpu.New(cpu.Options{}),
		"auto": newAuto(b, auto.Options{}, cpu.New(cpu.Options{}), cpu.New(cpu.Options{Workers: 1})),
	} {
		b.Run(name, func(b *testing.B) {
			p := square(1)
			x, err := d.Compile(p)
			require.NoError(b, err)
			in, err := d.NewBuffer(4)
			require.NoError(b, err)
			require.NoError(b, in.Write(0, make([]byte, 4)))
			b.ReportAllocs()
			for b.Loop() {
				out, err := d.NewBuffer(4)
				if err == nil {
					err = x.Run(context.Background(), []ir.Buffer{in, out}, nil)
				}
				if err != nil {
					b.Fatal(err)
				}
				out.Free()
			}
		})
	}
}

// square is the program y = x·x of n floats.
func square(n int) *ir.Program {
	return &ir.Program{
		Slots: []ir.Slot{
			{Kind: ir.Input, DType: ir.F32, Len: n, Alias: ir.NoSlot}, {Kind: ir.Output, DType: ir.F32, Len: n, Alias: ir.NoSlot},
		},
		Inputs: 1, Outputs: 1,
		Instrs: []ir.Instr{&ir.Map{
			Shape: []int{n}, Operands: []ir.Operand{{Slot: 0, View: ir.Contiguous([]int{n})}},
			Chain:  ir.Chain{{Op: ir.OpLoad, DType: ir.F32}, {Op: ir.OpSquare, DType: ir.F32, From: ir.F32, Args: []int{0}}},
			Stores: []ir.Store{{Slot: 1, Reg: 1}},
		}},
	}
}
