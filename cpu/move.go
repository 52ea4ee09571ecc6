package cpu

import (
	"unsafe"

	"github.com/fornax-ml/fornax/tensor/ir"
)

// moves are the kernels that only move elements. Strides and n are in bytes,
// rows and columns numbers of them. A level without one has nil, and Go does the
// same.
type moves struct {
	// copyRows copies rows of n bytes; streamRows does so past the cache, to
	// rows that begin at multiples of align.
	copyRows, streamRows func(dst, src unsafe.Pointer, dstStride, srcStride, rows, n int)
	// gatherRows copies the rows at src + offs[i] to rows of n bytes at dst, one
	// after the other; rows is at least 1.
	gatherRows func(dst, src unsafe.Pointer, offs *int, rows, n int)
	transpose  []transposer // by preference
	fence      func()       // orders what streamRows stored before later stores
}

// A transposer writes dst[r, c] = src[c, r] for elements of size bytes; rows and
// cols are multiples of lanes, and not 0.
type transposer struct {
	size, lanes int
	f           func(dst, src unsafe.Pointer, dstStride, srcStride, rows, cols int)
}

// copyTo copies rows, streaming or not.
func (m *moves) copyTo(dst, src unsafe.Pointer, dstStride, srcStride, rows, n int, stream bool) {
	if stream && m.streamRows != nil && (uintptr(dst)|uintptr(dstStride))%align == 0 {
		m.streamRows(dst, src, dstStride, srcStride, rows, n)
		return
	}
	if m.copyRows != nil {
		m.copyRows(dst, src, dstStride, srcStride, rows, n)
		return
	}
	for i := range rows {
		copy(slice[byte](unsafe.Add(dst, i*dstStride), n), slice[byte](unsafe.Add(src, i*srcStride), n))
	}
}

// stream copies n bytes past the cache.
func (m *moves) stream(dst, src unsafe.Pointer, n int) {
	if head := int(-uintptr(dst) & (align - 1)); head > 0 {
		head = min(head, n)
		copy(slice[byte](dst, head), slice[byte](src, head))
		if n -= head; n == 0 {
			return
		}
		dst, src = unsafe.Add(dst, head), unsafe.Add(src, head)
	}
	m.copyTo(dst, src, 0, 0, 1, n, true)
}

// gather copies rows of n bytes at src + offs[i].
func (m *moves) gather(dst, src unsafe.Pointer, offs []int, n int) {
	if m.gatherRows != nil {
		m.gatherRows(dst, src, &offs[0], len(offs), n)
		return
	}
	for i, at := range offs {
		copy(slice[byte](unsafe.Add(dst, i*n), n), slice[byte](unsafe.Add(src, at), n))
	}
}

// turn writes dst[r, c] = src[c, r] where the elements of a row of src are step
// elements apart.
func (m *moves) turn(dst, src unsafe.Pointer, dstStride, srcStride, step, rows, cols, size int) {
	if step == 1 {
		m.turnBlocks(m.transpose, dst, src, dstStride, srcStride, rows, cols, size)
		return
	}
	turnAny(dst, src, dstStride, srcStride, step*size, rows, cols, size)
}

// turnBlocks turns the whole blocks of the first kernel, and what is left by
// those after it.
func (m *moves) turnBlocks(kernels []transposer, dst, src unsafe.Pointer, dstStride, srcStride, rows, cols, size int) {
	if len(kernels) == 0 {
		turnAny(dst, src, dstStride, srcStride, size, rows, cols, size)
		return
	}
	k := kernels[0]
	r, c := rows/k.lanes*k.lanes, cols/k.lanes*k.lanes
	if k.size != size || r == 0 || c == 0 {
		m.turnBlocks(kernels[1:], dst, src, dstStride, srcStride, rows, cols, size)
		return
	}
	k.f(dst, src, dstStride, srcStride, r, c)
	if r < rows {
		m.turnBlocks(kernels[1:], unsafe.Add(dst, r*dstStride), unsafe.Add(src, r*size), dstStride, srcStride, rows-r, cols, size)
	}
	if c < cols {
		m.turnBlocks(kernels[1:], unsafe.Add(dst, c*size), unsafe.Add(src, c*srcStride), dstStride, srcStride, r, cols-c, size)
	}
}

func turnAny(dst, src unsafe.Pointer, dstStride, srcStride, step, rows, cols, size int) {
	switch size {
	case 1:
		turnElems[uint8](dst, src, dstStride, srcStride, step, rows, cols)
	case 2:
		turnElems[uint16](dst, src, dstStride, srcStride, step, rows, cols)
	case 4:
		turnElems[uint32](dst, src, dstStride, srcStride, step, rows, cols)
	case 8:
		turnElems[uint64](dst, src, dstStride, srcStride, step, rows, cols)
	}
}

func turnElems[T any](dst, src unsafe.Pointer, dstStride, srcStride, step, rows, cols int) {
	for r := range rows {
		gatherRun[T](unsafe.Add(dst, r*dstStride), unsafe.Add(src, r*step), srcStride, cols)
	}
}

// streamBytes is the size of results from which on they are stored past the
// cache: what is that large has left the last-level cache before it is read, and
// a store that does not read its line first saves a third of a copy's traffic.
const streamBytes = 32 << 20

// streamable decides which stores of a map go past the cache: those to memory
// that the map does not read, where together they are large.
func (c *compiler) streamable(m *ir.Map) []bool {
	l := make([]bool, len(m.Stores))
	if c.lv.kernels.moves.streamRows == nil {
		return l
	}
	bytes := 0
	for i, s := range m.Stores {
		l[i] = true
		for _, o := range m.Operands {
			if o.Slot != ir.NoSlot && c.overlap(o.Slot, s.Slot) {
				l[i] = false
			}
		}
		if l[i] {
			bytes += ir.Size(m.Shape) * c.p.Slots[s.Slot].DType.Size()
		}
	}
	if bytes < streamBytes {
		clear(l)
	}
	return l
}
