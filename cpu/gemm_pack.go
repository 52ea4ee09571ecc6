package cpu

import "unsafe"

// A matrix is where a matrix's elements are: element (i, j) is at
// off + i·row + j·col.
type matrix struct {
	base          unsafe.Pointer
	off, row, col int
}

// at returns the matrix that starts at element (i, j).
func (x matrix) at(i, j int) matrix {
	x.off += i*x.row + j*x.col
	return x
}

// t returns the transpose.
func (x matrix) t() matrix {
	x.row, x.col = x.col, x.row
	return x
}

// addr returns the address of element (0, 0), of size bytes.
func (x matrix) addr(size int) unsafe.Pointer { return unsafe.Add(x.base, x.off*size) }

// packArgs are the arguments of what packs a panel: column j of the source, its
// rows one after the other, goes to dst + j·step. Strides are in bytes. The
// assembly knows this layout.
//
// Copying reads rows contiguous float32, or twice as many for float64, for each
// column, and packs zeros after them; or rows elements of 16 bits, for each column
// of pairs from two columns of the source. Transposing reads along the rows, whose addresses are in table; cols is
// a multiple of 4.
type packArgs struct {
	dst  unsafe.Pointer
	step int
	src  unsafe.Pointer
	srcS int
	cols int
	rows int
	// Copying to packPanels panels at once: between them.
	panel int

	table [16]unsafe.Pointer
}

// packPanels is the number of panels that are copied at once, where what lies
// across them is contiguous.
const packPanels = 4

// copyPanels copies packPanels panels of w rows of x.
func copyPanels[T float](p *packArgs, copies func(*packArgs), dst unsafe.Pointer, x matrix, cols, w int) {
	size := int(unsafe.Sizeof(T(0)))
	p.dst, p.step, p.panel = dst, w*size, w*cols*size
	p.src, p.srcS, p.cols = x.addr(size), x.col*size, cols
	copies(p)
}

// packPanel packs rows [0, rows) and columns [0, cols) of x as a panel of w
// rows, column by column. What it leaves in rows that x does not have is not
// said: no kernel stores what depends on it.
func packPanel[T float](p *packArgs, copyTo, transpose func(*packArgs), width int, dst unsafe.Pointer, x matrix, rows, cols, w int) {
	size := int(unsafe.Sizeof(T(0)))
	src := x.addr(size)
	switch {
	case copyTo != nil && (x.row == 1 || rows == 1):
		p.dst, p.step = dst, w*size
		p.src, p.srcS = src, x.col*size
		p.cols, p.rows = cols, rows*size/4
		copyTo(p)
	case transpose != nil && (x.col == 1 || cols == 1):
		whole := cols &^ 3
		transposePanel(p, transpose, width, dst, src, x.row*size, rows, whole, w)
		if whole < cols {
			packSlow[T](unsafe.Add(dst, whole*w*size), x.at(0, whole), rows, cols-whole, w)
		}
	default:
		packSlow[T](dst, x, rows, cols, w)
	}
}

// transposePanel packs cols columns, a multiple of 4, of rows of 4-byte elements
// whose columns are contiguous, stride bytes apart.
func transposePanel(p *packArgs, transpose func(*packArgs), width int, dst, src unsafe.Pointer, stride, rows, cols, w int) {
	if cols == 0 {
		return
	}
	p.step, p.cols = 4*w, cols
	for i := 0; i < rows; i += width {
		p.dst = unsafe.Add(dst, 4*i)
		for j := range p.table[:width] {
			p.table[j] = unsafe.Add(src, min(i+j, rows-1)*stride)
		}
		transpose(p)
	}
}

// packSlow is packPanel for any strides.
func packSlow[T float](dst unsafe.Pointer, x matrix, rows, cols, w int) {
	size := int(unsafe.Sizeof(T(0)))
	src := x.addr(size)
	d := slice[T](dst, (cols-1)*w+rows)
	if x.row == 1 {
		for j := range cols {
			from := slice[T](unsafe.Add(src, j*x.col*size), rows) // a few elements: a call of copy costs more
			for i, v := range from {
				d[j*w+i] = v
			}
		}
		return
	}
	for i := range rows {
		off := i * x.row * size
		for k := i; k < len(d); k += w {
			d[k] = *(*T)(unsafe.Add(src, off))
			off += x.col * size
		}
	}
}
