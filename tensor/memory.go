package tensor

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/fornax-ml/fornax/tensor/ir"
	"github.com/fornax-ml/fornax/tensor/plan"
)

// A MemoryPlan tells what a program needs before it runs, in bytes as the device rounds
// them up.
type MemoryPlan struct {
	Device string
	// Program is its text, one instruction a line.
	Program string
	// Inputs are arguments, values of cells and tensors from outside: they are there
	// before the program runs, unless it waits for them. Outputs have memory of their
	// own; those that take over an input's have none. Work is the arena with what the
	// device's kernels want besides.
	Inputs, Outputs, Work int
	// Arena are the temporaries, and where they lie in it.
	Arena []plan.Temp
	// Others is what is in use on the device and none of the program's.
	Others int
	// Largest is the largest single buffer, as it is asked for, or the arena; MaxBuffer
	// is what the device allows, 0 where it has no limit.
	Largest, MaxBuffer int
	// Room is what there is for everything together; 0 where that is not known.
	Room int
}

// Peak is what is in use while the program runs: Inputs + Outputs + Work + Others.
func (m *MemoryPlan) Peak() int { return m.Inputs + m.Outputs + m.Work + m.Others }

// Err returns nil where the program fits, else an [ir.ErrOutOfMemory] that says which
// limit it meets.
func (m *MemoryPlan) Err() error {
	e := &ir.MemoryError{Device: m.Device, Live: m.Others}
	switch {
	case m.MaxBuffer > 0 && m.Largest > m.MaxBuffer:
		e.Need, e.Limit, e.Reason = m.Largest, m.MaxBuffer, "one buffer, or the temporaries of the program, are larger than the device allows"
	case m.Room > 0 && m.Peak() > m.Room:
		e.Need, e.Limit, e.Reason = m.Peak()-m.Others, m.Room, "the program needs more than there is"
	default:
		return nil
	}
	return &OutOfMemoryError{Plan: m, Err: e}
}

// String gives the figures, and the map of the arena.
func (m *MemoryPlan) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "memory on %s: %s\n", m.Device, m.figures())
	for _, t := range m.Arena {
		fmt.Fprintf(&b, "  %v\n", t)
	}
	return b.String()
}

func (m *MemoryPlan) figures() string {
	s := fmt.Sprintf("%s in all (inputs %s, outputs %s, work %s, others %s)", mib(m.Peak()), mib(m.Inputs), mib(m.Outputs), mib(m.Work), mib(m.Others))
	if m.Room > 0 {
		s += fmt.Sprintf(" of %s", mib(m.Room))
	}
	s += ", largest buffer " + mib(m.Largest)
	if m.MaxBuffer > 0 {
		s += fmt.Sprintf(" of %s", mib(m.MaxBuffer))
	}
	return s
}

// mib is a number of bytes for people.
func mib(n int) string {
	if n < 1<<20 {
		return fmt.Sprintf("%.1f KiB", float64(n)/(1<<10))
	}
	return fmt.Sprintf("%.1f MiB", float64(n)/(1<<20))
}

// An OutOfMemoryError is a program that its device had not the memory for. It is an
// [ir.ErrOutOfMemory].
type OutOfMemoryError struct {
	Plan *MemoryPlan // of the program
	Err  error       // what failed
}

// Error implements error.
func (e *OutOfMemoryError) Error() string {
	return fmt.Sprintf("%v; the program needs %s", e.Err, e.Plan.figures())
}

// Unwrap returns what failed.
func (e *OutOfMemoryError) Unwrap() error { return e.Err }

// Plan tells what Eval of the tensors would need, without computing anything but
// what Eval computes before: initial values of cells, and values that come from another
// device. The tensors are of one device.
func Plan(xs ...*Tensor) (*MemoryPlan, error) {
	if tracing() {
		panic(&TraceError{Call: "Plan", Reason: "the function's program is known when it is traced"})
	}
	if len(xs) == 0 {
		return nil, errors.New("tensor: Plan of nothing")
	}
	sameDevice("Plan", xs...)
	d := xs[0].dev
	for {
		graphMu.Lock()
		c, err := collectGraph(d, xs, false)
		graphMu.Unlock()
		if err != nil {
			return nil, err
		}
		if len(c.before) == 0 {
			return d.memory(&c.graph, c.stores)
		}
		if err := c.prepare(context.Background()); err != nil {
			return nil, err
		}
	}
}

