package auto

import (
	"fmt"

	"github.com/fornax-ml/fornax/tensor/ir"
)

const (
	// stay is how much better than the present member another must look.
	stay = 1.1
	// maybe is how much slower than the present member one may look that is tried
	// because nobody measured the program there, and again how much slower one that
	// was measured.
	maybe, maybeAgain = 3, 1.5
	// price is how much longer than a trial costs the program must have run before,
	// and before each further trial.
	price, priceAgain = 8, 40
	// follows is the part of the cost of bringing over what another program made: that
	// one may come along.
	follows = 0.5
	// mostNext is the most runs between two decisions.
	mostNext = 64
)

// A choice is how an executable decides where to run; executable.mu guards it.
type choice struct {
	fit     set // members whose limits and dtypes allow the program
	runs    int
	current int // the member of the last run, or -1
	next    int // the run at which to decide again
	trial   int // the member being tried
	left    int // runs that the trial has left
	spent   float64
	counted int // runs that spent has
	args    []argument
	outs    []uses
	told    bool // those who ask how it runs know
}

// An argument is what an input was at the last run.
type argument struct {
	version uint64
	seen    bool
}

// uses says where what the program made was needed first: by member, the host last.
// Old uses count less and less.
type uses struct {
	by    []float64
	total float64
}

// used notes a use of an output.
func (e *executable) used(output, where int) {
	e.mu.Lock()
	defer e.mu.Unlock()
	u := &e.choice.outs[output]
	for i := range u.by {
		u.by[i] *= 0.9
	}
	u.by[where]++
	u.total = 0.9*u.total + 1
}

func (c *choice) init(e *executable) {
	p := e.p
	c.current = -1
	c.args, c.outs = make([]argument, p.Inputs), make([]uses, p.Outputs)
	for i := range c.outs {
		c.outs[i].by = make([]float64, len(e.d.members)+1)
	}
	var dtypes ir.Class
	for _, s := range p.Slots {
		dtypes |= 1 << s.DType
	}
	for _, m := range e.d.members {
		if m.fits(p) && dtypes&^m.info.DTypes == 0 {
			c.fit |= one(m.index)
		}
	}
	if c.fit == 0 { // the members say why not
		c.fit = one(len(e.d.members)) - 1
	}
}

// again makes the next run decide, once a member was measured for the first times.
func (c *choice) again(member, times int) {
	if times <= 3 || member != c.current {
		c.next = min(c.next, c.runs+1)
	}
}

// able returns the members that may run the program for a call, or why there is
// none. e.mu is held.
func (e *executable) able(c *call) (able set, err error) {
	pinned := int(e.d.pinned.Load())
	for _, m := range e.d.members {
		x := &e.on[m.index]
		switch {
		case pinned >= 0 && pinned != m.index:
		case m.lost():
			err = fmt.Errorf("%s: %w", m.info.Name, ir.ErrDeviceLost)
		case x.err != nil:
			err = x.err
		case pinned < 0 && !e.choice.fit.has(m.index), c.tries.has(m.index):
		default:
			able |= one(m.index)
		}
	}
	if able == 0 && err == nil {
		err = &ir.UnsupportedError{Device: e.d.info.Name, Instr: "the program", Reason: "no member can run it"}
	}
	return able, err
}

// pick returns the member for a call, of a run or, before the first, of Compile.
func (e *executable) pick(c *call, run bool) (*member, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	ch := &e.choice
	first := run && c.tries == 0
	i := ch.current
	if first && e.settled(c) {
		ch.runs++
	} else {
		able, err := e.able(c)
		if able == 0 {
			return nil, err
		}
		if first {
			ch.runs++
		}
		i = e.which(c, able)
	}
	if run {
		ch.current = i
		if int(e.last.Load()) != i {
			e.last.Store(int32(i))
		}
		c.version = e.versions(e.p.Outputs)
		if err := e.taken(e.d.members[i], c); err != nil {
			return nil, err
		}
	}
	if first {
		for k := range ch.args {
			a := &ch.args[k]
			a.version, a.seen = c.snaps[k].version, true
		}
	}
	return e.d.members[i], nil
}

// settled reports whether the next run goes where the last one was without another look:
// there is no trial, the next decision is to come, and what it reads is there. e.mu is
// held.
func (e *executable) settled(c *call) bool {
	ch := &e.choice
	return ch.left == 0 && ch.runs+1 < ch.next && ch.current >= 0 && c.valid.has(ch.current) &&
		!e.d.lost().has(ch.current) && e.d.pinned.Load() < 0 && e.d.opts.Choose == nil
}

