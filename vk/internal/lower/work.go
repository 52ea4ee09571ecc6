package lower

import "github.com/fornax-ml/fornax/tensor/ir"

// work estimates the operations of an instruction: multiply-adds count two, other
// steps one for each position.
func work(in ir.Instr) float64 {
	size := func(shape []int) float64 { return float64(ir.Size(shape)) }
	switch in := in.(type) {
	case *ir.Map:
		return size(in.Shape) * float64(len(in.Chain)+1)
	case *ir.Reduce:
		return size(in.Outer)*size(in.Inner)*float64(len(in.Pre)+1) + size(in.Outer)*float64(len(in.Post))
	case *ir.MatMul:
		return size(in.Batch) * float64(in.M) * float64(in.N) * (2*float64(in.K) + float64(len(in.Post)))
	case *ir.Gather:
		return size(in.Shape)
	case *ir.ScatterAdd:
		return size(in.Shape) + size(in.Updates.View.Shape)
	}
	return 0
}
