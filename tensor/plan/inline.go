package plan

import (
	"slices"

	"github.com/fornax-ml/fornax/tensor/ir"
)

const (
	// maxReaders bounds the groups that compute one inlined value.
	maxReaders = 8
	// maxTwice bounds the nodes that are computed more than once.
	maxTwice = 8
)

// inlineAll inlines stored values, last ones first, wherever that moves fewer
// bytes.
func (p *planner) inlineAll() {
	for i := len(p.nodes) - 1; i >= 0; i-- {
		if !p.nodes[i].Op.IsElementwise() || p.isOut[i] || p.inline[i] || !p.readOutside(i, p.group[i]) || !p.chainUses(i) {
			continue
		}
		cone := p.cone(i)
		if p.tryInline(i, cone) || len(cone) == 1 {
			continue
		}
		p.tryInline(i, []int{i})
	}
}

// chainUses reports whether only chains read node i.
func (p *planner) chainUses(i int) bool {
	for _, u := range p.uses[i] {
		if op := p.nodes[u].Op; !op.IsElementwise() && !op.IsReduction() {
			return false
		}
	}
	return true
}

// cone returns node i and the elementwise members of its group that it needs
// and nobody outside the group reads, but for costly ones that the group
// needs for others too.
func (p *planner) cone(i int) []int {
	g := p.groups[p.group[i]]
	cone := []int{i}
	for k := len(g.members) - 1; k >= 0; k-- {
		m := g.members[k]
		if m == g.root || m >= i || p.stored(m) {
			continue
		}
		needed, others := false, false
		for _, u := range p.uses[m] {
			if slices.Contains(cone, u) {
				needed = true
			} else {
				others = true
			}
		}
		if needed && (!others || p.nodes[m].Op.Info().Cheap) {
			cone = append(cone, m)
		}
	}
	return cone
}

// tryInline inlines the nodes of a cone of node i if that costs less.
func (p *planner) tryInline(i int, cone []int) bool {
	g := p.groups[p.group[i]]
	groups := p.readers(i, []int{g.id})
	if len(groups) > maxReaders {
		return false
	}
	old := make([]*code, len(groups))
	cost := 0
	for k, id := range groups {
		old[k] = p.groups[id].code
		cost += old[k].cost
	}
	members := g.members
	g.members = nil
	for _, m := range members {
		if slices.Contains(cone, m) {
			p.inline[m], p.group[m] = true, -1
		} else {
			g.members = append(g.members, m)
		}
	}
	ok := true
	for _, id := range groups {
		x := p.groups[id]
		if x.code = p.emit(x); x.code == nil {
			ok = false
			break
		}
		cost -= x.code.cost
	}
	if ok && p.affordable(cone, groups) && (cost > 0 || cost == 0 && p.ofLeaves(cone)) {
		return true
	}
	g.members = members
	for _, m := range cone {
		p.inline[m], p.group[m] = false, g.id
	}
	for k, id := range groups {
		p.groups[id].code = old[k]
	}
	return false
}

// affordable reports whether costly nodes of the cone are computed no more
// often than they were, and the others are few where they are.
func (p *planner) affordable(cone, groups []int) bool {
	for _, m := range cone {
		n, more := 0, false
		for _, id := range groups {
			c := p.groups[id].code
			n += c.evals(m)
			for _, e := range []*emitter{c.pre, c.post} {
				if e != nil && ir.Size(e.shape) > ir.Size(p.nodes[m].Shape) && slices.Contains(e.evals, m) {
					more = true
				}
			}
		}
		if (n > 1 || more) && (!p.nodes[m].Op.Info().Cheap || p.weight(m) > maxTwice) {
			return false
		}
	}
	return true
}

// weight returns how many nodes are computed with m, up to maxTwice+1.
func (p *planner) weight(m int) int {
	w := 1
	for _, a := range p.nodes[m].In {
		if b := p.views[a].base; p.inline[b] {
			w += p.weight(b)
		}
		if w > maxTwice {
			break
		}
	}
	return w
}

// ofLeaves reports whether the cone reads inputs only, so that inlining it
// keeps no temporary longer.
func (p *planner) ofLeaves(cone []int) bool {
	for _, m := range cone {
		for _, a := range p.nodes[m].In {
			if b := p.views[a].base; p.group[b] >= 0 {
				return false
			}
		}
	}
	return true
}
