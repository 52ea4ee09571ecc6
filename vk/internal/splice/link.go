package splice

import (
	"slices"

	"github.com/fornax-ml/fornax/shaders/spirv"
)

// link joins the functions that main reaches with the globals that they need.
func (b *builder) link() ([]uint32, error) {
	t := b.t
	code := func(id uint32) []spirv.Inst {
		if n, ok := b.new[id]; ok {
			return n
		}
		f := t.functions[t.byID[id]]
		return t.m.Insts[f.Start:f.End]
	}
	reached := map[uint32]bool{t.entry: true}
	for queue := []uint32{t.entry}; len(queue) > 0; {
		id := queue[0]
		queue = queue[1:]
		for _, in := range code(id) {
			var f uint32
			switch in.Op {
			case spirv.OpFunctionCall:
				f = in.Words[2]
			case spirv.OpCooperativeMatrixPerElementOpNV:
				f = in.Words[3]
			}
			if f != 0 && !reached[f] {
				reached[f] = true
				queue = append(queue, f)
			}
		}
	}
	// Ids that the kept functions mention. Literals among the operands may
	// look like ids; that keeps a global too many, which does no harm but for
	// buffers, and those are named by OpAccessChain only, whose operands all
	// are ids.
	used := map[uint32]bool{}
	var body []spirv.Inst
	for _, f := range t.functions {
		if !reached[f.ID] {
			continue
		}
		for _, in := range code(f.ID) {
			body = append(body, in)
			for _, w := range idOperands(in) {
				used[w] = true
			}
		}
	}
	globals := append(slices.Clone(t.m.Insts[:t.globals]), b.added...)
	for _, in := range globals {
		if in.Op == spirv.OpExecutionModeId { // the workgroup size, from SPIR-V 1.6 on
			for _, w := range in.Words[2:] {
				used[w] = true
			}
		}
	}
	keep := make([]bool, len(globals))
	// Backwards, so that what a kept global needs is seen before it comes.
	for i := len(globals) - 1; i >= 0; i-- {
		in := globals[i]
		id := in.Result()
		switch in.Op {
		case spirv.OpExtInstImport, spirv.OpString:
			keep[i] = true
			continue
		}
		if id == 0 {
			continue
		}
		// The workgroup size is a constant that nobody mentions.
		if !used[id] && !b.isWorkgroupSize(in) {
			continue
		}
		keep[i] = true
		for _, w := range idOperands(in) {
			used[w] = true
		}
		used[id] = true
	}
	defined := map[uint32]bool{}
	for i, in := range globals {
		if keep[i] && in.Result() != 0 {
			defined[in.Result()] = true
		}
	}
	for _, in := range body {
		if id := in.Result(); id != 0 {
			defined[id] = true
		}
	}
	has64 := func(op uint16) bool {
		for i, in := range globals {
			if keep[i] && in.Op == op && in.Words[1] == 64 {
				return true
			}
		}
		return false
	}
	float64s, int64s := has64(spirv.OpTypeFloat), has64(spirv.OpTypeInt)
	out := &spirv.Module{Version: t.m.Version, Generator: t.m.Generator, Bound: b.next, Schema: t.m.Schema}
	for i, in := range globals {
		switch in.Op {
		case spirv.OpCapability:
			if in.Words[0] == capFloat64 && !float64s || in.Words[0] == capInt64 && !int64s {
				continue
			}
		case spirv.OpName, spirv.OpMemberName, spirv.OpDecorate, spirv.OpMemberDecorate, spirv.OpTypeForwardPointer:
			if !defined[in.Words[0]] {
				continue
			}
		case spirv.OpEntryPoint:
			in = b.entryPoint(in, defined)
		case spirv.OpSource, spirv.OpSourceContinued, spirv.OpSourceExtension, spirv.OpModuleProcessed:
			continue
		default:
			if in.Result() != 0 && !keep[i] {
				continue
			}
		}
		out.Insts = append(out.Insts, in)
	}
	out.Insts = append(out.Insts, body...)
	return out.Words()
}

const (
	capFloat64 = 10
	capInt64   = 11
)

// entryPoint drops variables that are gone from the interface.
func (b *builder) entryPoint(in spirv.Inst, defined map[uint32]bool) spirv.Inst {
	_, n, err := spirv.String(in.Words[2:])
	if err != nil {
		return in
	}
	w := slices.Clone(in.Words[:2+n])
	for _, id := range in.Words[2+n:] {
		if defined[id] {
			w = append(w, id)
		}
	}
	return spirv.Inst{Op: in.Op, Words: w}
}

func (b *builder) isWorkgroupSize(in spirv.Inst) bool {
	return in.Op == spirv.OpSpecConstantComposite && b.t.workgroupSize == in.Words[1]
}

// idOperands returns operands that may be ids; of the instructions whose
// literals are known it leaves those out.
func idOperands(in spirv.Inst) []uint32 {
	w := in.Words
	switch in.Op {
	case spirv.OpConstant, spirv.OpSpecConstant, spirv.OpTypeInt, spirv.OpTypeFloat:
		return w[:1]
	case spirv.OpTypePointer:
		return []uint32{w[0], w[2]}
	case spirv.OpTypeVector:
		return w[:2]
	case spirv.OpVariable:
		return append([]uint32{w[0], w[1]}, w[3:]...)
	case spirv.OpFunction:
		return []uint32{w[0], w[1], w[3]}
	case spirv.OpLoad:
		return w[:3]
	case spirv.OpStore:
		return w[:2]
	case spirv.OpCompositeExtract:
		return w[:3]
	case spirv.OpExtInst:
		return append([]uint32{w[0], w[1], w[2]}, w[4:]...)
	case spirv.OpSpecConstantOp:
		return append([]uint32{w[0], w[1]}, w[3:]...)
	case spirv.OpSelectionMerge:
		return w[:1]
	case spirv.OpLoopMerge:
		return w[:2]
	case spirv.OpSwitch:
		return w[:2]
	}
	return w
}
