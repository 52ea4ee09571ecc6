//go:build cgo

package vk_test

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/fornax-ml/fornax/tensor"
	"github.com/fornax-ml/fornax/vk"
)

// TestProfile: every kernel of a program has a time, under its variant and its
// instruction, for as many runs as there were.
func TestProfile(t *testing.T) {
	eachVariant(t, func(t *testing.T, d *vk.Device) { require.Nil(t, d.Profile()) })
	d := open(t, vk.Options{Profile: true})
	x := tensor.New(d)
	a := tensor.NewRNG(1).Uniform(x, 40, 30)
	require.NoError(t, tensor.Eval(a))
	step := tensor.Compile(func(in ...*tensor.Tensor) []*tensor.Tensor {
		return []*tensor.Tensor{in[0].MatMul(in[0].T()).Sin()}
	})
	for range 3 {
		out, err := step.Call(a)
		require.NoError(t, err)
		out[0].Free()
	}
	found := 0
	for _, k := range d.Profile() {
		if strings.HasPrefix(k.Kernel, "matmul") && strings.Contains(k.Instr, "40x40x30") {
			found += k.Runs
			require.Contains(t, k.Instr, "sin")
		}
		require.GreaterOrEqual(t, k.Total, time.Duration(0))
		require.Positive(t, k.Runs)
	}
	require.Equal(t, 3, found)
}
