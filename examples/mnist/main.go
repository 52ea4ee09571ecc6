// Command mnist trains a perceptron with one hidden layer on MNIST.
//
// FORNAX_DEVICE chooses the device: cpu, vulkan, vulkan:1, …; without it that
// is a GPU if there is one, else the CPU.
package main

import (
	"cmp"
	"context"
	"errors"
	"flag"
	"fmt"
	"log"
	"os"
	"os/signal"

	"github.com/fornax-ml/fornax/nn"
	"github.com/fornax-ml/fornax/nn/data"
	"github.com/fornax-ml/fornax/nn/data/mnist"
	"github.com/fornax-ml/fornax/nn/train"
	"github.com/fornax-ml/fornax/tensor"
	_ "github.com/fornax-ml/fornax/vk"
)

var (
	epochs = flag.Int("epochs", 4, "times through the training images")
	batch  = flag.Int("batch", 100, "images a step")
	hidden = flag.Int("hidden", 128, "units of the hidden layer")
	seed   = flag.Uint64("seed", 1, "of parameters and order")
	rate   = flag.Float64("lr", 4e-3, "highest learning rate")
	losses = flag.Int("losses", 0, "print the losses of the first `n` steps")
)

func main() {
	log.SetFlags(0)
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := run(ctx); err != nil && !errors.Is(err, context.Canceled) {
		log.Fatal(err)
	}
}

func run(ctx context.Context) error {
	dev, err := tensor.Open(cmp.Or(os.Getenv("FORNAX_DEVICE"), "auto"))
	if err != nil {
		return err
	}
	printDevice(dev.Info())
	images, test, err := mnist.Load("")
	if err != nil {
		return err
	}
	mean, std := images.MeanStd()
	trainLoader, err := data.NewLoader(images.Normalized(mean, std), data.LoaderConfig{BatchSize: *batch, Shuffle: true, Seed: *seed, DropLast: true})
	if err != nil {
		return err
	}
	testLoader, err := data.NewLoader(test.Normalized(mean, std), data.LoaderConfig{BatchSize: 1000})
	if err != nil {
		return err
	}
	rng := tensor.NewRNG(*seed)
	model := nn.Sequential{nn.Flatten{}, nn.NewLinear(dev, rng, images.H*images.W, *hidden), nn.ReLU{}, nn.NewLinear(dev, rng, *hidden, 10)}
	_, err = train.Run(ctx, train.Config{
		Model: model, Optimizer: nn.NewAdam(nn.Parameters(model), nn.AdamConfig{}), Loss: nn.CrossEntropy, Correct: nn.Correct,
		Train: train.From(dev, trainLoader), Test: train.From(dev, testLoader), Unit: "images", Epochs: *epochs,
		Schedule: nn.OneCycleLR(nn.OneCycleConfig{LR: *rate, Steps: *epochs * trainLoader.Batches()}),
		OnStep: func(step int, loss *tensor.Tensor) error {
			if step >= *losses {
				return nil
			}
			v, err := loss.Item()
			fmt.Printf("step %d: loss %.9g\n", step, v)
			return err
		},
	})
	return err
}
