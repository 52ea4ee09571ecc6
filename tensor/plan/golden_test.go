package plan

import (
	"errors"
	"flag"
	"os"
	"path/filepath"
	"testing"

	"github.com/fornax-ml/fornax/tensor/ir"
)

var update = flag.Bool("update", false, "rewrite the programs in testdata")

// goldens are graphs whose programs are in testdata, by name.
var goldens = []struct {
	name  string
	opt   Options
	graph func(b *gb)
}{
	{"elementwise", Options{}, func(b *gb) {
		x, y := b.input(ir.F32, 2, 3), b.input(ir.F32, 2, 3)
		b.out(b.op(ir.OpTanh, b.op(ir.OpAdd, b.op(ir.OpMul, x, y), b.constant(ir.F32, 2, x))))
	}},
	{"nofuse", Options{NoFuse: true}, func(b *gb) {
		x, y := b.input(ir.F32, 2, 3), b.input(ir.F32, 3, 2)
		b.out(b.op(ir.OpTanh, b.op(ir.OpAdd, x, b.permute(y, 1, 0))))
	}},
	// One axis is left of what all operands step through alike.
	{"collapse", Options{}, func(b *gb) {
		x, y := b.input(ir.F32, 2, 1, 3, 4, 5), b.input(ir.F32, 1, 1, 3, 4, 1)
		b.out(b.op(ir.OpAdd, x, b.expand(y, 2, 1, 3, 4, 5)))
	}},
	{"linear", Options{}, linear},
	{"linear3d", Options{}, func(b *gb) {
		x, w, c := b.input(ir.F32, 2, 4, 8), b.input(ir.F32, 8, 3), b.input(ir.F32, 3)
		z := b.reshape(b.matmul(b.reshape(x, 8, 8), w), 2, 4, 3)
		b.out(b.op(ir.OpRelu, b.op(ir.OpAdd, z, b.expand(b.reshape(c, 1, 1, 3), 2, 4, 3))))
	}},
	{"batchrows", Options{}, func(b *gb) {
		x, w := b.input(ir.F32, 2, 4, 8), b.input(ir.F32, 8, 3)
		b.out(b.matmul(x, b.expand(b.reshape(w, 1, 8, 3), 2, 8, 3)))
	}},
	// Heads of attention: no copy between the projection and the product.
	{"heads", Options{}, func(b *gb) {
		q, k := b.input(ir.F32, 2, 4, 6), b.input(ir.F32, 2, 4, 6)
		split := func(x int) int { return b.permute(b.reshape(x, 2, 4, 3, 2), 0, 2, 1, 3) }
		b.out(b.matmul(split(q), b.permute(split(k), 0, 1, 3, 2)))
	}},
	{"reduce", Options{}, func(b *gb) {
		x, y := b.input(ir.F32, 4, 8), b.input(ir.F32, 4, 8)
		s := b.reduce(ir.OpSum, b.op(ir.OpSquare, b.op(ir.OpSub, x, y)), 0)
		b.out(b.op(ir.OpSqrt, b.op(ir.OpMul, s, b.constant(ir.F32, 0.25, s))))
	}},
	{"concat", Options{}, func(b *gb) {
		x, y := b.input(ir.F32, 2, 3), b.input(ir.F32, 2, 2)
		i := b.expand(b.reshape(b.index(ir.I32, 5), 1, 5), 2, 5)
		b.out(b.op(ir.OpWhere, b.op(ir.OpLess, i, b.constant(ir.I32, 3, i)), b.pad(x, 1, 0, 2, 0), b.pad(y, 1, 3, 0, 0)))
	}},
	{"padslice", Options{}, func(b *gb) {
		x := b.input(ir.F32, 2, 3)
		b.out(b.op(ir.OpNeg, b.slice(b.pad(x, 1, 1, 2, 0), 1, 4, -2, 3)))
	}},
	// Two borders of different values need a copy between them.
	{"padpad", Options{}, func(b *gb) {
		x := b.input(ir.F32, 3)
		b.out(b.op(ir.OpNeg, b.pad(b.pad(x, 0, 1, 1, 1), 0, 1, 1, 2)))
	}},
	// A border around a computed value: the value is stored.
	{"padvalue", Options{}, func(b *gb) {
		x := b.input(ir.F32, 3)
		b.out(b.pad(b.op(ir.OpExp, x), 0, 1, 1, 0))
	}},
	{"reshapecopies", Options{}, func(b *gb) {
		x := b.input(ir.F32, 4, 3)
		r := b.reshape(b.permute(x, 1, 0), 2, 6)
		b.out(b.matmul(r, b.permute(r, 1, 0)))
	}},
	{"softmax", Options{}, func(b *gb) {
		x := b.input(ir.F32, 4, 8)
		e := b.op(ir.OpExp, b.op(ir.OpSub, x, b.rows(b.reduce(ir.OpMax, x, 1), 8)))
		b.out(b.op(ir.OpDiv, e, b.rows(b.reduce(ir.OpSum, e, 1), 8)))
	}},
	{"crossentropy", Options{}, func(b *gb) {
		x, label := b.input(ir.F32, 4, 8), b.input(ir.I32, 4)
		s := b.op(ir.OpSub, x, b.rows(b.reduce(ir.OpMax, x, 1), 8))
		logp := b.op(ir.OpSub, s, b.rows(b.op(ir.OpLog, b.reduce(ir.OpSum, b.op(ir.OpExp, s), 1)), 8))
		i := b.expand(b.reshape(b.index(ir.I32, 8), 1, 8), 4, 8)
		hot := b.cast(ir.F32, b.op(ir.OpEqual, b.rows(label, 8), i))
		sum := b.reduce(ir.OpSum, b.op(ir.OpMul, logp, hot), 0, 1)
		dx := b.op(ir.OpSub, b.op(ir.OpExp, logp), hot)
		b.out(b.op(ir.OpMul, sum, b.constant(ir.F32, -0.25, sum)), b.op(ir.OpMul, dx, b.constant(ir.F32, 0.25, dx)))
	}},
	{"layernorm", Options{}, layernorm},
	{"layernorm4", Options{Limits: ir.Limits{Operands: 4}}, layernorm},
	{"sgd", Options{}, func(b *gb) {
		x, dy, w := b.input(ir.F32, 16, 8), b.input(ir.F32, 16, 4), b.donated(ir.F32, 8, 4)
		g := b.matmul(b.permute(x, 1, 0), dy)
		b.outFor(b.op(ir.OpSub, w, b.op(ir.OpMul, g, b.scalar(ir.F32, g))), w)
	}},
	// The product with the old weights is planned before their update.
	{"readersfirst", Options{}, func(b *gb) {
		x, dy, w := b.input(ir.F32, 16, 8), b.input(ir.F32, 16, 4), b.donated(ir.F32, 8, 4)
		g := b.matmul(b.permute(x, 1, 0), dy)
		b.outFor(b.op(ir.OpSub, w, b.op(ir.OpMul, g, b.scalar(ir.F32, g))), w)
		b.out(b.matmul(dy, b.permute(w, 1, 0)))
	}},
	// The product needs the old weights and the new ones: no alias.
	{"readlater", Options{}, func(b *gb) {
		w, g := b.donated(ir.F32, 4, 4), b.input(ir.F32, 4, 4)
		n := b.op(ir.OpSub, w, g)
		b.outFor(n, w)
		b.out(b.matmul(n, w))
	}},
	// Nor when the update reads the weights at other positions.
	{"transposedread", Options{}, func(b *gb) {
		w := b.donated(ir.F32, 4, 4)
		b.outFor(b.op(ir.OpSub, w, b.permute(w, 1, 0)), w)
	}},
	// A weight that is used transposed: its gradient is turned, and the update
	// is the product's epilogue. A product that is read both ways stays.
	{"turned", Options{}, func(b *gb) {
		w, x, dy := b.donated(ir.F32, 4, 16), b.input(ir.F32, 8, 16), b.input(ir.F32, 8, 4)
		g := b.permute(b.matmul(b.permute(x, 1, 0), dy), 1, 0)
		b.outFor(b.op(ir.OpSub, w, b.op(ir.OpMul, g, b.constant(ir.F32, 0.5, g))), w)
	}},
	{"notturned", Options{}, func(b *gb) {
		x, dy := b.input(ir.F32, 8, 4), b.input(ir.F32, 8, 4)
		g := b.matmul(b.permute(x, 1, 0), dy)
		b.out(b.op(ir.OpAdd, g, b.permute(g, 1, 0)))
	}},
	{"adam", Options{}, adam},
	{"adam4", Options{Limits: ir.Limits{Operands: 4}}, adam},
	// Siblings over the same gradient become one instruction.
	{"siblings", Options{}, func(b *gb) {
		x := b.input(ir.F32, 6)
		b.out(b.op(ir.OpExp, x), b.op(ir.OpTanh, x))
	}},
	// Updates are added to the rows of a donated table where they are.
	{"scatterinplace", Options{}, func(b *gb) {
		w, i, u := b.donated(ir.F32, 6, 4), b.input(ir.I32, 3), b.input(ir.F32, 3, 4)
		b.outFor(b.scatter(w, b.rows(i, 4), u, 0), w)
	}},
	{"inplace", Options{NoFuse: true}, func(b *gb) {
		x := b.input(ir.F32, 256)
		for range 4 {
			x = b.op(ir.OpExp, x)
		}
		b.out(x)
	}},
	{"cse", Options{}, func(b *gb) {
		x, y := b.input(ir.F32, 6), b.input(ir.F32, 6)
		b.op(ir.OpExp, y)
		z := b.op(ir.OpMul, b.op(ir.OpAdd, b.op(ir.OpTanh, x), b.constant(ir.F32, 0, x)), b.constant(ir.F32, 1, x))
		b.out(b.op(ir.OpMul, z, b.op(ir.OpNeg, b.op(ir.OpNeg, b.op(ir.OpTanh, b.permute(b.reshape(b.reshape(x, 2, 3), 6), 0))))))
	}},
	{"zerosize", Options{}, func(b *gb) {
		x, y := b.input(ir.F32, 0, 3), b.input(ir.F32, 2, 0)
		b.out(b.op(ir.OpNeg, x), b.reduce(ir.OpMax, x, 0), b.reduce(ir.OpSum, x, 1), b.op(ir.OpExp, b.matmul(y, x)), b.pad(x, 0, 1, 1, 5))
	}},
	{"outputs", Options{}, func(b *gb) {
		x := b.input(ir.F32, 2, 3)
		n := b.op(ir.OpNeg, x)
		b.out(n, n, b.reshape(n, 6), b.permute(n, 1, 0), x, b.permute(x, 1, 0), b.constant(ir.F32, 7, x), b.scalar(ir.F32, x))
	}},
	{"indexed", Options{}, func(b *gb) {
		table, i := b.input(ir.F32, 10, 4, 2), b.input(ir.I32, 3)
		i = b.expand(b.reshape(i, 3, 1, 1), 3, 4, 2)
		y := b.gather(table, i, 0)
		b.out(y, b.scatter(b.constant(ir.F32, 0, table), i, b.op(ir.OpNeg, y), 0))
	}},
	{"custom", Options{}, func(b *gb) {
		x, y := b.input(ir.F32, 2, 3), b.input(ir.F32, 3, 2)
		c := b.add(Node{Op: ir.OpCustom, Name: "plan.test", In: []int{x, b.permute(y, 1, 0)}, Attrs: []int64{5},
			Types: []ir.Type{{DType: ir.F32, Shape: []int{2, 3}}, {DType: ir.F32, Shape: []int{2, 3}}}})
		b.out(b.op(ir.OpNeg, b.add(Node{Op: ir.OpPick, DType: ir.F32, Shape: []int{2, 3}, In: []int{c}, K: 1})))
	}},
	{"dropout", Options{}, func(b *gb) {
		x, dy := b.input(ir.F32, 4, 8), b.input(ir.F32, 4, 8)
		i := b.index(ir.U32, 4, 8)
		r := b.op(ir.OpPhilox, i, b.scalar(ir.U32, i), b.scalar(ir.U32, i), b.constant(ir.U32, 0, i), b.constant(ir.U32, 0, i))
		keep := b.op(ir.OpLess, r, b.constant(ir.U32, 1<<31, i))
		zero := b.constant(ir.F32, 0, x)
		y := b.op(ir.OpWhere, keep, x, zero)
		b.out(b.reduce(ir.OpSum, y, 1), b.matmul(b.permute(x, 1, 0), b.op(ir.OpWhere, keep, dy, zero)))
	}},
	{"mlp", Options{}, func(b *gb) { mlp(b, 16, 12, 8, 4) }},
	{"mlp4", Options{Limits: ir.Limits{Operands: 4}}, func(b *gb) { mlp(b, 16, 12, 8, 4) }},
}

