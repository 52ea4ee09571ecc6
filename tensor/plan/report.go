package plan

import (
	"cmp"
	"fmt"
	"io"
	"slices"
	"strings"

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

func (t Temp) String() string {
	return fmt.Sprintf("arena %10d + %10d  %%%d %v, instructions %d to %d", t.Offset, t.Bytes, t.Slot, t.DType, t.First, t.Last)
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

// Peak returns the most bytes that the program's arguments and temporaries take at once.
func (m Memory) Peak() int { return m.Arena + m.Inputs + m.Outputs }

// explain prints a program that was compiled: its text, what memory it needs and, where
// the executable knows, what it is expected to take. One call of Write for each program
// keeps those of several goroutines apart.
func explain(w io.Writer, device string, p *ir.Program, x ir.Executable) {
	var b strings.Builder
	fmt.Fprintf(&b, "fornax: program %s for %s, %d instructions\n%s", p.Fingerprint(), device, len(p.Instrs), p)
	m := Describe(p)
	fmt.Fprintf(&b, "memory: inputs %d, outputs %d, arena %d, together %d bytes; largest %d\n", m.Inputs, m.Outputs, m.Arena, m.Peak(), m.LargestBuffer)
	for _, t := range Arena(p) {
		fmt.Fprintf(&b, "  %v\n", t)
	}
	if e, ok := x.(ir.Explainer); ok {
		b.WriteString(e.Explain())
	}
	b.WriteByte('\n')
	io.WriteString(w, b.String())
}
