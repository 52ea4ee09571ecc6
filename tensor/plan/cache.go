package plan

import (
	"io"
	"sync"

	"github.com/fornax-ml/fornax/tensor/ir"
)

// DefaultCacheSize is the number of programs a cache keeps if not told
// otherwise.
const DefaultCacheSize = 256

// A Cache keeps the compiled programs of one device by the structure of their
// graphs. It is safe for concurrent use: a graph is planned and compiled by
// the first that asks, and others that ask meanwhile wait for that one only.
// Failures are not kept.
type Cache struct {
	dev  ir.Device
	opt  Options
	keys sync.Pool // *[]byte
	// explain is told of each program that is compiled; nil: nobody.
	explain io.Writer

	mu      sync.Mutex
	size    int
	entries map[string]*Entry
	oldest  *Entry // ring of entries in use order: oldest.prev is the newest
	stats   CacheStats
}

// CacheStats counts what a cache did.
type CacheStats struct {
	Planned int // graphs planned and compiled
	Hits    int // graphs that were there already, or under way
	Entries int // kept now
	Evicted int
}

// An Entry is a compiled program. Whoever got it calls Release once.
type Entry struct {
	Program    *ir.Program
	Executable ir.Executable
	// Memory is what the program needs.
	Memory Memory

	cache      *Cache
	key        string
	ready      chan struct{} // closed when the fields above, or err, are set
	err        error
	refs       int  // outstanding Gets; guarded by cache.mu, as what follows
	evicted    bool // to be freed when refs drops to 0
	prev, next *Entry
}

// NewCache returns an empty cache of DefaultCacheSize entries, which plans
// within the device's limits.
func NewCache(dev ir.Device) *Cache {
	return &Cache{dev: dev, opt: Options{Limits: dev.Info().Limits}, size: DefaultCacheSize,
		keys: sync.Pool{New: func() any { return new([]byte) }}, entries: map[string]*Entry{}}
}

// Explain has every program that is compiled from now on printed to w, with what memory
// it needs and what it is expected to take. It is called before the first Get.
func (c *Cache) Explain(w io.Writer) { c.explain = w }

// SetSize bounds the number of entries kept, at least 1. Entries in use stay
// until they are released.
func (c *Cache) SetSize(n int) {
	c.mu.Lock()
	c.size = max(n, 1)
	free := c.evict()
	c.mu.Unlock()
	freeAll(free)
}

// Stats returns the counters.
func (c *Cache) Stats() CacheStats {
	c.mu.Lock()
	defer c.mu.Unlock()
	s := c.stats
	s.Entries = len(c.entries)
	return s
}

// Get returns the compiled program of a graph. The graph is not kept. Errors
// are those of Build and of the device's Compile.
func (c *Cache) Get(g *Graph) (*Entry, error) {
	buf := c.keys.Get().(*[]byte)
	*buf = g.AppendKey((*buf)[:0])
	c.mu.Lock()
	e := c.entries[string(*buf)]
	if e != nil {
		c.stats.Hits++
		e.refs++
		c.unlink(e)
		c.link(e)
		c.mu.Unlock()
		c.keys.Put(buf)
		<-e.ready
		if e.err != nil {
			e.Release()
			return nil, e.err
		}
		return e, nil
	}
	e = &Entry{cache: c, key: string(*buf), ready: make(chan struct{}), refs: 1}
	c.entries[e.key] = e
	c.link(e)
	c.stats.Planned++
	free := c.evict()
	c.mu.Unlock()
	c.keys.Put(buf)
	freeAll(free)

	done := false
	defer func() {
		if !done { // a panic in Compile: let nobody wait for ever
			c.fail(e, ir.ErrClosed)
		}
	}()
	err := e.build(g)
	done = true
	if err != nil {
		c.fail(e, err)
		return nil, err
	}
	close(e.ready)
	return e, nil
}

func (e *Entry) build(g *Graph) error {
	p, err := Build(g, e.cache.opt)
	if err != nil {
		return err
	}
	x, err := e.cache.dev.Compile(p)
	if err != nil {
		return err
	}
	e.Program, e.Executable, e.Memory = p, x, Describe(p)
	if w := e.cache.explain; w != nil {
		explain(w, e.cache.dev.Info().Name, p, x)
	}
	return nil
}

// Plan plans a graph as Get does, without the limit of the device's buffers and without
// compiling or keeping it.
func (c *Cache) Plan(g *Graph) (*ir.Program, error) {
	o := c.opt
	o.Limits.BufferBytes = 0
	return Build(g, o)
}

// fail hands err to those who wait and forgets the entry.
func (c *Cache) fail(e *Entry, err error) {
	e.err = err
	c.mu.Lock()
	c.drop(e)
	c.mu.Unlock()
	close(e.ready)
	e.Release()
}

// Release ends the use of the entry. Its executable must not be run after.
func (e *Entry) Release() {
	c := e.cache
	c.mu.Lock()
	e.refs--
	free := e.refs == 0 && e.evicted
	c.mu.Unlock()
	if free {
		freeAll([]*Entry{e})
	}
}

// Clear evicts all entries.
func (c *Cache) Clear() {
	c.mu.Lock()
	size := c.size
	c.size = 0
	free := c.evict()
	c.size = size
	c.mu.Unlock()
	freeAll(free)
}

// evict drops the entries used longest ago until size
// are left, and returns those to free. The lock is held.
func (c *Cache) evict() []*Entry {
	var free []*Entry
	for len(c.entries) > c.size {
		e := c.oldest
		c.drop(e)
		c.stats.Evicted++
		if e.refs == 0 {
			free = append(free, e)
		}
	}
	return free
}

// drop takes an entry out of the map and the ring, once. The lock is held.
func (c *Cache) drop(e *Entry) {
	if e.evicted {
		return
	}
	e.evicted = true
	delete(c.entries, e.key)
	c.unlink(e)
}

func (c *Cache) link(e *Entry) {
	if c.oldest == nil {
		e.prev, e.next = e, e
		c.oldest = e
		return
	}
	o := c.oldest
	e.prev, e.next = o.prev, o
	o.prev.next = e
	o.prev = e
}

func (c *Cache) unlink(e *Entry) {
	if e.next == e {
		c.oldest = nil
	} else {
		e.prev.next, e.next.prev = e.next, e.prev
		if c.oldest == e {
			c.oldest = e.next
		}
	}
	e.prev, e.next = nil, nil
}

func freeAll(l []*Entry) {
	for _, e := range l {
		if e.Executable != nil {
			e.Executable.Free()
		}
	}
}
