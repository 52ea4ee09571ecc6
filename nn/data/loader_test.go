package data

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// numbers is a dataset whose example k is the input (k, k+0.5) and the target k.
type numbers struct {
	n      int
	filled atomic.Int64
	fill   func(indices []int) error // called first, when it is set
}

func (s *numbers) Len() int             { return s.n }
func (s *numbers) Shapes() (x, y []int) { return []int{2}, nil }
func (s *numbers) Fill(x []float32, y []int32, indices []int) error {
	s.filled.Add(1)
	if s.fill != nil {
		if err := s.fill(indices); err != nil {
			return err
		}
	}
	for i, k := range indices {
		x[2*i], x[2*i+1], y[i] = float32(k), float32(k)+0.5, int32(k)
	}
	return nil
}

func newLoader(t *testing.T, set *numbers, cfg LoaderConfig) *Loader[float32, int32] {
	t.Helper()
	l, err := NewLoader(set, cfg)
	if err != nil {
		t.Fatal(err)
	}
	return l
}

// noLeak fails the test if goroutines are left when it ends.
func noLeak(t *testing.T) {
	before := runtime.NumGoroutine()
	t.Cleanup(func() {
		for range 100 {
			if runtime.NumGoroutine() <= before {
				return
			}
			time.Sleep(10 * time.Millisecond)
		}
		t.Errorf("%d goroutines, %d before the test", runtime.NumGoroutine(), before)
	})
}

func TestLoaderBatches(t *testing.T) {
	tests := []struct {
		n, size  int
		drop     bool
		want     []int // batch sizes
		examples int
	}{
		{10, 4, false, []int{4, 4, 2}, 10},
		{10, 4, true, []int{4, 4}, 8},
		{8, 4, false, []int{4, 4}, 8},
		{8, 4, true, []int{4, 4}, 8},
		{3, 4, false, []int{3}, 3},
		{3, 4, true, nil, 0},
		{3, maxInt, false, []int{3}, 3},
		{0, 4, false, nil, 0},
		{33, 0, false, []int{32, 1}, 33},
	}
	for _, test := range tests {
		for _, prefetch := range []int{-1, 0, 1, 100} {
			for _, shuffle := range []bool{false, true} {
				t.Run(fmt.Sprint(test.n, test.size, test.drop, prefetch, shuffle), func(t *testing.T) {
					noLeak(t)
					l := newLoader(t, &numbers{n: test.n}, LoaderConfig{BatchSize: test.size, DropLast: test.drop, Prefetch: prefetch, Shuffle: shuffle})
					if l.Batches() != len(test.want) || l.Examples() != test.examples {
						t.Errorf("%d batches, %d examples, want %d, %d", l.Batches(), l.Examples(), len(test.want), test.examples)
					}
					var sizes, seen []int
					for b, err := range l.Epoch(t.Context(), 0) {
						if err != nil {
							t.Fatal(err)
						}
						n := b.Len()
						if b.Index != len(sizes) || !slices.Equal(b.XShape, []int{n, 2}) || !slices.Equal(b.YShape, []int{n}) || len(b.X) != 2*n || len(b.Y) != n {
							t.Errorf("batch %d: index %d, shapes %v %v, lengths %d %d", len(sizes), b.Index, b.XShape, b.YShape, len(b.X), len(b.Y))
						}
						for i, k := range b.Indices {
							if b.X[2*i] != float32(k) || b.X[2*i+1] != float32(k)+0.5 || b.Y[i] != int32(k) {
								t.Errorf("batch %d, example %d is not number %d: %v %v", b.Index, i, k, b.X, b.Y)
							}
						}
						sizes, seen = append(sizes, n), append(seen, b.Indices...)
					}
					if !slices.Equal(sizes, test.want) {
						t.Errorf("batches of %v, want %v", sizes, test.want)
					}
					if !slices.Equal(seen, l.Order(0)[:test.examples]) {
						t.Errorf("order %v, want %v", seen, l.Order(0))
					}
				})
			}
		}
	}
}

func TestLoaderOrder(t *testing.T) {
	l := newLoader(t, &numbers{n: 10}, LoaderConfig{Shuffle: true, Seed: 1})
	// Written down, so that a change of the order, and with it of every trained
	// network, does not pass unseen.
	if got, want := l.Order(0), []int{3, 8, 0, 9, 1, 6, 2, 5, 7, 4}; !slices.Equal(got, want) {
		t.Errorf("epoch 0: %v, want %v", got, want)
	}
	if slices.Equal(l.Order(0), l.Order(1)) {
		t.Error("epochs 0 and 1 have one order")
	}
	if slices.Equal(l.Order(0), newLoader(t, &numbers{n: 10}, LoaderConfig{Shuffle: true, Seed: 2}).Order(0)) {
		t.Error("seeds 1 and 2 have one order")
	}
	for epoch := range 20 {
		order := l.Order(epoch)
		slices.Sort(order)
		if !slices.Equal(order, []int{0, 1, 2, 3, 4, 5, 6, 7, 8, 9}) {
			t.Fatalf("epoch %d is no permutation: %v", epoch, order)
		}
	}
}

