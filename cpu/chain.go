package cpu

import (
	"unsafe"

	"github.com/fornax-ml/fornax/tensor/ir"
)

// blockLen is the number of positions a chain handles at a time.
const blockLen = 1024

// A chain is an ir.Chain made ready: steps over blocks of positions.
//
// A register is in one of four places: in memory (a contiguous operand, or a
// stored result), in a block of the workspace, in the accumulators of the
// instruction that the chain ends, or, where its value is the same at all
// positions, in a block of the run's uniform values. What is in the workspace's
// ptrs says where it is for the block at hand.
type chain struct {
	steps   []step // in order, at each block
	once    []step // values that are the same at all positions, once a run
	fills   []fill
	stores  []copyOut // results that are not stored by their step
	regs    []ir.DType
	regOff  []int // of uniform registers: byte in the run's uniform values; else -1
	regSize []int
	block   int // bytes between blocks in the workspace
	bytes   int // of the workspace
	size    int // positions
	cost    float64
	moves   *moves
}

type stepKind uint8

const (
	stepCalc   stepKind = iota
	stepMem             // a contiguous operand, used in place
	stepView            // an operand through a view
	stepIndex           // positions that a view computes
	stepAcc             // the accumulators
	stepScalar          // a run-time number
	stepConst
	stepPhilox
)

type step struct {
	kind  stepKind
	reg   int
	fn    kernel // stepCalc; stepMem and others: conversion of F16 and BF16, or nil
	round kernel // rounding of F16 and BF16, or nil
	a     [5]int // argument registers
	block int    // where the result goes in the workspace, or -1
	own   int    // with block -1: a block of its own, where ownBlocks made one
	slot  int    // stepMem, stepView: what is read; stepCalc: what is written, or -1
	size  int    // bytes of an element of slot
	off   int    // stepMem: byte offset
	k     int    // stepScalar
	imm   uint64 // stepConst: bits of the register's element
	view  *viewReader

	stream bool // what is written to slot goes past the cache
}

// A fill spreads a uniform value over its block.
type fill struct {
	off, size, n int
}

type copyOut struct {
	reg, slot, size int
	fn              kernel
	same            bool // elements are stored as they are
	stream          bool
}

// phys is the dtype that a register of d is held in.
func phys(d ir.DType) ir.DType {
	switch d {
	case ir.F16, ir.BF16:
		return ir.F32
	case ir.Bool:
		return ir.U8
	}
	return d
}

func half(d ir.DType) bool { return d == ir.F16 || d == ir.BF16 }

