//go:build cgo

package vk

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"sync"
	"time"

	"github.com/fornax-ml/fornax/tensor/ir"
	"github.com/fornax-ml/fornax/vk/internal/lower"
	"github.com/fornax-ml/fornax/vk/internal/trial"
)

// The budget of tuning.
const (
	tuneClass   = 300 * time.Millisecond
	tuneProcess = 3 * time.Second
	tuneBytes   = 512 << 20 // of matrices, and at most an eighth of the device's memory
)

// A tuner knows which kernel is fastest for a class of products on one device and
// driver. Choices change no result: all kernels of a product give the same bits.
type tuner struct {
	d    *Device
	mode Tuning
	file string // "" keeps nothing

	timing sync.Mutex // one class at a time

	mu      sync.Mutex
	fastest map[string]tuned // by lower.Product.Class
	timed   map[string]bool  // by this process
	spent   time.Duration
}

func openTuner(d *Device, o Options) *tuner {
	t := &tuner{d: d, mode: o.Tuning, fastest: map[string]tuned{}, timed: map[string]bool{}}
	if o.CacheDir != "" {
		t.file = filepath.Join(o.CacheDir, "tuned-"+d.identity()+".json")
		t.fastest = readRecord[tuned](t.file)
	}
	if t.mode == TuneByChoice {
		t.mode = environment().tuning
	}
	if t.mode == TuneByChoice {
		t.mode = TuneNever
		if t.file != "" && !d.info.Software {
			t.mode = TuneAtFirstUse
		}
	}
	return t
}

// pick returns the index of the kernel to use, the first where nothing is known.
func (t *tuner) pick(w *way, p lower.Product, ks []lower.MatMulKernel) int {
	if i := t.known(p, ks); i >= 0 {
		return i
	}
	if t.mode == TuneNever || len(ks) == 1 || p.M*p.N*p.K == 0 {
		return 0
	}
	t.timing.Lock()
	defer t.timing.Unlock()
	if i := t.known(p, ks); i >= 0 {
		return i
	}
	t.mu.Lock()
	budget := tuneClass
	if t.mode == TuneAll {
		budget = time.Hour
	} else {
		budget = min(budget, tuneProcess-t.spent)
	}
	t.mu.Unlock()
	if budget <= 0 || p.Bytes() > min(tuneBytes, t.d.info.Limits.MemoryBytes/8) {
		return 0
	}
	start := time.Now()
	best, first, whole, err := t.race(w, p, ks, start.Add(budget))
	t.mu.Lock()
	defer t.mu.Unlock()
	t.spent += time.Since(start)
	if err != nil { // the program that wanted the product shall meet it, or not
		return 0
	}
	class := p.Class()
	t.fastest[class] = tuned{ks[best.index].Variant(), best.median(), first}
	t.timed[class] = true
	if t.file != "" && whole { // the next process has the pipelines in its cache and gets further
		// What cannot be kept is found again.
		_ = writeRecord(t.file, owner{t.d.info.Model, t.d.info.Driver}, map[string]tuned{class: t.fastest[class]})
	}
	return best.index
}

// known is the index of the kernel on record, or -1; TuneAll believes only what this
// process timed.
func (t *tuner) known(p lower.Product, ks []lower.MatMulKernel) int {
	class := p.Class()
	t.mu.Lock()
	name := t.fastest[class].Variant
	if t.mode == TuneAll && !t.timed[class] {
		name = ""
	}
	t.mu.Unlock()
	return slices.IndexFunc(ks, func(k lower.MatMulKernel) bool { return k.Variant() == name })
}

// A racer is a kernel on the way.
type racer struct {
	index int
	x     *executable
	times []time.Duration
}

// median is that of the times, or the longest there is where there are none.
func (r *racer) median() time.Duration {
	if len(r.times) == 0 {
		return 1<<63 - 1
	}
	l := slices.Sorted(slices.Values(r.times))
	return l[len(l)/2]
}

func faster(a, b *racer) int { return cmp.Compare(a.median(), b.median()) }

// rounds is how many times a kernel that stays in the race is timed.
const rounds = 7

