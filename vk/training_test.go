//go:build cgo

package vk_test

import (
	"testing"

	"github.com/fornax-ml/fornax/nn/nntest"
	"github.com/fornax-ml/fornax/tensor"
	"github.com/fornax-ml/fornax/vk"
)

func TestTraining(t *testing.T) {
	eachVariant(t, func(t *testing.T, d *vk.Device) {
		nntest.Run(t, tensor.New(d), nntest.Options{Steps: -1})
	})
}

// TestSoak runs without the validation layer, to save time: TestTraining has
// it on.
func TestSoak(t *testing.T) {
	t.Setenv("FORNAX_VALIDATION", "0")
	steps := 0
	eachVariant(t, func(t *testing.T, d *vk.Device) {
		nntest.Run(t, tensor.New(d), nntest.Options{Steps: steps, Idle: 256 << 10}) // the block of the index checks
		steps = 2000                                                                // enough for the other ways to reach memory
	})
}

func TestMemoryPlan(t *testing.T) {
	for _, v := range variants {
		if v.opt.MinimumLimits {
			continue // it takes memory as staging does
		}
		t.Run(v.name, func(t *testing.T) {
			nntest.Memory(t, func(memory int) *tensor.Device {
				o := v.opt
				o.MemoryBytes = memory
				return tensor.New(open(t, o))
			})
		})
	}
}