// which returns the member of a call out of those that are able. e.mu is held.
func (e *executable) which(c *call, able set) int {
	ch := &e.choice
	if !able.has(ch.trial) {
		ch.left = 0
	}
	if !able.several() {
		return able.lowest()
	}
	if f := e.d.opts.Choose; f != nil {
		if i := f(e.p); i >= 0 && i < len(e.d.members) && able.has(i) {
			return i
		}
		return able.lowest()
	}
	if ch.left > 0 {
		ch.left--
		if ch.left == 0 {
			ch.next = ch.runs + 1
		}
		return ch.trial
	}
	return e.decide(c, able)
}

// A score is what running on a member is expected to cost, in seconds.
type score struct {
	each float64 // run: the program, and what moves every time
	once float64 // what moves, and is compiled, if the member is new to it
}

// decide weighs the members. e.mu is held.
func (e *executable) decide(c *call, able set) int {
	ch := &e.choice
	runs := float64(max(ch.runs, 1))
	var scores [mostMembers]score
	best, now := -1, ch.current
	total := func(i int) float64 { return scores[i].each + scores[i].once/runs }
	for _, m := range e.d.members {
		if !able.has(m.index) {
			continue
		}
		scores[m.index] = e.score(c, m)
		if best < 0 || total(m.index) < total(best) {
			best = m.index
		}
	}
	if now < 0 || !able.has(now) {
		ch.next = ch.runs + 1
		return best
	}
	ch.spent += scores[now].each * float64(ch.runs-ch.counted)
	ch.counted = ch.runs
	if best != now && total(best)*stay < total(now) {
		ch.next = ch.runs + 1
		return best
	}
	ch.next = ch.runs + min(max(ch.runs/4, 1), mostNext)
	for _, m := range e.d.members {
		if !able.has(m.index) || m.index == now {
			continue
		}
		x := &e.on[m.index]
		s, limit, times := scores[m.index], float64(maybe), float64(price)
		if x.wasted {
			limit, times = maybeAgain, priceAgain
		}
		run := e.time(m)
		if s.each > limit*scores[now].each {
			continue
		}
		n := 1 + min(max(int(windowTime/max(run, 1e-9)), 1), mostRuns)
		if x.runs == 0 && run > longRun {
			n = 1 // which is measured
		}
		// A trial costs what it takes longer than the present member, as far as is known,
		// and what an estimate that is wrong may add.
		doubt := 0.25
		if x.wasted {
			doubt = 0.1
		}
		cost := 2*s.once + float64(n)*max(s.each-scores[now].each, doubt*s.each)
		if ch.spent-x.tried < times*cost {
			continue
		}
		x.tried, x.wasted = ch.spent, true
		x.next = x.runs // measured from its second run on
		ch.trial, ch.left = m.index, n-1
		if ch.left == 0 {
			ch.next = ch.runs + 1
		}
		return m.index
	}
	return now
}

// time returns the seconds of the program on a member, measured or estimated. e.mu is
// held.
func (e *executable) time(m *member) float64 {
	if x := &e.on[m.index]; x.times.n > 0 {
		return x.times.median()
	}
	return m.estimate(e.works)
}

// score returns what a call costs on a member. e.mu is held.
func (e *executable) score(c *call, m *member) (s score) {
	d, ch := e.d, &e.choice
	s.each = e.time(m)
	if e.on[m.index].exe == nil {
		s.once = m.compiles(len(e.works))
	}
	for i, b := range c.bufs {
		a := &c.snaps[i]
		if b == nil || a.valid == 0 || !e.reads(i, b) {
			continue
		}
		bytes := float64(b.bytes)
		move := 0.0
		if !a.valid.has(m.index) {
			move = d.move(d.members[a.valid.lowest()], m, bytes)
		}
		var last argument
		if i < e.p.Inputs {
			last = ch.args[i]
		}
		switch {
		case a.maker == e, last.version == a.version && last.seen:
			s.once += move // it stays where it goes
		case a.byHost && last.seen:
			s.each += m.costs.Write.at(bytes) // what the host writes goes there at once
		case a.byHost:
			s.each += move
		default:
			s.each += follows * move
		}
	}
	for o := range ch.outs {
		u := &ch.outs[o]
		if u.total == 0 {
			continue
		}
		bytes := float64(e.bytes[e.p.Inputs+o])
		often := u.total
		s.each += u.by[d.host()] / often * m.costs.Read.at(bytes)
		for _, to := range d.members {
			if n := u.by[to.index]; n > 0.01 && to != m {
				s.each += n / often * d.move(m, to, bytes)
			}
		}
	}
	return s
}

// move returns the seconds to copy bytes between members.
func (d *Device) move(from, to *member, bytes float64) float64 {
	return from.costs.Read.at(bytes) + to.costs.Write.at(bytes)
}
