package vk_test

import (
	"testing"

	"github.com/fornax-ml/fornax/tensor/devicetest"
	"github.com/fornax-ml/fornax/vk"
)

func TestConformance(t *testing.T) {
	eachVariant(t, func(t *testing.T, d *vk.Device) {
		devicetest.Run(t, d, devicetest.Options{})
	})
}
