package plan

import (
	"fmt"
	"slices"

	"github.com/fornax-ml/fornax/tensor/ir"
	"github.com/fornax-ml/fornax/tensor/ir/ref"
)

// evalGraph computes a graph node by node, as the documentation of Node says,
// rounding every value to its dtype.
func evalGraph(g *Graph, inputs []ref.Values, scalars []ir.Scalar) []ref.Values {
	val := make([]ref.Values, len(g.Nodes))
	custom := map[int][]ref.Values{}
	for i := range g.Nodes {
		n := &g.Nodes[i]
		if n.Op == ir.OpCustom {
			custom[i] = make([]ref.Values, len(n.Types))
			var in []ref.Values
			for k, t := range n.Types {
				custom[i][k] = ref.New(t.DType, ir.Size(t.Shape))
			}
			for _, a := range n.In {
				in = append(in, val[a])
			}
			if err := testCustom(custom[i], in, n.Attrs); err != nil {
				panic(err)
			}
			continue
		}
		size := ir.Size(n.Shape)
		v := ref.New(n.DType, size)
		var x ref.Values
		var xs []int
		if len(n.In) > 0 {
			x, xs = val[n.In[0]], g.Nodes[n.In[0]].Shape
		}
		at := func(p []int) int { // of x
			k, _ := ir.Contiguous(xs).Index(p)
			return k
		}
		switch n.Op {
		case ir.OpLoad:
			v = inputs[n.K]
		case ir.OpScalar:
			setBits(v, 0, scalars[n.K].Bits)
		case ir.OpConst:
			setBits(v, 0, n.Imm)
		case ir.OpIndex:
			for k := range size {
				v.I[k] = int64(k)
			}
		case ir.OpReshape:
			v = x
		case ir.OpPermute:
			positions(n.Shape, func(k int, p []int) {
				q := make([]int, len(p))
				for a, b := range n.Ints {
					q[b] = p[a]
				}
				copyElem(v, k, x, at(q))
			})
		case ir.OpSlice:
			positions(n.Shape, func(k int, p []int) {
				q := make([]int, len(p))
				for a := range p {
					q[a] = n.Ints[a] + p[a]*n.Ints[len(p)+a]
				}
				copyElem(v, k, x, at(q))
			})
		case ir.OpExpand:
			positions(n.Shape, func(k int, p []int) {
				q := slices.Clone(p)
				for a := range q {
					q[a] = min(q[a], xs[a]-1)
				}
				copyElem(v, k, x, at(q))
			})
		case ir.OpPad:
			positions(n.Shape, func(k int, p []int) {
				q := slices.Clone(p)
				for a := range q {
					if q[a] -= n.Ints[a]; q[a] < 0 || q[a] >= xs[a] {
						setBits(v, k, n.Imm)
						return
					}
				}
				copyElem(v, k, x, at(q))
			})
		case ir.OpMatMul:
			ys := g.Nodes[n.In[1]].Shape
			r := len(xs)
			positions(n.Shape, func(k int, p []int) {
				var acc float64
				for j := range xs[r-1] {
					pa, pb := slices.Clone(p), slices.Clone(p)
					pa[r-1], pb[r-2] = j, j
					kb, _ := ir.Contiguous(ys).Index(pb)
					acc += x.F[at(pa)] * val[n.In[1]].F[kb]
				}
				v.F[k] = acc
			})
		case ir.OpGather:
			index := val[n.In[1]]
			positions(n.Shape, func(k int, p []int) {
				q := slices.Clone(p)
				q[n.Ints[0]] = int(index.I[k])
				if index.I[k] >= 0 && int(index.I[k]) < xs[n.Ints[0]] {
					copyElem(v, k, x, at(q))
				}
			})
		case ir.OpScatterAdd:
			v = x.Clone()
			index, upd := val[n.In[1]], val[n.In[2]]
			positions(g.Nodes[n.In[1]].Shape, func(k int, p []int) {
				q := slices.Clone(p)
				q[n.Ints[0]] = int(index.I[k])
				if index.I[k] < 0 || int(index.I[k]) >= xs[n.Ints[0]] {
					return
				}
				if j := at(q); v.F != nil {
					v.F[j] += upd.F[k]
				} else {
					v.I[j] += upd.I[k]
				}
				round(v)
			})
		case ir.OpPick:
			v = custom[n.In[0]][n.K]
		default:
			if n.Op.IsReduction() {
				reduceNode(n, v, x, xs)
				break
			}
			args := make([]ref.Values, len(n.In))
			for k, a := range n.In {
				args[k] = val[a]
			}
			v = ref.Apply(n.Op, n.DType, n.From, args...)
		}
		round(v)
		val[i] = v
	}
	outs := make([]ref.Values, len(g.Outputs))
	for i, o := range g.Outputs {
		outs[i] = val[o.Node]
	}
	return outs
}

