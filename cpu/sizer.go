package cpu

import "github.com/fornax-ml/fornax/tensor/ir"

// BufferSize implements ir.Sizer.
func (d *Device) BufferSize(bytes int) int {
	_, size := sizeClass(bytes)
	return size
}

// WorkSize implements ir.Sizer: an arena with the scratch of the instructions.
func (d *Device) WorkSize(p *ir.Program) (int, error) {
	x, err := d.Compile(p)
	if err != nil {
		return 0, err
	}
	defer x.Free()
	n := x.(*executable).arena
	if n == 0 {
		return 0, nil
	}
	return d.BufferSize(n), nil
}

// Room implements ir.Sizer.
func (d *Device) Room() int { return d.info.Limits.MemoryBytes }
