package cpu

import (
	"slices"
	"unsafe"

	"github.com/fornax-ml/fornax/tensor/ir"
)

// blockLen is the number of positions a chain handles at a time.
const blockLen = 1024

// A chain is an ir.Chain made ready: steps over blocks of positions.
//
// A register is in one of four places: in memory (a contiguous operand, or a
// stored result), in a block of the workspace, in the accumulators of the
// instruction that the chain ends, or, where its value is the same at all
// positions, in a block of the run's uniform values. What is in the workspace's
// ptrs says where it is for the block at hand.
type chain struct {
	steps   []step // in order, at each block
	once    []step // values that are the same at all positions, once a run
	fills   []fill
	stores  []copyOut // results that are not stored by their step
	regs    []ir.DType
	regOff  []int // of uniform registers: byte in the run's uniform values; else -1
	regSize []int
	block   int // bytes between blocks in the workspace
	bytes   int // of the workspace
	size    int // positions
	cost    float64
	moves   *moves
}

type stepKind uint8

const (
	stepCalc   stepKind = iota
	stepMem             // a contiguous operand, used in place
	stepView            // an operand through a view
	stepIndex           // positions that a view computes
	stepAcc             // the accumulators
	stepScalar          // a run-time number
	stepConst
	stepPhilox
	stepStream // consecutive words of one stream
	stepFused  // several steps as one
)

type step struct {
	kind   stepKind
	reg    int
	fn     kernel // stepCalc; stepMem and others: conversion of F16 and BF16, or nil
	round  kernel // rounding of F16 and BF16, or nil
	words  philoxKernel
	stream streamKernel
	a      [5]int // argument registers
	block  int    // where the result goes in the workspace, or -1
	own    int    // with block -1: a block of its own for tiles
	slot   int    // stepMem, stepView: what is read; stepCalc: what is written, or -1
	size   int    // bytes of an element of slot
	off    int    // stepMem: byte offset; stepStream: the word at position 0
	k      int    // stepScalar
	imm    uint64 // stepConst: bits of the register's element
	view   *viewReader
	fused  *fusedStep
	spread bool // stepView: only fused steps read it, who take a single element for a block of equal ones
}

// A fill spreads a uniform value over its block.
type fill struct {
	off, size, n int
}

type copyOut struct {
	reg, slot, size int
	fn              kernel
	same            bool // elements are stored as they are
	stream          bool
}

// phys is the dtype that a register of d is held in.
func phys(d ir.DType) ir.DType {
	switch d {
	case ir.F16, ir.BF16:
		return ir.F32
	case ir.Bool:
		return ir.U8
	}
	return d
}

func half(d ir.DType) bool { return d == ir.F16 || d == ir.BF16 }

// prepare computes the uniform values of a run.
func (ch *chain) prepare(r *run) {
	for i := range ch.once {
		s := &ch.once[i]
		dst := unsafe.Pointer(&r.uniform[ch.regOff[s.reg]])
		arg := func(k int) unsafe.Pointer {
			return unsafe.Pointer(&r.uniform[max(0, ch.regOff[s.a[k]])])
		}
		switch s.kind {
		case stepView:
			if ch.size == 0 {
				continue // there may be no element to read
			}
			src := s.view.load(r.slots[s.slot], s.size, dst, 0, 1)
			if s.fn != nil {
				s.fn(dst, src, nil, nil, 1)
			} else if src != dst {
				copy(slice[byte](dst, s.size), slice[byte](src, s.size))
			}
		case stepIndex:
			s.view.index(dst, 0, 1)
		case stepScalar:
			putElem(dst, ch.regSize[s.reg], registerBits(ch.regs[s.reg], r.scalars[s.k].Bits))
		case stepConst:
			putElem(dst, ch.regSize[s.reg], s.imm)
		case stepPhilox:
			s.words(dst, arg(0), arg(1), arg(2), arg(3), arg(4), 1)
		case stepCalc:
			s.fn(dst, arg(0), arg(1), arg(2), 1)
			if s.round != nil {
				s.round(dst, dst, nil, nil, 1)
			}
		}
	}
	for _, f := range ch.fills {
		spread(unsafe.Pointer(&r.uniform[f.off]), f.size, f.n)
	}
}

