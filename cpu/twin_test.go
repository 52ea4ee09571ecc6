package cpu_test

import (
	"encoding/binary"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/fornax-ml/fornax/cpu"
	"github.com/fornax-ml/fornax/tensor/ir"
	"github.com/stretchr/testify/require"
)

var dtypes = []ir.DType{ir.F32, ir.F16, ir.BF16, ir.F64, ir.I8, ir.U8, ir.I32, ir.U32, ir.I64, ir.Bool}

// twinSizes are those of a few vectors and of blocks, give or take an element.
var twinSizes = []int{1, 2, 3, 4, 5, 7, 8, 9, 15, 16, 17, 31, 32, 33, 47, 63, 64, 65, 100, 127, 129, 1023, 1024, 1025, 3001}

// twinDevices are of one worker each, the portable one first.
func twinDevices(t *testing.T) (names []string, devices []*cpu.Device) {
	names = slices.Clone(cpu.Levels())
	slices.Reverse(names)
	for _, level := range names {
		d := cpu.New(cpu.Options{Level: level, Workers: 1})
		t.Cleanup(func() { d.Close() })
		devices = append(devices, d)
	}
	return names, devices
}

// compute runs a program on a device, on the given inputs.
func compute(t testing.TB, d *cpu.Device, p *prog, inputs [][]byte) []byte {
	t.Helper()
	e, bufs := setup(t, d, p)
	defer e.Free()
	for i, raw := range inputs {
		require.NoError(t, bufs[i].Write(0, raw))
	}
	run(t, e, bufs)
	out := read(t, bufs[len(inputs)])
	for _, b := range bufs {
		b.Free()
	}
	return out
}

// patterns returns n elements of d: any bits, small numbers and those that
// conversions get wrong.
func patterns(rng *rand.Rand, d ir.DType, n int) []byte {
	edges := []float64{
		0, math.Copysign(0, -1), 1, -1, 0.5, 2.5, 254.5, 255.5, 256, -128.5, 65504, 65519.9, 65520, 0x1p-14, 0x1p-15, 0x1p-24, 0x1p-25, 0x3p-25,
		0x1p-126, 0x1p-149, 2147483520, 2147483647, 2147483648, -2147483648, -2147483904, 4294967040, 4294967296, 9223371487098961920, 9223372036854775808,
		math.Inf(1), math.Inf(-1), math.NaN(), math.MaxFloat32,
	}
	raw := make([]byte, ir.SlotBytes(d, n))
	for i := range n {
		bits := rng.Uint64()
		switch rng.IntN(3) {
		case 0:
			bits = ir.FloatBits(d, edges[rng.IntN(len(edges))])
		case 1:
			bits = ir.FloatBits(d, float64(rng.IntN(80)-40)/2)
		}
		if d == ir.Bool {
			bits &= 1
		}
		ir.PutBits(d, raw, i, bits)
	}
	return raw
}

// twins compares what a chain of two dtypes gives at every level with what it
// gives in Go. Where loose is set NaN may differ in their bits.
func twins(t *testing.T, to ir.DType, chain ir.Chain, loose bool, from ...ir.DType) {
	t.Helper()
	rng := rand.New(rand.NewPCG(9, 10))
	names, devices := twinDevices(t)
	for i, n := range twinSizes {
		if (testing.Short() || race) && i%4 > 0 {
			continue
		}
		p := typedProg(n, to, chain, from...)
		var inputs [][]byte
		for _, d := range from {
			inputs = append(inputs, patterns(rng, d, n))
		}
		var want []byte
		for i, d := range devices {
			got := compute(t, d, p, inputs)
			if want == nil {
				want = got
			}
			for k := range n {
				x, y := ir.GetBits(to, want, k), ir.GetBits(to, got, k)
				if x == y || loose && to.IsFloat() && math.IsNaN(ir.BitsFloat(to, x)) && math.IsNaN(ir.BitsFloat(to, y)) {
					continue
				}
				var args []string
				for j, d := range from {
					args = append(args, fmt.Sprintf("%#x", ir.GetBits(d, inputs[j], k)))
				}
				t.Fatalf("%s, element %d of %d: of %v %#x, want %#x", names[i], k, n, args, y, x)
			}
		}
	}
}

