package spirv

import (
	"fmt"
	"slices"
	"sort"
	"strconv"
)

// Interface is what a compute module asks of the program that runs it.
type Interface struct {
	EntryPoint        string
	Capabilities      []string // names, sorted
	Extensions        []string // sorted
	Bindings          []Binding
	PushConstantBytes uint32 // end of the last member, rounded up to 4
	SpecConstants     []SpecConstant
	LocalSize         [3]Dim
}

// Binding is a descriptor.
type Binding struct {
	Set, Binding uint32
	Kind         string // "storage", "uniform", "image", "sampler", "sampled_image" or "other"
	Name         string // the variable's, or its block's when that has none
	Count        uint32 // descriptors; 0 for an array without length
	Bytes        uint32 // size of the block's part before any runtime array
	Runtime      bool   // the block ends in a runtime array
	Read, Write  bool   // what the qualifiers allow
}

// SpecConstant is a specialization constant.
type SpecConstant struct {
	ID   uint32
	Name string
	Type string // "bool", "int", "uint", "float", "uint64", …
	Bits uint64 // the default's bit pattern, zero-extended
}

// Dim is an axis of the workgroup size.
type Dim struct {
	Size   uint32 // literal, or the constant's default
	Spec   bool   // the size is specialization constant SpecID
	SpecID uint32
}

// Default prints the default as a GLSL literal without suffix.
func (c SpecConstant) Default() string { return FormatScalar(c.Type, c.Bits) }

// Reflect tells a compute module's interface. It wants exactly one GLCompute
// entry point, and reports bindings, specialization constants and layouts that
// contradict each other.
func Reflect(m *Module) (*Interface, error) {
	r := &reflector{m: m, names: m.Names(), deco: m.Decorations(), defs: m.Defs(), sizes: map[uint32]uint32{}}
	var err error
	if r.types, err = m.Types(); err != nil {
		return nil, err
	}
	out := new(Interface)
	entry, err := r.entry()
	if err != nil {
		return nil, err
	}
	out.EntryPoint = entry.Name
	for _, in := range m.Insts {
		switch in.Op {
		case OpCapability:
			out.Capabilities = append(out.Capabilities, CapabilityName(in.word(0)))
		case OpExtension:
			out.Extensions = append(out.Extensions, in.text(0))
		}
	}
	slices.Sort(out.Capabilities)
	slices.Sort(out.Extensions)
	out.Capabilities, out.Extensions = slices.Compact(out.Capabilities), slices.Compact(out.Extensions)
	if out.SpecConstants, err = r.specConstants(); err != nil {
		return nil, err
	}
	if err := r.variables(out); err != nil {
		return nil, err
	}
	if out.LocalSize, err = r.localSize(entry); err != nil {
		return nil, err
	}
	return out, nil
}

type reflector struct {
	m     *Module
	names map[uint32]string
	deco  *Decorations
	defs  map[uint32]int
	types map[uint32]Type
	sizes map[uint32]uint32 // memory of size
}

func (r *reflector) entry() (EntryPoint, error) {
	list := r.m.EntryPoints()
	if len(list) != 1 {
		return EntryPoint{}, fmt.Errorf("spirv: module has %d entry points, want one", len(list))
	}
	if list[0].Model != ModelGLCompute {
		return EntryPoint{}, fmt.Errorf("spirv: entry point %q is not a compute shader", list[0].Name)
	}
	return list[0], nil
}

// specConstants lists the specialization constants by id. Several constants
// may share an id when their types and defaults are the same.
func (r *reflector) specConstants() ([]SpecConstant, error) {
	byID := make(map[uint32]SpecConstant)
	for _, in := range r.m.Insts {
		if in.Op == OpFunction {
			break
		}
		if in.Op < OpSpecConstantTrue || in.Op > OpSpecConstant || len(in.Words) < 2 {
			continue
		}
		id, ok := r.deco.Value(in.Words[1], DecorationSpecId)
		if !ok {
			continue
		}
		t := r.types[in.Words[0]]
		c := SpecConstant{ID: id, Name: r.names[in.Words[1]], Type: t.String(), Bits: constantBits(in, t)}
		switch old, twice := byID[id]; {
		case !twice:
			byID[id] = c
		case old.Type != c.Type || old.Bits != c.Bits:
			return nil, fmt.Errorf("spirv: specialization id %d is %s = %s and %s = %s", id, old.Type, old.Default(), c.Type, c.Default())
		case old.Name == "":
			byID[id] = c
		}
	}
	out := make([]SpecConstant, 0, len(byID))
	for _, c := range byID {
		out = append(out, c)
	}
	sort.Slice(out, func(i, j int) bool { return out[i].ID < out[j].ID })
	return out, nil
}

// constantBits gives a scalar constant's bit pattern.
func constantBits(in Inst, t Type) uint64 {
	switch in.Op {
	case OpConstantTrue, OpSpecConstantTrue:
		return 1
	case OpConstantFalse, OpSpecConstantFalse:
		return 0
	}
	bits := uint64(in.word(2))
	if t.Width > 32 {
		bits |= uint64(in.word(3)) << 32
	}
	if t.Width > 0 && t.Width < 64 {
		bits &= 1<<t.Width - 1 // narrow negative integers come sign-extended
	}
	return bits
}

// uint gives the value of an integer constant, specialized or not.
func (r *reflector) uint(id uint32) (v uint32, in Inst, ok bool) {
	i, ok := r.defs[id]
	if !ok {
		return 0, Inst{}, false
	}
	in = r.m.Insts[i]
	if in.Op != OpConstant && in.Op != OpSpecConstant || r.types[in.word(0)].Kind != KindInt {
		return 0, in, false
	}
	return in.word(2), in, true
}

