package auto

import (
	"context"
	"errors"

	"github.com/fornax-ml/fornax/tensor/ir"
)

// on returns the memory on a member, or nil.
func (b *buffer) on(m *member) ir.Buffer {
	b.mu.Lock()
	defer b.mu.Unlock()
	return *b.memory(m.index)
}

// space returns the memory on a member, which may have to be had. The buffer is
// pinned.
func (b *buffer) space(m *member) (ir.Buffer, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.room(m)
}

// room is space with the lock held.
func (b *buffer) room(m *member) (ir.Buffer, error) {
	at := b.memory(m.index)
	if *at == nil {
		buf, err := m.alloc(b.bytes)
		if err != nil {
			return nil, err
		}
		*at = buf
		b.holds |= one(m.index)
	}
	return *at, nil
}

// content returns the memory on a member with the contents in it, which may have to
// be copied from another member. The buffer is pinned.
func (b *buffer) content(ctx context.Context, m *member) (ir.Buffer, error) {
	if buf, ok := b.ready(m); ok {
		return buf, nil
	}
	b.moving.Lock()
	defer b.moving.Unlock()
	for {
		if buf, ok := b.ready(m); ok {
			return buf, nil
		}
		to, err := b.space(m)
		if err != nil {
			return nil, err
		}
		b.mu.Lock()
		live, gone, version := b.live(), b.gone(), b.version
		b.mu.Unlock()
		if gone {
			return nil, b.lostError()
		}
		if live == 0 {
			return to, nil // nothing to copy
		}
		from := b.d.members[live.lowest()]
		if err := b.copy(ctx, to, m, from); err != nil {
			if from.lost() && !m.lost() {
				continue
			}
			return nil, err
		}
		b.mu.Lock()
		if b.version == version {
			b.valid |= one(m.index)
		}
		b.mu.Unlock()
		return to, nil
	}
}

// ready returns the memory on a member where it has the contents.
func (b *buffer) ready(m *member) (ir.Buffer, bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return *b.memory(m.index), b.valid.has(m.index)
}

// copy copies the contents between members by way of the host.
func (b *buffer) copy(ctx context.Context, to ir.Buffer, m, from *member) error {
	m.settle()
	from.settle()
	stage := b.d.stage()
	defer b.d.unstage(stage)
	src := b.on(from)
	for off := 0; off < b.bytes; off += len(*stage) {
		if err := ctx.Err(); err != nil {
			return err
		}
		part := (*stage)[:min(len(*stage), b.bytes-off)]
		err := from.failed(src.Read(part, off))
		if err != nil && !errors.Is(err, ir.ErrDeviceLost) {
			// What failed is an earlier program: the user's next wait tells of it.
			b.d.keep(err)
			err = from.failed(src.Read(part, off))
		}
		if err == nil {
			err = m.failed(to.Write(off, part))
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// noteUse tells the program that made the contents where they are needed first: on
// a member, or on the host.
func (b *buffer) noteUse(where int) {
	b.mu.Lock()
	maker, output, done := b.maker, int(b.output), b.noted
	b.noted = true
	b.mu.Unlock()
	if maker != nil && !done {
		maker.used(output, where)
	}
}

// read tells those who want to know that a program has read the contents on a member.
func (b *buffer) read(m *member, by *executable) {
	b.mu.Lock()
	first := b.hosted
	b.hosted = false
	tell := b.maker != nil && b.maker != by && !b.noted
	b.mu.Unlock()
	if first {
		b.d.setHint(b.bytes, m.index)
	}
	if tell {
		b.noteUse(m.index)
	}
}

// made ends the use of a program that wrote the contents on a member.
func (b *buffer) made(m *member, by *executable, output int, version uint64) {
	b.mu.Lock()
	b.changed(m, version)
	b.byHost, b.hosted = false, false
	b.maker, b.output = by, int32(output)
	b.unpinned()
	b.mu.Unlock()
}
