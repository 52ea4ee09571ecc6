package lower

import (
	"math/bits"
	"slices"
	"strings"

	"github.com/fornax-ml/fornax/tensor/ir"
	"github.com/fornax-ml/fornax/vk/internal/splice"
)

// A dispatcher gathers one dispatch.
type dispatcher struct {
	l      *lowerer
	d      Dispatch
	wide   bool
	packed int  // narrow stores so far
	fours  bool // results come four at a time, so that there is no word in part
	flush  splice.Body
}

func (l *lowerer) dispatch(module string, wide bool) *dispatcher {
	if wide {
		module += "_wide"
	}
	return l.dispatchOf(module, wide)
}

// dispatchOf is dispatch for a module's full name.
func (l *lowerer) dispatchOf(module string, wide bool) *dispatcher {
	return &dispatcher{l: l, wide: wide, d: Dispatch{
		Instr: l.instr, Kernel: &Kernel{Module: module, Bodies: map[string]*splice.Body{}}, Block: make([]uint32, firstFree),
	}}
}

// word appends a word to the block and returns its place.
func (c *dispatcher) word(v ...int) int {
	at := len(c.d.Block)
	for _, x := range v {
		c.d.Block = append(c.d.Block, uint32(x))
	}
	if len(c.d.Block) > BlockWords {
		unsupported("%d words of parameters", len(c.d.Block))
	}
	return at
}

// mostBytes is what kernels can index: SPIR-V takes indices as signed.
const mostBytes int64 = 4 << 31

// buffer binds memory, or finds its binding.
func (c *dispatcher) buffer(m Mem) int {
	if limit := c.l.o.Range; limit > 0 && m.Bytes > limit {
		unsupported("a slot of %d bytes exceeds maxStorageBufferRange, %d bytes", m.Bytes, limit)
	}
	if int64(m.Bytes) > mostBytes {
		unsupported("a slot of %d bytes: kernels count words in 31 bits", m.Bytes)
	}
	for k, b := range c.d.Bindings {
		if b.Arg == m.Arg && b.Offset == m.Offset {
			c.d.Bindings[k].Bytes = max(b.Bytes, m.Bytes)
			return k
		}
	}
	c.d.Bindings = append(c.d.Bindings, m)
	if n := len(c.d.Bindings); n > c.l.o.Buffers {
		unsupported("%d buffers, the device binds %d to a kernel", n, c.l.o.Buffers)
	}
	return len(c.d.Bindings) - 1
}

func (c *dispatcher) read(m Mem) int {
	c.d.Reads = append(c.d.Reads, m)
	return c.buffer(m)
}

func (c *dispatcher) write(m Mem) int {
	c.d.Writes = append(c.d.Writes, m)
	return c.buffer(m)
}

// numbers sets the family's numbers.
func (c *dispatcher) numbers(v ...int) {
	for i, x := range v {
		c.d.Block[i] = uint32(x)
	}
}

// emit adds the dispatch to the plan. entry is what kernel is to call.
func (c *dispatcher) emit(entry string, groups [3]uint32, spec ...uint32) {
	if groups[0] == 0 || groups[1] == 0 {
		return
	}
	k := c.d.Kernel
	k.Entry, k.Spec, k.Buffers = entry, spec, len(c.d.Bindings)
	if entry != "" && k.Bodies["kernel"] == nil {
		body := &splice.Body{}
		body.Call(entry)
		k.Bodies["kernel"] = body
	}
	if c.packed > 0 || k.Bodies["post"] != nil || k.Bodies["element"] != nil {
		k.Bodies["flush"] = &c.flush
	}
	if strings.HasPrefix(k.Module, "rows") {
		delete(k.Bodies, "flush")
	}
	c.l.refuse(k)
	c.d.Groups = groups
	c.l.plan.Dispatches = append(c.l.plan.Dispatches, c.d)
}

// fn is one template function on the way.
type fn struct {
	c    *dispatcher
	body *splice.Body
	// turned are the values of operands that do not come from memory here.
	turned map[int]splice.Arg
}