// What is exact has equal bits at all levels.
func TestTwinOps(t *testing.T) {
	for o := ir.Op(1); o < ir.NumOps; o++ {
		in := o.Info()
		if in.Kind != ir.KindElementwise || in.Arity > 3 || o == ir.OpCast {
			continue
		}
		for _, d := range dtypes {
			if in.Args&(1<<d) == 0 || (mathBounds[o] > 0 || o == ir.OpPow) && d != ir.F64 {
				continue
			}
			t.Run(fmt.Sprintf("%v/%v", o, d), func(t *testing.T) {
				var chain ir.Chain
				var from []ir.DType
				var args []int
				for k := range in.Arity {
					a := d
					if o == ir.OpWhere && k == 0 {
						a = ir.Bool
					}
					from, args, chain = append(from, a), append(args, k), append(chain, ld(a, k))
				}
				twins(t, o.ResultType(d), append(chain, op(o, d, args...)), true, from...)
			})
		}
	}
}

// So do conversions, NaN included.
func TestTwinCasts(t *testing.T) {
	for _, from := range dtypes {
		for _, to := range dtypes {
			t.Run(fmt.Sprintf("%v/%v", from, to), func(t *testing.T) {
				cast := ir.Step{Op: ir.OpCast, DType: to, From: from, Args: []int{0}}
				twins(t, to, ir.Chain{ld(from, 0), cast}, false, from)
			})
		}
	}
}

// Halves convert as package ir says: every one to float32, a sweep of float32
// back, and every step of a chain.
func TestHalves(t *testing.T) {
	for _, h := range []struct {
		d      ir.DType
		widen  func(uint16) float32
		narrow func(float32) uint16
	}{{ir.F16, ir.F16ToFloat32, ir.F16FromFloat32}, {ir.BF16, ir.BF16ToFloat32, ir.BF16FromFloat32}} {
		eachLevel(t, func(t *testing.T, level string) {
			d := cpu.New(cpu.Options{Level: level})
			defer d.Close()
			through := func(from, to ir.DType, raw []byte, steps ...ir.Step) []byte {
				n := len(raw) / from.Size()
				p := typedProg(n, to, append(ir.Chain{ld(from, 0)}, steps...), from)
				return compute(t, d, p, [][]byte{raw})
			}
			raw := make([]byte, 2<<16)
			for i := range 1 << 16 {
				binary.LittleEndian.PutUint16(raw[2*i:], uint16(i))
			}
			wide := through(h.d, ir.F32, raw, ir.Step{Op: ir.OpCast, DType: ir.F32, From: h.d, Args: []int{0}})
			for i, v := range integers(wide) {
				if want := math.Float32bits(h.widen(uint16(i))); v != want {
					t.Fatalf("%v %#x is %#x, want %#x", h.d, i, v, want)
				}
			}
			chunk := sweepChunk()
			raw = make([]byte, 4*chunk)
			step := sweepStep()
			for b := uint64(0); b < 1<<32; {
				for i := range chunk {
					binary.LittleEndian.PutUint32(raw[4*i:], uint32(b))
					b += step
				}
				cast := ir.Step{Op: ir.OpCast, DType: h.d, From: ir.F32, Args: []int{0}}
				back := ir.Step{Op: ir.OpCast, DType: ir.F32, From: h.d, Args: []int{1}}
				narrow, round := through(ir.F32, h.d, raw, cast), integers(through(ir.F32, ir.F32, raw, cast, back))
				for i, v := range floats(raw) {
					want := h.narrow(v)
					if got := binary.LittleEndian.Uint16(narrow[2*i:]); got != want {
						t.Fatalf("%v of %#x is %#x, want %#x", h.d, math.Float32bits(v), got, want)
					}
					if got := round[i]; got != math.Float32bits(h.widen(want)) {
						t.Fatalf("%v of %#x as float32 is %#x, want %#x", h.d, math.Float32bits(v), got, math.Float32bits(h.widen(want)))
					}
				}
			}
		})
	}
}
