package devicetest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"

	"github.com/fornax-ml/fornax/tensor/ir"
	"github.com/fornax-ml/fornax/tensor/ir/ref"
)

// Options tune a run of the suite. The zero value is right for most devices.
type Options struct {
	// Seed of the random programs; their data does not depend on it.
	Seed uint64
	// Programs is how many random programs run; 0 means 400, 60 where the suite is
	// short; negative none.
	Programs int
	// Short runs the part of the suite that -short does: enough for a device whose kernels
	// are those of another that runs all of it.
	Short bool
	// Report, where not nil, is told which op passes for which dtype: of the
	// arguments; for casts, of the result.
	Report func(op ir.Op, d ir.DType, ok bool)
}

// Run runs the suite on a device, as subtests of t.
func Run(t *testing.T, d ir.Device, o Options) {
	s := &suite{d: d, o: o, short: o.Short || testing.Short()}
	for _, f := range []struct {
		name string
		test func(*testing.T)
	}{
		{"map", s.testMap}, {"cast", s.testCast}, {"sources", s.testSources}, {"view", s.testViews}, {"alias", s.testAlias},
		{"reduce", s.testReduce}, {"rows", s.testRows}, {"matmul", s.testMatMul}, {"gather", s.testGather}, {"scatter", s.testScatterAdd},
		{"index", s.testIndexErrors}, {"program", s.testPrograms}, {"buffer", s.testBuffers}, {"run", s.testRuns}, {"fuzz", s.testFuzz},
	} {
		s.sub(t, f.name, f.test)
	}
	if err := d.Sync(context.Background()); err != nil {
		t.Errorf("after the suite: Sync: %v", err)
	}
}

type suite struct {
	d     ir.Device
	o     Options
	short bool
}

// sub runs a subtest and returns whether it passed.
func (s *suite) sub(t *testing.T, name string, f func(*testing.T)) bool {
	t.Helper()
	passed := false
	t.Run(name, func(t *testing.T) {
		defer func() { passed = !t.Failed() && !t.Skipped() }()
		f(t)
	})
	return passed
}

// op runs the subtest of an op on a dtype and reports it.
func (s *suite) op(t *testing.T, o ir.Op, d ir.DType, f func(*testing.T)) {
	t.Helper()
	ok := s.sub(t, d.String(), f)
	if s.o.Report != nil {
		s.o.Report(o, d, ok)
	}
}

// dtypes returns the device's dtypes in a class.
func (s *suite) dtypes(c ir.Class) []ir.DType { return (c & s.d.Info().DTypes).List() }

// some returns the cases to run for a dtype: all of them for float32 and int32
// and where the suite is not short, else a third, another one for each dtype. On a GPU most of
// the suite's time goes into building kernels.
func some[T any](s *suite, d ir.DType, cases []T) []T {
	if !s.short || d == ir.F32 || d == ir.I32 {
		return cases
	}
	var l []T
	for i, c := range cases {
		if (i+int(d))%3 == 0 {
			l = append(l, c)
		}
	}
	return l
}

// operands returns how many distinct slots an instruction may have.
func (s *suite) operands() int {
	if n := s.d.Info().Limits.Operands; n > 0 {
		return n
	}
	return 64
}

// A tolerance bounds the error of an output: units in the last place, plus an
// absolute error, from a reference that rounds each step or does not.
type tolerance struct {
	ulp, abs float64
	round    bool
}

// exact wants the value of the reference that rounds each step.
var exact = tolerance{round: true}

// check builds the program, runs it on the device and the reference, and
// compares all outputs.
func (s *suite) check(t *testing.T, b *builder, tol tolerance) {
	t.Helper()
	s.checkEach(t, b, []tolerance{tol})
}

// checkEach is check with a tolerance for each output, in order; the last one
// serves the rest, and says whether the reference rounds.
func (s *suite) checkEach(t *testing.T, b *builder, tols []tolerance) {
	t.Helper()
	p, in, scalars := b.build(s.d.Info().Limits.Align)
	want, err := ref.Executor{Round: tols[len(tols)-1].round}.Run(p, in, scalars)
	if err != nil {
		t.Fatalf("the test's program is wrong: %v\n%v", err, p)
	}
	got, err := s.run(p, in, scalars)
	if err != nil {
		t.Errorf("%v\n%v", err, clip(p.String()))
		return
	}
	bad := 0
	for i, w := range want {
		tol := tols[min(i, len(tols)-1)]
		if err := ref.Compare(got[i], w, tol.ulp, tol.abs); err != nil {
			if bad++; bad <= 4 {
				t.Errorf("%v\n%s", err, clip(writer(p, p.Inputs+i)))
			}
		}
	}
	if bad > 4 {
		t.Errorf("%d of %d outputs are wrong", bad, len(want))
	}
}

