//go:build cgo

package vk_test

import (
	"fmt"
	"path"
	"testing"

	"github.com/fornax-ml/fornax/tensor/devicetest"
	"github.com/fornax-ml/fornax/vk"
)

// TestConformance runs the suite on every tier, and records what passes where
// devicetest.RecordEnv says so. It is a short one for the variant whose kernels differ from
// the others' in sizes only.
func TestConformance(t *testing.T) {
	eachVariant(t, func(t *testing.T, d *vk.Device) {
		info, name := d.Info(), path.Base(t.Name())
		rec := devicetest.NewRecord(fmt.Sprintf("vulkan T%d %s", info.Tier, name), info)
		o := devicetest.Options{Report: rec.Report, Short: name == "staging"}
		if d.Info().Tier > 0 || testing.Short() {
			o.Programs = 60
		}
		devicetest.Run(t, d, o)
		if err := rec.Write(); err != nil {
			t.Error(err)
		}
	})
}
