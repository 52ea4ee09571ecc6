package cpu

import (
	"slices"
	"unsafe"

	"github.com/fornax-ml/fornax/tensor/ir"
)

// A run of float32 steps of a chain is one step where the level has a chain
// machine: routines in assembly that compute chunks of a few vectors, each from
// the result of the one before, which stays in registers. Operands are read from
// memory once for each op that uses them and only the results that somebody
// else needs are written; a block's length of temporaries never exists, and
// uniform values are not spread. What the machine computes has the bits of the
// block kernels: they are written from the same expressions.
//
// The code is a list of words, each a routine and its argument; the assembly
// says how they work (cpu/_asm/fused.go).

// A fusedSet is a level's chain machine.
type fusedSet struct {
	run      func(*fusedArgs)
	chunk    int       // elements
	routines []uintptr // addresses
	unary    map[ir.Op]int
	binary   map[ir.Op][2]int // the first of three kinds; and with the accumulator as the second argument
}

// The routines that compute nothing, in the order of the assembly's table; Load,
// Else and those of fusedSet.binary come in the three kinds of operands.
const (
	fusedLoad   = 0
	fusedStoreM = 3
	fusedStoreT = 4
	fusedMask   = 5
	fusedElse   = 6
	fusedEnd    = 9
)

// Kinds of operands.
const (
	fusedMemory  = iota // contiguous: an index of the pointer table
	fusedTemp           // a chunk: an offset in the temporaries
	fusedUniform        // one value: an index of the pointer table
)

// maxFused bounds the steps of a run, and with it the temporaries; a step names
// three operands at most, and a result.
const (
	maxFused     = 24
	maxFusedPtrs = 4 * maxFused
)

// fusedArgs are the arguments of a machine. The assembly knows this layout.
type fusedArgs struct {
	code   unsafe.Pointer
	tmp    unsafe.Pointer
	chunks int
	ptrs   [maxFusedPtrs]unsafe.Pointer
}

type fusedWord struct{ routine, arg uintptr }

// A fusedStep is a run of steps as code.
type fusedStep struct {
	set  *fusedSet
	code []fusedWord
	rows []fusedWord // the code where each spread register is one element, or nil
	in   []fusedIn   // what the pointer table starts with
	out  []fusedOut  // and what follows
}

type fusedIn struct {
	reg     int
	uniform bool
	spread  bool // may be one element for a whole block
	block   int  // of the register
}

// A fusedOut is a result that goes to a block of the workspace, or to a slot.
type fusedOut struct {
	reg, block, slot int
	own              int // with block -1: a block of its own for tiles
}

// fusable reports whether the machine has step s of a chain: on float32, or a
// comparison, or Where by one.
func (f *fusedSet) fusable(in ir.Chain, s ir.Step) bool {
	if s.From != ir.F32 {
		return false
	}
	if s.Op == ir.OpWhere {
		return s.DType == ir.F32
	}
	_, one := f.unary[s.Op]
	_, two := f.binary[s.Op]
	return (one || two) && (s.DType == ir.F32 || s.DType == ir.Bool)
}

// runs cuts a chain into what is done at a time, in order: single steps, and runs
// of those that a machine computes together. wanted reports the registers that
// are read after the chain. Steps that are not used, and uniform ones, are in
// none. Sources that stand between the steps of a run come before it.
func (f *fusedSet) runs(in ir.Chain, used, uniform, wanted []bool) [][]int {
	group := make([]int, len(in)) // the first step of the run, or -1
	source := func(i int) bool { return len(in[i].Args) == 0 }
	alone := make([]bool, len(in)) // steps that cannot be in a run
	for i, s := range in {
		alone[i] = f == nil || !f.fusable(in, s)
	}
	var size map[int]int
	for again := true; again; {
		again = false
		size = map[int]int{}
		first := -1
		for i := range in {
			group[i] = -1
			switch {
			case !used[i] || uniform[i] || source(i):
			case alone[i]:
				first = -1
			default:
				if first < 0 || size[first] == maxFused {
					first = i
				}
				group[i] = first
				size[first]++
			}
		}
		// Masks are known in their run only, and nothing else is there.
		for i, s := range in {
			if group[i] < 0 {
				continue
			}
			bad := s.DType == ir.Bool && (wanted[i] || maskLeaves(in, used, group, i)) ||
				s.Op == ir.OpWhere && group[s.Args[0]] != group[i]
			if bad {
				alone[i], again = true, true
			}
		}
	}
	var order [][]int
	done := make([]bool, len(in))
	for i := range in {
		if !used[i] || uniform[i] || done[i] {
			continue
		}
		g := group[i]
		if g < 0 || size[g] < 2 {
			order = append(order, []int{i})
			continue
		}
		var run []int
		for k := i; len(run) < size[g]; k++ {
			switch {
			case group[k] == g:
				run = append(run, k)
			case used[k] && !uniform[k] && !done[k]:
				order = append(order, []int{k})
			default:
				continue
			}
			done[k] = true
		}
		order = append(order, run)
	}
	return order
}

