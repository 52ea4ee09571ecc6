package tensor

import (
	"fmt"
	"math"
	"slices"

	"github.com/fornax-ml/fornax/tensor/ir"
)

// Softmax returns exp(x - max x) / Σ exp(x - max x) along an axis.
func (t *Tensor) Softmax(axis int) *Tensor {
	axis = normAxis("Softmax", t, axis)
	autocast(ir.OpExp, &t)
	e := t.Sub(t.Max(axis).Detach().Unsqueeze(axis)).Exp()
	return e.Div(e.Sum(axis).Unsqueeze(axis))
}

// LogSoftmax returns x - max x - ln Σ exp(x - max x) along an axis.
func (t *Tensor) LogSoftmax(axis int) *Tensor {
	axis = normAxis("LogSoftmax", t, axis)
	autocast(ir.OpExp, &t)
	d := t.Sub(t.Max(axis).Detach().Unsqueeze(axis))
	return d.Sub(d.Exp().Sum(axis).Log().Unsqueeze(axis))
}

// LogSumExp returns ln Σ eˣ over an axis, without overflow.
func (t *Tensor) LogSumExp(axis int) *Tensor {
	axis = normAxis("LogSumExp", t, axis)
	autocast(ir.OpExp, &t)
	m := t.Max(axis).Detach()
	// An infinite maximum would give Inf - Inf.
	m = Where(m.IsInf(), ZerosLike(m), m)
	return t.Sub(m.Unsqueeze(axis)).Exp().Sum(axis).Log().Add(m)
}

// CrossEntropy returns, for logits x [N…, C] and classes [N…] of an integer
// dtype,
//
//	-LogSoftmax(x)[n, class n]
//
// one loss for each n. A class outside [0, C) gives loss 0 and an *IndexError
// from the next call that waits.
func CrossEntropy(x, class *Tensor) *Tensor {
	sameDevice("CrossEntropy", x, class)
	if len(x.shape) == 0 || !slices.Equal(class.shape, x.shape[:len(x.shape)-1]) {
		badShape("CrossEntropy", "wants logits [N…, C] and classes [N…]", x, class)
	}
	autocast(ir.OpExp, &x)
	m := x.Max(-1).Detach()
	rest := x.Sub(m.Unsqueeze(-1)).Exp().Sum(-1).Log()
	loss := rest.Sub(x.Gather(-1, class.Unsqueeze(-1)).Squeeze(-1).Sub(m))
	i := wideIndex(class)
	there := ZerosLike(i).LessEqual(i).And(i.Less(FullLike(i, float64(x.shape[len(x.shape)-1]))))
	return Where(there, loss, ZerosLike(loss))
}

// GELU returns x·Φ(x) = x/2·(1 + erf(x/√2)), Hendrycks and Gimpel (2016).
func (t *Tensor) GELU() *Tensor {
	return t.fixed(ir.OpMul, 0.5).Mul(t.fixed(ir.OpMul, math.Sqrt2/2).Erf().fixed(ir.OpAdd, 1))
}

// SiLU returns x/(1 + e⁻ˣ).
func (t *Tensor) SiLU() *Tensor { return t.Mul(t.Sigmoid()) }

// Softplus returns ln(1 + eˣ), as max(x, 0) + ln(1 + e^-|x|).
//
// Its gradient is 1/(1 + e⁻ˣ), at 0 too: Maximum shares a tie, where Relu's
// gradient is 0.
func (t *Tensor) Softplus() *Tensor {
	return t.Maximum(ZerosLike(t)).Add(t.Abs().Neg().Exp().Log1p())
}

// Outer returns the products of two vectors, C[i, j] = a[i]·b[j].
func (t *Tensor) Outer(b *Tensor) *Tensor {
	if len(t.shape) != 1 || len(b.shape) != 1 {
		badShape("Outer", "wants two vectors", t, b)
	}
	return t.Unsqueeze(1).Mul(b)
}

// Tril keeps the elements on and below diagonal k of the last two axes and
// zeroes the others.
func (t *Tensor) Tril(k int) *Tensor { return t.triangle("Tril", k, true) }

// Triu keeps the elements on and above diagonal k of the last two axes and
// zeroes the others.
func (t *Tensor) Triu(k int) *Tensor { return t.triangle("Triu", k, false) }

func (t *Tensor) triangle(op string, k int, lower bool) *Tensor {
	r := len(t.shape)
	if r < 2 {
		badShape(op, fmt.Sprintf("rank %d", r), t)
	}
	i := positions(t.dev, I32, t.shape[r-2]).Unsqueeze(1).fixed(ir.OpAdd, float64(k))
	j := positions(t.dev, I32, t.shape[r-1])
	keep := j.LessEqual(i)
	if !lower {
		keep = i.LessEqual(j)
	}
	return Where(keep, t, ZerosLike(t))
}
