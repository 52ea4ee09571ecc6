package tensor

import (
	"sync"
	"sync/atomic"

	"github.com/fornax-ml/fornax/tensor/ir"
)

// Autocast calls f in mixed precision: inside, ops on F32, F16 and BF16 tensors
// choose the dtype that they compute in by their row of the op table (docs/ops.md).
//
//   - low: matrix products take their operands in d, F16 or BF16, and add in
//     float32;
//   - high: exponentials, logarithms, powers, sums and the functions made of them
//     (softmax, cross-entropy, variance) take theirs in F32;
//   - the others compute in the dtype that they get, and in F32 where operands
//     differ.
//
// Parameters stay F32: they are cast where a product uses them, and their
// gradients come back through the cast in F32. Gradients need no Autocast: each op
// has the gradient of the dtype that it was computed in. With F16 gradients below
// 6e-8 are lost, against which nn.LossScaler scales the loss; BF16 has float32's
// range.
//
// The rules are those of torch.autocast for the ops that it lists. Functions made of
// ops, such as the losses of package nn, follow from them: what shall be in F32 wants
// operands of F32, as nn.Mixed returns. Custom ops get what they are given.
//
// The rules hold for the calling goroutine until f returns; Autocast with F32 inside
// of f suspends them. The device must have d.
func Autocast(d DType, f func()) {
	if d != F16 && d != BF16 && d != F32 {
		panic(&DTypeError{Op: "Autocast", DTypes: []DType{d}, Reason: "wants f16, bf16 or f32"})
	}
	defer autocasts.enter(d)()
	f()
}

// autocasts are the dtypes by goroutine.
var autocasts autocastScopes

type autocastScopes struct {
	n  atomic.Int64 // scopes open, so that ops outside look no further
	mu sync.Mutex
	by map[uint64]DType
}

// enter opens a scope and returns what closes it.
func (a *autocastScopes) enter(d DType) (leave func()) {
	id := goroutineID()
	a.n.Add(1)
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.by == nil {
		a.by = map[uint64]DType{}
	}
	before, nested := a.by[id]
	a.by[id] = d
	return func() {
		a.mu.Lock()
		defer a.mu.Unlock()
		a.n.Add(-1)
		if nested {
			a.by[id] = before
		} else {
			delete(a.by, id)
		}
	}
}

// current returns the calling goroutine's dtype; F32 is none.
func (a *autocastScopes) current() DType {
	if a.n.Load() == 0 {
		return F32
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	if d, ok := a.by[goroutineID()]; ok {
		return d
	}
	return F32
}

// autocast casts the operands of an op as the scope says.
func autocast(op ir.Op, xs ...**Tensor) {
	d := autocasts.current()
	if d == F32 {
		return
	}
	for _, x := range xs {
		if t := (*x).dtype; t != F32 && t != F16 && t != BF16 {
			return // F64 and integers stay, and what does not fit them is an error as ever
		}
	}
	switch op.Info().Mixed {
	case ir.MixedHigh:
		d = F32
	case ir.MixedAny:
		differ := false
		for _, x := range xs {
			differ = differ || (*x).dtype != (*xs[0]).dtype
		}
		if !differ {
			return
		}
		d = F32
	}
	for _, x := range xs {
		*x = (*x).Cast(d)
	}
}
