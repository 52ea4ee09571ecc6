//go:build cgo

package vk

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"sync"
	"sync/atomic"

	"github.com/fornax-ml/fornax/tensor/ir"
	"github.com/fornax-ml/fornax/vk/internal/driver"
	"github.com/fornax-ml/fornax/vk/internal/lower"
)

// Device is an ir.Device on one Vulkan device.
type Device struct {
	in       *driver.Instance
	drv      *driver.Device
	info     ir.Info
	ways     []*way    // of lowering programs, the preferred one first
	choices  []ir.Fact // what lowering decided, and why
	disabled []string  // what the options and the environment switch off
	passport *passport
	tuner    *tuner
	profile  *profile // nil without Options.Profile
	minimum  bool     // Options.MinimumLimits
	// submitWork is the estimated operations that one submit may have: drivers end
	// those that take seconds.
	submitWork float64

	kernels kernels
	corrupt func(module string, words []uint32) []uint32 // Options.Corrupt
	pool    pool
	used    usage
	status  status

	// run orders what a run does between looking at the arena and submitting.
	// Nothing waits for the device while holding it, but for an arena that
	// cannot grow otherwise.
	run      sync.Mutex
	arena    *driver.Allocation
	arenaGen uint64
	arenaUse driver.Epoch // the last submit that uses the arena

	closed                     atomic.Bool
	programs, runs, dispatches atomic.Int64

	cache *saver // nil without a folder
}

// Open opens device i of the backend's Devices.
func Open(i int, o Options) (*Device, error) {
	in, err := instance(o.Validation)
	if err != nil {
		return nil, fmt.Errorf("vk: %w", err)
	}
	tier := o.tier()
	if o.MinimumLimits {
		tier = 0
	}
	opt := driver.DeviceOptions{Tier: tier, Minimum: o.MinimumLimits, MemoryBytes: o.MemoryBytes, ForceStaging: o.ForceStaging, CacheDir: o.CacheDir, FailAlloc: o.FailAlloc}
	if f := o.FailSubmit; f != nil {
		opt.FailSubmit = func(n int) error {
			err := f(n)
			if errors.Is(err, ErrLoseDevice) {
				return driver.ErrDeviceLost
			}
			return err
		}
	}
	drv, err := in.OpenDevice(i, opt)
	if err != nil {
		return nil, fmt.Errorf("vk: %w", err)
	}
	f, p := drv.Features(), drv.Physical()
	tier = tierOf(tier, f)
	d := &Device{in: in, drv: drv, info: describe(i, tier, &p, f, drv.MaxAlloc(), drv.Alignment()), corrupt: o.Corrupt, minimum: o.MinimumLimits}
	d.disabled = slices.Concat(o.Disable, environment().disable)
	switch d.submitWork = o.SubmitWork; {
	case o.SubmitWork > 0:
	case p.Type == driver.CPUDevice:
		d.submitWork = math.Inf(1) // nobody watches
	case p.Type == driver.DiscreteDevice:
		d.submitWork = 1 << 38
	default:
		d.submitWork = 1 << 35
	}
	if o.Profile {
		if l := drv.Limits(); l.TimestampBits == 0 || l.TimestampPeriod == 0 {
			drv.Close()
			return nil, fmt.Errorf("vk: %s has no clock to profile with", d.info.Name)
		}
		d.profile = &profile{totals: map[profileKey]*Timing{}}
	}
	if d.off("wide") != "" {
		d.info.DTypes &= lower.Narrow
	}
	d.passport, d.tuner = openPassport(d, o), openTuner(d, o)
	if o.CacheDir != "" {
		d.cache = &saver{}
	}
	if err := d.findWays(o, tier); err != nil {
		drv.Close()
		return nil, err
	}
	d.kernels.init(d)
	d.pool.init(d)
	if err := d.status.init(d); err != nil {
		drv.Close()
		return nil, err
	}
	return d, nil
}

// Info implements ir.Device.
func (d *Device) Info() *ir.Info { return &d.info }

// Messages drains the validation messages of all devices opened with
// validation.
func (d *Device) Messages() []string { return d.in.Messages() }

