package cpu

import "github.com/fornax-ml/fornax/tensor/ir"

// minTask is the least work worth handing to another goroutine, in
// nanoseconds.
const minTask = 20e3

// A mapInstr runs a chain at every position.
//
// Where an operand is transposed, blocks are pieces of tileRows rows each
// tileCols long, one below the other, so that the cache lines that a piece
// touches serve the pieces below it.
type mapInstr struct {
	ch    *chain
	chunk int // the fewest positions of a task
	width int // of the rows that tiles are made of; 0: no tiles
}

const (
	tileRows = 16
	tileCols = 128
)

func (c *compiler) compileMap(m *ir.Map) (instr, error) {
	ch, err := c.chain(m.Chain, m.Operands, m.Stores, m.Shape, nil, ir.NoSlot, 0)
	if err != nil {
		return nil, err
	}
	in := &mapInstr{ch: ch, chunk: chunkFor(ch.cost)}
	for _, s := range ch.steps {
		if s.kind == stepView && s.view.transposed(s.size) {
			in.width = s.view.shape[len(s.view.shape)-1]
		}
	}
	return in, nil
}

// transposed reports whether elements that are neighbours in memory are far
// apart in the order of positions, but not too far.
func (v *viewReader) transposed(size int) bool {
	k := len(v.shape) - 1
	if k < 1 || v.shape[k] < 32 || v.shape[k-1] < 8 {
		return false
	}
	in, out := v.strides[k], v.strides[k-1]
	return max(in, -in)*size >= 64 && max(out, -out)*size <= 16 && out != 0
}

// chunkFor returns the positions that make a task, at cost nanoseconds each: a
// number of whole blocks.
func chunkFor(cost float64) int {
	return (int(minTask/max(cost, 0.1))/blockLen + 1) * blockLen
}

func (m *mapInstr) run(r *run) error {
	n := m.ch.size
	if n == 0 {
		return nil
	}
	m.prepare(r)
	// Four tasks a goroutine even out what the others do to the machine.
	per := n/(4*r.width)/blockLen*blockLen + blockLen
	chunk := max(m.chunk, per)
	if r.width == 1 {
		chunk = n
	}
	if w := m.width * tileRows; w > 0 {
		chunk = (chunk + w - 1) / w * w
	}
	r.phase.n = chunk
	r.loop(m, (n+chunk-1)/chunk)
	return nil
}

// prepare implements rowInstr.
func (m *mapInstr) prepare(r *run) { m.ch.prepare(r) }

// runRows implements rowInstr.
func (m *mapInstr) runRows(r *run, ws *workspace, n, width int) {
	m.ch.begin(r, ws)
	for pos, end := 0, n*width; pos < end; pos += blockLen {
		m.ch.exec(r, ws, pos, min(blockLen, end-pos), nil)
	}
}

// work implements small.
func (m *mapInstr) work() (ns float64, alone bool) { return m.ch.cost * float64(m.ch.size), false }

func (m *mapInstr) task(r *run, ws *workspace, i int) {
	m.ch.begin(r, ws)
	pos := i * r.phase.n
	end := min(pos+r.phase.n, m.ch.size)
	if m.width == 0 {
		for ; pos < end; pos += blockLen {
			m.ch.exec(r, ws, pos, min(blockLen, end-pos), nil)
		}
		return
	}
	for ; pos < end; pos += tileRows * m.width {
		last := min(pos+tileRows*m.width, end)
		for c := 0; c < m.width; c += tileCols {
			n := min(tileCols, m.width-c)
			for p := pos + c; p < last; p += m.width {
				m.ch.exec(r, ws, p, n, nil)
			}
		}
	}
}
