//go:build cgo

package vk

import (
	"encoding/binary"
	"slices"

	"github.com/fornax-ml/fornax/tensor/ir"
	"github.com/fornax-ml/fornax/vk/internal/driver"
	"github.com/fornax-ml/fornax/vk/internal/lower"
)

// A replay is one recording of an executable, of a command buffer for each submit,
// with the parameter block that it reads. An executable has several, so that runs may be in flight
// together, and where command buffers name their arguments, so that arguments
// that take turns find theirs.
type replay struct {
	block    *driver.Allocation
	cbs      []*driver.CommandBuffer // in the order of their submits
	sets     []*driver.DescriptorSet
	donated  int                  // the first of cbs that writes over an argument which an output takes over, or their number
	args     []*driver.Allocation // in the block, or in the sets
	argsGen  uint64               // executable.args.gen when they were those
	arenaGen uint64
	epoch    driver.Epoch // of the last submit
	used     uint64       // executable.clock when it was last found

	// With Options.Profile: times, and the dispatches that they are of.
	times           *driver.Timestamps
	timedDispatches []int
}

// How many replays an executable keeps.
const (
	inFlight = 3  // where any replay serves any arguments
	tuples   = 16 // where one serves one tuple of them
)

// find returns a replay that the device is done with, the one for the arguments if there
// is one; where there is none, busy is the epoch to wait for. d.run is held.
func (x *executable) find() (r *replay, busy driver.Epoch) {
	most := inFlight
	if x.bound {
		most = tuples
	}
	x.clock++
	var best, oldest *replay
	fits := false // best has these arguments
	full, alike := len(x.instances) >= most, 0
	for _, r := range x.instances {
		same := r.has(&x.args)
		if same {
			alike++
		}
		if oldest == nil || same && alike == 1 || r.epoch < oldest.epoch && (same || alike == 0) {
			oldest = r // one with these arguments if there is one
		}
		if !x.d.drv.Done(r.epoch) {
			continue
		}
		switch {
		case same && !fits:
			best, fits = r, true
		case !same && (full || !x.bound) && (best == nil || !fits && r.used < best.used):
			best = r
		}
	}
	if best != nil && !fits && alike >= inFlight {
		best = nil // wait for one of them rather than record another
	}
	if best == nil && (!full && alike < inFlight || oldest == nil) {
		best = &replay{}
		x.instances = append(x.instances, best)
	}
	if best == nil {
		return nil, oldest.epoch
	}
	best.used = x.clock
	return best, 0
}

// has reports whether the replay has these arguments.
func (r *replay) has(a *arguments) bool {
	if r.argsGen != a.gen && slices.Equal(r.args, a.allocs) {
		r.argsGen = a.gen
	}
	return r.argsGen == a.gen
}

func (r *replay) free(d *Device) {
	for _, cb := range r.cbs {
		cb.Free()
	}
	sets, block, times := r.sets, r.block, r.times
	d.drv.After(r.epoch, func() {
		if times != nil {
			times.Free()
		}
		for _, s := range sets {
			s.Free()
		}
		if block != nil {
			block.Free()
		}
	})
	*r = replay{}
}

// prepare brings block, sets and command buffer up to date. d.run is held.
func (x *executable) prepare(r *replay, scalars []ir.Scalar) error {
	d := x.d
	if r.block == nil {
		b, err := d.drv.Alloc(x.bytes, driver.UploadMemory)
		if err != nil {
			return err
		}
		copy(b.Mapped, x.first)
		r.block = b
	}
	moved := r.cbs == nil || !r.has(&x.args) || x.plan.ArenaBytes > 0 && r.arenaGen != d.arenaGen
	if moved {
		// Should what follows fail, nothing must pass for up to date.
		r.args, r.argsGen = r.args[:0], 0
		if x.addresses {
			x.writeAddresses(r)
		}
	}
	x.writeScalars(r, scalars)
	if err := r.block.Flush(0, len(x.first)); err != nil {
		return err
	}
	if r.cbs == nil || moved && x.bound {
		if err := x.record(r); err != nil {
			return err
		}
	}
	if moved {
		r.arenaGen = d.arenaGen
		r.args, r.argsGen = append(r.args, x.args.allocs...), x.args.gen
	}
	return nil
}

// locate finds the memory that m names.
func (x *executable) locate(m lower.Mem) (*driver.Allocation, int) {
	switch m.Arg {
	case lower.Arena:
		return x.d.arena, m.Offset
	case lower.Status:
		return x.d.status.a, m.Offset
	}
	return x.args.allocs[m.Arg], m.Offset
}

func (x *executable) writeAddresses(r *replay) {
	for i := range x.plan.Dispatches {
		k := &x.plan.Dispatches[i]
		if k.Custom != nil {
			continue
		}
		at := r.block.Mapped[x.windows[i]+4*lower.AddressWord:]
		for _, m := range k.Bindings {
			a, off := x.locate(m)
			binary.LittleEndian.PutUint64(at, a.Address+uint64(off))
			at = at[8:]
		}
	}
}