// reduceNode folds one element after another with the elementwise op of the
// reduction.
func reduceNode(n *Node, v, x ref.Values, xs []int) {
	var inner []int
	for _, a := range n.Ints {
		inner = append(inner, xs[a])
	}
	positions(n.Shape, func(k int, p []int) {
		setBits(v, k, ir.Identity(n.Op, x.DType))
		best := 0
		positions(inner, func(j int, q []int) {
			at, a, b := make([]int, len(xs)), 0, 0
			for axis := range xs {
				if b < len(n.Ints) && n.Ints[b] == axis {
					at[axis] = q[b]
					b++
				} else {
					at[axis] = p[a]
					a++
				}
			}
			e, _ := ir.Contiguous(xs).Index(at)
			var c, y float64
			if v.F != nil {
				c, y = v.F[k], x.F[e]
			}
			switch n.Op {
			case ir.OpSum:
				if v.F != nil {
					v.F[k] = c + y
				} else {
					v.I[k] = ir.WrapInt(v.DType, v.I[k]+x.I[e])
				}
			case ir.OpProd:
				if v.F != nil {
					v.F[k] = c * y
				} else {
					v.I[k] = ir.WrapInt(v.DType, v.I[k]*x.I[e])
				}
			case ir.OpMax:
				if v.F != nil {
					v.F[k] = max(c, y)
				} else {
					v.I[k] = max(v.I[k], x.I[e])
				}
			case ir.OpMin:
				if v.F != nil {
					v.F[k] = min(c, y)
				} else {
					v.I[k] = min(v.I[k], x.I[e])
				}
			case ir.OpArgMax:
				if x.F != nil {
					if j == 0 || x.F[best] == x.F[best] && !(x.F[e] <= x.F[best]) {
						v.I[k], best = int64(j), e
					}
				} else if j == 0 || x.I[e] > x.I[best] {
					v.I[k], best = int64(j), e
				}
			case ir.OpAny:
				v.I[k] |= x.I[e]
			case ir.OpAll:
				v.I[k] &= x.I[e]
			default:
				panic(n.Op.String())
			}
		})
	})
}

func positions(shape []int, f func(k int, p []int)) {
	p := make([]int, len(shape))
	for k := range ir.Size(shape) {
		r := k
		for a := len(shape) - 1; a >= 0; a-- {
			p[a] = r % shape[a]
			r /= shape[a]
		}
		f(k, p)
	}
}

func setBits(v ref.Values, k int, bits uint64) {
	if v.F != nil {
		v.F[k] = ir.BitsFloat(v.DType, bits)
	} else {
		v.I[k] = ir.BitsInt(v.DType, bits)
	}
}

func copyElem(dst ref.Values, k int, src ref.Values, j int) {
	if dst.F != nil {
		dst.F[k] = src.F[j]
	} else {
		dst.I[k] = src.I[j]
	}
}

func round(v ref.Values) {
	for k := range v.Len() {
		setBits(v, k, v.Bits(k))
	}
}

// testCustom is the kernel of the custom op "plan.test": sum and difference.
func testCustom(out, in []ref.Values, _ []int64) error {
	if len(in) != 2 || len(out) != 2 {
		return fmt.Errorf("%d arguments, %d results", len(in), len(out))
	}
	for k := range out[0].F {
		out[0].F[k] = in[0].F[k] + in[1].F[k]
		out[1].F[k] = in[0].F[k] - in[1].F[k]
	}
	round(out[0])
	round(out[1])
	return nil
}

func init() {
	ir.RegisterCustom(ir.CustomOp{Name: "plan.test"})
}
