package auto

import "github.com/fornax-ml/fornax/tensor/ir"

// BufferSize implements ir.Sizer: that of the member whose buffers take most.
func (d *Device) BufferSize(bytes int) int {
	n := bytes
	for _, m := range d.members {
		if s, ok := m.dev.(ir.Sizer); ok {
			n = max(n, s.BufferSize(bytes))
		}
	}
	return n
}

// WorkSize implements ir.Sizer: that of the member, of those that can run the program,
// on which it takes most.
func (d *Device) WorkSize(p *ir.Program) (n int, err error) {
	able := false
	for _, m := range d.members {
		work := p.ArenaBytes
		if s, ok := m.dev.(ir.Sizer); ok {
			var merr error
			if work, merr = s.WorkSize(p); merr != nil {
				err = merr
				continue
			}
		}
		able, n = true, max(n, work)
	}
	if able {
		return n, nil
	}
	return 0, err
}

// Room implements ir.Sizer: that of the member with most, which a program that has no
// room elsewhere runs on.
func (d *Device) Room() int {
	n := 0
	for _, m := range d.members {
		room := m.dev.Info().Limits.MemoryBytes
		if s, ok := m.dev.(ir.Sizer); ok {
			room = s.Room()
		}
		n = max(n, room)
	}
	return n
}
