package vk_test

import (
	"testing"

	"github.com/fornax-ml/fornax/tensor/devicetest"
	"github.com/fornax-ml/fornax/vk"
)

func TestConformance(t *testing.T) {
	eachVariant(t, func(t *testing.T, d *vk.Device) {
		o := devicetest.Options{Skip: map[string]string{
			"map/atan2/f64": "the reference, math.Atan2, loses the angle's sign where y/x underflows",
		}}
		if d.Info().Tier > 0 || testing.Short() {
			o.Programs = 60
		}
		devicetest.Run(t, d, o)
	})
}
