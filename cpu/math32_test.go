package cpu_test

import (
	"math"
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
	p := mapProg(len(args[0]), len(args), chain)
	e, bufs := setup(t, d, p)
	defer e.Free()
	for i, a := range args {
		write(t, bufs[i], a)
	}
	run(t, e, bufs)
	out := floats(read(t, bufs[len(args)]))
	for _, b := range bufs {
		b.Free()
	}
	return out
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

// mathBounds are the errors in ulp that the levels keep; 0.51 is that of the
// portable functions, which round once.
var mathBounds = map[ir.Op]float64{
	ir.OpRsqrt: 1.6, ir.OpExp: 1, ir.OpLog: 1, ir.OpSin: 2, ir.OpCos: 2, ir.OpTanh: 3, ir.OpErf: 3, ir.OpSigmoid: 3,
}

func mathBound(level string, o ir.Op) float64 {
	if b := mathBounds[o]; b > 0 && level != "portable" {
		return b
	}
	return 0.51
}

// The float32 functions are within their bounds of the float64 ones, and have
// the same special values, over a sweep of bit patterns: every 2003rd, or with
// FORNAX_TEST_LONG=n every n-th.
func TestMath32(t *testing.T) {
	step := uint64(2003)
	if testing.Short() || race {
		step = 100003
	}
	if n, err := strconv.ParseUint(os.Getenv("FORNAX_TEST_LONG"), 10, 32); err == nil && n > 0 {
		step = n
	}
	inf := float32(math.Inf(1))
	special := []float32{0, float32(math.Copysign(0, -1)), 1, -1, inf, -inf, float32(math.NaN()), 0.5, 2, 88.72284, -87.33655, -103.97, 127.9, -149.5, 1e-45}
	for i := range 100000 { // and ordinary numbers
		special = append(special, float32(i-50000)/2500)
	}
	eachLevel(t, func(t *testing.T, level string) {
		d := cpu.New(cpu.Options{Level: level})
		defer d.Close()
		for _, o := range []ir.Op{
			ir.OpSqrt, ir.OpRsqrt, ir.OpReciprocal, ir.OpExp, ir.OpExp2, ir.OpExpm1, ir.OpLog, ir.OpLog2, ir.OpLog1p, ir.OpSin, ir.OpCos, ir.OpTan,
			ir.OpAsin, ir.OpAcos, ir.OpAtan, ir.OpSinh, ir.OpCosh, ir.OpTanh, ir.OpErf, ir.OpSigmoid,
		} {
			t.Run(o.String(), func(t *testing.T) {
				worst, at, got := 0.0, float32(0), float32(0)
				check := func(x []float32) {
					y := apply(t, d, ir.Chain{ld(ir.F32, 0), op(o, ir.F32, 0)}, x)
					for i, v := range x {
						if u := ulps(y[i], o.Info().Float([]float64{float64(v)})); u > worst {
							worst, at, got = u, v, y[i]
						}
					}
				}
				check(special)
				x := make([]float32, 0, 1<<22)
				for b := uint64(0); b < 1<<32; b += step {
					if x = append(x, math.Float32frombits(uint32(b))); len(x) == cap(x) {
						check(x)
						x = x[:0]
					}
				}
				if len(x) > 0 {
					check(x)
				}
				require.LessOrEqual(t, worst, mathBound(level, o), "at %g: %g", at, got)
				t.Logf("%.4f ulp at %g", worst, at)
			})
		}
	})
}

func TestPow32(t *testing.T) {
	d := cpu.New(cpu.Options{})
	defer d.Close()
	inf, nan := float32(math.Inf(1)), float32(math.NaN())
	var x, y []float32
	special := []float32{0, float32(math.Copysign(0, -1)), 1, -1, 2, -2, 0.5, 3, -3, inf, -inf, nan, 1e-40, 1e38, -1e38}
	for _, a := range special {
		for _, b := range special {
			x, y = append(x, a), append(y, b)
		}
	}
	for i := range 300000 {
		a := math.Float32frombits(uint32(i) * 7151)
		b := float32(i%2001-1000) / 50
		x, y = append(x, a, 1+float32(i)/1e5), append(y, b, b*7)
	}
	for _, o := range []ir.Op{ir.OpPow, ir.OpAtan2} {
		z := apply(t, d, ir.Chain{ld(ir.F32, 0), ld(ir.F32, 1), op(o, ir.F32, 0, 1)}, x, y)
		for i := range x {
			want := o.Info().Float([]float64{float64(x[i]), float64(y[i])})
			require.LessOrEqual(t, ulps(z[i], want), 0.6, "%v(%g, %g) = %g, want %g", o, x[i], y[i], z[i], want)
		}
	}
}

// The sign of zero survives where the mathematics says so.
func TestSignedZero(t *testing.T) {
	d := cpu.New(cpu.Options{})
	defer d.Close()
	x := []float32{float32(math.Copysign(0, -1))}
	for _, o := range []ir.Op{ir.OpSin, ir.OpTan, ir.OpTanh, ir.OpSinh, ir.OpExpm1, ir.OpLog1p, ir.OpErf, ir.OpAtan, ir.OpAsin, ir.OpSqrt, ir.OpFloor, ir.OpTrunc} {
		require.True(t, math.Signbit(float64(apply(t, d, ir.Chain{ld(ir.F32, 0), op(o, ir.F32, 0)}, x)[0])), o.String())
	}
	require.False(t, math.Signbit(float64(apply(t, d, ir.Chain{ld(ir.F32, 0), op(ir.OpRelu, ir.F32, 0)}, x)[0])))
}
