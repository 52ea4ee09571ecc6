package tensor

import (
	"math"
	"sync/atomic"

	"github.com/fornax-ml/fornax/tensor/ir"
)

// An RNG makes random tensors: Philox4x32-10, keyed by a seed. Call number c
// gives element i the word i mod 4 of counter (⌊i/4⌋, 0, c mod 2³², ⌊c/2³²⌋), so
// that the same calls give equal bits on every device. The call number is a
// run-time argument of programs.
type RNG struct {
	seed  atomic.Uint64
	calls atomic.Uint64
}

// NewRNG makes a generator.
func NewRNG(seed uint64) *RNG {
	r := new(RNG)
	r.seed.Store(seed)
	return r
}

// State returns the seed and the number of calls made, to be saved in
// checkpoints.
func (r *RNG) State() (seed, calls uint64) { return r.seed.Load(), r.calls.Load() }

// SetState goes on from a saved state.
func (r *RNG) SetState(seed, calls uint64) {
	r.seed.Store(seed)
	r.calls.Store(calls)
}

// take reserves n calls and returns the first.
func (r *RNG) take(n uint64) uint64 { return r.calls.Add(n) - n }

// An rngUse counts the calls that a traced function makes on a generator.
type rngUse struct {
	rng   *RNG
	calls uint64
}

// A draw is half of a run-time number of a generator: of its seed, or of a
// call number relative to the first call of a run.
type draw struct {
	use  int // of the trace
	seed bool
	call uint64
	high bool
}

func (d *draw) at(seed, base uint64) uint64 {
	c := base + d.call
	if d.seed {
		c = seed
	}
	if d.high {
		c >>= 32
	}
	return c & math.MaxUint32
}

// draws notes a call in the trace: the halves of seed and call number.
func (tr *trace) draws(r *RNG) [4]*draw {
	i := 0
	for i < len(tr.rngs) && tr.rngs[i].rng != r {
		i++
	}
	if i == len(tr.rngs) {
		tr.rngs = append(tr.rngs, &rngUse{rng: r})
	}
	u := tr.rngs[i]
	u.calls++
	call := u.calls - 1
	return [4]*draw{{use: i, seed: true}, {use: i, seed: true, high: true}, {use: i, call: call}, {use: i, call: call, high: true}}
}

// Bits makes uniform random words, U32.
func (r *RNG) Bits(d *Device, shape ...int) *Tensor {
	checkShape("Bits", shape)
	n := ir.Size(shape)
	if n > math.MaxInt32 {
		panic(&ShapeError{Op: "Bits", Shapes: [][]int{shape}, Reason: "more than 2³¹-1 elements"})
	}
	var words [4]spec // seed and call number
	if tr := currentTrace(); tr != nil {
		for i, w := range tr.draws(r) {
			words[i] = spec{op: ir.OpScalar, draw: w}
		}
	} else {
		seed, call := r.seed.Load(), r.take(1)
		for i, w := range [4]uint64{seed & math.MaxUint32, seed >> 32, call & math.MaxUint32, call >> 32} {
			words[i] = spec{op: ir.OpScalar, imm: w}
		}
	}
	flat := []int{n}
	args := []*Tensor{positions(d, U32, n)}
	for _, w := range words {
		args = append(args, newNode(d, U32, nil, w).broadcastTo("Bits", flat))
	}
	return newNode(d, U32, flat, spec{op: ir.OpPhilox, from: U32}, args...).Reshape(shape...)
}

// Uniform makes float32 numbers in [0, 1): the upper 24 bits of a word, times
// 2⁻²⁴.
func (r *RNG) Uniform(d *Device, shape ...int) *Tensor {
	return r.Bits(d, shape...).Shr(8).Cast(F32).MulScalar(1.0 / (1 << 24))
}

// Normal makes float32 numbers of mean 0 and variance 1 by the transform of
// Box and Muller (1958): √(-2 ln u)·cos 2πv with u in (0, 1], v in [0, 1). It
// makes two calls.
func (r *RNG) Normal(d *Device, shape ...int) *Tensor {
	u := r.Uniform(d, shape...).RSubScalar(1)
	v := r.Uniform(d, shape...)
	return u.Log().MulScalar(-2).Sqrt().Mul(v.MulScalar(2 * math.Pi).Cos())
}

// Bernoulli makes bools that are true with probability p.
func (r *RNG) Bernoulli(d *Device, p float64, shape ...int) *Tensor {
	return r.Uniform(d, shape...).LessScalar(p)
}

// Intn makes int32 numbers in [0, n), n up to 2²⁴, from the upper 24 bits of a
// word: the bias is below n/2²⁴.
func (r *RNG) Intn(d *Device, n int, shape ...int) *Tensor {
	if n <= 0 || n > 1<<24 {
		panic(&ShapeError{Op: "Intn", Shapes: [][]int{shape}, Reason: "n is not in [1, 2²⁴]"})
	}
	return r.Uniform(d, shape...).MulScalar(float64(n)).Cast(I32).MinimumScalar(float64(n - 1))
}
