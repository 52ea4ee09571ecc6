package tensor

import (
	"math"
	"slices"

	"github.com/fornax-ml/fornax/tensor/ir"
)

// A gradient rule gives the gradient of each input of y, given that of y, in
// public ops: it can be differentiated again. Broadcasting is Expand's
// business, so no rule undoes it.
type gradRule func(y, dy *Tensor, in []*Tensor) []*Tensor

// of1 makes a rule of dx for ops of one argument.
func of1(f func(y, dy, x *Tensor) *Tensor) gradRule {
	return func(y, dy *Tensor, in []*Tensor) []*Tensor { return []*Tensor{f(y, dy, in[0])} }
}

// of2 makes a rule of da and db for ops of two arguments.
func of2(f func(y, dy, a, b *Tensor) (da, db *Tensor)) gradRule {
	return func(y, dy *Tensor, in []*Tensor) []*Tensor {
		da, db := f(y, dy, in[0], in[1])
		return []*Tensor{da, db}
	}
}

var rules [ir.NumOps]gradRule

func init() { // a composite literal would refer to itself through the ops
	rules = [ir.NumOps]gradRule{
		ir.OpNeg:        of1(func(y, dy, x *Tensor) *Tensor { return dy.Neg() }),
		ir.OpAbs:        of1(func(y, dy, x *Tensor) *Tensor { return dy.Mul(x.Sign()) }),
		ir.OpSquare:     of1(func(y, dy, x *Tensor) *Tensor { return dy.Mul(x).fixed(ir.OpMul, 2) }),
		ir.OpSqrt:       of1(func(y, dy, x *Tensor) *Tensor { return dy.Div(y).fixed(ir.OpMul, 0.5) }),
		ir.OpRsqrt:      of1(func(y, dy, x *Tensor) *Tensor { return dy.Mul(y).Div(x).fixed(ir.OpMul, -0.5) }),
		ir.OpReciprocal: of1(func(y, dy, x *Tensor) *Tensor { return dy.Mul(y).Mul(y).Neg() }),
		ir.OpExp:        of1(func(y, dy, x *Tensor) *Tensor { return dy.Mul(y) }),
		ir.OpExp2:       of1(func(y, dy, x *Tensor) *Tensor { return dy.Mul(y).fixed(ir.OpMul, math.Ln2) }),
		ir.OpExpm1:      of1(func(y, dy, x *Tensor) *Tensor { return dy.Mul(y.fixed(ir.OpAdd, 1)) }),
		ir.OpLog:        of1(func(y, dy, x *Tensor) *Tensor { return dy.Div(x) }),
		ir.OpLog2:       of1(func(y, dy, x *Tensor) *Tensor { return dy.Div(x).fixed(ir.OpMul, math.Log2E) }),
		ir.OpLog1p:      of1(func(y, dy, x *Tensor) *Tensor { return dy.Div(x.fixed(ir.OpAdd, 1)) }),
		ir.OpSin:        of1(func(y, dy, x *Tensor) *Tensor { return dy.Mul(x.Cos()) }),
		ir.OpCos:        of1(func(y, dy, x *Tensor) *Tensor { return dy.Mul(x.Sin()).Neg() }),
		ir.OpTan:        of1(func(y, dy, x *Tensor) *Tensor { return dy.Mul(y.Square().fixed(ir.OpAdd, 1)) }),
		ir.OpAsin:       of1(func(y, dy, x *Tensor) *Tensor { return dy.Mul(oneMinusSquare(x).Rsqrt()) }),
		ir.OpAcos:       of1(func(y, dy, x *Tensor) *Tensor { return dy.Mul(oneMinusSquare(x).Rsqrt()).Neg() }),
		ir.OpAtan:       of1(func(y, dy, x *Tensor) *Tensor { return dy.Div(x.Square().fixed(ir.OpAdd, 1)) }),
		ir.OpSinh:       of1(func(y, dy, x *Tensor) *Tensor { return dy.Mul(x.Cosh()) }),
		ir.OpCosh:       of1(func(y, dy, x *Tensor) *Tensor { return dy.Mul(x.Sinh()) }),
		ir.OpTanh:       of1(func(y, dy, x *Tensor) *Tensor { return dy.Mul(oneMinusSquare(y)) }),
		ir.OpErf: of1(func(y, dy, x *Tensor) *Tensor {
			return dy.Mul(x.Square().Neg().Exp()).fixed(ir.OpMul, 2/math.Sqrt(math.Pi))
		}),
		ir.OpSigmoid: of1(func(y, dy, x *Tensor) *Tensor { return dy.Mul(y.Sub(y.Square())) }),
		ir.OpRelu:    of1(func(y, dy, x *Tensor) *Tensor { return Where(y.fixed(ir.OpNotEqual, 0), dy, ZerosLike(dy)) }),
		ir.OpCast:    of1(gradCast),

		ir.OpAdd: of2(func(y, dy, a, b *Tensor) (da, db *Tensor) { return dy, dy }),
		ir.OpSub: of2(func(y, dy, a, b *Tensor) (da, db *Tensor) { return dy, dy.Neg() }),
		ir.OpMul: of2(func(y, dy, a, b *Tensor) (da, db *Tensor) { return dy.Mul(b), dy.Mul(a) }),
		ir.OpDiv: of2(func(y, dy, a, b *Tensor) (da, db *Tensor) { return dy.Div(b), dy.Mul(y).Div(b).Neg() }),
		ir.OpRem: of2(func(y, dy, a, b *Tensor) (da, db *Tensor) { return dy, dy.Mul(a.Div(b).Trunc()).Neg() }),
		ir.OpPow: of2(gradPow),
		ir.OpAtan2: of2(func(y, dy, a, b *Tensor) (da, db *Tensor) {
			r := dy.Div(a.Square().Add(b.Square()))
			return r.Mul(b), r.Mul(a).Neg()
		}),
		ir.OpMaximum: of2(func(y, dy, a, b *Tensor) (da, db *Tensor) { return gradPicked(dy, b.Less(a), a.Equal(b)) }),
		ir.OpMinimum: of2(func(y, dy, a, b *Tensor) (da, db *Tensor) { return gradPicked(dy, a.Less(b), a.Equal(b)) }),
		ir.OpWhere: func(y, dy *Tensor, in []*Tensor) []*Tensor {
			z := ZerosLike(dy)
			return []*Tensor{nil, Where(in[0], dy, z), Where(in[0], z, dy)}
		},

		ir.OpSum:  of1(func(y, dy, x *Tensor) *Tensor { return back(y, dy, x) }),
		ir.OpProd: of1(gradProd),
		ir.OpMax:  of1(gradExtreme),
		ir.OpMin:  of1(gradExtreme),

		ir.OpReshape: of1(func(y, dy, x *Tensor) *Tensor { return dy.reshape(x.shape) }),
		ir.OpPermute: of1(gradPermute),
		ir.OpSlice:   of1(gradSlice),
		ir.OpExpand:  of1(gradExpand),
		ir.OpPad:     of1(gradPad),

		ir.OpMatMul: of2(func(y, dy, a, b *Tensor) (da, db *Tensor) { return dy.MatMul(b.T()), a.T().MatMul(dy) }),
		ir.OpGather: func(y, dy *Tensor, in []*Tensor) []*Tensor {
			x, axis, index := in[0], y.ints[0], in[1]
			if index.shape[axis] == 1 { // nothing adds up
				return []*Tensor{Where(isPicked(x, axis, index), dy.broadcastTo("Grad", x.shape), ZerosLike(x)), nil}
			}
			return []*Tensor{ZerosLike(x).ScatterAdd(axis, index, dy), nil}
		},
		ir.OpScatterAdd: func(y, dy *Tensor, in []*Tensor) []*Tensor {
			return []*Tensor{dy, nil, dy.Gather(y.ints[0], in[1])}
		},
	}
}

