package cpu

import "unsafe"

// inPlace reports whether the sums are there before anything is added: the base
// is the memory of the result.
func (s *scatterInstr) inPlace(r *run) bool {
	return s.base != nil && s.widen == nil && s.base.contiguous() && s.base.off == 0 && r.slots[s.in.Base.Slot] == r.slots[s.in.Dst]
}

// runRows adds whole rows. Tasks share out the axes before the indexed one, and
// then the rows by their last bits, so that rows that are often added to go to
// several tasks, whichever they are; where there are too few, runs of columns.
// Each sum is made by one task, in order of j: the number of tasks does not
// matter.
func (s *scatterInstr) runRows(r *run) {
	want := 1
	if r.width > 1 {
		work := float64(s.a*s.j) * (4 + 0.3*float64(s.c))
		want = min(4*r.width, int(work/minTask)+1)
	}
	parts := 1
	for s.a*parts < want && 2*parts <= s.s {
		parts *= 2
	}
	across := 1
	for s.a*parts*across < want && s.c/(2*across) >= 64 {
		across *= 2
	}
	r.phase.kind = scatterRows
	r.phase.a, r.phase.b = parts, across
	r.loop(s, s.a*parts*across)
}

// sumRows is task t of runRows.
func (s *scatterInstr) sumRows(r *run, ws *workspace, t int) {
	parts, across := r.phase.a, r.phase.b
	wide := ((s.c+across-1)/across + 15) &^ 15
	c0 := t % across * wide
	cols := min(wide, s.c-c0)
	t /= across
	part, a := t%parts, t/parts
	if cols <= 0 {
		return
	}
	out := unsafe.Add(s.sums(r), (a*s.s*s.c+c0)*s.acc)
	for j := 0; j < s.j; j += blockLen {
		index := s.index.read(r, ws.at(16*blockLen), ws.at(24*blockLen), a*s.j+j, min(blockLen, s.j-j))
		for k, i := range index {
			if i < 0 || i >= int64(s.s) {
				r.badAt(a*s.j + j + k)
				continue
			}
			if int(i)&(parts-1) != part {
				continue
			}
			dst := unsafe.Add(out, int(i)*s.c*s.acc)
			pos := (a*s.j+j+k)*s.c + c0
			for c := 0; c < cols; c += blockLen {
				n := min(blockLen, cols-c)
				d := unsafe.Add(dst, c*s.acc)
				s.add(d, d, s.read(r, ws, pos+c, n), nil, n)
			}
		}
	}
}
