package plan

import "github.com/fornax-ml/fornax/tensor/ir"

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
