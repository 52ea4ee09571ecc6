package plan

import (
	"slices"

	"github.com/fornax-ml/fornax/tensor/ir"
)

// movement rewrites one movement node: identities go away, two of a kind
// become one, sources take the shape themselves.
func (s *simplifier) movement(n *Node) (id int, again bool) {
	a := n.In[0]
	x := &s.nodes[a]
	n.From, n.K, n.Name, n.Attrs, n.Types = ir.Invalid, 0, "", nil, nil
	switch x.Op {
	case ir.OpConst:
		if n.Op != ir.OpPad || sameBits(n.DType, n.Imm, x.Imm) {
			return s.constant(x.DType, n.Shape, x.Imm), false
		}
	case ir.OpScalar:
		if n.Op != ir.OpPad {
			return s.intern(Node{Op: ir.OpScalar, DType: x.DType, Shape: n.Shape, K: x.K}), false
		}
	case ir.OpIndex:
		if n.Op == ir.OpReshape {
			return s.intern(Node{Op: ir.OpIndex, DType: x.DType, Shape: n.Shape}), false
		}
	}
	switch n.Op {
	case ir.OpReshape:
		n.Ints, n.Imm = nil, 0
		if slices.Equal(n.Shape, x.Shape) {
			return a, false
		}
		if x.Op == ir.OpReshape {
			n.In = []int{x.In[0]}
			return -1, true
		}
	case ir.OpPermute:
		return s.permute(n, x)
	case ir.OpSlice:
		return s.slice(n, x)
	case ir.OpExpand:
		n.Ints, n.Imm = nil, 0
		if slices.Equal(n.Shape, x.Shape) {
			return a, false
		}
		if x.Op == ir.OpExpand {
			n.In = []int{x.In[0]}
			return -1, true
		}
	case ir.OpPad:
		return s.pad(n, x)
	}
	return -1, false
}

func (s *simplifier) permute(n, x *Node) (int, bool) {
	n.Imm = 0
	if x.Op == ir.OpPermute {
		perm := make([]int, len(n.Ints))
		for i, p := range n.Ints {
			perm[i] = x.Ints[p]
		}
		n.Ints, n.In = perm, []int{x.In[0]}
		return -1, true
	}
	// Axes of size 1 may go anywhere: where the others keep their order the
	// permutation is a reshape.
	last := -1
	for _, p := range n.Ints {
		if x.Shape[p] == 1 {
			continue
		}
		if p < last {
			return -1, false
		}
		last = p
	}
	*n = Node{Op: ir.OpReshape, DType: n.DType, Shape: n.Shape, In: n.In}
	return -1, true
}

func (s *simplifier) slice(n, x *Node) (int, bool) {
	n.Imm = 0
	r := len(n.Shape)
	ints := slices.Clone(n.Ints)
	same := true
	for a := range r {
		if n.Shape[a] <= 1 {
			ints[r+a] = 1
		}
		if ints[a] != 0 || ints[r+a] != 1 || n.Shape[a] != x.Shape[a] {
			same = false
		}
	}
	if same {
		return n.In[0], false
	}
	n.Ints = ints
	if x.Op == ir.OpSlice {
		for a := range r {
			ints[a] = x.Ints[a] + x.Ints[r+a]*ints[a]
			ints[r+a] *= x.Ints[r+a]
		}
		n.In = []int{x.In[0]}
		return -1, true
	}
	return -1, false
}

func (s *simplifier) pad(n, x *Node) (int, bool) {
	if !slices.ContainsFunc(n.Ints, func(v int) bool { return v != 0 }) {
		return n.In[0], false
	}
	if ir.Size(x.Shape) == 0 {
		return s.constant(n.DType, n.Shape, n.Imm), false
	}
	if x.Op == ir.OpPad && sameBits(n.DType, n.Imm, x.Imm) {
		ints := slices.Clone(n.Ints)
		for i := range ints {
			ints[i] += x.Ints[i]
		}
		n.Ints, n.In = ints, []int{x.In[0]}
		return -1, true
	}
	return -1, false
}

// sameBits compares constants of dtype d, whose upper bits have no meaning.
func sameBits(d ir.DType, a, b uint64) bool {
	shift := 64 - 8*d.Size()
	return a<<shift == b<<shift
}
