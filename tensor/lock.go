package tensor

import (
	"slices"
	"sync"
	"weak"
)

// A cellLock is held while a program reads or replaces the values of cells. A compiled
// step makes its cells share one, so that from then on it takes one lock however many
// cells it has; a program that wants any of them waits for all. graphMu guards the
// fields below the mutex.
type cellLock struct {
	mu   sync.Mutex
	into *cellLock // what it became a part of
	mark uint64    // of the last tryLock that met it
	warm []weak.Pointer[replay]
}

// root returns the lock that l has become.
func (l *cellLock) root() *cellLock {
	for l.into != nil {
		l = l.into
	}
	return l
}

// held returns the cell's lock. graphMu is held.
func (c *Cell) held() *cellLock {
	c.lock = c.lock.root()
	return c.lock
}

// tryLock takes the locks of all cells, which it appends to held, or none; busy is one
// that is in use. graphMu is held.
func tryLock(held []*cellLock, cells ...*Cell) (locked []*cellLock, busy *cellLock) {
	lastMark++
	for _, c := range cells {
		l := c.held()
		if l.mark == lastMark {
			continue
		}
		if !l.mu.TryLock() {
			unlock(held)
			return held[:0], l
		}
		l.mark = lastMark
		held = append(held, l)
	}
	return held, nil
}

// take locks the cell, which nobody then replaces the value of.
func (c *Cell) take() []*cellLock {
	for {
		graphMu.Lock()
		held, busy := tryLock(nil, c)
		graphMu.Unlock()
		if busy == nil {
			return held
		}
		busy.wait()
	}
}

// wait returns once the lock is not in use.
func (l *cellLock) wait() {
	l.mu.Lock()
	defer l.mu.Unlock()
}

func unlock(held []*cellLock) {
	for _, l := range held {
		l.mu.Unlock()
	}
}

// join makes one lock of several, which the caller holds, and holds that. graphMu is
// held.
func join(held []*cellLock) []*cellLock {
	for _, l := range held[1:] {
		l.into = held[0]
		held[0].warm, l.warm = append(held[0].warm, l.warm...), nil
		l.mu.Unlock()
	}
	return held[:1]
}

// remember notes a step that knows what its cells hold. graphMu is held.
func (l *cellLock) remember(r *replay) {
	l.warm = slices.DeleteFunc(l.warm, func(p weak.Pointer[replay]) bool {
		other := p.Value()
		return other == nil || other == r || other.warm == nil
	})
	l.warm = append(l.warm, weak.Make(r))
}

// disturb makes the steps that know what the cell holds look again. graphMu is held.
func (c *Cell) disturb() {
	l := c.held()
	for _, p := range l.warm {
		if r := p.Value(); r != nil {
			r.cool()
		}
	}
	l.warm = l.warm[:0]
}