// maskLeaves reports whether the mask of step i is read as anything but the
// condition of a Where in its run.
func maskLeaves(in ir.Chain, used []bool, group []int, i int) bool {
	for j := i + 1; j < len(in); j++ {
		for k, a := range in[j].Args {
			if a == i && used[j] && (group[j] != group[i] || in[j].Op != ir.OpWhere || k != 0) {
				return true
			}
		}
	}
	return false
}

// A fuser writes the code of a run.
type fuser struct {
	set     *fusedSet
	step    *fusedStep
	in      ir.Chain
	uniform []bool
	place   map[int]fusedWord // of registers: the kind, and the argument
	reads   map[int]int       // of the run's results: reads to come
	free    []uintptr
	temps   uintptr
	acc     int // the register in the accumulator
}

// spreads marks the registers that fused steps take as one element where they are
// the same in a whole block: views that nothing else reads.
func spreads(in ir.Chain, readers []*viewReader, used, inRun, wanted []bool) []bool {
	l := make([]bool, len(in))
	for i, s := range in {
		l[i] = s.Op == ir.OpLoad && s.DType == ir.F32 && used[i] && !wanted[i] && readers[i].spreads()
	}
	for j, s := range in {
		for _, a := range s.Args {
			l[a] = l[a] && (!used[j] || inRun[j])
		}
	}
	return l
}

// fuse returns the code of a run; out has the results that are needed behind it,
// in order.
func (f *fusedSet) fuse(in ir.Chain, uniform, spread []bool, run []int, out []fusedOut) *fusedStep {
	step := f.code(in, uniform, spread, run, out)
	if slices.ContainsFunc(step.in, func(x fusedIn) bool { return x.spread }) {
		once := slices.Clone(uniform)
		for i := range once {
			once[i] = once[i] || spread[i]
		}
		step.rows = f.code(in, once, spread, run, out).code
	}
	return step
}

func (f *fusedSet) code(in ir.Chain, uniform, spread []bool, run []int, out []fusedOut) *fusedStep {
	w := &fuser{set: f, step: &fusedStep{set: f, out: out}, in: in, uniform: uniform, place: map[int]fusedWord{}, reads: map[int]int{}, acc: -1}
	member := map[int]bool{}
	for _, i := range run {
		member[i] = true
		for _, a := range in[i].Args {
			if member[a] {
				w.reads[a]++
			} else if _, ok := w.place[a]; !ok {
				w.place[a] = fusedWord{arg: uintptr(len(w.step.in))}
				if uniform[a] {
					w.place[a] = fusedWord{fusedUniform, uintptr(len(w.step.in))}
				}
				w.step.in = append(w.step.in, fusedIn{reg: a, uniform: uniform[a], spread: spread[a]})
			}
		}
	}
	for k, i := range run {
		w.calc(i)
		w.acc = i
		for _, o := range out {
			if o.reg == i {
				w.place[i] = fusedWord{fusedMemory, uintptr(w.table(i))}
				w.emit(fusedStoreM, w.place[i].arg)
			}
		}
		left := w.reads[i]
		if k+1 < len(run) && w.fromAcc(run[k+1], i) {
			left--
		}
		if _, ok := w.place[i]; !ok && left > 0 {
			w.place[i] = fusedWord{fusedTemp, w.temp()}
			w.emit(fusedStoreT, w.place[i].arg)
		}
	}
	w.emit(fusedEnd, 0)
	return w.step
}

// table returns the index of result i in the pointer table.
func (w *fuser) table(i int) int {
	for k, o := range w.step.out {
		if o.reg == i {
			return len(w.step.in) + k
		}
	}
	return -1
}

func (w *fuser) emit(routine int, arg uintptr) {
	w.step.code = append(w.step.code, fusedWord{w.set.routines[routine], arg})
}

// fromAcc reports whether step j, which comes right behind the step of i, takes
// i from the accumulator.
func (w *fuser) fromAcc(j, i int) bool {
	args := w.in[j].Args
	if len(args) == 2 {
		return args[0] == i || args[1] == i
	}
	return args[0] == i // of Where: the mask
}

// calc writes the code of step i.
func (w *fuser) calc(i int) {
	s := w.in[i]
	switch a := s.Args; len(a) {
	case 1:
		w.load(a[0])
		w.emit(w.set.unary[s.Op], 0)
	case 2:
		b := w.set.binary[s.Op]
		if w.acc == a[1] && a[0] != a[1] {
			w.operand(b[1], a[0])
		} else {
			w.load(a[0])
			w.operand(b[0], a[1])
		}
	case 3:
		w.load(a[0])
		w.emit(fusedMask, 0)
		w.operand(fusedLoad, a[1])
		w.operand(fusedElse, a[2])
	}
	for _, a := range s.Args {
		if w.reads[a]--; w.reads[a] == 0 {
			if p, ok := w.place[a]; ok && p.routine == fusedTemp {
				w.free = append(w.free, p.arg)
			}
		}
	}
}