// Each of the 24 orders of 4 examples comes about as often as any other.
func TestLoaderOrderUniform(t *testing.T) {
	l := newLoader(t, &numbers{n: 4}, LoaderConfig{Shuffle: true, Seed: 7})
	count := map[string]int{}
	const epochs = 4800
	for epoch := range epochs {
		count[fmt.Sprint(l.Order(epoch))]++
	}
	chi := 0.0
	for _, c := range count {
		chi += float64((c-epochs/24)*(c-epochs/24)) / (epochs / 24)
	}
	if len(count) != 24 || chi > 60 { // 23 degrees of freedom: above 60 once in 30,000
		t.Errorf("%d orders, chi² %.1f", len(count), chi)
	}
}

func TestLoaderErrors(t *testing.T) {
	if _, err := NewLoader(&numbers{n: 3}, LoaderConfig{BatchSize: -1}); err == nil {
		t.Error("batch size -1 accepted")
	}
	if _, err := NewLoader(&Table[float32, int32]{XShape: []int{maxInt, maxInt}}, LoaderConfig{}); err == nil {
		t.Error("examples larger than memory accepted")
	}
	bad := errors.New("bad sector")
	for _, prefetch := range []int{-1, 1, 5} {
		noLeak(t)
		set := &numbers{n: 10, fill: func(indices []int) error {
			if indices[0] == 6 {
				return bad
			}
			return nil
		}}
		l := newLoader(t, set, LoaderConfig{BatchSize: 2, Prefetch: prefetch})
		good := 0
		var got error
		for b, err := range l.Epoch(t.Context(), 0) {
			if got = err; err == nil {
				good += b.Len()
			}
		}
		if good != 6 || !errors.Is(got, bad) || !strings.Contains(got.Error(), "batch 3") {
			t.Errorf("prefetch %d: %d good examples, then %v", prefetch, good, got)
		}
	}
}

func TestLoaderBreak(t *testing.T) {
	for _, prefetch := range []int{-1, 1, 3} {
		noLeak(t)
		set := &numbers{n: 1000}
		l := newLoader(t, set, LoaderConfig{BatchSize: 1, Prefetch: prefetch})
		for b, err := range l.Epoch(t.Context(), 0) {
			if err != nil {
				t.Fatal(err)
			}
			if b.Index == 2 {
				break
			}
		}
		filled := set.filled.Load()
		if limit := int64(3 + max(prefetch, 0)); filled < 3 || filled > limit {
			t.Errorf("prefetch %d: %d batches filled for 3 that were used, want at most %d", prefetch, filled, limit)
		}
		time.Sleep(5 * time.Millisecond)
		if set.filled.Load() != filled {
			t.Errorf("prefetch %d: batches filled after the loop", prefetch)
		}
	}
}

// Batches are made while the loop's body runs, as many as Prefetch says.
func TestLoaderPrefetches(t *testing.T) {
	set := &numbers{n: 100}
	l := newLoader(t, set, LoaderConfig{BatchSize: 1, Prefetch: 4})
	for _, err := range l.Epoch(t.Context(), 0) {
		if err != nil {
			t.Fatal(err)
		}
		for range 1000 {
			if set.filled.Load() == 5 {
				break
			}
			time.Sleep(time.Millisecond)
		}
		time.Sleep(5 * time.Millisecond)
		if n := set.filled.Load(); n != 5 {
			t.Errorf("%d batches filled during the first, want 5", n)
		}
		break
	}
}

func TestLoaderContext(t *testing.T) {
	for _, prefetch := range []int{-1, 2} {
		t.Run(fmt.Sprint(prefetch), func(t *testing.T) {
			noLeak(t)
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			l := newLoader(t, &numbers{n: 100}, LoaderConfig{BatchSize: 1, Prefetch: prefetch})
			batches := 0
			var got error
			for b, err := range l.Epoch(ctx, 0) {
				if err != nil {
					got = err
					continue
				}
				if batches++; b.Index == 4 {
					cancel()
				}
			}
			if batches != 5 || !errors.Is(got, context.Canceled) {
				t.Errorf("%d batches, then %v", batches, got)
			}
			for b, err := range l.Epoch(ctx, 0) {
				if b != nil || !errors.Is(err, context.Canceled) {
					t.Errorf("cancelled before: %v, %v", b, err)
				}
			}
		})
	}
}

// A consumer that waits for a slow dataset is woken by its context.
func TestLoaderContextWakes(t *testing.T) {
	noLeak(t)
	ctx, cancel := context.WithCancel(t.Context())
	set := &numbers{n: 10, fill: func([]int) error { cancel(); time.Sleep(10 * time.Millisecond); return nil }}
	l := newLoader(t, set, LoaderConfig{BatchSize: 1})
	for b, err := range l.Epoch(ctx, 0) {
		if b != nil || !errors.Is(err, context.Canceled) {
			t.Errorf("got %v, %v", b, err)
		}
	}
}

