package cpu_test

import (
	"math"
	"math/rand/v2"
	"os"
	"strconv"
	"testing"

	"github.com/fornax-ml/fornax/cpu"
	"github.com/fornax-ml/fornax/tensor/ir"
	"github.com/stretchr/testify/require"
)

// apply runs a chain over float32 arguments and returns its float32 results.
func apply(t testing.TB, d *cpu.Device, chain ir.Chain, args ...[]float32) []float32 {
	t.Helper()
	f := newFunction(t, d, chain, len(args[0]), len(args))
	defer f.free()
	return f.of(args...)
}

// A function is a chain over n elements, to be applied many times.
type function struct {
	t    testing.TB
	e    ir.Executable
	bufs []ir.Buffer
}

func newFunction(t testing.TB, d *cpu.Device, chain ir.Chain, n, args int) *function {
	t.Helper()
	e, bufs := setup(t, d, mapProg(n, args, chain))
	return &function{t: t, e: e, bufs: bufs}
}

func (f *function) of(args ...[]float32) []float32 {
	f.t.Helper()
	for i, a := range args {
		write(f.t, f.bufs[i], a)
	}
	run(f.t, f.e, f.bufs)
	return floats(read(f.t, f.bufs[len(args)]))
}

func (f *function) free() {
	f.e.Free()
	for _, b := range f.bufs {
		b.Free()
	}
}

// ulps returns the distance of got from the float64 want in float32 ulps.
func ulps(got float32, want float64) float64 {
	w := float32(want)
	switch {
	case math.IsNaN(want) || got != got:
		if math.IsNaN(want) && got != got {
			return 0
		}
		return math.Inf(1)
	case got == w:
		return 0
	case math.IsInf(float64(w), 0) || math.IsInf(float64(got), 0):
		return math.Inf(1)
	}
	_, e := math.Frexp(want)
	ulp := math.Ldexp(1, max(e-24, -149))
	return math.Abs(float64(got)-want) / ulp
}

// mathBounds are the errors in ulp that the levels of assembly keep, over all
// float32; 0.51 is that of the portable functions, which round once.
var mathBounds = map[ir.Op]float64{
	ir.OpRsqrt: 1.6, ir.OpExp: 1, ir.OpExp2: 1, ir.OpExpm1: 2, ir.OpLog: 1, ir.OpLog2: 2, ir.OpLog1p: 2, ir.OpSin: 2, ir.OpCos: 2, ir.OpTan: 3.5,
	ir.OpAsin: 3, ir.OpAcos: 2, ir.OpAtan: 2, ir.OpSinh: 3, ir.OpCosh: 2, ir.OpTanh: 3, ir.OpErf: 3, ir.OpSigmoid: 3, ir.OpAtan2: 3,
}

func mathBound(level string, o ir.Op) float64 {
	if b := mathBounds[o]; b > 0 && level != "portable" {
		return b
	}
	return 0.51
}

// A worst is the largest error of a function, in ulp, and where it is.
type worst struct {
	ulp float64
	x   []float32
	got float32
}

// check notes the errors of y, the results of o on args. near are results known
// to be within 0.51 ulp, or nil: results close enough to them are not compared with
// the float64 function, which is slow.
func (w *worst) check(o ir.Op, y, near []float32, args ...[]float32) {
	x := make([]float64, len(args))
	for i, v := range y {
		if near != nil && between(v, near[i])+0.51 <= w.ulp {
			continue
		}
		for k := range args {
			x[k] = float64(args[k][i])
		}
		if u := ulps(v, o.Info().Float(x)); u > w.ulp {
			w.ulp, w.got, w.x = u, v, w.x[:0]
			for k := range args {
				w.x = append(w.x, args[k][i])
			}
		}
	}
}

// between returns the steps from a float32 to another one of the same exponent,
// and infinity where the exponents differ; two NaN are equal.
func between(a, b float32) float64 {
	x, y := math.Float32bits(a), math.Float32bits(b)
	switch {
	case x == y || a != a && b != b:
		return 0
	case x>>23 != y>>23:
		return math.Inf(1)
	}
	return math.Abs(float64(x) - float64(y))
}

