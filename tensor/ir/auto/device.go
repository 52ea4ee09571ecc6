package auto

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/fornax-ml/fornax/tensor/ir"
)

// A Device runs each program on the member that is expected to be done first. It is an
// ir.Device.
type Device struct {
	info     ir.Info
	opts     Options
	members  []*member
	now      func() time.Time
	versions atomic.Uint64 // of contents
	losses   atomic.Uint64 // the set of lost members
	pinned   atomic.Int32  // the member that Pin names, or -1
	closed   atomic.Bool
	stages   sync.Pool     // of *[]byte
	missing  []ir.Fact     // about devices that are no members
	budget   time.Duration // that is left to calibrate

	mu    sync.Mutex
	fail  error            // for the next call that waits
	twice map[*buffer]bool // with memory on several members
	hints map[int]int      // by bytes: the member that read what the host wrote last
	stats struct{ programs int }
}

// Info implements ir.Device. The dtypes are those that any member has; a program that
// has others than the rest goes where they are. BufferBytes and MemoryBytes are the
// largest of the members, Operands the least, and Align serves all.
func (d *Device) Info() *ir.Info { return &d.info }

// describe makes the info of a device of members.
func describe(members []*member) ir.Info {
	info := ir.Info{Backend: "auto", Name: "auto", Software: true}
	for i, m := range members {
		x := m.info
		if i > 0 {
			info.Model, info.Driver = info.Model+" + ", info.Driver+" + "
		}
		info.Model, info.Driver = info.Model+x.Model, info.Driver+x.Driver
		if i == 0 {
			info.Vendor, info.Limits, info.Tier = x.Vendor, x.Limits, x.Tier
		} else {
			info.Tier = max(info.Tier, x.Tier)
		}
		info.Software = info.Software && (x.Software || x.Backend == "cpu")
		info.DTypes |= x.DTypes
		info.Customs = info.Customs || x.Customs
		l := &info.Limits
		if x.Limits.Operands > 0 && (l.Operands <= 0 || x.Limits.Operands < l.Operands) {
			l.Operands = x.Limits.Operands
		}
		l.BufferBytes, l.MemoryBytes = max(l.BufferBytes, x.Limits.BufferBytes), max(l.MemoryBytes, x.Limits.MemoryBytes)
		l.Align = leastCommon(max(l.Align, 1), max(x.Limits.Align, 1))
	}
	return info
}

// leastCommon returns the least common multiple.
func leastCommon(a, b int) int {
	x, y := a, b
	for y != 0 {
		x, y = y, x%y
	}
	return a / x * b
}

// Members implements ir.Composite.
func (d *Device) Members() []ir.Device {
	l := make([]ir.Device, len(d.members))
	for i, m := range d.members {
		l[i] = m.dev
	}
	return l
}

// Pin makes all programs run on the member of a name, such as "cpu"; "" lets the device
// choose again. A program that the member cannot run is then an error.
func (d *Device) Pin(name string) error {
	if name == "" {
		d.pinned.Store(-1)
		return nil
	}
	for _, m := range d.members {
		if m.info.Name == name {
			d.pinned.Store(int32(m.index))
			return nil
		}
	}
	return fmt.Errorf("auto: pin to %q: the members are %s", name, names(d.members))
}

func names(members []*member) (s string) {
	for i, m := range members {
		if i > 0 {
			s += ", "
		}
		s += m.info.Name
	}
	return s
}

// host is the number that stands for the host where members have theirs.
func (d *Device) host() int { return len(d.members) }

// lost returns the members that are lost.
func (d *Device) lost() set { return set(d.losses.Load()) }

// usable reports why the device cannot be used.
func (d *Device) usable() error {
	if d.closed.Load() {
		return fmt.Errorf("auto: the device was closed: %w", ir.ErrClosed)
	}
	if d.lost() != one(len(d.members))-1 {
		return nil
	}
	return fmt.Errorf("auto: all devices are lost: %w", ir.ErrDeviceLost)
}

