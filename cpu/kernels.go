package cpu

import (
	"fmt"
	"sync"
	"unsafe"

	"github.com/fornax-ml/fornax/tensor/ir"
)

// A kernel computes n elements at dst from the n elements at each argument it
// has. dst may be one of the arguments where the elements are of one size;
// otherwise they do not overlap. n is at least 1.
type kernel func(dst, a, b, c unsafe.Pointer, n int)

// A philoxKernel computes the n words of the stream of key (k0, k1) and number
// (c0, c1) that a numbers.
type philoxKernel func(dst, a, k0, k1, c0, c1 unsafe.Pointer, n int)

// A streamKernel computes n words of one stream, from word first on.
type streamKernel func(dst unsafe.Pointer, first, k0, k1, c0, c1 uint32, n int)

// numDTypes bounds the dtypes as array indices.
const numDTypes = int(ir.Bool) + 1

// A kernelTable holds the block kernels of a level; those of portable Go serve
// wherever a level has none of its own.
type kernelTable struct {
	calc    [ir.NumOps][numDTypes]kernel // by op and the arguments' dtype
	cast    [numDTypes][numDTypes]kernel // by dtype from and to
	where   [9]kernel                    // by element size
	move    [9]kernel                    // copies, by element size
	widen   [numDTypes]kernel            // F16 and BF16 to F32
	narrow  [numDTypes]kernel            // and back
	round   [numDTypes]kernel            // F32 to F32 that the half dtype has
	notBool kernel

	philox philoxKernel
	stream streamKernel
	fused  *fusedSet // nil: steps are not fused

	rows    rowKind
	rowSums func(st, x unsafe.Pointer, n, rows int) // of rows no longer than subRun, to states of no elements; or nil
	lanes   laneKernels
	cols    colKernels
	moves   moves
}

// laneKernels fold each of rows of n float32, which lie one after the other, to
// rowLanes values. They are nil, or there with colKernels.
type laneKernels struct {
	max, min func(dst, x unsafe.Pointer, n, rows int)
}

const rowLanes = 16

// colKernels fold rows of n float32, stride bytes apart, into those at acc, in
// order. They are nil where Go does it a row at a time.
type colKernels struct {
	sum, max, min func(acc, x unsafe.Pointer, n, rows, stride int)
}

// A rowKind says which kernels there are for rows of float32. They are called
// through a switch, not a variable, so that what they write to may be on the
// stack.
type rowKind uint8

const (
	rowsPortable rowKind = iota
	rowsAVX2
	rowsAVX512
	rowsNEON
)

// lookup returns the kernel of an elementwise step whose registers are of dtype
// d.
func (t *kernelTable) lookup(op ir.Op, d ir.DType, s ir.Step) (kernel, error) {
	var k kernel
	switch op {
	case ir.OpCast:
		to := s.DType
		if half(to) {
			to = ir.F32
		}
		k = t.cast[d][to]
	case ir.OpWhere:
		k = t.where[d.Size()]
	case ir.OpNot:
		k = t.calc[op][d]
		if s.From == ir.Bool {
			k = t.notBool
		}
	default:
		k = t.calc[op][d]
	}
	if k == nil {
		return nil, fmt.Errorf("%w for %v of %v", errNoKernel, op, s.From)
	}
	return k, nil
}

// slice returns the n elements at p.
func slice[T any](p unsafe.Pointer, n int) []T { return unsafe.Slice((*T)(p), n) }

type signed interface {
	int8 | int32 | int64
}

type integer interface {
	signed | uint8 | uint32
}

type float interface {
	float32 | float64
}

type number interface {
	integer | float
}

func moveBlock[T any](dst, a, _, _ unsafe.Pointer, n int) {
	copy(slice[T](dst, n), slice[T](a, n))
}

func whereBlock[T uint8 | uint32 | uint64](dst, c, a, b unsafe.Pointer, n int) {
	d, m, x, y := slice[T](dst, n), slice[uint8](c, n), slice[T](a, n), slice[T](b, n)
	for i := range d {
		p, q := x[i], y[i]
		if m[i] != 0 {
			q = p
		}
		d[i] = q
	}
}

func notBool(dst, a, _, _ unsafe.Pointer, n int) {
	d, x := slice[uint8](dst, n), slice[uint8](a, n)
	for i := range d {
		d[i] = 1 - x[i]
	}
}

func widenBlock(f func(uint16) float32) kernel {
	return func(dst, a, _, _ unsafe.Pointer, n int) {
		d, x := slice[float32](dst, n), slice[uint16](a, n)
		for i := range d {
			d[i] = f(x[i])
		}
	}
}

func narrowBlock(f func(float32) uint16) kernel {
	return func(dst, a, _, _ unsafe.Pointer, n int) {
		d, x := slice[uint16](dst, n), slice[float32](a, n)
		for i := range d {
			d[i] = f(x[i])
		}
	}
}

func roundBlock(f func(float32) uint16, g func(uint16) float32) kernel {
	return func(dst, a, _, _ unsafe.Pointer, n int) {
		d, x := slice[float32](dst, n), slice[float32](a, n)
		for i := range d {
			d[i] = g(f(x[i]))
		}
	}
}

// portableKernels makes the table of the portable kernels.
var portableKernels = sync.OnceValue(func() *kernelTable {
	k := &kernelTable{}
	k.move[1], k.move[2], k.move[4], k.move[8] = moveBlock[uint8], moveBlock[uint16], moveBlock[uint32], moveBlock[uint64]
	k.where[1], k.where[4], k.where[8] = whereBlock[uint8], whereBlock[uint32], whereBlock[uint64]
	k.notBool = notBool
	k.philox, k.stream = philox, stream
	k.widen[ir.F16], k.widen[ir.BF16] = widenBlock(ir.F16ToFloat32), widenBlock(ir.BF16ToFloat32)
	k.narrow[ir.F16], k.narrow[ir.BF16] = narrowBlock(ir.F16FromFloat32), narrowBlock(ir.BF16FromFloat32)
	k.round[ir.F16] = roundBlock(ir.F16FromFloat32, ir.F16ToFloat32)
	k.round[ir.BF16] = roundBlock(ir.BF16FromFloat32, ir.BF16ToFloat32)

	numberKernels[float32](k, ir.F32)
	numberKernels[float64](k, ir.F64)
	numberKernels[int8](k, ir.I8)
	numberKernels[uint8](k, ir.U8)
	numberKernels[int32](k, ir.I32)
	numberKernels[uint32](k, ir.U32)
	numberKernels[int64](k, ir.I64)
	floatKernels[float32](k, ir.F32)
	floatKernels[float64](k, ir.F64)
	intKernels[int8](k, ir.I8)
	intKernels[uint8](k, ir.U8)
	intKernels[int32](k, ir.I32)
	intKernels[uint32](k, ir.U32)
	intKernels[int64](k, ir.I64)
	math32Kernels(k)
	math64Kernels(k)

	castsFromFloat[float32](k, ir.F32)
	castsFromFloat[float64](k, ir.F64)
	castsFromInt[int8](k, ir.I8)
	castsFromInt[uint8](k, ir.U8)
	castsFromInt[int32](k, ir.I32)
	castsFromInt[uint32](k, ir.U32)
	castsFromInt[int64](k, ir.I64)
	return k
})
