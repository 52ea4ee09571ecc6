package plan

import "github.com/fornax-ml/fornax/tensor/ir"

// collapse merges axes [lo, hi) of views that are stepped through together
// (equal shapes on those axes): axes of size 1 go away, and neighbours become
// one where every view steps through them alike. It returns how many are
// left.
func collapse(views []*ir.View, lo, hi int) int {
	if len(views) == 0 {
		return hi - lo
	}
	for a := lo; a < hi; {
		if views[0].Shape[a] != 1 || !allViews(views, func(v *ir.View) bool { return !v.Masked() || v.Lo[a] == 0 && v.Hi[a] == 1 }) {
			a++
			continue
		}
		for _, v := range views {
			dropAxis(v, a)
		}
		hi--
	}
	for a := lo; a+1 < hi; {
		if !allViews(views, func(v *ir.View) bool { return mergeable(v, a) }) {
			a++
			continue
		}
		for _, v := range views {
			mergeAxis(v, a)
		}
		hi--
	}
	return hi - lo
}

func allViews(views []*ir.View, f func(*ir.View) bool) bool {
	for _, v := range views {
		if !f(v) {
			return false
		}
	}
	return true
}

// mergeable reports whether axes a and a+1 step like one.
func mergeable(v *ir.View, a int) bool {
	if v.Masked() && (v.Lo[a+1] != 0 || v.Hi[a+1] != v.Shape[a+1]) {
		return false
	}
	return v.Strides[a] == v.Strides[a+1]*v.Shape[a+1]
}

func mergeAxis(v *ir.View, a int) {
	n := v.Shape[a+1]
	v.Shape[a+1] *= v.Shape[a]
	if v.Masked() {
		v.Lo[a+1], v.Hi[a+1] = v.Lo[a]*n, v.Hi[a]*n
	}
	dropAxis(v, a)
}

func dropAxis(v *ir.View, a int) {
	cut := func(s []int) []int { return append(s[:a:a], s[a+1:]...) }
	v.Shape, v.Strides = cut(v.Shape), cut(v.Strides)
	if v.Masked() {
		v.Lo, v.Hi = cut(v.Lo), cut(v.Hi)
	}
}
