package spirv

import (
	"fmt"
	"math/bits"
)

// SharedBytes returns the bytes of a kernel's shared (Workgroup) variables, when the
// specialization constants of these ids have these values and the others their defaults.
// Drivers may round up.
func (m *Module) SharedBytes(spec map[uint32]uint32) (uint64, error) {
	types, err := m.Types()
	if err != nil {
		return 0, err
	}
	e := &evaluator{types: types, values: map[uint32]uint32{}, parts: map[uint32][]uint32{}}
	deco := m.Decorations()
	total := uint64(0)
	for _, in := range m.Insts {
		if in.Op == OpFunction {
			break
		}
		if in.Op == OpVariable && in.word(2) == StorageWorkgroup {
			n, err := e.size(types[in.word(0)].Elem)
			if err != nil {
				return 0, err
			}
			total += n
			continue
		}
		e.constant(in)
		if id, ok := deco.Value(in.Result(), DecorationSpecId); ok {
			if v, set := spec[id]; set {
				e.values[in.Result()] = v
			}
		}
	}
	return total, nil
}

// An evaluator knows the values of 32-bit and boolean constants, in the order of the
// module.
type evaluator struct {
	types  map[uint32]Type
	values map[uint32]uint32
	parts  map[uint32][]uint32 // of composites
}

// constant takes note of an instruction that defines a constant.
func (e *evaluator) constant(in Inst) {
	id := in.Result()
	switch in.Op {
	case OpConstantTrue, OpSpecConstantTrue:
		e.values[id] = 1
	case OpConstantFalse, OpSpecConstantFalse, OpConstantNull:
		e.values[id] = 0
	case OpConstant, OpSpecConstant:
		e.values[id] = in.word(2)
	case OpConstantComposite, OpSpecConstantComposite:
		e.parts[id] = in.Words[min(2, len(in.Words)):]
	case OpSpecConstantOp:
		if v, ok := e.apply(in); ok {
			e.values[id] = v
		}
	}
}

// apply computes an OpSpecConstantOp of unsigned integers; ok is false for others.
func (e *evaluator) apply(in Inst) (v uint32, ok bool) {
	if len(in.Words) < 4 {
		return 0, false
	}
	op, args := in.Words[2], in.Words[3:]
	if op == uint32(OpCompositeExtract) {
		p := e.parts[args[0]]
		if len(args) != 2 || int(args[1]) >= len(p) {
			return 0, false
		}
		v, ok = e.values[p[args[1]]]
		return v, ok
	}
	x := make([]uint32, 3)
	for i, a := range args[:min(len(args), 3)] {
		if x[i], ok = e.values[a]; !ok {
			return 0, false
		}
	}
	return operate(op, x[0], x[1], x[2])
}

// operate computes those of the instructions on uints that sizes are made of.
func operate(op, a, b, c uint32) (v uint32, ok bool) {
	truth := func(yes bool) (uint32, bool) {
		if yes {
			return 1, true
		}
		return 0, true
	}
	switch op {
	case 128: // OpIAdd
		return a + b, true
	case 130: // OpISub
		return a - b, true
	case 132: // OpIMul
		return a * b, true
	case 134, 137: // OpUDiv, OpUMod
		if b == 0 {
			return 0, false
		}
		if op == 134 {
			return a / b, true
		}
		return a % b, true
	case 169: // OpSelect
		if a != 0 {
			return b, true
		}
		return c, true
	case 164, uint32(OpIEqual): // OpLogicalEqual
		return truth(a == b)
	case 165, 171: // OpLogicalNotEqual, OpINotEqual
		return truth(a != b)
	case 172: // OpUGreaterThan
		return truth(a > b)
	case 174: // OpUGreaterThanEqual
		return truth(a >= b)
	case 176: // OpULessThan
		return truth(a < b)
	case 178: // OpULessThanEqual
		return truth(a <= b)
	case 166: // OpLogicalOr
		return a | b, true
	case 167: // OpLogicalAnd
		return a & b, true
	case 168: // OpLogicalNot
		return truth(a == 0)
	}
	return 0, false
}

// mostShared is more than any device has.
const mostShared = 1 << 40

// size is that of a type in shared memory, packed.
func (e *evaluator) size(id uint32) (uint64, error) {
	t := e.types[id]
	of := func(n uint32) (uint64, error) {
		one, err := e.size(t.Elem)
		hi, total := bits.Mul64(one, uint64(n))
		if err == nil && (hi > 0 || total > mostShared) {
			err = fmt.Errorf("spirv: %s of %d elements in shared memory", t, n)
		}
		return total, err
	}
	switch t.Kind {
	case KindBool:
		return 4, nil
	case KindInt, KindFloat:
		return uint64(t.Width / 8), nil
	case KindVector, KindMatrix:
		return of(t.Count)
	case KindArray:
		n, ok := e.values[t.Length]
		if !ok {
			return 0, fmt.Errorf("spirv: the length of %s is no constant that can be computed", t)
		}
		return of(n)
	case KindStruct:
		total := uint64(0)
		for _, m := range t.Members {
			n, err := e.size(m)
			if err != nil {
				return 0, err
			}
			if total += n; total > mostShared {
				return 0, fmt.Errorf("spirv: %s in shared memory", t)
			}
		}
		return total, nil
	}
	return 0, fmt.Errorf("spirv: %s in shared memory", t)
}