// sweepStep is the distance of the bit patterns that sweeps take; with
// FORNAX_TEST_LONG=n it is n.
func sweepStep() uint64 {
	if n, err := strconv.ParseUint(os.Getenv("FORNAX_TEST_LONG"), 10, 32); err == nil && n > 0 {
		return n
	}
	if testing.Short() || race {
		return 100003
	}
	return 2003
}

// ordinary is how many numbers of moderate size tests take besides.
func ordinary() int {
	if testing.Short() || race {
		return 10000
	}
	return 100000
}

// sweepChunk is how many elements sweeps take at a time.
func sweepChunk() int { return int(min(1<<32/sweepStep()+1, 1<<18)) }

// The float32 functions are within their bounds of the float64 ones, and have
// the same special values, over a sweep of bit patterns.
func TestMath32(t *testing.T) {
	step := sweepStep()
	inf := float32(math.Inf(1))
	special := []float32{0, float32(math.Copysign(0, -1)), 1, -1, inf, -inf, float32(math.NaN()), 0.5, 2, 88.72284, -87.33655, -103.97, 127.9, -149.5, 1e-45}
	for i := range ordinary() {
		special = append(special, float32(i-ordinary()/2)*40/float32(ordinary()))
	}
	twin := cpu.New(cpu.Options{Level: "portable"})
	defer twin.Close()
	eachLevel(t, func(t *testing.T, level string) {
		d := cpu.New(cpu.Options{Level: level})
		defer d.Close()
		for _, o := range []ir.Op{
			ir.OpSqrt, ir.OpRsqrt, ir.OpReciprocal, ir.OpExp, ir.OpExp2, ir.OpExpm1, ir.OpLog, ir.OpLog2, ir.OpLog1p, ir.OpSin, ir.OpCos, ir.OpTan,
			ir.OpAsin, ir.OpAcos, ir.OpAtan, ir.OpSinh, ir.OpCosh, ir.OpTanh, ir.OpErf, ir.OpSigmoid,
		} {
			t.Run(o.String(), func(t *testing.T) {
				var w worst
				chain := ir.Chain{ld(ir.F32, 0), op(o, ir.F32, 0)}
				w.check(o, apply(t, d, chain, special), nil, special)
				size := sweepChunk()
				f, g := newFunction(t, d, chain, size, 1), newFunction(t, twin, chain, size, 1)
				defer f.free()
				defer g.free()
				x := make([]float32, size)
				for b := uint64(0); b < 1<<32; {
					for i := range x { // the last ones wrap
						x[i] = math.Float32frombits(uint32(b))
						b += step
					}
					var near []float32
					if level != "portable" {
						near = g.of(x)
					}
					w.check(o, f.of(x), near, x)
				}
				require.LessOrEqual(t, w.ulp, mathBound(level, o), "at %g: %g", w.x, w.got)
				t.Logf("%.4f ulp at %g", w.ulp, w.x)
			})
		}
	})
}

