package lower

import (
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/fornax-ml/fornax/tensor/ir"
)

// MaxBuffers is the number of buffers that the shaders can name.
const MaxBuffers = 16

// BlockWords is the size of the parameter block that shaders declare.
const BlockWords = 4096

// AddressWord is the block's word where the buffers' addresses begin, two words
// each.
const AddressWord = 8

// firstFree is the first word behind the addresses.
const firstFree = AddressWord + 2*MaxBuffers

// Options are the device's traits that matter to kernels.
type Options struct {
	Device    string    // for messages
	Buffers   int       // that a dispatch may bind, at most MaxBuffers
	Range     int       // bytes that a binding may span; 0: no limit
	Workgroup int       // invocations of a workgroup, a power of two
	Shared    int       // bytes of shared memory a workgroup
	Align     int       // of scratch memory
	DTypes    ir.Class  // Narrow or more
	Software  bool      // the device is a CPU
	NoShared  bool      // products do without shared memory, unless measurements say otherwise
	first     tileShape // of large products; see SetDefaults
	Subgroup8 bool      // and runs subgroups of 8 with broadcasts; see matmul_sub8.comp
	// Matrices are the fragments of the device's matrix units, by the dtype of A and B.
	Matrices map[ir.DType]Matrix
	// Flexible are those of VK_NV_cooperative_matrix2, which are taken first.
	Flexible map[ir.DType]Matrix

	// Off says why a variant or an op's function must not be used, "" where it
	// may; nil: all may. See Kernel.Variant and Kernel.Ops.
	Off func(name string) string
	// MatMul picks one of the kernels that can compute a product, of which the
	// first is the default; nil takes that.
	MatMul func(p Product, kernels []MatMulKernel) int
}

// Where a range of memory is, besides arguments 0, 1, ….
const (
	Arena  = -1
	Status = -2
)

// A Mem is a range of memory.
type Mem struct {
	Arg           int // argument of Run, or Arena, or Status
	Offset, Bytes int
}

// Overlaps reports whether the ranges share bytes.
func (m Mem) Overlaps(o Mem) bool {
	return m.Arg == o.Arg && m.Offset < o.Offset+o.Bytes && o.Offset < m.Offset+m.Bytes
}

// A Patch puts a scalar of the program into the block: two words.
type Patch struct {
	Word, Scalar int
}

// A Dispatch runs a kernel once.
type Dispatch struct {
	Instr    int // of the program
	Kernel   *Kernel
	Custom   *ir.Custom // instead of Kernel; Bindings are inputs, then outputs
	Bindings []Mem
	Block    []uint32
	Patches  []Patch
	Groups   [3]uint32
	Reads    []Mem
	Writes   []Mem
	Work     float64 // estimated operations; 0 where nothing is known of them
}

// Cut says how many workgroups d has, and along which axis and into how many dispatches
// of whole workgroups it is to be cut so that none has more work than most, as far as that
// goes; a user's kernel is never cut. Workgroups count themselves along
// the first axis before the second, and those behind the last do nothing: so workgroups on two axes are
// spread anew, over as many rows as there are pieces.
func (d *Dispatch) Cut(most float64) (groups [3]uint32, axis, pieces int) {
	groups = d.Groups
	if d.Custom != nil || d.Work <= most {
		return groups, 0, 1
	}
	n := int(min(math.Ceil(d.Work/most), mostGroups))
	if groups[1] > 1 {
		axis = 1
		if all := int(groups[0]) * int(groups[1]); n > int(groups[1]) {
			groups[0], groups[1] = uint32(ceilDiv(all, n)), uint32(n)
		}
	}
	return groups, axis, min(n, int(groups[axis]))
}

// mostGroups is the workgroups along an axis that every device has.
const mostGroups = 65535

// A Check names an instruction whose indices are checked; its number in the
// block of the check is its position in Plan.Checks, and NumberWord where.
type Check struct {
	Name     string
	DType    ir.DType
	Dispatch []int // whose block's word NumberWord the host sets
}

// NumberWord is the block's word that tells a check who it is.
const NumberWord = 2

// A Plan is a lowered program.
type Plan struct {
	Dispatches []Dispatch
	Checks     []Check
	ArenaBytes int // with scratch behind the program's own
}

type lowerer struct {
	o       Options
	p       *ir.Program
	plan    *Plan
	instr   int
	scratch int // next free byte behind the arena, for this instruction
}

