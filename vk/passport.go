//go:build cgo

package vk

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"

	"github.com/fornax-ml/fornax/tensor/ir"
	"github.com/fornax-ml/fornax/vk/internal/lower"
	"github.com/fornax-ml/fornax/vk/internal/trial"
)

// A passport holds what self-tests found on one device with one driver. Kernels'
// variants and ops' functions get a verdict when a program first needs them.
type passport struct {
	trying sync.Mutex // one at a time has its kernels tried
	file   string     // "" keeps nothing
	of     owner      // for the file

	// crashed has, from the file, how many processes ended in a key's trial.
	crashed map[string]int

	mu       sync.Mutex
	verdicts map[string]verdict // by way.key
}

// A verdict is what a trial found. With neither Passed nor Failed the trial began,
// and where it is read from a file the process ended in it.
type verdict struct {
	Passed bool   `json:"passed,omitempty"`
	Failed string `json:"failed,omitempty"` // how
	Begun  int    `json:"begun,omitempty"`  // trials without an end
}

// passports are shared by the devices of a process that run the same kernels.
var passports struct {
	sync.Mutex
	m map[string]*passport
}

// openPassport finds the device's passport in the process, or on disk.
func openPassport(d *Device, o Options) *passport {
	id := d.identity()
	pass := &passport{of: owner{d.info.Model, d.info.Driver}, crashed: map[string]int{}, verdicts: map[string]verdict{}}
	if o.Corrupt != nil {
		return pass // of a device of its own kind
	}
	if o.CacheDir != "" {
		pass.file = filepath.Join(o.CacheDir, "selftest-"+id+".json")
	}
	passports.Lock()
	defer passports.Unlock()
	key := id + pass.file
	if old := passports.m[key]; old != nil {
		return old
	}
	if pass.file != "" {
		pass.verdicts = readRecord[verdict](pass.file)
		for key, v := range pass.verdicts {
			if v.Begun > 0 && !v.Passed && v.Failed == "" {
				pass.crashed[key] = v.Begun
			}
		}
	}
	if passports.m == nil {
		passports.m = map[string]*passport{}
	}
	passports.m[key] = pass
	return pass
}

// identity names device and driver in files.
func (d *Device) identity() string {
	p := d.drv.Physical()
	id := fmt.Sprintf("%08x-%08x-%08x-%x", p.VendorID, p.DeviceID, p.DriverVersion, p.PipelineCacheUUID)
	if d.minimum {
		id += "-minimum"
	}
	return id
}

// mostCrashed is how many processes may end in a trial before the kernel counts as what
// ends them. From the first on its trial has nothing beside it.
const mostCrashed = 2

// failure says why a kernel must not be used; "" where it may.
func (p *passport) failure(key string) string {
	p.mu.Lock()
	defer p.mu.Unlock()
	v := p.verdicts[key]
	switch n := p.crashed[key]; {
	case v.Failed != "":
		return v.Failed
	case !v.Passed && n >= mostCrashed:
		return fmt.Sprintf("the process ended in its self-test %d times", n)
	}
	return ""
}

func (p *passport) known(key string) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	v := p.verdicts[key]
	return v.Passed || v.Failed != "" || p.crashed[key] >= mostCrashed
}

// change sets verdicts and writes the file, where there is one.
func (p *passport) change(set map[string]verdict) {
	p.mu.Lock()
	defer p.mu.Unlock()
	maps.Copy(p.verdicts, set)
	if p.file != "" {
		// Verdicts that cannot be kept are found again.
		_ = writeRecord(p.file, p.of, p.verdicts)
	}
}

