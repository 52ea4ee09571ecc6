//go:build cgo

package vk_test

import (
	"bytes"
	"context"
	"errors"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/fornax-ml/fornax/nn"
	"github.com/fornax-ml/fornax/tensor"
	"github.com/fornax-ml/fornax/tensor/ir"
	"github.com/fornax-ml/fornax/vk"
)

// chainOfMaps is %0 -> temp -> temp -> … -> an output in place of %0: n Maps that add 1.
func chainOfMaps(n, size int) *ir.Program {
	p := &ir.Program{Inputs: 1, Outputs: 1, ArenaBytes: n * 1024, Slots: []ir.Slot{
		in(ir.F32, size), {Kind: ir.Output, DType: ir.F32, Len: size, Alias: 0}}}
	from := 0
	for i := range n {
		to := 1
		if i < n-1 {
			to = len(p.Slots)
			p.Slots = append(p.Slots, ir.Slot{Kind: ir.Temp, DType: ir.F32, Len: size, Offset: i * 1024, Alias: ir.NoSlot})
		}
		p.Instrs = append(p.Instrs, &ir.Map{Shape: []int{size}, Operands: []ir.Operand{whole(from, size)},
			Chain:  ir.Chain{load(0, ir.F32), {Op: ir.OpConst, DType: ir.F32, Imm: ir.FloatBits(ir.F32, 1)}, apply(ir.OpAdd, ir.F32, 0, 1)},
			Stores: []ir.Store{{Slot: to, Reg: 2}}})
		from = to
	}
	return p
}

// TestSubmitsSplitByWork: a program of more work than a submit may have goes out in
// several, gives the same, and training with each kernel in a submit of its own too.
func TestSubmitsSplitByWork(t *testing.T) {
	d := open(t, vk.Options{SubmitWork: 1})
	p := chainOfMaps(5, 100)
	zeros := [][]byte{make([]byte, 400)}
	_, err := run(t, d, p, zeros) // self-tests and the first upload
	require.NoError(t, err)
	before := d.Stats().Submits
	out, err := run(t, d, p, zeros)
	require.NoError(t, err)
	require.GreaterOrEqual(t, d.Stats().Submits-before, 5)
	require.Equal(t, 5.0, ir.BitsFloat(ir.F32, ir.GetBits(ir.F32, out[0], 99)))

	losses := func(d *vk.Device) (l []float64) {
		x := tensor.New(d)
		rng := tensor.NewRNG(1)
		model := nn.Sequential{nn.NewLinear(x, rng, 20, 30), nn.ReLU{}, nn.NewLinear(x, rng, 30, 5)}
		opt := nn.NewAdam(nn.Parameters(model), nn.AdamConfig{LR: 0.1})
		in, class := rng.Uniform(x, 16, 20), tensor.FromSlice(x, []int32{0, 1, 2, 3, 4, 0, 1, 2, 3, 4, 0, 1, 2, 3, 4, 0})
		for range 4 {
			loss := nn.CrossEntropy(model.Forward(in), class)
			opt.Step(loss)
			v, err := loss.Item()
			require.NoError(t, err)
			l = append(l, v)
		}
		return l
	}
	require.Equal(t, losses(open(t, vk.Options{})), losses(d))
}

// TestSplitRunStopsInTime: between submits a cancelled context or a submit that fails
// ends the run until the input is written over, and the input is as it was; a submit
// that fails after that loses the device.
func TestSplitRunStopsInTime(t *testing.T) {
	why := errors.New("a reason")
	for _, c := range []struct {
		name string
		nth  int // submit that fails, or before which the context is cancelled
		n    int // Maps; the last one writes over the input
		fail error
		lost bool
	}{
		{"cancelled", 2, 4, nil, false}, {"failed", 2, 4, why, false}, {"failed at the last", 4, 4, why, false}, {"failed behind it", 2, 2, why, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			ctx, cancel := context.WithCancel(context.Background())
			defer cancel()
			at := 0
			d := open(t, vk.Options{SubmitWork: 1, FailSubmit: func(n int) error {
				if at > 0 && n == at-1 && c.fail == nil {
					cancel()
				}
				if at > 0 && n == at {
					return c.fail
				}
				return nil
			}})
			p := chainOfMaps(c.n, 100)
			if c.lost { // the write comes first, and a step behind it
				write := *p.Instrs[1].(*ir.Map)
				read := write
				write.Operands, read.Operands = []ir.Operand{whole(0, 100)}, []ir.Operand{whole(1, 100)}
				read.Stores = []ir.Store{{Slot: 2, Reg: 2}}
				p.Instrs = []ir.Instr{&write, &read}
			}
			require.NoError(t, p.Check())
			x, err := d.Compile(p)
			require.NoError(t, err)
			defer x.Free()
			buf, err := d.NewBuffer(400)
			require.NoError(t, err)
			defer buf.Free()
			require.NoError(t, buf.Write(0, make([]byte, 400)))
			at = d.Stats().Submits + c.nth
			err = x.Run(ctx, []ir.Buffer{buf, buf}, nil)
			if c.fail == nil {
				require.ErrorIs(t, err, context.Canceled)
			} else {
				require.ErrorIs(t, err, c.fail)
			}
			require.Equal(t, c.lost, errors.Is(err, ir.ErrDeviceLost), "%v", err)
			if !c.lost {
				got := make([]byte, 400)
				require.NoError(t, buf.Read(got, 0))
				require.Equal(t, make([]byte, 400), got)
			}
		})
	}
}

