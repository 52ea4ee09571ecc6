package train

import (
	"context"
	"math"

	"github.com/fornax-ml/fornax/nn"
	"github.com/fornax-ml/fornax/tensor"
)

// Evaluate goes through epoch 0 of a Source with the model in evaluation mode
// and returns the mean of loss, as Config.Loss, and the share of the examples
// that correct counts, as Config.Correct, which may be nil.
func Evaluate(ctx context.Context, model nn.Module, s Source, loss, correct func(y, target *tensor.Tensor) *tensor.Tensor) (Score, error) {
	nn.SetTraining(model, false)
	return newEvaluator(model, loss, correct, false).run(ctx, s)
}

// An evaluator sums up on the device and reads back once.
type evaluator struct {
	model         nn.Module
	loss, correct func(y, target *tensor.Tensor) *tensor.Tensor
	plain         bool
	f             *tensor.Compiled
	sums          [2]*tensor.Cell // of losses times examples, of counts
}

func newEvaluator(model nn.Module, loss, correct func(y, target *tensor.Tensor) *tensor.Tensor, plain bool) *evaluator {
	e := &evaluator{model: model, loss: loss, correct: correct, plain: plain}
	e.f = tensor.Compile(e.record)
	return e
}

func (e *evaluator) run(ctx context.Context, s Source) (Score, error) {
	examples := 0
	for b, err := range s.Epoch(ctx, 0) {
		if err != nil {
			return Score{}, err
		}
		if examples == 0 {
			for i, c := range e.sums {
				if c == nil {
					e.sums[i] = tensor.NewCell(tensor.Zeros(b.X.Device()))
				} else {
					c.SetScalar(0)
				}
			}
		}
		examples += b.X.Dim(0)
		if e.plain {
			e.record(b.X, b.Y)
			err = tensor.EvalContext(ctx, e.sums[0].Read(), e.sums[1].Read())
		} else {
			_, err = e.f.CallContext(ctx, b.X, b.Y)
		}
		b.Free()
		if err != nil {
			return Score{}, err
		}
	}
	score := Score{math.NaN(), math.NaN()}
	if examples == 0 {
		return score, nil
	}
	loss, err := e.sums[0].Read().ItemContext(ctx)
	if err != nil {
		return score, err
	}
	score.Loss = loss / float64(examples)
	if e.correct != nil {
		n, err := e.sums[1].Read().ItemContext(ctx)
		if err != nil {
			return score, err
		}
		score.Accuracy = n / float64(examples)
	}
	return score, nil
}

func (e *evaluator) record(in ...*tensor.Tensor) []*tensor.Tensor {
	y := e.model.Forward(in[0])
	loss := scalar(e.loss(y, in[1]), e.sums[0])
	e.sums[0].Set(e.sums[0].Read().Add(loss.MulScalar(float64(in[0].Dim(0)))))
	if e.correct != nil {
		e.sums[1].Set(e.sums[1].Read().Add(scalar(e.correct(y, in[1]), e.sums[1])))
	}
	return nil
}
