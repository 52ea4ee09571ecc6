package cpu_test

import (
	"fmt"
	"testing"

	"github.com/fornax-ml/fornax/cpu"
	"github.com/fornax-ml/fornax/tensor/devicetest"
)

// The conformance suite passes with one worker and with more than there are
// processors.
func TestSuite(t *testing.T) {
	for _, workers := range []int{0, 1} {
		t.Run(fmt.Sprint(workers), func(t *testing.T) {
			d := cpu.New(cpu.Options{Workers: workers})
			defer d.Close()
			devicetest.Run(t, d, devicetest.Options{Seed: uint64(workers)})
		})
	}
}
