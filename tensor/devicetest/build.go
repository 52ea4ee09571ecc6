package devicetest

import (
	"fmt"
	"slices"

	"github.com/fornax-ml/fornax/tensor/ir"
	"github.com/fornax-ml/fornax/tensor/ir/ref"
)

// A builder makes a program and the values of its inputs. Slots may be made in
// any order: their numbers are provisional until build.
type builder struct {
	slots   []ir.Slot
	values  map[int]ref.Values // of inputs
	scalars []ir.Scalar
	instrs  []ir.Instr
	fixed   map[int]bool // temporaries whose Offset is given
}

func (b *builder) slot(s ir.Slot) int {
	b.slots = append(b.slots, s)
	return len(b.slots) - 1
}

func (b *builder) input(v ref.Values) int {
	if b.values == nil {
		b.values = map[int]ref.Values{}
	}
	i := b.slot(ir.Slot{Kind: ir.Input, DType: v.DType, Len: v.Len(), Alias: ir.NoSlot})
	b.values[i] = v
	return i
}

func (b *builder) output(d ir.DType, n int) int { return b.inPlace(d, n, ir.NoSlot) }

// inPlace makes an output that takes over the memory of an input.
func (b *builder) inPlace(d ir.DType, n, input int) int {
	return b.slot(ir.Slot{Kind: ir.Output, DType: d, Len: n, Alias: input})
}

func (b *builder) temp(d ir.DType, n int) int {
	return b.slot(ir.Slot{Kind: ir.Temp, DType: d, Len: n, Alias: ir.NoSlot})
}

// tempAt makes a temporary at a given place of the arena.
func (b *builder) tempAt(d ir.DType, n, offset int) int {
	if b.fixed == nil {
		b.fixed = map[int]bool{}
	}
	i := b.slot(ir.Slot{Kind: ir.Temp, DType: d, Len: n, Alias: ir.NoSlot, Offset: offset})
	b.fixed[i] = true
	return i
}

func (b *builder) scalar(d ir.DType, bits uint64) int {
	b.scalars = append(b.scalars, ir.Scalar{DType: d, Bits: bits})
	return len(b.scalars) - 1
}

func (b *builder) add(in ir.Instr) { b.instrs = append(b.instrs, in) }

// build orders the slots, places the temporaries by lifetime and returns the
// program with its inputs.
func (b *builder) build(align int) (*ir.Program, []ref.Values, []ir.Scalar) {
	p := &ir.Program{Instrs: b.instrs}
	var inputs []ref.Values
	number := map[int]int{ir.NoSlot: ir.NoSlot}
	for _, kind := range []ir.SlotKind{ir.Input, ir.Output, ir.Temp} {
		for i, s := range b.slots {
			if s.Kind != kind {
				continue
			}
			number[i] = len(p.Slots)
			if kind == ir.Input {
				inputs = append(inputs, b.values[i])
				p.Inputs++
			}
			if kind == ir.Output {
				p.Outputs++
			}
			p.Slots = append(p.Slots, s)
		}
	}
	for i := range p.Slots {
		p.Slots[i].Alias = number[p.Slots[i].Alias]
	}
	for _, in := range b.instrs {
		renumber(in, number)
	}
	for _, s := range b.scalars {
		p.Scalars = append(p.Scalars, s.DType)
	}
	fixed := map[int]bool{}
	for i := range b.fixed {
		fixed[number[i]] = true
	}
	place(p, fixed, max(align, 4))
	return p, inputs, b.scalars
}

func renumber(in ir.Instr, number map[int]int) {
	operands := func(ops []ir.Operand) {
		for i := range ops {
			ops[i].Slot = number[ops[i].Slot]
		}
	}
	stores := func(st []ir.Store) {
		for i := range st {
			st[i].Slot = number[st[i].Slot]
		}
	}
	switch in := in.(type) {
	case *ir.Map:
		operands(in.Operands)
		stores(in.Stores)
	case *ir.Reduce:
		operands(in.Operands)
		operands(in.PostOperands)
		stores(in.Stores)
	case *ir.MatMul:
		in.A.Slot, in.B.Slot = number[in.A.Slot], number[in.B.Slot]
		operands(in.PostOperands)
		stores(in.Stores)
	case *ir.Gather:
		in.X.Slot, in.Index.Slot, in.Dst = number[in.X.Slot], number[in.Index.Slot], number[in.Dst]
	case *ir.ScatterAdd:
		in.Base.Slot, in.Index.Slot, in.Updates.Slot, in.Dst = number[in.Base.Slot], number[in.Index.Slot], number[in.Updates.Slot], number[in.Dst]
	default:
		panic(fmt.Sprintf("devicetest: %T", in))
	}
}

