package ir

import "fmt"

// A DType is the type of a tensor's elements.
type DType uint8

// The dtypes. Every device has F32, I32, U32, U8 and Bool; the others are
// listed in [Info.DTypes] where a device has them.
const (
	Invalid DType = iota
	F32           // IEEE binary32
	F16           // IEEE binary16
	BF16          // bfloat16: the upper half of a binary32
	F64           // IEEE binary64
	I8            // two's complement, wraps
	U8            // wraps
	I32           // two's complement, wraps
	U32           // wraps
	I64           // two's complement, wraps
	Bool          // one byte, 0 or 1
	numDTypes
)

// A Class is a set of dtypes.
type Class uint16

// The classes that op rows use.
const (
	Floats   Class = 1<<F32 | 1<<F16 | 1<<BF16 | 1<<F64
	Signed   Class = 1<<I8 | 1<<I32 | 1<<I64
	Unsigned Class = 1<<U8 | 1<<U32
	Ints           = Signed | Unsigned
	Numbers        = Floats | Ints
	Bools    Class = 1 << Bool
	Any            = Numbers | Bools
)

// Has reports whether the class contains d.
func (c Class) Has(d DType) bool { return c&(1<<d) != 0 }

// List returns the dtypes of the class in enum order.
func (c Class) List() []DType {
	var l []DType
	for d := F32; d < numDTypes; d++ {
		if c.Has(d) {
			l = append(l, d)
		}
	}
	return l
}

var dtypeNames = [numDTypes]string{"invalid", "f32", "f16", "bf16", "f64", "i8", "u8", "i32", "u32", "i64", "bool"}
var dtypeSizes = [numDTypes]int{0, 4, 2, 2, 8, 1, 1, 4, 4, 8, 1}

// String returns the short name: "f32", "bool".
func (d DType) String() string {
	if d < numDTypes {
		return dtypeNames[d]
	}
	return fmt.Sprintf("dtype(%d)", uint8(d))
}

// Size returns the bytes an element takes.
func (d DType) Size() int { return dtypeSizes[d] }

// IsFloat reports whether d is a floating-point dtype.
func (d DType) IsFloat() bool { return Floats.Has(d) }

// IsInt reports whether d is an integer dtype; Bool is not.
func (d DType) IsInt() bool { return Ints.Has(d) }

// ParseDType returns the dtype of a short name.
func ParseDType(s string) (DType, error) {
	for d := F32; d < numDTypes; d++ {
		if dtypeNames[d] == s {
			return d, nil
		}
	}
	return Invalid, fmt.Errorf("ir: no dtype is called %q", s)
}

// SlotBytes returns the bytes that n elements of d take in a buffer: packed,
// rounded up to 4.
func SlotBytes(d DType, n int) int { return (n*d.Size() + 3) &^ 3 }
