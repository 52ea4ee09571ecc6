package devicetest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"

	"github.com/fornax-ml/fornax/tensor/ir"
	"github.com/fornax-ml/fornax/tensor/ir/ref"
)

// testRuns tests what executables promise beyond their values.
func (s *suite) testRuns(t *testing.T) {
	s.sub(t, "same bits", s.sameBits)
	s.sub(t, "concurrent", s.concurrent)
	s.sub(t, "scalars", s.scalars)
	s.sub(t, "queued", s.queued)
	s.sub(t, "cancelled", s.cancelled)
	s.sub(t, "freed", s.freed)
	s.sub(t, "unsupported", s.unsupported)
}

// inexact returns a program whose result depends on the order of its sums.
func (s *suite) inexact(seed string, n int) (*ir.Program, []ref.Values, []ir.Scalar) {
	r := ref.Rand(1, seed)
	b := &builder{}
	s.softmaxLayer(b)
	x := ref.Uniform(r, ir.F32, n, -100, 100)
	b.reduce(ir.OpSum, ir.F32, reduceCase{view: contiguous(n), inner: 1}, x, 0)
	b.reduce(ir.OpSum, ir.F32, reduceCase{view: contiguous(n/64, 64).Permute([]int{1, 0}), inner: 1}, x, 0)
	s.multiply(b, ir.F32, mnk{nil, 33, 70, 501}, layouts[0], layouts[1], false)
	var c chain
	c.output(b, n, c.op(ir.OpTanh, c.load(ir.F32, b.input(x), contiguous(n))))
	b.add(c.asMap(n))
	return b.build(s.d.Info().Limits.Align)
}

func (s *suite) sameBits(t *testing.T) {
	p, in, scalars := s.inexact("same", 100000)
	var first [][]byte
	for range 2 {
		e, err := s.d.Compile(p)
		must(t, err)
		for range 3 {
			got, err := s.exec(e, p, in, scalars)
			must(t, err)
			if first == nil {
				first = got
			}
			for i := range got {
				if !bytes.Equal(got[i], first[i]) {
					t.Errorf("output %d differs from the first run's", i)
				}
			}
		}
		e.Free()
	}
}

// concurrent runs two executables from several goroutines at once.
func (s *suite) concurrent(t *testing.T) {
	type job struct {
		p    *ir.Program
		in   []ref.Values
		sc   []ir.Scalar
		e    ir.Executable
		want [][]byte
	}
	jobs := make([]job, 2)
	for i := range jobs {
		j := &jobs[i]
		j.p, j.in, j.sc = s.inexact(fmt.Sprint("job", i), 5000+3000*i)
		var err error
		j.e, err = s.d.Compile(j.p)
		must(t, err)
		defer j.e.Free()
		j.want, err = s.exec(j.e, j.p, j.in, j.sc)
		must(t, err)
	}
	var wg sync.WaitGroup
	for g := range 6 {
		wg.Add(1)
		go func() {
			defer wg.Done()
			j := jobs[g%len(jobs)]
			for range 5 {
				got, err := s.exec(j.e, j.p, j.in, j.sc)
				if err != nil {
					t.Error(err)
					return
				}
				for i := range got {
					if !bytes.Equal(got[i], j.want[i]) {
						t.Errorf("output %d differs from a run alone", i)
					}
				}
			}
		}()
	}
	wg.Wait()
}

// increment returns x -> x·$0 + $1 in place, and its argument.
func (s *suite) increment(t *testing.T, n int) (e ir.Executable, x ir.Buffer) {
	t.Helper()
	b := &builder{}
	slot := b.input(ref.New(ir.F32, n))
	var c chain
	y := c.op(ir.OpMul, c.load(ir.F32, slot, contiguous(n)), c.scalar(ir.F32, b.scalar(ir.F32, 0)))
	c.store(b.inPlace(ir.F32, n, slot), c.op(ir.OpAdd, y, c.scalar(ir.F32, b.scalar(ir.F32, 0))))
	b.add(c.asMap(n))
	p, _, _ := b.build(s.d.Info().Limits.Align)
	e, err := s.d.Compile(p)
	must(t, err)
	x = s.buffer(t, ir.SlotBytes(ir.F32, n))
	must(t, x.Write(0, ref.New(ir.F32, n).Bytes()))
	return e, x
}

func f32(v float64) ir.Scalar { return ir.Scalar{DType: ir.F32, Bits: ir.FloatBits(ir.F32, v)} }

func (s *suite) wantAll(t *testing.T, x ir.Buffer, n int, v float64) {
	t.Helper()
	got := make([]byte, ir.SlotBytes(ir.F32, n))
	must(t, x.Read(got, 0))
	want := ref.New(ir.F32, n)
	for i := range want.F {
		want.F[i] = v
	}
	if err := ref.Compare(got, want, 0, 0); err != nil {
		t.Error(err)
	}
}

// scalars: each run has its own, though many are in flight.
func (s *suite) scalars(t *testing.T) {
	const n = 300
	e, x := s.increment(t, n)
	defer e.Free()
	defer x.Free()
	want := 0.0
	for i := range 200 {
		k := float64(i%3) - 1
		want = want*k + float64(i)
		must(t, e.Run(context.Background(), []ir.Buffer{x, x}, []ir.Scalar{f32(k), f32(float64(i))}))
	}
	s.wantAll(t, x, n, want)
}

