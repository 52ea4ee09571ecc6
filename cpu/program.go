package cpu

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"sync"
	"sync/atomic"
	"unsafe"

	"github.com/fornax-ml/fornax/tensor/ir"
)

// An instr is a compiled instruction.
type instr interface {
	run(r *run) error
}

// An executable is a compiled program: an ir.Executable.
type executable struct {
	dev     *Device
	p       *ir.Program
	stages  []stage
	arena   int   // bytes: the program's arena, then the scratch of instructions
	scratch int   // where the scratch starts
	commit  int   // the first stage that writes an input's memory
	temps   []int // slots in the arena
	wsBytes int   // a workspace's size
	rowsAt  int   // where row groups have their buffers in it
	wsPtrs  int
	uniform int // bytes of a run's uniform values

	mu    sync.Mutex
	freed bool
	idle  []*run
}

// A run is the state of one Run; runs are used again.
type run struct {
	exe     *executable
	ws      *workspace // of the caller
	width   int        // goroutines
	slots   []unsafe.Pointer
	bufs    []*buffer
	scalars []ir.Scalar
	scratch unsafe.Pointer
	uniform []byte
	bad     atomic.Int64 // position of the first bad index
	phase   phase
}

// A phase is what an instruction tells its tasks; it changes between loops,
// never within one.
type phase struct {
	kind       int
	n          int
	a, b, c, d int
}

// Compile implements ir.Device.
func (d *Device) Compile(p *ir.Program) (ir.Executable, error) {
	if err := d.begin(); err != nil {
		return nil, err
	}
	defer d.end()
	e, err := d.compile(p)
	if err != nil {
		return nil, err
	}
	d.mu.Lock()
	d.stats.Programs++
	d.mu.Unlock()
	return e, nil
}

func (d *Device) compile(p *ir.Program) (*executable, error) {
	if err := p.Check(); err != nil {
		return nil, err
	}
	e := &executable{dev: d, p: p}
	c := &compiler{exe: e, lv: d.level, p: p}
	var instrs []instr
	for _, in := range p.Instrs {
		k, err := c.compile(in)
		if err != nil {
			one := ir.Program{Slots: p.Slots, Scalars: p.Scalars, Instrs: []ir.Instr{in}}
			return nil, &ir.UnsupportedError{Device: d.info.Name, Instr: lastLine(one.String()), Reason: err.Error()}
		}
		instrs = append(instrs, k)
	}
	e.stages = c.stages(instrs)
	e.commit = e.firstAlias()
	e.rowsAt = (e.wsBytes + align - 1) &^ (align - 1)
	e.wsBytes = max(e.wsBytes, e.rowsAt+c.rowBuffer)
	for s := p.Inputs + p.Outputs; s < len(p.Slots); s++ {
		e.temps = append(e.temps, s)
	}
	e.scratch = (p.ArenaBytes + align - 1) &^ (align - 1)
	e.arena = p.ArenaBytes
	if c.scratch > 0 {
		e.arena = e.scratch + c.scratch
	}
	return e, nil
}

func lastLine(s string) string {
	i := len(s)
	for i > 0 && s[i-1] == '\n' {
		i--
	}
	j := i
	for j > 0 && s[j-1] != '\n' {
		j--
	}
	return s[j:i]
}

// A compiler carries what compiling the instructions of a program shares.
type compiler struct {
	exe     *executable
	lv      *level
	p       *ir.Program
	scratch int // bytes the neediest instruction wants

	rowBuffer int // and the neediest row group
}

func (c *compiler) compile(in ir.Instr) (instr, error) {
	switch in := in.(type) {
	case *ir.Map:
		return c.compileMap(in)
	case *ir.Reduce:
		return c.compileReduce(in)
	case *ir.MatMul:
		return c.compileMatMul(in)
	case *ir.Gather:
		return c.compileGather(in)
	case *ir.ScatterAdd:
		return c.compileScatter(in)
	case *ir.Custom:
		return c.compileCustom(in)
	}
	return nil, fmt.Errorf("no kernels of family %s", in.Family())
}

// space reserves scratch memory of an instruction, shared with the other
// instructions, and makes sure that workspaces have n bytes.
func (c *compiler) space(scratch, ws int) {
	c.scratch = max(c.scratch, scratch)
	c.exe.wsBytes = max(c.exe.wsBytes, ws)
}

// overlap reports whether slots a and b may share memory.
func (c *compiler) overlap(a, b int) bool {
	if a == b {
		return true
	}
	x, y := c.p.Slots[a], c.p.Slots[b]
	if x.Kind == ir.Temp && y.Kind == ir.Temp {
		return x.Offset < y.Offset+y.Bytes() && y.Offset < x.Offset+x.Bytes()
	}
	root := func(i int, s ir.Slot) int {
		if s.Kind == ir.Output && s.Alias != ir.NoSlot {
			return s.Alias
		}
		return i
	}
	return x.Kind != ir.Temp && y.Kind != ir.Temp && root(a, x) == root(b, y)
}

