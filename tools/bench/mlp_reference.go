package main

import (
	"fmt"
	"math"
	"slices"
	"sync"

	"gonum.org/v1/gonum/mat"
)

// Adam's numbers, as torch has them.
const (
	adamRate  = 1e-3
	adamBeta1 = 0.9
	adamBeta2 = 0.999
	adamEps   = 1e-8
)

// A param64 is a parameter in float64 with what Adam keeps of it.
type param64 struct{ value, mean, square []float64 }

func newParam64(x []float32) *param64 {
	return &param64{value: widen(x), mean: make([]float64, len(x)), square: make([]float64, len(x))}
}

// step is Adam's step t, from 1, with gradient g.
func (p *param64) step(g []float64, t int) {
	c1, c2 := 1-math.Pow(adamBeta1, float64(t)), 1-math.Pow(adamBeta2, float64(t))
	for i, x := range g {
		p.mean[i] = adamBeta1*p.mean[i] + (1-adamBeta1)*x
		p.square[i] = adamBeta2*p.square[i] + (1-adamBeta2)*x*x
		p.value[i] -= adamRate / c1 * p.mean[i] / (math.Sqrt(p.square[i])/math.Sqrt(c2) + adamEps)
	}
}

func widen(x []float32) []float64 {
	y := make([]float64, len(x))
	for i, v := range x {
		y[i] = float64(v)
	}
	return y
}

// An mlpReference is what a perceptron does in float64.
type mlpReference struct {
	losses []float64 // of the first steps
	grads  []float64 // of the first step: of each layer's weights and biases, in order
}

// reference returns a perceptron's reference, which is computed when it is first needed.
func (l *lab) reference(m mlp) func() mlpReference {
	key := fmt.Sprint(m.batch, m.widths)
	if l.losses[key] == nil {
		l.losses[key] = sync.OnceValue(m.reference)
	}
	return l.losses[key]
}

// reference trains the perceptron in float64.
func (m mlp) reference() (r mlpReference) {
	var weights, biases []*param64
	for i := range len(m.widths) - 1 {
		_, _, w, b := m.layer(i)
		weights, biases = append(weights, newParam64(w)), append(biases, newParam64(b))
	}
	x, class := m.data()
	for t := range checkedLosses {
		acts := []*mat.Dense{mat.NewDense(m.batch, m.widths[0], widen(x))}
		for i, w := range weights {
			y := &mat.Dense{}
			y.Mul(acts[i], mat.NewDense(m.widths[i+1], m.widths[i], w.value).T())
			y.Apply(func(_, j int, v float64) float64 {
				if v += biases[i].value[j]; i < len(weights)-1 {
					v = max(v, 0)
				}
				return v
			}, y)
			acts = append(acts, y)
		}
		loss, d := crossEntropy64(acts[len(acts)-1], class)
		r.losses = append(r.losses, loss)
		grads := make([][]float64, 0, 2*len(weights))
		for i := len(weights) - 1; i >= 0; i-- {
			dw, dx := &mat.Dense{}, &mat.Dense{}
			dw.Mul(d.T(), acts[i])
			dx.Mul(d, mat.NewDense(m.widths[i+1], m.widths[i], weights[i].value))
			db := make([]float64, m.widths[i+1])
			for n := range m.batch {
				for j := range db {
					db[j] += d.At(n, j)
				}
			}
			grads = append(grads, db, dw.RawMatrix().Data)
			weights[i].step(dw.RawMatrix().Data, t+1)
			biases[i].step(db, t+1)
			dx.Apply(func(n, j int, v float64) float64 {
				if acts[i].At(n, j) <= 0 {
					return 0
				}
				return v
			}, dx)
			d = dx
		}
		if t == 0 {
			slices.Reverse(grads)
			r.grads = slices.Concat(grads...)
		}
	}
	return r
}

// crossEntropy64 returns the mean loss and its gradient.
func crossEntropy64(x *mat.Dense, class []int32) (float64, *mat.Dense) {
	rows, cols := x.Dims()
	d, loss := mat.NewDense(rows, cols, nil), 0.0
	for n := range rows {
		row := x.RawRowView(n)
		most, sum := row[0], 0.0
		for _, v := range row {
			most = max(most, v)
		}
		for _, v := range row {
			sum += math.Exp(v - most)
		}
		for j, v := range row {
			d.Set(n, j, math.Exp(v-most)/sum/float64(rows))
		}
		c := int(class[n])
		loss -= (row[c] - most - math.Log(sum)) / float64(rows)
		d.Set(n, c, d.At(n, c)-1/float64(rows))
	}
	return loss, d
}
