package plan

import (
	"encoding/binary"
	"slices"

	"github.com/fornax-ml/fornax/tensor/ir"
)

// Inside the planner constants and scalars have any shape: movement on them is
// dropped (but for padding with something else). A cast to the dtype that the
// argument has already is a copy: simplify removes those of the graph, and
// legalize puts its own in.

// simplify returns the graph's live nodes after rewriting, in topological
// order, and the node of each output.
func simplify(g *Graph) ([]Node, []int) {
	s := &simplifier{ids: map[string]int{}}
	live := liveNodes(g.Nodes, func(yield func(int)) {
		for _, o := range g.Outputs {
			yield(o.Node)
		}
	})
	to := make([]int, len(g.Nodes))
	for i := range g.Nodes {
		if !live[i] {
			continue
		}
		n := g.Nodes[i]
		n.In = slices.Clone(n.In)
		for k, a := range n.In {
			n.In[k] = to[a]
		}
		to[i] = s.add(n)
	}
	outs := make([]int, len(g.Outputs))
	for i, o := range g.Outputs {
		outs[i] = to[o.Node]
	}
	return compact(s.nodes, outs)
}

// liveNodes marks the nodes that the roots need.
func liveNodes(nodes []Node, roots func(func(int))) []bool {
	live := make([]bool, len(nodes))
	roots(func(i int) { live[i] = true })
	for i := len(nodes) - 1; i >= 0; i-- {
		if live[i] {
			for _, a := range nodes[i].In {
				live[a] = true
			}
		}
	}
	return live
}

// compact drops the nodes that rewriting left behind.
func compact(nodes []Node, outs []int) ([]Node, []int) {
	live := liveNodes(nodes, func(yield func(int)) {
		for _, o := range outs {
			yield(o)
		}
	})
	to := make([]int, len(nodes))
	var kept []Node
	for i, n := range nodes {
		if !live[i] {
			continue
		}
		for k, a := range n.In {
			n.In[k] = to[a]
		}
		to[i] = len(kept)
		kept = append(kept, n)
	}
	for i, o := range outs {
		outs[i] = to[o]
	}
	return kept, outs
}

// A simplifier builds a graph in which no two nodes are equal. The nodes it
// holds own their In.
type simplifier struct {
	nodes []Node
	ids   map[string]int
	key   []byte
}

// add returns a node with the value of n: n rewritten, or one there is.
func (s *simplifier) add(n Node) int {
	for {
		id, again := s.rewrite(&n)
		if id >= 0 {
			return id
		}
		if !again {
			return s.intern(n)
		}
	}
}

// intern returns the node equal to n, which it adds where there is none.
func (s *simplifier) intern(n Node) int {
	b := s.key[:0]
	b = append(b, byte(n.Op), byte(n.DType), byte(n.From))
	ints := func(v []int) {
		b = binary.AppendVarint(b, int64(len(v)))
		for _, x := range v {
			b = binary.AppendVarint(b, int64(x))
		}
	}
	ints(n.Shape)
	ints(n.In)
	ints(n.Ints)
	b = binary.AppendVarint(b, int64(n.K))
	b = binary.AppendUvarint(b, n.Imm)
	b = binary.AppendUvarint(b, uint64(len(n.Name)))
	b = append(b, n.Name...)
	b = binary.AppendUvarint(b, uint64(len(n.Attrs)))
	for _, a := range n.Attrs {
		b = binary.AppendVarint(b, a)
	}
	b = binary.AppendUvarint(b, uint64(len(n.Types)))
	for _, t := range n.Types {
		b = append(b, byte(t.DType))
		ints(t.Shape)
	}
	s.key = b
	if id, ok := s.ids[string(b)]; ok {
		return id
	}
	id := len(s.nodes)
	s.ids[string(b)] = id
	s.nodes = append(s.nodes, n)
	return id
}

// constant returns a constant node.
func (s *simplifier) constant(d ir.DType, shape []int, bits uint64) int {
	if n := d.Size(); n < 8 {
		bits &= 1<<(8*n) - 1
	}
	return s.intern(Node{Op: ir.OpConst, DType: d, Shape: shape, Imm: bits})
}

// rewrite applies one rule to n. It returns the node that replaces n, or -1
// and whether n was changed in place.
func (s *simplifier) rewrite(n *Node) (id int, again bool) {
	switch n.Op {
	case ir.OpLoad, ir.OpCustom:
		return -1, false
	case ir.OpConst:
		return s.constant(n.DType, n.Shape, n.Imm), false
	}
	if ir.Size(n.Shape) == 0 {
		return s.constant(n.DType, n.Shape, 0), false
	}
	switch n.Op.Info().Kind {
	case ir.KindMovement:
		return s.movement(n)
	case ir.KindElementwise:
		if id := s.algebra(n); id >= 0 {
			return id, false
		}
		if id := s.fold(n); id >= 0 {
			return id, false
		}
	case ir.KindReduction:
		return s.reduction(n)
	case ir.KindMatMul:
		if a := s.nodes[n.In[0]].Shape; a[len(a)-1] == 0 {
			return s.constant(n.DType, n.Shape, 0), false
		}
	case ir.KindScatter:
		if ir.Size(s.nodes[n.In[1]].Shape) == 0 {
			return n.In[0], false
		}
	}
	return -1, false
}

// reduction removes reductions of no or one element.
func (s *simplifier) reduction(n *Node) (int, bool) {
	x := &s.nodes[n.In[0]]
	count := 1
	for _, a := range n.Ints {
		count *= x.Shape[a]
	}
	switch {
	case count == 0:
		return s.constant(n.DType, n.Shape, ir.Identity(n.Op, x.DType)), false
	case count > 1:
		return -1, false
	case n.Op == ir.OpArgMax || n.Op == ir.OpArgMin:
		return s.constant(n.DType, n.Shape, 0), false
	}
	*n = Node{Op: ir.OpReshape, DType: n.DType, Shape: n.Shape, In: n.In}
	return -1, true
}
