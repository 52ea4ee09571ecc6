package data

import (
	"bytes"
	"compress/gzip"
	"encoding/binary"
	"errors"
	"io"
	"math"
	"os"
	"path/filepath"
	"reflect"
	"runtime"
	"strings"
	"testing"
	"testing/iotest"
)

// idxBytes writes an IDX file with the given header and payload.
func idxBytes(t ElemType, dims []uint32, payload ...byte) []byte {
	b := []byte{0, 0, byte(t), byte(len(dims))}
	for _, d := range dims {
		b = binary.BigEndian.AppendUint32(b, d)
	}
	return append(b, payload...)
}

func zipped(b []byte) []byte {
	var out bytes.Buffer
	z := gzip.NewWriter(&out)
	z.Write(b)
	z.Close()
	return out.Bytes()
}

func TestReadIDXTypes(t *testing.T) {
	be := binary.BigEndian
	f32 := be.AppendUint32(be.AppendUint32(nil, math.Float32bits(1.5)), math.Float32bits(float32(math.Inf(-1))))
	f64 := be.AppendUint64(be.AppendUint64(nil, math.Float64bits(-0.1)), math.Float64bits(1e300))
	tests := []struct {
		name string
		file []byte
		want IDX
	}{
		{"u8", idxBytes(U8, []uint32{2, 3}, 1, 2, 3, 4, 5, 255), IDX{U8, []int{2, 3}, []uint8{1, 2, 3, 4, 5, 255}}},
		{"i8", idxBytes(I8, []uint32{3}, 1, 255, 128), IDX{I8, []int{3}, []int8{1, -1, -128}}},
		{"i16", idxBytes(I16, []uint32{2}, 1, 2, 0xff, 0xfe), IDX{I16, []int{2}, []int16{258, -2}}},
		{"i32", idxBytes(I32, []uint32{1, 2}, 0, 0, 1, 0, 0xff, 0xff, 0xff, 0xff), IDX{I32, []int{1, 2}, []int32{256, -1}}},
		{"f32", idxBytes(F32, []uint32{2}, f32...), IDX{F32, []int{2}, []float32{1.5, float32(math.Inf(-1))}}},
		{"f64", idxBytes(F64, []uint32{2, 1}, f64...), IDX{F64, []int{2, 1}, []float64{-0.1, 1e300}}},
		{"one element", idxBytes(U8, nil, 7), IDX{U8, []int{}, []uint8{7}}},
		{"empty", idxBytes(I16, []uint32{5, 0, math.MaxInt32}), IDX{I16, []int{5, 0, math.MaxInt32}, []int16{}}},
		{"rank 8", idxBytes(U8, []uint32{1, 1, 2, 1, 1, 1, 1, 1}, 3, 4), IDX{U8, []int{1, 1, 2, 1, 1, 1, 1, 1}, []uint8{3, 4}}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			for _, file := range [][]byte{test.file, zipped(test.file)} {
				for _, r := range []io.Reader{bytes.NewReader(file), iotest.OneByteReader(bytes.NewReader(file)), iotest.DataErrReader(bytes.NewReader(file))} {
					got, err := ReadIDX(r, Limits{})
					if err != nil {
						t.Fatal(err)
					}
					if !reflect.DeepEqual(*got, test.want) {
						t.Errorf("got %v, want %v", *got, test.want)
					}
				}
			}
		})
	}
}

func TestReadIDXErrors(t *testing.T) {
	good := idxBytes(U8, []uint32{2, 3}, 1, 2, 3, 4, 5, 6)
	badSum := zipped(good)
	badSum[len(badSum)-6] ^= 1
	badBlock := zipped(good)
	badBlock[10] |= 6 // block type 3 does not exist
	tests := []struct {
		name string
		file []byte
		is   error
		says string
	}{
		{"nothing", nil, ErrFormat, "magic number: want 4 bytes, the stream ends after 0"},
		{"three bytes", good[:3], io.ErrUnexpectedEOF, "magic number: want 4 bytes, the stream ends after 3"},
		{"not IDX", []byte("PNG\r...."), ErrFormat, "want two zero bytes"},
		{"type", idxBytes(0x0A, []uint32{1}, 0), ErrFormat, "element type 0x0a: want 08"},
		{"rank 9", idxBytes(U8, make([]uint32, 9)), ErrFormat, "9 dimensions: want at most 8"},
		{"dimension cut", good[:10], ErrFormat, "dimension 2 of 2: want 4 bytes, the stream ends after 2"},
		{"elements cut", good[:15], ErrFormat, "u8 array of shape [2 3]: elements: want 6 bytes, the stream ends after 3"},
		{"trailing", append(bytes.Clone(good), 0), ErrFormat, "bytes follow the 6"},
		{"trailing in gzip", zipped(append(bytes.Clone(good), 0)), ErrFormat, "bytes follow the 6"},
		{"trailing after gzip", append(zipped(good), 'x'), ErrFormat, "end of the stream"},
		{"gzip header cut", zipped(good)[:5], ErrFormat, "gzip header"},
		{"gzip cut", zipped(good)[:20], ErrFormat, "unexpected EOF"},
		{"gzip tail cut", zipped(good)[:len(zipped(good))-4], ErrFormat, "unexpected EOF"},
		{"gzip sum", badSum, ErrFormat, "gzip: invalid checksum"},
		{"gzip block", badBlock, ErrFormat, "flate: corrupt input"},
		{"over 2⁶⁴", idxBytes(F64, []uint32{1 << 30, 1 << 30, 1 << 30}), ErrLimit, "2⁶⁴ bytes or more"},
		{"wraps to 0", idxBytes(U8, []uint32{1 << 16, 1 << 16, 1 << 16, 1 << 16}), ErrLimit, "2⁶⁴ bytes or more"},
		{"over 1 GiB", idxBytes(F32, []uint32{1 << 28, 2}), ErrLimit, "needs 2147483648 bytes: want at most 1073741824"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			x, err := ReadIDX(bytes.NewReader(test.file), Limits{})
			if err == nil {
				t.Fatalf("got %v", x)
			}
			if !errors.Is(err, test.is) || !strings.Contains(err.Error(), test.says) {
				t.Errorf("got %q, want %q that wraps %q", err, test.says, test.is)
			}
		})
	}
}

