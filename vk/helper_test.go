//go:build cgo

package vk_test

import (
	"context"
	"math/rand/v2"
	"os"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/fornax-ml/fornax/tensor/ir"
	"github.com/fornax-ml/fornax/tensor/ir/ref"
	"github.com/fornax-ml/fornax/vk"
)

var variants = []struct {
	name string
	opt  vk.Options
}{
	{"gpu", vk.Options{LikeGPU: true}}, // by address
	{"minimum", vk.Options{MinimumLimits: true}},
	{"staging", vk.Options{Tier: vk.TierCore, ForceStaging: true}},
}

// open opens device 0 and at the end fails on validation messages.
func open(t testing.TB, o vk.Options) *vk.Device {
	d, err := vk.Open(0, o)
	if err != nil {
		if os.Getenv("FORNAX_REQUIRE_VULKAN") == "1" {
			t.Fatal(err)
		}
		t.Skip(err)
	}
	t.Cleanup(func() {
		require.NoError(t, d.Close())
		for _, m := range d.Messages() {
			t.Error(m)
		}
	})
	return d
}

// eachVariant runs f on device 0 under every tier; under the race detector only where Go
// code differs, not only kernels.
func eachVariant(t *testing.T, f func(t *testing.T, d *vk.Device)) {
	for _, v := range variants {
		if raceDetector && v.name == "minimum" {
			continue
		}
		t.Run(v.name, func(t *testing.T) { f(t, open(t, v.opt)) })
	}
}

// run runs p once and returns its outputs' bytes.
func run(t testing.TB, d *vk.Device, p *ir.Program, in [][]byte, scalars ...ir.Scalar) ([][]byte, error) {
	require.NoError(t, p.Check())
	x, err := d.Compile(p)
	require.NoError(t, err)
	defer x.Free()
	args := make([]ir.Buffer, p.NumArgs())
	for i := range args {
		if s := p.Slots[i]; s.Kind == ir.Output && s.Alias != ir.NoSlot {
			args[i] = args[s.Alias]
			continue
		}
		args[i], err = d.NewBuffer(p.Slots[i].Bytes())
		require.NoError(t, err)
		defer args[i].Free()
		if i < p.Inputs {
			require.NoError(t, args[i].Write(0, in[i][:p.Slots[i].Bytes()]))
		}
	}
	require.NoError(t, x.Run(context.Background(), args, scalars))
	var out [][]byte
	for i := p.Inputs; i < p.NumArgs(); i++ {
		b := make([]byte, p.Slots[i].Bytes())
		if rerr := args[i].Read(b, 0); rerr != nil && err == nil {
			err = rerr
		}
		out = append(out, b)
	}
	return out, err
}

// same runs p on d and compares its outputs with the reference's.
func same(t testing.TB, d *vk.Device, p *ir.Program, in [][]byte, ulp, abs float64, scalars ...ir.Scalar) {
	t.Helper()
	want, err := ref.Executor{Round: true}.RunBytes(p, in, scalars)
	require.NoError(t, err)
	got, err := run(t, d, p, in, scalars...)
	require.NoError(t, err)
	for i := range want {
		if err := ref.Compare(got[i], want[i], ulp, abs); err != nil {
			t.Errorf("output %d: %v\n%v", i, err, p)
		}
	}
}

func in(d ir.DType, n int) ir.Slot { return ir.Slot{Kind: ir.Input, DType: d, Len: n} }

func out(d ir.DType, n int) ir.Slot {
	return ir.Slot{Kind: ir.Output, DType: d, Len: n, Alias: ir.NoSlot}
}

func whole(slot int, shape ...int) ir.Operand {
	return ir.Operand{Slot: slot, View: ir.Contiguous(shape)}
}

func load(k int, d ir.DType) ir.Step { return ir.Step{Op: ir.OpLoad, K: k, DType: d} }

// apply is a step of an op whose dtype follows from its arguments'.
func apply(op ir.Op, from ir.DType, args ...int) ir.Step {
	return ir.Step{Op: op, From: from, DType: op.ResultType(from), Args: args}
}

// random fills an array from the domain.
func random(r *rand.Rand, d ir.DType, n int, dom [2]float64) []byte {
	b := make([]byte, ir.SlotBytes(d, n))
	for i := range n {
		v := dom[0] + (dom[1]-dom[0])*r.Float64()
		if d == ir.Bool {
			v = float64(r.IntN(2))
		}
		ir.PutBits(d, b, i, ir.FloatBits(d, v))
	}
	return b
}
