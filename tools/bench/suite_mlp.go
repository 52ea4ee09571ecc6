package main

import (
	"fmt"
	"math"

	"github.com/fornax-ml/fornax/nn"
	"github.com/fornax-ml/fornax/tensor"
)

const mlpSuite = "mlp"

// An mlp is a perceptron with ReLU between its layers, trained with
// cross-entropy and Adam on one batch.
type mlp struct {
	batch  int
	widths []int // of the input, of each hidden layer, and the number of classes
}

// String returns the batch, after which cases are named.
func (m mlp) String() string { return fmt.Sprintf("batch%d", m.batch) }

// checkedLosses is how many steps' losses are compared.
const checkedLosses = 3

// Seeds of the data; weights and biases of layer i have layerSeed + 2·i and the
// next.
const (
	inputSeed = 1
	classSeed = 2
	layerSeed = 10
)

func (m mlp) classes() int { return m.widths[len(m.widths)-1] }

// layer returns the first weights [out, in] and biases of a layer, in
// [-1/√in, 1/√in).
func (m mlp) layer(i int) (in, out int, weight, bias []float32) {
	in, out = m.widths[i], m.widths[i+1]
	scale := float32(2 / math.Sqrt(float64(in)))
	return in, out, fill(in*out, uint32(layerSeed+2*i), scale), fill(out, uint32(layerSeed+1+2*i), scale)
}

func (m mlp) data() (x []float32, class []int32) {
	return fill(m.batch*m.widths[0], inputSeed, 1), picks(m.batch, classSeed, m.classes())
}

// mlpCases are training steps of each batch size.
func mlpCases(l *lab, batches []int, widths ...int) []benchCase {
	var cases []benchCase
	for _, b := range batches {
		m := mlp{b, widths}
		for _, n := range threads() {
			cases = append(cases, benchCase{
				suite: mlpSuite, name: m.String(), threads: n, work: 1,
				open: func() (*entry, error) { return l.openMLP(m, n) },
			})
		}
	}
	return cases
}

func (l *lab) openMLP(m mlp, threads int) (*entry, error) {
	want := l.reference(m)
	ours, err := m.train(l.device(threads))
	if err != nil {
		return nil, err
	}
	// The gradients of float32 differ in the last places, and Adam's first step
	// is ±1e-3 however small a gradient is.
	e := &entry{ours: ours, reference: reference{n: checkedLosses, want: func(i int) (float64, float64) {
		return want().losses[i], 1e-3 * want().losses[i]
	}}}
	dims := append([]int{m.batch, m.classes()}, m.widths...)
	e.rivals = append(e.rivals, l.against("torch", "torch", levels()[0], mlpSuite, threads, dims...))
	if threads > 1 {
		one, err := m.train(l.device(1))
		r := rival{name: "one thread", ratio: "speed-up", err: err}
		if err == nil {
			r.contender = one
		}
		e.rivals = append(e.rivals, r)
	}
	return e, nil
}

// model makes the perceptron.
func (m mlp) model(dev *tensor.Device) (model nn.Sequential) {
	for i := range len(m.widths) - 1 {
		in, out, weight, bias := m.layer(i)
		if i > 0 {
			model = append(model, nn.ReLU{})
		}
		model = append(model, &nn.Linear{
			Weight: nn.NewParam(tensor.FromSlice(dev, weight, out, in)),
			Bias:   nn.NewParam(tensor.FromSlice(dev, bias, out)),
		})
	}
	return model
}

// train makes the model and its compiled step, and runs the first steps.
func (m mlp) train(dev *tensor.Device) (*step, error) {
	model := m.model(dev)
	opt := nn.NewAdam(nn.Parameters(model), nn.AdamConfig{LR: adamRate})
	x, class := m.data()
	s, err := newStep(func(in ...*tensor.Tensor) []*tensor.Tensor {
		loss := nn.CrossEntropy(model.Forward(in[0]), in[1])
		opt.Step(loss)
		return []*tensor.Tensor{loss}
	}, tensor.FromSlice(dev, x, m.batch, m.widths[0]), tensor.FromSlice(dev, class, m.batch))
	if err != nil {
		return nil, err
	}
	losses := make([]float32, checkedLosses)
	for i := range losses {
		if i > 0 {
			if err := s.call(); err != nil {
				return nil, err
			}
		}
		loss, err := s.out[0].Item()
		if err != nil {
			return nil, err
		}
		losses[i] = float32(loss)
	}
	s.first = func() ([]float32, error) { return losses, nil }
	return s, nil
}
