package auto

import (
	"errors"
	"fmt"
	"math"
	"sync"
	"sync/atomic"

	"github.com/fornax-ml/fornax/tensor/ir"
)

// An executable is a program, compiled on the members that ran it. It is an
// ir.Executable.
type executable struct {
	d     *Device
	p     *ir.Program
	works []work
	bytes []int // of each argument
	on    []placed
	calls sync.Pool    // of *call
	last  atomic.Int32 // the member of the last run, or that the first is expected on

	mu     sync.Mutex
	freed  bool
	choice choice
	next   uint64 // version that is free
	left   int    // and how many from there on
}

// placed is a program on one member.
type placed struct {
	making sync.Mutex // held while the member compiles
	// What follows is guarded by executable.mu.
	exe    ir.Executable
	err    error // why the member never can
	runs   int
	next   int // the run that is measured next
	gap    int // and after how many more the next one
	times  samples
	tried  float64 // choice.spent when it was last tried beside a better one
	wasted bool    // it was tried, and measured
}

// A call is the state of one Run; calls are used again, and find all but bufs and exe as
// the last left it.
type call struct {
	bufs  []*buffer // pinned, but for outputs in place of an input; nil once unpinned
	snaps []snapshot
	args  []ir.Buffer // the memory on member on; nil where it is not there yet
	on    int
	ready bool // and all of it is, with the contents
	valid set  // members with all that is read
	tries set  // members that failed for this call

	version  uint64        // of the first output; those of others follow
	exe      ir.Executable // that pick took for the run
	measure  bool          // the run begins a window
	first    bool          // and is the first on a member, where another was measured
	expected float64       // seconds
}

// Compile implements ir.Device. The program is made ready on the member that is
// expected to run it first, on others when they are to run it. A program that no member
// can run has the error of the last.
func (d *Device) Compile(p *ir.Program) (ir.Executable, error) {
	if err := d.usable(); err != nil {
		return nil, err
	}
	if err := p.Check(); err != nil {
		return nil, err
	}
	e := &executable{d: d, p: p, works: worksOf(p), bytes: make([]int, p.NumArgs()), on: make([]placed, len(d.members))}
	for i, s := range p.Slots[:p.NumArgs()] {
		e.bytes[i] = s.Bytes()
	}
	e.choice.init(e)
	c := &call{valid: ^set(0), on: -1}
	var first error
	for {
		m, err := e.pick(c, false)
		if m == nil {
			if first != nil {
				err = first
			}
			return nil, err
		}
		if _, err = e.compiled(m); err == nil {
			e.last.Store(int32(m.index))
			break
		}
		c.tries |= one(m.index)
		if first == nil || !errors.Is(err, ir.ErrUnsupported) {
			first = err
		}
	}
	d.mu.Lock()
	d.stats.programs++
	d.mu.Unlock()
	return e, nil
}

// compiled returns the executable of a member, which may have to be made.
func (e *executable) compiled(m *member) (ir.Executable, error) {
	x := &e.on[m.index]
	get := func() (ir.Executable, error) {
		e.mu.Lock()
		defer e.mu.Unlock()
		if e.freed {
			return nil, fmt.Errorf("auto: the executable was freed: %w", ir.ErrClosed)
		}
		return x.exe, x.err
	}
	if exe, err := get(); exe != nil || err != nil {
		return exe, err
	}
	x.making.Lock()
	defer x.making.Unlock()
	if exe, err := get(); exe != nil || err != nil {
		return exe, err
	}
	m.settle()
	begin := m.d.now()
	exe, err := m.dev.Compile(e.p)
	m.failed(err)
	m.compiled(len(e.p.Instrs), m.d.now().Sub(begin).Seconds())
	e.mu.Lock()
	defer e.mu.Unlock()
	switch {
	case errors.Is(err, ir.ErrUnsupported):
		x.err = err
	case err == nil && e.freed:
		exe.Free()
		return nil, fmt.Errorf("auto: the executable was freed: %w", ir.ErrClosed)
	case err == nil:
		x.exe = exe
	}
	return exe, err
}

// tooSlow is how many times as long as on another member a program may take at its first
// run on one, where memory and caches are still cold, without being given up there.
const tooSlow = 4

// measured keeps a measured time; first is that of a first run, which counts only where
// it is bad enough not to run again.
func (e *executable) measured(m *member, seconds float64, first bool) {
	e.mu.Lock()
	x := &e.on[m.index]
	if first {
		x.next = x.runs
		if seconds < tooSlow*e.rival(m) {
			e.mu.Unlock()
			return
		}
		e.choice.left = 0
	}
	x.times.add(seconds)
	x.next = min(x.next, x.runs+x.gap)
	early := x.times.n <= 3
	e.choice.again(m.index, x.times.n)
	e.mu.Unlock()
	if early {
		m.learn(e.works, seconds)
	}
}

// versionBlock is how many versions an executable takes from the device at once.
const versionBlock = 256

// versions returns the first of n versions that no contents have. e.mu is held.
func (e *executable) versions(n int) uint64 {
	if e.left < n {
		e.left = max(n, versionBlock)
		e.next = e.d.versions.Add(uint64(e.left)) - uint64(e.left) + 1
	}
	e.left -= n
	e.next += uint64(n)
	return e.next - uint64(n)
}

// rival returns the least time that was measured on other members. e.mu is held.
func (e *executable) rival(m *member) float64 {
	least := math.Inf(1)
	for i := range e.on {
		if x := &e.on[i]; i != m.index && x.times.n > 0 {
			least = min(least, x.times.median())
		}
	}
	return least
}

// Free implements ir.Executable.
func (e *executable) Free() {
	if e.d.opts.Explain != nil {
		e.tell(1)
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	e.freed = true
	for i := range e.on {
		if x := &e.on[i]; x.exe != nil {
			x.exe.Free()
			x.exe = nil
		}
	}
}
