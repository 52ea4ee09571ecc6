package cpu_test

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"sync"
	"testing"
	"time"

	"github.com/fornax-ml/fornax/cpu"
	"github.com/fornax-ml/fornax/tensor/ir"
	"github.com/stretchr/testify/require"
)

func TestRegistered(t *testing.T) {
	for _, b := range ir.Backends() {
		if b.Name() != "cpu" {
			continue
		}
		infos, err := b.Devices()
		require.NoError(t, err)
		require.Len(t, infos, 1)
		require.Equal(t, "cpu", infos[0].Name)
		d, err := b.Open(0)
		require.NoError(t, err)
		require.NoError(t, d.Close())
		_, err = b.Open(1)
		require.Error(t, err)
		return
	}
	t.Fatal("no backend is called cpu")
}

func TestPool(t *testing.T) {
	d := cpu.New(cpu.Options{MemoryBytes: 1 << 20})
	defer d.Close()
	a, err := d.NewBuffer(1000)
	require.NoError(t, err)
	require.Equal(t, 1000, a.Bytes())
	s := d.Stats()
	require.Equal(t, []int{1, 1000, 1024}, []int{s.Allocs, s.LiveBytes, s.PoolBytes})
	b, err := d.NewBuffer(1024)
	require.NoError(t, err)
	require.Equal(t, 2, d.Stats().Allocs)
	a.Free()
	a.Free()
	s = d.Stats()
	require.Equal(t, []int{2, 1024, 2048}, []int{s.Allocs, s.LiveBytes, s.PoolBytes})
	c, err := d.NewBuffer(900) // the freed block again
	require.NoError(t, err)
	require.Equal(t, 2, d.Stats().Allocs, "a block of the same class is used again")
	require.ErrorIs(t, a.Write(0, make([]byte, 4)), ir.ErrClosed)
	require.ErrorIs(t, a.Read(make([]byte, 4), 0), ir.ErrClosed)
	c.Free()
	d.Trim()
	s = d.Stats()
	require.Equal(t, []int{1024, 1024}, []int{s.LiveBytes, s.PoolBytes})
	_, err = d.NewBuffer(1 << 20)
	require.ErrorIs(t, err, ir.ErrOutOfMemory)
	var m *ir.MemoryError
	require.ErrorAs(t, err, &m)
	require.Equal(t, 1<<20, m.Need)
	require.Error(t, b.Write(1020, make([]byte, 8)))
	require.NoError(t, b.Write(1024, nil))
	b.Free()
	z, err := d.NewBuffer(0)
	require.NoError(t, err)
	z.Free()
	for n := 1; n < 5000; n += 7 {
		b, err := d.NewBuffer(n)
		require.NoError(t, err)
		b.Free()
	}
	require.Zero(t, d.Stats().LiveBytes)
}

// twoSteps writes t = x + x to a temporary and y = t·t over x.
func twoSteps(n int) *prog {
	p := &prog{}
	x := p.in(ir.F32, n)
	y := p.outOver(ir.F32, n, x)
	tmp := p.temp(ir.F32, n)
	p.add(&ir.Map{Shape: []int{n}, Operands: []ir.Operand{load(x, n)}, Chain: ir.Chain{ld(ir.F32, 0), op(ir.OpAdd, ir.F32, 0, 0)}, Stores: []ir.Store{{Slot: tmp, Reg: 1}}})
	p.add(&ir.Map{Shape: []int{n}, Operands: []ir.Operand{load(tmp, n)}, Chain: ir.Chain{ld(ir.F32, 0), op(ir.OpMul, ir.F32, 0, 0)}, Stores: []ir.Store{{Slot: y, Reg: 1}}})
	return p
}

