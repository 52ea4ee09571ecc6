package plan

import (
	"fmt"
	"slices"

	"github.com/fornax-ml/fornax/tensor/ir"
)

// costlyWork counts how often ops that are not cheap are computed.
func costlyWork(p *ir.Program) int {
	n := 0
	count := func(c ir.Chain, shape ...[]int) {
		for _, s := range c {
			if s.Op.IsElementwise() && !s.Op.Info().Cheap {
				n += ir.Size(slices.Concat(shape...))
			}
		}
	}
	for _, in := range p.Instrs {
		switch x := in.(type) {
		case *ir.Map:
			count(x.Chain, x.Shape)
		case *ir.Reduce:
			count(x.Pre, x.Outer, x.Inner)
			count(x.Post, x.Outer)
		case *ir.MatMul:
			count(x.Post, x.Batch, []int{x.M, x.N})
		}
	}
	return n
}

// checkPlan checks what neither Program.Check nor the executor do.
func checkPlan(p *ir.Program, g *Graph, lim ir.Limits) error {
	for i, in := range p.Instrs {
		slots := map[int]bool{}
		for _, o := range in.Reads() {
			slots[o.Slot] = true
			if len(o.View.Shape) > ir.MaxRank {
				return fmt.Errorf("instruction %d: rank %d", i, len(o.View.Shape))
			}
		}
		for _, s := range in.Writes() {
			slots[s] = true
		}
		if lim.Operands > 0 && len(slots) > lim.Operands {
			return fmt.Errorf("instruction %d: %d operands", i, len(slots))
		}
	}
	taken := map[int]bool{}
	for i, s := range p.Slots {
		if s.Kind == ir.Temp && s.Offset%max(lim.Align, 4) != 0 {
			return fmt.Errorf("slot %d at %d", i, s.Offset)
		}
		if s.Kind == ir.Output && s.Alias != ir.NoSlot {
			if taken[s.Alias] || !g.Inputs[s.Alias].Donated {
				return fmt.Errorf("slot %d takes input %d", i, s.Alias)
			}
			taken[s.Alias] = true
		}
	}
	return nil
}
