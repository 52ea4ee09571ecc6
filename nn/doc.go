// Package nn has the parts of neural networks: layers, losses, optimizers,
// learning-rate schedules, initialisers, metrics. Names and meanings are those
// that PyTorch users expect.
//
//	rng := tensor.NewRNG(1)
//	model := nn.Sequential{
//		nn.NewLinear(dev, rng, 784, 128),
//		nn.ReLU{},
//		nn.NewLinear(dev, rng, 128, 10),
//	}
//	opt := nn.NewAdamW(nn.Parameters(model), nn.AdamConfig{LR: 1e-3})
//	…
//	loss := nn.CrossEntropy(model.Forward(x), class)
//	opt.Step(loss)
//	v, err := loss.Item()
//
// Nothing is computed before the last line, which runs the whole step as one
// program. tensor.Compile of the two lines before makes a step that does not
// rebuild the graph; package nn/train has the loop around it.
//
// # Modules
//
// A [Module] has Forward, and Visit, which names its parameters and what is
// inside it:
//
//	type Block struct {
//		layers nn.Sequential
//		scale  *nn.Param
//	}
//
//	func (b *Block) Visit(v *nn.Visitor) {
//		v.Tree("layers", b.layers)
//		v.Param("scale", b.scale)
//	}
//
//	func (b *Block) Forward(x *tensor.Tensor) *tensor.Tensor {
//		return x.Add(b.layers.Forward(x).Mul(b.scale.Read()))
//	}
//
// Its state dict has "layers.0.weight", …, "scale". Visit is written rather
// than found by reflection, so that names are where they can be read, and do
// not change with the name of a Go field. A parameter has no name of its own:
// the tree gives it one, or several where weights are shared.
//
// # Mode
//
// Modules train until [SetTraining] says otherwise. A compiled step that met a
// module of two modes, such as [Dropout], is traced once for each.
//
// # Mixed precision
//
// [Mixed] computes a module's products in BF16 or F16 and keeps parameters, gradients
// and optimizer in F32; [LossScaler] keeps small gradients of F16. Exact F32 is what
// everything else does.
//
//	model := nn.Mixed{Module: net, DType: tensor.F16}
//	opt := nn.NewLossScaler(nn.NewAdam(nn.Parameters(model), nn.AdamConfig{}), nn.LossScalerConfig{})
//
// # Configuration
//
// NewX takes what every X needs; XConfig has the rest, and its zero value is
// the default. In an optimizer's config 0 means torch's default for each
// number, and a negative number means 0. All numbers but the learning rate are
// fixed when the optimizer is made.
package nn
