package auto

import (
	"context"
	"errors"
	"math"
	"sync"
	"sync/atomic"

	"github.com/fornax-ml/fornax/tensor/ir"
)

// A member is one of the devices that programs run on.
type member struct {
	d     *Device
	index int
	dev   ir.Device
	info  *ir.Info
	costs costs
	// measured is false where the costs come from a record.
	measured bool

	inflight atomic.Int32 // calls of Run in progress

	timing atomic.Bool // there is a window
	mu     sync.Mutex
	window *window
	// bias is, for each family that takes most of a program's time, the logarithm of
	// how much longer programs took than estimated.
	bias    [numFamilies + 1]float64
	learned [numFamilies + 1]int
	compile float64 // seconds of a program's compilation, of late
}

// estimate returns the seconds that a program is expected to take, by the model
// corrected by what was measured of others.
func (m *member) estimate(instrs []work) float64 {
	s, most := m.costs.estimate(instrs)
	m.mu.Lock()
	defer m.mu.Unlock()
	return s * math.Exp(m.bias[most])
}

// most is how far the model is corrected, as a logarithm: a factor of 20.
const mostBias = 3

// learn corrects the model by the measured time of a program.
func (m *member) learn(instrs []work, seconds float64) {
	s, most := m.costs.estimate(instrs)
	if s <= 0 || seconds <= 0 {
		return
	}
	off := min(max(math.Log(seconds/s), -mostBias), mostBias)
	m.mu.Lock()
	defer m.mu.Unlock()
	m.learned[most]++
	weight := max(1/float64(m.learned[most]+1), 0.1)
	m.bias[most] += weight * (off - m.bias[most])
}

// compiles returns the seconds that compiling a program of n instructions is expected
// to take.
func (m *member) compiles(n int) float64 {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.compile * float64(max(n, 1))
}

// compiled notes how long it took to compile n instructions.
func (m *member) compiled(n int, seconds float64) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.compile += 0.3 * (seconds/float64(max(n, 1)) - m.compile)
}

// lost reports whether the member is out.
func (m *member) lost() bool { return m.d.lost().has(m.index) }

// failed looks at an error of the member: a lost device is out from now on.
func (m *member) failed(err error) error {
	if err != nil && errors.Is(err, ir.ErrDeviceLost) {
		m.d.losses.Or(uint64(one(m.index)))
	}
	return err
}

// wait waits for the member's work. What that work failed with is kept for the next
// call of the user that waits; the error is one of the waiting itself.
func (m *member) wait(ctx context.Context) error {
	err := m.failed(m.dev.Sync(ctx))
	if err == nil || ctx.Err() != nil {
		return err
	}
	m.d.keep(err)
	return nil
}

// alloc gets memory. Where there is none, copies that others hold as well go first.
func (m *member) alloc(bytes int) (ir.Buffer, error) {
	b, err := m.dev.NewBuffer(bytes)
	if err != nil && errors.Is(err, ir.ErrOutOfMemory) {
		m.d.evict(m)
		m.dev.Trim()
		b, err = m.dev.NewBuffer(bytes)
	}
	return b, m.failed(err)
}

// fits reports whether the member's limits allow a program.
func (m *member) fits(p *ir.Program) bool {
	most := m.info.Limits.BufferBytes
	if most <= 0 {
		return true
	}
	for _, s := range p.Slots {
		if s.Bytes() > most {
			return false
		}
	}
	return p.ArenaBytes <= most
}
