package tensor

import (
	"github.com/fornax-ml/fornax/tensor/ir"
)

// A binding is the memory of a program's run.
type binding struct {
	inputs []*storage
	outs   []*storage
	fresh  []int      // of outs: with memory of their own, the others took over an input's
	taken  []*storage // inputs that outputs took over
	args   []ir.Buffer
}

// bind lists the program's arguments but for the fresh outputs, which allocate adds.
func (b *binding) bind(p *ir.Program) {
	for _, st := range b.inputs {
		b.args = append(b.args, st.buf)
	}
	for i, slot := range p.Slots[p.Inputs:p.NumArgs()] {
		if slot.Alias == ir.NoSlot {
			b.outs, b.args, b.fresh = append(b.outs, nil), append(b.args, nil), append(b.fresh, i)
			continue
		}
		st := b.inputs[slot.Alias]
		b.outs, b.args, b.taken = append(b.outs, st), append(b.args, st.buf), append(b.taken, st)
	}
}

// allocate gets memory for the fresh outputs.
func (b *binding) allocate(d *Device, p *ir.Program) error {
	for _, i := range b.fresh {
		st, err := d.newStorage(p.Slots[p.Inputs+i].Bytes())
		if err != nil {
			b.free()
			return err
		}
		b.outs[i], b.args[p.Inputs+i] = st, st.buf
	}
	return nil
}

// free gives the fresh outputs' memory back.
func (b *binding) free() {
	for _, i := range b.fresh {
		if b.outs[i] != nil {
			b.outs[i].free()
		}
	}
}

// drop forgets the memory of arguments and of fresh outputs, which is another in the next
// run. inputs is the program's number of them.
func (b *binding) drop(reads []read, inputs int) {
	for _, a := range reads {
		b.inputs[a.input], b.args[a.input] = nil, nil
	}
	for _, i := range b.fresh {
		b.outs[i], b.args[inputs+i] = nil, nil
	}
}

func (b *binding) reset() {
	clear(b.inputs)
	clear(b.outs)
	clear(b.taken)
	clear(b.args)
	b.inputs, b.outs, b.fresh, b.taken, b.args = b.inputs[:0], b.outs[:0], b.fresh[:0], b.taken[:0], b.args[:0]
}
