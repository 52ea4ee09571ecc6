package cpu_test

import (
	"context"
	"math/rand/v2"
	"testing"
	"unsafe"

	"github.com/fornax-ml/fornax/cpu"
	"github.com/fornax-ml/fornax/tensor/ir"
	"github.com/stretchr/testify/require"
)

// A prog builds programs of few slots.
type prog struct {
	ir.Program
}

func (p *prog) in(d ir.DType, n int) int {
	p.Slots = append(p.Slots, ir.Slot{Kind: ir.Input, DType: d, Len: n, Alias: ir.NoSlot})
	p.Inputs++
	return len(p.Slots) - 1
}

// out adds an output; inputs come first.
func (p *prog) out(d ir.DType, n int) int { return p.outOver(d, n, ir.NoSlot) }

func (p *prog) outOver(d ir.DType, n, alias int) int {
	p.Slots = append(p.Slots, ir.Slot{Kind: ir.Output, DType: d, Len: n, Alias: alias})
	p.Outputs++
	return len(p.Slots) - 1
}

// temp adds a temporary; they come last.
func (p *prog) temp(d ir.DType, n int) int {
	p.Slots = append(p.Slots, ir.Slot{Kind: ir.Temp, DType: d, Len: n, Offset: p.ArenaBytes, Alias: ir.NoSlot})
	p.ArenaBytes += (ir.SlotBytes(d, n) + 63) &^ 63
	return len(p.Slots) - 1
}

func (p *prog) add(in ir.Instr) { p.Instrs = append(p.Instrs, in) }

// load is an operand that reads a whole slot.
func load(slot int, shape ...int) ir.Operand {
	return ir.Operand{Slot: slot, View: ir.Contiguous(shape)}
}

func ld(d ir.DType, k int) ir.Step { return ir.Step{Op: ir.OpLoad, DType: d, K: k} }

func op(o ir.Op, from ir.DType, args ...int) ir.Step {
	return ir.Step{Op: o, DType: o.ResultType(from), From: from, Args: args}
}

// setup compiles p and makes its buffers; inputs of F32 are normal numbers.
func setup(t testing.TB, d *cpu.Device, p *prog) (ir.Executable, []ir.Buffer) {
	t.Helper()
	e, err := d.Compile(&p.Program)
	require.NoError(t, err)
	rng := rand.New(rand.NewPCG(1, 2))
	var args []ir.Buffer
	for i, s := range p.Slots[:p.NumArgs()] {
		if s.Kind == ir.Output && s.Alias != ir.NoSlot {
			args = append(args, args[s.Alias])
			continue
		}
		b, err := d.NewBuffer(s.Bytes())
		require.NoError(t, err)
		args = append(args, b)
		if i >= p.Inputs {
			continue
		}
		raw := make([]byte, s.Bytes())
		for k := range s.Len {
			ir.PutBits(s.DType, raw, k, ir.FloatBits(s.DType, rng.NormFloat64()))
		}
		require.NoError(t, b.Write(0, raw))
	}
	return e, args
}

func read(t testing.TB, b ir.Buffer) []byte {
	t.Helper()
	raw := make([]byte, b.Bytes())
	require.NoError(t, b.Read(raw, 0))
	return raw
}

func floats(raw []byte) []float32 {
	return unsafe.Slice((*float32)(unsafe.Pointer(unsafe.SliceData(raw))), len(raw)/4)
}

func write(t testing.TB, b ir.Buffer, x []float32) {
	t.Helper()
	require.NoError(t, b.Write(0, unsafe.Slice((*byte)(unsafe.Pointer(unsafe.SliceData(x))), 4*len(x))))
}

func run(t testing.TB, e ir.Executable, args []ir.Buffer) {
	if err := e.Run(context.Background(), args, nil); err != nil {
		t.Fatal(err)
	}
}
