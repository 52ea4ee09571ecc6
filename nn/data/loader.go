package data

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"iter"
	"math/rand/v2"
	"slices"
	"sync"
)

// LoaderConfig says how a [Loader] makes batches. The zero value gives batches
// of 32 in the dataset's order.
type LoaderConfig struct {
	BatchSize int    // examples a batch; 0 means 32
	Shuffle   bool   // a new order for every epoch
	Seed      uint64 // with the number of the epoch decides the order
	DropLast  bool   // leave out a last batch that is smaller than the others
	// Prefetch is the number of batches made ahead while the loop's body runs.
	// 0 means 2; a negative number makes each batch when it is asked for, in
	// the goroutine that asks.
	Prefetch int
}

// A Batch is a number of examples, the inputs in X and the targets in Y. The
// loader fills its slices again after the loop's body returns: use [Batch.Clone]
// to keep one.
type Batch[T, U any] struct {
	X       []T
	Y       []U
	XShape  []int // the number of examples, then the shape of an input
	YShape  []int // the number of examples, then the shape of a target
	Index   int   // the number of the batch in its epoch, from 0
	Indices []int // which examples of the dataset these are
}

// Len returns the number of examples in the batch.
func (b *Batch[T, U]) Len() int { return len(b.Indices) }

// Clone returns a copy of the batch that is the caller's to keep.
func (b *Batch[T, U]) Clone() *Batch[T, U] {
	return &Batch[T, U]{slices.Clone(b.X), slices.Clone(b.Y), slices.Clone(b.XShape), slices.Clone(b.YShape),
		b.Index, slices.Clone(b.Indices)}
}

// A Loader hands out the examples of a dataset in batches. It may be used by
// several goroutines at once if the dataset's Fill may.
type Loader[T, U any] struct {
	set            Dataset[T, U]
	cfg            LoaderConfig
	n              int
	xShape, yShape []int
	xSize, ySize   int
	pool           sync.Pool // *slot[T, U]
}

// A slot is a batch with the memory for a full one. It keeps its slices apart
// from those that the loop's body sees, and may change.
type slot[T, U any] struct {
	Batch[T, U]
	x       []T
	y       []U
	indices []int
}

// NewLoader returns a loader of set. It fails when the configuration or a shape
// of the dataset makes no sense.
func NewLoader[T, U any](set Dataset[T, U], cfg LoaderConfig) (*Loader[T, U], error) {
	if cfg.BatchSize == 0 {
		cfg.BatchSize = 32
	}
	if cfg.Prefetch == 0 {
		cfg.Prefetch = 2
	}
	l := &Loader[T, U]{set: set, cfg: cfg, n: set.Len()}
	x, y := set.Shapes()
	l.xShape, l.yShape = slices.Clone(x), slices.Clone(y)
	l.xSize, l.ySize = product(x), product(y)
	switch {
	case cfg.BatchSize < 0:
		return nil, fmt.Errorf("data: loader: batch size %d: want 1 or more", cfg.BatchSize)
	case l.n < 0:
		return nil, fmt.Errorf("data: loader: dataset of length %d: want 0 or more", l.n)
	case l.xSize < 0 || l.ySize < 0:
		return nil, fmt.Errorf("data: loader: examples of shape %v and %v: want sizes of 0 or more whose product fits an int", x, y)
	}
	// No batch is larger than the dataset, so that a huge BatchSize means "all
	// of it" rather than a huge allocation.
	if full := min(cfg.BatchSize, l.n); product([]int{full, l.xSize}) < 0 || product([]int{full, l.ySize}) < 0 {
		return nil, fmt.Errorf("data: loader: batches of %d examples of shape %v and %v do not fit memory", full, x, y)
	}
	return l, nil
}

// Batches returns the number of batches of an epoch.
func (l *Loader[T, U]) Batches() int {
	n := l.n / l.cfg.BatchSize
	if l.n%l.cfg.BatchSize != 0 && !l.cfg.DropLast {
		n++
	}
	return n
}

// Examples returns the number of examples of an epoch: all of the dataset's,
// less those of a dropped last batch.
func (l *Loader[T, U]) Examples() int {
	return min(l.n, l.Batches()*l.cfg.BatchSize)
}

// Order returns the dataset's indices in the order of an epoch. It depends on
// the length of the dataset, the seed and the epoch only: a Fisher-Yates shuffle
// by ChaCha8 keyed with seed and epoch.
func (l *Loader[T, U]) Order(epoch int) []int {
	order := make([]int, l.n)
	for i := range order {
		order[i] = i
	}
	if l.cfg.Shuffle {
		var key [32]byte
		copy(key[16:], "data.Loader")
		binary.LittleEndian.PutUint64(key[0:], l.cfg.Seed)
		binary.LittleEndian.PutUint64(key[8:], uint64(epoch))
		rand.New(rand.NewChaCha8(key)).Shuffle(l.n, func(i, j int) { order[i], order[j] = order[j], order[i] })
	}
	return order
}

