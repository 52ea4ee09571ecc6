package train

import (
	"context"
	"iter"

	"github.com/fornax-ml/fornax/nn/data"
	"github.com/fornax-ml/fornax/tensor"
)

// A Batch is inputs and targets of the same examples, which the first axis
// counts. Whoever takes it from a Source frees it.
type Batch struct{ X, Y *tensor.Tensor }

// Free gives the batch's memory back.
func (b Batch) Free() {
	b.X.Free()
	b.Y.Free()
}

// A Source hands out batches.
type Source interface {
	// Batches returns the number of batches of an epoch.
	Batches() int
	// Examples returns the number of examples of an epoch.
	Examples() int
	// Epoch returns the batches of an epoch; an error ends it.
	Epoch(ctx context.Context, epoch int) iter.Seq2[Batch, error]
}

// From makes a Source of a loader: its batches on a device.
func From[T, U tensor.Element](d *tensor.Device, l *data.Loader[T, U]) Source {
	return source[T, U]{d, l}
}

type source[T, U tensor.Element] struct {
	d *tensor.Device
	l *data.Loader[T, U]
}

func (s source[T, U]) Batches() int  { return s.l.Batches() }
func (s source[T, U]) Examples() int { return s.l.Examples() }

func (s source[T, U]) Epoch(ctx context.Context, epoch int) iter.Seq2[Batch, error] {
	return func(yield func(Batch, error) bool) {
		for b, err := range s.l.Epoch(ctx, epoch) {
			if err != nil {
				yield(Batch{}, err)
				return
			}
			batch := Batch{X: tensor.FromSlice(s.d, b.X, b.XShape...), Y: tensor.FromSlice(s.d, b.Y, b.YShape...)}
			if !yield(batch, nil) {
				return
			}
		}
	}
}
