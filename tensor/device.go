package tensor

import (
	"context"
	"errors"
	"fmt"
	"io"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"weak"

	_ "github.com/fornax-ml/fornax/cpu" // the embedded default
	"github.com/fornax-ml/fornax/tensor/ir"
	"github.com/fornax-ml/fornax/tensor/ir/auto"
	"github.com/fornax-ml/fornax/tensor/plan"
)

// DeviceInfo describes a device.
type DeviceInfo = ir.Info

// A Device is where tensors live and programs run. It is safe for concurrent
// use.
type Device struct {
	dev   ir.Device
	name  string
	cache *plan.Cache
	// waiting holds the cells with a pending replacement; graphMu guards it.
	waiting map[weak.Pointer[Cell]]struct{}
}

var open struct {
	sync.Mutex
	devices map[string]*Device
}

// Devices lists every device of every linked backend. The cpu is always
// linked; Vulkan devices are there when a program imports
//
//	_ "github.com/fornax-ml/fornax/vk"
func Devices() []DeviceInfo {
	var l []DeviceInfo
	for _, b := range ir.Backends() {
		infos, err := b.Devices()
		if err == nil {
			l = append(l, infos...)
		}
	}
	return l
}

// Open returns the device of a name: "cpu"; "vulkan" or "vulkan:1", the first
// or second of its backend; "auto" or "", all that is real hardware: each program
// runs where it is expected to be done first, see package tensor/ir/auto, and where
// there is only the cpu, that is the device. Opening a name again returns the same device
// until it is closed.
//
// The environment's FORNAX_AUTO names other devices for "auto", as in
// FORNAX_AUTO=cpu,vulkan:0 (a software driver is not among them by itself),
// FORNAX_AUTO_PIN one of them that runs all programs; FORNAX_EXPLAIN=1 prints each
// program of any device to standard error, with its memory and, of "auto", the time it
// is expected to take on each device and the time it took.
func Open(name string) (*Device, error) {
	if name == "" || name == "auto" {
		members := auto.Members()
		if len(members) > 1 {
			return openAuto()
		}
		name = members[0]
	}
	backend, index, err := parseName(name)
	if err != nil {
		return nil, err
	}
	b := findBackend(backend)
	if b == nil {
		return nil, fmt.Errorf("tensor: no backend is called %q; linked are %s", backend, backendNames())
	}
	open.Lock()
	defer open.Unlock()
	infos, err := b.Devices()
	if err != nil {
		return nil, fmt.Errorf("tensor: open %s: %w", name, err)
	}
	if index >= len(infos) {
		return nil, fmt.Errorf("tensor: open %s: %d devices of %s are present", name, len(infos), backend)
	}
	key := infos[index].Name
	if d := open.devices[key]; d != nil {
		return d, nil
	}
	dev, err := b.Open(index)
	if err != nil {
		return nil, fmt.Errorf("tensor: open %s: %w", name, err)
	}
	d := New(dev)
	d.name = key
	d.remember()
	return d, nil
}

// New makes a Device of one opened by its backend's own package, for options
// that Open does not have. Close closes it.
func New(dev ir.Device) *Device {
	d := &Device{dev: dev, name: dev.Info().Name, cache: plan.NewCache(dev)}
	if _, o := auto.Environment(); o.Explain != nil {
		d.cache.Explain(o.Explain)
	}
	return d
}

// openAuto opens the device of several, or returns the one that is open.
func openAuto() (*Device, error) {
	open.Lock()
	defer open.Unlock()
	if d := open.devices["auto"]; d != nil {
		return d, nil
	}
	_, options := auto.Environment()
	dev, err := auto.Open(nil, options)
	if err != nil {
		return nil, fmt.Errorf("tensor: open auto: %w", err)
	}
	d := New(dev)
	d.remember()
	return d, nil
}

// remember makes the device the one that Open returns for its name. open is locked.
func (d *Device) remember() {
	if open.devices == nil {
		open.devices = map[string]*Device{}
	}
	open.devices[d.name] = d
}