func TestFaults(t *testing.T) {
	var failAlloc, failRun int
	boom := errors.New("boom")
	d := cpu.New(cpu.Options{
		FailAlloc: func(n int) error {
			if n == failAlloc {
				return ir.ErrOutOfMemory
			}
			return nil
		},
		FailRun: func(n int) error {
			switch n {
			case failRun:
				return boom
			case 4:
				return fmt.Errorf("pulled: %w", ir.ErrDeviceLost)
			}
			return nil
		},
	})
	defer d.Close()
	e, args := setup(t, d, twoSteps(1000)) // request 1
	before := read(t, args[0])
	failAlloc = 2 // the arena
	require.ErrorIs(t, e.Run(context.Background(), args, nil), ir.ErrOutOfMemory)
	require.Equal(t, before, read(t, args[0]))
	failRun = 2
	require.ErrorIs(t, e.Run(context.Background(), args, nil), boom)
	require.Equal(t, before, read(t, args[0]))
	ctx, cancel := context.WithCancel(context.Background())
	run(t, e, args) // run 3
	require.NotEqual(t, before, read(t, args[0]))
	cancel()
	require.ErrorIs(t, e.Run(ctx, args, nil), ir.ErrDeviceLost) // run 4
	require.ErrorIs(t, args[0].Read(make([]byte, 4), 0), ir.ErrDeviceLost)
	_, err := d.NewBuffer(4)
	require.ErrorIs(t, err, ir.ErrDeviceLost)
	require.ErrorIs(t, d.Sync(context.Background()), ir.ErrDeviceLost)
}

// A context cancelled before an argument is written leaves all as it was; one
// cancelled later does not stop the run.
func TestCancel(t *testing.T) {
	d := cpu.New(cpu.Options{})
	defer d.Close()
	for _, at := range []int{0, 1, 2} {
		t.Run(fmt.Sprint(at), func(t *testing.T) {
			ctx, cancel := context.WithCancel(context.Background())
			defer cancel()
			name := fmt.Sprintf("cpu_test.cancel%d", at)
			ir.RegisterCustom(ir.CustomOp{Name: name, Kernels: map[string]any{"cpu": cpu.Kernel(func(dst, src [][]byte, _ [][]int, _ []int64) error {
				copy(dst[0], src[0])
				cancel()
				return nil
			})}})
			p := twoSteps(10)
			tmp := p.temp(ir.F32, 10)
			c := &ir.Custom{Name: name, Operands: []ir.Operand{load(2, 10)}, Dst: []int{tmp}}
			switch at {
			case 0:
				cancel()
			case 1:
				p.Instrs = []ir.Instr{p.Instrs[0], c, p.Instrs[1]}
			case 2:
				p.Instrs = append(p.Instrs, c)
			}
			e, args := setup(t, d, p)
			before := read(t, args[0])
			err := e.Run(ctx, args, nil)
			if at < 2 {
				require.ErrorIs(t, err, context.Canceled)
				require.Equal(t, before, read(t, args[0]))
			} else {
				require.NoError(t, err)
				require.NotEqual(t, before, read(t, args[0]))
			}
		})
	}
}

func TestCustom(t *testing.T) {
	d := cpu.New(cpu.Options{})
	defer d.Close()
	fail := errors.New("no")
	ir.RegisterCustom(ir.CustomOp{Name: "cpu_test.axpy", Kernels: map[string]any{"cpu": cpu.Kernel(func(dst, src [][]byte, shapes [][]int, attrs []int64) error {
		if attrs[0] == 0 {
			return fail
		}
		if attrs[0] < 0 {
			panic("negative")
		}
		y, x := floats(dst[0]), floats(src[0])
		if len(x) != shapes[0][0] || len(y) != len(x) {
			return fmt.Errorf("%d and %d elements of %v", len(x), len(y), shapes)
		}
		for i := range y {
			y[i] = float32(attrs[0]) * x[i]
		}
		return nil
	})}})
	ir.RegisterCustom(ir.CustomOp{Name: "cpu_test.none"})
	prog := func(name string, attr int64) *prog {
		p := &prog{}
		x := p.in(ir.F32, 7)
		y := p.out(ir.F32, 7)
		p.add(&ir.Custom{Name: name, Operands: []ir.Operand{load(x, 7)}, Dst: []int{y}, Attrs: []int64{attr}})
		return p
	}
	e, args := setup(t, d, prog("cpu_test.axpy", 3))
	run(t, e, args)
	x, y := floats(read(t, args[0])), floats(read(t, args[1]))
	for i := range x {
		require.Equal(t, 3*x[i], y[i])
	}
	e, args = setup(t, d, prog("cpu_test.axpy", 0))
	require.ErrorIs(t, e.Run(context.Background(), args, nil), fail)
	e, args = setup(t, d, prog("cpu_test.axpy", -1))
	require.ErrorContains(t, e.Run(context.Background(), args, nil), "panicked: negative")
	_, err := d.Compile(&prog("cpu_test.none", 0).Program)
	require.ErrorIs(t, err, ir.ErrUnsupported)
	require.ErrorContains(t, err, "custom cpu_test.none")
}

