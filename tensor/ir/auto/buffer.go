package auto

import (
	"errors"
	"fmt"
	"sync"
	"sync/atomic"

	"github.com/fornax-ml/fornax/tensor/ir"
)

// A buffer is an ir.Buffer: one value, with memory on the members that need it.
type buffer struct {
	d     *Device
	bytes int

	// pins counts the calls that use the memory; more come under mu only. untidy is set
	// where the last that goes has memory to free.
	pins   atomic.Int32
	untidy atomic.Bool

	moving sync.Mutex // held while a member gets the contents from another

	mu      sync.Mutex
	freed   bool
	twice   bool       // the device knows that several members have memory
	hosted  bool       // the host wrote the contents, and no program has read them yet
	byHost  bool       // the host wrote the contents
	noted   bool       // the maker knows who read it
	output  int32      // of the maker
	few     [2]replica // where there are no more members
	many    []replica  // where there are
	version uint64     // of the contents, another number for each of any buffer
	maker   *executable
}

// replicas returns the memory by member.
func (b *buffer) replicas() []replica {
	if b.many != nil {
		return b.many
	}
	return b.few[:min(len(b.d.members), len(b.few))]
}

// A replica is the memory of a buffer on a member.
type replica struct {
	buf   ir.Buffer // nil where there is none
	valid bool      // it has the contents
}

// A snapshot is what a run knows of an argument.
type snapshot struct {
	version uint64
	valid   uint64 // members with the contents, by bit; none: they are undefined
	byHost  bool
	maker   *executable
	news    bool // who made the contents does not know yet where they are needed
}

// NewBuffer implements ir.Device. Memory is had where and when it is first needed.
func (d *Device) NewBuffer(bytes int) (ir.Buffer, error) {
	if err := d.usable(); err != nil {
		return nil, err
	}
	if most := d.info.Limits.BufferBytes; bytes < 0 || bytes > most {
		return nil, &ir.MemoryError{Device: d.info.Name, Need: bytes, Live: d.Stats().LiveBytes, Limit: d.info.Limits.MemoryBytes,
			Reason: fmt.Sprintf("a buffer has at most %d bytes", most)}
	}
	b := &buffer{d: d, bytes: bytes}
	if len(d.members) > len(b.few) {
		b.many = make([]replica, len(d.members))
	}
	return b, nil
}

// Bytes implements ir.Buffer.
func (b *buffer) Bytes() int { return b.bytes }

// pin keeps the memory until unpin, and says what is known of the contents. on is the
// memory on a member, with the contents if any has them; nil where there is none.
func (b *buffer) pin(member int) (s snapshot, on ir.Buffer, err error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.freed {
		return s, nil, fmt.Errorf("auto: the buffer was freed: %w", ir.ErrClosed)
	}
	b.pins.Add(1)
	s = snapshot{version: b.version, valid: b.valid(), byHost: b.byHost, maker: b.maker, news: b.hosted || b.maker != nil && !b.noted}
	if r := &b.replicas()[member]; s.valid == 0 && !b.gone() || r.valid {
		on = r.buf
	}
	return s, on, nil
}

// unpin ends a use. The last one gives back the memory that nobody needs.
func (b *buffer) unpin() {
	if b.pins.Add(-1) == 0 && b.untidy.Load() {
		b.mu.Lock()
		defer b.mu.Unlock()
		b.tidy()
	}
}

// unpinned is unpin with the lock held.
func (b *buffer) unpinned() {
	if b.pins.Add(-1) == 0 && b.untidy.Load() {
		b.tidy()
	}
}

// tidy frees replicas without the contents, or all of a freed buffer, once nobody
// uses the buffer. The lock is held.
func (b *buffer) tidy() {
	if b.pins.Load() > 0 {
		b.untidy.Store(true)
		if b.pins.Load() > 0 {
			return
		}
	}
	b.untidy.Store(false)
	n := 0
	l := b.replicas()
	for i := range l {
		r := &l[i]
		if r.buf != nil && (b.freed || !r.valid) {
			r.buf.Free()
			*r = replica{}
		}
		if r.buf != nil {
			n++
		}
	}
	if b.twice != (n > 1) {
		b.twice = n > 1
		b.d.doubled(b, b.twice)
	}
}

