package tensor

import (
	"fmt"
	"math"

	"github.com/fornax-ml/fornax/tensor/ir"
)

// opTransfer marks a copy from another device. It is no op of the table: the
// copy is made before the program that reads it.
const opTransfer = ir.OpInvalid

// FromSlice copies data, in C order, to a tensor of shape on d. No shape means
// one axis of len(data). It panics with a *ShapeError where the sizes differ,
// and with a *DTypeError where d lacks the dtype.
func FromSlice[T Element](d *Device, data []T, shape ...int) *Tensor {
	if shape == nil {
		shape = []int{len(data)}
	}
	checkShape("FromSlice", shape)
	if ir.Size(shape) != len(data) {
		panic(&ShapeError{Op: "FromSlice", Shapes: [][]int{shape}, Reason: fmt.Sprintf("%d elements given", len(data))})
	}
	dt := dtypeOf[T]()
	d.requireDType("FromSlice", dt)
	return fromBytes(d, dt, shape, encode("FromSlice", data))
}

// Scalar makes a rank-0 tensor of dtype F32.
func Scalar(d *Device, v float32) *Tensor { return FromSlice(d, []float32{v}, []int{}...) }

// fromBytes uploads packed data. A failure is carried by the tensor.
func fromBytes(d *Device, dt DType, shape []int, data []byte) *Tensor {
	t := &Tensor{id: lastID.Add(1), dev: d, dtype: dt, shape: append([]int{}, shape...), spec: spec{op: ir.OpLoad}, state: evaluated}
	st, err := d.newStorage(ir.SlotBytes(dt, ir.Size(shape)))
	if err == nil {
		err = st.buf.Write(0, data)
	}
	if err != nil {
		t.state, t.err = pending, &OpError{Op: "FromSlice", Shape: t.shape, Err: err}
		return t
	}
	t.st = st
	return t
}

// constant makes a number that is part of the program: only the fixed 0 and 1
// of the library's own rules, never a number of the user's.
func constant(d *Device, dt DType, v float64, shape []int) *Tensor {
	return newNode(d, dt, nil, spec{op: ir.OpConst, imm: ir.FloatBits(dt, v)}).broadcastTo("constant", shape)
}

// number makes a run-time number: it is no part of the program's key.
func number(d *Device, dt DType, bits uint64, shape []int) *Tensor {
	return newNode(d, dt, nil, spec{op: ir.OpScalar, imm: bits}).broadcastTo("number", shape)
}

// Zeros makes a tensor of float32 zeros; see Cast for other dtypes. It takes
// no memory before it is evaluated.
func Zeros(d *Device, shape ...int) *Tensor {
	checkShape("Zeros", shape)
	return constant(d, F32, 0, shape)
}

// Ones makes a tensor of float32 ones.
func Ones(d *Device, shape ...int) *Tensor {
	checkShape("Ones", shape)
	return constant(d, F32, 1, shape)
}

// ZerosLike makes zeros of x's dtype, shape and device.
func ZerosLike(x *Tensor) *Tensor { return constant(x.dev, x.dtype, 0, x.shape) }

// OnesLike makes ones of x's dtype, shape and device.
func OnesLike(x *Tensor) *Tensor { return constant(x.dev, x.dtype, 1, x.shape) }

// Full makes a float32 tensor of one number.
func Full(d *Device, v float64, shape ...int) *Tensor {
	checkShape("Full", shape)
	return number(d, F32, ir.FloatBits(F32, v), shape)
}

// FullLike makes a tensor of one number with x's dtype, shape and device.
func FullLike(x *Tensor, v float64) *Tensor {
	return number(x.dev, x.dtype, ir.FloatBits(x.dtype, v), x.shape)
}

// Arange makes the int32 sequence start, start+step, … up to but without stop.
func Arange(d *Device, start, stop, step int) *Tensor {
	if step == 0 {
		panic(&ShapeError{Op: "Arange", Reason: "step is 0"})
	}
	if int64(min(start, stop)) < math.MinInt32 || int64(max(start, stop)) > math.MaxInt32 {
		panic(&ShapeError{Op: "Arange", Reason: fmt.Sprintf("from %d to %d: i32 cannot hold that", start, stop)})
	}
	step = min(max(step, math.MinInt32), math.MaxInt32)
	n := 0
	if step > 0 && stop > start {
		n = (stop - start + step - 1) / step
	} else if step < 0 && stop < start {
		n = (start - stop - step - 1) / -step
	}
	t := positions(d, I32, n)
	if step != 1 {
		t = t.MulScalar(float64(step))
	}
	if start != 0 {
		t = t.AddScalar(float64(start))
	}
	return t
}

// positions makes 0, 1, …, n-1; it takes no memory.
func positions(d *Device, dt DType, n int) *Tensor {
	return newNode(d, dt, []int{n}, spec{op: ir.OpIndex})
}

// Eye makes the n×n float32 identity matrix.
func Eye(d *Device, n int) *Tensor {
	i := positions(d, I32, n)
	return i.Unsqueeze(1).Equal(i).Cast(F32)
}

// To copies the tensor to another device; on its own device it is the tensor
// itself. Gradients flow back across the copy.
func (t *Tensor) To(d *Device) *Tensor {
	if d == t.dev {
		return t
	}
	d.requireDType("To", t.dtype)
	return newNode(d, t.dtype, t.shape, spec{op: opTransfer, name: "to"}, t)
}
