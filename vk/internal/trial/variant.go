package trial

import (
	"slices"
	"strings"

	"github.com/fornax-ml/fornax/tensor/ir"
	"github.com/fornax-ml/fornax/tensor/ir/ref"
	"github.com/fornax-ml/fornax/vk/internal/lower"
)

// Variant tries a kernel's variant, or returns nil where there is no trial for it:
// index checks and custom kernels.
func Variant(k *lower.Kernel) *Trial {
	d := ir.F32
	module, wide := strings.CutSuffix(k.Module, "_wide")
	if wide {
		d = ir.F64
	}
	switch module {
	case "map":
		return mapTrial(d, k.Entry)
	case "reduce":
		return reduceTrial(d, k.Entry, int(k.Spec[0]), k.Spec[1] > 1)
	case "rows":
		return rowsTrial(d, k.Entry, int(k.Spec[0]))
	case "scatteradd":
		return scatterTrial(d, k.Entry, k.Spec[1] > 1)
	case "matmul", "matmul_direct", "matmul_sub8", "matmul_coop_f16", "matmul_coop_bf16", "matmul_coop2_f16", "matmul_coop2_bf16":
		return matmulTrial(k)
	}
	return nil
}

// mapTrial adds a matrix and a row, over more positions than a workgroup takes: for
// turn a large transposed matrix, for sparse the row is subtracted and added many times
// more, and for words it compares them instead.
func mapTrial(d ir.DType, entry string) *Trial {
	m, n, op := 9, 257, ir.OpAdd
	matrix := func() ir.View { return ir.Contiguous([]int{m, n}) }
	switch entry {
	case "words":
		op = ir.OpLess
	case "turn":
		m, n = 67, 261
		matrix = func() ir.View { return ir.Contiguous([]int{n, m}).Permute([]int{1, 0}) }
	}
	r := ref.Rand(1, "map")
	chain := ir.Chain{load(0, d), load(1, d), apply(op, d, 0, 1)}
	if entry == "sparse" {
		for range 25 {
			last := len(chain) - 1
			chain = append(chain, apply(ir.OpSub, d, last, 1), apply(ir.OpAdd, d, last+1, 1))
		}
	}
	var b builder
	b.instrs = append(b.instrs, &ir.Map{
		Shape: []int{m, n},
		Operands: []ir.Operand{
			whole(b.input(ref.Whole(r, d, m*n, -9, 9)), matrix()),
			whole(b.input(ref.Whole(r, d, n, -9, 9)), ir.Contiguous([]int{1, n}).Expand([]int{m, n})),
		},
		Chain:  chain,
		Stores: []ir.Store{{Slot: b.output(op.ResultType(d), m*n), Reg: len(chain) - 1}},
	})
	return b.build(true, ref.Tolerance{})
}

// reduceTrial sums whole numbers or finds the largest: rows along memory that make a
// workgroup of w invocations, or short columns, or longer ones. Packed results are comparisons.
func reduceTrial(d ir.DType, entry string, w int, packed bool) *Trial {
	outer, inner := 5, 4*w+1
	row := strings.HasSuffix(entry, "row")
	switch {
	case entry == "column":
		outer, inner = 61, 67
	case !row:
		outer, inner = 301, 37
	}
	view := ir.Contiguous([]int{outer, inner})
	if !row {
		view = ir.Contiguous([]int{inner, outer}).Permute([]int{1, 0})
	}
	op, result := ir.OpSum, d
	if strings.HasPrefix(entry, "arg_") {
		op, result = ir.OpArgMax, ir.I32
	}
	r := ref.Rand(1, "reduce")
	var b builder
	in := &ir.Reduce{
		Outer: []int{outer}, Inner: []int{inner}, Op: op, DType: d,
		Operands: []ir.Operand{whole(b.input(ref.Whole(r, d, outer*inner, -9, 9)), view)}, Pre: ir.Chain{load(0, d)},
		Post: ir.Chain{acc(result)},
	}
	reg, stored := 0, result
	if packed {
		in.Post = append(in.Post, ir.Step{Op: ir.OpConst, DType: result}, apply(ir.OpLess, result, 0, 1))
		reg, stored = 2, ir.Bool
		if op == ir.OpArgMax { // positions are not below 0
			in.Post[1].Imm = 11
		}
	}
	in.Stores = []ir.Store{{Slot: b.output(stored, outer), Reg: reg}}
	b.instrs = append(b.instrs, in)
	return b.build(true, ref.Tolerance{})
}

