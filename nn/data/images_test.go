package data

import (
	"errors"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
)

// writeSet writes a folder in MNIST's form, with n training and m test images
// of 2x3 pixels, and returns it. Names end in suffix.
func writeSet(t *testing.T, n, m uint32, suffix string) string {
	t.Helper()
	dir := t.TempDir()
	write := func(name string, b []byte) {
		if strings.HasSuffix(suffix, ".gz") {
			b = zipped(b)
		}
		if err := os.WriteFile(filepath.Join(dir, name+suffix), b, 0o666); err != nil {
			t.Fatal(err)
		}
	}
	for set, count := range map[string]uint32{"train": n, "t10k": m} {
		pixels, labels := make([]byte, 6*count), make([]byte, count)
		for i := range pixels {
			pixels[i] = byte(i)
		}
		for i := range labels {
			labels[i] = byte(i % 10)
		}
		write(set+"-images-idx3-ubyte", idxBytes(U8, []uint32{count, 2, 3}, pixels...))
		write(set+"-labels-idx1-ubyte", idxBytes(U8, []uint32{count}, labels...))
	}
	return dir
}

func TestMNISTFolder(t *testing.T) {
	for _, suffix := range []string{"", ".gz"} {
		train, test, err := MNIST(writeSet(t, 5, 2, suffix))
		if err != nil {
			t.Fatal(err)
		}
		if train.Len() != 5 || test.Len() != 2 || train.H != 2 || train.W != 3 || test.Labels[1] != 1 {
			t.Errorf("%q: got %d and %d images of %dx%d", suffix, train.Len(), test.Len(), train.H, train.W)
		}
	}
	dir := writeSet(t, 5, 2, "")
	os.Rename(filepath.Join(dir, "t10k-images-idx3-ubyte"), filepath.Join(dir, "t10k-images.idx3-ubyte"))
	if _, _, err := MNIST(dir); err != nil {
		t.Errorf("a dot before idx3: %v", err)
	}
}

func TestMNISTErrors(t *testing.T) {
	tests := []struct {
		name string
		harm func(dir string) error
		is   error
		says string
	}{
		{"missing", func(dir string) error { return os.Remove(filepath.Join(dir, "t10k-labels-idx1-ubyte")) },
			fs.ErrNotExist, "no file t10k-labels-idx1-ubyte or t10k-labels-idx1-ubyte.gz"},
		{"counts", func(dir string) error {
			return os.WriteFile(filepath.Join(dir, "train-labels-idx1-ubyte"), idxBytes(U8, []uint32{4}, 1, 2, 3, 4), 0o666)
		}, ErrFormat, "5 images but 4 labels"},
		{"rank", func(dir string) error {
			return os.WriteFile(filepath.Join(dir, "train-images-idx3-ubyte"), idxBytes(U8, []uint32{2}, 1, 2), 0o666)
		}, ErrFormat, "u8 array of shape [2]: want u8 with 3 dimensions"},
		{"label type", func(dir string) error {
			return os.WriteFile(filepath.Join(dir, "train-labels-idx1-ubyte"), idxBytes(I8, []uint32{5}, 1, 2, 3, 4, 5), 0o666)
		}, ErrFormat, "i8 array of shape [5]: want u8 with 1 dimension"},
		{"truncated", func(dir string) error { return os.Truncate(filepath.Join(dir, "train-images-idx3-ubyte"), 40) },
			ErrFormat, "want 30 bytes, the stream ends after 24"},
		{"sizes", func(dir string) error {
			return os.WriteFile(filepath.Join(dir, "t10k-images-idx3-ubyte"), idxBytes(U8, []uint32{2, 1, 1}, 1, 2), 0o666)
		}, ErrFormat, "training images are 2x3, test images 1x1"},
		{"no pixels", func(dir string) error {
			return os.WriteFile(filepath.Join(dir, "t10k-images-idx3-ubyte"), idxBytes(U8, []uint32{2, 0, 1}), 0o666)
		}, ErrFormat, "0 pixels"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			dir := writeSet(t, 5, 2, "")
			if err := test.harm(dir); err != nil {
				t.Fatal(err)
			}
			_, _, err := MNIST(dir)
			if !errors.Is(err, test.is) || !strings.Contains(err.Error(), test.says) {
				t.Errorf("got %v, want %q that wraps %q", err, test.says, test.is)
			}
		})
	}
	if _, _, err := MNIST(""); err == nil || !strings.Contains(err.Error(), "nn/data/mnist") {
		t.Errorf("no folder: %v", err)
	}
}

func TestImagesFill(t *testing.T) {
	im := &Images{N: 3, H: 1, W: 2, Pixels: []byte{0, 255, 51, 102, 1, 2}, Labels: []uint8{7, 8, 9}}
	x, y := make([]float32, 4), make([]int32, 2)
	if err := im.Fill(x, y, []int{1, 0}); err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(x, []float32{0.2, 0.4, 0, 1}) || !reflect.DeepEqual(y, []int32{8, 7}) {
		t.Errorf("got %v %v", x, y)
	}
	if err := im.Normalized(0.5, 0.25).Fill(x, y, []int{0, 2}); err != nil {
		t.Fatal(err)
	}
	if x[0] != -2 || x[1] != 2 || y[1] != 9 {
		t.Errorf("normalized: got %v %v", x, y)
	}
	if s := im.Slice(1, 3); s.Len() != 2 || s.Pixels[0] != 51 || s.Labels[1] != 9 {
		t.Errorf("slice: got %v", s)
	}
}

func TestMeanStd(t *testing.T) {
	im := &Images{N: 1, H: 2, W: 2, Pixels: []byte{0, 255, 0, 255}, Labels: []uint8{0}}
	if mean, std := im.MeanStd(); mean != 0.5 || math.Abs(std-0.5) > 1e-15 {
		t.Errorf("got %v, %v", mean, std)
	}
	if mean, std := (&Images{}).MeanStd(); mean != 0 || std != 0 {
		t.Errorf("no images: got %v, %v", mean, std)
	}
	same := &Images{N: 1, H: 1, W: 2, Pixels: []byte{51, 51}, Labels: []uint8{0}}
	x, y := make([]float32, 2), make([]int32, 1)
	mean, std := same.MeanStd()
	if err := same.Normalized(mean, std).Fill(x, y, []int{0}); err != nil || x[0] != 0 {
		t.Errorf("equal pixels: std %v, got %v, %v", std, x, err)
	}
}

func TestNewTable(t *testing.T) {
	tests := []struct {
		name           string
		x, y           int
		xShape, yShape []int
		ok             bool
	}{
		{"rows", 12, 6, []int{2}, nil, true},
		{"no rows", 0, 0, []int{2}, nil, true},
		{"part of a row", 13, 6, []int{2}, nil, false},
		{"counts differ", 12, 5, []int{2}, nil, false},
		{"empty rows", 0, 6, []int{0}, nil, false},
		{"negative", 12, 6, []int{-2}, nil, false},
		{"overflow", 12, 6, []int{maxInt, 3}, nil, false},
	}
	for _, test := range tests {
		_, err := NewTable(make([]float32, test.x), make([]int32, test.y), test.xShape, test.yShape)
		if (err == nil) != test.ok {
			t.Errorf("%s: %v", test.name, err)
		}
	}
}
