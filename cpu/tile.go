package cpu

import (
	"slices"
	"unsafe"
)

// A tiling covers the positions of a map with tiles: pieces of rows, one below
// the other, along the axis that an operand runs through memory. A tile is a
// block of the chain, so that the operand is transposed in the first-level cache
// and the cache lines that a tile reads and writes are used whole.
//
// Tiles are visited in areas, down the columns: the pages of an area stay in the
// processor's tables, and reading goes along the operand's memory.
type tiling struct {
	shape      []int // of the operand, collapsed
	axis       int   // of the rows; columns are the last axis
	step       int   // positions between rows
	rows, cols int   // of a tile
	down       int   // areas of a column of areas
	across     int
	areas      int
}

// An area is no larger than this.
const (
	areaRows = 512
	areaCols = 128
)

// tilingFor returns the tiling by the transposed view that is worth it the most,
// or nil. wide says that rows of a tile are better long than many.
func tilingFor(steps []step, wide bool) *tiling {
	for i := range steps {
		s := &steps[i]
		if s.kind != stepView {
			continue
		}
		v := s.view
		axis := v.turned(s.size)
		if axis < 0 {
			continue
		}
		k := len(v.shape) - 1
		t := &tiling{shape: v.shape, axis: axis, step: 1}
		outer := 1
		for a, n := range v.shape {
			if a > axis {
				t.step *= n
			}
			if a != axis && a != k {
				outer *= n
			}
		}
		height, width := v.shape[axis], v.shape[k]
		if wide {
			t.cols = min(width, 64)
		} else {
			t.cols = min(width, 16)
		}
		t.rows = min(height, areaRows, max(16, blockLen/t.cols&^15))
		t.down, t.across = (height+areaRows-1)/areaRows, (width+areaCols-1)/areaCols
		t.areas = outer * t.down * t.across
		return t
	}
	return nil
}

// turned returns the axis along which a transposed view runs through memory, or
// -1: the last one is not it.
func (v *viewReader) turned(size int) int {
	k := len(v.shape) - 1
	if k < 1 || v.lo != nil || v.empty || max(v.strides[k], -v.strides[k])*size < 32 {
		return -1
	}
	for a := k - 1; a >= 0; a-- {
		if st := max(v.strides[a], -v.strides[a]); st > 0 && st*size <= 16 && st < max(v.strides[k], -v.strides[k]) && v.shape[a] >= 8 {
			return a
		}
	}
	return -1
}

// area returns the first position of area i, and its rows and columns.
func (t *tiling) area(i int) (pos, rows, cols int) {
	k := len(t.shape) - 1
	c := i % t.across * areaCols
	i /= t.across
	r := i % t.down * areaRows
	i /= t.down
	pos = c + r*t.step
	at := 1 // positions between elements of axis a
	for a := k; a >= 0; a-- {
		if a != t.axis && a != k {
			pos += i % t.shape[a] * at
			i /= t.shape[a]
		}
		at *= t.shape[a]
	}
	return pos, min(areaRows, t.shape[t.axis]-r), min(areaCols, t.shape[k]-c)
}

// ownBlocks gives steps whose registers are not in the workspace blocks there.
func (ch *chain) ownBlocks(c *compiler) {
	for i := range ch.steps {
		s := &ch.steps[i]
		if s.kind == stepFused {
			for k := range s.fused.out {
				if o := &s.fused.out[k]; o.block < 0 {
					o.own = ch.bytes
					ch.bytes += ch.block
				}
			}
			continue
		}
		if s.block < 0 {
			s.own = ch.bytes
			ch.bytes += ch.block
		}
	}
	c.exe.wsBytes = max(c.exe.wsBytes, ch.bytes)
}

// execArea runs the chain at the positions of area i.
func (ch *chain) execArea(r *run, ws *workspace, t *tiling, i int) {
	pos, rows, cols := t.area(i)
	for c := 0; c < cols; c += t.cols {
		for d := 0; d < rows; d += t.rows {
			ch.execTile(r, ws, t, pos+d*t.step+c, min(t.rows, rows-d), min(t.cols, cols-c))
		}
	}
}