// Sync implements ir.Device.
func (d *Device) Sync(ctx context.Context) error {
	if err := d.drv.WaitIdle(ctx); err != nil {
		return d.fail(err)
	}
	return d.status.take(d)
}

// Stats implements ir.Device.
func (d *Device) Stats() ir.Stats {
	s := d.drv.Stats()
	used, peak := d.used.figures()
	kept := 0
	d.run.Lock()
	if d.arena != nil {
		kept = d.size(d.arena.Size)
	}
	d.run.Unlock()
	return ir.Stats{
		Programs: int(d.programs.Load()), Pipelines: int(s.Pipelines), Submits: int(s.Submits), Runs: int(d.runs.Load()),
		Dispatches: int(d.dispatches.Load()), Allocs: int(s.Memory.BlockAllocs), LiveBytes: int(d.pool.live.Load()),
		PoolBytes: int(s.Memory.Reserved), UsedBytes: used, KeptBytes: kept, PeakBytes: peak,
	}
}

// Trim implements ir.Device.
func (d *Device) Trim() {
	if d.closed.Load() {
		return
	}
	d.trim()
	d.used.again()
}

// trim gives unused memory back.
func (d *Device) trim() {
	d.pool.drop(d)
	d.run.Lock()
	if d.arena != nil {
		d.retire()
		d.arena = nil
	}
	d.run.Unlock()
	d.drv.Trim()
}

// Close implements ir.Device.
func (d *Device) Close() error {
	if d.closed.Swap(true) {
		return nil
	}
	if d.cache != nil {
		d.cache.stop()
	}
	d.run.Lock()
	defer d.run.Unlock()
	return d.fail(d.drv.Close())
}

// fail maps the driver package's errors to ir's.
func (d *Device) fail(err error) error {
	var m *driver.MemoryError
	switch {
	case err == nil:
		return nil
	case errors.As(err, &m):
		limit := d.info.Limits.MemoryBytes
		return &ir.MemoryError{Device: d.info.Name, Need: int(m.Need), Live: int(d.drv.Stats().Memory.Live), Limit: limit, Reason: err.Error()}
	case errors.Is(err, driver.ErrDeviceLost):
		return fmt.Errorf("%s: %w: %w", d.info.Name, ir.ErrDeviceLost, err)
	case errors.Is(err, driver.ErrClosed):
		return fmt.Errorf("%s: %w", d.info.Name, ir.ErrClosed)
	case errors.Is(err, driver.ErrOutOfDeviceMemory), errors.Is(err, driver.ErrOutOfHostMemory):
		return &ir.MemoryError{Device: d.info.Name, Live: int(d.drv.Stats().Memory.Live), Limit: d.info.Limits.MemoryBytes, Reason: err.Error()}
	case errors.Is(err, ir.ErrOutOfMemory), errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded):
		return err
	}
	return fmt.Errorf("%s: %w", d.info.Name, err)
}

// retire frees the arena once the device is done with it; d.run is held.
func (d *Device) retire() {
	old := d.arena
	d.drv.After(d.arenaUse, func() {
		old.Free()
		d.used.add(-d.size(old.Size))
	})
}

// growArena makes the arena at least so large; d.run is held. A larger one is
// had before the old one goes, or where both do not fit, after.
func (d *Device) growArena(ctx context.Context, bytes int) error {
	if bytes == 0 || d.arena != nil && d.arena.Size >= bytes {
		return nil
	}
	a, err := d.drv.Alloc(bytes, driver.DeviceMemory)
	if err != nil {
		d.pool.drop(d)
		if d.arena != nil {
			if werr := d.drv.Wait(ctx, d.arenaUse); werr != nil {
				return d.fail(werr)
			}
			d.used.add(-d.size(d.arena.Size))
			d.arena.Free()
			d.arena = nil
			d.arenaGen++
		}
		d.drv.Trim()
		if a, err = d.drv.Alloc(bytes, driver.DeviceMemory); err != nil {
			return d.fail(err)
		}
	}
	d.used.add(d.size(a.Size))
	if d.arena != nil {
		d.retire()
	}
	d.arena = a
	d.arenaGen++
	return nil
}
