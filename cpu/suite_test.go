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