// isPicked is true, in x's shape, where an index of one along the axis names the
// position; nowhere for one that is out of range.
func isPicked(x *Tensor, axis int, index *Tensor) *Tensor {
	i := wideIndex(index)
	shape := make([]int, len(x.shape))
	for a := range shape {
		shape[a] = 1
	}
	shape[axis] = x.shape[axis]
	at := positions(x.dev, I32, x.shape[axis]).Cast(i.dtype).Reshape(shape...)
	return at.Equal(i.broadcastTo("Gather", x.shape))
}

// wideIndex is the index in a dtype that counts far enough: I32, or I64 for I64. One of
// U32 that is too large becomes negative.
func wideIndex(index *Tensor) *Tensor {
	if index.dtype == I64 {
		return index
	}
	return index.Cast(I32)
}

func oneMinusSquare(x *Tensor) *Tensor { return OnesLike(x).Sub(x.Square()) }

// back stretches what a reduction left over the axes it dropped.
func back(y, r, x *Tensor) *Tensor {
	return r.Unsqueeze(y.ints...).broadcastTo("Grad", x.shape)
}

func gradCast(_, dy, x *Tensor) *Tensor {
	if !x.dtype.IsFloat() || !dy.dtype.IsFloat() {
		return nil
	}
	return dy.Cast(x.dtype)
}

