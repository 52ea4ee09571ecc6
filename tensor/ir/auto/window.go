package auto

import (
	"context"
	"slices"
	"time"
)

// A window is one or a few runs of one program on a member, one after the other, from
// an idle device to the end of their work: what they took is measured without the
// time that the host had for itself in between, so that a device that works while the
// host goes on gets the credit.
type window struct {
	e       *executable
	runs    int
	target  int
	busy    float64 // seconds in calls that the host waited for
	spoiled bool    // other work ran beside it
	first   bool    // the run is the first on the member
}

const (
	// windowTime is how long the runs of a window take together, about.
	windowTime = 2e-3
	mostRuns   = 16 // of a window
	// longRun is the seconds of a run that is measured from its first time on: what
	// only a first run does is little of it.
	longRun = 20e-3
	// restGap is the most runs between two measurements.
	restGap = 256
)

// samples are the latest measured times of a program on a member.
type samples struct {
	last [5]float64
	n    int // ever
}

func (s *samples) add(seconds float64) {
	s.last[s.n%len(s.last)] = seconds
	s.n++
}

// median returns the middle one of the latest, the lower of two.
func (s *samples) median() float64 {
	l := s.last
	n := min(s.n, len(l))
	slices.Sort(l[:n])
	return l[(n-1)/2]
}

// settle ends the member's window before other work gets in.
func (m *member) settle() {
	if m.timing.Load() {
		m.closeWindow(context.Background(), nil)
	}
}

// closeWindow waits for the window's runs and keeps what they took; of is the window
// that is meant, nil for any.
func (m *member) closeWindow(ctx context.Context, of *window) {
	m.mu.Lock()
	w := m.window
	if w == nil || of != nil && w != of {
		m.mu.Unlock()
		return
	}
	m.window = nil
	m.timing.Store(false)
	m.mu.Unlock()
	begin := m.d.now()
	err := m.wait(ctx)
	w.busy += m.d.now().Sub(begin).Seconds()
	if err == nil && !w.spoiled && w.runs > 0 && !m.lost() {
		w.e.measured(m, max(w.busy/float64(w.runs), 1e-9), w.first)
	}
}

// openWindow begins to measure runs of e.
func (m *member) openWindow(ctx context.Context, e *executable, expected float64, first bool) {
	m.settle()
	if m.wait(ctx) != nil {
		return
	}
	target := min(max(int(windowTime/max(expected, 1e-9)), 1), mostRuns)
	if first {
		target = 1
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.window == nil {
		m.window = &window{e: e, target: target, first: first}
		m.timing.Store(true)
	}
}

// account adds a run to the member's window, and closes it where it is full.
func (m *member) account(ctx context.Context, e *executable, took time.Duration, alone bool) {
	m.mu.Lock()
	w := m.window
	if w == nil {
		m.mu.Unlock()
		return
	}
	if w.e != e || !alone {
		w.spoiled = true
	}
	w.runs++
	w.busy += took.Seconds()
	full := w.runs >= w.target
	m.mu.Unlock()
	if full {
		m.closeWindow(ctx, w)
	}
}

// otherThan ends the member's window where it is not of e.
func (m *member) otherThan(e *executable) {
	m.mu.Lock()
	other := m.window != nil && m.window.e != e
	m.mu.Unlock()
	if other {
		m.settle()
	}
}
