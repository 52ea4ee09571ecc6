package spirv

import (
	"encoding/binary"
	"errors"
	"fmt"
)

// Magic is the first word of every module.
const Magic = 0x07230203

// MaxBound is the largest id bound that Parse accepts, the universal limit of
// the specification's section 2.17.
const MaxBound = 0x3FFFFF + 1

// maxWords bounds a module's size: 16 Mi words, far above any real shader.
const maxWords = 16 << 20

const headerWords = 5

// Version is a SPIR-V version.
type Version struct{ Major, Minor uint8 }

// String gives the version as "1.3".
func (v Version) String() string { return fmt.Sprintf("%d.%d", v.Major, v.Minor) }

// Less tells whether v is older than u.
func (v Version) Less(u Version) bool {
	return v.Major < u.Major || v.Major == u.Major && v.Minor < u.Minor
}

// Inst is one instruction. Words are its operands, without the first word of
// the binary form, which holds opcode and length.
type Inst struct {
	Op    uint16
	Words []uint32
}

// Module is a parsed module. Insts may be changed freely; the operands of
// parsed instructions share memory with the words that Parse was given, so
// replace Inst.Words rather than writing through it. Appending to it is safe.
type Module struct {
	Version   Version
	Generator uint32 // tool id and version, as in the header
	Bound     uint32 // all ids are below it
	Schema    uint32
	Insts     []Inst
}

// Parse checks a module's header and cuts it into instructions. It reports
// wrong magic, byte order, version, bound, instruction lengths, and result ids
// that are zero, out of bounds or defined twice. It keeps words: see [Module].
func Parse(words []uint32) (*Module, error) {
	if len(words) < headerWords {
		return nil, fmt.Errorf("spirv: %d words are too few for a header", len(words))
	}
	if len(words) > maxWords {
		return nil, fmt.Errorf("spirv: %d words exceed the limit of %d", len(words), maxWords)
	}
	if words[0] != Magic {
		return nil, fmt.Errorf("spirv: magic number is %#08x, want %#08x", words[0], Magic)
	}
	v := words[1]
	if v&0xff0000ff != 0 || v>>16 != 1 {
		return nil, fmt.Errorf("spirv: unknown version word %#08x", v)
	}
	m := &Module{
		Version:   Version{Major: uint8(v >> 16), Minor: uint8(v >> 8)},
		Generator: words[2],
		Bound:     words[3],
		Schema:    words[4],
	}
	if m.Bound == 0 || m.Bound > MaxBound {
		return nil, fmt.Errorf("spirv: id bound %d is outside 1..%d", m.Bound, MaxBound)
	}
	n := 0
	for i := headerWords; i < len(words); n++ {
		size := int(words[i] >> 16)
		if size == 0 || size > len(words)-i {
			return nil, fmt.Errorf("spirv: word %d: opcode %d: length %d, %d words left", i, words[i]&0xffff, size, len(words)-i)
		}
		i += size
	}
	m.Insts = make([]Inst, 0, n)
	seen := make(map[uint32]bool)
	for i := headerWords; i < len(words); {
		next := i + int(words[i]>>16)
		in := Inst{Op: uint16(words[i]), Words: words[i+1 : next : next]}
		if err := m.checkResult(in, seen); err != nil {
			return nil, fmt.Errorf("spirv: word %d: %w", i, err)
		}
		m.Insts = append(m.Insts, in)
		i = next
	}
	return m, nil
}

// checkResult checks an instruction's type and result ids.
func (m *Module) checkResult(in Inst, seen map[uint32]bool) error {
	hasType, hasResult, known := Shape(in.Op)
	if !known {
		return nil
	}
	need := 0
	if hasType {
		need++
	}
	if hasResult {
		need++
	}
	if len(in.Words) < need {
		return fmt.Errorf("%s is too short for its result", OpcodeName(in.Op))
	}
	for _, id := range in.Words[:need] {
		if id == 0 || id >= m.Bound {
			return fmt.Errorf("%s: id %d is outside 1..%d", OpcodeName(in.Op), id, m.Bound-1)
		}
	}
	if hasResult {
		id := in.Words[need-1]
		if seen[id] {
			return fmt.Errorf("%s: id %d is defined twice", OpcodeName(in.Op), id)
		}
		seen[id] = true
	}
	return nil
}

// ParseBytes is [Parse] for a file's content, in either byte order.
func ParseBytes(data []byte) (*Module, error) {
	words, err := BytesToWords(data)
	if err != nil {
		return nil, err
	}
	return Parse(words)
}

// BytesToWords turns a .spv file's content into words. The magic number tells
// the byte order.
func BytesToWords(data []byte) ([]uint32, error) {
	if len(data) == 0 || len(data)%4 != 0 {
		return nil, fmt.Errorf("spirv: size of %d bytes is not a positive multiple of 4", len(data))
	}
	var order binary.ByteOrder = binary.LittleEndian
	if binary.BigEndian.Uint32(data) == Magic {
		order = binary.BigEndian
	}
	words := make([]uint32, len(data)/4)
	for i := range words {
		words[i] = order.Uint32(data[4*i:])
	}
	return words, nil
}

// WordsToBytes gives words in little-endian order, as .spv files have them.
func WordsToBytes(words []uint32) []byte {
	out := make([]byte, 0, 4*len(words))
	for _, w := range words {
		out = binary.LittleEndian.AppendUint32(out, w)
	}
	return out
}

// ErrTooLong is returned by [Module.Words] for an instruction of more than
// 65535 words.
var ErrTooLong = errors.New("spirv: instruction is longer than 65535 words")

// Words encodes the module. Words of an unchanged module equals what Parse was
// given. Result ids are not checked again.
func (m *Module) Words() ([]uint32, error) {
	n := headerWords
	for _, in := range m.Insts {
		n += 1 + len(in.Words)
	}
	out := make([]uint32, 0, n)
	out = append(out, Magic, uint32(m.Version.Major)<<16|uint32(m.Version.Minor)<<8, m.Generator, m.Bound, m.Schema)
	for _, in := range m.Insts {
		if len(in.Words) >= 0xffff {
			return nil, fmt.Errorf("%w: %s", ErrTooLong, OpcodeName(in.Op))
		}
		out = append(out, uint32(len(in.Words)+1)<<16|uint32(in.Op))
		out = append(out, in.Words...)
	}
	return out, nil
}

// NewID takes a fresh id, raising Bound.
func (m *Module) NewID() uint32 {
	id := m.Bound
	m.Bound++
	return id
}

// Result gives the instruction's result id, or 0 when it has none or its
// opcode is unknown to the package.
func (in Inst) Result() uint32 {
	hasType, hasResult, _ := Shape(in.Op)
	switch {
	case !hasResult:
		return 0
	case hasType && len(in.Words) > 1:
		return in.Words[1]
	case !hasType && len(in.Words) > 0:
		return in.Words[0]
	}
	return 0
}

// Type gives the id of the instruction's result type, or 0.
func (in Inst) Type() uint32 {
	if hasType, _, _ := Shape(in.Op); hasType && len(in.Words) > 0 {
		return in.Words[0]
	}
	return 0
}

// word gives operand i, or 0 where there is none.
func (in Inst) word(i int) uint32 {
	if i < len(in.Words) {
		return in.Words[i]
	}
	return 0
}

// String prints the instruction for messages, operands as plain numbers.
func (in Inst) String() string { return fmt.Sprintf("%s %d", OpcodeName(in.Op), in.Words) }