// writer returns the text of the instruction that writes a slot.
func writer(p *ir.Program, slot int) string {
	for _, in := range p.Instrs {
		if slices.Contains(in.Writes(), slot) {
			q := *p
			q.Instrs, q.Slots = []ir.Instr{in}, nil
			return q.String()
		}
	}
	return fmt.Sprintf("nothing writes slot %d", slot)
}

func clip(s string) string {
	if len(s) > 3000 {
		return s[:3000] + "…"
	}
	return s
}

// run compiles and runs a program once and returns its outputs.
func (s *suite) run(p *ir.Program, in []ref.Values, scalars []ir.Scalar) ([][]byte, error) {
	e, err := s.d.Compile(p)
	if err != nil {
		return nil, fmt.Errorf("compile: %w", err)
	}
	defer e.Free()
	return s.exec(e, p, in, scalars)
}

const guard = 96 // bytes behind each slot that a kernel must leave alone

// exec runs an executable on buffers of its own and checks what a program must
// leave alone: the bytes behind each argument, and inputs that are not taken
// over. An *ir.IndexError comes with the outputs.
func (s *suite) exec(e ir.Executable, p *ir.Program, in []ref.Values, scalars []ir.Scalar) ([][]byte, error) {
	packed := pack(in)
	args, err := s.args(p, packed)
	if err != nil {
		return nil, err
	}
	defer free(args)
	if err := e.Run(context.Background(), args, scalars); err != nil {
		return nil, fmt.Errorf("run: %w", err)
	}
	var index *ir.IndexError
	if err := s.d.Sync(context.Background()); err != nil && !errors.As(err, &index) {
		return nil, fmt.Errorf("sync: %w", err)
	}
	outs, err := readBack(p, packed, args)
	if err == nil && index != nil {
		err = index
	}
	return outs, err
}

func pack(in []ref.Values) [][]byte {
	l := make([][]byte, len(in))
	for i, v := range in {
		l[i] = v.Bytes()
	}
	return l
}

// args makes the buffers of a run: each a guard longer than its slot, outputs
// filled with garbage.
func (s *suite) args(p *ir.Program, in [][]byte) ([]ir.Buffer, error) {
	args := make([]ir.Buffer, p.NumArgs())
	for i := range args {
		slot := p.Slots[i]
		if slot.Kind == ir.Output && slot.Alias != ir.NoSlot {
			args[i] = args[slot.Alias]
			continue
		}
		buf, err := s.d.NewBuffer(slot.Bytes() + guard)
		if err != nil {
			return nil, fmt.Errorf("new buffer: %w", err)
		}
		args[i] = buf
		b := bytes.Repeat([]byte{0xa5}, slot.Bytes()+guard)
		if slot.Kind == ir.Input {
			copy(b, in[i])
		}
		if err := buf.Write(0, b); err != nil {
			return nil, fmt.Errorf("write: %w", err)
		}
	}
	return args, nil
}

func free(args []ir.Buffer) {
	for _, a := range args {
		a.Free()
	}
}

func readBack(p *ir.Program, in [][]byte, args []ir.Buffer) ([][]byte, error) {
	taken := map[int]bool{}
	for _, slot := range p.Slots[p.Inputs:p.NumArgs()] {
		taken[slot.Alias] = true
	}
	outs := make([][]byte, p.Outputs)
	for i, slot := range p.Slots[:p.NumArgs()] {
		b := make([]byte, slot.Bytes()+guard)
		if err := args[i].Read(b, 0); err != nil {
			return nil, fmt.Errorf("read: %w", err)
		}
		for k, x := range b[slot.Bytes():] {
			if x != 0xa5 {
				return nil, fmt.Errorf("byte %d behind slot %d was written", k, i)
			}
		}
		switch {
		case i >= p.Inputs:
			outs[i-p.Inputs] = b[:slot.Bytes()]
		case !taken[i] && !bytes.Equal(b[:slot.Bytes()], in[i]):
			return nil, fmt.Errorf("input %d was written", i)
		}
	}
	return outs, nil
}
