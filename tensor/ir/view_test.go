package ir_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/fornax-ml/fornax/tensor/ir"
)

// A model is a view spelt out: the element at each position in C order, -1
// where it is masked off.
type model struct {
	shape []int
	at    []int
}

func (m model) index(p []int) int {
	n := 0
	for a, x := range p {
		n = n*m.shape[a] + x
	}
	return m.at[n]
}

// build fills a model of shape with f of each position.
func build(shape []int, f func(p []int) int) model {
	m := model{shape: slices.Clone(shape), at: make([]int, ir.Size(shape))}
	p := make([]int, len(shape))
	for n := range m.at {
		m.at[n] = f(p)
		for a := len(p) - 1; a >= 0; a-- {
			if p[a]++; p[a] < shape[a] {
				break
			}
			p[a] = 0
		}
	}
	return m
}

func (m model) check(t *testing.T, v ir.View, trail string) {
	t.Helper()
	if !slices.Equal(v.Shape, m.shape) {
		t.Fatalf("%s: shape %v, want %v", trail, v.Shape, m.shape)
	}
	lo, hi, any := 0, 0, false
	got := build(m.shape, func(p []int) int {
		i, ok := v.Index(p)
		if !ok {
			return -1
		}
		if !any || i < lo {
			lo = i
		}
		if !any || i > hi {
			hi = i
		}
		any = true
		return i
	})
	if !slices.Equal(got.at, m.at) {
		t.Fatalf("%s: %v reads %v, want %v", trail, v, got.at, m.at)
	}
	blo, bhi, ok := v.Bounds()
	if ok != any || ok && (blo != lo || bhi != hi) {
		t.Fatalf("%s: bounds of %v: %d %d %v, want %d %d %v", trail, v, blo, bhi, ok, lo, hi, any)
	}
	if v.IsContiguous() {
		for i, x := range m.at {
			if i != x {
				t.Fatalf("%s: %v is not contiguous", trail, v)
			}
		}
	}
}

// factor returns a random shape of n positions.
func factor(r *rand.Rand, n int) []int {
	var s []int
	for n > 1 && len(s) < 5 {
		d := 1 + r.IntN(n)
		for n%d != 0 {
			d--
		}
		s = append(s, d)
		n /= d
	}
	s = append(s, n)
	for len(s) < ir.MaxRank && r.IntN(3) == 0 {
		s = slices.Insert(s, r.IntN(len(s)+1), 1)
	}
	return s
}

// Random movements of a view agree with the same movements spelt out.
func TestViewMovements(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	reshaped, refused := 0, 0
	for range 4000 {
		shape := make([]int, r.IntN(4))
		for a := range shape {
			shape[a] = 1 + r.IntN(5)
		}
		v := ir.Contiguous(shape)
		n := 0
		m := build(shape, func([]int) int { n++; return n - 1 })
		trail := fmt.Sprint(shape)
		for range 6 {
			old := m
			rank := len(m.shape)
			axis := 0
			if rank > 0 {
				axis = r.IntN(rank)
			}
			switch op := r.IntN(5); {
			case op == 0:
				perm := r.Perm(rank)
				v = v.Permute(perm)
				trail += fmt.Sprint(" permute ", perm)
				s := make([]int, rank)
				for a, p := range perm {
					s[a] = old.shape[p]
				}
				m = build(s, func(p []int) int {
					q := make([]int, rank)
					for a, x := range p {
						q[perm[a]] = x
					}
					return old.index(q)
				})
			case op == 1 && rank > 0 && old.shape[axis] > 0:
				size := old.shape[axis]
				start := r.IntN(size)
				step := []int{1, 2, 3, -1, -2}[r.IntN(5)]
				count := (size-1-start)/step + 1
				if step < 0 {
					count = start/-step + 1
				}
				count = r.IntN(count + 1)
				if count == 0 && r.IntN(4) > 0 {
					count = 1
				}
				v = v.Slice(axis, start, step, count)
				trail += fmt.Sprint(" slice ", axis, start, step, count)
				s := slices.Clone(old.shape)
				s[axis] = count
				m = build(s, func(p []int) int {
					q := slices.Clone(p)
					q[axis] = start + step*p[axis]
					return old.index(q)
				})
			case op == 2 && len(old.at) < 500:
				s := slices.Clone(old.shape)
				for a := range s {
					if s[a] == 1 && r.IntN(2) == 0 {
						s[a] = r.IntN(4)
					}
				}
				v = v.Expand(s)
				trail += fmt.Sprint(" expand ", s)
				m = build(s, func(p []int) int {
					q := slices.Clone(p)
					for a := range q {
						q[a] = min(q[a], old.shape[a]-1)
					}
					return old.index(q)
				})
			case op == 3 && rank > 0 && len(old.at) < 500:
				before, after := r.IntN(3), r.IntN(3)
				v = v.Pad(axis, before, after)
				trail += fmt.Sprint(" pad ", axis, before, after)
				s := slices.Clone(old.shape)
				s[axis] += before + after
				m = build(s, func(p []int) int {
					q := slices.Clone(p)
					q[axis] -= before
					if q[axis] < 0 || q[axis] >= old.shape[axis] {
						return -1
					}
					return old.index(q)
				})
			case op == 4:
				s := factor(r, len(old.at))
				w, ok := v.Reshape(s)
				if !ok {
					refused++
					if v.IsContiguous() {
						t.Fatalf("%s: contiguous %v does not reshape to %v", trail, v, s)
					}
					continue
				}
				reshaped++
				v = w
				trail += fmt.Sprint(" reshape ", s)
				m = model{shape: s, at: old.at}
			}
			m.check(t, v, trail)
			if w := v.Clone(); !w.Equal(v) {
				t.Fatalf("%s: clone %v of %v", trail, w, v)
			}
		}
	}
	if reshaped < 2*refused || refused == 0 {
		t.Errorf("%d reshapes, %d refused", reshaped, refused)
	}
}

func TestViewString(t *testing.T) {
	c := ir.Contiguous([]int{2, 3})
	for _, x := range []struct {
		v    ir.View
		want string
	}{
		{c, "[2 3]"},
		{c.Permute([]int{1, 0}), "[3 2]*[1 3]"},
		{c.Slice(1, 2, -1, 3), "[2 3]+2*[3 -1]"},
		{c.Pad(1, 1, 0), "[2 4]-1*[3 1]{0:2 1:4}"},
		{ir.Contiguous(nil), "[]"},
	} {
		if got := x.v.String(); got != x.want {
			t.Errorf("got %q, want %q", got, x.want)
		}
	}
}
