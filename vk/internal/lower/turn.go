package lower

import (
	"slices"

	"github.com/fornax-ml/fornax/tensor/ir"
	"github.com/fornax-ml/fornax/vk/internal/splice"
)

// turnSide is SIDE of map.comp.
const turnSide = 32

// turnedAxis finds the axis along which operands of a Map lie in memory where its
// results lie along the last, and the operands; ok is false where turning tiles of the
// two in shared memory is not worth it, as on CPU drivers, which it makes slower.
func (l *lowerer) turnedAxis(m *ir.Map) (axis, last int, operands []int, ok bool) {
	const leastSize = 16
	last = len(m.Shape) - 1
	if l.o.Software || last < 1 || m.Shape[last] < leastSize || l.hasNarrow(m.Stores) || ir.Size(m.Shape) < 1<<14 {
		return 0, 0, nil, false
	}
	axis = -1
	for k, o := range m.Operands {
		v := o.View
		if o.Slot == ir.NoSlot || v.Strides[last] == 0 || v.Strides[last] == 1 || v.Strides[last] == -1 {
			continue
		}
		a := slices.IndexFunc(v.Strides, func(s int) bool { return s == 1 || s == -1 })
		if a < 0 || m.Shape[a] < leastSize || axis >= 0 && a != axis {
			continue
		}
		if len(operands) == 2 {
			return 0, 0, nil, false
		}
		axis = a
		operands = append(operands, k)
	}
	return axis, last, operands, axis >= 0
}

// lowerTurned emits a Map whose operands lie across; false where that is not worth it.
func (l *lowerer) lowerTurned(m *ir.Map) bool {
	axis, last, operands, ok := l.turnedAxis(m)
	spec := []uint32{uint32(l.o.Workgroup)}
	c := l.dispatch("map", l.isWide(m))
	shared := len(operands) * turnSide * (turnSide + 1) * regBytes(c.wide)
	if !ok || shared > l.o.Shared || l.off(variant(c.d.Kernel.Module, "turn", spec)) != "" {
		return false
	}
	rest := slices.DeleteFunc(axes(len(m.Shape)), func(a int) bool { return a == axis || a == last })
	order := append(slices.Clone(rest), axis, last)
	others := make([]int, len(rest))
	for i, a := range rest {
		others[i] = m.Shape[a]
	}
	r, n := m.Shape[axis], m.Shape[last]
	groups := []group{{param0, others}, {param1, []int{r}}, {splice.Param(2), []int{n}}}

	f := c.fn("place")
	sp := f.space(nil, groups, ir.Contiguous(m.Shape).Permute(order))
	f.body.Return, _ = sp.index(ir.Contiguous(m.Shape).Permute(order))
	f = c.fn("bring")
	for i, k := range operands {
		f.call("bring_"+digits(i), param0, param1, splice.Param(2))
		v := m.Operands[k].View.Permute(order)
		g := c.fn("fetch_" + digits(i))
		g.body.Return = g.operand(g.space(nil, groups, v), ir.Operand{Slot: m.Operands[k].Slot, View: v, Fill: m.Operands[k].Fill})
	}
	f = c.fn("element")
	f.turned = map[int]splice.Arg{}
	for i, k := range operands {
		f.turned[k] = f.call("turned_" + digits(i))
	}
	plain := slices.Clone(m.Operands)
	for _, k := range operands { // whose index nobody needs
		plain[k].View = ir.Contiguous(m.Shape)
	}
	sp = f.space(&param0, []group{{param0, m.Shape}}, views(plain...)...)
	f.stores(m.Stores, f.chain(m.Chain, plain, sp), param0, param1)
	tilesC, tiles := ceilDiv(n, turnSide), ceilDiv(n, turnSide)*ceilDiv(r, turnSide)
	c.numbers(positions(m.Shape), r, n, tilesC, tiles, tiles*ir.Size(others))
	c.emit("turn", fold(tiles*ir.Size(others)), spec...)
	return true
}

func axes(n int) []int {
	l := make([]int, n)
	for a := range l {
		l[a] = a
	}
	return l
}
