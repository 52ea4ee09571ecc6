package driver

import "math/bits"

// ranges hands out pieces of [0, size) in units of bytes that the caller has rounded: every size given
// must be a multiple of one alignment, so every offset is one too.
//
// Two-level segregated fit (Masmano, Ripoll, Crespo, Real: TLSF, ECRTS 2004): free spans are kept in
// lists by size class, a power of two cut into 8; two bitmaps find a class that fits in constant time;
// neighbours in address order are linked, so that freed spans merge at once.
type ranges struct {
	spans  []span // all spans, used ones too; unused entries are chained through nextFree from spare
	spare  int32
	top    uint64    // bit f: some class of level f is not empty
	level  [64]uint8 // bit s: class (f, s) is not empty
	heads  [64][8]int32
	size   uint64
	free   uint64
	nSpans int
}

type span struct {
	off, size          uint64
	prev, next         int32 // neighbours by address, -1 at the ends
	prevFree, nextFree int32 // neighbours in the class list, -1 at the ends
	used               bool
}

func newRanges(size uint64) *ranges {
	r := &ranges{size: size, spare: -1}
	for f := range r.heads {
		for s := range r.heads[f] {
			r.heads[f][s] = -1
		}
	}
	i := r.newSpan(span{off: 0, size: size, prev: -1, next: -1})
	r.link(i)
	return r
}

// class gives the list that a span of n bytes lies in.
func class(n uint64) (f, s int) {
	f = bits.Len64(n) - 1
	if f < 3 {
		return f, 0
	}
	return f, int(n>>(f-3)) & 7
}

// alloc finds a span of n > 0 bytes and returns its handle and offset.
func (r *ranges) alloc(n uint64) (handle int32, off uint64, ok bool) {
	i := r.find(n)
	if i < 0 {
		return -1, 0, false
	}
	r.unlink(i)
	if rest := r.spans[i].size - n; rest > 0 {
		next := r.spans[i].next
		j := r.newSpan(span{off: r.spans[i].off + n, size: rest, prev: i, next: next})
		if next >= 0 {
			r.spans[next].prev = j
		}
		r.spans[i].next, r.spans[i].size = j, n
		r.link(j)
	}
	r.spans[i].used = true
	return i, r.spans[i].off, true
}

func (r *ranges) find(n uint64) int32 {
	f, s := class(n)
	// Spans of the same class may be smaller or larger than n: take the best of the first few.
	best, looked := int32(-1), 0
	for i := r.heads[f][s]; i >= 0 && looked < 16; i = r.spans[i].nextFree {
		if z := r.spans[i].size; z >= n && (best < 0 || z < r.spans[best].size) {
			best = i
			if z == n {
				break
			}
		}
		looked++
	}
	if best >= 0 {
		return best
	}
	// Any span of a larger class fits.
	if m := r.level[f] & (0xff << (s + 1)); m != 0 {
		return r.heads[f][bits.TrailingZeros8(m)]
	}
	if m := r.top & (^uint64(0) << (f + 1)); f < 63 && m != 0 {
		f = bits.TrailingZeros64(m)
		return r.heads[f][bits.TrailingZeros8(r.level[f])]
	}
	// What is left of the class, past the first few.
	f, s = class(n)
	for i := r.heads[f][s]; i >= 0; i = r.spans[i].nextFree {
		if r.spans[i].size >= n {
			return i
		}
	}
	return -1
}

// release frees a handle of alloc and merges it with free neighbours.
func (r *ranges) release(i int32) {
	r.spans[i].used = false
	if p := r.spans[i].prev; p >= 0 && !r.spans[p].used {
		r.unlink(p)
		r.absorb(p, i)
		i = p
	}
	if n := r.spans[i].next; n >= 0 && !r.spans[n].used {
		r.unlink(n)
		r.absorb(i, n)
	}
	r.link(i)
}

// absorb makes span b, the next neighbour of a, a part of a.
func (r *ranges) absorb(a, b int32) {
	r.spans[a].size += r.spans[b].size
	next := r.spans[b].next
	r.spans[a].next = next
	if next >= 0 {
		r.spans[next].prev = a
	}
	r.spans[b].nextFree, r.spare = r.spare, b
	r.nSpans--
}

func (r *ranges) newSpan(s span) int32 {
	r.nSpans++
	if i := r.spare; i >= 0 {
		r.spare = r.spans[i].nextFree
		r.spans[i] = s
		return i
	}
	r.spans = append(r.spans, s)
	return int32(len(r.spans) - 1)
}

func (r *ranges) link(i int32) {
	sp := &r.spans[i]
	f, s := class(sp.size)
	h := r.heads[f][s]
	sp.prevFree, sp.nextFree = -1, h
	if h >= 0 {
		r.spans[h].prevFree = i
	}
	r.heads[f][s] = i
	r.level[f] |= 1 << s
	r.top |= 1 << f
	r.free += sp.size
}

func (r *ranges) unlink(i int32) {
	sp := &r.spans[i]
	f, s := class(sp.size)
	if sp.nextFree >= 0 {
		r.spans[sp.nextFree].prevFree = sp.prevFree
	}
	if sp.prevFree >= 0 {
		r.spans[sp.prevFree].nextFree = sp.nextFree
	} else if r.heads[f][s] = sp.nextFree; sp.nextFree < 0 {
		if r.level[f] &^= 1 << s; r.level[f] == 0 {
			r.top &^= 1 << f
		}
	}
	r.free -= sp.size
}

// empty reports whether nothing is handed out.
func (r *ranges) empty() bool { return r.free == r.size }
