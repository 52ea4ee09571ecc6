package devicetest

import (
	"bytes"
	"fmt"
	"testing"

	"github.com/fornax-ml/fornax/tensor/ir"
)

// SameBits checks that two devices give equal bits for sums of reals, whose
// value depends on how they are split: two of one backend that differ in what
// must not matter, such as the number of workers.
func SameBits(t *testing.T, x, y ir.Device) {
	t.Helper()
	for _, n := range []int{64, 5000, 300000} {
		a, b := &suite{d: x}, &suite{d: y}
		p, in, scalars := a.inexact(fmt.Sprint("bits", n), n)
		got, err := a.run(p, in, scalars)
		must(t, err)
		want, err := b.run(p, in, scalars)
		must(t, err)
		for i := range got {
			if !bytes.Equal(got[i], want[i]) {
				t.Errorf("n = %d: output %d differs\n%s", n, i, clip(writer(p, p.Inputs+i)))
			}
		}
	}
}
