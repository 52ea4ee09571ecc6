//go:build cgo

package vk

import (
	"cmp"
	"context"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/fornax-ml/fornax/vk/internal/driver"
)

// profile adds up device times; see [Options.Profile].
type profile struct {
	mu     sync.Mutex
	totals map[profileKey]*Timing
}

type profileKey struct{ kernel, instr string }

// Profile returns the times of all kernels since the device was opened with
// Options.Profile, the longest total first; nil without.
func (d *Device) Profile() []Timing {
	if d.profile == nil {
		return nil
	}
	d.profile.mu.Lock()
	defer d.profile.mu.Unlock()
	var l []Timing
	for _, t := range d.profile.totals {
		l = append(l, *t)
	}
	slices.SortFunc(l, func(a, b Timing) int { return cmp.Compare(b.Total, a.Total) })
	return l
}

// timed puts a time before each dispatch and behind the last, with barriers, so that no
// dispatch has the time of another.
func (r *replay) timed(d *Device, parts [][]driver.Command) ([][]driver.Command, error) {
	if r.times != nil {
		r.times.Free()
		r.times = nil
	}
	times, err := d.drv.NewTimestamps(len(r.timedDispatches) + 1)
	if err != nil {
		return nil, err
	}
	r.times = times
	n := 0
	for i, cmds := range parts {
		var l []driver.Command
		for _, c := range cmds {
			if c.Kind == driver.DispatchCommand {
				l = append(l, driver.Barrier(), times.Write(n))
				n++
			}
			l = append(l, c)
		}
		parts[i] = l
	}
	last := len(parts) - 1
	parts[last] = append(parts[last], driver.Barrier(), times.Write(n))
	return parts, nil
}

// add waits for a run and adds its times. dispatches are those recorded, in order.
func (p *profile) add(ctx context.Context, x *executable, r *replay) error {
	d := x.d
	if err := d.drv.Wait(ctx, r.epoch); err != nil {
		return err
	}
	at := make([]uint64, len(r.timedDispatches)+1)
	if err := r.times.Read(at); err != nil {
		return err
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	for i, k := range r.timedDispatches {
		key := x.profileKey(k)
		t := p.totals[key]
		if t == nil {
			t = &Timing{Kernel: key.kernel, Instr: key.instr}
			p.totals[key] = t
		}
		if i == 0 || r.timedDispatches[i-1] != k { // not another piece of the same
			t.Runs++
		}
		t.Total += time.Duration(at[i+1] - at[i])
	}
	return nil
}

func (x *executable) profileKey(dispatch int) profileKey {
	k := &x.plan.Dispatches[dispatch]
	p := *x.p
	p.Instrs, p.ArenaBytes = p.Instrs[k.Instr:k.Instr+1], 0
	lines := strings.Split(strings.TrimSpace(p.String()), "\n")
	key := profileKey{instr: lines[len(lines)-1]}
	if k.Custom != nil {
		key.kernel = "custom " + k.Custom.Name
	} else {
		key.kernel = k.Kernel.Variant()
	}
	return key
}
