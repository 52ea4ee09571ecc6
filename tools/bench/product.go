package main

import (
	"errors"
	"fmt"
)

// A product is c[M, N] = a[M, K]·b[K, N] in float32, where a, b or both lie
// transposed in memory.
type product struct {
	m, k, n        int
	transA, transB bool
}

// String returns M×K×N and how the operands lie.
func (p product) String() string {
	t := []byte("NN")
	if p.transA {
		t[0] = 'T'
	}
	if p.transB {
		t[1] = 'T'
	}
	return fmt.Sprintf("%dx%dx%d/%s", p.m, p.k, p.n, t)
}

func (p product) flops() float64 { return 2 * float64(p.m) * float64(p.k) * float64(p.n) }

// dims is the product as sizes for a request; ofDims reads them.
func (p product) dims() []int {
	flag := map[bool]int{true: 1}
	return []int{p.m, p.k, p.n, flag[p.transA], flag[p.transB]}
}

func ofDims(d []int) (product, error) {
	if len(d) != 5 || d[0] < 1 || d[1] < 1 || d[2] < 1 {
		return product{}, fmt.Errorf("a product of sizes %d", d)
	}
	return product{d[0], d[1], d[2], d[3] != 0, d[4] != 0}, nil
}

// operands returns a and b as they lie in memory, and memory for c.
func (p product) operands() (a, b, c []float32) {
	return fill(p.m*p.k, 1, 1), fill(p.k*p.n, 2, 1), make([]float32, p.m*p.n)
}

// strides returns the distances of rows and of columns of a and b.
func (p product) strides() (aRow, aCol, bRow, bCol int) {
	aRow, aCol, bRow, bCol = p.k, 1, p.n, 1
	if p.transA {
		aRow, aCol = 1, p.m
	}
	if p.transB {
		bRow, bCol = 1, p.k
	}
	return
}

// mostChecked is how many multiply-adds the reference of a product may take.
const mostChecked = 1 << 25

// reference returns the product in float64. Of a large one elements all over it
// are looked at, at least a thousand.
func (p product) reference(a, b []float32) reference {
	r := reference{n: p.m * p.n}
	if most := max(1024, mostChecked/p.k); r.n > most {
		r.elements = spread(r.n, most)
	}
	aRow, aCol, bRow, bCol := p.strides()
	r.want = func(e int) (float64, float64) {
		i, j := e/p.n, e%p.n
		sum, squares := 0.0, 0.0
		for k := range p.k {
			x := float64(a[i*aRow+k*aCol]) * float64(b[k*bRow+j*bCol])
			sum += x
			squares += x * x
		}
		return sum, sumTolerance(p.k, squares)
	}
	return r
}

// productEngine makes an engine of a function that computes products.
func productEngine(about string, threads func(int), f func(p product, a, b, c []float32)) engine {
	return engine{about: about, open: func(name string, n int, dims []int) (contender, error) {
		if name != "product" {
			return nil, errors.New("only products")
		}
		p, err := ofDims(dims)
		if err != nil {
			return nil, err
		}
		threads(n)
		a, b, c := p.operands()
		return newCall(c, func() error {
			f(p, a, b, c)
			return nil
		})
	}}
}