// facts tells how many variants of each kernel and how many ops passed, and what
// failed.
func (p *passport) facts() []ir.Fact {
	p.mu.Lock()
	keys := slices.Sorted(maps.Keys(p.verdicts))
	p.mu.Unlock()
	passed := map[string]int{}
	var failed []ir.Fact
	for _, key := range keys {
		if why := p.failure(key); why != "" {
			failed = append(failed, ir.Fact{Topic: "self-tests", Name: key, Value: "off: " + why})
		} else if p.known(key) {
			way, name, _ := strings.Cut(key, " ")
			if _, op := lower.FindOp(name); op {
				name = "ops"
			}
			passed[way+" "+withoutConstants(name)]++
		}
	}
	var l []ir.Fact
	for _, name := range slices.Sorted(maps.Keys(passed)) {
		l = append(l, ir.Fact{Topic: "self-tests", Name: name, Value: fmt.Sprintf("%d passed", passed[name])})
	}
	return append(l, failed...)
}

// withoutConstants is a variant's name without its specialization constants.
func withoutConstants(variant string) string {
	words := strings.Fields(variant)
	return strings.Join(slices.DeleteFunc(words, func(w string) bool { return w[0] >= '0' && w[0] <= '9' }), " ")
}

// A candidate is what a plan needs and the passport does not know.
type candidate struct {
	name  string
	trial *trial.Trial
	err   error
}

// candidates lists a plan's kernels that have no verdict yet, or where all have
// one, its ops: a broken kernel must not make ops fail.
func (d *Device) candidates(w *way, plan *lower.Plan) []*candidate {
	variants, ops := map[string]*candidate{}, map[string]*candidate{}
	need := func(in map[string]*candidate, name string, make func() *trial.Trial) {
		if in[name] != nil || d.passport.known(w.key(name)) {
			return
		}
		if t := make(); t != nil {
			in[name] = &candidate{name: name, trial: t}
		}
	}
	for i := range plan.Dispatches {
		k := plan.Dispatches[i].Kernel
		if k == nil {
			continue
		}
		need(variants, k.Variant(), func() *trial.Trial { return trial.Variant(k) })
		for _, name := range k.Ops() {
			need(ops, name, func() *trial.Trial {
				f, _ := lower.FindOp(name)
				return trial.Op(f)
			})
		}
	}
	if len(variants) > 0 {
		ops = variants
	}
	return slices.Collect(maps.Values(ops))
}

// prove tries what of a plan is new to the device and reports whether something
// failed, so that the plan must be made anew. The error is the device's, not the
// kernels'.
func (d *Device) prove(w *way, plan *lower.Plan) (failed bool, err error) {
	for err == nil && !failed && len(d.candidates(w, plan)) > 0 {
		failed, err = d.judge(w, plan)
	}
	return failed, err
}

// SelfTest implements ir.SelfTester. Kernels are built and tried side by side.
func (d *Device) SelfTest(ctx context.Context) error {
	for _, w := range d.ways {
		for some := range slices.Chunk(trial.All(w.options), 2*runtime.GOMAXPROCS(0)) {
			for failed := true; failed; {
				if err := ctx.Err(); err != nil {
					return err
				}
				var together lower.Plan
				for _, t := range some {
					plan, err := lower.Lower(t.Program, t.Options(w.options))
					var off *ir.UnsupportedError
					if errors.As(err, &off) {
						continue // the report has what is off
					}
					if err != nil {
						return err
					}
					together.Dispatches = append(together.Dispatches, plan.Dispatches...)
				}
				var err error
				if failed, err = d.prove(w, &together); err != nil {
					return err
				}
			}
		}
	}
	return nil
}

// judge gives the candidates verdicts.
func (d *Device) judge(w *way, plan *lower.Plan) (failed bool, err error) {
	d.passport.trying.Lock()
	defer d.passport.trying.Unlock()
	l := d.candidates(w, plan) // another goroutine may have been first
	var together []*candidate
	for _, c := range l {
		if d.passport.crashed[w.key(c.name)] == 0 {
			together = append(together, c)
			continue
		}
		wrong, err := d.tryAll(w, []*candidate{c})
		failed = failed || wrong
		if err != nil {
			return failed, err
		}
	}
	wrong, err := d.tryAll(w, together)
	return failed || wrong, err
}

