package main

import "fmt"

// A call is a contender that is one function over memory in this process.
type call struct {
	f      func() error
	result []float32
}

func newCall(result []float32, f func() error) (*call, error) {
	return &call{f: f, result: result}, f()
}

func (c *call) run(n int) (span, error) { return timed(n, c.f) }

func (c *call) at(elements []int) ([]float32, error) {
	if elements == nil {
		return c.result, nil
	}
	l := make([]float32, len(elements))
	for k, i := range elements {
		if i < 0 || i >= len(c.result) {
			return nil, fmt.Errorf("no element %d of %d", i, len(c.result))
		}
		l[k] = c.result[i]
	}
	return l, nil
}

func (c *call) close() {}
