package spirv

// Decoration is one decoration of an id or of a structure's member.
type Decoration struct {
	Kind     uint32
	Operands []uint32
}

// Decorations holds all decorations of a module, groups resolved.
type Decorations struct {
	ids     map[uint32][]Decoration
	members map[Member][]Decoration
}

// maxGroupTargets bounds how often decoration groups may multiply decorations.
const maxGroupTargets = 1 << 20

// Decorations collects the module's decorations.
func (m *Module) Decorations() *Decorations {
	d := &Decorations{make(map[uint32][]Decoration), make(map[Member][]Decoration)}
	budget := maxGroupTargets
	for _, in := range m.Insts {
		w := in.Words
		switch in.Op {
		case OpDecorate, OpDecorateId, OpDecorateString:
			if len(w) >= 2 {
				d.ids[w[0]] = append(d.ids[w[0]], Decoration{w[1], w[2:]})
			}
		case OpMemberDecorate, OpMemberDecorateString:
			if len(w) >= 3 {
				k := Member{w[0], w[1]}
				d.members[k] = append(d.members[k], Decoration{w[2], w[3:]})
			}
		case OpGroupDecorate:
			for i := 1; i < len(w); i++ {
				from := d.ids[w[0]]
				if budget -= len(from) + 1; budget < 0 {
					break
				}
				if w[i] != w[0] {
					d.ids[w[i]] = append(d.ids[w[i]], from...)
				}
			}
		case OpGroupMemberDecorate:
			for i := 1; i+1 < len(w); i += 2 {
				from := d.ids[w[0]]
				if budget -= len(from) + 1; budget < 0 {
					break
				}
				k := Member{w[i], w[i+1]}
				d.members[k] = append(d.members[k], from...)
			}
		case OpFunction:
			return d
		}
	}
	return d
}

// Of lists an id's decorations.
func (d *Decorations) Of(id uint32) []Decoration { return d.ids[id] }

// OfMember lists the decorations of a structure's member.
func (d *Decorations) OfMember(id, index uint32) []Decoration { return d.members[Member{id, index}] }

// Has tells whether an id has a decoration.
func (d *Decorations) Has(id, kind uint32) bool {
	_, ok := find(d.ids[id], kind)
	return ok
}

// Value gives a decoration's first operand.
func (d *Decorations) Value(id, kind uint32) (uint32, bool) { return value(d.ids[id], kind) }

// MemberHas is [Decorations.Has] for a structure's member.
func (d *Decorations) MemberHas(id, index, kind uint32) bool {
	_, ok := find(d.members[Member{id, index}], kind)
	return ok
}

// MemberValue is [Decorations.Value] for a structure's member.
func (d *Decorations) MemberValue(id, index, kind uint32) (uint32, bool) {
	return value(d.members[Member{id, index}], kind)
}

func find(list []Decoration, kind uint32) (Decoration, bool) {
	for _, x := range list {
		if x.Kind == kind {
			return x, true
		}
	}
	return Decoration{}, false
}

func value(list []Decoration, kind uint32) (uint32, bool) {
	x, ok := find(list, kind)
	if !ok || len(x.Operands) == 0 {
		return 0, false
	}
	return x.Operands[0], true
}
