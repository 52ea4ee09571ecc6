package cpu

import (
	"slices"
	"unsafe"

	"github.com/fornax-ml/fornax/tensor/ir"
)

// An indexReader reads index tensors as int64.
type indexReader struct {
	slot int
	size int
	v    *viewReader
	conv kernel // to I64
}

func (c *compiler) indexReader(o ir.Operand) indexReader {
	d := c.p.Slots[o.Slot].DType
	return indexReader{slot: o.Slot, size: d.Size(), v: c.viewReader(o), conv: c.lv.kernels.cast[d][ir.I64]}
}

// read returns indices [pos, pos+n); out has room for n, tmp for n elements.
func (x *indexReader) read(r *run, out, tmp unsafe.Pointer, pos, n int) []int64 {
	x.conv(out, x.v.load(r.slots[x.slot], x.size, tmp, pos, n), nil, nil, n)
	return slice[int64](out, n)
}

// fail reports the bad index that the loops of an instruction noted, if any.
func (x *indexReader) fail(r *run, name string, size int) {
	pos := r.bad.Load()
	if pos == noBad {
		return
	}
	var out, tmp [1]int64
	i := x.read(r, unsafe.Pointer(&out), unsafe.Pointer(&tmp), int(pos), 1)
	r.exe.dev.fail(&ir.IndexError{Op: name, Index: i[0], Size: size})
}

// A gatherInstr picks rows: the axes after the indexed one, where the index is
// the same along them and x is packed there, and single elements otherwise.
type gatherInstr struct {
	in    *ir.Gather
	index indexReader
	base  *viewReader // of x, with the indexed axis held at 0
	view  ir.View     // of x
	fill  uint64
	outer []int   // shape of the index, without the row's axes
	n     int     // rows
	row   int     // elements of a row
	size  int     // bytes of an element
	chunk int     // rows of a task
	cost  float64 // nanoseconds a row
	moves *moves
}

// rowAxes returns how many of the last axes, not counting axis and those
// before it, make rows: views in same are constant along them, those in packed
// run through memory.
func rowAxes(axis int, shape []int, same, packed []ir.View) int {
	rows, n := 0, 1
	for a := len(shape) - 1; a > axis; a-- {
		if shape[a] != 1 {
			for _, v := range same {
				if v.Strides[a] != 0 || v.Masked() {
					return rows
				}
			}
			for _, v := range packed {
				if v.Strides[a] != n || v.Masked() {
					return rows
				}
			}
		}
		n *= shape[a]
		rows++
	}
	return rows
}

// keep returns o without its last n axes.
func keep(o ir.Operand, n int) ir.Operand {
	v := o.View.Clone()
	k := len(v.Shape) - n
	v.Shape, v.Strides = v.Shape[:k], v.Strides[:k]
	if v.Masked() {
		v.Lo, v.Hi = v.Lo[:k], v.Hi[:k]
	}
	o.View = v
	return o
}

func (c *compiler) compileGather(in *ir.Gather) (instr, error) {
	rows := rowAxes(in.Axis, in.Shape, []ir.View{in.Index.View}, []ir.View{in.X.View})
	if in.X.View.Masked() || in.Index.View.Masked() {
		rows = 0
	}
	k := len(in.Shape) - rows
	g := &gatherInstr{
		in: in, view: in.X.View, fill: in.X.Fill, size: in.DType.Size(),
		outer: in.Shape[:k], n: product(in.Shape[:k]), row: product(in.Shape[k:]),
		index: c.indexReader(keep(in.Index, rows)), moves: &c.lv.kernels.moves,
	}
	x := keep(in.X, rows)
	x.View.Shape = slices.Clone(in.Shape[:k])
	x.View.Strides[in.Axis] = 0
	x.View.Lo, x.View.Hi = nil, nil
	g.base = c.viewReader(x)
	g.cost = 2 + 0.2*float64(g.row)
	g.chunk = max(1, int(minTask/g.cost))
	c.space(0, 3*8*blockLen)
	return g, nil
}

func (g *gatherInstr) run(r *run) error {
	if g.n == 0 || g.row == 0 {
		return nil
	}
	r.bad.Store(noBad)
	r.loop(g, (g.n+g.chunk-1)/g.chunk)
	g.index.fail(r, g.in.Name, g.view.Shape[g.in.Axis])
	return nil
}

// estimate implements small.
func (g *gatherInstr) estimate() (ns float64, alone bool) {
	return float64(g.n) * g.cost, false
}

func (g *gatherInstr) task(r *run, ws *workspace, t int) {
	src, dst := r.slots[g.in.X.Slot], r.slots[g.in.Dst]
	limit, stride := int64(g.view.Shape[g.in.Axis]), g.view.Strides[g.in.Axis]
	bytes := g.row * g.size
	end := min((t+1)*g.chunk, g.n)
	for pos := t * g.chunk; pos < end; pos += blockLen {
		n := min(blockLen, end-pos)
		index := g.index.read(r, ws.at(0), ws.at(8*blockLen), pos, n)
		base := slice[int](ws.at(16*blockLen), n)
		g.base.places(base, pos)
		first := 0 // of the rows that are known but not copied
		for k, i := range index {
			in := i >= 0 && i < limit
			if in {
				base[k] = (base[k] + int(i)*stride) * g.size
				if !g.view.Masked() || g.valid(pos+k, int(i)) {
					continue
				}
			}
			g.copyRows(dst, src, base, pos, first, k)
			first = k + 1
			out := unsafe.Add(dst, (pos+k)*bytes)
			if in {
				putElem(out, g.size, g.fill)
				continue
			}
			r.badAt(pos + k)
			clear(slice[byte](out, bytes))
		}
		g.copyRows(dst, src, base, pos, first, n)
	}
}

// copyRows copies rows [from, to) of a block at pos; offs are in bytes.
func (g *gatherInstr) copyRows(dst, src unsafe.Pointer, offs []int, pos, from, to int) {
	if from == to {
		return
	}
	bytes := g.row * g.size
	offs, dst = offs[from:to], unsafe.Add(dst, (pos+from)*bytes)
	switch bytes {
	case 4:
		for k, at := range offs {
			*(*uint32)(unsafe.Add(dst, 4*k)) = *(*uint32)(unsafe.Add(src, at))
		}
	case 8:
		for k, at := range offs {
			*(*uint64)(unsafe.Add(dst, 8*k)) = *(*uint64)(unsafe.Add(src, at))
		}
	default:
		g.moves.gather(dst, src, offs, bytes)
	}
}

// valid reports whether x has an element at position pos with index i.
func (g *gatherInstr) valid(pos, i int) bool {
	for a := len(g.outer) - 1; a >= 0; a-- {
		p := pos % g.outer[a]
		pos /= g.outer[a]
		if a == g.in.Axis {
			p = i
		}
		if p < g.view.Lo[a] || p >= g.view.Hi[a] {
			return false
		}
	}
	return true
}
