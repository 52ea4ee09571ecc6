// Package data reads datasets and hands them out in batches.
//
// It knows nothing of tensors or devices: a [Batch] is plain Go slices with
// their shapes, and the caller makes tensors of them:
//
//	loader, err := data.NewLoader(train, data.LoaderConfig{BatchSize: 128, Shuffle: true, Seed: 1})
//	…
//	for epoch := range 3 {
//		for b, err := range loader.Epoch(ctx, epoch) {
//			if err != nil {
//				return err
//			}
//			x := tensor.FromSlice(dev, b.X, b.XShape...)
//			y := tensor.FromSlice(dev, b.Y, b.YShape...)
//			…
//		}
//	}
//
// # Datasets
//
// Anything with the three methods of [Dataset] can be loaded. [Images] holds
// grey images with labels as bytes and converts them while a batch is filled;
// [Table] holds rows of any element types. [MNIST] reads a folder with the four
// files of MNIST or of a dataset in the same form (Fashion-MNIST, KMNIST, …).
// Package nn/data/mnist finds MNIST itself without any folder; it is a package
// of its own so that a program which does not use it downloads no images.
//
// # The loader
//
// The order of an epoch depends on the seed and the number of the epoch only,
// so an epoch can be repeated, and training resumed at any epoch, on any
// machine. A goroutine fills a bounded number of batches ahead while the loop's
// body runs; it has stopped by the time the loop is over, whether the loop ran
// to its end, was left by break or panic, or its context was cancelled. The
// slices of a batch belong to the loader and are filled again once the loop's
// body returns; [Batch.Clone] makes a copy that may be kept.
//
// # Hostile files
//
// [ReadIDX] takes bytes from anywhere. What a header claims is not believed
// before the bytes are there: memory grows with what the stream delivers, up to
// [Limits].Bytes, compressed or not. Whatever is wrong with a file is an error
// that says what was expected and what was found.
package data
