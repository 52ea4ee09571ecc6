package lower

import (
	"strings"

	"github.com/fornax-ml/fornax/vk/internal/splice"
)

// four makes of what map does at a position, with stores of whole words, what its entry
// spread does at four: p, p+q, p+2q and p+3q, of which the last may be none. All is loaded
// before anything is computed, and stored at the end, so that the loads are under way
// together, and while a step of one position waits for the step before it the other
// positions have work.
func four(element *splice.Body) *splice.Body {
	b := &splice.Body{}
	var p, at [4]splice.Arg
	var results [4][]splice.Arg
	for e := range p {
		p[e] = param0
		if e > 0 {
			p[e] = b.Call("add", p[e-1], param1)
		}
		at[e] = b.Call("within", p[e])
		results[e] = make([]splice.Arg, len(element.Calls))
	}
	args := func(e int, l []splice.Arg) []splice.Arg {
		m := make([]splice.Arg, len(l))
		for k, a := range l {
			m[k] = a
			if i, ok := a.Result(); ok {
				m[k] = results[e][i]
			} else if a == param0 {
				m[k] = at[e]
			}
		}
		return m
	}
	of := phases(element)
	for phase := loading; phase <= storing; phase++ {
		for e := range p {
			for i, c := range element.Calls {
				switch {
				case of[i] != phase:
				case phase == storing:
					b.Call("put_within_"+strings.TrimPrefix(c.Func, "put_"), p[e], args(e, c.Args)[1])
				default:
					results[e][i] = b.Call(c.Func, args(e, c.Args)...)
				}
			}
		}
	}
	return b
}

// The phases of an element.
const (
	loading = iota // and what loads need
	computing
	storing
)

// phases gives the phase of each call.
func phases(b *splice.Body) []int {
	l := make([]int, len(b.Calls))
	for i := range l {
		l[i] = computing
	}
	for i := len(l) - 1; i >= 0; i-- {
		c := b.Calls[i]
		if strings.HasPrefix(c.Func, "put_") {
			l[i] = storing
		}
		if strings.HasPrefix(c.Func, "word_") && !strings.HasPrefix(c.Func, "word_of_") {
			l[i] = loading
		}
		if l[i] != loading {
			continue
		}
		for _, a := range c.Args {
			if k, ok := a.Result(); ok {
				l[k] = loading
			}
		}
	}
	return l
}
