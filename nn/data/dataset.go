package data

import "fmt"

// A Dataset is a fixed number of examples, each an input of element type T and
// a target of element type U, all of the same shapes.
type Dataset[T, U any] interface {
	// Len returns the number of examples.
	Len() int
	// Shapes returns the shape of one input and of one target. A target that
	// is a single number has an empty shape.
	Shapes() (x, y []int)
	// Fill writes the examples with the given indices into x and y, one after
	// the other: x holds len(indices) inputs, y as many targets. It must not
	// keep the slices. It is called by one goroutine at a time for each epoch
	// being read.
	Fill(x []T, y []U, indices []int) error
}

// Table is a [Dataset] of rows held in memory: X holds the inputs one after
// the other, each of shape XShape; Y the targets, each of shape YShape.
type Table[T, U any] struct {
	X      []T
	Y      []U
	XShape []int
	YShape []int
}

// NewTable returns a table of the rows in x and y, which it keeps. It fails
// when the two do not hold the same whole number of rows.
func NewTable[T, U any](x []T, y []U, xShape, yShape []int) (*Table[T, U], error) {
	nx, ny := product(xShape), product(yShape)
	if nx <= 0 || ny <= 0 {
		return nil, fmt.Errorf("data: table with rows of shape %v and %v: want sizes of 1 or more", xShape, yShape)
	}
	if len(x)%nx != 0 || len(y)%ny != 0 || len(x)/nx != len(y)/ny {
		return nil, fmt.Errorf("data: table: %d inputs in rows of shape %v, %d targets in rows of shape %v: want the same whole number of rows",
			len(x), xShape, len(y), yShape)
	}
	return &Table[T, U]{X: x, Y: y, XShape: xShape, YShape: yShape}, nil
}

// Len returns the number of rows.
func (t *Table[T, U]) Len() int { return len(t.X) / product(t.XShape) }

// Shapes returns the shapes of a row's input and target.
func (t *Table[T, U]) Shapes() (x, y []int) { return t.XShape, t.YShape }

// Fill copies rows into x and y.
func (t *Table[T, U]) Fill(x []T, y []U, indices []int) error {
	nx, ny := product(t.XShape), product(t.YShape)
	for i, k := range indices {
		copy(x[i*nx:(i+1)*nx], t.X[k*nx:])
		copy(y[i*ny:(i+1)*ny], t.Y[k*ny:])
	}
	return nil
}

// product returns the number of elements of a shape, or -1 when a size is
// negative or the product does not fit an int.
func product(shape []int) int {
	n := 1
	for _, d := range shape {
		if d < 0 || d != 0 && n > maxInt/d {
			return -1
		}
		n *= d
	}
	return n
}

const maxInt = int(^uint(0) >> 1)