func TestReadIDXLimit(t *testing.T) {
	file := idxBytes(I16, []uint32{3}, 0, 1, 0, 2, 0, 3)
	if _, err := ReadIDX(bytes.NewReader(file), Limits{Bytes: 6}); err != nil {
		t.Errorf("6 bytes under a limit of 6: %v", err)
	}
	if _, err := ReadIDX(bytes.NewReader(file), Limits{Bytes: 5}); !errors.Is(err, ErrLimit) {
		t.Errorf("6 bytes under a limit of 5: %v", err)
	}
}

func TestReadIDXReaderError(t *testing.T) {
	broken := errors.New("disk on fire")
	file := idxBytes(U8, []uint32{100}, 1, 2, 3)
	_, err := ReadIDX(io.MultiReader(bytes.NewReader(file), iotest.ErrReader(broken)), Limits{})
	if !errors.Is(err, broken) || errors.Is(err, ErrFormat) {
		t.Errorf("got %v, want the reader's own error only", err)
	}
}

// allocated returns the bytes that f allocates in all.
func allocated(f func()) int64 {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	f()
	runtime.ReadMemStats(&after)
	return int64(after.TotalAlloc - before.TotalAlloc)
}

// A header that lies must not cost more memory than the stream delivers.
func TestReadIDXBoundedMemory(t *testing.T) {
	lie := idxBytes(U8, []uint32{1 << 30}, make([]byte, 300<<10)...)
	for name, file := range map[string][]byte{"plain": lie, "gzip": zipped(lie)} {
		n := allocated(func() {
			if _, err := ReadIDX(bytes.NewReader(file), Limits{}); !errors.Is(err, ErrFormat) {
				t.Errorf("%s: %v", name, err)
			}
		})
		// The sum over all of the buffers: 64+128+256+512 KiB, and gzip's own.
		if n > 2<<20 {
			t.Errorf("%s: a stream of 300 KiB whose header claims 1 GiB allocated %d bytes", name, n)
		}
	}
	bomb := zipped(append(idxBytes(U8, []uint32{16}), make([]byte, 16<<20)...))
	n := allocated(func() {
		if _, err := ReadIDX(bytes.NewReader(bomb), Limits{}); !errors.Is(err, ErrFormat) {
			t.Errorf("bomb: %v", err)
		}
	})
	if n > 1<<20 {
		t.Errorf("a bomb of 16 MiB behind 16 bytes allocated %d bytes", n)
	}
}

func TestReadIDXFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a.idx")
	if _, err := ReadIDXFile(path, Limits{}); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("no file: %v", err)
	}
	if err := os.WriteFile(path, zipped(idxBytes(U8, []uint32{1}, 9)), 0o666); err != nil {
		t.Fatal(err)
	}
	if x, err := ReadIDXFile(path, Limits{}); err != nil || x.Data.([]uint8)[0] != 9 {
		t.Errorf("got %v, %v", x, err)
	}
	if err := os.WriteFile(path, []byte{0, 0, 8}, 0o666); err != nil {
		t.Fatal(err)
	}
	if _, err := ReadIDXFile(path, Limits{}); err == nil || !strings.Contains(err.Error(), path) {
		t.Errorf("got %v, want an error with the path", err)
	}
}

func TestElemType(t *testing.T) {
	for typ, want := range map[ElemType]string{U8: "u8", I8: "i8", I16: "i16", I32: "i32", F32: "f32", F64: "f64", 1: "ElemType(0x01)"} {
		if typ.String() != want {
			t.Errorf("%d is %q, want %q", uint8(typ), typ, want)
		}
	}
}

func FuzzReadIDX(f *testing.F) {
	good := idxBytes(U8, []uint32{2, 3}, 1, 2, 3, 4, 5, 6)
	f.Add(good)
	f.Add(zipped(good))
	f.Add(good[:9])
	f.Add(zipped(good)[:25])
	f.Add(idxBytes(F64, []uint32{1 << 30, 1 << 30, 1 << 30}))
	f.Add(idxBytes(I32, []uint32{1, 0, 7}))
	f.Add(idxBytes(F32, nil, 0x7f, 0x80, 0, 0))
	f.Fuzz(func(t *testing.T, file []byte) {
		const limit = 1 << 20
		x, err := ReadIDX(bytes.NewReader(file), Limits{Bytes: limit})
		if err != nil {
			if x != nil {
				t.Error("an array and an error")
			}
			if !errors.Is(err, ErrFormat) && !errors.Is(err, ErrLimit) {
				t.Errorf("%v wraps neither ErrFormat nor ErrLimit", err)
			}
			return
		}
		v := reflect.ValueOf(x.Data)
		if len(x.Shape) > MaxRank || v.Len()*x.Type.Size() > limit || int(v.Type().Elem().Size()) != x.Type.Size() {
			t.Errorf("type %s, shape %v, %d elements of %s", x.Type, x.Shape, v.Len(), v.Type().Elem())
		}
		if n := product(x.Shape); n >= 0 && n != v.Len() {
			t.Errorf("shape %v, %d elements", x.Shape, v.Len())
		}
	})
}
