package spirv

import "fmt"

// Kind is a type's kind.
type Kind uint8

// The kinds of types. KindOther stands for images, events and all that a
// compute kernel over buffers does not meet.
const (
	KindOther Kind = iota
	KindVoid
	KindBool
	KindInt
	KindFloat
	KindVector
	KindMatrix
	KindArray
	KindRuntimeArray
	KindStruct
	KindPointer
	KindFunction
	KindImage
	KindSampler
	KindSampledImage
)

// Type is a decoded OpType instruction.
type Type struct {
	ID      uint32
	Op      uint16
	Kind    Kind
	Width   uint32   // bits of an int or float
	Signed  bool     // of an int
	Elem    uint32   // element, column, pointee or return type
	Count   uint32   // of a vector's components or a matrix's columns
	Length  uint32   // id of an array's length constant
	Storage uint32   // a pointer's storage class
	Members []uint32 // a structure's members or a function's parameters
	Encoded []uint32 // operands after the result id

	depth int
}

// maxDepth is the universal limit on the nesting of structures.
const maxDepth = 255

// String names scalar types as GLSL does, and others by kind and id.
func (t Type) String() string {
	switch {
	case t.Kind == KindBool:
		return "bool"
	case t.Kind == KindInt && t.Width == 32 && t.Signed:
		return "int"
	case t.Kind == KindInt && t.Width == 32:
		return "uint"
	case t.Kind == KindInt && t.Signed:
		return fmt.Sprintf("int%d", t.Width)
	case t.Kind == KindInt:
		return fmt.Sprintf("uint%d", t.Width)
	case t.Kind == KindFloat && t.Width == 32:
		return "float"
	case t.Kind == KindFloat && t.Width == 64:
		return "double"
	case t.Kind == KindFloat:
		return fmt.Sprintf("float%d", t.Width)
	}
	return fmt.Sprintf("%s %%%d", OpcodeName(t.Op), t.ID)
}

// Types decodes all types. Types whose instruction is too short, or that name
// an element type neither defined before them nor declared as a forward
// pointer, are an error; so a walk from type to element that stops at pointers
// always ends.
func (m *Module) Types() (map[uint32]Type, error) {
	out := make(map[uint32]Type)
	forward := make(map[uint32]bool)
	for _, in := range m.Insts {
		if in.Op == OpFunction {
			break
		}
		if in.Op == OpTypeForwardPointer && len(in.Words) > 0 {
			forward[in.Words[0]] = true
		}
		if (in.Op < OpTypeVoid || in.Op > OpTypePipe) && in.Op != OpTypeCooperativeMatrixKHR {
			continue
		}
		if len(in.Words) == 0 {
			return nil, fmt.Errorf("spirv: %s has no result", OpcodeName(in.Op))
		}
		t, need := decodeType(in)
		if len(in.Words) < need {
			return nil, fmt.Errorf("spirv: %s %%%d is too short", OpcodeName(in.Op), t.ID)
		}
		if _, twice := out[t.ID]; twice {
			return nil, fmt.Errorf("spirv: type %%%d is defined twice", t.ID)
		}
		if forward[t.ID] && t.Kind != KindPointer {
			return nil, fmt.Errorf("spirv: %s %%%d was declared as a pointer", OpcodeName(in.Op), t.ID)
		}
		for _, e := range elements(t) {
			if _, ok := out[e]; !ok && !forward[e] {
				return nil, fmt.Errorf("spirv: %s %%%d: type %%%d is not defined before it", OpcodeName(in.Op), t.ID, e)
			}
			t.depth = max(t.depth, out[e].depth+1)
		}
		if t.depth > maxDepth {
			return nil, fmt.Errorf("spirv: type %%%d is nested deeper than %d", t.ID, maxDepth)
		}
		out[t.ID] = t
	}
	return out, nil
}

func elements(t Type) []uint32 {
	switch t.Kind {
	case KindVector, KindMatrix, KindArray, KindRuntimeArray:
		return []uint32{t.Elem}
	case KindStruct:
		return t.Members
	}
	return nil
}

// decodeType decodes one instruction and gives the operands that it must have.
func decodeType(in Inst) (t Type, need int) {
	t = Type{ID: in.Words[0], Op: in.Op, Encoded: in.Words[1:]}
	switch in.Op {
	case OpTypeVoid:
		t.Kind, need = KindVoid, 1
	case OpTypeBool:
		t.Kind, need = KindBool, 1
	case OpTypeInt:
		t.Kind, need = KindInt, 3
		t.Width, t.Signed = in.word(1), in.word(2) != 0
	case OpTypeFloat:
		t.Kind, need = KindFloat, 2
		t.Width = in.word(1)
	case OpTypeVector:
		t.Kind, need = KindVector, 3
		t.Elem, t.Count = in.word(1), in.word(2)
	case OpTypeMatrix:
		t.Kind, need = KindMatrix, 3
		t.Elem, t.Count = in.word(1), in.word(2)
	case OpTypeArray:
		t.Kind, need = KindArray, 3
		t.Elem, t.Length = in.word(1), in.word(2)
	case OpTypeRuntimeArray:
		t.Kind, need = KindRuntimeArray, 2
		t.Elem = in.word(1)
	case OpTypeStruct:
		t.Kind, need = KindStruct, 1
		t.Members = in.Words[1:]
	case OpTypePointer:
		t.Kind, need = KindPointer, 3
		t.Storage, t.Elem = in.word(1), in.word(2)
	case OpTypeFunction:
		t.Kind, need = KindFunction, 2
		t.Elem = in.word(1)
		if len(in.Words) > 2 {
			t.Members = in.Words[2:]
		}
	case OpTypeImage:
		t.Kind, need = KindImage, 8
	case OpTypeSampler:
		t.Kind, need = KindSampler, 1
	case OpTypeSampledImage:
		t.Kind, need = KindSampledImage, 2
		t.Elem = in.word(1)
	}
	return t, need
}
