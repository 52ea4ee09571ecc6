package main

import (
	"errors"
	"runtime"
	"sync"

	"github.com/fornax-ml/fornax/cpu"
)

const productSuite = "product"

// products are the sizes of products, M, K and N.
func products(quick bool) [][3]int {
	l := [][3]int{}
	for _, n := range []int{32, 64, 128, 256, 512, 1024, 2048, 4096} {
		if quick && n > 1024 {
			break
		}
		l = append(l, [3]int{n, n, n})
	}
	return append(l,
		[3]int{1, 1024, 1024}, [3]int{1, 4096, 1024}, // a row by a matrix
		[3]int{128, 784, 10}, [3]int{1024, 512, 10}, // to classes
		[3]int{32, 784, 512}, [3]int{128, 784, 512}, [3]int{1024, 784, 512}, // a layer
	)
}

// gonumMost is how many multiply-adds a product has at most that gonum is asked
// for: it takes seconds for more.
const gonumMost = 1 << 30

// productCases are the products at each level, transposed in each way.
func productCases(l *lab, sizes [][3]int) []benchCase {
	var cases []benchCase
	for _, level := range levels() {
		for _, s := range sizes {
			for t := range 4 {
				p := product{s[0], s[1], s[2], t&2 != 0, t&1 != 0}
				if l.quick && t > 1 {
					continue
				}
				for _, n := range threads() {
					cases = append(cases, benchCase{
						suite: productSuite, group: level, name: p.String(), threads: n, work: p.flops(),
						open: func() (*entry, error) { return l.openProduct(level, p, n) },
					})
				}
			}
		}
	}
	return cases
}

func (l *lab) openProduct(level string, p product, threads int) (*entry, error) {
	dev := l.kernelDevice(level, threads)
	a, b, c := p.operands()
	aRow, aCol, bRow, bCol := p.strides()
	x, y := cpu.Matrix{Data: a, Row: aRow, Col: aCol}, cpu.Matrix{Data: b, Row: bRow, Col: bCol}
	ours, err := newCall(c, func() error { return dev.MatMul(c, x, y, p.m, p.n, p.k) })
	if err != nil {
		return nil, err
	}
	e := &entry{ours: ours, reference: p.reference(a, b), yardstick: func() float64 { return peak(dev, threads) }}
	e.rivals = append(e.rivals, l.against("OpenBLAS", "openblas", level, "product", threads, p.dims()...))
	if p.flops() <= 2*gonumMost {
		e.rivals = append(e.rivals, l.against("gonum", "gonum", level, "product", threads, p.dims()...))
	}
	return e, nil
}

// peakWork is how many multiply-adds one measure of the peak takes.
const peakWork = 1 << 25

// peak returns the floating-point operations a second that so many threads reach
// together on registers, each by its own clock; 0 where the level has no such
// measure.
func peak(dev *cpu.Device, threads int) float64 {
	rates := make([]float64, threads)
	var all sync.WaitGroup
	for i := range threads {
		all.Go(func() {
			runtime.LockOSThread()
			defer runtime.UnlockOSThread()
			start := threadTime()
			if n, err := dev.Peak(peakWork); err == nil {
				rates[i] = float64(n) / (threadTime() - start).Seconds()
			}
		})
	}
	all.Wait()
	sum := 0.0
	for _, r := range rates {
		sum += r
	}
	return sum
}

// peakAll makes peakWork multiply-adds on each of so many threads.
func peakAll(dev *cpu.Device, threads int) error {
	errs := make([]error, threads)
	var all sync.WaitGroup
	for i := range threads {
		all.Go(func() { _, errs[i] = dev.Peak(peakWork) })
	}
	all.Wait()
	return errors.Join(errs...)
}