// rowsTrial subtracts from rows of whole numbers their maximum, and then adds to each
// the sum of what is left.
func rowsTrial(d ir.DType, entry string, w int) *Trial {
	outer, inner := 5, 4*w+1
	if entry != "row" {
		outer, inner = 301, 37
	}
	shape, row := []int{outer, inner}, ir.Contiguous([]int{outer, 1}).Expand([]int{outer, inner})
	n := outer * inner
	r := ref.Rand(1, "rows")
	var b builder
	x := b.input(ref.Whole(r, d, n, -9, 9))
	most, sum, y := b.output(d, outer), b.output(d, outer), b.output(d, n)
	all := whole(x, ir.Contiguous(shape))
	left := ir.Chain{load(0, d), load(1, d), apply(ir.OpSub, d, 0, 1)}
	b.instrs = append(b.instrs,
		&ir.Reduce{Outer: shape[:1], Inner: shape[1:], Op: ir.OpMax, DType: d, Operands: []ir.Operand{all}, Pre: ir.Chain{load(0, d)},
			Post: ir.Chain{acc(d)}, Stores: []ir.Store{{Slot: most}}},
		&ir.Reduce{Outer: shape[:1], Inner: shape[1:], Op: ir.OpSum, DType: d, Operands: []ir.Operand{all, whole(most, row)}, Pre: left, Reg: 2,
			Post: ir.Chain{acc(d)}, Stores: []ir.Store{{Slot: sum}}},
		&ir.Map{Shape: shape, Operands: []ir.Operand{all, whole(most, row), whole(sum, row)},
			Chain:  append(slices.Clone(left), load(2, d), apply(ir.OpAdd, d, 2, 3)),
			Stores: []ir.Store{{Slot: y, Reg: 4}}})
	return b.build(true, ref.Tolerance{})
}

// scatterTrial adds updates at indices that repeat: of rows, or for walk of elements.
func scatterTrial(d ir.DType, entry string, packed bool) *Trial {
	updates, rows, columns := 1029, 37, 67
	if entry == "compare" {
		updates, rows, columns = 29, 7, 11
	}
	if packed {
		d = ir.I8
	}
	r := ref.Rand(1, "scatter")
	var b builder
	n, view := updates, ir.Contiguous([]int{updates, 1}).Expand([]int{updates, columns})
	if entry == "walk" {
		n, view = updates*columns, ir.Contiguous([]int{updates, columns})
	}
	index := whole(b.input(ref.Whole(r, ir.I32, n, 0, rows-1)), view)
	b.instrs = append(b.instrs, &ir.ScatterAdd{
		Shape: []int{rows, columns}, Axis: 0, DType: d, Base: ir.Operand{Slot: ir.NoSlot}, Name: "trial", Index: index,
		Updates: whole(b.input(ref.Whole(r, d, updates*columns, -4, 4)), ir.Contiguous([]int{updates, columns})),
		Dst:     b.output(d, rows*columns),
	})
	return b.build(true, ref.Tolerance{})
}

// layout makes a view of matrices that lie along their rows, or else along their columns,
// in so many elements: dense where runs of elements are to be read at once, else with
// rows that begin at no multiple of four.
func layout(batch, rows, columns int, plain bool, run int) (size int, v ir.View) {
	outer, inner, axes := rows, columns, []int{0, 1, 2}
	if !plain {
		outer, inner, axes = columns, rows, []int{0, 2, 1}
	}
	stride := inner
	if run == 1 {
		stride = inner&^1 + 3
	}
	return batch * outer * stride, ir.Contiguous([]int{batch, outer, stride}).Slice(2, 0, 1, inner).Permute(axes)
}

