package main

import (
	"math"

	"github.com/fornax-ml/fornax/tensor"
)

const halfSuite = "half"

// A productDType is a dtype of operands and results, and the distance of 1 from the
// next number, where results are rounded to less than the sums.
type productDType struct {
	tensor.DType
	epsilon float64
}

// halfDTypes are the 16-bit dtypes.
var halfDTypes = []productDType{{tensor.BF16, 0x1p-7}, {tensor.F16, 0x1p-10}}

// halfProducts are the sizes of products of halves, M, K and N.
func halfProducts(quick bool) [][3]int {
	if quick {
		return [][3]int{{512, 512, 512}, {128, 784, 512}}
	}
	return [][3]int{{128, 128, 128}, {256, 256, 256}, {512, 512, 512}, {1024, 1024, 1024}, {2048, 2048, 2048}, {128, 784, 512}, {1024, 784, 512}}
}

// halfCases are products of halves, with B as it is and transposed.
func halfCases(l *lab, sizes [][3]int) []benchCase {
	var cases []benchCase
	for _, d := range halfDTypes {
		for _, s := range sizes {
			for t := range 2 {
				p := product{s[0], s[1], s[2], false, t == 1}
				for _, n := range threads() {
					cases = append(cases, benchCase{
						suite: halfSuite, group: d.String(), name: p.String(), threads: n, work: p.flops(),
						open: func() (*entry, error) { return l.openHalf(d, p, n) },
					})
				}
			}
		}
	}
	return cases
}

func (l *lab) openHalf(d productDType, p product, threads int) (*entry, error) {
	dev := l.device(threads)
	a, b, _ := p.operands()
	shapeB := []int{p.k, p.n}
	if p.transB {
		shapeB = []int{p.n, p.k}
	}
	x, y := tensor.FromSlice(dev, a, p.m, p.k).Cast(d.DType), tensor.FromSlice(dev, b, shapeB...).Cast(d.DType)
	for i, t := range []*tensor.Tensor{x, y} { // what the dtype makes of the operands
		exact, err := tensor.Data[float32](t.Cast(tensor.F32))
		if err != nil {
			return nil, err
		}
		copy([][]float32{a, b}[i], exact)
	}
	s, err := newStep(func(in ...*tensor.Tensor) []*tensor.Tensor {
		if p.transB {
			return []*tensor.Tensor{in[0].MatMul(in[1].T())}
		}
		return []*tensor.Tensor{in[0].MatMul(in[1])}
	}, x, y)
	if err != nil {
		return nil, err
	}
	s.first = func() ([]float32, error) { return tensor.Data[float32](s.out[0].Cast(tensor.F32)) }
	r := p.reference(a, b)
	sum := r.want
	r.want = func(e int) (float64, float64) {
		v, tolerance := sum(e)
		return v, tolerance + d.epsilon/2*math.Abs(v)
	}
	kernels := l.kernelDevice(levels()[0], threads)
	e := &entry{ours: s, reference: r, yardstick: func() float64 { return peak(kernels, threads) }}
	if d.DType == tensor.F32 {
		e.rivals = append(e.rivals, l.against("OpenBLAS", "openblas", levels()[0], "product", threads, p.dims()...))
		e.rivals = append(e.rivals, l.against("gonum", "gonum", levels()[0], "product", threads, p.dims()...))
	}
	e.rivals = append(e.rivals, l.against("torch", "torch", levels()[0], halfSuite+"/"+d.String(), threads, p.dims()...))
	return e, nil
}
