package ir

import (
	"fmt"
	"hash/fnv"
	"slices"
	"strings"
)

// A SlotKind tells where a slot's memory comes from.
type SlotKind uint8

// The kinds of slot.
const (
	Input  SlotKind = iota // an argument that is read
	Output                 // an argument that is written
	Temp                   // a range of the arena
)

// A Slot is a packed array that instructions read and write.
type Slot struct {
	Kind  SlotKind
	DType DType
	Len   int // elements
	// Offset is a temporary's first byte in the arena, a multiple of the
	// device's alignment.
	Offset int
	// Alias of an output is the input whose memory it takes over, or NoSlot.
	Alias int
}

// Bytes returns the bytes the slot takes.
func (s Slot) Bytes() int { return SlotBytes(s.DType, s.Len) }

// A Program is what a device compiles: instructions over slots. It is not
// changed after it was made.
type Program struct {
	// Slots holds inputs, then outputs, then temporaries.
	Slots           []Slot
	Inputs, Outputs int
	Scalars         []DType
	Instrs          []Instr
	ArenaBytes      int
}

// NumArgs returns the number of buffers Run takes: inputs, then outputs.
func (p *Program) NumArgs() int { return p.Inputs + p.Outputs }

// String prints the program as text, one slot or instruction a line.
func (p *Program) String() string {
	var b strings.Builder
	for i, s := range p.Slots {
		switch s.Kind {
		case Input:
			fmt.Fprintf(&b, "%%%d = input %v[%d]\n", i, s.DType, s.Len)
		case Output:
			fmt.Fprintf(&b, "%%%d = output %v[%d]", i, s.DType, s.Len)
			if s.Alias != NoSlot {
				fmt.Fprintf(&b, " in place of %%%d", s.Alias)
			}
			b.WriteByte('\n')
		case Temp:
			fmt.Fprintf(&b, "%%%d = temp %v[%d] at %d\n", i, s.DType, s.Len, s.Offset)
		}
	}
	for i, d := range p.Scalars {
		fmt.Fprintf(&b, "$%d = scalar %v\n", i, d)
	}
	for _, in := range p.Instrs {
		b.WriteString(in.format(p))
		b.WriteByte('\n')
	}
	if p.ArenaBytes > 0 {
		fmt.Fprintf(&b, "arena %d\n", p.ArenaBytes)
	}
	return b.String()
}

// Fingerprint returns eight digits that tell programs apart in what is printed of them.
func (p *Program) Fingerprint() string {
	h := fnv.New32a()
	h.Write([]byte(p.String()))
	return fmt.Sprintf("%08x", h.Sum32())
}

// Check reports the first fault: a slot out of order, a view outside its
// slot, a chain with wrong dtypes. Devices may rely on a checked program.
func (p *Program) Check() error {
	if p.Inputs+p.Outputs > len(p.Slots) {
		return fmt.Errorf("ir: %d inputs and %d outputs in %d slots", p.Inputs, p.Outputs, len(p.Slots))
	}
	for i, s := range p.Slots {
		want := Temp
		if i < p.Inputs {
			want = Input
		} else if i < p.Inputs+p.Outputs {
			want = Output
		}
		switch {
		case s.Kind != want:
			return fmt.Errorf("ir: slot %d is out of order", i)
		case s.Len < 0:
			return fmt.Errorf("ir: slot %d has %d elements", i, s.Len)
		case s.Kind == Temp && (s.Offset < 0 || s.Offset+s.Bytes() > p.ArenaBytes):
			return fmt.Errorf("ir: slot %d ends outside the arena", i)
		case s.Kind == Output && s.Alias != NoSlot && (s.Alias < 0 || s.Alias >= p.Inputs || p.Slots[s.Alias].Bytes() != s.Bytes()):
			return fmt.Errorf("ir: slot %d cannot take the place of slot %d", i, s.Alias)
		}
	}
	for i, in := range p.Instrs {
		if err := in.check(p); err != nil {
			return fmt.Errorf("ir: instruction %d (%s): %w", i, in.Family(), err)
		}
	}
	return nil
}

func (p *Program) checkOperand(o Operand, shape []int) error {
	if !slices.Equal(o.View.Shape, shape) || len(o.View.Strides) != len(shape) || len(shape) > MaxRank {
		return fmt.Errorf("operand %%%d: view %v in an iteration over %v", o.Slot, o.View, shape)
	}
	if o.Slot == NoSlot {
		return nil
	}
	if o.Slot < 0 || o.Slot >= len(p.Slots) {
		return fmt.Errorf("no slot %d", o.Slot)
	}
	if lo, hi, ok := o.View.Bounds(); ok && (lo < 0 || hi >= p.Slots[o.Slot].Len) {
		return fmt.Errorf("operand %%%d: view %v reads elements %d to %d of %d", o.Slot, o.View, lo, hi, p.Slots[o.Slot].Len)
	}
	return nil
}

func (p *Program) checkDst(slot int, d DType, n int) error {
	if slot < p.Inputs || slot >= len(p.Slots) {
		return fmt.Errorf("writes slot %d", slot)
	}
	if s := p.Slots[slot]; s.DType != d || s.Len != n {
		return fmt.Errorf("writes %v[%d] to slot %d of %v[%d]", d, n, slot, s.DType, s.Len)
	}
	return nil
}

func (p *Program) checkChain(name string, c Chain, ops []Operand, shape []int, acc []DType, st []Store) error {
	for _, o := range ops {
		if err := p.checkOperand(o, shape); err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
	}
	if err := c.check(ops, p.Scalars, acc, p.Slots); err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	for _, s := range st {
		if s.Reg < 0 || s.Reg >= len(c) {
			return fmt.Errorf("%s: stores register %d of %d", name, s.Reg, len(c))
		}
		if err := p.checkDst(s.Slot, c[s.Reg].DType, Size(shape)); err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
	}
	return nil
}
