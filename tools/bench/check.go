package main

import (
	"fmt"
	"math"
)

// A reference is what the result of a case must be, computed in float64.
type reference struct {
	n int // elements of the result
	// elements are the numbers of those that are looked at in our own result; nil for
	// all.
	elements []int
	// want returns the value of an element and how far from it a result may be.
	want func(i int) (value, tolerance float64)
	// checked says that the process that computes the case has compared it itself.
	checked bool
}

// peerElements is how many elements of a peer's result are looked at.
const peerElements = 64

// check compares a contender's result. A peer's is only sampled: it shows that
// the peer computes the same thing.
func (r reference) check(c contender, peer bool) error {
	if r.checked {
		return nil
	}
	elements := r.elements
	if peer {
		elements = spread(r.n, peerElements)
	}
	got, err := c.at(elements)
	if err != nil {
		return err
	}
	want := len(elements)
	if elements == nil {
		want = r.n
	}
	if len(got) != want {
		return fmt.Errorf("wrong result: %d elements, want %d", len(got), want)
	}
	for k, x := range got {
		i := k
		if elements != nil {
			i = elements[k]
		}
		value, tolerance := r.want(i)
		if d := math.Abs(float64(x) - value); !(d <= tolerance) {
			return fmt.Errorf("wrong result: element %d is %v, want %v to within %.2g", i, x, value, tolerance)
		}
	}
	return nil
}

// spread returns up to k numbers below n, the first and the last among them, in
// steps that are not those of blocks.
func spread(n, k int) []int {
	if n <= k {
		k = n
	}
	l := make([]int, k)
	for i := range l {
		l[i] = int(float64(i) / float64(max(k-1, 1)) * float64(n-1))
	}
	return l
}

// sumTolerance bounds how far a float32 sum of n random numbers of both signs may
// be from the exact one. In whatever order it is added it is off by about
// u·√n·√Σx², u = 2^-24; the longest sums are added in pieces.
func sumTolerance(n int, squares float64) float64 {
	return 8 * 0x1p-24 * math.Sqrt(float64(min(n, 4096))*squares)
}
