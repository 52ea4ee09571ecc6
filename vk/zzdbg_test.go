package vk

import (
	"fmt"
	"github.com/fornax-ml/fornax/nn"
	"github.com/fornax-ml/fornax/tensor"
	"os"
	"strings"
	"testing"
)

func TestDbg(t *testing.T) {
	d, err := Open(0, Options{Tier: TierCore})
	if err != nil {
		t.Fatal(err)
	}
	td := tensor.New(d)
	rng := tensor.NewRNG(1)
	m := nn.Sequential{nn.NewLinear(td, rng, 20, 32), nn.ReLU{}, nn.NewLinear(td, rng, 32, 5)}
	opt := nn.NewAdamW(nn.Parameters(m), nn.AdamConfig{LR: 0.01})
	step := tensor.Compile(func(in ...*tensor.Tensor) []*tensor.Tensor {
		loss := nn.CrossEntropy(m.Forward(in[0]), in[1])
		opt.Step(loss)
		return []*tensor.Tensor{loss}
	})
	for i := range 3000 {
		x := tensor.FromSlice(td, make([]float32, 320), 16, 20)
		y := tensor.FromSlice(td, make([]int32, 16))
		out, err := step.Call(x, y)
		if err != nil {
			t.Fatal(err)
		}
		if i%100 == 99 {
			out[0].Item()
		}
		x.Free()
		y.Free()
		out[0].Free()
		if i%500 == 0 {
			b, _ := os.ReadFile("/proc/self/statm")
			s := d.drv.Stats()
			fmt.Println(i, strings.Fields(string(b))[1], s.Submits, s.CommandBuffers, s.Memory, dbgRecords)
		}
	}
}
