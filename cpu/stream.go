package cpu

import (
	"unsafe"

	"github.com/fornax-ml/fornax/tensor/ir"
)

// streamBytes is the size of results from which on they are stored past the
// cache: what is that large has left the last-level cache before it is read, and
// a store that does not read its line first saves a third of a copy's traffic.
const streamBytes = 32 << 20

// streamLen is the number of positions of a block where results are streamed.
const streamLen = blockLen / 2

// streamable decides which stores of a map go past the cache: those to memory
// that the map does not read, where together they are large.
func (c *compiler) streamable(m *ir.Map) []bool {
	l := make([]bool, len(m.Stores))
	if c.lv.kernels.moves.streamRows == nil {
		return l
	}
	bytes := 0
	for i, s := range m.Stores {
		l[i] = true
		for _, o := range m.Operands {
			if o.Slot != ir.NoSlot && c.overlap(o.Slot, s.Slot) {
				l[i] = false
			}
		}
		if l[i] {
			bytes += ir.Size(m.Shape) * c.p.Slots[s.Slot].DType.Size()
		}
	}
	if bytes < streamBytes {
		clear(l)
	}
	return l
}

// ownBlocks gives steps whose registers are not in the workspace blocks there.
func (ch *chain) ownBlocks(c *compiler) {
	for i := range ch.steps {
		s := &ch.steps[i]
		if s.kind == stepFused {
			for k := range s.fused.out {
				if o := &s.fused.out[k]; o.block < 0 {
					o.own = ch.bytes
					ch.bytes += ch.block
				}
			}
			continue
		}
		if s.block < 0 {
			s.own = ch.bytes
			ch.bytes += ch.block
		}
	}
	c.exe.wsBytes = max(c.exe.wsBytes, ch.bytes)
}

// streamStores makes the stores that are listed go past the cache, and reports
// whether there is one. The steps need blocks of their own, and who runs the
// chain a fence.
func (ch *chain) streamStores(list []bool, stores []ir.Store) bool {
	slots := map[int]bool{}
	for i, s := range stores {
		slots[s.Slot] = list[i]
	}
	some := false
	for i := range ch.steps {
		s := &ch.steps[i]
		if s.kind == stepFused {
			for k := range s.fused.out {
				o := &s.fused.out[k]
				o.past = o.block < 0 && slots[o.slot]
				some = some || o.past
			}
			continue
		}
		s.past = s.block < 0 && (s.kind == stepCalc || s.kind == stepPhilox || s.kind == stepStream) && slots[s.slot]
		some = some || s.past
	}
	for i := range ch.stores {
		o := &ch.stores[i]
		o.stream = o.same && slots[o.slot]
		some = some || o.stream
	}
	return some
}

// keep undoes streamStores for a slot, and reports whether other stores still go
// past the cache.
func (ch *chain) keep(slot int) (others bool) {
	undo := func(past *bool, to int) {
		*past = *past && to != slot
		others = others || *past
	}
	for i := range ch.steps {
		s := &ch.steps[i]
		undo(&s.past, s.slot)
		if s.kind == stepFused {
			for k := range s.fused.out {
				undo(&s.fused.out[k].past, s.fused.out[k].slot)
			}
		}
	}
	for i := range ch.stores {
		undo(&ch.stores[i].stream, ch.stores[i].slot)
	}
	return others
}

// result returns where step s, which has no block, writes its result.
func (ch *chain) result(r *run, ws *workspace, s *step, pos int) unsafe.Pointer {
	if s.past {
		return unsafe.Pointer(&ws.mem[s.own])
	}
	return unsafe.Add(r.slots[s.slot], pos*s.size)
}
