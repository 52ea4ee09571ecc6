package lower

import (
	"testing"

	"github.com/stretchr/testify/require"
)

// TestSchedule: what does not depend on what comes before it moves beside that, what
// does stays behind it, for reads after writes, writes after reads and writes after
// writes; and checks follow their dispatches.
func TestSchedule(t *testing.T) {
	at := func(offset int) []Mem { return []Mem{{Arena, offset, 4}} }
	d := func(name int, reads, writes []Mem) Dispatch {
		return Dispatch{Instr: name, Reads: reads, Writes: writes}
	}
	p := &Plan{Dispatches: []Dispatch{
		d(0, nil, at(0)), d(1, at(0), at(4)), d(2, nil, at(8)), d(3, at(8), at(0)), d(4, nil, at(4)), d(5, at(12), at(16)),
	}, Checks: []Check{{Dispatch: []int{2, 4}}}}
	p.schedule()
	var order []int
	for _, d := range p.Dispatches {
		order = append(order, d.Instr)
	}
	// 3 writes what 1 reads, and 4 what 1 writes.
	require.Equal(t, []int{0, 2, 5, 1, 3, 4}, order)
	require.Equal(t, []int{1, 5}, p.Checks[0].Dispatch)
}
