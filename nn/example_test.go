package nn_test

import (
	"fmt"

	"github.com/fornax-ml/fornax/nn"
	"github.com/fornax-ml/fornax/tensor"
)

// A perceptron learns the exclusive or.
func Example() {
	d, err := tensor.Open("cpu")
	if err != nil {
		fmt.Println(err)
		return
	}
	rng := tensor.NewRNG(1)
	model := nn.Sequential{nn.NewLinear(d, rng, 2, 16), nn.Tanh{}, nn.NewLinear(d, rng, 16, 2)}
	opt := nn.NewAdamW(nn.Parameters(model), nn.AdamConfig{LR: 0.05})
	x := tensor.FromSlice(d, []float32{0, 0, 0, 1, 1, 0, 1, 1}, 4, 2)
	class := tensor.FromSlice(d, []int32{0, 1, 1, 0})
	step := tensor.Compile(func(in ...*tensor.Tensor) []*tensor.Tensor {
		loss := nn.CrossEntropy(model.Forward(in[0]), in[1])
		opt.Step(loss)
		return []*tensor.Tensor{loss}
	})
	for range 100 {
		out, err := step.Call(x, class)
		if err != nil {
			fmt.Println(err)
			return
		}
		out[0].Free()
	}
	guess, err := tensor.Data[int32](model.Forward(x).ArgMax(-1))
	fmt.Println(guess, err)
	for name, p := range nn.Parameters(model) {
		fmt.Println(name, p.Shape())
	}
	// Output:
	// [0 1 1 0] <nil>
	// 0.weight [16 2]
	// 0.bias [16]
	// 2.weight [2 16]
	// 2.bias [2]
}

// Freezing all but the last layer trains only that one.
func ExampleFreeze() {
	d, err := tensor.Open("cpu")
	if err != nil {
		fmt.Println(err)
		return
	}
	rng := tensor.NewRNG(1)
	model := nn.Sequential{nn.NewLinear(d, rng, 4, 8), nn.ReLU{}, nn.NewLinear(d, rng, 8, 2)}
	nn.Freeze(model, true)
	nn.Freeze(model[2], false)
	for name, p := range nn.Parameters(model) {
		if !p.Frozen() {
			fmt.Println(name)
		}
	}
	// Output:
	// 2.weight
	// 2.bias
}
