package cpu

import "unsafe"

// packPairs packs rows [0, rows) and columns [0, cols) of a matrix of 16-bit
// elements as a panel of w rows: two columns become one of pairs, the first of
// them in the lower half. An odd column is paired with zeros. What it leaves in
// rows that x does not have is not said.
func packPairs(p *packArgs, zip, transpose func(*packArgs), width int, dst unsafe.Pointer, x matrix, rows, cols, w int) {
	const size = 2
	src, done := x.addr(size), 0
	switch whole := cols / 2; {
	case whole == 0:
	case x.col == 1:
		done = whole &^ 3
		transposePanel(p, transpose, width, dst, src, size*x.row, rows, done, w)
	case x.row == 1:
		done = whole
		p.dst, p.step = dst, 2*size*w
		p.src, p.srcS = src, size*x.col
		p.cols, p.rows = whole, rows
		zip(p)
	}
	pairs := (cols + 1) / 2
	d := slice[uint32](dst, (pairs-1)*w+rows)
	at := func(i, j int) uint32 { return uint32(*(*uint16)(unsafe.Add(src, size*(i*x.row+j*x.col)))) }
	for i := range rows {
		for j := done; j < pairs; j++ {
			v := at(i, 2*j)
			if 2*j+1 < cols {
				v |= at(i, 2*j+1) << 16
			}
			d[j*w+i] = v
		}
	}
}
