package lower

import "slices"

// schedule puts dispatches that do not depend on each other side by side, as early as
// what they depend on allows, so that fewer barriers come between them: a step of a small
// network is mostly waiting at barriers. Of those that may run together the order stays.
func (p *Plan) schedule() {
	level := make([]int, len(p.Dispatches))
	for i := range p.Dispatches {
		for j := range i {
			if level[j] >= level[i] && p.Dispatches[i].conflicts(&p.Dispatches[j]) {
				level[i] = level[j] + 1
			}
		}
	}
	order := make([]int, len(p.Dispatches))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(a, b int) int { return level[a] - level[b] })
	at := make([]int, len(order)) // where each went
	sorted := make([]Dispatch, len(order))
	for to, from := range order {
		sorted[to], at[from] = p.Dispatches[from], to
	}
	p.Dispatches = sorted
	for c := range p.Checks {
		for k, i := range p.Checks[c].Dispatch {
			p.Checks[c].Dispatch[k] = at[i]
		}
	}
}

// conflicts reports whether two dispatches touch memory that one of them writes.
func (d *Dispatch) conflicts(e *Dispatch) bool {
	return Meet(d.Writes, e.Writes) || Meet(d.Writes, e.Reads) || Meet(d.Reads, e.Writes)
}

// Meet reports whether a range of one list shares bytes with one of the other.
func Meet(a, b []Mem) bool {
	return slices.ContainsFunc(a, func(m Mem) bool { return slices.ContainsFunc(b, m.Overlaps) })
}