// chain compiles an ir.Chain over shape. views replaces the views of ops where
// the loop order is not that of the program. want lists registers beside the
// stores' that the instruction reads; acc is the dtype of OpAcc, and accSlot the
// slot whose memory the accumulators are in, or NoSlot. pos0 is where the
// workspace has room.
func (c *compiler) chain(in ir.Chain, ops []ir.Operand, stores []ir.Store, shape []int, want []int, accSlot, pos0 int) (*chain, error) {
	n := len(in)
	ch := &chain{regs: make([]ir.DType, n), regOff: make([]int, n), regSize: make([]int, n), size: product(shape), moves: &c.lv.kernels.moves}
	uniform := make([]bool, n)
	used := make([]bool, n)
	last := make([]int, n) // the last step that reads the register; n: the end
	for i := range last {
		last[i] = -1
	}
	for _, r := range want {
		used[r], last[r] = true, n
	}
	for _, s := range stores {
		used[s.Reg], last[s.Reg] = true, n
	}
	for i := n - 1; i >= 0; i-- {
		if !used[i] {
			continue
		}
		for _, a := range in[i].Args {
			used[a] = true
			last[a] = max(last[a], i)
		}
	}
	readers := make([]*viewReader, n)
	for i, s := range in {
		ch.regs[i], ch.regOff[i], ch.regSize[i] = s.DType, -1, phys(s.DType).Size()
		switch s.Op {
		case ir.OpConst, ir.OpScalar:
			uniform[i] = true
		case ir.OpLoad, ir.OpIndex:
			readers[i] = c.viewReader(ops[s.K])
			uniform[i] = readers[i].uniform()
		case ir.OpAcc:
		default:
			uniform[i] = true
			for _, a := range s.Args {
				uniform[i] = uniform[i] && uniform[a]
			}
		}
		ch.block = max(ch.block, blockLen*ch.regSize[i])
	}
	// A uniform register that something reads at every position fills a block.
	for i := range in {
		if !used[i] || !uniform[i] {
			continue
		}
		wide := last[i] == n
		for j := i + 1; j < n && !wide; j++ {
			if used[j] && !uniform[j] {
				for _, a := range in[j].Args {
					wide = wide || a == i
				}
			}
		}
		ch.regOff[i] = c.exe.uniform
		room := 1
		if wide {
			room = max(1, min(blockLen, ch.size))
			ch.fills = append(ch.fills, fill{off: ch.regOff[i], size: ch.regSize[i], n: room})
		}
		c.exe.uniform += (room*ch.regSize[i] + align - 1) &^ (align - 1)
	}
	var free []int
	blocks := 0
	take := func() int {
		if k := len(free); k > 0 {
			b := free[k-1]
			free = free[:k-1]
			return b
		}
		blocks++
		return blocks - 1
	}
	blockOf := make([]int, n)
	for i := range blockOf {
		blockOf[i] = -1
	}
	stored := make([]bool, len(stores))
	for i, s := range in {
		if !used[i] {
			continue
		}
		st := step{reg: i, block: -1, slot: -1}
		copy(st.a[:], s.Args)
		if err := c.source(&st, s, ops, readers[i]); err != nil {
			return nil, err
		}
		if uniform[i] {
			if st.kind == stepMem {
				st.kind = stepView
			}
			ch.once = append(ch.once, st)
			continue
		}
		switch st.kind {
		case stepCalc, stepPhilox:
			if st.kind == stepCalc {
				var err error
				if st.fn, err = c.lv.kernels.lookup(s.Op, phys(s.From), s); err != nil {
					return nil, err
				}
			}
			if half(s.DType) && s.Op != ir.OpWhere {
				st.round = c.lv.kernels.round[s.DType]
			}
			if k := ch.direct(c, in, ops, used, stores, i, accSlot); k >= 0 {
				st.slot, st.size = stores[k].Slot, ch.regSize[i]
				stored[k] = true
				break
			}
			// An argument read for the last time gives its block to the
			// result where the elements are of one size.
			for _, a := range s.Args {
				if b := blockOf[a]; b >= 0 && last[a] == i && ch.regSize[a] == ch.regSize[i] && st.kind == stepCalc {
					st.block, blockOf[a] = b, -1
					break
				}
			}
			if st.block < 0 {
				st.block = take()
			}
		case stepMem:
			if st.fn != nil || !c.inPlace(ops[s.K].Slot, i, st.size, stores) {
				st.block = take()
			}
		case stepAcc:
		default:
			st.block = take()
		}
		blockOf[i] = st.block
		for k, a := range s.Args {
			dup := false
			for _, x := range s.Args[:k] {
				dup = dup || x == a
			}
			if b := blockOf[a]; b >= 0 && last[a] == i && !dup {
				free = append(free, b)
				blockOf[a] = -1
			}
		}
		ch.steps = append(ch.steps, st)
		ch.cost += stepCost(s)
	}
	for k, s := range stores {
		if stored[k] {
			continue
		}
		o := copyOut{reg: s.Reg, slot: s.Slot, size: c.p.Slots[s.Slot].DType.Size()}
		if d := ch.regs[s.Reg]; half(d) {
			o.fn = c.lv.kernels.narrow[d]
		} else {
			o.fn, o.same = c.lv.kernels.move[o.size], true
		}
		ch.stores = append(ch.stores, o)
		ch.cost += 0.3
	}
	for i := range ch.steps {
		if b := ch.steps[i].block; b >= 0 {
			ch.steps[i].block = pos0 + b*ch.block
		}
	}
	ch.bytes = pos0 + blocks*ch.block
	c.exe.wsBytes = max(c.exe.wsBytes, ch.bytes)
	c.exe.wsPtrs = max(c.exe.wsPtrs, n)
	return ch, nil
}

