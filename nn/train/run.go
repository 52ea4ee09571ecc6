package train

import (
	"context"
	"fmt"
	"io"
	"math"
	"os"
	"time"

	"github.com/fornax-ml/fornax/nn"
	"github.com/fornax-ml/fornax/tensor"
)

// Config says what Run trains, on what and how. Model, Optimizer, Loss, Train
// and Epochs are needed.
type Config struct {
	Model     nn.Module
	Optimizer nn.Optimizer
	// Loss returns the mean loss of a batch, of one element, from the model's
	// output and the targets; for example nn.CrossEntropy.
	Loss   func(y, target *tensor.Tensor) *tensor.Tensor
	Train  Source
	Epochs int

	// Test is gone through after each epoch. Correct returns the number of
	// examples of a batch that are right, of one element, such as nn.Correct.
	Test    Source
	Correct func(y, target *tensor.Tensor) *tensor.Tensor

	Schedule nn.Schedule // learning rate of each step, counted from 0 over all epochs
	ClipNorm float64     // limit of the gradients' norm; 0 means none
	// LossEvery is the number of steps between two readings of the loss, which
	// wait for the device; 0 means 50.
	LossEvery int
	// Plain builds the graph of each step again rather than compile it once.
	Plain bool

	// Output gets a progress bar where it is a terminal, and a line an epoch.
	// Nil means os.Stdout; io.Discard keeps quiet.
	Output io.Writer
	Unit   string // what examples are called; "" means "examples"
	// OnStep is called after each step with its loss, which may be read, but
	// not kept; its error ends Run. So does that of OnEpoch.
	OnStep  func(step int, loss *tensor.Tensor) error
	OnEpoch func(e Epoch) error
}

// An Epoch says how an epoch went.
type Epoch struct {
	Number   int           // from 1
	Steps    int           // of all epochs up to its end
	Loss     float64       // mean over its training batches
	Duration time.Duration // of its training
	Rate     float64       // examples trained on a second
	Test     Score         // NaN without Config.Test
}

// A Score is the result of Evaluate.
type Score struct {
	Loss     float64 // mean over the examples
	Accuracy float64 // correct examples of all; NaN without Config.Correct
}

// Run trains. It returns the epochs that are complete, also with an error: of
// the device, of a Source, or the context's, which errors.Is finds. The model
// and the optimizer are then as the last complete step left them. Afterwards
// the model is in evaluation mode.
func Run(ctx context.Context, c Config) ([]Epoch, error) {
	if c.Model == nil || c.Optimizer == nil || c.Loss == nil || c.Train == nil {
		return nil, fmt.Errorf("train: Config wants Model, Optimizer, Loss and Train")
	}
	if c.LossEvery <= 0 {
		c.LossEvery = 50
	}
	if c.Output == nil {
		c.Output = os.Stdout
	}
	if c.Unit == "" {
		c.Unit = "examples"
	}
	r := &runner{Config: c}
	if c.Test != nil {
		r.eval = newEvaluator(c.Model, c.Loss, c.Correct, c.Plain)
	}
	defer nn.SetTraining(c.Model, false)
	var done []Epoch
	for n := range c.Epochs {
		e, err := r.epoch(ctx, n)
		if err != nil {
			return done, fmt.Errorf("train: epoch %d, step %d: %w", n+1, r.step, err)
		}
		done = append(done, e)
		fmt.Fprintln(c.Output, e.line(c.Epochs, c.Unit))
		if c.OnEpoch != nil {
			if err := c.OnEpoch(e); err != nil {
				return done, fmt.Errorf("train: epoch %d: %w", n+1, err)
			}
		}
	}
	return done, nil
}

// A runner is a Run on its way.
type runner struct {
	Config
	step int // steps made
	sum  *tensor.Cell
	f    *tensor.Compiled
	eval *evaluator
}

func (r *runner) epoch(ctx context.Context, n int) (e Epoch, err error) {
	nn.SetTraining(r.Model, true)
	bar := newBar(r.Output, fmt.Sprintf("epoch %d/%d", n+1, r.Epochs), r.Train.Batches(), r.Unit)
	defer func() { bar.close() }()
	e = Epoch{Number: n + 1, Test: Score{math.NaN(), math.NaN()}}
	start := time.Now()
	first, examples, unread, total := r.step, 0, 0, 0.0
	read := func() error {
		if unread == 0 {
			return nil
		}
		v, err := r.sum.Read().ItemContext(ctx)
		if err != nil {
			return err
		}
		bar.loss(v / float64(unread))
		total += v
		unread = 0
		r.sum.SetScalar(0)
		return nil
	}
	for b, err := range r.Train.Epoch(ctx, n) {
		if err != nil {
			return e, err
		}
		size := b.X.Dim(0)
		if err := r.train(ctx, b); err != nil {
			return e, err
		}
		examples += size
		unread++
		if unread == r.LossEvery {
			if err := read(); err != nil {
				return e, err
			}
		}
		bar.advance(size)
	}
	if err := read(); err != nil {
		return e, err
	}
	e.Steps, e.Loss, e.Duration = r.step, total/float64(max(r.step-first, 1)), time.Since(start)
	e.Rate = float64(examples) / e.Duration.Seconds()
	bar.close()
	if r.eval != nil {
		nn.SetTraining(r.Model, false)
		e.Test, err = r.eval.run(ctx, r.Test)
	}
	return e, err
}

// train makes a step and frees the batch.
func (r *runner) train(ctx context.Context, b Batch) error {
	if r.sum == nil {
		r.sum = tensor.NewCell(tensor.Zeros(b.X.Device()))
		r.f = tensor.Compile(r.record)
	}
	if r.Schedule != nil {
		r.Optimizer.SetLR(r.Schedule(r.step))
	}
	var out []*tensor.Tensor
	var err error
	if r.Plain {
		if err = ctx.Err(); err != nil {
			b.Free()
			return err
		}
		// The step is recorded in the cells from here on: it is not given up,
		// and the batch stays where it failed.
		out = r.record(b.X, b.Y)
		if err = tensor.Eval(out[0], r.sum.Read()); err != nil {
			return err
		}
	} else if out, err = r.f.CallContext(ctx, b.X, b.Y); err != nil {
		b.Free()
		return err
	}
	b.Free()
	r.step++
	if r.OnStep != nil {
		err = r.OnStep(r.step-1, out[0])
	}
	out[0].Free()
	return err
}

// record builds the graph of a step: loss, new parameters, sum of the losses.
func (r *runner) record(in ...*tensor.Tensor) []*tensor.Tensor {
	loss := r.Loss(r.Model.Forward(in[0]), in[1])
	if r.ClipNorm > 0 {
		grads, _ := nn.ClipGradNorm(r.Optimizer.Grads(loss), r.ClipNorm)
		r.Optimizer.StepWith(grads)
	} else {
		r.Optimizer.Step(loss)
	}
	r.sum.Set(r.sum.Read().Add(scalar(loss, r.sum)))
	return []*tensor.Tensor{loss}
}

// scalar brings a tensor of one element to the form of a cell.
func scalar(x *tensor.Tensor, c *tensor.Cell) *tensor.Tensor {
	return x.Reshape(c.Shape()...).Cast(c.DType()).To(c.Device())
}
