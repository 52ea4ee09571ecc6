package spirv

import "slices"

// Section is a part of a module's logical layout, in the order of the
// specification's section 2.4.
type Section uint8

// The sections. Debug holds names, sources and strings; Globals holds types,
// constants and module-scope variables.
const (
	SectionCapabilities Section = iota
	SectionExtensions
	SectionImports
	SectionMemoryModel
	SectionEntryPoints
	SectionExecutionModes
	SectionDebug
	SectionAnnotations
	SectionGlobals
	SectionFunctions
	numSections
)

// sectionOf gives the section of an opcode outside functions.
func sectionOf(op uint16) Section {
	switch op {
	case OpCapability:
		return SectionCapabilities
	case OpExtension:
		return SectionExtensions
	case OpExtInstImport:
		return SectionImports
	case OpMemoryModel:
		return SectionMemoryModel
	case OpEntryPoint:
		return SectionEntryPoints
	case OpExecutionMode, OpExecutionModeId:
		return SectionExecutionModes
	case OpString, OpSource, OpSourceContinued, OpSourceExtension, OpName, OpMemberName, OpModuleProcessed:
		return SectionDebug
	case OpDecorate, OpMemberDecorate, OpDecorationGroup, OpGroupDecorate, OpGroupMemberDecorate, OpDecorateId,
		OpDecorateString, OpMemberDecorateString:
		return SectionAnnotations
	case OpFunction:
		return SectionFunctions
	}
	return SectionGlobals
}

// Range is the half-open range of instructions Insts[Start:End].
type Range struct{ Start, End int }

// Sections gives each section's instructions, indexed by [Section]. An empty
// section's range is the place where its first instruction would go. In a
// module that breaks the logical layout, instructions that come too late for
// their section count to the section that they stand in.
func (m *Module) Sections() []Range {
	out := make([]Range, numSections)
	cur := SectionCapabilities
	for i, in := range m.Insts {
		s := sectionOf(in.Op)
		for cur < s && cur < SectionFunctions {
			out[cur].End = i
			cur++
			out[cur].Start = i
		}
		if cur == SectionFunctions {
			break
		}
	}
	for {
		out[cur].End = len(m.Insts)
		if cur == SectionFunctions {
			return out
		}
		cur++
		out[cur].Start = len(m.Insts)
	}
}

// In gives the instructions of a section; the slice is part of m.Insts.
func (m *Module) In(s Section) []Inst {
	r := m.Sections()[s]
	return m.Insts[r.Start:r.End:r.End]
}

// Function is a function's place in Insts, from OpFunction to and with
// OpFunctionEnd.
type Function struct {
	Range
	ID   uint32 // of the OpFunction
	Type uint32 // of the OpTypeFunction
	Name string // as OpName gives it: glslang writes "relu(f1;" for relu(float)
}

// Functions lists the functions in order. A function that never ends reaches
// to the end of the module.
func (m *Module) Functions() []Function {
	var out []Function
	names := m.Names()
	open := false
	for i, in := range m.Insts {
		switch {
		case in.Op == OpFunction && len(in.Words) >= 4:
			if open {
				out[len(out)-1].End = i
			}
			id := in.Words[1]
			out = append(out, Function{Range{i, len(m.Insts)}, id, in.Words[3], names[id]})
			open = true
		case in.Op == OpFunctionEnd && open:
			out[len(out)-1].End = i + 1
			open = false
		}
	}
	return out
}

// FunctionNamed finds a function by its OpName, whole or up to the
// parenthesis with which glslang begins the parameter types. The zero
// Function, whose ID is 0, says that there is none or more than one.
func (m *Module) FunctionNamed(name string) Function {
	var found Function
	for _, f := range m.Functions() {
		if f.Name == name || plainName(f.Name) == name {
			if found.ID != 0 {
				return Function{}
			}
			found = f
		}
	}
	return found
}

// plainName cuts glslang's mangled parameter types off.
func plainName(s string) string {
	if i := slices.Index([]byte(s), '('); i >= 0 {
		return s[:i]
	}
	return s
}

// Names gives the OpName of every id that has one, also the empty names.
func (m *Module) Names() map[uint32]string {
	out := make(map[uint32]string)
	for _, in := range m.Insts {
		switch in.Op {
		case OpName:
			if len(in.Words) >= 2 {
				out[in.Words[0]] = in.text(1)
			}
		case OpFunction:
			return out
		}
	}
	return out
}

// Member names a member of a structure type.
type Member struct {
	Struct uint32
	Index  uint32
}

// MemberNames gives the OpMemberName of every structure member.
func (m *Module) MemberNames() map[Member]string {
	out := make(map[Member]string)
	for _, in := range m.Insts {
		switch in.Op {
		case OpMemberName:
			if len(in.Words) >= 3 {
				out[Member{in.Words[0], in.Words[1]}] = in.text(2)
			}
		case OpFunction:
			return out
		}
	}
	return out
}

// Defs maps each result id to the index of the instruction that defines it.
func (m *Module) Defs() map[uint32]int {
	out := make(map[uint32]int, len(m.Insts))
	for i, in := range m.Insts {
		if id := in.Result(); id != 0 {
			out[id] = i
		}
	}
	return out
}

// EntryPoint is an OpEntryPoint.
type EntryPoint struct {
	Model     uint32
	Function  uint32
	Name      string
	Interface []uint32
}

// EntryPoints lists the entry points; malformed ones are left out.
func (m *Module) EntryPoints() []EntryPoint {
	var out []EntryPoint
	for _, in := range m.Insts {
		switch in.Op {
		case OpEntryPoint:
			if len(in.Words) < 3 {
				continue
			}
			if name, n, err := String(in.Words[2:]); err == nil {
				out = append(out, EntryPoint{in.Words[0], in.Words[1], name, in.Words[2+n:]})
			}
		case OpFunction:
			return out
		}
	}
	return out
}