// So are those of two arguments, for all pairs of special values, over ordinary
// numbers and over random bit patterns. pow is always rounded once.
func TestPow32(t *testing.T) {
	inf, nan := float32(math.Inf(1)), float32(math.NaN())
	var x, y []float32
	special := []float32{
		0, 1, 2, 0.5, 3, 4, 5, 2.5, 1e-3, inf, nan, 1e-40, 1e-45, 1e38, math.MaxFloat32, 0x1p-126, 1 - 0x1p-24, 1 + 0x1p-23,
		1<<24 - 1, 1 << 24, 1<<24 + 2, 1<<23 - 1, 1<<23 - 0.5, 1 << 31, 127, 128, 126.5, 149, 150,
	}
	for _, v := range special {
		special = append(special, -v)
	}
	for _, a := range special {
		for _, b := range special {
			x, y = append(x, a), append(y, b)
		}
	}
	for i := range 3 * ordinary() {
		a := math.Float32frombits(uint32(i) * 7151)
		b := float32(i%2001-1000) / 50
		x, y = append(x, a, 1+float32(i)/1e5), append(y, b, b*7)
	}
	rng := rand.New(rand.NewPCG(5, 6))
	n := int(min(1<<32/sweepStep(), 1<<26))
	for range n {
		a, b := math.Float32frombits(rng.Uint32()), math.Float32frombits(rng.Uint32())
		// Most of these powers are 0 or infinite: choose others that are not.
		if i := rng.IntN(4); i > 0 && a > 0 {
			b = (rng.Float32()*300 - 150) / float32(math.Abs(math.Log2(float64(a))))
		}
		x, y = append(x, a), append(y, b)
	}
	twin := cpu.New(cpu.Options{Level: "portable"})
	defer twin.Close()
	eachLevel(t, func(t *testing.T, level string) {
		d := cpu.New(cpu.Options{Level: level})
		defer d.Close()
		for _, o := range []ir.Op{ir.OpPow, ir.OpAtan2} {
			chain := ir.Chain{ld(ir.F32, 0), ld(ir.F32, 1), op(o, ir.F32, 0, 1)}
			var w worst
			var near []float32
			if level != "portable" {
				near = apply(t, twin, chain, x, y)
			}
			w.check(o, apply(t, d, chain, x, y), near, x, y)
			require.LessOrEqual(t, w.ulp, mathBound(level, o), "%v(%g): %g", o, w.x, w.got)
			t.Logf("%v: %.4f ulp at %g", o, w.ulp, w.x)
		}
	})
}

// An element's result does not depend on its place, nor on what is beside it.
func TestPlace32(t *testing.T) {
	x, y := make([]float32, 1100), make([]float32, 1100)
	rng := rand.New(rand.NewPCG(7, 8))
	for i := range x {
		x[i], y[i] = float32(rng.NormFloat64()*3), float32(rng.NormFloat64()*3)
		if i%17 == 0 {
			x[i] = math.Float32frombits(rng.Uint32())
		}
	}
	eachLevel(t, func(t *testing.T, level string) {
		d := cpu.New(cpu.Options{Level: level, Workers: 1})
		defer d.Close()
		for o := ir.Op(1); o < ir.NumOps; o++ {
			in := o.Info()
			if in.Kind != ir.KindElementwise || in.Arity > 2 || in.Args&(1<<ir.F32) == 0 || o.ResultType(ir.F32) != ir.F32 {
				continue
			}
			f := func(from, to int) []float32 {
				if in.Arity == 1 {
					return apply(t, d, ir.Chain{ld(ir.F32, 0), op(o, ir.F32, 0)}, x[from:to])
				}
				return apply(t, d, ir.Chain{ld(ir.F32, 0), ld(ir.F32, 1), op(o, ir.F32, 0, 1)}, x[from:to], y[from:to])
			}
			all := f(0, len(x))
			for n := 1; n < 70; n++ {
				from := 13 * n
				for i, v := range f(from, from+n) {
					if want := all[from+i]; math.Float32bits(v) != math.Float32bits(want) && (v == v || want == want) {
						t.Fatalf("%v(%g, %g) is %g, and %g as element %d of %d", o, x[from+i], y[from+i], want, v, i, n)
					}
				}
			}
		}
	})
}

// The sign of zero survives where the mathematics says so.
func TestSignedZero(t *testing.T) {
	eachLevel(t, signedZero)
}

func signedZero(t *testing.T, level string) {
	d := cpu.New(cpu.Options{Level: level})
	defer d.Close()
	x := []float32{float32(math.Copysign(0, -1))}
	for _, o := range []ir.Op{ir.OpSin, ir.OpTan, ir.OpTanh, ir.OpSinh, ir.OpExpm1, ir.OpLog1p, ir.OpErf, ir.OpAtan, ir.OpAsin, ir.OpSqrt, ir.OpFloor, ir.OpTrunc} {
		require.True(t, math.Signbit(float64(apply(t, d, ir.Chain{ld(ir.F32, 0), op(o, ir.F32, 0)}, x)[0])), o.String())
	}
	require.False(t, math.Signbit(float64(apply(t, d, ir.Chain{ld(ir.F32, 0), op(ir.OpRelu, ir.F32, 0)}, x)[0])))
}