func (r *reflector) localSize(e EntryPoint) (dims [3]Dim, err error) {
	found := false
	for _, in := range r.m.Insts {
		if in.Op == OpFunction {
			break
		}
		w := in.Words
		switch {
		case in.Op == OpExecutionMode && len(w) >= 5 && w[0] == e.Function && w[1] == ModeLocalSize && !found:
			dims, found = [3]Dim{{Size: w[2]}, {Size: w[3]}, {Size: w[4]}}, true
		case in.Op == OpExecutionModeId && len(w) >= 5 && w[0] == e.Function && w[1] == ModeLocalSizeId:
			if dims, err = r.dims(w[2:5]); err != nil {
				return dims, err
			}
			found = true
		case (in.Op == OpSpecConstantComposite || in.Op == OpConstantComposite) && len(w) >= 5:
			// gl_WorkGroupSize overrides LocalSize.
			if b, ok := r.deco.Value(w[1], DecorationBuiltIn); ok && b == BuiltInWorkgroupSize {
				return r.dims(w[2:5])
			}
		}
	}
	if !found {
		return dims, fmt.Errorf("spirv: entry point %q has no local size", e.Name)
	}
	return dims, nil
}

func (r *reflector) dims(ids []uint32) (dims [3]Dim, err error) {
	for i, id := range ids {
		v, in, ok := r.uint(id)
		if !ok {
			return dims, fmt.Errorf("spirv: local size %%%d is not an integer constant", id)
		}
		dims[i].Size = v
		if in.Op == OpSpecConstant {
			dims[i].SpecID, dims[i].Spec = r.deco.Value(id, DecorationSpecId)
		}
	}
	return dims, nil
}

// CapabilityName gives a capability's name without prefix, or "Capability" and
// its number.
func CapabilityName(c uint32) string {
	if s, ok := capabilities[c]; ok {
		return s
	}
	return "Capability" + strconv.FormatUint(uint64(c), 10)
}

var capabilities = map[uint32]string{
	0: "Matrix", 1: "Shader", 4: "Addresses", 5: "Linkage", 6: "Kernel", 9: "Float16", 10: "Float64", 11: "Int64",
	12: "Int64Atomics", 22: "Int16", 27: "StorageImageMultisample", 28: "UniformBufferArrayDynamicIndexing",
	29: "SampledImageArrayDynamicIndexing", 30: "StorageBufferArrayDynamicIndexing", 31: "StorageImageArrayDynamicIndexing",
	39: "Int8", 43: "Sampled1D", 44: "Image1D", 46: "SampledBuffer", 47: "ImageBuffer", 50: "ImageQuery",
	55: "StorageImageReadWithoutFormat", 56: "StorageImageWriteWithoutFormat", 61: "GroupNonUniform",
	62: "GroupNonUniformVote", 63: "GroupNonUniformArithmetic", 64: "GroupNonUniformBallot", 65: "GroupNonUniformShuffle",
	66: "GroupNonUniformShuffleRelative", 67: "GroupNonUniformClustered", 68: "GroupNonUniformQuad",
	4423: "SubgroupBallotKHR", 4431: "SubgroupVoteKHR", 4433: "StorageBuffer16BitAccess",
	4434: "UniformAndStorageBuffer16BitAccess", 4435: "StoragePushConstant16", 4436: "StorageInputOutput16",
	4441: "VariablePointersStorageBuffer", 4442: "VariablePointers", 4448: "StorageBuffer8BitAccess",
	4449: "UniformAndStorageBuffer8BitAccess", 4450: "StoragePushConstant8", 4464: "DenormPreserve",
	4465: "DenormFlushToZero", 4466: "SignedZeroInfNanPreserve", 4467: "RoundingModeRTE", 4468: "RoundingModeRTZ",
	4428: "WorkgroupMemoryExplicitLayoutKHR", 4429: "WorkgroupMemoryExplicitLayout8BitAccessKHR",
	4430: "WorkgroupMemoryExplicitLayout16BitAccessKHR", 5055: "ShaderClockKHR", 5116: "BFloat16TypeKHR",
	5117: "BFloat16DotProductKHR", 5118: "BFloat16CooperativeMatrixKHR", 5301: "ShaderNonUniform",
	5302: "RuntimeDescriptorArray", 5345: "VulkanMemoryModel", 5346: "VulkanMemoryModelDeviceScope",
	5347: "PhysicalStorageBufferAddresses", 5357: "CooperativeMatrixNV", 5430: "CooperativeMatrixReductionsNV",
	5431: "CooperativeMatrixConversionsNV", 5432: "CooperativeMatrixPerElementOperationsNV",
	5433: "CooperativeMatrixTensorAddressingNV", 5434: "CooperativeMatrixBlockLoadsNV", 5439: "TensorAddressingNV",
	5612: "AtomicFloat32MinMaxEXT", 5613: "AtomicFloat64MinMaxEXT", 5616: "AtomicFloat16MinMaxEXT",
	6016: "DotProductInputAll", 6017: "DotProductInput4x8Bit", 6018: "DotProductInput4x8BitPacked", 6019: "DotProduct",
	6022: "CooperativeMatrixKHR", 6026: "GroupNonUniformRotateKHR", 6029: "FloatControls2", 6033: "AtomicFloat32AddEXT",
	6034: "AtomicFloat64AddEXT", 6095: "AtomicFloat16AddEXT", 6400: "GroupUniformArithmeticKHR",
}