// Epoch returns the batches of an epoch, in order, as an iterator that can be
// run any number of times. An error ends it: that of the dataset's Fill, or the
// context's when it is done before the last batch was handed out; the batch is
// then nil. A panic of Fill is a panic of the loop.
func (l *Loader[T, U]) Epoch(ctx context.Context, epoch int) iter.Seq2[*Batch[T, U], error] {
	if l.cfg.Prefetch < 0 {
		return func(yield func(*Batch[T, U], error) bool) { l.direct(ctx, epoch, yield) }
	}
	return func(yield func(*Batch[T, U], error) bool) { l.prefetched(ctx, epoch, yield) }
}

func (l *Loader[T, U]) direct(ctx context.Context, epoch int, yield func(*Batch[T, U], error) bool) {
	s := l.get()
	defer l.pool.Put(s)
	order := l.Order(epoch)
	for i := range l.Batches() {
		err := ctx.Err()
		if err == nil {
			err = l.fill(s, order, i)
		}
		if err != nil {
			yield(nil, err)
			return
		}
		if !yield(&s.Batch, nil) {
			return
		}
	}
}

// errGoexit stands for a Fill that ended its goroutine.
var errGoexit = errors.New("data: loader: the dataset's Fill called runtime.Goexit")

// prefetched runs yield while a goroutine fills batches ahead. Prefetch+1
// slots go round: the goroutine takes one from free, fills it and sends it to
// ready; the loop gives it back once yield has returned.
func (l *Loader[T, U]) prefetched(parent context.Context, epoch int, yield func(*Batch[T, U], error) bool) {
	ctx, cancel := context.WithCancel(parent)
	total := l.Batches()
	count := min(l.cfg.Prefetch, total) + 1
	free := make(chan *slot[T, U], count)
	ready := make(chan *slot[T, U], count)
	var failed error  // set before ready is closed
	var panicked any  // the same
	for range count { // nil: to be taken from the pool when it is needed
		free <- nil
	}
	go func() {
		defer close(ready)
		failed = errGoexit
		defer func() {
			if p := recover(); p != nil {
				panicked = p
			}
		}()
		order := l.Order(epoch)
		for i := range total {
			var s *slot[T, U]
			select {
			case s = <-free:
			case <-ctx.Done():
				failed = ctx.Err()
				return
			}
			if s == nil {
				s = l.get()
			}
			if err := l.fill(s, order, i); err != nil {
				l.pool.Put(s)
				failed = err
				return
			}
			ready <- s // never blocks: it has room for every slot there is
		}
		failed = nil
	}()
	// However the loop ends, the goroutine has ended too when it is over, and
	// its slots are back in the pool.
	var held *slot[T, U]
	defer func() {
		cancel()
		for s := range ready {
			l.pool.Put(s)
		}
		if held != nil {
			l.pool.Put(held)
		}
		for {
			select {
			case s := <-free:
				if s != nil {
					l.pool.Put(s)
				}
				continue
			default:
			}
			return
		}
	}()
	for range total {
		if err := parent.Err(); err != nil {
			yield(nil, err)
			return
		}
		select {
		case s, ok := <-ready:
			if !ok {
				if panicked != nil {
					panic(panicked)
				}
				yield(nil, failed)
				return
			}
			held = s
		case <-parent.Done():
			yield(nil, parent.Err())
			return
		}
		if !yield(&held.Batch, nil) {
			return
		}
		free <- held // has room, as above
		held = nil
	}
}

// get returns a slot from the pool or a new one.
func (l *Loader[T, U]) get() *slot[T, U] {
	if s, ok := l.pool.Get().(*slot[T, U]); ok {
		return s
	}
	full := min(l.cfg.BatchSize, l.n)
	return &slot[T, U]{x: make([]T, full*l.xSize), y: make([]U, full*l.ySize), indices: make([]int, full)}
}

// fill makes s the batch with number i of an epoch in the given order. The
// shapes are new slices: they are small, and a tensor might keep them.
func (l *Loader[T, U]) fill(s *slot[T, U], order []int, i int) error {
	lo := i * l.cfg.BatchSize
	n := min(l.cfg.BatchSize, l.n-lo)
	nx, ny := n*l.xSize, n*l.ySize
	s.Batch = Batch[T, U]{
		X:       s.x[:nx:nx],
		Y:       s.y[:ny:ny],
		XShape:  append([]int{n}, l.xShape...),
		YShape:  append([]int{n}, l.yShape...),
		Index:   i,
		Indices: s.indices[:n:n],
	}
	copy(s.Indices, order[lo:])
	if err := l.set.Fill(s.X, s.Y, s.Indices); err != nil {
		return fmt.Errorf("data: batch %d: %w", i, err)
	}
	return nil
}
