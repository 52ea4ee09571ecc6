package tensor

import (
	"context"
	"encoding/binary"
	"fmt"

	"github.com/fornax-ml/fornax/tensor/ir"
)

// Data evaluates x and returns its elements in C order. T must be the Go type
// of x's dtype; an int reads I32 and I64.
func Data[T Element](x *Tensor) ([]T, error) { return DataContext[T](context.Background(), x) }

// DataContext is Data, given up when ctx is cancelled before the program
// began to change a cell.
func DataContext[T Element](ctx context.Context, x *Tensor) ([]T, error) {
	var z T
	_, isInt := any(z).(int)
	if want := dtypeOf[T](); x.dtype != want && !(isInt && x.dtype == I64) {
		return nil, &DTypeError{Op: "Data", DTypes: []DType{x.dtype}, Reason: fmt.Sprintf("cannot be read as %T", z)}
	}
	b, err := x.bytes(ctx)
	if err != nil {
		return nil, err
	}
	out := make([]T, x.Size())
	ints, ok := any(out).([]int)
	if !ok {
		copy(bytesOf(out), b)
		return out, nil
	}
	for i := range ints {
		v := ir.BitsInt(x.dtype, ir.GetBits(x.dtype, b, i))
		if int64(int(v)) != v {
			return nil, &DTypeError{Op: "Data", DTypes: []DType{x.dtype}, Reason: fmt.Sprintf("element %d is %d, which int cannot hold", i, v)}
		}
		ints[i] = int(v)
	}
	return out, nil
}

// Item evaluates a tensor of one element and returns it: true is 1.
func (t *Tensor) Item() (float64, error) { return t.ItemContext(context.Background()) }

// ItemContext is Item, given up when ctx is cancelled before the program began
// to change a cell.
func (t *Tensor) ItemContext(ctx context.Context) (float64, error) {
	if t.Size() != 1 {
		return 0, &ShapeError{Op: "Item", Shapes: [][]int{t.shape}, Reason: "wants one element"}
	}
	b, err := t.bytes(ctx)
	if err != nil {
		return 0, err
	}
	return ir.BitsFloat(t.dtype, ir.GetBits(t.dtype, b, 0)), nil
}

// numberTensor makes an evaluated tensor filled with v.
func numberTensor(d *Device, dt DType, shape []int, v float64) *Tensor {
	size := dt.Size()
	data := make([]byte, ir.Size(shape)*size)
	var word [8]byte
	binary.LittleEndian.PutUint64(word[:], ir.FloatBits(dt, v))
	for i := 0; i < len(data); i += size {
		copy(data[i:], word[:size])
	}
	return fromBytes(d, dt, shape, data)
}
