package cpu_test

import (
	"fmt"
	"testing"

	"github.com/fornax-ml/fornax/cpu"
	"github.com/fornax-ml/fornax/tensor/devicetest"
)

// TestConformance runs the suite with as many workers as processors and with
// one, and records what passes where devicetest.RecordEnv says so.
func TestConformance(t *testing.T) {
	for _, workers := range []int{0, 1} {
		t.Run(fmt.Sprint(workers), func(t *testing.T) {
			d := cpu.New(cpu.Options{Workers: workers})
			defer d.Close()
			rec := devicetest.NewRecord("cpu", d.Info())
			devicetest.Run(t, d, devicetest.Options{Seed: uint64(workers), Programs: 400 - 300*workers, Report: rec.Report})
			if err := rec.Write(); err != nil {
				t.Error(err)
			}
		})
	}
}

// The bits do not depend on the number of workers.
func TestSameBits(t *testing.T) {
	one := cpu.New(cpu.Options{Workers: 1})
	defer one.Close()
	for _, workers := range []int{2, 3, 7} {
		d := cpu.New(cpu.Options{Workers: workers})
		devicetest.SameBits(t, one, d)
		d.Close()
	}
}
