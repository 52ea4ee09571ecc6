// Command mnist trains a perceptron with one hidden layer on MNIST.
//
//	go run ./examples/mnist [-epochs 3] [-batch 128] [-hidden 128] [-lr 0.006] [-seed 1] [-precision f32] [-losses 0]
//
// FORNAX_DEVICE chooses the device: cpu, vulkan, vulkan:1, …; without it each program
// runs on the CPU or a GPU, where it is done first.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"log"
	"os"
	"os/signal"

	"github.com/fornax-ml/fornax/nn"
	"github.com/fornax-ml/fornax/nn/data"
	"github.com/fornax-ml/fornax/nn/data/mnist"
	"github.com/fornax-ml/fornax/nn/train"
	"github.com/fornax-ml/fornax/tensor"
)

var (
	epochs    = flag.Int("epochs", 3, "times through the training images")
	batch     = flag.Int("batch", 128, "images a step")
	hidden    = flag.Int("hidden", 128, "units of the hidden layer")
	rate      = flag.Float64("lr", 6e-3, "highest learning rate")
	seed      = flag.Uint64("seed", 1, "of parameters and order")
	precision = flag.String("precision", "f32", "f32; or bf16 or f16: mixed, products of halves")
	losses    = flag.Int("losses", 0, "print the losses of the first `n` steps")
)

func main() {
	log.SetFlags(0)
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	dev, err := openDevice(os.Getenv("FORNAX_DEVICE"))
	if err == nil {
		_, err = run(ctx, dev, os.Stdout)
	}
	if err != nil && !errors.Is(err, context.Canceled) {
		log.Fatal(err)
	}
}

func run(ctx context.Context, dev *tensor.Device, out io.Writer) ([]train.Epoch, error) {
	images, test, err := mnist.Load("")
	if err != nil {
		return nil, err
	}
	mean, std := images.MeanStd()
	training, err := data.NewLoader(images.Normalized(mean, std), data.LoaderConfig{BatchSize: *batch, Shuffle: true, Seed: *seed, DropLast: true})
	if err != nil {
		return nil, err
	}
	testing, err := data.NewLoader(test.Normalized(mean, std), data.LoaderConfig{BatchSize: 1000})
	if err != nil {
		return nil, err
	}
	rng := tensor.NewRNG(*seed)
	model, optimizer, err := withPrecision(*precision, nn.Sequential{
		nn.Flatten{}, nn.NewLinear(dev, rng, images.H*images.W, *hidden), nn.ReLU{}, nn.NewLinear(dev, rng, *hidden, 10),
	})
	if err != nil {
		return nil, err
	}
	return train.Run(ctx, train.Config{
		Model: model, Optimizer: optimizer, Loss: nn.CrossEntropy, Correct: nn.Correct,
		Schedule: nn.OneCycleLR(nn.OneCycleConfig{LR: *rate, Steps: *epochs * training.Batches()}),
		Train:    train.From(dev, training), Test: train.From(dev, testing), Epochs: *epochs, Unit: "images", Output: out,
		OnStep: func(step int, loss *tensor.Tensor) error {
			if step >= *losses {
				return nil
			}
			v, err := loss.Item()
			fmt.Fprintf(out, "step %d: loss %.9g\n", step, v)
			return err
		},
	})
}

// withPrecision returns a network as it is trained, and its optimizer.
func withPrecision(name string, net nn.Module) (nn.Module, nn.Optimizer, error) {
	opt := nn.NewAdam(nn.Parameters(net), nn.AdamConfig{})
	switch name {
	case "f32":
		return net, opt, nil
	case "bf16":
		return nn.Mixed{Module: net, DType: tensor.BF16}, opt, nil
	case "f16":
		return nn.Mixed{Module: net, DType: tensor.F16}, nn.NewLossScaler(opt, nn.LossScalerConfig{}), nil
	}
	return nil, nil, fmt.Errorf("-precision %s: wants f32, bf16 or f16", name)
}
