package lower

import (
	"slices"

	"github.com/fornax-ml/fornax/tensor/ir"
	"github.com/fornax-ml/fornax/vk/internal/splice"
)

// A group is a run of axes of the iteration shape with a linear position of
// its own.
type group struct {
	lin   splice.Arg
	shape []int
}

// A space is the iteration shape as one function sees it, its axes merged as
// far as all views allow.
type space struct {
	f    *fn
	lin  *splice.Arg // position over the whole shape, where there is one
	axes []axis
	done []indexed
}

type axis struct {
	group  int
	lin    splice.Arg // of the group
	from   int        // axes [from, to) of the views
	to     int
	size   int
	coord  *splice.Arg
	needed bool
}

type indexed struct {
	view ir.View
	i    splice.Arg
	ok   *splice.Arg
}

// space merges axes over the views, which all have the groups' shapes joined.
// With lin, contiguous views need no coordinates.
func (f *fn) space(lin *splice.Arg, groups []group, views ...ir.View) *space {
	sp := &space{f: f, lin: lin}
	views = slices.DeleteFunc(slices.Clone(views), func(v ir.View) bool { return sp.plain(v) })
	at := 0
	for g, gr := range groups {
		first := len(sp.axes)
		for i, n := range gr.shape {
			a := axis{group: g, lin: gr.lin, from: at + i, to: at + i + 1, size: n}
			if n == 1 && !slices.ContainsFunc(views, func(v ir.View) bool { return partial(v, at+i) }) {
				continue
			}
			if len(sp.axes) > first && !slices.ContainsFunc(views, func(v ir.View) bool {
				p := sp.axes[len(sp.axes)-1]
				return !mergeable(v, p, a)
			}) {
				p := &sp.axes[len(sp.axes)-1]
				p.to, p.size = a.to, p.size*n
				continue
			}
			sp.axes = append(sp.axes, a)
		}
		at += len(gr.shape)
	}
	for i := range sp.axes {
		a := &sp.axes[i]
		for _, v := range views {
			if stride(v, *a) != 0 || partial(v, a.to-1) {
				a.needed = true
			}
		}
	}
	sp.coordinates()
	return sp
}

func (sp *space) plain(v ir.View) bool { return sp.lin != nil && v.IsContiguous() }

// partial reports whether a mask cuts the axis.
func partial(v ir.View, a int) bool {
	return v.Masked() && (v.Lo[a] != 0 || v.Hi[a] != v.Shape[a])
}

// stride is a merged axis's: that of its last axis which is not of size 1.
func stride(v ir.View, a axis) int {
	for i := a.to - 1; i >= a.from; i-- {
		if v.Shape[i] != 1 {
			return v.Strides[i]
		}
	}
	return 0
}

// mergeable reports whether the view walks axis p and then b as one.
func mergeable(v ir.View, p, b axis) bool {
	if partial(v, b.from) {
		return false
	}
	for i := p.from; i < p.to; i++ {
		if partial(v, i) {
			return false
		}
	}
	return stride(v, p) == v.Strides[b.from]*b.size
}

// coordinates divides the groups' positions into what is needed.
func (sp *space) coordinates() {
	f := sp.f
	for end := len(sp.axes); end > 0; {
		first := end - 1
		for first > 0 && sp.axes[first-1].group == sp.axes[end-1].group {
			first--
		}
		need := first // the outermost axis that is needed
		for need < end && !sp.axes[need].needed {
			need++
		}
		rem := sp.axes[first].lin
		for i := end - 1; i >= need && i >= first; i-- {
			a := &sp.axes[i]
			if i == first {
				a.coord = &rem
				break
			}
			m, s := magic(a.size)
			w := f.c.word(m, s, a.size)
			q := f.call("axis_div", rem, num(w))
			if a.needed {
				c := f.call("axis_mod", rem, q, num(w+2))
				a.coord = &c
			}
			rem = q
		}
		end = first
	}
}

// index emits the element position that a view computes and, for masked views,
// a uint that is 1 where the position is in memory.
func (sp *space) index(v ir.View) (i splice.Arg, ok *splice.Arg) {
	f := sp.f
	if sp.plain(v) {
		return *sp.lin, nil
	}
	for _, d := range sp.done {
		if d.view.Equal(v) {
			return d.i, d.ok
		}
	}
	// With nothing to add the offset is data all the same.
	i = f.call("meta", num(f.c.word(v.Offset)))
	for _, a := range sp.axes {
		if s := stride(v, a); s != 0 {
			i = f.call("axis_add", i, *a.coord, num(f.c.word(s)))
		}
		if partial(v, a.to-1) {
			was := num(1)
			if ok != nil {
				was = *ok
			}
			lo, hi := v.Lo[a.to-1], v.Hi[a.to-1]
			now := f.call("in_mask", was, *a.coord, num(f.c.word(lo, hi-lo)))
			ok = &now
		}
	}
	sp.done = append(sp.done, indexed{v, i, ok})
	return i, ok
}

// views lists the operands' views.
func views(ops ...ir.Operand) []ir.View {
	var l []ir.View
	for _, o := range ops {
		l = append(l, o.View)
	}
	return l
}
