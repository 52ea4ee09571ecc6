package cpu

import "unsafe"

// widenPanel is the first half of packing a panel of rows of a 16-bit float dtype:
// it returns the rows as float32, in the workspace, where they lie one after the
// other. Rows that lie beside each other are widened to the panel at dst itself,
// of w rows, and done is true.
func (m *matMulInstr) widenPanel(ws *workspace, dst unsafe.Pointer, x matrix, rows, cols, w int) (y matrix, done bool) {
	const size = 2
	src, temp := x.addr(size), ws.at(m.offWide)
	if x.row == 1 || rows == 1 {
		for k := range cols {
			m.widen(unsafe.Add(dst, 4*k*w), unsafe.Add(src, size*k*x.col), nil, nil, rows)
		}
		return y, true
	}
	for i := range rows {
		row, from := unsafe.Add(temp, 4*i*cols), unsafe.Add(src, size*i*x.row)
		if x.col != 1 && cols > 1 {
			// Gathered at the upper end, where widening forward does not overtake
			// the reading.
			l := slice[uint16](unsafe.Add(row, size*cols), cols)
			for k := range l {
				l[k] = *(*uint16)(unsafe.Add(from, size*k*x.col))
			}
			from = unsafe.Pointer(unsafe.SliceData(l))
		}
		m.widen(row, from, nil, nil, cols)
	}
	return matrix{base: temp, row: cols, col: 1}, false
}
