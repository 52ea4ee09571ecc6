package cpu

import (
	"errors"
	"fmt"
	"unsafe"

	"github.com/fornax-ml/fornax/tensor/ir"
)

// A Matrix is a float32 matrix in memory: element (i, j) is Data[i·Row + j·Col].
type Matrix struct {
	Data     []float32
	Row, Col int
}

// A directProduct is what MatMul needs for one call; calls use it again.
type directProduct struct {
	m     matMulInstr
	exe   executable
	r     run
	slots [3]unsafe.Pointer

	key     productKey // what m was planned for
	scratch int
	// small is said of one task: it has nothing of the device, so that Close
	// need not wait for it. Marking a call in progress takes atomic operations,
	// which wait for the last tile's stores.
	small bool
	// seen is said of what workers had: one that comes too late for any task
	// may look at it still, so that it is never planned again.
	seen bool
}

// newDirectProduct returns one without a plan, with the workspace of its caller.
func newDirectProduct(ws *workspace) *directProduct {
	p := &directProduct{}
	p.r.exe, p.r.slots, p.r.ws = &p.exe, p.slots[:], ws
	return p
}

type productKey struct{ m, n, k, aRow, aCol, bRow, bCol int }

// MatMul computes c[m, n] = a[m, k]·b[k, n], with c packed by rows, at once and
// without a program: the kernels by themselves, for what is not a tensor and for
// benchmarks. The result is that of a program's product, bit for bit. c must not
// overlap a or b.
func (d *Device) MatMul(c []float32, a, b Matrix, m, n, k int) error {
	if m < 0 || n < 0 || k < 0 || len(c) < m*n || !a.holds(m, k) || !b.holds(k, n) {
		return fmt.Errorf("cpu: matrices of %d, %d and %d elements for a product [%d, %d]·[%d, %d]", len(c), len(a.Data), len(b.Data), m, k, k, n)
	}
	if m*n == 0 {
		return nil
	}
	p := d.product(a, b, m, n, k)
	p.slots[0] = unsafe.Pointer(unsafe.SliceData(a.Data))
	p.slots[1] = unsafe.Pointer(unsafe.SliceData(b.Data))
	p.slots[2] = unsafe.Pointer(unsafe.SliceData(c))
	var err error
	if p.small {
		if err = d.gone(); err == nil {
			err = p.m.run(&p.r)
		}
	} else {
		err = d.runProduct(p)
	}
	clear(p.slots[:])
	d.products.Put(p)
	return err
}

// product returns what a call needs, planned.
func (d *Device) product(a, b Matrix, m, n, k int) *directProduct {
	p, ok := d.products.Get().(*directProduct)
	if !ok {
		p = newDirectProduct(&workspace{})
	}
	if q := &p.key; q.m == m && q.n == n && q.k == k && q.aRow == a.Row && q.aCol == a.Col && q.bRow == b.Row && q.bCol == b.Col && p.exe.dev == d {
		return p
	}
	if p.seen {
		p = newDirectProduct(p.r.ws)
	}
	p.key, p.exe.dev = productKey{m, n, k, a.Row, a.Col, b.Row, b.Col}, d
	p.m = matMulInstr{
		dtype: ir.F32, size: 4, batch: 1, m: m, n: n, k: k, accSlot: 2, g: &d.level.gemm32,
		a: operandMatrix{slot: 0, row: a.Row, col: a.Col}, b: operandMatrix{slot: 1, row: b.Row, col: b.Col},
	}
	p.scratch, p.exe.wsBytes = p.m.plan(0, d.crew.width())
	p.r.ws.need(p.exe.wsBytes, 0)
	p.small = p.m.mode != matShared && p.m.tasks(maxCrew) == 1
	p.r.width = 1
	return p
}

// runProduct runs a product of several tasks.
func (d *Device) runProduct(p *directProduct) error {
	if err := d.begin(); err != nil {
		return err
	}
	defer d.end()
	p.r.width = d.crew.width()
	p.seen = true
	if p.scratch > 0 {
		mem, err := d.pool.get(p.scratch, false)
		if err != nil {
			return err
		}
		defer d.pool.put(mem, p.scratch, false)
		p.r.scratch = mem.ptr()
	}
	err := p.m.run(&p.r)
	p.r.scratch = nil
	return err
}

// holds reports whether the elements of a rows×cols matrix are all in Data.
func (x Matrix) holds(rows, cols int) bool {
	if rows == 0 || cols == 0 {
		return true
	}
	return x.Row >= 0 && x.Col >= 0 && (rows-1)*x.Row+(cols-1)*x.Col < len(x.Data)
}

// Peak runs about n float32 multiply-adds of the level's widest kind on
// registers, on the caller's goroutine, and returns how many floating-point
// operations they were: what a benchmark compares products with. The portable
// level has none.
func (d *Device) Peak(n int) (flops int, err error) {
	if d.level.peak == nil {
		return 0, errors.New("cpu: no measure of the peak at level " + d.level.name)
	}
	rounds := max(1, n/(peakChains*d.level.lanes))
	d.level.peak(rounds)
	return 2 * rounds * peakChains * d.level.lanes, nil
}

// peakChains is the number of multiply-adds of a round of level.peak.
const peakChains = 12
