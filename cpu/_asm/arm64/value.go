package arm64

import (
	"slices"
)

// A value is a vector that straight-line code computes.
type value int

// A code is straight-line code on values; registers are chosen when it is
// written. Its methods add an instruction each and return the result.
type code struct {
	steps  []step
	values int
	table  bool // there are constants
}

// A step computes dst. Where it is in place, the register of its first operand
// becomes that of the result.
type step struct {
	dst     value
	src     []value
	inPlace bool
	write   func(f *file, d vec, s []vec)
}

func (c *code) input() value {
	c.values++
	return value(c.values - 1)
}

func (c *code) step(inPlace bool, write func(f *file, d vec, s []vec), src ...value) value {
	d := c.input()
	c.steps = append(c.steps, step{d, src, inPlace, write})
	return d
}

const tableReg reg = 5 // the address of the constants

// writeTo writes the code for u vectors at once, instruction by instruction, with
// input i of vector k in register i·u+k. It returns the registers of the results.
func (c *code) writeTo(f *file, u, inputs int, result value) []vec {
	last := map[value]int{result: len(c.steps)}
	for i, s := range c.steps {
		for _, v := range s.src {
			last[v] = max(last[v], i)
		}
	}
	type copyOf struct {
		value
		k int
	}
	at := map[copyOf]vec{}
	var used [32]bool
	take := func(v copyOf) vec {
		for r := range used {
			if !used[r] {
				used[r], at[v] = true, vec(r)
				return vec(r)
			}
		}
		panic("out of registers")
	}
	for i := range inputs {
		for k := range u {
			take(copyOf{value(i), k})
		}
	}
	for i, s := range c.steps {
		for k := range u {
			regs := make([]vec, len(s.src))
			for j, v := range s.src {
				regs[j] = at[copyOf{v, k}]
			}
			drop := func(src []value) {
				for _, v := range src {
					if last[v] == i {
						used[at[copyOf{v, k}]] = false
					}
				}
			}
			var d vec
			if s.inPlace {
				// The first operand gives its register away; where it is needed
				// again, a copy of it does.
				d = regs[0]
				if last[s.src[0]] > i || slices.Contains(s.src[1:], s.src[0]) {
					d = take(copyOf{s.dst, k})
					f.op("VORR", "%s, %s, %s", regs[0].b(), regs[0].b(), d.b())
					regs[0] = d
				}
				drop(s.src)
				at[copyOf{s.dst, k}], used[d] = d, true
			} else {
				drop(s.src)
				d = take(copyOf{s.dst, k})
			}
			s.write(f, d, regs)
		}
	}
	results := make([]vec, u)
	for k := range results {
		results[k] = at[copyOf{result, k}]
	}
	return results
}

func (c *code) three(o form, a, b value) value {
	return c.step(false, func(f *file, d vec, s []vec) { f.raw(o.three(d, s[0], s[1])) }, a, b)
}

func (c *code) two(o form, a value) value {
	return c.step(false, func(f *file, d vec, s []vec) { f.raw(o.two(d, s[0])) }, a)
}

func (c *code) add(a, b value) value { return c.three(fadd, a, b) }
func (c *code) sub(a, b value) value { return c.three(fsub, a, b) }
func (c *code) mul(a, b value) value { return c.three(fmul, a, b) }
func (c *code) div(a, b value) value { return c.three(fdiv, a, b) }

// max and min are those of IEEE 754's maximum and minimum: NaN where there is
// one, and 0 above -0.
func (c *code) max(a, b value) value { return c.three(fmax, a, b) }
func (c *code) min(a, b value) value { return c.three(fmin, a, b) }

// Comparisons are masks: ones where they hold, which they do for no NaN.
func (c *code) equal(a, b value) value        { return c.three(fcmeq, a, b) }
func (c *code) less(a, b value) value         { return c.three(fcmgt, b, a) }
func (c *code) greaterEqual(a, b value) value { return c.three(fcmge, a, b) }

// goOp is an instruction of Go's assembler on two vectors, whose order there is
// b, a, d.
func (c *code) goOp(name string, form func(vec) string, a, b value) value {
	return c.step(false, func(f *file, d vec, s []vec) { f.op(name, "%s, %s, %s", form(s[1]), form(s[0]), form(d)) }, a, b)
}

func (c *code) and(a, b value) value    { return c.goOp("VAND", vec.b, a, b) }
func (c *code) or(a, b value) value     { return c.goOp("VORR", vec.b, a, b) }
func (c *code) addInt(a, b value) value { return c.goOp("VADD", vec.s, a, b) }
func (c *code) subInt(a, b value) value { return c.goOp("VSUB", vec.s, a, b) }

func (c *code) shiftLeft(a value, n int) value {
	return c.step(false, func(f *file, d vec, s []vec) { f.op("VSHL", "$%d, %s, %s", n, s[0].s(), d.s()) }, a)
}

// shiftRight keeps the sign.
func (c *code) shiftRight(a value, n int) value {
	return c.step(false, func(f *file, d vec, s []vec) { f.raw(sshr(d, s[0], n)) }, a)
}

// fma returns a·b + x rounded once, and fnma x - a·b.
func (c *code) fma(a, b, x value) value  { return c.fused("VFMLA", a, b, x) }
func (c *code) fnma(a, b, x value) value { return c.fused("VFMLS", a, b, x) }

func (c *code) fused(name string, a, b, x value) value {
	return c.step(true, func(f *file, d vec, s []vec) { f.op(name, "%s, %s, %s", s[2].s(), s[1].s(), d.s()) }, x, a, b)
}

// choose returns yes where the mask is set, and no elsewhere.
func (c *code) choose(mask, yes, no value) value {
	return c.step(true, func(f *file, d vec, s []vec) { f.op("VBSL", "%s, %s, %s", s[2].b(), s[1].b(), d.b()) }, mask, yes, no)
}

// c is a constant in all lanes, and bits one by its bits: a load for each use, for
// most uses overwrite it.
func (c *code) c(x float64) value { return c.load(float(x)) }

func (c *code) bits(b uint32) value { return c.load(uint64(b)<<32 | uint64(b)) }

func (c *code) load(pattern uint64) value {
	c.table = true
	return c.step(false, func(f *file, d vec, _ []vec) {
		f.op("FMOVQ", "%d(%v), %s", f.constant(pattern), tableReg, d.f())
	})
}

func (c *code) abs(x value) value  { return c.two(fabs, x) }
func (c *code) neg(x value) value  { return c.two(fneg, x) }
func (c *code) sign(x value) value { return c.and(x, c.bits(0x80000000)) }

// poly returns Σ p[i]·x^i by Horner's rule.
func (c *code) poly(x value, p ...float64) value {
	r := c.c(p[len(p)-1])
	for i := len(p) - 2; i >= 0; i-- {
		r = c.fma(r, x, c.c(p[i]))
	}
	return r
}