// keep holds the first failure for the user's next call that waits.
func (d *Device) keep(err error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.fail == nil {
		d.fail = err
	}
}

// takeFailure returns what keep holds. The loss of a member is for Sync to tell: a Read
// of what others have goes on.
func (d *Device) takeFailure(loss bool) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	err := d.fail
	if !loss && errors.Is(err, ir.ErrDeviceLost) {
		return nil
	}
	d.fail = nil
	return err
}

// Sync implements ir.Device. The loss of a member is returned once.
func (d *Device) Sync(ctx context.Context) error {
	if d.closed.Load() {
		return d.usable()
	}
	var waiting error
	for _, m := range d.members {
		if m.lost() {
			continue
		}
		m.settle()
		if err := m.wait(ctx); err != nil && waiting == nil {
			waiting = err
		}
	}
	if waiting != nil {
		return waiting
	}
	if err := d.takeFailure(true); err != nil {
		return err
	}
	return d.usable()
}

// Trim implements ir.Device: copies that another member has too go as well.
func (d *Device) Trim() {
	for _, m := range d.members {
		if !m.lost() {
			d.evict(m)
			m.dev.Trim()
		}
	}
}

// Stats implements ir.Device: the members' counters together. A value that two members
// hold is counted twice in LiveBytes. Programs are those of this device.
func (d *Device) Stats() ir.Stats {
	var s ir.Stats
	for _, m := range d.members {
		x := m.dev.Stats()
		s.Pipelines += x.Pipelines
		s.Submits += x.Submits
		s.Runs += x.Runs
		s.Dispatches += x.Dispatches
		s.Allocs += x.Allocs
		s.LiveBytes += x.LiveBytes
		s.PoolBytes += x.PoolBytes
		s.UsedBytes += x.UsedBytes
		s.KeptBytes += x.KeptBytes
		s.PeakBytes += x.PeakBytes
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	s.Programs = d.stats.programs
	return s
}

// Close implements ir.Device: it closes the members.
func (d *Device) Close() error {
	if d.closed.Swap(true) {
		return nil
	}
	var all []error
	for _, m := range d.members {
		if err := m.dev.Close(); err != nil && !m.lost() {
			all = append(all, err)
		}
	}
	return errors.Join(all...)
}

// doubled notes whether a buffer has memory on several members.
func (d *Device) doubled(b *buffer, yes bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if yes {
		d.twice[b] = true
	} else {
		delete(d.twice, b)
	}
}

// evict frees the memory on a member of what another has too.
func (d *Device) evict(m *member) {
	d.mu.Lock()
	var l []*buffer
	for b := range d.twice {
		l = append(l, b)
	}
	d.mu.Unlock()
	for _, b := range l {
		if !b.mu.TryLock() { // it is in use, and who holds it may wait for this memory
			continue
		}
		if b.pins == 0 && b.valid.has(m.index) && b.live()&^one(m.index) != 0 {
			b.valid &^= one(m.index)
			b.tidy()
		}
		b.mu.Unlock()
	}
}

// mostHints bounds the sizes of which hints are kept.
const mostHints = 256

// hint returns the member that what the host writes is written to.
func (d *Device) hint(bytes int) int {
	if p := d.pinned.Load(); p >= 0 {
		return int(p)
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if m := d.hints[bytes]; !d.lost().has(m) {
		return m
	}
	if sound := (one(len(d.members)) - 1) &^ d.lost(); sound != 0 {
		return sound.lowest()
	}
	return 0
}

func (d *Device) setHint(bytes, member int) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if len(d.hints) >= mostHints {
		clear(d.hints)
	}
	d.hints[bytes] = member
}

// stageBytes is how much goes between members at once.
const stageBytes = 4 << 20

func (d *Device) stage() *[]byte {
	if s, ok := d.stages.Get().(*[]byte); ok {
		return s
	}
	s := make([]byte, stageBytes)
	return &s
}

func (d *Device) unstage(s *[]byte) { d.stages.Put(s) }
