package ir

import (
	"errors"
	"fmt"
	"slices"
	"strings"
)

// An Instr is one instruction of a program: *Map, *Reduce, *MatMul, *Gather,
// *ScatterAdd or *Custom.
type Instr interface {
	// Reads returns the operands that the instruction reads memory through.
	Reads() []Operand
	// Writes returns the slots that it writes, whole.
	Writes() []int
	// Family returns the name of the kernel family.
	Family() string

	format(p *Program) string
	check(p *Program) error
}

// A Map runs a chain at every position of Shape.
//
//	for p in Shape: run Chain; for each store: slot[p] = r[Reg]
//
// A store may go to the memory of a slot that the chain loads, where the
// load's view is contiguous: each position is read before it is written and by
// nobody else.
type Map struct {
	Shape    []int
	Operands []Operand
	Chain    Chain
	Stores   []Store
}

// A Reduce runs the chain Pre over Outer × Inner, reduces register Reg over
// the inner axes, and runs the chain Post over Outer.
//
//	for p in Outer:
//	    acc = Op over q in Inner of Pre[p, q].r[Reg]
//	    run Post, where OpAcc is acc; for each store: slot[p] = r[Reg]
//
// The views of Operands have shape Outer ++ Inner, those of PostOperands
// Outer. ArgMax and ArgMin give the position of q in C order.
//
// A store may go to the memory of a slot that PostOperands load, and Operands
// do not, where the load's view is contiguous.
type Reduce struct {
	Outer, Inner []int
	Op           Op
	DType        DType // of what is reduced
	Operands     []Operand
	Pre          Chain
	Reg          int
	PostOperands []Operand
	Post         Chain
	Stores       []Store
}

// A MatMul multiplies batches of matrices.
//
//	for b in Batch, m < M, n < N:
//	    acc = Σ_{k<K} A[b, m, k]·B[b, k, n]
//	    run Post, where OpAcc is acc; for each store: slot[b, m, n] = r[Reg]
//
// The view of A has shape Batch ++ [M K], that of B Batch ++ [K N], those of
// PostOperands Batch ++ [M N]; any strides; A and B are not masked.
//
// A store may go to the memory of a slot that PostOperands load, other than
// those of A and B, where the load's view is contiguous (a parameter's update
// in the product that is its gradient): so partial sums go elsewhere.
type MatMul struct {
	Batch        []int
	M, N, K      int
	DType        DType // of A, B and acc
	A, B         Operand
	PostOperands []Operand
	Post         Chain
	Stores       []Store
}

// A Gather picks elements along one axis.
//
//	for p in Shape: i = Index[p]; Dst[p] = X[p with p[Axis] = i]
//
// The view of Index has shape Shape; that of X has shape Shape but for Axis,
// where its size bounds i. An i outside [0, size) gives 0 and an IndexError.
// Index is I32, U32, U8 or I64.
type Gather struct {
	Shape    []int
	Axis     int
	DType    DType
	X, Index Operand
	Dst      int
	Name     string // of the op the user called, for the IndexError
}

// A ScatterAdd adds elements at indices along one axis.
//
//	for q in Shape:
//	    Dst[q] = Base[q] + Σ_{j < J, Index[q with q[Axis] = j] = q[Axis]} Updates[q with q[Axis] = j]
//
// added in order of j. Views of Index and Updates have shape Shape but for
// Axis, where their size is J; that of Base has shape Shape. Base.Slot may be
// NoSlot: zeros. An index outside [0, Shape[Axis]) adds nothing and gives an
// IndexError.
//
// Dst may be the memory of Base's slot where its view is contiguous.
type ScatterAdd struct {
	Shape                []int
	Axis                 int
	DType                DType
	Base, Index, Updates Operand
	Dst                  int
	Name                 string
}

// A Custom runs a user's kernel, registered under Name with
// [RegisterCustom]. Views of operands are contiguous.
type Custom struct {
	Name     string
	Operands []Operand
	Dst      []int
	Attrs    []int64
}

// Reads implements Instr.
func (m *Map) Reads() []Operand { return reads(m.Operands) }

// Reads implements Instr.
func (r *Reduce) Reads() []Operand { return append(reads(r.Operands), reads(r.PostOperands)...) }

// Reads implements Instr.
func (m *MatMul) Reads() []Operand {
	return append([]Operand{m.A, m.B}, reads(m.PostOperands)...)
}

// Reads implements Instr.
func (g *Gather) Reads() []Operand { return []Operand{g.X, g.Index} }