func TestGolden(t *testing.T) {
	for _, c := range goldens {
		t.Run(c.name, func(t *testing.T) {
			var b gb
			c.graph(&b)
			p, err := Build(&b.g, c.opt)
			if err != nil {
				t.Fatal(err)
			}
			if err := checkPlan(p, &b.g, c.opt.Limits); err != nil {
				t.Error(err)
			}
			file := filepath.Join("testdata", c.name+".txt")
			if *update {
				if err := os.WriteFile(file, []byte(p.String()), 0o666); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			if got := p.String(); got != string(want) {
				t.Errorf("got\n%s\nwant\n%s", got, want)
			}
		})
	}
}

func TestErrors(t *testing.T) {
	var b gb
	x := b.input(ir.F32, 6)
	b.out(b.op(ir.OpWhere, b.input(ir.Bool, 6), x, b.input(ir.F32, 6)))
	if _, err := Build(&b.g, Options{Limits: ir.Limits{Operands: 3}}); !errors.Is(err, ir.ErrUnsupported) {
		t.Errorf("four operands of three: %v", err)
	}
	if _, err := Build(&b.g, Options{Limits: ir.Limits{BufferBytes: 16}}); !errors.Is(err, ir.ErrOutOfMemory) {
		t.Errorf("24 bytes of 16: %v", err)
	}
	for name, g := range map[string]*Graph{
		"argument":  {Nodes: []Node{{Op: ir.OpNeg, In: []int{0}}}},
		"arity":     {Nodes: []Node{{Op: ir.OpNeg}}},
		"op":        {Nodes: []Node{{}}},
		"input":     {Nodes: []Node{{Op: ir.OpLoad, DType: ir.F32}}},
		"scalar":    {Nodes: []Node{{Op: ir.OpScalar, DType: ir.F32}}},
		"output":    {Outputs: []Output{{}}},
		"preferred": {Nodes: []Node{{Op: ir.OpConst, DType: ir.F32}}, Outputs: []Output{{Prefer: 1}}},
	} {
		if _, err := Build(g, Options{}); err == nil {
			t.Errorf("bad %s: no error", name)
		}
	}
}

func TestDescribe(t *testing.T) {
	var b gb
	mlp(&b, 16, 12, 8, 4)
	p, err := Build(&b.g, Options{})
	if err != nil {
		t.Fatal(err)
	}
	m := Describe(p)
	in := 16*12 + 16 + 12*8 + 8 + 8*4 + 4
	if m.Inputs != 4*in || m.Outputs != 4 || m.LargestBuffer != 4*16*12 || m.Arena != p.ArenaBytes {
		t.Errorf("%+v", m)
	}
}
