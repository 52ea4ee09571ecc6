package auto

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/fornax-ml/fornax/tensor/ir"
)

// A trial ends where its member cannot run the program after all; else every later run
// would look at all members again.
func TestTrialEnds(t *testing.T) {
	for able, left := range map[set]int{one(0) | one(2): 4, one(2): 5, one(0) | one(1): 0, one(0): 0} {
		e := &executable{d: &Device{}, on: make([]placed, 3)}
		e.choice = choice{current: 0, next: 100, trial: 2, left: 5}
		if left == 0 {
			e.d.opts.Choose = func(*ir.Program) int { return 0 } // there are no members to weigh
		}
		e.which(&call{}, able)
		require.Equal(t, left, e.choice.left, "%b", able)
	}
}