func parseName(name string) (backend string, index int, err error) {
	backend, num, ok := strings.Cut(name, ":")
	if !ok {
		return backend, 0, nil
	}
	index, err = strconv.Atoi(num)
	if err != nil || index < 0 {
		return "", 0, fmt.Errorf("tensor: device %q: want a name such as cpu, vulkan or vulkan:1", name)
	}
	return backend, index, nil
}

func findBackend(name string) ir.Backend {
	for _, b := range ir.Backends() {
		if b.Name() == name {
			return b
		}
	}
	return nil
}

func backendNames() string {
	var l []string
	for _, b := range ir.Backends() {
		l = append(l, b.Name())
	}
	return strings.Join(l, ", ")
}

// Explain has every program that is compiled from now on printed to w: what it is, what
// memory it needs and, where the device chooses among others, what it is expected to take
// on each. FORNAX_EXPLAIN=1 is the same for all devices, to standard error. Call it before
// the device is used.
func (d *Device) Explain(w io.Writer) { d.cache.Explain(w) }

// Name returns the name as Open takes it.
func (d *Device) Name() string { return d.name }

// Info describes the device.
func (d *Device) Info() DeviceInfo { return *d.dev.Info() }

// Has reports whether the device has a dtype.
func (d *Device) Has(t DType) bool { return d.dev.Info().DTypes.Has(t) }

// Sync waits for all submitted work and returns the first failure since the
// last wait.
func (d *Device) Sync(ctx context.Context) error { return d.dev.Sync(ctx) }

// Trim gives the memory that pools hold without use back to the system. It
// drops the compiled programs too, with what they hold on the device: those
// that are needed again are planned and compiled again.
func (d *Device) Trim() {
	d.cache.Clear()
	d.dev.Trim()
}

// Stats counts what was done since the device was opened.
type Stats struct {
	ir.Stats
	Planned int // programs made from graphs
	Nodes   int // graph nodes made, on all devices
}

// Stats returns the counters.
func (d *Device) Stats() Stats {
	return Stats{Stats: d.dev.Stats(), Planned: d.cache.Stats().Planned, Nodes: int(nodes.Load())}
}

// Close releases the device. Its tensors become unusable.
func (d *Device) Close() error {
	open.Lock()
	if open.devices[d.name] == d {
		delete(open.devices, d.name)
	}
	open.Unlock()
	d.cache.Clear()
	return d.dev.Close()
}

// requireDType panics where the device lacks a dtype.
func (d *Device) requireDType(op string, t DType) {
	if !d.Has(t) {
		panic(&DTypeError{Op: op, DTypes: []DType{t}, Reason: d.name + " has no " + t.String()})
	}
}

// newStorage allocates memory that frees itself. Out of memory, it runs the
// collector once, so that unreachable tensors give theirs back, and tries
// again.
func (d *Device) newStorage(bytes int) (*storage, error) {
	buf, err := d.dev.NewBuffer(bytes)
	if errors.Is(err, ir.ErrOutOfMemory) {
		collect()
		buf, err = d.dev.NewBuffer(bytes)
	}
	if err != nil {
		return nil, err
	}
	return own(buf), nil
}

// own wraps a buffer so that it is freed when unreachable.
func own(buf ir.Buffer) *storage {
	st := &storage{buf: buf}
	st.cleanup = runtime.AddCleanup(st, func(b ir.Buffer) { b.Free() }, buf)
	return st
}

// free gives the memory back now.
func (st *storage) free() {
	st.once.Do(func() {
		st.cleanup.Stop()
		st.buf.Free()
	})
}

// collect runs the collector and gives cleanups a moment to run.
func collect() {
	done := make(chan struct{})
	func() {
		marker := new([16]byte)
		runtime.AddCleanup(marker, func(c chan struct{}) { close(c) }, done)
	}()
	for range 4 {
		runtime.GC()
		select {
		case <-done:
			return
		default:
			runtime.Gosched()
		}
	}
}