// Reads implements Instr.
func (s *ScatterAdd) Reads() []Operand { return reads([]Operand{s.Base, s.Index, s.Updates}) }

// Reads implements Instr.
func (c *Custom) Reads() []Operand { return reads(c.Operands) }

// Writes implements Instr.
func (m *Map) Writes() []int { return writes(m.Stores) }

// Writes implements Instr.
func (r *Reduce) Writes() []int { return writes(r.Stores) }

// Writes implements Instr.
func (m *MatMul) Writes() []int { return writes(m.Stores) }

// Writes implements Instr.
func (g *Gather) Writes() []int { return []int{g.Dst} }

// Writes implements Instr.
func (s *ScatterAdd) Writes() []int { return []int{s.Dst} }

// Writes implements Instr.
func (c *Custom) Writes() []int { return c.Dst }

// Family implements Instr.
func (m *Map) Family() string { return "map" }

// Family implements Instr.
func (r *Reduce) Family() string { return "reduce" }

// Family implements Instr.
func (m *MatMul) Family() string { return "matmul" }

// Family implements Instr.
func (g *Gather) Family() string { return "gather" }

// Family implements Instr.
func (s *ScatterAdd) Family() string { return "scatteradd" }

// Family implements Instr.
func (c *Custom) Family() string { return "custom" }

func reads(ops []Operand) []Operand {
	var l []Operand
	for _, o := range ops {
		if o.Slot != NoSlot {
			l = append(l, o)
		}
	}
	return l
}

func writes(st []Store) []int {
	l := make([]int, len(st))
	for i, s := range st {
		l[i] = s.Slot
	}
	return l
}

func formatDst(slots []int) string {
	var b strings.Builder
	for i, s := range slots {
		if i > 0 {
			b.WriteString(", ")
		}
		fmt.Fprintf(&b, "%%%d", s)
	}
	return b.String()
}

func formatChain(b *strings.Builder, label string, c Chain, ops []Operand, st []Store) {
	if len(c) == 0 && len(st) == 0 {
		return
	}
	fmt.Fprintf(b, " %s{", label)
	for i, s := range c {
		if i > 0 {
			b.WriteString("; ")
		}
		b.WriteString(s.format(i, ops))
	}
	for _, s := range st {
		fmt.Fprintf(b, "; %%%d = r%d", s.Slot, s.Reg)
	}
	b.WriteString("}")
}

func (m *Map) format(*Program) string {
	var b strings.Builder
	fmt.Fprintf(&b, "map %v", m.Shape)
	formatChain(&b, "", m.Chain, m.Operands, m.Stores)
	return b.String()
}

func (r *Reduce) format(*Program) string {
	var b strings.Builder
	fmt.Fprintf(&b, "reduce %v %v over %v", r.Op, r.Outer, r.Inner)
	formatChain(&b, "pre", r.Pre, r.Operands, nil)
	fmt.Fprintf(&b, " of r%d", r.Reg)
	formatChain(&b, "post", r.Post, r.PostOperands, r.Stores)
	return b.String()
}

func (m *MatMul) format(*Program) string {
	var b strings.Builder
	fmt.Fprintf(&b, "matmul %v %dx%dx%d %%%d%v × %%%d%v", m.Batch, m.M, m.N, m.K, m.A.Slot, m.A.View, m.B.Slot, m.B.View)
	formatChain(&b, "post", m.Post, m.PostOperands, m.Stores)
	return b.String()
}

func (g *Gather) format(*Program) string {
	return fmt.Sprintf("%%%d = gather %v axis %d of %%%d%v at %%%d%v", g.Dst, g.Shape, g.Axis, g.X.Slot, g.X.View, g.Index.Slot, g.Index.View)
}

func (s *ScatterAdd) format(*Program) string {
	base := "zeros"
	if s.Base.Slot != NoSlot {
		base = fmt.Sprintf("%%%d%v", s.Base.Slot, s.Base.View)
	}
	return fmt.Sprintf("%%%d = scatteradd %v axis %d to %s at %%%d%v of %%%d%v", s.Dst, s.Shape, s.Axis, base, s.Index.Slot, s.Index.View, s.Updates.Slot, s.Updates.View)
}

func (c *Custom) format(*Program) string {
	var in []int
	for _, o := range c.Operands {
		in = append(in, o.Slot)
	}
	return fmt.Sprintf("%s = custom %s(%s) %v", formatDst(c.Dst), c.Name, formatDst(in), c.Attrs)
}