// valid returns the members with the contents that are not lost, by bit. The lock is
// held.
func (b *buffer) valid() (mask uint64) {
	for i, r := range b.replicas() {
		if r.valid && !b.d.members[i].lost.Load() {
			mask |= 1 << i
		}
	}
	return mask
}

// gone reports whether the contents were on lost devices only. The lock is held.
func (b *buffer) gone() bool {
	if b.valid() != 0 {
		return false
	}
	for _, r := range b.replicas() {
		if r.valid {
			return true
		}
	}
	return false
}

// Free implements ir.Buffer.
func (b *buffer) Free() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.freed = true
	b.tidy()
}

func (b *buffer) check(off, n int) error {
	if off < 0 || off > b.bytes || n > b.bytes-off {
		return fmt.Errorf("auto: %d bytes at %d of a buffer of %d", n, off, b.bytes)
	}
	return b.d.usable()
}

// Write implements ir.Buffer. Whole contents go to the member where those of this
// size are usually needed, parts to one that has the rest.
func (b *buffer) Write(off int, src []byte) error {
	if err := b.check(off, len(src)); err != nil {
		return err
	}
	s, _, err := b.pin(0)
	if err != nil {
		return err
	}
	defer b.unpin()
	if len(src) == 0 {
		return nil
	}
	whole := len(src) == b.bytes
	to := b.d.hint(b.bytes)
	if !whole && s.valid != 0 && s.valid&(1<<to) == 0 {
		to = lowest(s.valid)
	}
	if !whole && s.valid == 0 && b.isGone() {
		return b.lostError()
	}
	err = b.writeTo(b.d.members[to], off, src)
	for i := 0; whole && i < len(b.d.members) && errors.Is(err, ir.ErrOutOfMemory); i++ {
		err = b.writeTo(b.d.members[i], off, src)
	}
	for i := 0; whole && i < len(b.d.members) && errors.Is(err, ir.ErrDeviceLost); i++ {
		err = b.writeTo(b.d.members[i], off, src)
	}
	return err
}

// writeTo writes to one member, which then alone has the contents.
func (b *buffer) writeTo(m *member, off int, src []byte) error {
	m.settle()
	buf, err := b.space(m)
	if err != nil {
		return err
	}
	if err := m.failed(buf.Write(off, src)); err != nil {
		return err
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.changed(m)
	b.byHost, b.hosted, b.maker = true, true, nil
	return nil
}

// changed notes that the contents are new, and on one member only. The lock is held.
func (b *buffer) changed(m *member) {
	b.untidy.Store(b.freed)
	l := b.replicas()
	for i := range l {
		if l[i].valid = i == m.index; !l[i].valid && l[i].buf != nil {
			b.untidy.Store(true)
		}
	}
	b.version = b.d.versions.Add(1)
	b.noted = false
}

// Read implements ir.Buffer.
func (b *buffer) Read(dst []byte, off int) error {
	if err := b.check(off, len(dst)); err != nil {
		return err
	}
	s, _, err := b.pin(0)
	if err != nil {
		return err
	}
	defer b.unpin()
	b.noteUse(b.d.host())
	for s.valid != 0 {
		m := b.d.members[lowest(s.valid)]
		m.settle()
		err := m.failed(b.on(m).Read(dst, off))
		if err == nil {
			return b.d.takeFailure(false)
		}
		s.valid &^= 1 << m.index
		if !errors.Is(err, ir.ErrDeviceLost) || s.valid == 0 {
			return err
		}
	}
	if b.isGone() {
		return b.lostError()
	}
	return b.d.takeFailure(false) // undefined contents
}

func (b *buffer) isGone() bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.gone()
}

func (b *buffer) lostError() error {
	return fmt.Errorf("auto: the contents of the buffer were on a device that is lost: %w", ir.ErrDeviceLost)
}
