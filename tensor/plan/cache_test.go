package plan

import (
	"errors"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/fornax-ml/fornax/tensor/ir"
)

// A fakeDevice compiles to nothing and counts.
type fakeDevice struct {
	ir.Device
	compiled, freed atomic.Int32
	fail            atomic.Bool
	gate            chan struct{} // if not nil: Compile waits for it
}

var errFake = errors.New("fake")

func (d *fakeDevice) Info() *ir.Info { return &ir.Info{} }

func (d *fakeDevice) Compile(*ir.Program) (ir.Executable, error) {
	if d.gate != nil {
		<-d.gate
	}
	if d.fail.Load() {
		return nil, errFake
	}
	d.compiled.Add(1)
	return &fakeExecutable{d: d}, nil
}

type fakeExecutable struct {
	ir.Executable
	d *fakeDevice
}

func (e *fakeExecutable) Free() { e.d.freed.Add(1) }

// negs is a graph of its own for each size.
func negs(n int) *Graph {
	var b gb
	b.out(b.op(ir.OpNeg, b.input(ir.F32, n)))
	return &b.g
}

func get(t *testing.T, c *Cache, n int) *Entry {
	t.Helper()
	e, err := c.Get(negs(n))
	if err != nil {
		t.Fatal(err)
	}
	return e
}

func TestCache(t *testing.T) {
	d := &fakeDevice{}
	c := NewCache(d)
	a := get(t, c, 1)
	if b := get(t, c, 1); a != b || a.Program == nil || a.Executable == nil || a.Memory.Outputs != 4 {
		t.Errorf("second Get gives %p, not %p: %+v", b, a, b)
	}
	a.Release()
	a.Release()
	if s := c.Stats(); s != (CacheStats{Planned: 1, Hits: 1, Entries: 1}) {
		t.Errorf("%+v", s)
	}

	// The one used longest ago goes.
	c.SetSize(2)
	get(t, c, 2).Release()
	get(t, c, 1).Release()
	get(t, c, 3).Release()
	if s := c.Stats(); s.Evicted != 1 || s.Entries != 2 || d.freed.Load() != 1 {
		t.Errorf("%+v, %d freed", s, d.freed.Load())
	}
	get(t, c, 1).Release()
	if s := c.Stats(); s.Planned != 3 {
		t.Errorf("%+v: 1 was evicted", s)
	}

	// One in use is freed when it is released.
	e := get(t, c, 3)
	c.Clear()
	if d.freed.Load() != 2 {
		t.Errorf("%d freed with one of two in use", d.freed.Load()-1)
	}
	f := get(t, c, 3)
	if f == e {
		t.Error("an evicted entry was given out")
	}
	e.Release()
	if d.freed.Load() != 3 {
		t.Error("not freed on release")
	}
	f.Release()
	if c.Stats().Entries != 1 {
		t.Errorf("%+v", c.Stats())
	}
}

func TestCacheErrors(t *testing.T) {
	d := &fakeDevice{}
	c := NewCache(d)
	d.fail.Store(true)
	for range 2 {
		if _, err := c.Get(negs(1)); !errors.Is(err, errFake) {
			t.Error(err)
		}
	}
	if _, err := c.Get(&Graph{Outputs: []Output{{}}}); err == nil {
		t.Error("bad graph: no error")
	}
	if s := c.Stats(); s.Entries != 0 || s.Planned != 3 || s.Hits != 0 {
		t.Errorf("%+v", s)
	}
	d.fail.Store(false)
	get(t, c, 1).Release()
}

func TestCacheWaits(t *testing.T) {
	for _, fail := range []bool{false, true} {
		d := &fakeDevice{gate: make(chan struct{})}
		d.fail.Store(fail)
		c := NewCache(d)
		var wg sync.WaitGroup
		for range 8 {
			wg.Go(func() {
				if e, err := c.Get(negs(1)); err == nil {
					e.Release()
				} else if !fail {
					t.Error(err)
				}
			})
		}
		for c.Stats().Hits < 7 {
			runtime.Gosched()
		}
		// Meanwhile the lock is free, also to evict what is not ready.
		c.Clear()
		close(d.gate)
		wg.Wait()
		if n := d.compiled.Load(); !fail && (n != 1 || d.freed.Load() != 1) {
			t.Errorf("compiled %d times, freed %d", n, d.freed.Load())
		}
	}
}

func TestCacheConcurrent(t *testing.T) {
	d := &fakeDevice{}
	c := NewCache(d)
	c.SetSize(4)
	var wg sync.WaitGroup
	for k := range 8 {
		wg.Go(func() {
			for i := range 200 {
				e, err := c.Get(negs(1 + (i*7+k)%9))
				if err != nil {
					t.Error(err)
					return
				}
				e.Release()
			}
		})
	}
	wg.Wait()
	c.Clear()
	if d.compiled.Load() != d.freed.Load() || c.Stats().Planned != int(d.compiled.Load()) {
		t.Errorf("compiled %d, freed %d, %+v", d.compiled.Load(), d.freed.Load(), c.Stats())
	}
}

func TestCacheHitAllocates(t *testing.T) {
	var b gb
	mlp(&b, 16, 12, 8, 4)
	c := NewCache(&fakeDevice{})
	if n := testing.AllocsPerRun(100, func() {
		e, err := c.Get(&b.g)
		if err != nil {
			t.Fatal(err)
		}
		e.Release()
	}); n > 5 { // the race detector empties pools
		t.Errorf("%v allocations a hit", n)
	}
}

func BenchmarkBuild(b *testing.B) {
	for _, bench := range []struct {
		name  string
		sizes []int
	}{{"layers=2", []int{784, 512, 10}}, {"layers=20", []int{64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 10}}} {
		b.Run(bench.name, func(b *testing.B) {
			var g gb
			mlp(&g, 128, bench.sizes...)
			b.ReportAllocs()
			for b.Loop() {
				if _, err := Build(&g.g, Options{}); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(len(g.g.Nodes)), "nodes")
		})
	}
}

func BenchmarkCacheHit(b *testing.B) {
	var g gb
	mlp(&g, 128, 784, 512, 10)
	c := NewCache(&fakeDevice{})
	b.ReportAllocs()
	for b.Loop() {
		e, err := c.Get(&g.g)
		if err != nil {
			b.Fatal(err)
		}
		e.Release()
	}
}