// race times kernels in turns; those that are twice as slow as the fastest leave. The
// default stays unless another is faster by more than a thirtieth; its time is first.
// Kernels that the deadline keeps from being timed do not win; then the race is not whole.
func (t *tuner) race(w *way, p lower.Product, ks []lower.MatMulKernel, deadline time.Time) (best *racer, first time.Duration, whole bool, err error) {
	program, inputs := trial.Product(p)
	args := make([]ir.Buffer, program.NumArgs())
	for i, s := range program.Slots {
		b, err := t.d.NewBuffer(s.Bytes())
		if err != nil {
			return nil, 0, false, err
		}
		defer b.Free()
		if i < len(inputs) {
			if err := b.Write(0, inputs[i]); err != nil {
				return nil, 0, false, err
			}
		}
		args[i] = b
	}
	var racers []*racer
	whole = true
	for i, k := range ks {
		if i > 0 && time.Now().After(deadline) {
			whole = false
			break
		}
		r, err := t.enter(w, program, k, i)
		if err != nil {
			return nil, 0, false, err
		}
		if r == nil {
			continue
		}
		defer r.x.Free()
		if _, err := t.time(r.x, args); err != nil { // the first run is not timed
			return nil, 0, false, err
		}
		racers = append(racers, r)
	}
	if len(racers) == 0 {
		return nil, 0, false, errors.New("no kernel passed its self-test")
	}
	all := slices.Clone(racers)
	for round := range rounds {
		if round > 1 && time.Now().After(deadline) {
			break
		}
		for _, r := range racers {
			d, err := t.time(r.x, args)
			if err != nil {
				return nil, 0, false, err
			}
			r.times = append(r.times, d)
		}
		fastest := slices.MinFunc(racers, faster).median()
		racers = slices.DeleteFunc(racers, func(r *racer) bool { return r.median() > 2*fastest })
	}
	best = slices.MinFunc(racers, faster)
	if all[0].index == 0 {
		first = all[0].median()
		if first <= best.median()+best.median()/30 {
			best = all[0]
		}
	}
	return best, first, whole, nil
}

// enter builds a kernel for the race; nil where it fails its self-test, or cannot compute
// the product after all.
func (t *tuner) enter(w *way, p *ir.Program, k lower.MatMulKernel, index int) (*racer, error) {
	o := trial.Options(w.options, k.Variant())
	plan, err := lower.Lower(p, o)
	if err != nil {
		return nil, err
	}
	runs := func(d lower.Dispatch) bool { return d.Kernel != nil && d.Kernel.Variant() == k.Variant() }
	if !slices.ContainsFunc(plan.Dispatches, runs) {
		return nil, nil
	}
	if failed, err := t.d.prove(w, plan); err != nil || failed {
		return nil, err
	}
	x, err := t.d.build(p, plan, w.addresses)
	if err != nil {
		return nil, err
	}
	return &racer{index: index, x: x}, nil
}

// time runs a program until a millisecond is over and returns the time of a run.
func (t *tuner) time(x *executable, args []ir.Buffer) (time.Duration, error) {
	ctx := context.Background()
	for n := 1; ; n *= 4 {
		start := time.Now()
		for range n {
			if err := x.Run(ctx, args, nil); err != nil {
				return 0, err
			}
		}
		if err := t.d.drv.WaitIdle(ctx); err != nil {
			return 0, t.d.fail(err)
		}
		if d := time.Since(start); d > time.Millisecond || n >= 256 {
			return d / time.Duration(n), nil
		}
	}
}

// facts tells what was chosen.
func (t *tuner) facts() []ir.Fact {
	t.mu.Lock()
	defer t.mu.Unlock()
	l := []ir.Fact{{Topic: "tuning", Name: "classes of products", Value: fmt.Sprintf("%d on record", len(t.fastest))}}
	for _, class := range slices.Sorted(maps.Keys(t.fastest)) {
		f := t.fastest[class]
		l = append(l, ir.Fact{Topic: "tuning", Name: class, Value: fmt.Sprintf("%s: %v, the default %v", f.Variant, f.Time, f.Default)})
	}
	return l
}