// begin sets the places of uniform registers in a workspace, before exec.
func (ch *chain) begin(r *run, ws *workspace) {
	for i, off := range ch.regOff {
		if off >= 0 {
			ws.ptrs[i] = unsafe.Pointer(&r.uniform[off])
		}
	}
}

// wholeLen is the number of positions at a time where no block bounds it.
const wholeLen = 1 << 16

// length returns the number of positions that exec takes at a time: many where the
// chain reads and writes memory only, and no block.
func (ch *chain) length() int {
	for i := range ch.steps {
		s := &ch.steps[i]
		switch {
		case s.kind == stepFused:
			if slices.ContainsFunc(s.fused.out, func(o fusedOut) bool { return o.block >= 0 }) {
				return blockLen
			}
		case s.block >= 0 || s.kind != stepMem && s.kind != stepCalc && s.kind != stepAcc:
			return blockLen
		}
	}
	if len(ch.fills) > 0 {
		return blockLen
	}
	return wholeLen
}

// exec runs the chain at positions [pos, pos+n), n <= length(); acc holds the n accumulators. Afterwards ws.ptrs has the place of each register.
func (ch *chain) exec(r *run, ws *workspace, pos, n int, acc unsafe.Pointer) {
	ptrs := ws.ptrs
	for i := range ch.steps {
		s := &ch.steps[i]
		if s.kind == stepFused {
			s.fused.exec(r, ws, pos, n)
			continue
		}
		var dst unsafe.Pointer
		if s.block >= 0 {
			dst = unsafe.Pointer(&ws.mem[s.block])
		}
		switch s.kind {
		case stepCalc:
			if s.block < 0 {
				dst = unsafe.Add(r.slots[s.slot], pos*s.size)
			}
			s.fn(dst, ptrs[s.a[0]], ptrs[s.a[1]], ptrs[s.a[2]], n)
			if s.round != nil {
				s.round(dst, dst, nil, nil, n)
			}
		case stepMem:
			src := unsafe.Add(r.slots[s.slot], s.off+pos*s.size)
			switch {
			case s.fn != nil:
				s.fn(dst, src, nil, nil, n)
			case s.block >= 0:
				copy(slice[byte](dst, n*s.size), slice[byte](src, n*s.size))
			default:
				dst = src
			}
		case stepView:
			if s.spread {
				if p := s.view.single(r.slots[s.slot], s.size, pos, n); p != nil {
					dst, ws.single[s.reg] = p, true
					break
				}
				ws.single[s.reg] = false
			}
			if s.fn == nil {
				dst = s.view.load(r.slots[s.slot], s.size, dst, pos, n)
				break
			}
			// Halves go to the upper end of the block, where widening them
			// forward does not overtake the reading.
			raw := unsafe.Add(dst, (4-s.size)*blockLen)
			s.fn(dst, s.view.load(r.slots[s.slot], s.size, raw, pos, n), nil, nil, n)
		case stepIndex:
			s.view.index(dst, pos, n)
		case stepAcc:
			dst = acc
		case stepPhilox:
			if s.block < 0 {
				dst = unsafe.Add(r.slots[s.slot], pos*s.size)
			}
			s.words(dst, ptrs[s.a[0]], ptrs[s.a[1]], ptrs[s.a[2]], ptrs[s.a[3]], ptrs[s.a[4]], n)
		case stepStream:
			if s.block < 0 {
				dst = unsafe.Add(r.slots[s.slot], pos*s.size)
			}
			word := func(k int) uint32 { return *(*uint32)(ptrs[s.a[k]]) }
			s.stream(dst, uint32(s.off+pos), word(0), word(1), word(2), word(3), n)
		}
		ptrs[s.reg] = dst
	}
	for i := range ch.stores {
		o := &ch.stores[i]
		dst := unsafe.Add(r.slots[o.slot], pos*o.size)
		if o.stream {
			ch.moves.stream(dst, ptrs[o.reg], n*o.size)
			continue
		}
		o.fn(dst, ptrs[o.reg], nil, nil, n)
	}
}