// Work on few elements needs no memory from Go once it has run.
func TestSteadyStateAllocs(t *testing.T) {
	if race {
		t.Skip("the race detector allocates")
	}
	d := cpu.New(cpu.Options{})
	defer d.Close()
	for name, p := range map[string]*prog{
		"map": twoSteps(100000), "matmul": matmulProg(100, 100, 100, true, op(ir.OpExp, ir.F32, 0)),
		"rows": reduceProg(ir.OpSum, 300, 3000, false), "columns": reduceProg(ir.OpArgMax, 300, 3000, true), "all": reduceProg(ir.OpMax, 1, 1<<20, false),
	} {
		e, args := setup(t, d, p)
		run(t, e, args)
		allocs := d.Stats().Allocs
		require.LessOrEqual(t, testing.AllocsPerRun(50, func() { run(t, e, args) }), 0.5, name)
		require.Equal(t, allocs, d.Stats().Allocs, name)
	}
}

func TestClose(t *testing.T) {
	before := runtime.NumGoroutine()
	d := cpu.New(cpu.Options{})
	e, args := setup(t, d, mapProg(1<<18, 1, ir.Chain{ld(ir.F32, 0), op(ir.OpExp, ir.F32, 0)}))
	run(t, e, args)
	require.NoError(t, d.Close())
	require.NoError(t, d.Close())
	_, err := d.NewBuffer(1)
	require.ErrorIs(t, err, ir.ErrClosed)
	require.ErrorIs(t, e.Run(context.Background(), args, nil), ir.ErrClosed)
	require.ErrorIs(t, args[0].Read(nil, 0), ir.ErrClosed)
	_, err = d.Compile(&twoSteps(1).Program)
	require.ErrorIs(t, err, ir.ErrClosed)
	args[0].Free()
	for range 100 {
		if runtime.NumGoroutine() <= before {
			return
		}
		time.Sleep(time.Millisecond)
	}
	t.Errorf("%d goroutines, %d before", runtime.NumGoroutine(), before)
}

// Runs of one executable and of others at once give what they give alone, and
// buffers may be freed while they run.
func TestConcurrent(t *testing.T) {
	d := cpu.New(cpu.Options{})
	defer d.Close()
	progs := mixedProgs()
	want := make([][]byte, len(progs))
	for i, p := range progs {
		want[i] = outputs(t, d, p)
	}
	var wg sync.WaitGroup
	for g := range 6 {
		wg.Add(1)
		go func() {
			defer wg.Done()
			for k := range 3 {
				i := (g + k) % len(progs)
				if got := outputs(t, d, progs[i]); string(got) != string(want[i]) {
					t.Errorf("program %d differs", i)
				}
			}
		}()
	}
	e, args := setup(t, d, matmulProg(90, 90, 90, false))
	for range 4 {
		out, err := d.NewBuffer(args[2].Bytes())
		require.NoError(t, err)
		wg.Add(1)
		go func() {
			defer wg.Done()
			if err := e.Run(context.Background(), []ir.Buffer{args[0], args[1], out}, nil); err != nil && !errors.Is(err, ir.ErrClosed) {
				t.Error(err)
			}
		}()
		wg.Add(1)
		go func() {
			defer wg.Done()
			out.Free()
		}()
	}
	wg.Wait()
}

func outputs(t testing.TB, d *cpu.Device, p *prog) []byte {
	e, args := setup(t, d, p)
	defer e.Free()
	run(t, e, args)
	var all []byte
	for i, b := range args {
		if i >= p.Inputs {
			all = append(all, read(t, b)...)
		}
	}
	for _, b := range args {
		b.Free()
	}
	return all
}

// mixedProgs are large enough to be shared out.
func mixedProgs() []*prog {
	l := []*prog{
		twoSteps(100003),
		mapProg(100003, 2, ir.Chain{ld(ir.F32, 0), ld(ir.F32, 1), op(ir.OpTanh, ir.F32, 0), op(ir.OpMul, ir.F32, 2, 1)}),
		matmulProg(257, 129, 300, true), matmulProg(65, 65, 65, false, op(ir.OpTanh, ir.F32, 0)), matmulProg(1, 700, 1000, false), matmulProg(700, 1, 1000, true),
		scatterProg(5000, 100, 33), scatterProg(50000, 10, 1), gatherProg(5000, 100, 33),
	}
	for _, o := range []ir.Op{ir.OpSum, ir.OpProd, ir.OpMax, ir.OpArgMin} {
		for _, s := range [][2]int{{1, 300001}, {300001, 1}, {700, 501}, {3, 100003}, {100003, 3}, {20, 5000}} {
			l = append(l, reduceProg(o, s[0], s[1], false), reduceProg(o, s[0], s[1], true))
		}
	}
	return l
}

