package data

import (
	"fmt"
	"io/fs"
	"math"
	"os"
	"path/filepath"
)

// Images is a set of grey images of one size with a class label each. It is a
// [Dataset]: Fill gives pixels as p/255, in [0, 1], of shape (1, H, W), and
// labels as int32. [Images.Normalized] gives pixels of mean 0.
type Images struct {
	N, H, W int
	Pixels  []byte  // N·H·W grey values, image after image, row after row
	Labels  []uint8 // N class numbers
}

// NewImages joins an IDX array of pixels, of shape (N, H, W), and one of labels,
// of shape (N), both of type u8. It keeps their data.
func NewImages(pixels, labels *IDX) (*Images, error) {
	p, ok := pixels.Data.([]uint8)
	if !ok || len(pixels.Shape) != 3 {
		return nil, fmt.Errorf("data: images: %s array of shape %v: want u8 with 3 dimensions (images, rows, columns): %w",
			pixels.Type, pixels.Shape, ErrFormat)
	}
	l, ok := labels.Data.([]uint8)
	if !ok || len(labels.Shape) != 1 {
		return nil, fmt.Errorf("data: labels: %s array of shape %v: want u8 with 1 dimension: %w", labels.Type, labels.Shape, ErrFormat)
	}
	n, h, w := pixels.Shape[0], pixels.Shape[1], pixels.Shape[2]
	if n != len(l) {
		return nil, fmt.Errorf("data: %d images but %d labels: want one label an image: %w", n, len(l), ErrFormat)
	}
	if product(pixels.Shape) != len(p) || n > 0 && h*w == 0 {
		return nil, fmt.Errorf("data: images: %d pixels for shape %v: want one or more an image: %w", len(p), pixels.Shape, ErrFormat)
	}
	return &Images{N: n, H: h, W: w, Pixels: p, Labels: l}, nil
}

// Len returns the number of images.
func (im *Images) Len() int { return im.N }

// Shapes returns (1, H, W), the channel first, and the empty shape of a label.
func (im *Images) Shapes() (x, y []int) { return []int{1, im.H, im.W}, nil }

// Fill writes images as p/255 and their labels.
func (im *Images) Fill(x []float32, y []int32, indices []int) error {
	im.fill(x, y, indices, &unitTable)
	return nil
}

func (im *Images) fill(x []float32, y []int32, indices []int, table *[256]float32) {
	size := im.H * im.W
	for i, k := range indices {
		dst := x[i*size : (i+1)*size]
		for j, p := range im.Pixels[k*size : (k+1)*size] {
			dst[j] = table[p]
		}
		y[i] = int32(im.Labels[k])
	}
}

// Slice returns images lo to hi-1. They share memory with im.
func (im *Images) Slice(lo, hi int) *Images {
	size := im.H * im.W
	return &Images{N: hi - lo, H: im.H, W: im.W,
		Pixels: im.Pixels[lo*size : hi*size : hi*size], Labels: im.Labels[lo:hi:hi]}
}

// MeanStd returns the mean and the standard deviation of all pixels as p/255:
// for MNIST's training images 0.1307 and 0.3081. The sums are exact, so that
// the result is the same everywhere.
func (im *Images) MeanStd() (mean, std float64) {
	if len(im.Pixels) == 0 {
		return 0, 0
	}
	var count [256]uint64
	for _, p := range im.Pixels {
		count[p]++
	}
	var sum, squares uint64
	for p, c := range count {
		sum += uint64(p) * c
		squares += uint64(p) * uint64(p) * c
	}
	n := float64(len(im.Pixels))
	mean = float64(sum) / n
	variance := float64(squares)/n - float64(mean*mean)
	return mean / 255, math.Sqrt(max(variance, 0)) / 255
}

// Normalized returns the same images as a dataset whose pixels are
// (p/255 - mean) / std. A std of 0 counts as 1.
func (im *Images) Normalized(mean, std float64) Dataset[float32, int32] {
	if std == 0 {
		std = 1
	}
	n := &normalized{Images: im}
	for p := range n.table {
		n.table[p] = float32((float64(p)/255 - mean) / std)
	}
	return n
}

type normalized struct {
	*Images
	table [256]float32 // value of each byte
}

func (n *normalized) Fill(x []float32, y []int32, indices []int) error {
	n.fill(x, y, indices, &n.table)
	return nil
}

var unitTable = func() (t [256]float32) {
	for p := range t {
		t[p] = float32(p) / 255
	}
	return t
}()

// MNIST reads the training and the test set from a folder with the four files of
// MNIST or of a dataset in its form:
//
//	train-images-idx3-ubyte  train-labels-idx1-ubyte
//	t10k-images-idx3-ubyte   t10k-labels-idx1-ubyte
//
// each plain or with .gz at the end of its name, with "-" or "." before "idx".
// Package nn/data/mnist finds the files of MNIST where no folder is given.
func MNIST(dir string) (train, test *Images, err error) {
	if dir == "" {
		return nil, nil, fmt.Errorf("data: MNIST: want a folder, got an empty name (mnist.Load of package nn/data/mnist finds the files by itself)")
	}
	if train, err = readPair(dir, "train"); err != nil {
		return nil, nil, err
	}
	if test, err = readPair(dir, "t10k"); err != nil {
		return nil, nil, err
	}
	if train.H != test.H || train.W != test.W {
		return nil, nil, fmt.Errorf("data: %s: training images are %dx%d, test images %dx%d: want one size: %w",
			dir, train.H, train.W, test.H, test.W, ErrFormat)
	}
	return train, test, nil
}

func readPair(dir, set string) (*Images, error) {
	pixels, err := readOne(dir, set+"-images", "idx3-ubyte")
	if err != nil {
		return nil, err
	}
	labels, err := readOne(dir, set+"-labels", "idx1-ubyte")
	if err != nil {
		return nil, err
	}
	im, err := NewImages(pixels, labels)
	if err != nil {
		return nil, fmt.Errorf("%s, files %s-*: %w", dir, set, err)
	}
	return im, nil
}

// readOne reads the first of the file's possible names that exists.
func readOne(dir, name, kind string) (*IDX, error) {
	for _, n := range []string{name + "-" + kind, name + "-" + kind + ".gz", name + "." + kind, name + "." + kind + ".gz"} {
		path := filepath.Join(dir, n)
		if info, err := os.Stat(path); err == nil && !info.IsDir() {
			return ReadIDXFile(path, Limits{})
		}
	}
	return nil, fmt.Errorf("data: %s: no file %s-%s or %[2]s-%[3]s.gz: %w", dir, name, kind, fs.ErrNotExist)
}
