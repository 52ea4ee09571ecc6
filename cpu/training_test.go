package cpu_test

import (
	"testing"

	"github.com/fornax-ml/fornax/cpu"
	"github.com/fornax-ml/fornax/nn/nntest"
	"github.com/fornax-ml/fornax/tensor"
)

func TestTraining(t *testing.T) {
	d := tensor.New(cpu.New(cpu.Options{}))
	nntest.Run(t, d, nntest.Options{})
	if err := d.Close(); err != nil {
		t.Error(err)
	}
}

func TestMemoryPlan(t *testing.T) {
	nntest.Memory(t, func(memory int) *tensor.Device {
		d := tensor.New(cpu.New(cpu.Options{MemoryBytes: memory}))
		t.Cleanup(func() { d.Close() })
		return d
	})
}