func scatterProg(j, size, row int) *prog {
	p := &prog{}
	i, u := p.in(ir.U8, j), p.in(ir.F32, j*row)
	out := p.out(ir.F32, size*row)
	index := ir.Operand{Slot: i, View: ir.Contiguous([]int{j, 1}).Expand([]int{j, row})}
	p.add(&ir.ScatterAdd{Shape: []int{size, row}, Axis: 0, DType: ir.F32, Base: ir.Operand{Slot: ir.NoSlot}, Index: index, Updates: load(u, j, row), Dst: out, Name: "ScatterAdd"})
	return p
}

func gatherProg(j, size, row int) *prog {
	p := &prog{}
	i, x := p.in(ir.U8, j), p.in(ir.F32, size*row)
	out := p.out(ir.F32, j*row)
	index := ir.Operand{Slot: i, View: ir.Contiguous([]int{j, 1}).Expand([]int{j, row})}
	p.add(&ir.Gather{Shape: []int{j, row}, Axis: 0, DType: ir.F32, Index: index, X: load(x, size, row), Dst: out, Name: "Gather"})
	return p
}

// Results have equal bits for any number of processors.
func TestDeterminism(t *testing.T) {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(0))
	eachLevel(t, func(t *testing.T, level string) {
		d := cpu.New(cpu.Options{Level: level})
		defer d.Close()
		one := cpu.New(cpu.Options{Workers: 1, Level: level})
		defer one.Close()
		for i, p := range mixedProgs() {
			want := outputs(t, one, p)
			for _, n := range []int{1, 2, 3, 7} {
				runtime.GOMAXPROCS(n)
				require.Equal(t, want, outputs(t, d, p), "program %d on %d processors", i, n)
			}
		}
	})
}

// A product has equal bits whatever way it is computed and its operands lie.
func TestMatMulPaths(t *testing.T) {
	eachLevel(t, func(t *testing.T, level string) {
		d := cpu.New(cpu.Options{Level: level})
		defer d.Close()
		const n, k = 130, 700
		e, args := setup(t, d, matmulProg(n, n, k, false))
		run(t, e, args)
		a, b, want := read(t, args[0]), floats(read(t, args[1])), floats(read(t, args[2]))
		for _, col := range []int{0, 77, 129} { // one column at a time
			e, args := setup(t, d, matmulProg(n, 1, k, false))
			require.NoError(t, args[0].Write(0, a))
			x := make([]float32, k)
			for i := range x {
				x[i] = b[i*n+col]
			}
			write(t, args[1], x)
			run(t, e, args)
			for i, v := range floats(read(t, args[2])) {
				require.Equal(t, want[i*n+col], v)
			}
		}
		bt := make([]float32, len(b))
		for i := range k {
			for j := range n {
				bt[j*k+i] = b[i*n+j]
			}
		}
		e, args = setup(t, d, matmulProg(n, n, k, true))
		require.NoError(t, args[0].Write(0, a))
		write(t, args[1], bt)
		run(t, e, args)
		require.Equal(t, want, floats(read(t, args[2])))
	})
}

// Two outputs may swap the memory of two inputs.
func TestSwap(t *testing.T) {
	const n = 3000
	d := cpu.New(cpu.Options{})
	defer d.Close()
	p := &prog{}
	a, b := p.in(ir.F32, n), p.in(ir.F32, n)
	x, y := p.outOver(ir.F32, n, a), p.outOver(ir.F32, n, b)
	p.add(&ir.Map{
		Shape: []int{n}, Operands: []ir.Operand{load(a, n), load(b, n)},
		Chain:  ir.Chain{ld(ir.F32, 0), ld(ir.F32, 1), op(ir.OpNeg, ir.F32, 0)},
		Stores: []ir.Store{{Slot: x, Reg: 1}, {Slot: y, Reg: 2}},
	})
	e, args := setup(t, d, p)
	u, v := floats(read(t, args[0])), floats(read(t, args[1]))
	run(t, e, args)
	g, h := floats(read(t, args[0])), floats(read(t, args[1]))
	for i := range u {
		require.Equal(t, v[i], g[i])
		require.Equal(t, -u[i], h[i])
	}
}
