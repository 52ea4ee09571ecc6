package auto

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/fornax-ml/fornax/tensor/ir"
)

// settledRuns is after how many runs a program's choice is told.
const settledRuns = 64

// tell prints, once, what became of the program, if it has run so often.
func (e *executable) tell(runs int) {
	e.mu.Lock()
	n, done := e.choice.runs, e.choice.told
	if n >= runs {
		e.choice.told = true
	}
	e.mu.Unlock()
	if n >= runs && !done {
		fmt.Fprintf(e.d.opts.Explain, "fornax: program %s after %d runs\n%s\n", e.p.Fingerprint(), n, e.Explain())
	}
}

// Explain implements ir.Explainer: one line a member, with the time of a run that is
// estimated, the one that was measured where it ran, and how often it ran there; then
// where it runs.
func (e *executable) Explain() string {
	e.mu.Lock()
	defer e.mu.Unlock()
	var b strings.Builder
	for _, m := range e.d.members {
		x := &e.on[m.index]
		fmt.Fprintf(&b, "%s: ", m.info.Name)
		_, most := m.costs.estimate(e.works)
		kind := "launching"
		if most < numFamilies {
			kind = most.String()
		}
		switch {
		case m.lost():
			b.WriteString("lost")
		case x.err != nil:
			fmt.Fprintf(&b, "cannot: %v", x.err)
		case !e.choice.fit.has(m.index):
			b.WriteString("cannot: the limits or dtypes do not allow it")
		default:
			fmt.Fprintf(&b, "estimated %v, mostly %s", seconds(m.estimate(e.works)), kind)
			if x.exe == nil {
				fmt.Fprintf(&b, ", and %v to compile", seconds(m.compiles(len(e.works))))
			}
			if x.times.n > 0 {
				fmt.Fprintf(&b, "; measured %v", seconds(x.times.median()))
			}
			if x.runs > 0 {
				fmt.Fprintf(&b, "; %d runs", x.runs)
			}
		}
		b.WriteByte('\n')
	}
	if i := e.choice.current; i >= 0 {
		fmt.Fprintf(&b, "runs on %s\n", e.d.members[i].info.Name)
	}
	return b.String()
}

func seconds(s float64) time.Duration {
	d := time.Duration(s * 1e9)
	switch {
	case d > time.Millisecond:
		return d.Round(10 * time.Microsecond)
	case d > time.Microsecond:
		return d.Round(10 * time.Nanosecond)
	}
	return d
}

// Report implements ir.Reporter: what calibration found, and what the members report.
func (d *Device) Report() []ir.Fact {
	l := slices.Clone(d.missing)
	for _, m := range d.members {
		add := func(name, format string, args ...any) {
			l = append(l, ir.Fact{Topic: "costs of " + m.info.Name, Name: name, Value: fmt.Sprintf(format, args...)})
		}
		c := &m.costs
		from := "on record"
		if m.measured {
			from = "measured now"
		}
		add("launch", "%v, %s", seconds(c.Launch), from)
		add("each instruction", "%v", seconds(c.Step))
		add("compile", "%v an instruction", seconds(m.compiles(1)))
		for _, x := range []struct {
			name string
			t    transfer
		}{{"host to device", c.Write}, {"device to host", c.Read}} {
			add(x.name, "%v and %.1f GB/s", seconds(x.t.Latency), x.t.Bandwidth/1e9)
		}
		for f, k := range c.Families {
			var s []string
			for _, p := range k {
				s = append(s, fmt.Sprintf("%.3g in %v", p.Units, seconds(p.Seconds)))
			}
			add(family(f).String(), "%s", strings.Join(s, ", "))
		}
	}
	for _, m := range d.members {
		if r, ok := m.dev.(ir.Reporter); ok {
			for _, f := range r.Report() {
				f.Topic = m.info.Name + ": " + f.Topic
				l = append(l, f)
			}
		}
	}
	return l
}