func (c *dispatcher) fn(name string) *fn {
	f := &fn{c: c, body: &splice.Body{}}
	c.d.Kernel.Bodies[name] = f.body
	return f
}

func (f *fn) call(name string, args ...splice.Arg) splice.Arg { return f.body.Call(name, args...) }

func num(i int) splice.Arg { return splice.Const(uint64(uint32(i))) }

// reg makes a register of a uint.
func (f *fn) reg(a splice.Arg) splice.Arg {
	if _, ok := a.IsConst(); ok || !f.c.wide {
		return a
	}
	return f.call("reg", a)
}

// load reads element i of memory that holds dtype d.
func (f *fn) load(m Mem, d ir.DType, i splice.Arg) splice.Arg {
	word := "word_" + digits(f.c.read(m))
	switch d.Size() {
	case 1:
		return f.call("get_"+d.String(), f.call(word, f.call("word_of_8", i)), i)
	case 2:
		return f.call("get_"+d.String(), f.call(word, f.call("word_of_16", i)), i)
	case 8:
		return f.call("get_64", f.call(word, f.call("first_of_64", i)), f.call(word, f.call("second_of_64", i)))
	}
	return f.reg(f.call(word, i))
}

// store writes element i; e is i mod 4 where elements are packed.
func (f *fn) store(m Mem, d ir.DType, i, e, v splice.Arg) {
	put := "put_" + digits(f.c.write(m))
	switch d.Size() {
	case 1:
		k := num(f.c.packed)
		f.c.packed++
		f.call("pack", k, e, v)
		f.c.flush.Call(put, splice.Param(0), f.c.flush.Call("packed_word", k))
	case 2:
		k := f.c.packed
		f.c.packed += 2
		f.call("pack_"+d.String(), num(k), e, v)
		first, second := f.c.flush.Call("packed_word", num(k)), f.c.flush.Call("packed_word", num(k+1))
		if f.c.fours { // 2w, 2w+1
			w := f.c.flush.Call("add", param0, param0)
			f.c.flush.Call(put, w, first)
			f.c.flush.Call(put, f.c.flush.Call("add", w, num(1)), second)
		} else {
			f.c.flush.Call("put_pair_"+strings.TrimPrefix(put, "put_"), param0, first, second)
		}
	case 8:
		f.call(put, f.call("first_of_64", i), f.call("low", v))
		f.call(put, f.call("second_of_64", i), f.call("high", v))
	default:
		if f.c.wide {
			v = f.call("low", v)
		}
		f.call(put, i, v)
	}
}

func digits(k int) string {
	if k >= 10 {
		return "1" + string(rune('0'+k-10))
	}
	return string(rune('0' + k))
}

// regBits gives a register's bits for a value in memory format.
func regBits(d ir.DType, b uint64) uint64 {
	switch d {
	case ir.I8:
		return uint64(uint32(int32(int8(b))))
	case ir.U8:
		return b & 0xff
	case ir.Bool:
		return b & 1
	case ir.F64, ir.I64:
		return b
	case ir.F16, ir.BF16:
		return ir.FloatBits(ir.F32, ir.BitsFloat(d, b))
	}
	return b & 0xffffffff
}

// RegBits returns the bits that a scalar of dtype d has in a register; the
// host puts them into the block where a [Patch] says.
func RegBits(d ir.DType, b uint64) uint64 { return regBits(d, b) }

// scalar reads scalar k of the program from the block.
func (f *fn) scalar(k int) splice.Arg {
	for _, p := range f.c.d.Patches {
		if p.Scalar == k {
			return f.call("scalar", num(p.Word))
		}
	}
	w := f.c.word(0, 0)
	f.c.d.Patches = append(f.c.d.Patches, Patch{w, k})
	return f.call("scalar", num(w))
}

// magic gives the multiplier and shift that divide by d.
func magic(d int) (m, shift int) {
	shift = bits.Len(uint(d - 1))
	return int(uint32((uint64(1)<<32)*(uint64(1)<<shift-uint64(d))/uint64(d) + 1)), shift
}