// source fills in a step that reads something from outside the chain.
func (c *compiler) source(st *step, s ir.Step, ops []ir.Operand, v *viewReader) error {
	switch s.Op {
	case ir.OpLoad:
		st.kind, st.view, st.slot, st.size = stepView, v, ops[s.K].Slot, s.DType.Size()
		if v.contiguous() {
			st.kind, st.off = stepMem, v.off*st.size
		}
		if half(s.DType) {
			st.fn = c.lv.kernels.widen[s.DType]
		}
	case ir.OpIndex:
		st.kind, st.view = stepIndex, v
	case ir.OpScalar:
		st.kind, st.k = stepScalar, s.K
	case ir.OpConst:
		st.kind, st.imm = stepConst, registerBits(s.DType, s.Imm)
	case ir.OpAcc:
		st.kind = stepAcc
	case ir.OpPhilox:
		st.kind = stepPhilox
	default:
		st.kind = stepCalc
		fn, err := c.lv.kernels.lookup(s.Op, phys(s.From), s)
		if err != nil {
			return err
		}
		st.fn = fn
		if half(s.DType) && s.Op != ir.OpWhere {
			st.round = c.lv.kernels.round[s.DType]
		}
	}
	return nil
}

// registerBits converts the bits of a value of d to those of its register.
func registerBits(d ir.DType, bits uint64) uint64 {
	if half(d) {
		return ir.FloatBits(ir.F32, ir.BitsFloat(d, bits))
	}
	return bits
}

// inPlace reports whether register reg, loaded from slot, may be read there at
// any time in a block: no store of elements of another size goes over it, and
// none at all where reg is stored itself, which happens after other stores.
func (c *compiler) inPlace(slot, reg, size int, stores []ir.Store) bool {
	over, stored := false, false
	for _, s := range stores {
		if c.overlap(slot, s.Slot) {
			if c.p.Slots[s.Slot].DType.Size() != size {
				return false
			}
			over = true
		}
		stored = stored || s.Reg == reg
	}
	return !(over && stored)
}

// direct returns the store whose memory step i may write its result to at
// once, or -1: nothing that is read later may be in that memory.
func (ch *chain) direct(c *compiler, in ir.Chain, ops []ir.Operand, used []bool, stores []ir.Store, i, accSlot int) int {
	if half(ch.regs[i]) {
		return -1
	}
	for k, s := range stores {
		if s.Reg != i {
			continue
		}
		ok := true
		// Loads before i are read by steps after i, or stored; loads after i
		// read memory that i overwrote.
		for j, t := range in {
			var slot int
			switch {
			case !used[j]:
				continue
			case t.Op == ir.OpLoad:
				slot = ops[t.K].Slot
			case t.Op == ir.OpAcc:
				slot = accSlot
			default:
				continue
			}
			if slot == ir.NoSlot || !c.overlap(slot, s.Slot) {
				continue
			}
			if j > i || readAfter(in, used, stores, j, i) || (t.DType.Size() != ch.regSize[i]) {
				ok = false
				break
			}
		}
		for m, o := range stores { // another store over the same memory
			if m != k && c.overlap(o.Slot, s.Slot) {
				ok = false
			}
		}
		if ok {
			return k
		}
	}
	return -1
}

// readAfter reports whether something after step i reads register r.
func readAfter(in ir.Chain, used []bool, stores []ir.Store, r, i int) bool {
	for j := i + 1; j < len(in); j++ {
		if used[j] {
			for _, a := range in[j].Args {
				if a == r {
					return true
				}
			}
		}
	}
	for _, s := range stores {
		if s.Reg == r {
			return true
		}
	}
	return false
}

// stepCost estimates nanoseconds a position.
func stepCost(s ir.Step) float64 {
	switch s.Op {
	case ir.OpAcc:
		return 0
	case ir.OpLoad, ir.OpIndex:
		return 0.4
	case ir.OpPhilox:
		return 6
	case ir.OpPow, ir.OpAtan2, ir.OpRem, ir.OpErf, ir.OpAsin, ir.OpAcos:
		return 15
	}
	if s.Op.Info().Cheap || s.Op == ir.OpSqrt || s.Op == ir.OpDiv {
		return 0.6
	}
	return 5
}

