package cpu

import (
	"slices"

	"github.com/fornax-ml/fornax/tensor/ir"
)

// streamBytes is the size of results from which on they are stored past the
// cache: what is that large has left the last-level cache before it is read, and
// a store that does not read its line first saves a third of a copy's traffic.
const streamBytes = 32 << 20

// streamable decides which stores of a map go past the cache: those to memory
// that the map does not read, where together they are large and nothing is
// computed. With arithmetic in between, the few buffers that such stores pass
// through make the processor wait: on Zen 5 exp took 1.4 times as long with them,
// an addition as long, and a copy 0.85 times.
func (c *compiler) streamable(m *ir.Map) []bool {
	l := make([]bool, len(m.Stores))
	computes := func(s ir.Step) bool { return s.Op != ir.OpLoad }
	if c.lv.kernels.moves.streamRows == nil || slices.ContainsFunc(m.Chain, computes) {
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

// streamStores makes the stores that are listed go past the cache, and reports
// whether there is one. Who runs the chain needs a fence.
func (ch *chain) streamStores(list []bool, stores []ir.Store) (some bool) {
	slots := map[int]bool{}
	for i, s := range stores {
		slots[s.Slot] = list[i]
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
	for i := range ch.stores {
		o := &ch.stores[i]
		o.stream = o.stream && o.slot != slot
		others = others || o.stream
	}
	return others
}
