//go:build cgo

package driver

import (
	"context"
	"fmt"
)

// Staging moves bytes through mapped memory in slots. A slot holds one chunk and a command buffer of its
// own; slots wait in a channel, so taking one never holds a lock.
const (
	slotBytes = 4 << 20
	slotCount = 4
	// Device memory on the far side of a bus is mapped uncached: past this many bytes a copy by the
	// device into cached memory beats reading it.
	directReadBytes = 4 << 10
)

type staging struct {
	up, down chan *slot
}

type slot struct {
	kind  MemoryKind
	mem   *Allocation // nil before the first use
	cb    *CommandBuffer
	epoch Epoch // the last submit that used it
	// of the chunk under way, for downloads
	dst []byte
}

func (s *staging) init(*Device) {
	s.up, s.down = make(chan *slot, slotCount), make(chan *slot, slotCount)
	for range slotCount {
		s.up <- &slot{kind: UploadMemory}
		s.down <- &slot{kind: ReadbackMemory}
	}
}

// ready waits for the slot's last use and makes its memory on the first.
func (s *slot) ready(ctx context.Context, d *Device) error {
	if err := d.Wait(ctx, s.epoch); err != nil {
		return err
	}
	if s.mem == nil {
		mem, err := d.Alloc(slotBytes, s.kind)
		if err != nil {
			return err
		}
		s.mem = mem
	}
	return nil
}

// trim gives the memory of slots that are not in use back to the allocator.
func (s *staging) trim(d *Device) {
	for _, slots := range []chan *slot{s.up, s.down} {
		for range slotCount {
			select {
			case x := <-slots:
				if x.mem != nil && d.Done(x.epoch) {
					x.mem.Free()
					x.mem = nil
				}
				slots <- x
			default: // in use
			}
		}
	}
}

// submit copies by the device.
func (s *slot) submit(d *Device, c Command) error {
	cmds := [1]Command{c}
	if s.cb == nil {
		cb, err := d.Record(cmds[:])
		if err != nil {
			return err
		}
		s.cb = cb
	} else if err := s.cb.Record(cmds[:]); err != nil {
		return err
	}
	e, err := d.Submit(s.cb)
	if err == nil {
		s.epoch = e
	}
	return err
}

func checkRange(what string, a *Allocation, off, n int) error {
	if off < 0 || n < 0 || off+n > a.Size {
		return fmt.Errorf("driver: %s of %d bytes at %d of an allocation of %d", what, n, off, a.Size)
	}
	return nil
}

// Upload writes src to dst from byte off on. after is the last submit that reads or writes those bytes:
// Upload does not touch them before it is complete. Everything submitted after Upload returns sees the
// new bytes; src may be changed at once.
//
// The epoch returned is 0 when the host wrote the bytes, else the transfer that writes them, which may
// still be on its way: dst must not be freed, nor its Mapped be touched, before it is complete. On error
// any part of dst may have been written.
func (d *Device) Upload(ctx context.Context, dst *Allocation, off int, src []byte, after Epoch) (Epoch, error) {
	if err := d.usable(); err != nil {
		return 0, err
	}
	if err := checkRange("upload", dst, off, len(src)); err != nil {
		return 0, err
	}
	if dst.Mapped != nil {
		if err := d.Wait(ctx, after); err != nil {
			return 0, wrap("upload", err)
		}
		copy(dst.Mapped[off:], src)
		return 0, dst.Flush(off, len(src))
	}
	// Submits run in order, so a transfer need not wait for after.
	var last Epoch
	for len(src) > 0 {
		n := min(len(src), slotBytes)
		e, err := d.uploadChunk(ctx, dst, off, src[:n])
		if err != nil {
			return last, wrap("upload", err)
		}
		last, off, src = e, off+n, src[n:]
	}
	return last, nil
}

func (d *Device) uploadChunk(ctx context.Context, dst *Allocation, off int, src []byte) (Epoch, error) {
	s, err := take(ctx, d.stage.up)
	if err != nil {
		return 0, err
	}
	defer func() { d.stage.up <- s }()
	if err := s.ready(ctx, d); err != nil {
		return 0, err
	}
	copy(s.mem.Mapped, src)
	if err := s.mem.Flush(0, len(src)); err != nil {
		return 0, err
	}
	err = s.submit(d, Copy(dst, off, s.mem, 0, len(src)))
	return s.epoch, err
}

func take(ctx context.Context, from chan *slot) (*slot, error) {
	select {
	case s := <-from:
		return s, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// Download reads len(dst) bytes of src from byte off on into dst, as after and everything submitted
// before it left them, and returns when they are there.
func (d *Device) Download(ctx context.Context, dst []byte, src *Allocation, off int, after Epoch) error {
	if err := d.usable(); err != nil {
		return err
	}
	if err := checkRange("download", src, off, len(dst)); err != nil {
		return err
	}
	if src.Mapped != nil && (src.block.arena.cached || d.sharesMemory() || len(dst) <= directReadBytes) {
		if err := d.Wait(ctx, after); err != nil {
			return wrap("download", err)
		}
		if err := src.Invalidate(off, len(dst)); err != nil {
			return err
		}
		copy(dst, src.Mapped[off:])
		return nil
	}
	return wrap("download", d.downloadStaged(ctx, dst, src, off))
}

// sharesMemory: reading device memory through the mapping is no slower than copying it first.
func (d *Device) sharesMemory() bool { return d.info.Type == CPUDevice }

// downloadStaged keeps several chunks on their way. It blocks for its first slot only: two goroutines
// that each hold slots and wait for more would wait for ever.
func (d *Device) downloadStaged(ctx context.Context, dst []byte, src *Allocation, off int) error {
	var flying [slotCount]*slot
	first, n := 0, 0
	defer func() {
		for ; n > 0; n-- {
			d.stage.down <- flying[first%slotCount]
			first++
		}
	}()
	for len(dst) > 0 || n > 0 {
		if len(dst) > 0 && n < slotCount {
			var s *slot
			if n == 0 {
				var err error
				if s, err = take(ctx, d.stage.down); err != nil {
					return err
				}
			} else {
				select {
				case s = <-d.stage.down:
				default:
				}
			}
			if s != nil {
				flying[(first+n)%slotCount] = s
				n++
				if err := s.ready(ctx, d); err != nil {
					return err
				}
				k := min(len(dst), slotBytes)
				if err := s.submit(d, Copy(s.mem, 0, src, off, k)); err != nil {
					return err
				}
				s.dst, dst, off = dst[:k], dst[k:], off+k
				continue
			}
		}
		s := flying[first%slotCount]
		if err := d.Wait(ctx, s.epoch); err != nil {
			return err
		}
		if err := s.mem.Invalidate(0, len(s.dst)); err != nil {
			return err
		}
		copy(s.dst, s.mem.Mapped)
		s.dst = nil
		first++
		n--
		d.stage.down <- s
	}
	return nil
}
