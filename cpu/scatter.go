package cpu

import (
	"unsafe"

	"github.com/fornax-ml/fornax/tensor/ir"
)

// A scatterInstr adds updates at indices. With the axes before the indexed one
// as A, those after it as C, sums are made for each (a, c) in order of j, and
// tasks share out a and runs of c; or, where the index is the same along C and
// updates are whole rows, a and the rows that are added to.
//
// F16 and BF16 are summed in float32 scratch and rounded once.
type scatterInstr struct {
	in      *ir.ScatterAdd
	a, s, c int // sizes: before, of the axis, after
	j       int // updates along the axis
	base    *viewReader
	updates *viewReader
	index   indexReader
	rows    bool // the index is the same along the axes after, and is read without them
	stream  bool // the base goes past the cache
	moves   *moves
	size    int // bytes of an element
	acc     int // bytes of an accumulator
	widen   kernel
	narrow  kernel
	add     kernel
	cols    int // c of a task
}

func (c *compiler) compileScatter(in *ir.ScatterAdd) (instr, error) {
	s := &scatterInstr{
		in: in, size: in.DType.Size(), acc: phys(in.DType).Size(),
		a: product(in.Shape[:in.Axis]), s: in.Shape[in.Axis], c: product(in.Shape[in.Axis+1:]),
		j: in.Updates.View.Shape[in.Axis], updates: c.viewReader(in.Updates), index: c.indexReader(in.Index), moves: &c.lv.kernels.moves,
		add: c.lv.kernels.calc[ir.OpAdd][phys(in.DType)],
	}
	if s.add == nil || in.DType == ir.Bool {
		return nil, errNoKernel
	}
	if in.Base.Slot != ir.NoSlot {
		s.base = c.viewReader(in.Base)
	}
	after := len(in.Shape) - 1 - in.Axis
	if s.c > 1 && rowAxes(in.Axis, in.Updates.View.Shape, []ir.View{in.Index.View}, nil) == after {
		s.rows, s.index = true, c.indexReader(keep(in.Index, after))
	}
	scratch := 0
	if half(in.DType) {
		s.widen, s.narrow = c.lv.kernels.widen[in.DType], c.lv.kernels.narrow[in.DType]
		scratch = product(in.Shape) * s.acc
	}
	s.stream = s.moves.streamRows != nil && product(in.Shape)*s.acc >= streamBytes
	s.cols = min(s.c, blockLen)
	if s.a < fewTasks { // cut the rows, a cache line at least
		s.cols = min(s.cols, max(16, (s.c/fewTasks+15)&^15))
	}
	c.space(scratch, 4*8*blockLen)
	return s, nil
}

// The loops of a scatter.
const (
	scatterBase = iota
	scatterAdd
	scatterRows
	scatterRound
)

func (s *scatterInstr) run(r *run) error {
	n := s.a * s.s * s.c
	if s.a*s.c > 0 && s.j > 0 {
		defer s.index.fail(r, s.in.Name, s.s)
	}
	r.bad.Store(noBad)
	chunks := (n + 16*blockLen - 1) / (16 * blockLen)
	if !s.inPlace(r) {
		r.phase.kind = scatterBase
		r.loop(s, chunks)
	}
	switch {
	case s.j*s.a*s.c == 0:
	case s.rows:
		s.runRows(r)
	default:
		r.phase.kind = scatterAdd
		across := (s.c + s.cols - 1) / s.cols
		units := s.a * across
		r.phase.a = across
		r.phase.n = max(1, int(minTask/(float64(s.j)*(4+float64(s.cols)*0.7)))) // units of a task
		r.phase.b = units
		r.loop(s, (units+r.phase.n-1)/r.phase.n)
	}
	if s.narrow != nil {
		r.phase.kind = scatterRound
		r.loop(s, chunks)
	}
	return nil
}

// estimate implements small.
func (s *scatterInstr) estimate() (ns float64, alone bool) {
	return 0.3*float64(s.a*s.s*s.c) + float64(s.a*s.j)*(4+0.7*float64(s.c)), s.narrow != nil
}

// sums returns the accumulators.
func (s *scatterInstr) sums(r *run) unsafe.Pointer {
	if s.narrow != nil {
		return r.scratch
	}
	return r.slots[s.in.Dst]
}

func (s *scatterInstr) task(r *run, ws *workspace, t int) {
	switch r.phase.kind {
	case scatterAdd:
		for u := t * r.phase.n; u < min((t+1)*r.phase.n, r.phase.b); u++ {
			c0 := u % r.phase.a * s.cols
			s.sum(r, ws, u/r.phase.a, c0, min(s.cols, s.c-c0))
		}
	case scatterRows:
		s.sumRows(r, ws, t)
	default:
		if s.base == nil {
			clear(slice[byte](ws.at(0), 8*blockLen))
		}
		end := min((t+1)*16*blockLen, s.a*s.s*s.c)
		for pos := t * 16 * blockLen; pos < end; pos += blockLen {
			n := min(blockLen, end-pos)
			acc := unsafe.Add(s.sums(r), pos*s.acc)
			switch {
			case r.phase.kind == scatterRound:
				s.narrow(unsafe.Add(r.slots[s.in.Dst], pos*s.size), acc, nil, nil, n)
			case s.base == nil:
				s.put(acc, ws.at(0), n*s.acc)
			default:
				src := s.base.load(r.slots[s.in.Base.Slot], s.size, ws.at(0), pos, n)
				if s.widen != nil {
					s.widen(acc, src, nil, nil, n)
				} else if src != acc {
					s.put(acc, src, n*s.acc)
				}
			}
		}
		if s.stream {
			s.moves.fence()
		}
	}
}

// put copies n bytes of the base.
func (s *scatterInstr) put(dst, src unsafe.Pointer, n int) {
	if s.stream {
		s.moves.stream(dst, src, n)
	} else {
		copy(slice[byte](dst, n), slice[byte](src, n))
	}
}

// read returns updates [pos, pos+n) as accumulators' elements.
func (s *scatterInstr) read(r *run, ws *workspace, pos, n int) unsafe.Pointer {
	src := s.updates.load(r.slots[s.in.Updates.Slot], s.size, ws.at(0), pos, n)
	if s.widen == nil {
		return src
	}
	s.widen(ws.at(8*blockLen), src, nil, nil, n)
	return ws.at(8 * blockLen)
}

// sum adds the updates of positions (a, ·, [c0, c0+n)).
func (s *scatterInstr) sum(r *run, ws *workspace, a, c0, n int) {
	out := unsafe.Add(s.sums(r), (a*s.s*s.c+c0)*s.acc)
	step := 1
	if s.c == 1 {
		step = blockLen
	}
	for j := 0; j < s.j; j += step {
		pos := (a*s.j+j)*s.c + c0
		m := n
		if s.c == 1 { // a run of j
			m = min(blockLen, s.j-j)
		}
		index := s.index.read(r, ws.at(16*blockLen), ws.at(24*blockLen), pos, m)
		x := s.read(r, ws, pos, m)
		for k, i := range index {
			if i < 0 || i >= int64(s.s) {
				r.badAt(pos + k)
				continue
			}
			at := int(i) * s.c
			if s.c > 1 {
				at += k
			}
			dst := unsafe.Add(out, at*s.acc)
			s.add(dst, dst, unsafe.Add(x, k*s.acc), nil, 1)
		}
	}
}
