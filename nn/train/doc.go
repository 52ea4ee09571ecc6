// Package train is the training loop: batches from a loader, compiled steps, a
// learning-rate schedule, evaluation after each epoch, progress.
//
//	epochs, err := train.Run(ctx, train.Config{
//		Model:     model,
//		Optimizer: nn.NewAdamW(nn.Parameters(model), nn.AdamConfig{}),
//		Loss:      nn.CrossEntropy,
//		Correct:   nn.Correct,
//		Train:     train.From(dev, trainLoader),
//		Test:      train.From(dev, testLoader),
//		Epochs:    5,
//	})
//
// It is a package of its own so that programs with a loop of their own do not
// link a progress bar.
//
// The loss is summed up on the device and read back now and then only, so that
// the device has its next steps while Go prepares batches. Batches are freed
// by hand: memory stays flat without the collector. A cancelled context ends
// Run between two steps; parameters and optimizer are those after the last
// whole step.
package train
