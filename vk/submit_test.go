//go:build cgo

package vk_test

import (
	"context"
	"errors"
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
