package plan

import (
	"fmt"

	"github.com/fornax-ml/fornax/tensor/ir"
)

// Options are the planner's settings; the zero value fuses without limits.
type Options struct {
	// Limits are the device's, from [ir.Info]; 0 means unlimited.
	Limits ir.Limits
	// NoFuse gives every node an instruction of its own; movement still
	// becomes views. For tests and for finding faults.
	NoFuse bool
}

// Build plans a graph. The program's inputs, outputs and scalars are those of
// the graph, in order, each output in a slot of its own. Equal graphs and
// options give equal programs.
//
// Errors: a malformed graph; an instruction that needs more operands than
// Limits.Operands whatever the plan; an [ir.MemoryError] where a buffer or the
// arena exceeds Limits.BufferBytes.
func Build(g *Graph, opt Options) (*ir.Program, error) {
	if err := validate(g); err != nil {
		return nil, err
	}
	nodes, outs := orient(simplify(g))
	p := &planner{opt: opt, graph: g}
	p.legalize(nodes, outs)
	if err := p.fuse(); err != nil {
		return nil, err
	}
	prog := p.lower(p.order())
	place(prog, g, opt.Limits)
	if err := checkBytes(prog, opt.Limits); err != nil {
		return nil, err
	}
	if err := prog.Check(); err != nil {
		return nil, fmt.Errorf("plan: %w", err)
	}
	return prog, nil
}

// validate reports what would make the passes index out of range.
func validate(g *Graph) error {
	for i := range g.Nodes {
		n := &g.Nodes[i]
		if n.Op == ir.OpInvalid || n.Op >= ir.NumOps || n.Op == ir.OpAcc {
			return fmt.Errorf("plan: node %d has op %v", i, n.Op)
		}
		for _, a := range n.In {
			if a < 0 || a >= i {
				return fmt.Errorf("plan: node %d (%v) reads node %d", i, n.Op, a)
			}
			if g.Nodes[a].Op == ir.OpCustom && n.Op != ir.OpPick {
				return fmt.Errorf("plan: node %d (%v) reads a custom op without pick", i, n.Op)
			}
		}
		if len(n.Shape) > ir.MaxRank {
			return fmt.Errorf("plan: node %d (%v) has rank %d", i, n.Op, len(n.Shape))
		}
		if want := n.Op.Info().Arity; n.Op != ir.OpCustom && len(n.In) != want {
			return fmt.Errorf("plan: node %d (%v) has %d arguments, not %d", i, n.Op, len(n.In), want)
		}
		switch n.Op {
		case ir.OpLoad:
			if n.K < 0 || n.K >= len(g.Inputs) || g.Inputs[n.K].DType != n.DType || g.Inputs[n.K].Len != ir.Size(n.Shape) {
				return fmt.Errorf("plan: node %d loads input %d as %v%v", i, n.K, n.DType, n.Shape)
			}
		case ir.OpScalar:
			if n.K < 0 || n.K >= len(g.Scalars) || g.Scalars[n.K] != n.DType {
				return fmt.Errorf("plan: node %d reads scalar %d as %v", i, n.K, n.DType)
			}
		case ir.OpPick:
			if c := &g.Nodes[n.In[0]]; c.Op != ir.OpCustom || n.K < 0 || n.K >= len(c.Types) {
				return fmt.Errorf("plan: node %d picks output %d of node %d", i, n.K, n.In[0])
			}
		}
		if n.Op.IsElementwise() {
			for _, a := range n.In {
				if ir.Size(g.Nodes[a].Shape) != ir.Size(n.Shape) || len(g.Nodes[a].Shape) != len(n.Shape) {
					return fmt.Errorf("plan: node %d (%v) of shape %v reads shape %v", i, n.Op, n.Shape, g.Nodes[a].Shape)
				}
			}
		}
	}
	for i, o := range g.Outputs {
		if o.Node < 0 || o.Node >= len(g.Nodes) || g.Nodes[o.Node].Op == ir.OpCustom {
			return fmt.Errorf("plan: output %d is node %d", i, o.Node)
		}
		if o.Prefer >= len(g.Inputs) {
			return fmt.Errorf("plan: output %d prefers input %d", i, o.Prefer)
		}
	}
	return nil
}

// checkBytes reports a buffer that the device cannot have.
func checkBytes(p *ir.Program, l ir.Limits) error {
	if l.BufferBytes <= 0 {
		return nil
	}
	m := Describe(p)
	switch {
	case m.LargestBuffer > l.BufferBytes:
		return fmt.Errorf("plan: %w", &ir.MemoryError{Need: m.LargestBuffer, Limit: l.BufferBytes, Reason: "one buffer is larger than the device allows"})
	case m.Arena > l.BufferBytes:
		return fmt.Errorf("plan: %w", &ir.MemoryError{Need: m.Arena, Limit: l.BufferBytes, Reason: "the temporaries of one program are larger than the largest buffer"})
	}
	return nil
}