// TestKernelsAreCut: a kernel of more work than a submit may have goes out in pieces of
// whole workgroups, on one axis and on two, and computes the same.
func TestKernelsAreCut(t *testing.T) {
	product := &ir.Program{
		Slots: []ir.Slot{in(ir.F32, 300*40), in(ir.F32, 40*200), out(ir.F32, 300*200)}, Inputs: 2, Outputs: 1,
		Instrs: []ir.Instr{&ir.MatMul{
			M: 300, N: 200, K: 40, DType: ir.F32, A: whole(0, 300, 40), B: whole(1, 40, 200),
			Post: ir.Chain{{Op: ir.OpAcc, DType: ir.F32}}, Stores: []ir.Store{{Slot: 2}},
		}},
	}
	const large = 65536*4*256 + 5 // positions of more workgroups than an axis has
	sums := &ir.Program{
		Slots: []ir.Slot{in(ir.U8, large), in(ir.U8, large), out(ir.U8, large)}, Inputs: 2, Outputs: 1,
		Instrs: []ir.Instr{&ir.Map{
			Shape: []int{large}, Operands: []ir.Operand{whole(0, large), whole(1, large)},
			Chain: ir.Chain{load(0, ir.U8), load(1, ir.U8), apply(ir.OpAdd, ir.U8, 0, 1)}, Stores: []ir.Store{{Slot: 2, Reg: 2}},
		}},
	}
	// A Map of two pieces that fill six tenths of a submit each, and one in the last of
	// these submits that reads what both wrote.
	followed := tenOps(100_003, 3)
	followed.Slots = append(followed.Slots, ir.Slot{Kind: ir.Temp, DType: ir.F32, Len: 100_003, Alias: ir.NoSlot})
	followed.ArenaBytes = followed.Slots[3].Bytes()
	followed.Instrs[0].(*ir.Map).Stores[0].Slot = 3
	followed.Slots[2].Len = 100
	every := ir.View{Shape: []int{100}, Strides: []int{1000}}
	followed.Instrs = append(followed.Instrs, &ir.Map{
		Shape: []int{100}, Operands: []ir.Operand{{Slot: 3, View: every}}, Chain: ir.Chain{load(0, ir.F32)}, Stores: []ir.Store{{Slot: 2}},
	})
	for _, c := range []struct {
		name   string
		p      *ir.Program
		work   float64
		pieces int
	}{
		{"product", product, 2 * 300 * 200 * 40 / 7.5, 8}, {"map", tenOps(100_003, 3), 100_000, 3}, {"two axes", sums, large / 2, 8},
		{"read by a small one", followed, 250_000, 2},
	} {
		t.Run(c.name, func(t *testing.T) {
			if c.p.Slots[0].Len == large && testing.Short() {
				t.Skip("a second of work and 200 MB")
			}
			r := rand.New(rand.NewPCG(1, 2))
			var inputs [][]byte
			for k, s := range c.p.Slots[:2] {
				b := make([]byte, s.Bytes())
				if s.DType == ir.F32 {
					b = random(r, s.DType, s.Len, [2]float64{-1, 1})
				} else {
					for i := range b {
						b[i] = byte(i >> (8 * k))
					}
				}
				inputs = append(inputs, b)
			}
			for _, o := range []vk.Options{{LikeGPU: true}, {Arguments: vk.ByDescriptor, LikeGPU: true}} {
				want, err := run(t, open(t, o), c.p, inputs)
				require.NoError(t, err)
				o.SubmitWork = c.work
				d := open(t, o)
				_, err = run(t, d, c.p, inputs) // self-tests
				require.NoError(t, err)
				before := d.Stats().Submits
				got, err := run(t, d, c.p, inputs)
				require.NoError(t, err)
				require.GreaterOrEqual(t, d.Stats().Submits-before, c.pieces)
				require.True(t, bytes.Equal(want[0], got[0]))
			}
		})
	}
}