// Plan tells what a call with such arguments needs: only their shapes, dtypes and device
// count, and they are not evaluated. Nothing runs but what a value from another device
// needs to come over.
func (c *Compiled) Plan(in ...*Tensor) (*MemoryPlan, error) {
	if tracing() {
		panic(&TraceError{Call: "Plan", Reason: "the outer function's program is what will run"})
	}
	r, err := c.record(in)
	if err != nil {
		return nil, err
	}
	return r.dev.memory(&r.graph.graph, r.held(in))
}

// memory plans a graph, of whose inputs those in held are on the device.
func (d *Device) memory(g *plan.Graph, held []*storage) (*MemoryPlan, error) {
	p, err := d.cache.Plan(g)
	if err != nil {
		return nil, err
	}
	return d.describe(p, held)
}

// describe gives the figures of a program.
func (d *Device) describe(p *ir.Program, held []*storage) (*MemoryPlan, error) {
	info := d.dev.Info()
	m := &MemoryPlan{Device: d.name, Program: p.String(), Arena: plan.Arena(p), MaxBuffer: info.Limits.BufferBytes, Room: info.Limits.MemoryBytes, Work: p.ArenaBytes}
	size := func(bytes int) int { return bytes }
	sizer, ok := d.dev.(ir.Sizer)
	if ok {
		m.Room, size = sizer.Room(), sizer.BufferSize
	}
	for _, s := range p.Slots[:p.NumArgs()] {
		n := size(s.Bytes())
		switch {
		case s.Kind == ir.Input:
			m.Inputs += n
		case s.Alias == ir.NoSlot:
			m.Outputs += n
		default:
			continue
		}
		m.Largest = max(m.Largest, s.Bytes())
	}
	m.Largest = max(m.Largest, m.Work)
	if ok && (m.MaxBuffer <= 0 || m.Largest <= m.MaxBuffer) { // else there are no kernels for it
		work, err := sizer.WorkSize(p)
		if err != nil {
			return nil, err
		}
		m.Work, m.Largest = work, max(m.Largest, work)
	}
	stats := d.dev.Stats()
	m.Work = max(m.Work, stats.KeptBytes)
	m.Others = stats.UsedBytes - stats.KeptBytes
	seen := map[*storage]bool{}
	for _, st := range held {
		if !seen[st] {
			seen[st] = true
			m.Others -= size(st.buf.Bytes())
		}
	}
	m.Others = max(m.Others, 0)
	return m, nil
}

// explain adds to an error for want of memory what the program needs.
func (d *Device) explain(err error, g *plan.Graph, held []*storage) error {
	var known *OutOfMemoryError
	if err == nil || !errors.Is(err, ir.ErrOutOfMemory) || errors.As(err, &known) {
		return err
	}
	m, perr := d.memory(g, held)
	if perr != nil {
		return err
	}
	return &OutOfMemoryError{Plan: m, Err: err}
}

// LargestBatch returns the largest n from 1 to most for which what planned returns fits,
// and its plan; 0 and the plan for 1 where not even that does. planned is called
// some forty times; with [Compiled.Plan] nothing runs:
//
//	n, m, err := tensor.LargestBatch(1<<20, func(n int) (*tensor.MemoryPlan, error) {
//		return step.Plan(tensor.Zeros(d, n, 784), tensor.Zeros(d, n).Cast(tensor.I32))
//	})
func LargestBatch(most int, planned func(n int) (*MemoryPlan, error)) (n int, m *MemoryPlan, err error) {
	if most < 1 {
		return 0, nil, fmt.Errorf("tensor: LargestBatch of at most %d", most)
	}
	fits := func(k int) (bool, error) {
		p, err := planned(k)
		if k > 1 && errors.Is(err, ir.ErrUnsupported) { // more positions than kernels count
			return false, nil
		}
		if err != nil {
			return false, fmt.Errorf("tensor: a batch of %d: %w", k, err)
		}
		if p.Err() == nil || k == 1 {
			m = p
		}
		return p.Err() == nil, nil
	}
	ok, err := fits(1)
	if err != nil || !ok {
		return 0, m, err
	}
	n = 1
	over := 0 // the least that does not fit, once one is known
	for n < most && over == 0 || over-n > 1 {
		k := n + (over-n)/2
		if over == 0 {
			k = n + min(n, most-n)
		}
		if ok, err = fits(k); err != nil {
			return n, m, err
		}
		if ok {
			n = k
		} else {
			over = k
		}
	}
	return n, m, nil
}
