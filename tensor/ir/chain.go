package ir

import (
	"fmt"
	"strings"
)

// A Chain is straight-line elementwise code. Step i writes register i; a
// step's arguments are registers of earlier steps.
type Chain []Step

// A Step is one op of a chain.
type Step struct {
	Op    Op
	DType DType  // of the result
	From  DType  // of the arguments (Where: of the values); sources: unused
	Args  []int  // registers
	K     int    // OpLoad, OpIndex: operand; OpScalar: scalar; OpAcc: result number
	Imm   uint64 // OpConst: bits
}

// An Operand is what a source step reads: a slot through a view. The view's
// shape is the iteration shape of the instruction. Slot is NoSlot for operands
// that only OpIndex uses. Fill holds the bits that masked positions read as.
type Operand struct {
	Slot int
	View View
	Fill uint64
}

// NoSlot marks an operand without memory.
const NoSlot = -1

// A Store writes register Reg of a chain to the whole of a slot, position by
// position in C order of the iteration shape.
type Store struct {
	Slot int
	Reg  int
}

func (s Step) format(i int, ops []Operand) string {
	var b strings.Builder
	fmt.Fprintf(&b, "r%d:%v = %v", i, s.DType, s.Op)
	switch s.Op {
	case OpLoad:
		o := ops[s.K]
		fmt.Fprintf(&b, " %%%d%v", o.Slot, o.View)
		if o.View.Masked() && o.Fill != 0 {
			fmt.Fprintf(&b, " fill %v", formatBits(s.DType, o.Fill))
		}
	case OpIndex:
		fmt.Fprintf(&b, " %v", ops[s.K].View)
	case OpScalar:
		fmt.Fprintf(&b, " $%d", s.K)
	case OpConst:
		fmt.Fprintf(&b, " %v", formatBits(s.DType, s.Imm))
	case OpAcc:
		if s.K != 0 {
			fmt.Fprintf(&b, " %d", s.K)
		}
	case OpCast:
		fmt.Fprintf(&b, " r%d:%v", s.Args[0], s.From)
	default:
		for _, a := range s.Args {
			fmt.Fprintf(&b, " r%d", a)
		}
	}
	return b.String()
}

func formatBits(d DType, bits uint64) string {
	if d.IsFloat() {
		return fmt.Sprint(BitsFloat(d, bits))
	}
	return fmt.Sprint(BitsInt(d, bits))
}

// check reports the first fault of a chain.
func (c Chain) check(ops []Operand, scalars []DType, acc []DType, slots []Slot) error {
	for i, s := range c {
		if s.Op == OpInvalid || s.Op >= NumOps {
			return fmt.Errorf("step %d: no op %d", i, s.Op)
		}
		for _, a := range s.Args {
			if a < 0 || a >= i {
				return fmt.Errorf("step %d: register %d is not set", i, a)
			}
		}
		switch s.Op {
		case OpLoad:
			if s.K < 0 || s.K >= len(ops) || ops[s.K].Slot == NoSlot {
				return fmt.Errorf("step %d: no operand %d", i, s.K)
			}
			if d := slots[ops[s.K].Slot].DType; d != s.DType {
				return fmt.Errorf("step %d: loads %v from a slot of %v", i, s.DType, d)
			}
		case OpIndex:
			if s.K < 0 || s.K >= len(ops) {
				return fmt.Errorf("step %d: no operand %d", i, s.K)
			}
			if ops[s.K].View.Masked() {
				return fmt.Errorf("step %d: index through a masked view", i)
			}
		case OpScalar:
			if s.K < 0 || s.K >= len(scalars) || scalars[s.K] != s.DType {
				return fmt.Errorf("step %d: no scalar %d of %v", i, s.K, s.DType)
			}
		case OpAcc:
			if s.K < 0 || s.K >= len(acc) || acc[s.K] != s.DType {
				return fmt.Errorf("step %d: no result %d of %v", i, s.K, s.DType)
			}
		case OpConst:
		default:
			in := s.Op.Info()
			if in.Kind != KindElementwise {
				return fmt.Errorf("step %d: %v is not elementwise", i, s.Op)
			}
			if len(s.Args) != in.Arity || !in.Args.Has(s.From) {
				return fmt.Errorf("step %d: %v does not take %d arguments of %v", i, s.Op, len(s.Args), s.From)
			}
			for k, a := range s.Args {
				want := s.From
				if s.Op == OpWhere && k == 0 {
					want = Bool
				}
				if c[a].DType != want {
					return fmt.Errorf("step %d: %v of r%d, which is %v, not %v", i, s.Op, a, c[a].DType, want)
				}
			}
			if in.Result != ResultGiven && s.Op.ResultType(s.From) != s.DType {
				return fmt.Errorf("step %d: %v of %v is not %v", i, s.Op, s.From, s.DType)
			}
		}
	}
	return nil
}