// tryAll tries candidates side by side and gives them verdicts. Where the device is lost
// the trials count as begun: in the next process each is tried by itself.
func (d *Device) tryAll(w *way, l []*candidate) (failed bool, err error) {
	d.passport.begin(w, l)
	err = each(len(l), func(i int) error {
		var wrong *wrongError
		if l[i].err = d.try(w, l[i]); !errors.As(l[i].err, &wrong) {
			return l[i].err
		}
		return nil
	})
	verdicts := map[string]verdict{}
	for _, c := range l {
		var wrong *wrongError
		switch key := w.key(c.name); {
		case errors.As(c.err, &wrong):
			verdicts[key] = verdict{Failed: wrong.Error()}
			failed = true
		case err == nil:
			verdicts[key] = verdict{Passed: true}
		case !errors.Is(err, ir.ErrDeviceLost): // which says nothing about the kernel
			verdicts[key] = verdict{Begun: d.passport.crashed[key]}
		}
	}
	d.passport.change(verdicts)
	return failed, err
}

// begin counts a trial of each candidate that has no end yet.
func (p *passport) begin(w *way, l []*candidate) {
	if len(l) == 0 {
		return
	}
	verdicts := map[string]verdict{}
	for _, c := range l {
		key := w.key(c.name)
		verdicts[key] = verdict{Begun: p.crashed[key] + 1}
	}
	p.change(verdicts)
}

// A wrongError is a kernel that does not build or computes wrongly.
type wrongError struct{ err error }

func (e *wrongError) Error() string { return e.err.Error() }
func (e *wrongError) Unwrap() error { return e.err }

// try runs a candidate's trial and compares its outputs with what they should be. What
// is disabled by hand may serve; an op is tried on kernels that passed.
func (d *Device) try(w *way, c *candidate) error {
	o, t := w.options, c.trial
	_, op := lower.FindOp(c.name)
	o.Off = func(name string) string {
		if _, isOp := lower.FindOp(name); isOp || !op {
			return ""
		}
		return d.passport.failure(w.key(name))
	}
	plan, err := lower.Lower(t.Program, t.Options(o))
	if err != nil {
		return &wrongError{err}
	}
	if t.MatMul != "" && !slices.ContainsFunc(plan.Dispatches, func(k lower.Dispatch) bool { return k.Kernel != nil && k.Kernel.Variant() == c.name }) {
		return &wrongError{errors.New("its self-test runs another kernel")}
	}
	x, err := d.build(t.Program, plan, w.addresses)
	if err != nil {
		if errors.Is(err, ir.ErrOutOfMemory) || errors.Is(err, ir.ErrDeviceLost) || errors.Is(err, ir.ErrClosed) {
			return err
		}
		return &wrongError{err}
	}
	defer x.Free()
	args := make([]ir.Buffer, t.Program.NumArgs())
	inputs := t.Inputs()
	for i, s := range t.Program.Slots {
		if args[i], err = d.NewBuffer(s.Bytes()); err != nil {
			return err
		}
		defer args[i].Free()
		if i < len(inputs) {
			if err := args[i].Write(0, inputs[i]); err != nil {
				return err
			}
		}
	}
	if err := x.Run(context.Background(), args, nil); err != nil {
		return err
	}
	var out [][]byte
	for _, a := range args[len(inputs):] {
		// Read would take the record of an index that is out of range, which is
		// another program's.
		b, data := a.(*buffer), make([]byte, a.Bytes())
		if err := d.drv.Download(context.Background(), data, b.a, 0, b.lastWrite()); err != nil {
			return d.fail(err)
		}
		out = append(out, data)
	}
	if err := t.Check(out); err != nil {
		return &wrongError{fmt.Errorf("wrong in the self-test: %w", err)}
	}
	return nil
}
