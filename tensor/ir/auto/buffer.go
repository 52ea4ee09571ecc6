package auto

import (
	"errors"
	"fmt"
	"sync"

	"github.com/fornax-ml/fornax/tensor/ir"
)

// A buffer is an ir.Buffer: one value, with memory on the members that need it.
type buffer struct {
	d     *Device
	bytes int

	moving sync.Mutex // held while a member gets the contents from another

	mu      sync.Mutex
	pins    int32 // calls that use the memory
	output  int32 // of the maker
	freed   bool
	twice   bool         // the device knows that several members have memory
	hosted  bool         // the host wrote the contents, and no program has read them yet
	byHost  bool         // the host wrote the contents
	noted   bool         // the maker knows who read it
	holds   set          // members with memory
	valid   set          // those of them with the contents, lost ones too
	few     [2]ir.Buffer // the memory by member, where there are no more of them
	many    *[]ir.Buffer // where there are
	version uint64       // of the contents, another number for each of any buffer
	maker   *executable
}

// memory returns where the memory on a member is kept. The lock is held.
func (b *buffer) memory(member int) *ir.Buffer {
	if b.many != nil {
		return &(*b.many)[member]
	}
	return &b.few[member]
}

// A snapshot is what a run knows of an argument.
type snapshot struct {
	version uint64
	valid   set // members with the contents; none: they are undefined
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
	if n := len(d.members); n > len(b.few) {
		many := make([]ir.Buffer, n)
		b.many = &many
	}
	return b, nil
}

// Bytes implements ir.Buffer.
func (b *buffer) Bytes() int { return b.bytes }

// pin keeps the memory until unpin, and says what is known of the contents. on is the
// memory on a member, with the contents if any has them; nil where there is none. That of
// an output without contents is had, unless that fails, which is for who needs it to tell.
func (b *buffer) pin(m *member, output bool, s *snapshot) (on ir.Buffer, err error) {
	b.mu.Lock()
	if b.freed {
		b.mu.Unlock()
		return nil, fmt.Errorf("auto: the buffer was freed: %w", ir.ErrClosed)
	}
	b.pins++
	// Field by field: a whole snapshot would be made elsewhere and copied.
	s.version, s.valid, s.byHost, s.maker = b.version, b.live(), b.byHost, b.maker
	s.news = b.hosted || b.maker != nil && !b.noted
	switch {
	case b.valid == 0 && output:
		on, _ = b.room(m)
	case b.valid == 0 || b.valid.has(m.index):
		on = *b.memory(m.index)
	}
	b.mu.Unlock()
	return on, nil
}

// unpin ends a use.
func (b *buffer) unpin() {
	b.mu.Lock()
	b.unpinned()
	b.mu.Unlock()
}

// unpinned is unpin with the lock held. The last use gives back the memory that nobody
// needs.
func (b *buffer) unpinned() {
	if b.pins--; b.pins == 0 && (b.freed || b.holds != b.valid || b.twice != b.holds.several()) {
		b.tidy()
	}
}

// tidy frees the memory that has not the contents, or all of a freed buffer, once nobody
// uses the buffer. The lock is held.
func (b *buffer) tidy() {
	if b.pins > 0 {
		return
	}
	keep := b.valid
	if b.freed {
		keep = 0
	}
	for rest := b.holds &^ keep; rest != 0; rest &= rest - 1 {
		m := b.memory(rest.lowest())
		(*m).Free()
		*m = nil
	}
	b.holds, b.valid = keep, keep
	if b.twice != keep.several() {
		b.twice = !b.twice
		b.d.doubled(b, b.twice)
	}
}

// live returns the members with the contents that are not lost. The lock is held.
func (b *buffer) live() set { return b.valid &^ b.d.lost() }

// gone reports whether the contents were on lost devices only. The lock is held.
func (b *buffer) gone() bool { return b.valid != 0 && b.live() == 0 }

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
	var s snapshot
	if _, err := b.pin(b.d.members[0], false, &s); err != nil {
		return err
	}
	defer b.unpin()
	if len(src) == 0 {
		return nil
	}
	whole := len(src) == b.bytes
	to := b.d.hint(b.bytes)
	if !whole && s.valid != 0 && !s.valid.has(to) {
		to = s.valid.lowest()
	}
	if !whole && s.valid == 0 && b.isGone() {
		return b.lostError()
	}
	err := b.writeTo(b.d.members[to], off, src)
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
	b.changed(m, b.d.versions.Add(1))
	b.byHost, b.hosted, b.maker = true, true, nil
	return nil
}

// changed notes that the contents are new, and on one member only. The lock is held.
func (b *buffer) changed(m *member, version uint64) {
	b.valid, b.version, b.noted = one(m.index), version, false
}

// Read implements ir.Buffer.
func (b *buffer) Read(dst []byte, off int) error {
	if err := b.check(off, len(dst)); err != nil {
		return err
	}
	var s snapshot
	if _, err := b.pin(b.d.members[0], false, &s); err != nil {
		return err
	}
	defer b.unpin()
	b.noteUse(b.d.host())
	for s.valid != 0 {
		m := b.d.members[s.valid.lowest()]
		m.settle()
		err := m.failed(b.on(m).Read(dst, off))
		if err == nil {
			return b.d.takeFailure(false)
		}
		s.valid &^= one(m.index)
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
