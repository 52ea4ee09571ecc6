package devicetest

import (
	"testing"

	"github.com/fornax-ml/fornax/tensor/ir"
	"github.com/fornax-ml/fornax/tensor/ir/ref"
)

// edges are floats around the ends of the integer dtypes and where halves
// round.
var edges = []float64{
	0.49999997, 0.50000006, 0.99999994, -0.99999994, 126.5, 127, 127.5, 128, 128.5, -127.5, -128, -128.5, -129, 254.5, 255, 255.5, 256, 300, -300,
	32767.5, 65504, 65519, 65520, 65536, 1e5, -1e5, 2147483520, 2147483648, 2147483904, -2147483648, -2147483904, 4294967040, 4294967296, 1e10, -1e10,
	9223371487098961920, 9223372036854775808, -9223372036854775808, 1e19, -1e19, 1 + 0x1p-11, 1 + 0x3p-11, 1 + 0x1p-8, 1 + 0x3p-8, 2049, 2051, 257, 259,
	0x1p-14, 0x1p-15, 0x1p-24, 0x1p-25, 0x3p-25, 0x1.8p-24, -0x1p-24, 1.0 / 3,
}

// testCast converts every dtype into every other, exactly.
func (s *suite) testCast(t *testing.T) {
	for _, to := range s.dtypes(ir.Any) {
		s.op(t, ir.OpCast, to, func(t *testing.T) {
			for _, from := range s.dtypes(ir.Any) {
				s.sub(t, from.String(), func(t *testing.T) {
					b := &builder{}
					r := ref.Rand(1, "cast"+from.String())
					for _, v := range []ref.Values{ref.Uniform(r, from, 257, -300, 300), ref.AnyBits(r, from, 255), ref.Specials(from), edgeValues(from)} {
						var c chain
						n := v.Len()
						x := c.cast(to, c.load(from, b.input(v), contiguous(n)))
						if n == 257 && from == to {
							x = c.cast(to, x)
						}
						c.output(b, n, x)
						b.add(c.asMap(n))
					}
					s.check(t, b, exact)
				})
			}
			if to == ir.F16 || to == ir.BF16 {
				s.sub(t, "all", func(t *testing.T) { s.allHalves(t, to) })
			}
		})
	}
}

// allHalves widens every half of d, and rounds the floats around every place where
// rounding turns.
func (s *suite) allHalves(t *testing.T, d ir.DType) {
	every, around := ref.New(d, 1<<16), ref.New(ir.F32, 3<<16)
	for h := range uint32(1 << 16) {
		every.F[h] = ir.BitsFloat(d, uint64(h))
		low, high := ir.FloatBits(ir.F32, every.F[h]), ir.FloatBits(ir.F32, ir.BitsFloat(d, uint64(h+1)&0xffff))
		middle := low + (high-low)/2 // in bits: halfway between neighbours of one sign
		for k := range uint64(3) {
			around.F[3*h+uint32(k)] = ir.BitsFloat(ir.F32, (middle+k-1)&0xffffffff)
		}
	}
	b := &builder{}
	for _, x := range []struct {
		v  ref.Values
		to ir.DType
	}{{every, ir.F32}, {around, d}} {
		var c chain
		n := x.v.Len()
		c.output(b, n, c.cast(x.to, c.load(x.v.DType, b.input(x.v), contiguous(n))))
		b.add(c.asMap(n))
	}
	s.check(t, b, exact)
}

func edgeValues(d ir.DType) ref.Values {
	v := ref.New(d, len(edges))
	for i, x := range edges {
		if d.IsFloat() {
			v.F[i] = ir.BitsFloat(d, ir.FloatBits(d, x))
		} else {
			v.I[i] = ir.SaturateInt(d, x)
		}
	}
	return v
}