// place gives each temporary the lowest place of the arena that is free from
// its first to its last use.
func place(p *ir.Program, fixed map[int]bool, align int) {
	first, last := map[int]int{}, map[int]int{}
	for at, in := range p.Instrs {
		used := in.Writes()
		for _, o := range in.Reads() {
			used = append(slices.Clone(used), o.Slot)
		}
		for _, s := range used {
			if _, ok := first[s]; !ok {
				first[s] = at
			}
			last[s] = at
		}
	}
	var placed []int
	for i := p.NumArgs(); i < len(p.Slots); i++ {
		s := &p.Slots[i]
		for moved := !fixed[i]; moved; {
			moved = false
			for _, j := range placed {
				o := p.Slots[j]
				apart := last[j] < first[i] || last[i] < first[j]
				if !apart && s.Offset < o.Offset+o.Bytes() && o.Offset < s.Offset+s.Bytes() {
					s.Offset = (o.Offset + o.Bytes() + align - 1) / align * align
					moved = true
				}
			}
		}
		placed = append(placed, i)
		p.ArenaBytes = max(p.ArenaBytes, s.Offset+s.Bytes())
	}
}

// A chain is a chain under construction, with what it reads and stores.
type chain struct {
	steps  ir.Chain
	ops    []ir.Operand
	stores []ir.Store
}

func (c *chain) step(s ir.Step) int {
	c.steps = append(c.steps, s)
	return len(c.steps) - 1
}

func (c *chain) load(d ir.DType, slot int, v ir.View) int {
	return c.loadFill(d, slot, v, 0)
}

func (c *chain) loadFill(d ir.DType, slot int, v ir.View, fill uint64) int {
	c.ops = append(c.ops, ir.Operand{Slot: slot, View: v, Fill: fill})
	return c.step(ir.Step{Op: ir.OpLoad, DType: d, K: len(c.ops) - 1})
}

func (c *chain) index(d ir.DType, v ir.View) int {
	c.ops = append(c.ops, ir.Operand{Slot: ir.NoSlot, View: v})
	return c.step(ir.Step{Op: ir.OpIndex, DType: d, K: len(c.ops) - 1})
}

func (c *chain) scalar(d ir.DType, k int) int {
	return c.step(ir.Step{Op: ir.OpScalar, DType: d, K: k})
}

func (c *chain) constant(d ir.DType, v float64) int {
	return c.step(ir.Step{Op: ir.OpConst, DType: d, Imm: ir.FloatBits(d, v)})
}

func (c *chain) acc(d ir.DType) int { return c.step(ir.Step{Op: ir.OpAcc, DType: d}) }

func (c *chain) cast(d ir.DType, a int) int {
	return c.step(ir.Step{Op: ir.OpCast, DType: d, From: c.steps[a].DType, Args: []int{a}})
}

func (c *chain) op(o ir.Op, args ...int) int {
	from := c.steps[args[len(args)-1]].DType
	return c.step(ir.Step{Op: o, DType: o.ResultType(from), From: from, Args: args})
}

func (c *chain) store(slot, reg int) { c.stores = append(c.stores, ir.Store{Slot: slot, Reg: reg}) }

// output stores a register to a new output.
func (c *chain) output(b *builder, n, reg int) int {
	s := b.output(c.steps[reg].DType, n)
	c.store(s, reg)
	return s
}

func (c *chain) asMap(shape ...int) *ir.Map {
	return &ir.Map{Shape: shape, Operands: c.ops, Chain: c.steps, Stores: c.stores}
}

func contiguous(shape ...int) ir.View { return ir.Contiguous(shape) }

func operand(slot int, v ir.View) ir.Operand { return ir.Operand{Slot: slot, View: v} }