// Run implements ir.Executable. It returns when the work is done.
func (e *executable) Run(ctx context.Context, args []ir.Buffer, scalars []ir.Scalar) error {
	d := e.dev
	if err := d.begin(); err != nil {
		return err
	}
	defer d.end()
	d.mu.Lock()
	d.stats.Submits++
	d.stats.Runs++
	number := d.stats.Runs
	d.mu.Unlock()
	if d.opts.FailRun != nil {
		if err := d.opts.FailRun(number); err != nil {
			d.lose(err)
			return err
		}
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	r, err := e.newRun(args, scalars)
	if err != nil {
		return err
	}
	var arena *block
	if e.arena > 0 {
		if arena, err = d.pool.get(e.arena, false); err != nil {
			e.endRun(r)
			return err
		}
		for _, s := range e.temps {
			r.slots[s] = unsafe.Add(arena.ptr(), e.p.Slots[s].Offset)
		}
		if e.scratch < e.arena {
			r.scratch = unsafe.Add(arena.ptr(), e.scratch)
		}
	}
	r.ws = d.crew.getSpace()
	r.ws.need(e.wsBytes, e.wsPtrs)
	r.width = d.crew.width()
	done := 0
	for i, k := range e.stages {
		if i > 0 && i <= e.commit {
			if err = ctx.Err(); err != nil {
				break
			}
		}
		if err = k.run(r); err != nil {
			if i >= e.commit {
				// An argument may have changed: the failure belongs to the
				// next call that waits.
				d.fail(err)
				err = nil
			}
			break
		}
		done += k.n
	}
	d.mu.Lock()
	d.stats.Dispatches += done
	d.mu.Unlock()
	d.crew.putSpace(r.ws)
	if arena != nil {
		d.pool.put(arena, e.arena, false)
	}
	e.endRun(r)
	return err
}

// newRun checks the arguments, pins the buffers and takes a run's state.
func (e *executable) newRun(args []ir.Buffer, scalars []ir.Scalar) (*run, error) {
	p := e.p
	if len(args) != p.NumArgs() || len(scalars) != len(p.Scalars) {
		return nil, fmt.Errorf("cpu: %d buffers and %d scalars for a program of %d and %d", len(args), len(scalars), p.NumArgs(), len(p.Scalars))
	}
	for i, s := range scalars {
		if s.DType != p.Scalars[i] {
			return nil, fmt.Errorf("cpu: scalar %d is %v, not %v", i, s.DType, p.Scalars[i])
		}
	}
	e.mu.Lock()
	if e.freed {
		e.mu.Unlock()
		return nil, fmt.Errorf("cpu: the executable was freed: %w", ir.ErrClosed)
	}
	var r *run
	if k := len(e.idle); k > 0 {
		r = e.idle[k-1]
		e.idle = e.idle[:k-1]
	}
	e.mu.Unlock()
	if r == nil {
		b, err := newBlock(0, max(e.uniform, align))
		if err != nil {
			return nil, e.dev.pool.memoryError(e.uniform, err.Error())
		}
		r = &run{exe: e, slots: make([]unsafe.Pointer, len(p.Slots)), scalars: make([]ir.Scalar, len(p.Scalars)), uniform: b.mem}
	}
	copy(r.scalars, scalars)
	for i, a := range args {
		b, ok := a.(*buffer)
		var err error
		switch {
		case !ok || b == nil || b.dev != e.dev:
			err = fmt.Errorf("cpu: argument %d is a buffer of another device", i)
		case b.bytes < p.Slots[i].Bytes():
			err = fmt.Errorf("cpu: argument %d has %d bytes, not %d", i, b.bytes, p.Slots[i].Bytes())
		default:
			err = b.pin()
		}
		if err != nil {
			e.endRun(r)
			return nil, err
		}
		r.bufs = append(r.bufs, b)
		r.slots[i] = b.base()
	}
	for i, s := range p.Slots[:p.NumArgs()] {
		if s.Kind == ir.Output && s.Alias != ir.NoSlot && args[i] != args[s.Alias] {
			e.endRun(r)
			return nil, fmt.Errorf("cpu: argument %d must be the buffer of argument %d", i, s.Alias)
		}
	}
	return r, nil
}

// endRun unpins the buffers and keeps the state for the next run.
func (e *executable) endRun(r *run) {
	for _, b := range r.bufs {
		b.unpin()
	}
	clear(r.bufs)
	r.bufs = r.bufs[:0]
	clear(r.slots)
	r.scratch, r.ws = nil, nil
	e.mu.Lock()
	defer e.mu.Unlock()
	if !e.freed {
		e.idle = append(e.idle, r)
	}
}

// Free implements ir.Executable.
func (e *executable) Free() {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.freed, e.idle = true, nil
}

// loop shares out tasks 0 to n-1 of t.
func (r *run) loop(t tasker, n int) { r.exe.dev.crew.loop(r, t, n) }

// noBad is the position of the first bad index where there is none.
const noBad = math.MaxInt64

// badAt notes that the index at position pos is out of range.
func (r *run) badAt(pos int) {
	for {
		old := r.bad.Load()
		if int64(pos) >= old || r.bad.CompareAndSwap(old, int64(pos)) {
			return
		}
	}
}

var errNoKernel = errors.New("no kernel")

func product(s []int) int { return ir.Size(s) }

func concat(a, b []int) []int { return slices.Concat(a, b) }
