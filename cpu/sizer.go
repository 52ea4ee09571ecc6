package cpu

import "github.com/fornax-ml/fornax/tensor/ir"

// BufferSize implements ir.Sizer.
func (d *Device) BufferSize(bytes int) int {
	_, size := sizeClass(bytes)
	return size
}

// WorkSize implements ir.Sizer: an arena with the scratch of the instructions.
func (d *Device) WorkSize(p *ir.Program) (int, error) {
	e, err := d.compile(p)
	if err != nil || e.arena == 0 {
		return 0, err
	}
	return d.BufferSize(e.arena), nil
}

// Room implements ir.Sizer.
func (d *Device) Room() int { return d.info.Limits.MemoryBytes }
