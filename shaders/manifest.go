package shaders

import (
	"bytes"
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strings"
)

// Schema is the manifest version that this package reads.
const Schema = 1

// ManifestName is the manifest's file name.
const ManifestName = "manifest.json"

// MaxTier is the highest tier: 0 is Vulkan 1.1 core, 1 subgroup operations and
// 16-bit storage, 2 KHR cooperative matrices, 3 NV cooperative matrices 2.
const MaxTier = 3

// Manifest describes the modules of a folder.
type Manifest struct {
	Schema  int       `json:"schema"`
	Modules []*Module `json:"modules"` // sorted by name
}

// Module describes one SPIR-V module.
type Module struct {
	Name         string   `json:"name"`
	File         string   `json:"file"`   // beside the manifest
	Source       string   `json:"source"` // the .comp file
	Tier         int      `json:"tier"`
	Interface    int      `json:"interface"` // raised when host code must change with the shader
	Target       string   `json:"target"`    // "vulkan1.1"
	SPIRV        string   `json:"spirv"`     // "1.3"
	Defines      []string `json:"defines"`   // "NAME" or "NAME=VALUE", sorted
	Compiler     Compiler `json:"compiler"`
	SourceSHA256 string   `json:"source_sha256"` // over all inputs: files, defines, target, tier, interface
	Inputs       []Input  `json:"inputs"`        // the source, then all it includes
	SHA256       string   `json:"sha256"`        // of the file
	Size         int      `json:"size"`          // bytes

	EntryPoint        string         `json:"entry_point"`
	LocalSize         [3]Dim         `json:"local_size"`
	Bindings          []Binding      `json:"bindings"`
	PushConstantBytes uint32         `json:"push_constant_bytes"`
	SpecConstants     []SpecConstant `json:"spec_constants"`
	Capabilities      []string       `json:"capabilities"`
	Extensions        []string       `json:"extensions"`

	words []uint32
}

// Compiler names the compiler of a module.
type Compiler struct {
	Name    string `json:"name"`    // "glslc" or "glslangValidator"
	Version string `json:"version"` // as it prints it
}

// Input is a source file. Files of an include folder outside the shaders'
// own come in angle brackets: "<ops.glsl>".
type Input struct {
	File   string `json:"file"`
	SHA256 string `json:"sha256"`
}

// Dim is an axis of the workgroup size.
type Dim struct {
	Size   uint32  `json:"size"`              // literal, or the constant's default
	SpecID *uint32 `json:"spec_id,omitempty"` // the specialization constant that sets it
}

// The kinds of bindings.
const (
	KindStorage      = "storage"
	KindUniform      = "uniform"
	KindImage        = "image"
	KindSampler      = "sampler"
	KindSampledImage = "sampled_image"
	KindOther        = "other"
)

// Binding is a descriptor.
type Binding struct {
	Set     uint32 `json:"set"`
	Binding uint32 `json:"binding"`
	Kind    string `json:"kind"`
	Name    string `json:"name,omitempty"`
	Count   uint32 `json:"count"`             // descriptors; 0 for an array without length
	Bytes   uint32 `json:"bytes"`             // of the block, before its runtime array
	Runtime bool   `json:"runtime,omitempty"` // the block ends in a runtime array
	Access  string `json:"access"`            // "r", "w" or "rw", as far as the qualifiers tell
}

// SpecConstant is a specialization constant.
type SpecConstant struct {
	ID      uint32 `json:"id"`
	Name    string `json:"name,omitempty"`
	Type    string `json:"type"`    // "bool", "int", "uint", "float", "uint64", …
	Default string `json:"default"` // as a GLSL literal without suffix
	Bits    uint64 `json:"bits"`    // the default's bit pattern, zero-extended
}

// Words gives the module's SPIR-V. Modules of a [Set] share them: do not
// write to them.
func (m *Module) Words() []uint32 { return m.words }

// BindingAt finds a binding.
func (m *Module) BindingAt(set, binding uint32) (Binding, bool) {
	for _, b := range m.Bindings {
		if b.Set == set && b.Binding == binding {
			return b, true
		}
	}
	return Binding{}, false
}

