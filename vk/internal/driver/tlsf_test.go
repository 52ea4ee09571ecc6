package driver

import (
	"math/rand/v2"
	"testing"
)

// checkRanges compares the structure with its own laws.
func checkRanges(t *testing.T, r *ranges, live map[int32][2]uint64) {
	t.Helper()
	var free, at uint64
	first := int32(-1)
	for i, s := range r.spans {
		if s.prev == -1 && s.off == 0 && s.size > 0 && !isSpare(r, int32(i)) {
			first = int32(i)
		}
	}
	n, wasFree := 0, false
	for i := first; i >= 0; i = r.spans[i].next {
		s := r.spans[i]
		if s.off != at || s.size == 0 {
			t.Fatalf("span at %d of %d bytes, want it at %d", s.off, s.size, at)
		}
		if got, ok := live[i]; ok != s.used || ok && got != [2]uint64{s.off, s.size} {
			t.Fatalf("span %+v, the model has %v %v", s, got, ok)
		}
		if !s.used {
			if wasFree {
				t.Fatalf("free neighbours at %d", s.off)
			}
			free += s.size
		}
		wasFree = !s.used
		at += s.size
		n++
	}
	if at != r.size || free != r.free || n != r.nSpans {
		t.Fatalf("covers %d of %d bytes, free %d counted %d, spans %d counted %d", at, r.size, free, r.free, n, r.nSpans)
	}
	listed := uint64(0)
	for f := range r.heads {
		for s, h := range r.heads[f] {
			if (h >= 0) != (r.level[f]>>s&1 == 1) || (r.level[f] != 0) != (r.top>>f&1 == 1) {
				t.Fatalf("bitmaps of class %d, %d are wrong", f, s)
			}
			for ; h >= 0; h = r.spans[h].nextFree {
				listed += r.spans[h].size
				if cf, cs := class(r.spans[h].size); cf != f || cs != s {
					t.Fatalf("span of %d bytes in class %d, %d", r.spans[h].size, f, s)
				}
			}
		}
	}
	if listed != r.free {
		t.Fatalf("lists hold %d bytes of %d", listed, r.free)
	}
}

func isSpare(r *ranges, i int32) bool {
	for s := r.spare; s >= 0; s = r.spans[s].nextFree {
		if s == i {
			return true
		}
	}
	return false
}

func TestRangesAgainstModel(t *testing.T) {
	const unit, size = 256, 256 * 4096
	rng := rand.New(rand.NewPCG(1, 2))
	r := newRanges(size)
	live := map[int32][2]uint64{}
	var handles []int32
	for step := range 20000 {
		if rng.IntN(5) < 3 {
			n := unit * uint64(1+rng.ExpFloat64()*40)
			h, off, ok := r.alloc(n)
			if !ok {
				for _, s := range r.spans {
					if !s.used && s.size >= n && !isSpare(r, indexOf(r, s)) {
						t.Fatalf("refused %d bytes with %d free in one piece", n, s.size)
					}
				}
			} else {
				if off%unit != 0 {
					t.Fatalf("offset %d", off)
				}
				live[h] = [2]uint64{off, n}
				handles = append(handles, h)
			}
		} else if len(handles) > 0 {
			i := rng.IntN(len(handles))
			r.release(handles[i])
			delete(live, handles[i])
			handles[i] = handles[len(handles)-1]
			handles = handles[:len(handles)-1]
		}
		if step%97 == 0 {
			checkRanges(t, r, live)
		}
	}
	for _, h := range handles {
		r.release(h)
	}
	checkRanges(t, r, nil)
	if !r.empty() || r.nSpans != 1 {
		t.Fatalf("%d bytes free in %d spans after everything was released", r.free, r.nSpans)
	}
	if _, _, ok := r.alloc(size); !ok {
		t.Fatal("the whole does not fit")
	}
}

func indexOf(r *ranges, s span) int32 {
	for i := range r.spans {
		if r.spans[i] == s {
			return int32(i)
		}
	}
	return -1
}

func BenchmarkRanges(b *testing.B) {
	r := newRanges(256 << 20)
	var ring [64]int32
	for i := range ring {
		ring[i], _, _ = r.alloc(uint64(256 * (1 + i*37%101)))
	}
	for i := 0; b.Loop(); i++ {
		k := i % len(ring)
		r.release(ring[k])
		ring[k], _, _ = r.alloc(uint64(256 * (1 + i*61%211)))
	}
}
