package cpu

import (
	"runtime"
	"sync"
	"sync/atomic"
	"time"
	"unsafe"
)

// A tasker is a compiled instruction with work to be shared out.
type tasker interface {
	// task does part i of the work. It may be called on several goroutines at
	// once, with different i, each with its own workspace.
	task(r *run, ws *workspace, i int)
}

// A workspace is the scratch memory of one goroutine that runs tasks.
type workspace struct {
	mem  []byte
	ptrs []unsafe.Pointer
	// single tells of a register at ptrs that is there once for all of a block.
	single []bool
	// Arguments of assembly, which must not be on the stack of a goroutine
	// that moves them to the heap with every call.
	gemm gemmArgs
	pack packArgs
	axpy axpyArgs
	dot  dotArgs

	packed packedBlock // what a product left at its offB

	fused *machine
	rows  *run // of part, for row groups
	whole *run // and for instructions beside each other
}

// need makes sure that the workspace has n bytes and p pointers.
func (w *workspace) need(n, p int) {
	if len(w.mem) < n {
		b, _ := newBlock(0, (n+4095)&^4095)
		w.mem = b.mem
	}
	if len(w.ptrs) < p {
		w.ptrs = make([]unsafe.Pointer, p+8)
		w.single = make([]bool, p+8)
	}
}

func (w *workspace) at(off int) unsafe.Pointer {
	return unsafe.Pointer(&w.mem[off])
}

// A job is one parallel loop over tasks of t. Each goroutine that may take part has
// a share of tasks that follow each other, and does tasks of others when its own
// are done. The shares of the caller and of each worker are the same in every loop
// of as many tasks: what one has in its core's caches it meets again, in the next
// step and in the next instruction.
type job struct {
	t       tasker
	r       *run
	shares  []share
	pending atomic.Int64 // tasks not done
	refs    atomic.Int32 // the submitter, and one for each token in the channel
	done    chan struct{}
}

// A share is the tasks from next to end, on a cache line of its own.
type share struct {
	next atomic.Int64
	end  int64
	_    [48]byte
}

// A crew is a device's workers. They start when first needed, spin for a while
// when idle, and then wait in the channel.
type crew struct {
	max  int // goroutines that may work at once; 0: GOMAXPROCS
	jobs chan *job

	mu      sync.Mutex
	started int
	wg      sync.WaitGroup
	spare   []*workspace
	free    []*job
}

// maxCrew bounds the goroutines of a device.
const maxCrew = 256

// spinTime is how long a goroutine that waits looks for what it waits for before
// it parks: waking it takes 50 to 100 microseconds, and the next loop of a program,
// or the next step of a training loop, mostly comes sooner. It yields the
// processor every spinLooks looks.
const (
	spinTime  = 150 * time.Microsecond
	spinLooks = 64
)

// spin looks until ready says so, and returns false where that took too long.
func spin(ready func() bool) bool {
	start := time.Now()
	for {
		for range spinLooks {
			if ready() {
				return true
			}
		}
		if time.Since(start) > spinTime {
			return false
		}
		runtime.Gosched()
	}
}

func (c *crew) init(limit int) {
	c.max = limit
	c.jobs = make(chan *job, maxCrew)
}

// width returns how many goroutines a loop may use now.
func (c *crew) width() int {
	w := runtime.GOMAXPROCS(0)
	if c.max > 0 && c.max < w {
		w = c.max
	}
	return min(w, maxCrew)
}

// loop runs tasks 0 to n-1. The caller takes part, so that a loop is done even
// when all workers are busy with others.
func (c *crew) loop(r *run, t tasker, n int) {
	if n <= 0 {
		return
	}
	helpers := min(r.width, n) - 1
	if helpers <= 0 {
		for i := range n {
			t.task(r, r.ws, i)
		}
		return
	}
	c.start(helpers)
	j := c.newJob()
	j.t, j.r = t, r
	j.cut(n, helpers+1)
	j.pending.Store(int64(n))
	j.refs.Store(int32(helpers) + 1)
	for k := range helpers {
		select {
		case c.jobs <- j:
			continue
		default: // workers have plenty to do
		}
		j.refs.Add(int32(k - helpers))
		break
	}
	j.work(r.ws, 0)
	spin(func() bool { return j.pending.Load() == 0 })
	<-j.done
	c.release(j)
}

// cut makes shares of n tasks for so many goroutines.
func (j *job) cut(n, width int) {
	if cap(j.shares) < width {
		j.shares = make([]share, width)
	}
	j.shares = j.shares[:width]
	for i := range j.shares {
		s := &j.shares[i]
		s.next.Store(int64(i) * int64(n) / int64(width))
		s.end = int64(i+1) * int64(n) / int64(width)
	}
}

// work takes tasks until there are none: those of goroutine home first.
func (j *job) work(ws *workspace, home int) {
	for k := range j.shares {
		s := &j.shares[(home+k)%len(j.shares)]
		for s.next.Load() < s.end {
			i := s.next.Add(1) - 1
			if i >= s.end {
				break
			}
			j.t.task(j.r, ws, int(i))
			if j.pending.Add(-1) == 0 {
				j.done <- struct{}{}
			}
		}
	}
}

// left reports whether there are tasks to take.
func (j *job) left() bool {
	for i := range j.shares {
		if s := &j.shares[i]; s.next.Load() < s.end {
			return true
		}
	}
	return false
}

func (c *crew) newJob() *job {
	c.mu.Lock()
	defer c.mu.Unlock()
	if k := len(c.free); k > 0 {
		j := c.free[k-1]
		c.free = c.free[:k-1]
		return j
	}
	return &job{done: make(chan struct{}, 1)}
}

// release gives up a reference; a job is used again when nobody can see it.
func (c *crew) release(j *job) {
	if j.refs.Add(-1) > 0 {
		return
	}
	j.t, j.r = nil, nil
	c.mu.Lock()
	defer c.mu.Unlock()
	c.free = append(c.free, j)
}

// start makes sure that n workers run.
func (c *crew) start(n int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for c.started < n {
		c.started++
		c.wg.Add(1)
		go c.worker(c.started)
	}
}

// worker is goroutine home of each loop; the caller is goroutine 0.
func (c *crew) worker(home int) {
	defer c.wg.Done()
	ws := &workspace{}
	for {
		j, ok := c.take()
		if !ok {
			return
		}
		// A token may be older than its job's work; then there is nothing
		// left to take.
		if j.left() {
			ws.need(j.r.exe.wsBytes, j.r.exe.wsPtrs)
			ws.packed = packedBlock{}
			j.work(ws, home)
		}
		c.release(j)
	}
}

func (c *crew) take() (*job, bool) {
	for spin(func() bool { return len(c.jobs) > 0 }) {
		select {
		case j, ok := <-c.jobs:
			return j, ok
		default: // another worker was faster
		}
	}
	j, ok := <-c.jobs
	return j, ok
}

// stop ends the workers and waits for them. No loop may be running.
func (c *crew) stop() {
	close(c.jobs)
	c.wg.Wait()
}

// getSpace lends a workspace to a goroutine that runs a program.
func (c *crew) getSpace() *workspace {
	c.mu.Lock()
	defer c.mu.Unlock()
	if k := len(c.spare); k > 0 {
		w := c.spare[k-1]
		c.spare = c.spare[:k-1]
		return w
	}
	return &workspace{}
}

func (c *crew) putSpace(w *workspace) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.spare = append(c.spare, w)
}

// dropSpaces forgets the idle workspaces.
func (c *crew) dropSpaces() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.spare, c.free = nil, nil
}
