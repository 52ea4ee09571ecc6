package cpu

import (
	"unsafe"

	"github.com/fornax-ml/fornax/tensor/ir"
)

// extremes is the folder of a float32 maximum or minimum with the kernels that
// the level has.
func extremes(t *kernelTable, least bool) folder {
	p := folderOf[float32](ir.OpMax).(plain[float32])
	p.cols, p.many, p.lanes, p.turn = t.calc[ir.OpMaximum][ir.F32], t.cols.max, t.lanes.max, &t.moves
	if least {
		p = folderOf[float32](ir.OpMin).(plain[float32])
		p.cols, p.many, p.lanes, p.turn = t.calc[ir.OpMinimum][ir.F32], t.cols.min, t.lanes.min, &t.moves
	}
	if t.rows == rowsPortable {
		return p
	}
	scalar := p.fold
	p.fold = func(s float32, x []float32) float32 {
		if len(x) < 32 {
			return scalar(s, x)
		}
		return p.op(s, extreme(t.rows, least, unsafe.Pointer(unsafe.SliceData(x)), len(x)))
	}
	return p
}
