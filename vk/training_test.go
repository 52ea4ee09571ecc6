package vk_test

import (
	"testing"

	"github.com/fornax-ml/fornax/nn/nntest"
	"github.com/fornax-ml/fornax/tensor"
	"github.com/fornax-ml/fornax/vk"
)

func TestTraining(t *testing.T) {
	eachVariant(t, func(t *testing.T, d *vk.Device) {
		nntest.Run(t, tensor.New(d), nntest.Options{})
	})
}