// gradPow takes 0 for da where a and b are 0 and for db where a is 0, so that
// no NaN comes from 0·∞.
func gradPow(y, dy, a, b *Tensor) (da, db *Tensor) {
	z, one := ZerosLike(a), OnesLike(a)
	az := a.Equal(z)
	both := az.And(b.Equal(z))
	da = Where(both, z, dy.Mul(b).Mul(a.Pow(Where(both, one, b.Sub(one)))))
	db = Where(az, z, dy.Mul(y).Mul(Where(az, one, a).Log()))
	return da, db
}

// gradPicked shares dy: all to a where it was picked, half to each in a tie.
func gradPicked(dy *Tensor, picked, tie *Tensor) (da, db *Tensor) {
	z, half := ZerosLike(dy), dy.fixed(ir.OpMul, 0.5)
	return Where(tie, half, Where(picked, dy, z)), Where(tie, half, Where(picked, z, dy))
}

// gradExtreme shares dy equally among the ties for Max or Min.
func gradExtreme(y, dy, x *Tensor) *Tensor {
	tie := x.Equal(back(y, y, x)).Cast(x.dtype)
	n := tie.Sum(y.ints...)
	return tie.Mul(back(y, dy.Div(n), x))
}

// gradProd is the product of the other elements: y/x where no element is 0;
// where one is, the product of the others for it, and 0 for the others.
func gradProd(y, dy, x *Tensor) *Tensor {
	z, one := ZerosLike(x), OnesLike(x)
	zero := x.Equal(z)
	rest := Where(zero, one, x)
	count := back(y, zero.Cast(x.dtype).Sum(y.ints...), x)
	p := back(y, rest.Prod(y.ints...).Mul(dy), x)
	others := Where(zero, p, z)
	return Where(count.Equal(z), p.Div(rest), Where(count.Equal(one), others, z))
}

func gradPermute(y, dy, _ *Tensor) *Tensor {
	inv := make([]int, len(y.ints))
	for i, a := range y.ints {
		inv[a] = i
	}
	return dy.Permute(inv...)
}

// gradSlice puts dy back among zeros: steps become gaps, negative ones flips.
func gradSlice(y, dy, x *Tensor) *Tensor {
	rank := len(x.shape)
	for a := range x.shape {
		start, step, n := y.ints[a], y.ints[rank+a], y.shape[a]
		if n == 0 {
			return ZerosLike(x)
		}
		if step < 0 {
			dy = dy.Flip(a)
			start, step = start+(n-1)*step, -step
		}
		if step > 1 { // n → n×1 → n×step → n·step positions
			dy = dy.Unsqueeze(a+1).padAxis(a+1, 0, step-1)
			shape := slices.Concat(dy.shape[:a], []int{n * step}, dy.shape[a+2:])
			dy = dy.reshape(shape)
		}
		// The last gap may reach beyond the axis.
		if over := start + n*step - x.shape[a]; step > 1 && over > 0 {
			dy = dy.Narrow(a, 0, n*step-over)
		}
		dy = dy.padAxis(a, start, x.shape[a]-start-dy.shape[a])
	}
	return dy
}

func gradExpand(_, dy, x *Tensor) *Tensor {
	var axes []int
	for a, n := range x.shape {
		if n == 1 && dy.shape[a] != 1 {
			axes = append(axes, a)
		}
	}
	if len(axes) == 0 {
		return dy
	}
	return dy.Sum(axes...).Unsqueeze(axes...)
}

func gradPad(y, dy, x *Tensor) *Tensor {
	for a, n := range x.shape {
		dy = dy.Narrow(a, y.ints[a], n)
	}
	return dy
}
