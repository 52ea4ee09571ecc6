package ir

import (
	"encoding/binary"
	"math"
)

// A Scalar is a run-time number: the argument of a program that is no buffer.
// Bits holds the value in the memory format of the dtype, in the low bytes.
type Scalar struct {
	DType DType
	Bits  uint64
}

// FloatBits returns the bits of v as dtype d: floats round to nearest, F16 and
// BF16 by way of float32; integers truncate and saturate (NaN gives 0), Bool is v != 0.
func FloatBits(d DType, v float64) uint64 {
	switch d {
	case F32:
		return uint64(math.Float32bits(float32(v)))
	case F16:
		return uint64(F16FromFloat32(float32(v)))
	case BF16:
		return uint64(BF16FromFloat32(float32(v)))
	case F64:
		return math.Float64bits(v)
	case Bool:
		if v != 0 {
			return 1
		}
		return 0
	}
	return IntBits(d, SaturateInt(d, v))
}

// IntBits returns the bits of v as dtype d: integers wrap, floats round to
// nearest, F16 and BF16 by way of float32; Bool is v != 0.
func IntBits(d DType, v int64) uint64 {
	switch d {
	case I8, U8:
		return uint64(uint8(v))
	case I32, U32:
		return uint64(uint32(v))
	case I64:
		return uint64(v)
	case Bool:
		if v != 0 {
			return 1
		}
		return 0
	case F32, F16, BF16:
		return FloatBits(d, float64(float32(v)))
	}
	return FloatBits(d, float64(v))
}

// BitsFloat returns the value that bits mean in dtype d, as float64.
func BitsFloat(d DType, bits uint64) float64 {
	switch d {
	case F32:
		return float64(math.Float32frombits(uint32(bits)))
	case F16:
		return float64(F16ToFloat32(uint16(bits)))
	case BF16:
		return float64(BF16ToFloat32(uint16(bits)))
	case F64:
		return math.Float64frombits(bits)
	}
	return float64(BitsInt(d, bits))
}

// BitsInt returns the value that bits mean in dtype d as an integer; floats
// truncate and saturate to int64.
func BitsInt(d DType, bits uint64) int64 {
	switch d {
	case I8:
		return int64(int8(bits))
	case U8:
		return int64(uint8(bits))
	case I32:
		return int64(int32(bits))
	case U32:
		return int64(uint32(bits))
	case I64:
		return int64(bits)
	case Bool:
		return int64(bits & 1)
	}
	return SaturateInt(I64, BitsFloat(d, bits))
}

// IntRange returns the smallest and largest value of integer dtype d.
func IntRange(d DType) (lo, hi int64) {
	switch d {
	case I8:
		return math.MinInt8, math.MaxInt8
	case U8:
		return 0, math.MaxUint8
	case I32:
		return math.MinInt32, math.MaxInt32
	case U32:
		return 0, math.MaxUint32
	case I64:
		return math.MinInt64, math.MaxInt64
	case Bool:
		return 0, 1
	}
	panic("ir: IntRange of " + d.String())
}

// SaturateInt converts v to integer dtype d: toward zero, clamped to the
// dtype's range, NaN to 0.
func SaturateInt(d DType, v float64) int64 {
	if v != v {
		return 0
	}
	lo, hi := IntRange(d)
	// float64(MaxInt64) rounds up to 2^63, which int64 cannot hold.
	if v >= float64(hi) {
		return hi
	}
	if v <= float64(lo) {
		return lo
	}
	return int64(v)
}

// WrapInt reduces v to the range of integer dtype d modulo its size.
func WrapInt(d DType, v int64) int64 { return BitsInt(d, IntBits(d, v)) }

// GetBits returns the bits of element i of a packed array of d.
func GetBits(d DType, b []byte, i int) uint64 {
	switch d.Size() {
	case 1:
		return uint64(b[i])
	case 2:
		return uint64(binary.LittleEndian.Uint16(b[2*i:]))
	case 4:
		return uint64(binary.LittleEndian.Uint32(b[4*i:]))
	}
	return binary.LittleEndian.Uint64(b[8*i:])
}

// PutBits stores the bits of element i of a packed array of d.
func PutBits(d DType, b []byte, i int, bits uint64) {
	switch d.Size() {
	case 1:
		b[i] = byte(bits)
	case 2:
		binary.LittleEndian.PutUint16(b[2*i:], uint16(bits))
	case 4:
		binary.LittleEndian.PutUint32(b[4*i:], uint32(bits))
	default:
		binary.LittleEndian.PutUint64(b[8*i:], bits)
	}
}