func (x *executable) writeScalars(r *replay, scalars []ir.Scalar) {
	for _, p := range x.patches {
		s := scalars[p.scalar]
		binary.LittleEndian.PutUint64(r.block.Mapped[p.offset:], lower.RegBits(s.DType, s.Bits))
	}
}

// record records the program, with a barrier at each real hazard.
func (x *executable) record(r *replay) error {
	d := x.d
	old := r.sets
	r.sets = nil
	for _, s := range old { // the replay's last run is complete
		s.Free()
	}
	r.timedDispatches = r.timedDispatches[:0]
	var h hazards
	var cmds []driver.Command
	var parts [][]driver.Command
	var ops float64
	first := -1 // the part that first writes over an argument
	var shared *driver.DescriptorSet
	for i := range x.plan.Dispatches {
		k := &x.plan.Dispatches[i]
		next := func(work float64) (another bool) { // submit begins where this one has enough
			if ops += work; ops <= d.submitWork || len(cmds) == 0 {
				return false
			}
			parts, cmds, ops = append(parts, cmds), nil, work
			h.clear() // submits see each other's writes
			return true
		}
		folded, axis, pieces := k.Cut(d.submitWork)
		next(k.Work / float64(pieces))
		if h.conflict(k) {
			cmds = append(cmds, driver.Barrier())
			h.clear()
		}
		h.add(k)
		if first < 0 && slices.ContainsFunc(k.Writes, func(m lower.Mem) bool { return m.Arg >= 0 && x.taken[m.Arg] }) {
			first = len(parts)
		}
		p := x.pipelines[i]
		var push []byte
		var dynamic []uint32
		set, groups := shared, folded
		switch {
		case k.Custom != nil:
			c := &x.customs[i]
			push, groups = c.push, c.groups
			if groups[0] == 0 || groups[1] == 0 || groups[2] == 0 {
				continue
			}
			var err error
			if set, err = x.bind(r, p, k, nil); err != nil {
				return err
			}
		case x.addresses:
			if shared == nil {
				var err error
				if shared, err = x.bind(r, p, nil, []driver.BufferBinding{{Allocation: r.block, Range: blockRange}}); err != nil {
					return err
				}
				set = shared
			}
			dynamic = []uint32{uint32(x.windows[i])}
		default:
			var err error
			if set, err = x.bind(r, p, k, []driver.BufferBinding{{Allocation: r.block, Offset: x.windows[i], Range: blockRange}}); err != nil {
				return err
			}
		}
		for n := range pieces {
			if n > 0 && next(k.Work/float64(pieces)) {
				h.add(k) // what follows in this submit waits for this piece
			}
			var base [2]int
			part := groups
			if pieces > 1 {
				all := int(groups[axis])
				base[axis] = n * all / pieces
				part[axis] = uint32((n+1)*all/pieces - base[axis])
			}
			r.timedDispatches = append(r.timedDispatches, i)
			cmds = append(cmds, p.Dispatch(set, push, int(part[0]), int(part[1]), int(part[2]), dynamic...).From(base[0], base[1]))
		}
	}
	parts = append(parts, cmds)
	if r.donated = first; first < 0 {
		r.donated = len(parts)
	}
	if d.profile != nil {
		var err error
		if parts, err = r.timed(d, parts); err != nil {
			return err
		}
	}
	for i, cmds := range parts {
		if i < len(r.cbs) {
			if err := r.cbs[i].Record(cmds); err != nil {
				return err
			}
			continue
		}
		cb, err := d.drv.Record(cmds)
		if err != nil {
			return err
		}
		r.cbs = append(r.cbs, cb)
	}
	return nil
}

// bind makes the descriptor set of a dispatch: first, then its buffers.
func (x *executable) bind(r *replay, p *driver.Pipeline, k *lower.Dispatch, first []driver.BufferBinding) (*driver.DescriptorSet, error) {
	bufs := first
	if k != nil {
		for _, m := range k.Bindings {
			a, off := x.locate(m)
			bufs = append(bufs, driver.BufferBinding{Allocation: a, Offset: off, Range: max(m.Bytes, 4)})
		}
	}
	s, err := x.d.drv.NewDescriptorSet(p, bufs)
	if err == nil {
		r.sets = append(r.sets, s)
	}
	return s, err
}

// hazards are the ranges touched since the last barrier.
type hazards struct{ reads, writes []lower.Mem }

func (h *hazards) clear() { h.reads, h.writes = h.reads[:0], h.writes[:0] }

func (h *hazards) add(k *lower.Dispatch) {
	h.reads = append(h.reads, k.Reads...)
	h.writes = append(h.writes, k.Writes...)
}

func (h *hazards) conflict(k *lower.Dispatch) bool {
	return lower.Meet(k.Reads, h.writes) || lower.Meet(k.Writes, h.writes) || lower.Meet(k.Writes, h.reads)
}