// SpecConstant finds a specialization constant by its id.
func (m *Module) SpecConstant(id uint32) (SpecConstant, bool) {
	for _, c := range m.SpecConstants {
		if c.ID == id {
			return c, true
		}
	}
	return SpecConstant{}, false
}

// SpecConstantNamed finds a specialization constant by its GLSL name.
func (m *Module) SpecConstantNamed(name string) (SpecConstant, bool) {
	for _, c := range m.SpecConstants {
		if c.Name == name && name != "" {
			return c, true
		}
	}
	return SpecConstant{}, false
}

// Requires tells whether the module declares a capability, as "Float16".
func (m *Module) Requires(capability string) bool {
	return slices.Contains(m.Capabilities, capability)
}

var validName = regexp.MustCompile(`^[A-Za-z0-9_][A-Za-z0-9_.+-]*$`)

// ValidName tells whether a module may have this name: letters, digits and
// "_.+-", not beginning with a sign, at most 200 bytes.
func ValidName(s string) bool {
	return len(s) <= 200 && validName.MatchString(s) && !strings.HasSuffix(s, ".")
}

var validSHA = regexp.MustCompile(`^[0-9a-f]{64}$`)

// ParseManifest reads a manifest and checks it by itself: schema, names, file
// names, hashes' form and ranges.
func ParseManifest(data []byte) (*Manifest, error) {
	var head struct {
		Schema *int `json:"schema"`
	}
	if err := json.Unmarshal(data, &head); err != nil {
		return nil, fmt.Errorf("shaders: manifest: %w", err)
	}
	switch {
	case head.Schema == nil:
		return nil, fmt.Errorf("shaders: manifest has no schema number")
	case *head.Schema != Schema:
		return nil, fmt.Errorf("shaders: manifest has schema %d, this package reads %d: rebuild the modules", *head.Schema, Schema)
	}
	var m Manifest
	dec := json.NewDecoder(bytes.NewReader(data))
	dec.DisallowUnknownFields()
	if err := dec.Decode(&m); err != nil {
		return nil, fmt.Errorf("shaders: manifest: %w", err)
	}
	seen := make(map[string]bool)
	for i, x := range m.Modules {
		if x == nil {
			return nil, fmt.Errorf("shaders: manifest: module %d is null", i)
		}
		if err := x.check(); err != nil {
			return nil, fmt.Errorf("shaders: manifest: module %q: %w", x.Name, err)
		}
		if seen[x.Name] {
			return nil, fmt.Errorf("shaders: manifest: module %q is listed twice", x.Name)
		}
		seen[x.Name] = true
	}
	return &m, nil
}

func (m *Module) check() error {
	switch {
	case !ValidName(m.Name):
		return fmt.Errorf("bad name")
	case m.File != m.Name+".spv":
		return fmt.Errorf("file is %q, want %q", m.File, m.Name+".spv")
	case m.Tier < 0 || m.Tier > MaxTier:
		return fmt.Errorf("tier %d is outside 0..%d", m.Tier, MaxTier)
	case m.Interface < 0:
		return fmt.Errorf("negative interface number")
	case m.Size <= 0 || m.Size%4 != 0:
		return fmt.Errorf("size of %d bytes is not a positive multiple of 4", m.Size)
	case !validSHA.MatchString(m.SHA256) || !validSHA.MatchString(m.SourceSHA256):
		return fmt.Errorf("bad sha256")
	}
	return nil
}

// Encode prints a manifest as the file has it: modules sorted, indented, one
// trailing newline.
func (m *Manifest) Encode() ([]byte, error) {
	out := Manifest{Schema: Schema, Modules: slices.Clone(m.Modules)}
	if out.Modules == nil {
		out.Modules = []*Module{}
	}
	slices.SortFunc(out.Modules, func(a, b *Module) int { return strings.Compare(a.Name, b.Name) })
	var buf bytes.Buffer
	enc := json.NewEncoder(&buf)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	if err := enc.Encode(out); err != nil {
		return nil, fmt.Errorf("shaders: manifest: %w", err)
	}
	return buf.Bytes(), nil
}
