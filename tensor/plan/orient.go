package plan

import (
	"slices"

	"github.com/fornax-ml/fornax/tensor/ir"
)

// orient turns matrix products that are only read transposed: (A·B)ᵀ is Bᵀ·Aᵀ,
// element by element the same sum. The gradient of a weight that a layer uses
// transposed then has the weight's own layout, and the optimizer's update of
// the weight can be the product's epilogue.
func orient(nodes []Node, outs []int) ([]Node, []int) {
	turn := turned(nodes, outs)
	if !slices.Contains(turn, true) {
		return nodes, outs
	}
	s := &simplifier{ids: map[string]int{}}
	to := make([]int, len(nodes))
	for i, n := range nodes {
		n.In = slices.Clone(n.In)
		for k, a := range n.In {
			n.In[k] = to[a]
		}
		switch {
		case turn[i]:
			n.In[0], n.In[1] = s.transpose(n.In[1]), s.transpose(n.In[0])
			n.Shape = swapLast(n.Shape)
			to[i] = s.add(n)
		case n.Op == ir.OpPermute && turn[nodes[i].In[0]]:
			to[i] = n.In[0]
		default:
			to[i] = s.add(n)
		}
	}
	for i, o := range outs {
		outs[i] = to[o]
	}
	return compact(s.nodes, outs)
}

// turned marks the products whose every reader exchanges their last two axes.
func turned(nodes []Node, outs []int) []bool {
	turn := make([]bool, len(nodes))
	for i := range nodes {
		n := &nodes[i]
		turn[i] = n.Op == ir.OpMatMul && !slices.Contains(outs, i)
		swaps := n.Op == ir.OpPermute && slices.Equal(n.Ints, lastSwapped(len(n.Ints)))
		for _, a := range n.In {
			turn[a] = turn[a] && swaps
		}
	}
	return turn
}

// lastSwapped is the permutation that exchanges the last two of r axes.
func lastSwapped(r int) []int {
	p := make([]int, r)
	for a := range p {
		p[a] = a
	}
	if r >= 2 {
		p[r-2], p[r-1] = p[r-1], p[r-2]
	}
	return p
}

// transpose returns the node of x with its last two axes exchanged.
func (s *simplifier) transpose(x int) int {
	n := &s.nodes[x]
	return s.add(Node{Op: ir.OpPermute, DType: n.DType, Shape: swapLast(n.Shape), In: []int{x}, Ints: lastSwapped(len(n.Shape))})
}

func swapLast(shape []int) []int {
	c := slices.Clone(shape)
	r := len(c)
	c[r-2], c[r-1] = c[r-1], c[r-2]
	return c
}
