package cpu_test

import (
	"fmt"
	"testing"

	"github.com/fornax-ml/fornax/cpu"
	"github.com/fornax-ml/fornax/tensor/devicetest"
)

// TestConformance runs the suite at every level, with as many workers as
// processors and, a short one, with one, and records what passes where
// devicetest.RecordEnv says so.
func TestConformance(t *testing.T) {
	for i, level := range levels() {
		for _, workers := range []int{0, 1} {
			if testing.Short() && i > 0 && workers == 1 {
				continue
			}
			programs := 100
			if i+workers == 0 { // the device that users get
				programs = 400
			}
			t.Run(fmt.Sprint(level, "/", workers), func(t *testing.T) {
				d := cpu.New(cpu.Options{Workers: workers, Level: level})
				defer d.Close()
				rec := devicetest.NewRecord("cpu", d.Info())
				devicetest.Run(t, d, devicetest.Options{Seed: uint64(workers), Programs: programs, Short: workers == 1, Report: rec.Report})
				if err := rec.Write(); err != nil {
					t.Error(err)
				}
			})
		}
	}
}

// The bits do not depend on the number of workers.
func TestSameBits(t *testing.T) {
	eachLevel(t, func(t *testing.T, level string) {
		one := cpu.New(cpu.Options{Workers: 1, Level: level})
		defer one.Close()
		for _, workers := range []int{2, 3, 7} {
			d := cpu.New(cpu.Options{Workers: workers, Level: level})
			devicetest.SameBits(t, one, d)
			d.Close()
		}
	})
}
