package tensor

import (
	"fmt"
	"math"
	"unsafe"

	"github.com/fornax-ml/fornax/tensor/ir"
)

// A DType is the type of a tensor's elements.
type DType = ir.DType

// The dtypes. F32, I32, U32, U8 and Bool are on every device; DeviceInfo says
// which others are.
const (
	F32  = ir.F32
	F16  = ir.F16
	BF16 = ir.BF16
	F64  = ir.F64
	I8   = ir.I8
	U8   = ir.U8
	I32  = ir.I32
	U32  = ir.U32
	I64  = ir.I64
	Bool = ir.Bool
)

// A Float16 is an IEEE binary16 in its bits.
type Float16 uint16

// NewFloat16 rounds f to nearest even.
func NewFloat16(f float32) Float16 { return Float16(ir.F16FromFloat32(f)) }

// Float32 widens h; exact.
func (h Float16) Float32() float32 { return ir.F16ToFloat32(uint16(h)) }

// A BFloat16 is the upper half of an IEEE binary32, in its bits.
type BFloat16 uint16

// NewBFloat16 rounds f to nearest even.
func NewBFloat16(f float32) BFloat16 { return BFloat16(ir.BF16FromFloat32(f)) }

// Float32 widens h; exact.
func (h BFloat16) Float32() float32 { return ir.BF16ToFloat32(uint16(h)) }

// An Element is a Go type that tensors are made from and read into. An int
// becomes I32, as positions are on every device, and must fit; it reads I32,
// and I64 where int has 64 bits.
type Element interface {
	float32 | float64 | Float16 | BFloat16 | int8 | uint8 | int32 | uint32 | int64 | int | bool
}

// dtypeOf returns the dtype that elements of type T make.
func dtypeOf[T Element]() DType {
	var z T
	switch any(z).(type) {
	case float32:
		return F32
	case float64:
		return F64
	case Float16:
		return F16
	case BFloat16:
		return BF16
	case int8:
		return I8
	case uint8:
		return U8
	case uint32:
		return U32
	case int64:
		return I64
	case bool:
		return Bool
	}
	return I32 // int32, int
}

// bytesOf returns the memory of data, which must not be of ints.
func bytesOf[T Element](data []T) []byte {
	if len(data) == 0 {
		return nil
	}
	return unsafe.Slice((*byte)(unsafe.Pointer(unsafe.SliceData(data))), len(data)*int(unsafe.Sizeof(data[0])))
}

// encode returns data in the memory format of its dtype.
func encode[T Element](op string, data []T) []byte {
	ints, ok := any(data).([]int)
	if !ok {
		return bytesOf(data)
	}
	l := make([]int32, len(ints))
	for i, v := range ints {
		if v < math.MinInt32 || v > math.MaxInt32 {
			panic(&DTypeError{Op: op, DTypes: []DType{I32}, Reason: fmt.Sprintf("element %d is %d, which i32 cannot hold; use []int64", i, v)})
		}
		l[i] = int32(v)
	}
	return bytesOf(l)
}
