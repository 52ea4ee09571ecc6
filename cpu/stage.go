package cpu

import "github.com/fornax-ml/fornax/tensor/ir"

// A stage is what a program runs at a time: an instruction, or several as one.
type stage struct {
	instr
	n int // instructions
}

// stages makes stages of a program's compiled instructions: first row groups, then
// small ones that do not wait for each other beside each other.
func (c *compiler) stages(instrs []instr) []stage {
	var l []stage
	for i := 0; i < len(instrs); {
		st := stage{instrs[i], 1}
		if g, n := c.rowGroupAt(instrs, i); g != nil {
			st = stage{g, n}
		}
		l = append(l, st)
		i += st.n
	}
	return c.beside(l)
}

// firstAlias returns the first stage that writes an input's memory.
func (e *executable) firstAlias() int {
	i := 0
	for k, st := range e.stages {
		for _, in := range e.p.Instrs[i : i+st.n] {
			for _, s := range in.Writes() {
				if x := e.p.Slots[s]; x.Kind == ir.Output && x.Alias != ir.NoSlot {
					return k
				}
			}
		}
		i += st.n
	}
	return len(e.stages)
}

// A sideBySide runs stages that are too small to be shared out, and do not depend
// on each other, as the tasks of one loop.
type sideBySide []instr

// A small instruction says what it takes.
type small interface {
	// estimate returns the nanoseconds on one core. alone is true where the
	// instruction needs the run's scratch memory, which there is once.
	estimate() (ns float64, alone bool)
}

// smallWork bounds what is run beside others: less than two tasks.
const smallWork = 2 * minTask

// beside joins neighbouring stages.
func (c *compiler) beside(l []stage) []stage {
	var out []stage
	at := 0 // the first instruction of the stage
	for i := 0; i < len(l); {
		n, k := l[i].n, 1
		for ; i+k < len(l) && c.joins(l, i, k, at, n); k++ {
			n += l[i+k].n
		}
		if k > 1 {
			var s sideBySide
			for _, st := range l[i : i+k] {
				s = append(s, st.instr)
			}
			out = append(out, stage{s, n})
		} else {
			out = append(out, l[i])
		}
		at += n
		i += k
	}
	return out
}

// joins reports whether stage i+k may run beside stages i to i+k-1, which have the
// n instructions from at on.
func (c *compiler) joins(l []stage, i, k, at, n int) bool {
	for _, st := range []stage{l[i], l[i+k]} {
		s, ok := st.instr.(small)
		if !ok {
			return false
		}
		if ns, alone := s.estimate(); alone || ns > smallWork {
			return false
		}
	}
	for _, a := range c.p.Instrs[at : at+n] {
		for _, b := range c.p.Instrs[at+n : at+n+l[i+k].n] {
			if c.touches(a, b) || c.touches(b, a) {
				return false
			}
		}
	}
	return true
}

// touches reports whether a writes memory that b reads or writes.
func (c *compiler) touches(a, b ir.Instr) bool {
	for _, w := range a.Writes() {
		for _, o := range b.Reads() {
			if o.Slot != ir.NoSlot && c.overlap(w, o.Slot) {
				return true
			}
		}
		for _, x := range b.Writes() {
			if c.overlap(w, x) {
				return true
			}
		}
	}
	return false
}

func (s sideBySide) run(r *run) error {
	r.loop(s, len(s))
	return nil
}

func (s sideBySide) task(r *run, ws *workspace, i int) {
	part := r.part(&ws.whole, ws)
	// None of these fails: what is wrong with an index goes to the device.
	_ = s[i].run(part)
	part.drop()
}

// part returns a run of a worker's own that does a part of r's work by itself; the
// workspace keeps it at p.
func (r *run) part(p **run, ws *workspace) *run {
	if *p == nil {
		*p = &run{}
	}
	x := *p
	x.exe, x.ws, x.width, x.scalars, x.uniform = r.exe, ws, 1, r.scalars, r.uniform
	x.slots = append(x.slots[:0], r.slots...)
	return x
}

// drop lets go of what a part refers to.
func (r *run) drop() {
	clear(r.slots)
	r.exe, r.ws, r.scalars, r.uniform = nil, nil, nil, nil
}