// Lower lowers a checked program. Errors are *ir.UnsupportedError.
func Lower(p *ir.Program, o Options) (plan *Plan, err error) {
	l := &lowerer{o: o, p: p, plan: &Plan{ArenaBytes: p.ArenaBytes}}
	defer func() {
		switch e := recover().(type) {
		case nil:
		case *ir.UnsupportedError:
			e.Device = o.Device
			e.Instr = instrText(p, l.instr)
			plan, err = nil, e
		default:
			panic(e)
		}
	}()
	for i, in := range p.Instrs {
		l.instr = i
		l.checkDTypes(in)
	}
	groups, done := l.rowGroups(), map[int]bool{}
	for i, in := range p.Instrs {
		if done[i] {
			continue
		}
		l.instr, l.scratch = i, p.ArenaBytes
		first := len(l.plan.Dispatches)
		if g := groups[i]; g != nil && l.lowerRows(g) {
			ops := 0.0
			for _, s := range g {
				done[s.index] = true
				ops += work(p.Instrs[s.index])
			}
			l.share(first, ops)
			continue
		}
		switch in := in.(type) {
		case *ir.Map:
			l.lowerMap(in)
		case *ir.Reduce:
			l.lowerReduce(in)
		case *ir.MatMul:
			l.lowerMatMul(in)
		case *ir.Gather:
			l.lowerGather(in)
		case *ir.ScatterAdd:
			l.lowerScatterAdd(in)
		case *ir.Custom:
			l.lowerCustom(in)
		default:
			unsupported("instruction family %s", in.Family())
		}
		l.share(first, work(in))
	}
	l.plan.schedule()
	return l.plan, nil
}

// share spreads an instruction's work over its dispatches: that of a product is its
// kernel's.
func (l *lowerer) share(first int, ops float64) {
	all := l.plan.Dispatches[first:]
	product := slices.IndexFunc(all, func(d Dispatch) bool { return d.Kernel != nil && strings.HasPrefix(d.Kernel.Module, "matmul") })
	for i := range all {
		switch {
		case product < 0:
			all[i].Work = ops / float64(len(all))
		case product == i:
			all[i].Work = ops
		}
	}
}

// instrText finds an instruction's line in the program's text.
func instrText(p *ir.Program, i int) string {
	q := *p
	q.Instrs = p.Instrs[i : i+1]
	q.ArenaBytes = 0
	lines := strings.Split(strings.TrimSuffix(q.String(), "\n"), "\n")
	return lines[len(lines)-1]
}

func unsupported(format string, args ...any) {
	panic(&ir.UnsupportedError{Reason: fmt.Sprintf(format, args...)})
}

func (l *lowerer) checkDTypes(in ir.Instr) {
	check := func(d ir.DType) {
		if !l.o.DTypes.Has(d) {
			unsupported("dtype %v", d)
		}
	}
	for _, o := range in.Reads() {
		check(l.p.Slots[o.Slot].DType)
	}
	for _, s := range in.Writes() {
		check(l.p.Slots[s].DType)
	}
	for _, c := range chains(in) {
		for _, s := range c {
			check(s.DType)
		}
	}
}

func chains(in ir.Instr) []ir.Chain {
	switch in := in.(type) {
	case *ir.Map:
		return []ir.Chain{in.Chain}
	case *ir.Reduce:
		return []ir.Chain{in.Pre, in.Post}
	case *ir.MatMul:
		return []ir.Chain{in.Post}
	}
	return nil
}

// mem is the memory of a slot.
func (l *lowerer) mem(slot int) Mem {
	s := l.p.Slots[slot]
	switch {
	case s.Kind == ir.Temp:
		return Mem{Arena, s.Offset, s.Bytes()}
	case s.Kind == ir.Output && s.Alias != ir.NoSlot:
		slot = s.Alias
	}
	return Mem{slot, 0, s.Bytes()}
}

// takeScratch reserves memory behind the arena for this instruction.
func (l *lowerer) takeScratch(bytes int) Mem {
	off := (l.scratch + l.o.Align - 1) / l.o.Align * l.o.Align
	bytes = (bytes + 3) &^ 3
	l.scratch = off + bytes
	l.plan.ArenaBytes = max(l.plan.ArenaBytes, l.scratch)
	return Mem{Arena, off, bytes}
}

// maxPositions bounds iteration shapes: positions are divided by
// multiplication, which is exact below it.
const maxPositions = 1<<31 - 1

func positions(shape ...[]int) int {
	n := 1
	for _, s := range shape {
		for _, d := range s {
			if d == 0 {
				return 0
			}
		}
	}
	for _, s := range shape {
		for _, d := range s {
			n *= d
			if n > maxPositions {
				unsupported("more than 2^31-1 positions")
			}
		}
	}
	return n
}

// fold spreads n workgroups over two axes of at most 65,535.
func fold(n int) [3]uint32 {
	if n == 0 {
		return [3]uint32{}
	}
	y := ceilDiv(n, mostGroups)
	if y > mostGroups {
		unsupported("%d workgroups", n)
	}
	return [3]uint32{uint32((n + y - 1) / y), uint32(y), 1}
}

func ceilDiv(a, b int) int { return (a + b - 1) / b }
