package cpu

import (
	"slices"

	"github.com/fornax-ml/fornax/tensor/ir"
)

// chain compiles an ir.Chain over shape. views replaces the views of ops where
// the loop order is not that of the program. want lists registers beside the
// stores' that the instruction reads; acc is the dtype of OpAcc, and accSlot the
// slot whose memory the accumulators are in, or NoSlot. pos0 is where the
// workspace has room.
func (c *compiler) chain(in ir.Chain, ops []ir.Operand, stores []ir.Store, shape []int, want []int, accSlot, pos0 int) (*chain, error) {
	n := len(in)
	ch := &chain{regs: make([]ir.DType, n), regOff: make([]int, n), regSize: make([]int, n), size: product(shape), moves: &c.lv.kernels.moves}
	uniform := make([]bool, n)
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
	in = oneStream(in, readers, uniform)
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
	wanted := make([]bool, n)
	for i := range wanted {
		wanted[i] = last[i] == n
	}
	order := c.lv.kernels.fused.runs(in, used, uniform, wanted)
	inRun, at := make([]bool, n), make([]int, n)
	for u, run := range order {
		for _, i := range run {
			inRun[i], at[i] = len(run) > 1, u
		}
	}
	for i := range in { // from here on last counts in the order
		if wanted[i] {
			last[i] = len(order)
			continue
		}
		last[i] = -1
	}
	for i, s := range in {
		if used[i] && !uniform[i] {
			for _, a := range s.Args {
				last[a] = max(last[a], at[i])
			}
		}
	}
	spread := spreads(in, readers, used, inRun, wanted)
	// A uniform register that a kernel reads at every position fills a block.
	for i := range in {
		if !used[i] || !uniform[i] {
			continue
		}
		wide := wanted[i]
		for j := i + 1; j < n && !wide; j++ {
			if used[j] && !uniform[j] && !inRun[j] {
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
	home := make([]int, n) // the block that a register had
	release := func(a, u int) {
		if b := blockOf[a]; b >= 0 && last[a] == u {
			free = append(free, b)
			blockOf[a] = -1
		}
	}
	stored := make([]bool, len(stores))
	for i, s := range in {
		if !used[i] || !uniform[i] {
			continue
		}
		st := step{reg: i, block: -1, slot: -1}
		copy(st.a[:], s.Args)
		if err := c.source(&st, s, ops, readers[i]); err != nil {
			return nil, err
		}
		if st.kind == stepMem {
			st.kind = stepView
		}
		ch.once = append(ch.once, st)
	}
	for u, run := range order {
		i := run[0]
		s := in[i]
		st := step{reg: i, block: -1, slot: -1}
		if len(run) > 1 {
			var out []fusedOut
			for _, i := range run {
				ch.cost += c.lv.stepCost(in[i])
				if last[i] <= u {
					continue // known in the run only
				}
				o := fusedOut{reg: i, block: -1, slot: -1}
				if k := ch.direct(c, in, ops, used, stores, i, accSlot); k >= 0 {
					o.slot, stored[k] = stores[k].Slot, true
				} else {
					o.block = take()
					blockOf[i] = o.block
				}
				out = append(out, o)
			}
			st.kind, st.fused = stepFused, c.lv.kernels.fused.fuse(in, uniform, spread, run, out)
			for _, i := range run {
				for _, a := range in[i].Args {
					release(a, u)
				}
			}
			ch.steps = append(ch.steps, st)
			continue
		}
		copy(st.a[:], s.Args)
		if err := c.source(&st, s, ops, readers[i]); err != nil {
			return nil, err
		}
		switch st.kind {
		case stepCalc, stepPhilox, stepStream:
			if !read(in, used, want, i) {
				st.round = nil // the stores round
			}
			if k := ch.direct(c, in, ops, used, stores, i, accSlot); k >= 0 {
				st.slot, st.size = stores[k].Slot, ch.regSize[i]
				stored[k] = true
				break
			}
			// An argument read for the last time gives its block to the
			// result where the elements are of one size.
			for _, a := range s.Args {
				if b := blockOf[a]; b >= 0 && last[a] == u && ch.regSize[a] == ch.regSize[i] && st.kind == stepCalc {
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
		blockOf[i], home[i] = st.block, st.block
		st.spread = spread[i]
		for _, a := range s.Args {
			release(a, u)
		}
		ch.steps = append(ch.steps, st)
		ch.cost += c.lv.stepCost(s)
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
		ch.cost += c.lv.memoryCost()
	}
	for i := range ch.steps {
		s := &ch.steps[i]
		if s.block >= 0 {
			s.block = pos0 + s.block*ch.block
		}
		if s.kind == stepFused {
			for k, o := range s.fused.out {
				if o.block >= 0 {
					s.fused.out[k].block = pos0 + o.block*ch.block
				}
			}
			for k, x := range s.fused.in {
				s.fused.in[k].block = pos0 + home[x.reg]*ch.block
			}
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
		st.kind, st.words = stepPhilox, c.lv.kernels.philox
		if v != nil {
			st.kind, st.stream, st.off = stepStream, c.lv.kernels.stream, v.off
		}
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

// read reports whether anything but stores reads register r.
func read(in ir.Chain, used []bool, want []int, r int) bool {
	return slices.Contains(want, r) || readAfter(in, used, nil, r, r)
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
