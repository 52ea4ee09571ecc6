package cpu_test

import (
	"fmt"
	"testing"

	"github.com/fornax-ml/fornax/cpu"
	"github.com/fornax-ml/fornax/tensor/devicetest"
)

// The conformance suite passes with as many workers as processors and with
// one.
func TestSuite(t *testing.T) {
	for _, workers := range []int{0, 1} {
		t.Run(fmt.Sprint(workers), func(t *testing.T) {
			d := cpu.New(cpu.Options{Workers: workers})
			defer d.Close()
			devicetest.Run(t, d, devicetest.Options{Seed: uint64(workers), Programs: 400 - 300*workers})
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