// execTile runs the chain at a tile of positions: rows of cols from pos on,
// t.step apart. Registers are blocks, with the rows one after the other.
func (ch *chain) execTile(r *run, ws *workspace, t *tiling, pos, rows, cols int) {
	ptrs, n := ws.ptrs, rows*cols
	for i := range ch.steps {
		s := &ch.steps[i]
		if s.kind == stepFused {
			s.fused.execTile(ws, n)
			for k := range s.fused.out {
				if o := &s.fused.out[k]; o.block < 0 {
					ch.moves.copyTo(unsafe.Add(r.slots[o.slot], 4*pos), ptrs[o.reg], 4*t.step, 4*cols, rows, 4*cols, false)
				}
			}
			continue
		}
		at := s.block
		if at < 0 {
			at = s.own
		}
		dst := unsafe.Pointer(&ws.mem[at])
		raw := dst
		if s.fn != nil && s.kind != stepCalc {
			raw = unsafe.Add(dst, (4-s.size)*blockLen) // as in exec
		}
		switch s.kind {
		case stepCalc:
			s.fn(dst, ptrs[s.a[0]], ptrs[s.a[1]], ptrs[s.a[2]], n)
			if s.round != nil {
				s.round(dst, dst, nil, nil, n)
			}
		case stepPhilox:
			s.words(dst, ptrs[s.a[0]], ptrs[s.a[1]], ptrs[s.a[2]], ptrs[s.a[3]], ptrs[s.a[4]], n)
		case stepStream:
			word := func(k int) uint32 { return *(*uint32)(ptrs[s.a[k]]) }
			for k := range rows {
				s.stream(unsafe.Add(dst, k*cols*4), uint32(s.off+pos+k*t.step), word(0), word(1), word(2), word(3), cols)
			}
		case stepMem:
			ch.moves.copyTo(raw, unsafe.Add(r.slots[s.slot], s.off+pos*s.size), cols*s.size, t.step*s.size, rows, cols*s.size, false)
		case stepView:
			ch.loadTile(raw, r.slots[s.slot], s, t, pos, rows, cols)
		case stepIndex:
			for k := range rows {
				s.view.index(unsafe.Add(dst, k*cols*4), pos+k*t.step, cols)
			}
		}
		if s.fn != nil && s.kind != stepCalc {
			s.fn(dst, raw, nil, nil, n)
		}
		if s.block < 0 && s.kind != stepMem {
			ch.moves.copyTo(unsafe.Add(r.slots[s.slot], pos*s.size), dst, t.step*s.size, cols*s.size, rows, cols*s.size, false)
		}
		ptrs[s.reg] = dst
	}
	for i := range ch.stores {
		o := &ch.stores[i]
		dst, src := unsafe.Add(r.slots[o.slot], pos*o.size), ptrs[o.reg]
		if !o.same {
			for k := range rows {
				o.fn(unsafe.Add(dst, k*t.step*o.size), unsafe.Add(src, k*cols*4), nil, nil, cols)
			}
			continue
		}
		ch.moves.copyTo(dst, src, t.step*o.size, cols*o.size, rows, cols*o.size, o.stream)
	}
}

// loadTile reads a tile of an operand.
func (ch *chain) loadTile(dst, src unsafe.Pointer, s *step, t *tiling, pos, rows, cols int) {
	v, row := s.view, cols*s.size
	if v.lo == nil && slices.Equal(v.shape, t.shape) {
		k := len(v.shape) - 1
		ch.moves.turn(dst, unsafe.Add(src, v.place(pos)*s.size), row, v.strides[k]*s.size, v.strides[t.axis], rows, cols, s.size)
		return
	}
	for i := range rows {
		out := unsafe.Add(dst, i*row)
		if p := v.load(src, s.size, out, pos+i*t.step, cols); p != out {
			copy(slice[byte](out, row), slice[byte](p, row))
		}
	}
}

// place returns the element at a position of a view without a mask.
func (v *viewReader) place(pos int) int {
	at := v.off
	for a := len(v.shape) - 1; a >= 0; a-- {
		q := pos / v.shape[a]
		at += (pos - q*v.shape[a]) * v.strides[a]
		pos = q
	}
	return at
}