// matmulTrial multiplies matrices of whole numbers, a little larger than a tile and
// smaller than one, in the layouts that the kernel was made for.
func matmulTrial(k *lower.Kernel) *Trial {
	c := lower.MatMulConstants(k)
	r := ref.Rand(1, "matmul")
	var b builder
	// Two matrices each, so that both shapes are one kernel.
	d, n := c.DType, c.Least-1
	shapes := [][4]int{{2, c.BM + 3, c.BN + 5, c.BK + 3}, {2, n + 3, n + 2, n + 5}}
	if run := max(c.RunA, c.RunB); run > 1 {
		shapes = [][4]int{{2, c.BM + run, c.BN + run, c.BK + run}, {2, run, 2 * run, 3 * run}}
	} else if c.Packed {
		shapes = [][4]int{{2, c.BM + 3, c.BN + 4, c.BK + 3}, {2, n + 3, 12, n + 5}}
	}
	if k.Module == "matmul" && k.Spec[5] >= 4 {
		shapes = append(shapes, [4]int{2, 4, 12, 8}) // with packed results
	}
	for i, s := range shapes {
		batch, m, n, depth := s[0], s[1], s[2], s[3]
		post, stored := ir.Chain{acc(d)}, d
		switch {
		case i == 2:
			post, stored = append(post, ir.Step{Op: ir.OpConst, DType: d}, apply(ir.OpLess, d, 0, 1)), ir.Bool
		case d.Size() < 4 && !c.Packed:
			post, stored = append(post, ir.Step{Op: ir.OpCast, DType: ir.F32, From: d, Args: []int{0}}), ir.F32
		}
		matrix := func(rows, columns int, plain bool, run int) ir.Operand {
			size, v := layout(batch, rows, columns, plain, run)
			return whole(b.input(ref.Whole(r, d, size, -3, 3)), v)
		}
		b.instrs = append(b.instrs, &ir.MatMul{
			Batch: []int{batch}, M: m, N: n, K: depth, DType: d,
			A: matrix(m, depth, c.AlongK, c.RunA), B: matrix(depth, n, c.AlongN, c.RunB),
			Post: post, Stores: []ir.Store{{Slot: b.output(stored, batch*m*n), Reg: len(post) - 1}},
		})
	}
	t := b.build(true, ref.Tolerance{})
	t.MatMul = k.Variant()
	return t
}

// All returns trials of every op and every variant that a device with these options
// may run.
func All(o lower.Options) []*Trial {
	var l []*Trial
	for _, f := range lower.OpFuncs() {
		if o.DTypes.Has(f.From) && (f.To == ir.Invalid || o.DTypes.Has(f.To)) {
			l = append(l, Op(f))
		}
	}
	for _, d := range []ir.DType{ir.F32, ir.F64} {
		if !o.DTypes.Has(d) {
			continue
		}
		l = append(l, mapTrial(d, "spread"), mapTrial(d, "sparse"), mapTrial(d, "words"), mapTrial(d, "turn"), scatterTrial(d, "rows", false), scatterTrial(d, "walk", false),
			scatterTrial(d, "compare", false), scatterTrial(d, "compare", true))
		for _, entry := range []string{"lane", "row", "column", "arg_lane", "arg_row"} {
			for w := o.Workgroup; w >= 32; w /= 2 {
				l = append(l, reduceTrial(d, entry, w, false), reduceTrial(d, entry, w, true))
			}
		}
		for w := o.Workgroup; w >= 32; w /= 2 {
			l = append(l, rowsTrial(d, "row", w))
		}
		l = append(l, rowsTrial(d, "lane", o.Workgroup))
	}
	for _, d := range []ir.DType{ir.F32, ir.F64, ir.F16, ir.BF16} {
		if !o.DTypes.Has(d) {
			continue
		}
		for _, p := range products(d, o) {
			for _, k := range lower.MatMulKernels(p, o) {
				l = append(l, matmulTrial(k.Kernel()))
			}
		}
	}
	return l
}

