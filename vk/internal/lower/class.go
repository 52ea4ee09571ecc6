package lower

import (
	"fmt"
	"math/bits"
)

// Class names the products that are tuned as one: sizes are rounded to the next power
// of two.
func (p Product) Class() string {
	up := func(n int) int { return 1 << bits.Len(uint(max(n, 1)-1)) }
	layout := func(along bool, run int, yes, no string) string {
		if !along {
			yes = no
		}
		if run > 1 {
			yes += fmt.Sprint(run)
		}
		return yes
	}
	stored := p.Stored.String()
	if p.Packed {
		stored += " packed"
	}
	return fmt.Sprintf("%v %dx%dx%dx%d a:%s b:%s", stored, up(p.Batch), up(p.M), up(p.N), up(p.K),
		layout(p.AlongK, p.RunA, "k", "m"), layout(p.AlongN, p.RunB, "n", "k"))
}

// Bytes is the memory of A, B and C.
func (p Product) Bytes() int {
	return p.Stored.Size() * p.Batch * (p.M*p.K + p.K*p.N + p.M*p.N)
}
