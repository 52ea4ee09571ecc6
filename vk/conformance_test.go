//go:build cgo

package vk_test

import (
	"testing"

	"github.com/fornax-ml/fornax/tensor/devicetest"
	"github.com/fornax-ml/fornax/vk"
)

func TestConformance(t *testing.T) {
	eachVariant(t, func(t *testing.T, d *vk.Device) {
		o := devicetest.Options{}
		if d.Info().Tier > 0 || testing.Short() {
			o.Programs = 60
		}
		devicetest.Run(t, d, o)
	})
}
