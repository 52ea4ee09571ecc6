package cpu

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"
	"unsafe"

	"github.com/fornax-ml/fornax/tensor/ir"
	"github.com/stretchr/testify/require"
)

// withoutFused returns a device of a level that runs every step by itself.
func withoutFused(lv *level) *Device {
	plain, kernels := *lv, *lv.kernels
	kernels.fused = nil
	plain.kernels = &kernels
	d := New(Options{Workers: 1, Level: lv.name})
	d.level = &plain
	return d
}

// runOn computes a program's outputs from the given inputs.
func runOn(t *testing.T, d *Device, p *ir.Program, inputs [][]byte) [][]byte {
	t.Helper()
	e, err := d.Compile(p)
	require.NoError(t, err)
	return runExecutable(t, d, e.(*executable), inputs)
}

// randomChain draws a chain of float32 steps over loads, constants and earlier
// results, comparisons and Where among them.
func randomChain(rng *rand.Rand, f *fusedSet, loads, steps int) ir.Chain {
	var chain ir.Chain
	var values, masks []int
	add := func(s ir.Step) {
		chain = append(chain, s)
		if s.DType == ir.Bool {
			masks = append(masks, len(chain)-1)
		} else {
			values = append(values, len(chain)-1)
		}
	}
	for k := range loads {
		add(ir.Step{Op: ir.OpLoad, DType: ir.F32, K: k})
	}
	add(ir.Step{Op: ir.OpConst, DType: ir.F32, Imm: ir.FloatBits(ir.F32, rng.NormFloat64())})
	var ops []ir.Op
	for op := ir.Op(0); op < ir.NumOps; op++ {
		if _, ok := f.unary[op]; ok {
			ops = append(ops, op)
		}
		if _, ok := f.binary[op]; ok {
			ops = append(ops, op, op)
		}
	}
	ops = append(ops, ir.OpSin, ir.OpPow) // not the machine's: they end a run
	for range steps {
		value := func() int { return values[max(0, len(values)-1-rng.IntN(6))] }
		if len(masks) > 0 && rng.IntN(5) == 0 {
			add(ir.Step{Op: ir.OpWhere, DType: ir.F32, From: ir.F32, Args: []int{masks[rng.IntN(len(masks))], value(), value()}})
			continue
		}
		op := ops[rng.IntN(len(ops))]
		s := ir.Step{Op: op, DType: op.ResultType(ir.F32), From: ir.F32}
		for range op.Info().Arity {
			s.Args = append(s.Args, value())
		}
		add(s)
	}
	return chain
}

// Chains give the same bits whether a machine runs them or one kernel a step, for
// any length, in place or not, NaN and infinities among the numbers.
func TestFused(t *testing.T) {
	rng := rand.New(rand.NewPCG(9, 1))
	odd := []float64{0, math.Copysign(0, -1), math.Inf(1), math.Inf(-1), math.NaN(), 1e-42, 3e38, 1}
	eachLevelHere(t, func(t *testing.T, lv *level) {
		if lv.kernels.fused == nil {
			t.Skip("this level has no chain machine")
		}
		d, plain := New(Options{Workers: 1, Level: lv.name}), withoutFused(lv)
		defer d.Close()
		defer plain.Close()
		fused := 0
		for round := range 300 {
			n := []int{1, 3, 17, 63, 64, 65, 255, 257, 1024, 1100, 3000}[rng.IntN(11)]
			loads := 1 + rng.IntN(3)
			// In some rounds there are rows, and all but the first operand have one
			// number for each, or for every other one.
			rows, every := 1, 1+rng.IntN(2)
			if rng.IntN(3) == 0 {
				rows, n = 4, 4*[]int{256, 300, 1024, 1500}[rng.IntN(4)]
			}
			p := &ir.Program{}
			var inputs [][]byte
			for k := range loads {
				length := n
				if rows > 1 && k > 0 {
					length = rows
				}
				p.Slots = append(p.Slots, ir.Slot{Kind: ir.Input, DType: ir.F32, Len: length, Alias: ir.NoSlot})
				p.Inputs++
				x := make([]byte, 4*length)
				for k := range length {
					v := rng.NormFloat64()
					if rng.IntN(10) == 0 {
						v = odd[rng.IntN(len(odd))]
					}
					ir.PutBits(ir.F32, x, k, ir.FloatBits(ir.F32, v))
				}
				inputs = append(inputs, x)
			}
			chain := randomChain(rng, lv.kernels.fused, loads, 1+rng.IntN(40))
			m := &ir.Map{Shape: []int{n}, Chain: chain}
			if rows > 1 {
				m.Shape = []int{rows / every, every, n / rows}
			}
			for k := range loads {
				m.Operands = append(m.Operands, ir.Operand{Slot: k, View: ir.Contiguous(m.Shape)})
				if rows > 1 && k > 0 {
					m.Operands[k].View.Strides = []int{1, 0, 0}
					if k == 1 {
						m.Operands[k].View.Strides = []int{every, 1, 0}
					}
				}
			}
			store := func(reg, alias int) {
				p.Slots = append(p.Slots, ir.Slot{Kind: ir.Output, DType: chain[reg].DType, Len: n, Alias: alias})
				p.Outputs++
				m.Stores = append(m.Stores, ir.Store{Slot: len(p.Slots) - 1, Reg: reg})
			}
			alias := ir.NoSlot
			if last := len(chain) - 1; chain[last].DType == ir.F32 && rng.IntN(2) == 0 {
				alias = rng.IntN(loads)
				if rows > 1 {
					alias = 0
				}
			}
			store(len(chain)-1, alias)
			if reg := rng.IntN(len(chain)); rng.IntN(2) == 0 {
				store(reg, ir.NoSlot)
			}
			p.Instrs = []ir.Instr{m}
			e, err := d.Compile(p)
			require.NoError(t, err)
			for _, s := range e.(*executable).stages[0].instr.(*mapInstr).ch.steps {
				if s.kind == stepFused {
					fused++
				}
			}
			got, want := runOn(t, d, p, inputs), runOn(t, plain, p, inputs)
			for k := range want {
				require.True(t, sameFloats(got[k], want[k], p.Slots[p.Inputs+k].DType), "round %d, output %d of\n%v", round, k, p)
			}
		}
		require.Greater(t, fused, 200)
	})
}

// sameFloats compares bits; NaN is NaN.
func sameFloats(a, b []byte, d ir.DType) bool {
	if d != ir.F32 {
		return slices.Equal(a, b)
	}
	x, y := slice[float32](unsafe.Pointer(&a[0]), len(a)/4), slice[float32](unsafe.Pointer(&b[0]), len(b)/4)
	return slices.EqualFunc(x, y, func(v, w float32) bool {
		return math.Float32bits(v) == math.Float32bits(w) || v != v && w != w
	})
}

// Every routine of the ops is in the tables, at every level.
func TestFusedTables(t *testing.T) {
	eachLevelHere(t, func(t *testing.T, lv *level) {
		f := lv.kernels.fused
		if f == nil {
			t.Skip("this level has no chain machine")
		}
		seen := map[uintptr]bool{}
		for _, r := range f.routines {
			require.NotZero(t, r)
			seen[r] = true
		}
		require.Len(t, seen, len(f.routines))
		for op, k := range f.unary {
			require.Less(t, k, len(f.routines), op)
		}
		for op, k := range f.binary {
			require.LessOrEqual(t, max(k[0], k[1])+3, len(f.routines), op)
		}
	})
}
