package plan

import (
	"cmp"
	"slices"

	"github.com/fornax-ml/fornax/tensor/ir"
)

// Memory tells what a program needs, in bytes. A device with buffers for the
// inputs needs Outputs + Arena more to run it.
type Memory struct {
	Arena   int // for temporaries
	Inputs  int
	Outputs int // without those that take over an input
	// LargestBuffer is the largest single input, output or temporary.
	LargestBuffer int
}

// Describe returns what a program needs, before it runs.
func Describe(p *ir.Program) Memory {
	m := Memory{Arena: p.ArenaBytes}
	for _, s := range p.Slots {
		b := s.Bytes()
		m.LargestBuffer = max(m.LargestBuffer, b)
		switch {
		case s.Kind == ir.Input:
			m.Inputs += b
		case s.Kind == ir.Output && s.Alias == ir.NoSlot:
			m.Outputs += b
		}
	}
	return m
}

// A Temp is a temporary's place in the arena, and the instructions between which it has
// its value, from 0.
type Temp struct {
	Slot          int
	DType         ir.DType
	Offset, Bytes int
	First, Last   int
}

// Arena returns the map of a program's arena, by offset.
func Arena(p *ir.Program) []Temp {
	l := newLifetimes(p)
	var temps []Temp
	for s, slot := range p.Slots {
		if slot.Kind == ir.Temp {
			temps = append(temps, Temp{s, slot.DType, slot.Offset, slot.Bytes(), l.written[s], l.read[s]})
		}
	}
	slices.SortStableFunc(temps, func(a, b Temp) int { return cmp.Or(cmp.Compare(a.Offset, b.Offset), cmp.Compare(a.First, b.First)) })
	return temps
}