// products are a product in every layout that makes other kernels.
func products(d ir.DType, o lower.Options) (l []lower.Product) {
	run, packed := 4, []bool{false}
	switch d {
	case ir.F64:
		run = 1
	case ir.F16, ir.BF16:
		_, whole := o.Flexible[d]
		if _, ok := o.Matrices[d]; !ok && !whole { // they run on the kernels of f32
			return nil
		}
		if run = 8; !whole {
			packed = append(packed, true)
		}
	}
	for layout := range 16 {
		is := func(bit int) bool { return layout&bit != 0 }
		p := lower.Product{Batch: 1, M: 300, N: 200, K: 40, Parts: 1, DType: ir.F32, Stored: d, AlongK: is(1), AlongN: is(2), RunA: 1, RunB: 1}
		if d == ir.F64 {
			p.DType = d
		}
		if run == 1 && (is(4) || is(8)) || run == 8 && is(4) != is(8) { // loads of eight are alike for A and B
			continue
		}
		if is(4) {
			p.RunA = run
		}
		if is(8) {
			p.RunB = run
		}
		for _, p.Packed = range packed {
			l = append(l, p)
		}
	}
	return l
}

// Options returns the options for lowering the trial's program: products run on the
// kernel that it is for.
func (t *Trial) Options(o lower.Options) lower.Options {
	if t.MatMul == "" {
		return o
	}
	return Options(o, t.MatMul)
}

// Options makes products run on a variant, where it can compute them.
func Options(o lower.Options, matmul string) lower.Options {
	o.MatMul = func(_ lower.Product, ks []lower.MatMulKernel) int {
		return max(slices.IndexFunc(ks, func(k lower.MatMulKernel) bool { return k.Variant() == matmul }), 0)
	}
	return o
}

// Product returns a program that computes a product, in the layouts that it names,
// with bytes for its inputs.
func Product(p lower.Product) (*ir.Program, [][]byte) {
	d := p.Stored
	a, viewA := layout(p.Batch, p.M, p.K, p.AlongK, p.RunA)
	b, viewB := layout(p.Batch, p.K, p.N, p.AlongN, p.RunB)
	post, stored := ir.Chain{acc(d)}, d
	if d.Size() < 4 && !p.Packed {
		post, stored = append(post, ir.Step{Op: ir.OpCast, DType: ir.F32, From: d, Args: []int{0}}), ir.F32
	}
	return &ir.Program{
		Slots: []ir.Slot{
			{Kind: ir.Input, DType: d, Len: a}, {Kind: ir.Input, DType: d, Len: b},
			{Kind: ir.Output, DType: stored, Len: p.Batch * p.M * p.N, Alias: ir.NoSlot},
		},
		Inputs: 2, Outputs: 1,
		Instrs: []ir.Instr{&ir.MatMul{
			Batch: []int{p.Batch}, M: p.M, N: p.N, K: p.K, DType: d, A: whole(0, viewA), B: whole(1, viewB),
			Post: post, Stores: []ir.Store{{Slot: 2, Reg: len(post) - 1}},
		}},
	}, [][]byte{numbers(d, a), numbers(d, b)}
}

// numbers are n small numbers in a pattern.
func numbers(d ir.DType, n int) []byte {
	const period = 61
	b := make([]byte, ir.SlotBytes(d, n))
	for i := range min(n, period) {
		ir.PutBits(d, b, i, ir.FloatBits(d, float64(i)/64-0.5))
	}
	for at := period * d.Size(); at < len(b); at *= 2 {
		copy(b[at:], b[:at])
	}
	return b
}
