package ir_test

import (
	"math"
	"testing"

	"github.com/fornax-ml/fornax/tensor/ir"
)

// f16 spells IEEE binary16 out.
func f16(h int) float64 {
	e, m := h>>10&31, float64(h&0x3ff)
	x := math.Ldexp(1+m/1024, e-15)
	switch {
	case e == 31 && m != 0:
		return math.NaN()
	case e == 31:
		x = math.Inf(1)
	case e == 0:
		x = math.Ldexp(m, -24)
	}
	if h&0x8000 != 0 {
		x = -x
	}
	return x
}

func bf16(h int) float64 { return float64(math.Float32frombits(uint32(h) << 16)) }

// Each half widens to what its bits say and comes back; between two
// neighbours rounding goes to the nearer, ties to the even one.
func TestHalves(t *testing.T) {
	for _, c := range []struct {
		d     ir.DType
		value func(int) float64
		inf   int
		limit float64 // the value after the largest
	}{{ir.F16, f16, 0x7c00, 65536}, {ir.BF16, bf16, 0x7f80, 0x1p128}} {
		for h := range 1 << 16 {
			want := c.value(h)
			got := ir.BitsFloat(c.d, uint64(h))
			if got != want && (got == got || want == want) || math.Signbit(got) != math.Signbit(want) && want == want {
				t.Fatalf("%v %#x: %v, want %v", c.d, h, got, want)
			}
			back := ir.FloatBits(c.d, want)
			if want != want {
				if x := ir.BitsFloat(c.d, back); x == x {
					t.Fatalf("%v: NaN %#x becomes %#x", c.d, h, back)
				}
				continue
			}
			if back != uint64(h) {
				t.Fatalf("%v: %#x comes back as %#x", c.d, h, back)
			}
			if h >= c.inf {
				continue // the negative half mirrors
			}
			next := c.value(h + 1)
			if h+1 == c.inf {
				next = c.limit
			}
			mid := want + (next-want)/2
			even := h + h&1
			for _, r := range []struct {
				x    float64
				want int
			}{
				{mid, even},
				{float64(math.Nextafter32(float32(mid), 0)), h},
				{float64(math.Nextafter32(float32(mid), float32(math.Inf(1)))), h + 1},
			} {
				if float64(float32(mid)) != mid {
					continue // a bfloat16 subnormal's middle may need more than a float32
				}
				if got := ir.FloatBits(c.d, r.x); got != uint64(r.want) {
					t.Fatalf("%v: %v rounds to %#x, want %#x", c.d, r.x, got, r.want)
				}
				if got := ir.FloatBits(c.d, -r.x); got != uint64(r.want|0x8000) {
					t.Fatalf("%v: %v rounds to %#x, want %#x", c.d, -r.x, got, r.want|0x8000)
				}
			}
		}
	}
}

func TestFloatBits(t *testing.T) {
	inf, nan := math.Inf(1), math.NaN()
	for _, c := range []struct {
		d    ir.DType
		v    float64
		want uint64
	}{
		{ir.F32, 1, 0x3f800000}, {ir.F64, 1, 0x3ff0000000000000}, {ir.F16, 1, 0x3c00}, {ir.BF16, 1, 0x3f80},
		{ir.F32, 1e300, 0x7f800000}, {ir.F16, 65519, 0x7bff}, {ir.F16, 65520, 0x7c00}, {ir.F16, -inf, 0xfc00},
		{ir.I8, 127.9, 127}, {ir.I8, 128, 127}, {ir.I8, -1, 255}, {ir.I8, -128.9, 128}, {ir.I8, -inf, 128}, {ir.I8, nan, 0},
		{ir.U8, -1, 0}, {ir.U8, -0.9, 0}, {ir.U8, 255.9, 255}, {ir.U8, inf, 255},
		{ir.I32, 3e9, 0x7fffffff}, {ir.I32, -3e9, 0x80000000}, {ir.I32, -2.9, 0xfffffffe},
		{ir.U32, 3e9, 3000000000}, {ir.U32, 1e10, 0xffffffff}, {ir.U32, -1, 0},
		{ir.I64, 1e19, math.MaxInt64}, {ir.I64, -1e19, 1 << 63}, {ir.I64, 0x1p63, math.MaxInt64}, {ir.I64, -0x1p63, 1 << 63},
		{ir.Bool, 0.1, 1}, {ir.Bool, 0, 0}, {ir.Bool, math.Copysign(0, -1), 0}, {ir.Bool, nan, 1},
	} {
		if got := ir.FloatBits(c.d, c.v); got != c.want {
			t.Errorf("FloatBits(%v, %v) = %#x, want %#x", c.d, c.v, got, c.want)
		}
	}
}

