package main

import "github.com/fornax-ml/fornax/tensor"

const rowsSuite = "rows"

// A rowsOp moves rows of a table: an embedding.
type rowsOp struct {
	name  string
	bytes func(table, width, picked int) int
}

var rowsOps = []rowsOp{
	{"gather", func(_, width, picked int) int { return 8 * width * picked }},
	{"gradient", func(table, width, picked int) int { return 4*width*table + 4*width*picked }},
	{"scatter", func(_, width, picked int) int { return 12 * width * picked }},
}

// rowsCases are the ops on a table of rows, of which some are picked.
func rowsCases(l *lab, table, width, picked int) []benchCase {
	var cases []benchCase
	for _, op := range rowsOps {
		for _, n := range threads() {
			cases = append(cases, benchCase{
				suite: rowsSuite, name: op.name, threads: n, work: float64(op.bytes(table, width, picked)),
				open: func() (*entry, error) { return l.openRows(op.name, table, width, picked, n) },
			})
		}
	}
	return cases
}

func (l *lab) openRows(name string, table, width, picked, threads int) (*entry, error) {
	dev := l.device(threads)
	w, u, index := fill(table*width, 1, 1), fill(picked*width, 2, 1), picks(picked, 3, table)
	i := tensor.FromSlice(dev, index, picked)
	updates := func() *tensor.Tensor { return tensor.FromSlice(dev, u, picked, width) }
	expand := func(i *tensor.Tensor) *tensor.Tensor { return i.Unsqueeze(1).Expand(picked, width) }
	var s *step
	var err error
	var r reference
	switch name {
	case "gather":
		s, err = newStep(func(in ...*tensor.Tensor) []*tensor.Tensor {
			return []*tensor.Tensor{in[0].Take(0, in[1])}
		}, tensor.FromSlice(dev, w, table, width), i)
		r = reference{n: picked * width, want: func(e int) (float64, float64) {
			return float64(w[int(index[e/width])*width+e%width]), 0
		}}
	case "gradient":
		s, err = newStep(func(in ...*tensor.Tensor) []*tensor.Tensor {
			return []*tensor.Tensor{tensor.Zeros(dev, table, width).ScatterAdd(0, expand(in[0]), in[1])}
		}, i, updates())
		r = wantScatter(nil, u, index, table, width)
	case "scatter":
		c := tensor.NewCell(tensor.FromSlice(dev, w, table, width))
		s, err = newStep(func(in ...*tensor.Tensor) []*tensor.Tensor {
			c.Set(c.Read().ScatterAdd(0, expand(in[0]), in[1]))
			return nil
		}, i, updates())
		s.first = func() ([]float32, error) { return tensor.Data[float32](c.Read()) }
		r = wantScatter(w, u, index, table, width)
	}
	if err != nil {
		return nil, err
	}
	e := &entry{ours: s, reference: r}
	e.rivals = append(e.rivals, l.against("torch", "torch", levels()[0], rowsSuite+"/"+name, threads, table, width, picked))
	return e, nil
}

// wantScatter is the reference of w, or of zeros, with rows added.
func wantScatter(w, u []float32, index []int32, table, width int) reference {
	of := make([][]int, table)
	for j, i := range index {
		of[i] = append(of[i], j)
	}
	return reference{n: table * width, want: func(e int) (float64, float64) {
		sum, size := 0.0, 0.0
		if w != nil {
			sum, size = float64(w[e]), 1
		}
		for _, j := range of[e/width] {
			sum += float64(u[j*width+e%width])
			size++
		}
		return sum, size * size * 0x1p-24
	}}
}
