package cpu

import "github.com/fornax-ml/fornax/tensor/ir"

// minTask is the least work worth handing to another goroutine, in
// nanoseconds.
const minTask = 20e3

// A mapInstr runs a chain at every position: over runs of positions, or over
// tiles where an operand is transposed.
type mapInstr struct {
	ch     *chain
	chunk  int // the fewest positions of a task
	block  int // positions that the chain runs over at a time
	stream bool
	tiles  *tiling // or nil
}

func (c *compiler) compileMap(m *ir.Map) (instr, error) {
	ch, err := c.chain(m.Chain, m.Operands, m.Stores, m.Shape, nil, ir.NoSlot, 0)
	if err != nil {
		return nil, err
	}
	in := &mapInstr{ch: ch, chunk: chunkFor(ch.cost)}
	in.stream = ch.streamStores(c.streamable(m), m.Stores)
	if in.tiles = tilingFor(ch.steps, in.stream); in.tiles != nil {
		ch.ownBlocks(c)
	}
	in.block = ch.length()
	return in, nil
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
	if t := m.tiles; t != nil { // areas of a task
		chunk = max(1, chunk/(n/t.areas))
		n = t.areas
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
	// Blocks of long rows end with the row, so that what is one number for each
	// row is one for a block.
	if width < minSpread {
		n, width = 1, n*width
	}
	for row := range n {
		for pos, end := row*width, (row+1)*width; pos < end; pos += m.block {
			m.ch.exec(r, ws, pos, min(m.block, end-pos), nil)
		}
	}
	if m.stream {
		m.ch.moves.fence()
	}
}

// estimate implements small.
func (m *mapInstr) estimate() (ns float64, alone bool) { return m.ch.cost * float64(m.ch.size), false }

func (m *mapInstr) task(r *run, ws *workspace, i int) {
	m.ch.begin(r, ws)
	pos := i * r.phase.n
	if t := m.tiles; t != nil {
		for end := min(pos+r.phase.n, t.areas); pos < end; pos++ {
			m.ch.execArea(r, ws, t, pos)
		}
	} else {
		for end := min(pos+r.phase.n, m.ch.size); pos < end; pos += m.block {
			m.ch.exec(r, ws, pos, min(m.block, end-pos), nil)
		}
	}
	if m.stream {
		m.ch.moves.fence()
	}
}