// prepare computes the uniform values of a run.
func (ch *chain) prepare(r *run) {
	for i := range ch.once {
		s := &ch.once[i]
		dst := unsafe.Pointer(&r.uniform[ch.regOff[s.reg]])
		arg := func(k int) unsafe.Pointer {
			return unsafe.Pointer(&r.uniform[max(0, ch.regOff[s.a[k]])])
		}
		switch s.kind {
		case stepView:
			if ch.size == 0 {
				continue // there may be no element to read
			}
			src := s.view.load(r.slots[s.slot], s.size, dst, 0, 1)
			if s.fn != nil {
				s.fn(dst, src, nil, nil, 1)
			} else if src != dst {
				copy(slice[byte](dst, s.size), slice[byte](src, s.size))
			}
		case stepIndex:
			s.view.index(dst, 0, 1)
		case stepScalar:
			putElem(dst, ch.regSize[s.reg], registerBits(ch.regs[s.reg], r.scalars[s.k].Bits))
		case stepConst:
			putElem(dst, ch.regSize[s.reg], s.imm)
		case stepPhilox:
			philox(dst, arg(0), arg(1), arg(2), arg(3), arg(4), 1)
		case stepCalc:
			s.fn(dst, arg(0), arg(1), arg(2), 1)
			if s.round != nil {
				s.round(dst, dst, nil, nil, 1)
			}
		}
	}
	for _, f := range ch.fills {
		spread(unsafe.Pointer(&r.uniform[f.off]), f.size, f.n)
	}
}

// begin sets the places of uniform registers in a workspace, before exec.
func (ch *chain) begin(r *run, ws *workspace) {
	for i, off := range ch.regOff {
		if off >= 0 {
			ws.ptrs[i] = unsafe.Pointer(&r.uniform[off])
		}
	}
}

// exec runs the chain at positions [pos, pos+n), n <= blockLen; acc holds the
// n accumulators. Afterwards ws.ptrs has the place of each register.
func (ch *chain) exec(r *run, ws *workspace, pos, n int, acc unsafe.Pointer) {
	ptrs := ws.ptrs
	for i := range ch.steps {
		s := &ch.steps[i]
		var dst unsafe.Pointer
		if s.block >= 0 {
			dst = unsafe.Pointer(&ws.mem[s.block])
		}
		switch s.kind {
		case stepCalc:
			if s.block < 0 {
				dst = ch.result(r, ws, s, pos)
			}
			s.fn(dst, ptrs[s.a[0]], ptrs[s.a[1]], ptrs[s.a[2]], n)
			if s.round != nil {
				s.round(dst, dst, nil, nil, n)
			}
		case stepMem:
			src := unsafe.Add(r.slots[s.slot], s.off+pos*s.size)
			switch {
			case s.fn != nil:
				s.fn(dst, src, nil, nil, n)
			case s.block >= 0:
				copy(slice[byte](dst, n*s.size), slice[byte](src, n*s.size))
			default:
				dst = src
			}
		case stepView:
			if s.fn == nil {
				dst = s.view.load(r.slots[s.slot], s.size, dst, pos, n)
				break
			}
			// Halves go to the upper end of the block, where widening them
			// forward does not overtake the reading.
			raw := unsafe.Add(dst, (4-s.size)*blockLen)
			s.fn(dst, s.view.load(r.slots[s.slot], s.size, raw, pos, n), nil, nil, n)
		case stepIndex:
			s.view.index(dst, pos, n)
		case stepAcc:
			dst = acc
		case stepPhilox:
			if s.block < 0 {
				dst = ch.result(r, ws, s, pos)
			}
			philox(dst, ptrs[s.a[0]], ptrs[s.a[1]], ptrs[s.a[2]], ptrs[s.a[3]], ptrs[s.a[4]], n)
		}
		if s.stream {
			ch.moves.stream(unsafe.Add(r.slots[s.slot], pos*s.size), dst, n*s.size)
		}
		ptrs[s.reg] = dst
	}
	for i := range ch.stores {
		o := &ch.stores[i]
		dst := unsafe.Add(r.slots[o.slot], pos*o.size)
		if o.stream {
			ch.moves.stream(dst, ptrs[o.reg], n*o.size)
			continue
		}
		o.fn(dst, ptrs[o.reg], nil, nil, n)
	}
}