// queued: writes, runs, reads and frees take effect in order, whatever waits.
func (s *suite) queued(t *testing.T) {
	const n = 70000
	e, x := s.increment(t, n)
	defer e.Free()
	one := ref.New(ir.F32, n)
	for i := range one.F {
		one.F[i] = 1
	}
	run := func(x ir.Buffer, k, c float64) {
		must(t, e.Run(context.Background(), []ir.Buffer{x, x}, []ir.Scalar{f32(k), f32(c)}))
	}
	run(x, 1, 5)
	run(x, 2, 1)
	must(t, x.Write(0, one.Bytes())) // after the runs, which wrote 11
	s.wantAll(t, x, n, 1)
	run(x, 3, 0)
	must(t, x.Write(0, one.Bytes()[:4*100]))
	run(x, 1, 1)
	got := make([]byte, 8)
	must(t, x.Read(got, 4*99))
	if err := ref.Compare(got, ref.Values{DType: ir.F32, F: []float64{2, 4}}, 0, 0); err != nil {
		t.Error(err)
	}
	// A buffer freed while its run is in flight is not handed to another.
	run(x, 0, 7)
	x.Free()
	y := s.buffer(t, 4*n)
	defer y.Free()
	must(t, y.Write(0, one.Bytes()))
	s.wantAll(t, y, n, 1)
	must(t, s.d.Sync(context.Background()))
	s.wantAll(t, y, n, 1)
}

func (s *suite) cancelled(t *testing.T) {
	const n = 1000
	e, x := s.increment(t, n)
	defer e.Free()
	defer x.Free()
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if err := e.Run(ctx, []ir.Buffer{x, x}, []ir.Scalar{f32(1), f32(1)}); !errors.Is(err, context.Canceled) {
		t.Errorf("Run after its context was cancelled: %v", err)
	}
	s.wantAll(t, x, n, 0)
	must(t, e.Run(context.Background(), []ir.Buffer{x, x}, []ir.Scalar{f32(1), f32(2)}))
	s.wantAll(t, x, n, 2)
}

// freed frees an executable while goroutines run it: what began ends, the rest does
// nothing.
func (s *suite) freed(t *testing.T) {
	const n, most = 1000, 1 << 20
	type runner struct {
		x    ir.Buffer
		runs int
		err  error // of the run that failed
	}
	e, x := s.increment(t, n)
	l := []*runner{{x: x}, {x: s.buffer(t, 4*n)}, {x: s.buffer(t, 4*n)}}
	var began, ended sync.WaitGroup
	for _, r := range l {
		must(t, r.x.Write(0, make([]byte, 4*n)))
		began.Add(1)
		ended.Go(func() {
			for r.runs < most {
				r.err = e.Run(context.Background(), []ir.Buffer{r.x, r.x}, []ir.Scalar{f32(1), f32(1)})
				if r.runs == 0 {
					began.Done()
				}
				if r.err != nil {
					return
				}
				r.runs++
			}
		})
	}
	began.Wait()
	e.Free()
	ended.Wait()
	for _, r := range l {
		if !errors.Is(r.err, ir.ErrClosed) {
			t.Errorf("after %d runs of a freed executable: %v", r.runs, r.err)
		}
		s.wantAll(t, r.x, n, float64(r.runs))
		r.x.Free()
	}
	must(t, s.d.Sync(context.Background()))
}

// unsupported compiles a program of each dtype that the device lacks.
func (s *suite) unsupported(t *testing.T) {
	for _, d := range (ir.Any &^ s.d.Info().DTypes).List() {
		b := &builder{}
		var c chain
		c.output(b, 4, c.load(d, b.input(ref.New(d, 4)), contiguous(4)))
		b.add(c.asMap(4))
		p, _, _ := b.build(s.d.Info().Limits.Align)
		e, err := s.d.Compile(p)
		if err == nil {
			e.Free()
		}
		var u *ir.UnsupportedError
		if !errors.As(err, &u) || !errors.Is(err, ir.ErrUnsupported) || u.Instr == "" {
			t.Errorf("Compile of %v: %v", d, err)
		}
	}
	for _, d := range []ir.DType{ir.F32, ir.I32, ir.U32, ir.U8, ir.Bool} {
		if !s.d.Info().DTypes.Has(d) {
			t.Errorf("the device lacks %v, which every device has", d)
		}
	}
}

// checkIndexError runs a program that meets bad indices: the waits after each
// run return the first, once, and the values are the reference's.
func (s *suite) checkIndexError(t *testing.T, b *builder) {
	t.Helper()
	p, in, scalars := b.build(s.d.Info().Limits.Align)
	want, err := ref.Executor{Round: true}.Run(p, in, scalars)
	var index *ir.IndexError
	if !errors.As(err, &index) {
		t.Fatalf("the test's program is wrong: %v", err)
	}
	e, err := s.d.Compile(p)
	must(t, err)
	defer e.Free()
	packed := pack(in)
	args, err := s.args(p, packed)
	must(t, err)
	defer free(args)
	ctx := context.Background()
	same := func(err error) {
		t.Helper()
		var got *ir.IndexError
		if !errors.As(err, &got) || *got != *index {
			t.Errorf("error %v, want %v", err, index)
		}
	}
	for range 2 {
		must(t, e.Run(ctx, args, scalars))
		same(s.d.Sync(ctx))
		must(t, s.d.Sync(ctx))
		got, err := readBack(p, packed, args)
		must(t, err)
		if err := ref.Compare(got[0], want[0], 0, 0); err != nil {
			t.Error(err)
		}
		must(t, e.Run(ctx, args, scalars))
		same(args[p.Inputs].Read(make([]byte, 4), 0))
		must(t, args[p.Inputs].Read(make([]byte, 4), 0))
		must(t, s.d.Sync(ctx))
	}
}
