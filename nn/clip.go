package nn

import "github.com/fornax-ml/fornax/tensor"

// ClipGradNorm scales gradients together so that their norm, √Σ g² over all
// elements of all of them, is at most limit, as torch's clip_grad_norm_:
//
//	g·min(1, limit/(norm + 1e-6))
//
// It returns them and the norm (rank 0) from before. Nothing is read back: all
// is part of the step. Nil gradients stay nil; all others are on one device
// and of one dtype.
//
//	grads, norm := nn.ClipGradNorm(opt.Grads(loss), 1)
//	opt.StepWith(grads)
func ClipGradNorm(grads []*tensor.Tensor, limit float64) (clipped []*tensor.Tensor, norm *tensor.Tensor) {
	var sum *tensor.Tensor
	for _, g := range grads {
		switch {
		case g == nil:
		case sum == nil:
			sum = g.Square().Sum()
		default:
			sum = sum.Add(g.Square().Sum())
		}
	}
	clipped = make([]*tensor.Tensor, len(grads))
	if sum == nil {
		return clipped, nil
	}
	norm = sum.Sqrt()
	scale := norm.AddScalar(1e-6).RDivScalar(limit).MinimumScalar(1)
	for i, g := range grads {
		if g != nil {
			clipped[i] = g.Mul(scale)
		}
	}
	return clipped, norm
}