func TestIntBits(t *testing.T) {
	for _, c := range []struct {
		d    ir.DType
		v    int64
		want uint64
		back int64
	}{
		{ir.I8, 300, 44, 44}, {ir.I8, 200, 200, -56}, {ir.U8, -1, 255, 255}, {ir.I32, 1 << 31, 1 << 31, -1 << 31},
		{ir.U32, -1, 0xffffffff, 0xffffffff}, {ir.I64, -1, math.MaxUint64, -1}, {ir.Bool, 2, 1, 1}, {ir.Bool, 0, 0, 0},
		{ir.F32, 1<<24 + 1, 0x4b800000, 1 << 24}, {ir.F16, 2049, 0x6800, 2048}, {ir.F16, 70000, 0x7c00, math.MaxInt64},
		// Halves round by way of float32, as devices do it.
		{ir.BF16, 1<<40 + 1<<32 + 1, 0x5380, 1 << 40}, {ir.F64, 1<<53 + 1, 0x4340000000000000, 1 << 53},
	} {
		if got := ir.IntBits(c.d, c.v); got != c.want {
			t.Errorf("IntBits(%v, %v) = %#x, want %#x", c.d, c.v, got, c.want)
		}
		if got := ir.BitsInt(c.d, c.want); got != c.back {
			t.Errorf("BitsInt(%v, %#x) = %v, want %v", c.d, c.want, got, c.back)
		}
	}
}

func TestPutBits(t *testing.T) {
	for _, d := range ir.Any.List() {
		b := make([]byte, 3*d.Size()+1)
		want := ir.IntBits(d, 77)
		ir.PutBits(d, b, 1, want)
		if got := ir.GetBits(d, b, 1); got != want || ir.GetBits(d, b, 0) != 0 || ir.GetBits(d, b, 2) != 0 {
			t.Errorf("%v: got %#x, want %#x in %v", d, got, want, b)
		}
		if e, err := ir.ParseDType(d.String()); e != d || err != nil {
			t.Errorf("%v: parsed as %v, %v", d, e, err)
		}
	}
	if n := ir.SlotBytes(ir.F16, 3); n != 8 {
		t.Errorf("f16[3] takes %d bytes", n)
	}
}

// Known answers of Random123's kat_vectors.
func TestPhilox(t *testing.T) {
	const ones = math.MaxUint32
	for _, c := range []struct {
		ctr  [4]uint32
		key  [2]uint32
		want [4]uint32
	}{
		{[4]uint32{}, [2]uint32{}, [4]uint32{0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8}},
		{[4]uint32{ones, ones, ones, ones}, [2]uint32{ones, ones}, [4]uint32{0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd}},
		{[4]uint32{0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344}, [2]uint32{0xa4093822, 0x299f31d0}, [4]uint32{0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1}},
	} {
		if got := ir.Philox(c.ctr, c.key); got != c.want {
			t.Errorf("Philox(%x, %x) = %x, want %x", c.ctr, c.key, got, c.want)
		}
	}
	block := ir.Philox([4]uint32{5, 0, 3, 4}, [2]uint32{1, 2})
	for i := range uint32(4) {
		if got := ir.PhiloxAt(20+i, 1, 2, 3, 4); got != block[i] {
			t.Errorf("word %d: %x, want %x", i, got, block[i])
		}
	}
}