// load brings register a to the accumulator.
func (w *fuser) load(a int) {
	if w.acc != a {
		w.operand(fusedLoad, a)
	}
}

// operand writes the routine for the kind of register a's place.
func (w *fuser) operand(first, a int) {
	p := w.place[a]
	w.emit(first+int(p.routine), p.arg)
}

// temp returns the offset of a free temporary.
func (w *fuser) temp() uintptr {
	if k := len(w.free); k > 0 {
		t := w.free[k-1]
		w.free = w.free[:k-1]
		return t
	}
	w.temps++
	return (w.temps - 1) * uintptr(w.set.chunk) * 4
}

// exec runs the code over n elements at pos of a block whose registers' places
// are in ws.ptrs, and notes the places of the results there.
func (f *fusedStep) exec(r *run, ws *workspace, pos, n int) {
	for k := range f.out {
		if o := &f.out[k]; o.block >= 0 {
			ws.ptrs[o.reg] = ws.at(o.block)
		} else {
			ws.ptrs[o.reg] = unsafe.Add(r.slots[o.slot], 4*pos)
		}
	}
	f.compute(ws, n, f.single(ws, n))
}

// single reports whether each spread register is one element; where some are and
// some are not, it fills the blocks of those that are.
func (f *fusedStep) single(ws *workspace, n int) bool {
	if f.rows == nil {
		return false
	}
	all, some := true, false
	for _, x := range f.in {
		if x.spread {
			all, some = all && ws.single[x.reg], some || ws.single[x.reg]
		}
	}
	if all || !some {
		return all
	}
	for _, x := range f.in {
		if x.spread && ws.single[x.reg] {
			block := slice[float32](ws.at(x.block), n)
			v := *(*float32)(ws.ptrs[x.reg])
			for i := range block {
				block[i] = v
			}
			ws.ptrs[x.reg], ws.single[x.reg] = ws.at(x.block), false
		}
	}
	return false
}

// execTile is exec with all results in blocks.
func (f *fusedStep) execTile(ws *workspace, n int) {
	for k := range f.out {
		o := &f.out[k]
		if ws.ptrs[o.reg] = ws.at(o.own); o.block >= 0 {
			ws.ptrs[o.reg] = ws.at(o.block)
		}
	}
	f.compute(ws, n, false)
}

// compute runs the code over n elements, with single where spread registers are
// one element.
func (f *fusedStep) compute(ws *workspace, n int, single bool) {
	m := ws.machine(f.set.chunk)
	args := &m.args
	args.code = unsafe.Pointer(unsafe.SliceData(f.code))
	if single {
		args.code = unsafe.Pointer(unsafe.SliceData(f.rows))
	}
	for k, x := range f.in {
		args.ptrs[k] = ws.ptrs[x.reg]
	}
	for k, o := range f.out {
		args.ptrs[len(f.in)+k] = ws.ptrs[o.reg]
	}
	whole := n / f.set.chunk
	if args.chunks = whole; whole > 0 {
		f.set.run(args)
	}
	// What is left goes through chunks of the machine's own.
	if rest := n - whole*f.set.chunk; rest > 0 {
		done := 4 * whole * f.set.chunk
		for k, x := range f.in {
			if !x.uniform && !(x.spread && single) {
				copy(m.tail(k, rest), slice[float32](unsafe.Add(args.ptrs[k], done), rest))
				args.ptrs[k] = unsafe.Pointer(&m.tail(k, rest)[0])
			}
		}
		for k := range f.out {
			i := len(f.in) + k
			args.ptrs[i] = unsafe.Pointer(&m.tail(i, rest)[0])
		}
		args.chunks = 1
		f.set.run(args)
		for k, o := range f.out {
			copy(slice[float32](unsafe.Add(ws.ptrs[o.reg], done), rest), m.tail(len(f.in)+k, rest))
		}
	}
	clear(args.ptrs[:len(f.in)+len(f.out)])
}

// A machine is what a workspace has for fused steps.
type machine struct {
	args  fusedArgs
	chunk int
	mem   []float32 // temporaries, then a chunk for each pointer
}

// machine returns the workspace's machine for chunks of the given length.
func (w *workspace) machine(chunk int) *machine {
	if w.fused == nil {
		b, _ := newBlock(0, 4*chunk*(maxFused+maxFusedPtrs))
		w.fused = &machine{chunk: chunk, mem: slice[float32](b.ptr(), chunk*(maxFused+maxFusedPtrs))}
		w.fused.args.tmp = b.ptr()
	}
	return w.fused
}

// tail returns n elements of the chunk for pointer k.
func (m *machine) tail(k, n int) []float32 {
	return m.mem[(maxFused+k)*m.chunk:][:n]
}
