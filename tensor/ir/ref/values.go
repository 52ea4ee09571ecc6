package ref

import (
	"fmt"
	"math"

	"github.com/fornax-ml/fornax/tensor/ir"
)

// Values is an array of one dtype: F for float dtypes, I for integers and
// Bool.
type Values struct {
	DType ir.DType
	F     []float64
	I     []int64
}

// New returns n zeros.
func New(d ir.DType, n int) Values {
	if d.IsFloat() {
		return Values{DType: d, F: make([]float64, n)}
	}
	return Values{DType: d, I: make([]int64, n)}
}

// FromBytes returns the first n elements of a packed array.
func FromBytes(d ir.DType, b []byte, n int) Values {
	v := New(d, n)
	for i := range n {
		v.setBits(i, ir.GetBits(d, b, i))
	}
	return v
}

// Len returns the number of elements.
func (v Values) Len() int { return max(len(v.F), len(v.I)) }

// Bytes returns the packed array, floats rounded to the dtype, padded with
// zeros to SlotBytes.
func (v Values) Bytes() []byte {
	b := make([]byte, ir.SlotBytes(v.DType, v.Len()))
	for i := range v.Len() {
		ir.PutBits(v.DType, b, i, v.Bits(i))
	}
	return b
}

// Bits returns element i in the memory format of the dtype.
func (v Values) Bits(i int) uint64 { return v.at(i).bits(v.DType) }

// Clone returns values that share nothing with v.
func (v Values) Clone() Values {
	w := New(v.DType, v.Len())
	copy(w.F, v.F)
	copy(w.I, v.I)
	return w
}

func (v Values) setBits(i int, bits uint64) { v.set(i, fromBits(v.DType, bits)) }

func (v Values) at(i int) num {
	if v.F != nil {
		return num{f: v.F[i]}
	}
	return num{i: v.I[i]}
}

func (v Values) set(i int, x num) {
	if v.F != nil {
		v.F[i] = x.f
	} else {
		v.I[i] = x.i
	}
}

// A num is one value: f of a float dtype, i of the others.
type num struct {
	f float64
	i int64
}

func fromBits(d ir.DType, bits uint64) num {
	if d.IsFloat() {
		return num{f: ir.BitsFloat(d, bits)}
	}
	return num{i: ir.BitsInt(d, bits)}
}

func (x num) bits(d ir.DType) uint64 {
	if d.IsFloat() {
		return ir.FloatBits(d, x.f)
	}
	return ir.IntBits(d, x.i)
}

// round returns the value that memory of dtype d would hold.
func (x num) round(d ir.DType) num { return fromBits(d, x.bits(d)) }

// ULP returns the spacing of dtype d at magnitude |x|: the distance between
// the two neighbouring values of the dtype that bracket it.
func ULP(d ir.DType, x float64) float64 {
	bits, emin := 24, -126
	switch d {
	case ir.F16:
		bits, emin = 11, -14
	case ir.BF16:
		bits, emin = 8, -126
	case ir.F64:
		bits, emin = 53, -1022
	}
	if x == 0 {
		return math.Ldexp(1, emin-(bits-1))
	}
	_, e := math.Frexp(x) // |x| = m·2^e, 0.5 <= m < 1
	return math.Ldexp(1, max(e-1, emin)-(bits-1))
}

// limit returns the smallest power of two that dtype d cannot hold.
func limit(d ir.DType) float64 {
	switch d {
	case ir.F16:
		return 65536
	case ir.F64:
		return math.Inf(1)
	}
	return math.Ldexp(1, 128)
}

// Compare checks the packed array got against want and reports the first
// position that differs and how many do. A float may be off by tolULP units in
// the last place of its dtype plus tolAbs; a value that rounds to the same
// bits is always right. NaN equals NaN, the zeros are equal, an infinity is
// the next value after the largest. An integer may be off by tolAbs.
func Compare(got []byte, want Values, tolULP, tolAbs float64) error {
	d, n := want.DType, want.Len()
	if len(got) < ir.SlotBytes(d, n) {
		return fmt.Errorf("%d bytes for %v[%d]", len(got), d, n)
	}
	first, bad := "", 0
	for i := range n {
		bits := ir.GetBits(d, got, i)
		msg := compareOne(d, bits, want.at(i), tolULP, tolAbs)
		if msg == "" {
			continue
		}
		if bad == 0 {
			first = fmt.Sprintf("position %d of %v[%d]: %s", i, d, n, msg)
		}
		bad++
	}
	if bad > 0 {
		return fmt.Errorf("%s (%d of %d positions differ)", first, bad, n)
	}
	return nil
}

func compareOne(d ir.DType, bits uint64, want num, tolULP, tolAbs float64) string {
	if !d.IsFloat() {
		g := ir.BitsInt(d, bits)
		if d == ir.Bool && bits > 1 {
			return fmt.Sprintf("got the byte %#x, want a bool", bits)
		}
		if g != want.i && !(math.Abs(float64(g)-float64(want.i)) <= tolAbs) {
			return fmt.Sprintf("got %d, want %d", g, want.i)
		}
		return ""
	}
	g, w := ir.BitsFloat(d, bits), want.f
	r := want.round(d).f
	if g == r || g != g && w != w {
		return ""
	}
	off := math.NaN()
	if g == g && w == w {
		lim := limit(d)
		gc, wc := g, w
		if math.IsInf(g, 0) && !math.IsInf(lim, 0) {
			gc = math.Copysign(lim, g)
		}
		off = math.Abs(gc - wc)
		if off <= tolULP*ULP(d, math.Min(math.Abs(w), lim/2))+tolAbs {
			return ""
		}
		off /= ULP(d, math.Min(math.Abs(w), lim/2))
	}
	return fmt.Sprintf("got %v (%#x), want %v (%#x), off by %.3g ulp", g, bits, w, ir.FloatBits(d, w), off)
}
