package auto_test

import (
	"context"
	"sync"
	"time"

	"github.com/fornax-ml/fornax/tensor/ir"
)

// A clock is the time of simulated devices: it passes when they work.
type clock struct {
	mu  sync.Mutex
	now time.Duration
}

func (c *clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return time.Unix(1e9, 0).Add(c.now)
}

func (c *clock) pass(seconds float64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now += time.Duration(seconds * 1e9)
}

func (c *clock) until(t time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = max(c.now, t)
}

// A speed is what a simulated device takes, in seconds.
type speed struct {
	launch  float64 // of each run, on the device
	submit  float64 // of each run, on the host
	op      float64 // of an operation
	compile float64
	copy    float64 // of a transfer
	byte    float64 // and of each of its bytes
	// odd is how much longer than it should a program takes; nil: as it should.
	odd func(p *ir.Program) float64
}

// A sim is a device that computes nothing and takes known times. It works while the
// host goes on, unless submit is all that a run takes.
type sim struct {
	name  string
	clock *clock
	speed speed

	mu                  sync.Mutex
	busy                time.Duration // until then
	runs                int
	reads, writes, live int
	readBytes           int
	writeBytes          int
}

func (s *sim) Info() *ir.Info {
	return &ir.Info{
		Backend: "sim", Name: s.name, Model: s.name, Driver: "simulated", DTypes: ir.Any,
		Limits: ir.Limits{Operands: 16, BufferBytes: 1 << 30, Align: 4},
	}
}

func (s *sim) cost(p *ir.Program) float64 {
	t := s.speed.launch
	for _, in := range p.Instrs {
		switch in := in.(type) {
		case *ir.Map:
			t += s.speed.op * float64(ir.Size(in.Shape)*len(in.Chain))
		case *ir.Reduce:
			t += s.speed.op * float64(ir.Size(in.Outer)*ir.Size(in.Inner))
		case *ir.MatMul:
			t += s.speed.op * float64(in.M) * float64(in.N) * float64(in.K) / 8
		case *ir.Gather:
			t += 4 * s.speed.op * float64(ir.Size(in.Shape))
		}
	}
	if s.speed.odd != nil {
		t *= s.speed.odd(p)
	}
	return t
}

func (s *sim) Compile(p *ir.Program) (ir.Executable, error) {
	s.clock.pass(s.speed.compile)
	return &simProgram{s, p}, nil
}

func (s *sim) Sync(ctx context.Context) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.clock.until(s.busy)
	return ctx.Err()
}

func (s *sim) Trim()        {}
func (s *sim) Close() error { return nil }

func (s *sim) Stats() ir.Stats {
	s.mu.Lock()
	defer s.mu.Unlock()
	return ir.Stats{Runs: s.runs, LiveBytes: s.live}
}

func (s *sim) NewBuffer(bytes int) (ir.Buffer, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.live += bytes
	return &simBuffer{s: s, bytes: bytes}, nil
}

type simBuffer struct {
	s     *sim
	bytes int
	freed bool
}

func (b *simBuffer) Bytes() int { return b.bytes }

func (b *simBuffer) Write(_ int, src []byte) error {
	b.s.mu.Lock()
	defer b.s.mu.Unlock()
	b.s.writes++
	b.s.writeBytes += len(src)
	b.s.clock.pass(b.s.speed.copy + b.s.speed.byte*float64(len(src)))
	return nil
}

func (b *simBuffer) Read(dst []byte, _ int) error {
	b.s.mu.Lock()
	defer b.s.mu.Unlock()
	b.s.reads++
	b.s.readBytes += len(dst)
	b.s.clock.until(b.s.busy)
	b.s.clock.pass(b.s.speed.copy + b.s.speed.byte*float64(len(dst)))
	return nil
}

func (b *simBuffer) Free() {
	b.s.mu.Lock()
	defer b.s.mu.Unlock()
	if !b.freed {
		b.freed = true
		b.s.live -= b.bytes
	}
}

type simProgram struct {
	s *sim
	p *ir.Program
}

func (x *simProgram) Run(ctx context.Context, _ []ir.Buffer, _ []ir.Scalar) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	s := x.s
	s.mu.Lock()
	defer s.mu.Unlock()
	s.runs++
	if s.speed.submit == 0 { // as the CPU does
		s.clock.pass(s.cost(x.p))
		return nil
	}
	s.clock.pass(s.speed.submit)
	now := s.clock.Now().Sub(time.Unix(1e9, 0))
	s.busy = max(s.busy, now) + time.Duration(s.cost(x.p)*1e9)
	return nil
}

func (x *simProgram) Free() {}