func (m *Map) check(p *Program) error {
	return p.checkChain("chain", m.Chain, m.Operands, m.Shape, nil, m.Stores)
}

func (r *Reduce) check(p *Program) error {
	if !r.Op.IsReduction() || !r.Op.Info().Args.Has(r.DType) {
		return fmt.Errorf("reduces %v by %v", r.DType, r.Op)
	}
	if err := p.checkChain("pre", r.Pre, r.Operands, slices.Concat(r.Outer, r.Inner), nil, nil); err != nil {
		return err
	}
	if r.Reg < 0 || r.Reg >= len(r.Pre) || r.Pre[r.Reg].DType != r.DType {
		return fmt.Errorf("reduces register %d, not of %v", r.Reg, r.DType)
	}
	return p.checkChain("post", r.Post, r.PostOperands, r.Outer, []DType{r.Op.ResultType(r.DType)}, r.Stores)
}

func (m *MatMul) check(p *Program) error {
	for _, x := range []struct {
		o    Operand
		r, c int
	}{{m.A, m.M, m.K}, {m.B, m.K, m.N}} {
		if err := p.checkOperand(x.o, slices.Concat(m.Batch, []int{x.r, x.c})); err != nil {
			return err
		}
		if x.o.Slot == NoSlot || x.o.View.Masked() || p.Slots[x.o.Slot].DType != m.DType {
			return fmt.Errorf("operand %%%d: not a plain %v", x.o.Slot, m.DType)
		}
	}
	return p.checkChain("post", m.Post, m.PostOperands, slices.Concat(m.Batch, []int{m.M, m.N}), []DType{m.DType}, m.Stores)
}

func (g *Gather) check(p *Program) error {
	return p.checkIndexed(g.Shape, g.Axis, g.DType, g.Dst, g.Index, g.Shape, g.X, false)
}

func (s *ScatterAdd) check(p *Program) error {
	if s.Base.Slot != NoSlot {
		if err := p.checkOperand(s.Base, s.Shape); err != nil {
			return err
		}
		if d := p.Slots[s.Base.Slot].DType; d != s.DType {
			return fmt.Errorf("base of %v in an instruction of %v", d, s.DType)
		}
	}
	return p.checkIndexed(s.Shape, s.Axis, s.DType, s.Dst, s.Index, s.Index.View.Shape, s.Updates, true)
}

// checkIndexed checks what Gather and ScatterAdd have in common: x equals
// shape but for the axis; for a scatter the index has x's shape.
func (p *Program) checkIndexed(shape []int, axis int, d DType, dst int, index Operand, indexShape []int, x Operand, scatter bool) error {
	if axis < 0 || axis >= len(shape) || len(x.View.Shape) != len(shape) {
		return fmt.Errorf("axis %d of %v", axis, shape)
	}
	if scatter && !slices.Equal(indexShape, x.View.Shape) {
		return fmt.Errorf("index %v and updates %v differ", indexShape, x.View.Shape)
	}
	want := slices.Clone(shape)
	want[axis] = x.View.Shape[axis]
	if err := p.checkOperand(x, want); err != nil {
		return err
	}
	if err := p.checkOperand(index, indexShape); err != nil {
		return err
	}
	if x.Slot == NoSlot || index.Slot == NoSlot {
		return errors.New("values or index without memory")
	}
	if !Class(1<<I32 | 1<<U32 | 1<<U8 | 1<<I64).Has(p.Slots[index.Slot].DType) {
		return fmt.Errorf("index of %v", p.Slots[index.Slot].DType)
	}
	if p.Slots[x.Slot].DType != d {
		return fmt.Errorf("values of %v in an instruction of %v", p.Slots[x.Slot].DType, d)
	}
	return p.checkDst(dst, d, Size(shape))
}

func (c *Custom) check(p *Program) error {
	if _, ok := LookupCustom(c.Name); !ok {
		return fmt.Errorf("no custom op is called %q", c.Name)
	}
	for _, o := range c.Operands {
		if err := p.checkOperand(o, o.View.Shape); err != nil {
			return err
		}
		if o.Slot == NoSlot || !o.View.IsContiguous() {
			return fmt.Errorf("operand %%%d of a custom op is not contiguous", o.Slot)
		}
	}
	for _, s := range c.Dst {
		if s < 0 || s >= len(p.Slots) {
			return fmt.Errorf("no slot %d", s)
		}
	}
	return nil
}