// chain emits a chain and returns its registers. at gives the index and
// validity of an operand; acc are the results that OpAcc reads.
func (f *fn) chain(c ir.Chain, ops []ir.Operand, sp *space, acc ...splice.Arg) []splice.Arg {
	r := make([]splice.Arg, len(c))
	for i, s := range c {
		switch s.Op {
		case ir.OpLoad:
			v, ok := f.turned[s.K]
			if !ok {
				v = f.operand(sp, ops[s.K])
			}
			r[i] = v
		case ir.OpIndex:
			idx, _ := sp.index(ops[s.K].View)
			r[i] = f.reg(idx)
		case ir.OpScalar:
			r[i] = f.scalar(s.K)
		case ir.OpConst:
			r[i] = splice.Const(regBits(s.DType, s.Imm))
		case ir.OpAcc:
			r[i] = f.round(s.DType, acc[s.K])
		default:
			args := make([]splice.Arg, len(s.Args))
			for k, a := range s.Args {
				args[k] = r[a]
			}
			switch {
			case s.Op == ir.OpCast && s.From == s.DType:
				r[i] = args[0]
				continue
			case s.Op == ir.OpCast && computedAs(s.From) == computedAs(s.DType):
				r[i] = args[0]
			default:
				r[i] = f.call(opName(s.Op, s.From, s.DType), args...)
			}
			if !slices.Contains(staysHalf, s.Op) {
				r[i] = f.round(s.DType, r[i])
			}
		}
	}
	return r
}

// round makes a half of a float, where d is one.
func (f *fn) round(d ir.DType, v splice.Arg) splice.Arg {
	if halves.Has(d) {
		return f.call("round_"+d.String(), v)
	}
	return v
}

// operand loads an operand at the space's position.
func (f *fn) operand(sp *space, o ir.Operand) splice.Arg {
	d := f.c.l.p.Slots[o.Slot].DType
	fill := splice.Const(regBits(d, o.Fill))
	if _, _, ok := o.View.Bounds(); !ok {
		return fill
	}
	i, ok := sp.index(o.View)
	if ok == nil {
		return f.load(f.c.l.mem(o.Slot), d, i)
	}
	v := f.load(f.c.l.mem(o.Slot), d, f.call("index_or_0", *ok, i))
	return f.call("value_or", *ok, v, fill)
}

// stores emits the stores of registers at position i.
func (f *fn) stores(st []ir.Store, r []splice.Arg, i, e splice.Arg) {
	for _, s := range st {
		f.store(f.c.l.mem(s.Slot), f.c.l.p.Slots[s.Slot].DType, i, e, r[s.Reg])
	}
}

// buffers counts the memory that operands and stores need bound.
func (l *lowerer) buffers(ops []ir.Operand, st []ir.Store) int {
	type place struct{ arg, offset int }
	seen := map[place]bool{}
	add := func(slot int) {
		m := l.mem(slot)
		seen[place{m.Arg, m.Offset}] = true
	}
	for _, o := range ops {
		if o.Slot != ir.NoSlot {
			add(o.Slot)
		}
	}
	for _, s := range st {
		add(s.Slot)
	}
	return len(seen)
}

// narrow reports whether elements of d are packed in words.
func narrow(d ir.DType) bool { return d.Size() < 4 }

// hasNarrow reports whether a store packs elements.
func (l *lowerer) hasNarrow(st []ir.Store) bool {
	for _, s := range st {
		if narrow(l.p.Slots[s.Slot].DType) {
			return true
		}
	}
	return false
}

// isWide reports whether an instruction has 64-bit values.
func (l *lowerer) isWide(in ir.Instr) bool {
	for _, o := range in.Reads() {
		if l.p.Slots[o.Slot].DType.Size() == 8 {
			return true
		}
	}
	for _, s := range in.Writes() {
		if l.p.Slots[s].DType.Size() == 8 {
			return true
		}
	}
	for _, c := range chains(in) {
		for _, s := range c {
			if s.DType.Size() == 8 || s.From.Size() == 8 {
				return true
			}
		}
	}
	return false
}
