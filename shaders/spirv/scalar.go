package spirv

import (
	"fmt"
	"math"
	"strconv"
	"strings"
)

// FormatScalar prints a bit pattern as a value of a scalar type named as
// [Type.String] does. Types that it cannot print come as hexadecimal bits.
func FormatScalar(typ string, bits uint64) string {
	switch {
	case typ == "bool":
		return strconv.FormatBool(bits != 0)
	case typ == "float":
		return strconv.FormatFloat(float64(math.Float32frombits(uint32(bits))), 'g', -1, 32)
	case typ == "double":
		return strconv.FormatFloat(math.Float64frombits(bits), 'g', -1, 64)
	}
	if width, signed, ok := intType(typ); ok {
		if signed {
			return strconv.FormatInt(int64(bits<<(64-width))>>(64-width), 10)
		}
		return strconv.FormatUint(bits, 10)
	}
	return fmt.Sprintf("0x%x", bits)
}

// ParseScalar is the inverse of [FormatScalar].
func ParseScalar(typ, s string) (uint64, error) {
	switch {
	case typ == "bool":
		b, err := strconv.ParseBool(s)
		if b {
			return 1, err
		}
		return 0, err
	case typ == "float":
		f, err := strconv.ParseFloat(s, 32)
		return uint64(math.Float32bits(float32(f))), err
	case typ == "double":
		f, err := strconv.ParseFloat(s, 64)
		return math.Float64bits(f), err
	}
	if width, signed, ok := intType(typ); ok {
		if signed {
			v, err := strconv.ParseInt(s, 0, int(width))
			return uint64(v) & (math.MaxUint64 >> (64 - width)), err
		}
		return strconv.ParseUint(s, 0, int(width))
	}
	if strings.HasPrefix(s, "0x") {
		return strconv.ParseUint(s, 0, 64)
	}
	return 0, fmt.Errorf("spirv: no values of type %q are known", typ)
}

func intType(typ string) (width uint, signed, ok bool) {
	rest, unsigned := strings.CutPrefix(typ, "u")
	rest, isInt := strings.CutPrefix(rest, "int")
	switch {
	case !isInt:
		return 0, false, false
	case rest == "":
		return 32, !unsigned, true
	case rest == "8" || rest == "16" || rest == "64":
		n, _ := strconv.Atoi(rest)
		return uint(n), !unsigned, true
	}
	return 0, false, false
}
