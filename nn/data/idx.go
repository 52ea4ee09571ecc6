package data

import (
	"bufio"
	"compress/flate"
	"compress/gzip"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math"
	"math/bits"
	"os"
)

// Errors that [ReadIDX] wraps, for errors.Is.
var (
	// ErrFormat says that bytes are not what the format demands: a wrong magic
	// number, a file cut short, bytes after the end, a broken gzip stream.
	ErrFormat = errors.New("malformed data")
	// ErrLimit says that a file holds more than [Limits] allows.
	ErrLimit = errors.New("over the limit")
)

const (
	// DefaultMaxBytes is the largest payload that [ReadIDX] reads when
	// [Limits].Bytes is zero: 1 GiB.
	DefaultMaxBytes = 1 << 30
	// MaxRank is the largest number of dimensions that [ReadIDX] accepts.
	MaxRank = 8

	firstChunk = 64 << 10 // bytes allocated before any byte of payload was seen
)

// Limits bounds what a reader accepts. The zero value is usable.
type Limits struct {
	// Bytes is the largest payload, after decompression and without the
	// header, in bytes. Zero means [DefaultMaxBytes].
	Bytes int64
}

// An ElemType is the element type of an IDX file, by its code in the file.
type ElemType uint8

// The element types of the IDX format.
const (
	U8  ElemType = 0x08 // uint8
	I8  ElemType = 0x09 // int8
	I16 ElemType = 0x0B // int16
	I32 ElemType = 0x0C // int32
	F32 ElemType = 0x0D // float32
	F64 ElemType = 0x0E // float64
)

// Size returns the bytes of one element, or 0 for an unknown type.
func (t ElemType) Size() int {
	switch t {
	case U8, I8:
		return 1
	case I16:
		return 2
	case I32, F32:
		return 4
	case F64:
		return 8
	}
	return 0
}

// String returns the name of the type, such as "u8".
func (t ElemType) String() string {
	switch t {
	case U8:
		return "u8"
	case I8:
		return "i8"
	case I16:
		return "i16"
	case I32:
		return "i32"
	case F32:
		return "f32"
	case F64:
		return "f64"
	}
	return fmt.Sprintf("ElemType(%#02x)", uint8(t))
}

// IDX is the content of an IDX file: one array.
type IDX struct {
	Type  ElemType
	Shape []int // sizes of the dimensions, slowest first; empty for a single element
	// Data holds the elements in row-major order: a []uint8, []int8, []int16,
	// []int32, []float32 or []float64, as Type says.
	Data any
}

// ReadIDX reads one IDX array from r, the format of the MNIST files (LeCun,
// Cortes and Burges, "The MNIST database of handwritten digits"): two zero
// bytes, the element type, the number of dimensions, each dimension as a
// big-endian uint32, then the elements, big-endian, row by row. A stream that
// starts with the magic number of gzip is decompressed first.
//
// The array must be all that r holds. Memory in use stays below three times the
// payload bytes that r has really delivered, plus 64 KiB and what gzip needs,
// whatever the header says. Errors wrap [ErrFormat], [ErrLimit] or the error
// of r.
func ReadIDX(r io.Reader, limits Limits) (*IDX, error) {
	x, err := readIDX(r, limits)
	if err != nil {
		return nil, fmt.Errorf("data: IDX: %w", err)
	}
	return x, nil
}

// ReadIDXFile reads the IDX file at path, plain or compressed with gzip. See
// [ReadIDX].
func ReadIDXFile(path string, limits Limits) (*IDX, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("data: IDX: %w", err)
	}
	defer f.Close()
	x, err := readIDX(f, limits)
	if err != nil {
		return nil, fmt.Errorf("data: IDX: %s: %w", path, err)
	}
	return x, nil
}

func readIDX(r io.Reader, limits Limits) (*IDX, error) {
	br := bufio.NewReader(r)
	if m, _ := br.Peek(2); len(m) == 2 && m[0] == 0x1f && m[1] == 0x8b {
		z, err := gzip.NewReader(br)
		if err != nil {
			return nil, streamError(err, "gzip header")
		}
		br = bufio.NewReader(z)
	}
	x, size, err := readHeader(br, limits)
	if err != nil {
		return nil, err
	}
	raw, err := readPayload(br, size)
	if err != nil {
		return nil, fmt.Errorf("%s array of shape %v: %w", x.Type, x.Shape, err)
	}
	// One byte more must not be there. For gzip, this read checks the sum too.
	switch _, err := br.ReadByte(); {
	case err == nil:
		return nil, fmt.Errorf("%s array of shape %v: bytes follow the %d that the header announces: %w",
			x.Type, x.Shape, size, ErrFormat)
	case err != io.EOF:
		return nil, streamError(err, "end of the stream")
	}
	x.Data = decode(x.Type, raw)
	return x, nil
}