func TestLoaderPanics(t *testing.T) {
	for _, prefetch := range []int{-1, 2} {
		noLeak(t)
		l := newLoader(t, &numbers{n: 10, fill: func([]int) error { panic("in Fill") }}, LoaderConfig{Prefetch: prefetch})
		func() {
			defer func() {
				if p := recover(); p != "in Fill" {
					t.Errorf("prefetch %d: recovered %v", prefetch, p)
				}
			}()
			for range l.Epoch(t.Context(), 0) {
				t.Error("a batch of a Fill that panics")
			}
		}()
		l = newLoader(t, &numbers{n: 100}, LoaderConfig{BatchSize: 1, Prefetch: prefetch})
		func() {
			defer func() { _ = recover() }()
			for range l.Epoch(t.Context(), 0) {
				panic("in the body")
			}
		}()
	}
	noLeak(t)
	l := newLoader(t, &numbers{n: 10, fill: func([]int) error { runtime.Goexit(); return nil }}, LoaderConfig{})
	var got error
	for _, err := range l.Epoch(t.Context(), 0) {
		got = err
	}
	if got != errGoexit {
		t.Errorf("after Goexit: %v", got)
	}
}

// What the body does to its batch does not harm the loader, and a clone stays.
func TestLoaderReuse(t *testing.T) {
	l := newLoader(t, &numbers{n: 9}, LoaderConfig{BatchSize: 2})
	var kept []*Batch[float32, int32]
	for range 3 {
		for b, err := range l.Epoch(t.Context(), 0) {
			if err != nil {
				t.Fatal(err)
			}
			kept = append(kept, b.Clone())
			b.X = append(b.X[:1], 99)
			b.Y, b.Indices, b.XShape = nil, nil, nil
		}
	}
	for i, b := range kept {
		if want := i % 5 * 2; b.Y[0] != int32(want) || b.X[0] != float32(want) || b.X[1] != float32(want)+0.5 {
			t.Errorf("clone %d: %v %v", i, b.X, b.Y)
		}
	}
}

func TestLoaderConcurrent(t *testing.T) {
	noLeak(t)
	l := newLoader(t, &numbers{n: 200}, LoaderConfig{BatchSize: 7, Shuffle: true})
	var wg sync.WaitGroup
	for g := range 4 {
		wg.Go(func() {
			var seen []int
			for b, err := range l.Epoch(t.Context(), g) {
				if err != nil {
					t.Error(err)
				}
				for i, k := range b.Indices {
					if b.Y[i] != int32(k) {
						t.Errorf("epoch %d: example %d has target %d", g, k, b.Y[i])
					}
				}
				seen = append(seen, b.Indices...)
			}
			if !slices.Equal(seen, l.Order(g)) {
				t.Errorf("epoch %d out of order", g)
			}
		})
	}
	wg.Wait()
}

// An epoch allocates no example memory once the loader is warm.
func TestLoaderAllocates(t *testing.T) {
	table, err := NewTable(make([]float32, 100*1000), make([]float32, 100), []int{1000}, nil)
	if err != nil {
		t.Fatal(err)
	}
	l, err := NewLoader(table, LoaderConfig{BatchSize: 10, Prefetch: -1})
	if err != nil {
		t.Fatal(err)
	}
	epoch := func() {
		for _, err := range l.Epoch(t.Context(), 0) {
			if err != nil {
				t.Fatal(err)
			}
		}
	}
	epoch()
	least := int64(1 << 62) // the pool may be emptied by a collection in between
	for range 5 {
		least = min(least, allocated(epoch))
	}
	if least > 20_000 && !raceEnabled {
		t.Errorf("a warm epoch of 100 examples of 4000 bytes allocates %d bytes", least)
	}
}

func TestImagesLoad(t *testing.T) {
	im := &Images{N: 2, H: 1, W: 2, Pixels: []byte{0, 255, 255, 0}, Labels: []uint8{3, 4}}
	l, err := NewLoader(im, LoaderConfig{})
	if err != nil {
		t.Fatal(err)
	}
	for b, err := range l.Epoch(t.Context(), 0) {
		if err != nil || !reflect.DeepEqual(b.XShape, []int{2, 1, 1, 2}) || !reflect.DeepEqual(b.X, []float32{0, 1, 1, 0}) {
			t.Errorf("got %v, %v", b, err)
		}
	}
}

func BenchmarkLoader(b *testing.B) {
	im := &Images{N: 6000, H: 28, W: 28, Pixels: make([]byte, 6000*784), Labels: make([]uint8, 6000)}
	for _, prefetch := range []int{-1, 2} {
		b.Run(fmt.Sprintf("prefetch=%d", prefetch), func(b *testing.B) {
			l, err := NewLoader(im, LoaderConfig{BatchSize: 128, Shuffle: true, Prefetch: prefetch})
			if err != nil {
				b.Fatal(err)
			}
			b.SetBytes(6000 * 784)
			for b.Loop() {
				for _, err := range l.Epoch(b.Context(), 0) {
					if err != nil {
						b.Fatal(err)
					}
				}
			}
		})
	}
}
