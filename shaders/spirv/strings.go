package spirv

import (
	"errors"
	"strings"
)

var errString = errors.New("spirv: string literal has no terminator")

// String decodes a string literal at the start of operands and tells how many
// words it takes.
func String(operands []uint32) (s string, words int, err error) {
	var b strings.Builder
	for i, w := range operands {
		for k := 0; k < 4; k++ {
			c := byte(w >> (8 * k))
			if c == 0 {
				return b.String(), i + 1, nil
			}
			b.WriteByte(c)
		}
	}
	return "", 0, errString
}

// StringWords encodes a string literal. The string ends at its first NUL.
func StringWords(s string) []uint32 {
	if i := strings.IndexByte(s, 0); i >= 0 {
		s = s[:i]
	}
	out := make([]uint32, len(s)/4+1)
	for i := 0; i < len(s); i++ {
		out[i/4] |= uint32(s[i]) << (8 * (i % 4))
	}
	return out
}

// text decodes the literal at operand i, or gives "" when it is malformed.
func (in Inst) text(i int) string {
	if i >= len(in.Words) {
		return ""
	}
	s, _, err := String(in.Words[i:])
	if err != nil {
		return ""
	}
	return s
}