// readHeader returns the array without its data, and the bytes of its data.
func readHeader(r io.Reader, limits Limits) (*IDX, int, error) {
	var b [4]byte
	if n, err := io.ReadFull(r, b[:]); err != nil {
		return nil, 0, cutShort(err, "magic number", 4, n)
	}
	x := &IDX{Type: ElemType(b[2])}
	rank := int(b[3])
	switch {
	case b[0] != 0 || b[1] != 0:
		return nil, 0, fmt.Errorf("magic number % x: want two zero bytes first: %w", b, ErrFormat)
	case x.Type.Size() == 0:
		return nil, 0, fmt.Errorf("element type %#02x: want 08, 09, 0b, 0c, 0d or 0e: %w", b[2], ErrFormat)
	case rank > MaxRank:
		return nil, 0, fmt.Errorf("%d dimensions: want at most %d: %w", rank, MaxRank, ErrFormat)
	}
	x.Shape = make([]int, rank)
	size, empty, over := uint64(x.Type.Size()), false, false
	for i := range x.Shape {
		if n, err := io.ReadFull(r, b[:]); err != nil {
			return nil, 0, cutShort(err, fmt.Sprintf("dimension %d of %d", i+1, rank), 4, n)
		}
		d := binary.BigEndian.Uint32(b[:])
		if uint64(d) > math.MaxInt {
			return nil, 0, fmt.Errorf("dimension %d of %d is %d: want at most %d: %w", i+1, rank, d, math.MaxInt, ErrLimit)
		}
		x.Shape[i] = int(d)
		if d == 0 {
			empty = true
			continue
		}
		hi, lo := bits.Mul64(size, uint64(d))
		over = over || hi != 0
		size = lo
	}
	most := limits.Bytes
	if most <= 0 {
		most = DefaultMaxBytes
	}
	most = min(most, math.MaxInt)
	if empty {
		return x, 0, nil
	}
	if over {
		return nil, 0, fmt.Errorf("%s array of shape %v needs 2⁶⁴ bytes or more: want at most %d: %w", x.Type, x.Shape, most, ErrLimit)
	}
	if size > uint64(most) {
		return nil, 0, fmt.Errorf("%s array of shape %v needs %d bytes: want at most %d: %w", x.Type, x.Shape, size, most, ErrLimit)
	}
	return x, int(size), nil
}

// readPayload reads size bytes. The buffer doubles each time it has been
// filled, so that a header which lies costs no more than the stream delivers.
func readPayload(r io.Reader, size int) ([]byte, error) {
	buf := make([]byte, min(size, firstChunk))
	have := 0
	for {
		n, err := io.ReadFull(r, buf[have:])
		have += n
		if have == size {
			return buf, nil
		}
		if err != nil {
			return nil, cutShort(err, "elements", size, have)
		}
		grown := make([]byte, len(buf)+min(len(buf), size-len(buf)))
		copy(grown, buf)
		buf = grown
	}
}

// cutShort describes a read that gave got bytes of want.
func cutShort(err error, what string, want, got int) error {
	if err == io.EOF || err == io.ErrUnexpectedEOF {
		return fmt.Errorf("%s: want %d bytes, the stream ends after %d: %w: %w", what, want, got, ErrFormat, io.ErrUnexpectedEOF)
	}
	return streamError(err, what)
}

// streamError adds [ErrFormat] to the errors by which gzip means bad bytes.
func streamError(err error, what string) error {
	var corrupt flate.CorruptInputError
	switch {
	case errors.Is(err, gzip.ErrHeader), errors.Is(err, gzip.ErrChecksum), errors.As(err, &corrupt),
		errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		return fmt.Errorf("%s: %w: %w", what, ErrFormat, err)
	}
	return fmt.Errorf("%s: %w", what, err)
}

// decode turns big-endian bytes into a slice of the element type.
func decode(t ElemType, raw []byte) any {
	be := binary.BigEndian
	switch t {
	case I8:
		return convert(raw, 1, func(b []byte) int8 { return int8(b[0]) })
	case I16:
		return convert(raw, 2, func(b []byte) int16 { return int16(be.Uint16(b)) })
	case I32:
		return convert(raw, 4, func(b []byte) int32 { return int32(be.Uint32(b)) })
	case F32:
		return convert(raw, 4, func(b []byte) float32 { return math.Float32frombits(be.Uint32(b)) })
	case F64:
		return convert(raw, 8, func(b []byte) float64 { return math.Float64frombits(be.Uint64(b)) })
	}
	return raw
}

func convert[T any](raw []byte, size int, one func([]byte) T) []T {
	out := make([]T, len(raw)/size)
	for i := range out {
		out[i] = one(raw[i*size:])
	}
	return out
}
