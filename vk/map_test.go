//go:build cgo

package vk_test

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/fornax-ml/fornax/tensor/ir"
	"github.com/fornax-ml/fornax/vk"
)

// elementwise makes a program of one op.
func elementwise(op ir.Op, from, to ir.DType, n int) *ir.Program {
	row := op.Info()
	m := &ir.Map{Shape: []int{n}}
	p := &ir.Program{Instrs: []ir.Instr{m}}
	step := ir.Step{Op: op, From: from, DType: to}
	for a := range row.Arity {
		d := from
		if op == ir.OpWhere && a == 0 {
			d = ir.Bool
		}
		p.Slots = append(p.Slots, in(d, n))
		m.Operands = append(m.Operands, whole(a, n))
		m.Chain = append(m.Chain, load(a, d))
		step.Args = append(step.Args, a)
	}
	m.Chain = append(m.Chain, step)
	p.Inputs, p.Outputs = row.Arity, 1
	p.Slots = append(p.Slots, out(to, n))
	m.Stores = []ir.Store{{Slot: row.Arity, Reg: row.Arity}}
	return p
}

func TestElementwise(t *testing.T) {
	eachVariant(t, func(t *testing.T, d *vk.Device) {
		for _, row := range ir.Table() {
			if row.Kind != ir.KindElementwise || row.Arity >= d.Info().Limits.Operands { // devicetest packs their arguments
				continue
			}
			for _, from := range row.Args.List() {
				if !d.Info().DTypes.Has(from) {
					continue
				}
				results := []ir.DType{row.Op.ResultType(from)}
				if row.Op == ir.OpCast {
					results = d.Info().DTypes.List()
				}
				for _, to := range results {
					t.Run(fmt.Sprintf("%v/%v/%v", row.Op, from, to), func(t *testing.T) {
						for _, n := range []int{1, 3, 17, 255, 257} {
							testElementwise(t, d, row, from, to, n)
						}
					})
				}
			}
		}
	})
}

// TestLarge takes more workgroups than one axis may have invocations, and a
// tail.
func TestLarge(t *testing.T) {
	eachVariant(t, func(t *testing.T, d *vk.Device) {
		const n = 1000003
		r := rand.New(rand.NewPCG(3, 4))
		for _, dt := range []ir.DType{ir.F32, ir.U8} {
			same(t, d, elementwise(ir.OpAdd, dt, dt, n), [][]byte{random(r, dt, n, [2]float64{0, 100}), random(r, dt, n, [2]float64{0, 100})}, 0, 0)
		}
	})
}

// TestInPlace: results take the place of an operand, which no other position may see.
func TestInPlace(t *testing.T) {
	eachVariant(t, func(t *testing.T, d *vk.Device) {
		r := rand.New(rand.NewPCG(5, 6))
		for _, dt := range []ir.DType{ir.F32, ir.F16, ir.U8} {
			for _, n := range []int{1, 3, 17, 255, 257, 511, 513, 1000003} {
				p := elementwise(ir.OpAdd, dt, dt, n)
				p.Slots[2].Alias = 0
				p.Instrs[0].(*ir.Map).Operands[1] = ir.Operand{Slot: 1, View: ir.Contiguous([]int{1}).Expand([]int{n})}
				same(t, d, p, [][]byte{random(r, dt, n, [2]float64{0, 9}), random(r, dt, n, [2]float64{1, 9})}, 0, 0)
			}
		}
	})
}

func testElementwise(t *testing.T, d *vk.Device, row *ir.OpInfo, from, to ir.DType, n int) {
	r := rand.New(rand.NewPCG(1, uint64(n)))
	var ins [][]byte
	for a := range row.Arity {
		dt := from
		if row.Op == ir.OpWhere && a == 0 {
			dt = ir.Bool
		}
		dom := [2]float64{0, 2}
		if len(row.Domain) > 0 {
			dom = row.Domain[min(a, len(row.Domain)-1)]
		}
		b := random(r, dt, n, dom)
		// Every few elements equal ones, so that comparisons see ties.
		if a > 0 && row.Op != ir.OpWhere {
			for i := 0; i < n; i += 5 {
				ir.PutBits(dt, b, i, ir.GetBits(dt, ins[0], i))
			}
		}
		ins = append(ins, b)
	}
	ulp := row.ULP
	if from == ir.F64 {
		ulp *= 8
	}
	same(t, d, elementwise(row.Op, from, to, n), ins, ulp, row.Abs)
}
