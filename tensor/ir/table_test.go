package ir_test

import (
	"math"
	"strings"
	"testing"

	"github.com/fornax-ml/fornax/tensor/ir"
	"github.com/fornax-ml/fornax/tensor/ir/ref"
)

// Every row says what it needs to say, and every elementwise row has a
// reference for each class it accepts.
func TestTable(t *testing.T) {
	names := map[string]ir.Op{}
	rows := ir.Table()
	if len(rows) != int(ir.NumOps)-1 {
		t.Fatalf("%d rows, %d ops", len(rows), ir.NumOps-1)
	}
	for i, in := range rows {
		if in.Op != ir.Op(i+1) || in.Op.Info() != in || in.Op.String() != in.Name {
			t.Errorf("row %d is of %v", i+1, in.Op)
		}
		if o, twice := names[in.Name]; twice || in.Name == "" || strings.ToLower(in.Name) != in.Name {
			t.Errorf("op %d is called %q, as is %d", in.Op, in.Name, o)
		}
		names[in.Name] = in.Op
		if in.Doc == "" || in.Args == 0 {
			t.Errorf("%v: no doc or no dtypes", in.Op)
		}
		if (in.Op.IsElementwise() || in.Op.IsReduction()) && in.Arity == 0 {
			t.Errorf("%v: no arity", in.Op)
		}
		for _, d := range in.Domain {
			if !(d[0] < d[1]) {
				t.Errorf("%v: domain %v", in.Op, d)
			}
		}
		if in.Args&^ir.Bools != 0 && (in.Op.IsElementwise() || in.Op.IsReduction()) && len(in.Domain) != 1 && len(in.Domain) != in.Arity {
			t.Errorf("%v: %d domains for %d arguments", in.Op, len(in.Domain), in.Arity)
		}
		if !in.Op.IsElementwise() || in.Op == ir.OpCast {
			continue
		}
		if got, want := in.Float != nil, in.Args&ir.Floats != 0; got != want {
			t.Errorf("%v: float reference %v, want %v", in.Op, got, want)
		}
		if got, want := in.Int != nil, in.Args&(ir.Ints|ir.Bools) != 0; got != want {
			t.Errorf("%v: integer reference %v, want %v", in.Op, got, want)
		}
	}
}

// Inside its domain an op gives a finite float32, and its results have the
// dtype its row says.
func TestTableDomains(t *testing.T) {
	for _, in := range ir.Table() {
		if !in.Op.IsElementwise() || in.Op == ir.OpCast || in.Float == nil {
			continue
		}
		for n := range 1 << in.Arity {
			x := make([]float64, in.Arity)
			for k := range x {
				x[k] = in.Domain[min(k, len(in.Domain)-1)][n>>k&1]
			}
			if y := in.Float(x); math.IsNaN(y) || math.Abs(y) > math.MaxFloat32 {
				t.Errorf("%v%v = %v", in.Op, x, y)
			}
		}
	}
	for _, c := range []struct {
		op      ir.Op
		d, want ir.DType
	}{
		{ir.OpAdd, ir.F16, ir.F16}, {ir.OpLess, ir.I8, ir.Bool}, {ir.OpArgMax, ir.F32, ir.I32}, {ir.OpPhilox, ir.U32, ir.U32}, {ir.OpWhere, ir.I64, ir.I64},
	} {
		if got := c.op.ResultType(c.d); got != c.want {
			t.Errorf("%v of %v is %v, want %v", c.op, c.d, got, c.want)
		}
	}
}

// Identities are neutral: folding one with x gives x.
func TestIdentity(t *testing.T) {
	for _, in := range ir.Table() {
		if !in.Op.IsReduction() {
			continue
		}
		for _, d := range in.Args.List() {
			id := ref.FromBytes(d, ref.Values{DType: ir.I64, I: []int64{int64(ir.Identity(in.Op, d))}}.Bytes(), 1)
			pair := map[ir.Op]ir.Op{ir.OpSum: ir.OpAdd, ir.OpProd: ir.OpMul, ir.OpMax: ir.OpMaximum, ir.OpMin: ir.OpMinimum, ir.OpAny: ir.OpOr, ir.OpAll: ir.OpAnd}[in.Op]
			if pair == ir.OpInvalid {
				continue // positions have no neutral element
			}
			for _, v := range []int64{0, 1, 127} {
				x := ref.FromBytes(d, ref.Values{DType: ir.I64, I: []int64{int64(ir.IntBits(d, v))}}.Bytes(), 1)
				if y := ref.Apply(pair, d, d, x, id); y.Bits(0) != x.Bits(0) {
					t.Errorf("%v of %v: %#x with the identity %#x gives %#x", in.Op, d, x.Bits(0), id.Bits(0), y.Bits(0))
				}
			}
		}
	}
}

// Integer references at the ends of the range.
func TestIntegerOps(t *testing.T) {
	min32, max32 := int64(math.MinInt32), int64(math.MaxInt32)
	for _, c := range []struct {
		op   ir.Op
		d    ir.DType
		x    []int64
		want int64
	}{
		{ir.OpDiv, ir.I32, []int64{7, -2}, -3}, {ir.OpDiv, ir.I32, []int64{5, 0}, 0}, {ir.OpDiv, ir.I32, []int64{min32, -1}, min32},
		{ir.OpDiv, ir.I64, []int64{math.MinInt64, -1}, math.MinInt64}, {ir.OpRem, ir.I32, []int64{-7, 3}, -1}, {ir.OpRem, ir.I32, []int64{7, 0}, 0},
		{ir.OpNeg, ir.I8, []int64{-128}, -128}, {ir.OpAbs, ir.I8, []int64{-128}, -128}, {ir.OpNeg, ir.U8, []int64{1}, 255},
		{ir.OpMul, ir.I32, []int64{max32, 2}, -2}, {ir.OpMul, ir.U32, []int64{1<<32 - 1, 1<<32 - 1}, 1}, {ir.OpSub, ir.U8, []int64{0, 1}, 255},
		{ir.OpShl, ir.I8, []int64{1, 7}, -128}, {ir.OpShl, ir.I32, []int64{1, 32}, 0}, {ir.OpShl, ir.I32, []int64{1, -1}, 0},
		{ir.OpShr, ir.I32, []int64{-8, 1}, -4}, {ir.OpShr, ir.I32, []int64{-8, 40}, -1}, {ir.OpShr, ir.U32, []int64{1 << 31, 31}, 1}, {ir.OpShr, ir.U32, []int64{1 << 31, 32}, 0},
		{ir.OpNot, ir.Bool, []int64{1}, 0}, {ir.OpNot, ir.U8, []int64{1}, 254}, {ir.OpNot, ir.I32, []int64{0}, -1},
		{ir.OpSign, ir.U32, []int64{1 << 31}, 1}, {ir.OpRelu, ir.I8, []int64{-3}, 0},
	} {
		args := make([]ref.Values, len(c.x))
		for k, x := range c.x {
			args[k] = ref.Values{DType: c.d, I: []int64{x}}
		}
		if got := ref.Apply(c.op, c.op.ResultType(c.d), c.d, args...); got.I[0] != c.want {
			t.Errorf("%v of %v%v = %v, want %v", c.op, c.d, c.x, got.I[0], c.want)
		}
	}
}
