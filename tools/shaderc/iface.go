package main

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/fornax-ml/fornax/shaders"
	"github.com/fornax-ml/fornax/shaders/spirv"
)

// describe reflects a module and fills its manifest entry.
func describe(u *unit, c shaders.Compiler, spv []byte) (*shaders.Module, error) {
	m, err := spirv.ParseBytes(spv)
	if err != nil {
		return nil, err
	}
	if err := checkDebug(m); err != nil {
		return nil, err
	}
	sum := sha256.Sum256(spv)
	out := &shaders.Module{
		Name: u.name, File: u.name + ".spv", Source: u.source,
		Tier: *u.spec.Tier, Interface: *u.spec.Interface, Target: u.spec.Target, Defines: u.spec.defines(),
		Compiler: c, SourceSHA256: u.hash, Inputs: u.inputs(),
		SHA256: hex.EncodeToString(sum[:]), Size: len(spv),
	}
	return out, reflectInto(out, m)
}

// reflectInto sets the fields that reflection gives.
func reflectInto(out *shaders.Module, m *spirv.Module) error {
	r, err := spirv.Reflect(m)
	if err != nil {
		return err
	}
	out.SPIRV = m.Version.String()
	out.EntryPoint = r.EntryPoint
	out.PushConstantBytes = r.PushConstantBytes
	out.Capabilities, out.Extensions = append([]string{}, r.Capabilities...), append([]string{}, r.Extensions...)
	for i, d := range r.LocalSize {
		out.LocalSize[i] = shaders.Dim{Size: d.Size}
		if d.Spec {
			id := d.SpecID
			out.LocalSize[i].SpecID = &id
		}
	}
	out.Bindings = []shaders.Binding{}
	for _, b := range r.Bindings {
		access := ""
		if b.Read {
			access += "r"
		}
		if b.Write {
			access += "w"
		}
		out.Bindings = append(out.Bindings, shaders.Binding{
			Set: b.Set, Binding: b.Binding, Kind: b.Kind, Name: b.Name,
			Count: b.Count, Bytes: b.Bytes, Runtime: b.Runtime, Access: access,
		})
	}
	out.SpecConstants = []shaders.SpecConstant{}
	for _, c := range r.SpecConstants {
		out.SpecConstants = append(out.SpecConstants, shaders.SpecConstant{
			ID: c.ID, Name: c.Name, Type: c.Type, Default: c.Default(), Bits: c.Bits,
		})
	}
	return nil
}

// checkDebug wants names of functions kept, and file names left out.
func checkDebug(m *spirv.Module) error {
	for _, f := range m.Functions() {
		if f.Name == "" {
			return fmt.Errorf("function %%%d has no OpName: the compiler stripped the module", f.ID)
		}
	}
	for _, in := range m.Insts {
		if in.Op == spirv.OpLine || in.Op == spirv.OpSource && len(in.Words) > 2 {
			return errors.New("module has debug information with file names")
		}
	}
	return nil
}

// expect compares a module with its tier and with what its variants file
// declares.
func (u *unit) expect(m *shaders.Module) diags {
	out := u.expectTier(m)
	bad := func(format string, args ...any) {
		out = append(out, diag{u.variants, u.spec.line, fmt.Sprintf("module %s: ", u.name) + fmt.Sprintf(format, args...)})
	}
	if u.spec.Bindings != nil {
		u.expectBindings(m, bad)
	}
	if n := u.spec.PushConstantBytes; n != nil && *n != m.PushConstantBytes {
		bad("push constants take %d bytes in the shader, %d are declared", m.PushConstantBytes, *n)
	}
	if u.spec.SpecConstants != nil {
		u.expectConstants(m, bad)
	}
	if u.spec.LocalSize != nil {
		for i, x := range u.spec.LocalSize {
			n, isID, _ := dimSpec(x)
			d := m.LocalSize[i]
			if isID != (d.SpecID != nil) || isID && n != *d.SpecID || !isID && n != d.Size {
				bad("local size %c is %s in the shader, %v is declared", 'x'+i, dimString(d), x)
			}
		}
	}
	return out
}

func (u *unit) expectBindings(m *shaders.Module, bad func(string, ...any)) {
	type key struct{ set, binding uint32 }
	declared := make(map[key]bool)
	for _, w := range *u.spec.Bindings {
		at := fmt.Sprintf("set %d binding %d", w.Set, w.Binding)
		if k := (key{w.Set, w.Binding}); declared[k] {
			bad("%s is declared twice", at)
		} else {
			declared[k] = true
		}
		b, ok := m.BindingAt(w.Set, w.Binding)
		switch {
		case !ok && !w.Optional:
			bad("%s is declared, and not used by the shader", at)
		case !ok:
		case b.Kind != w.Kind:
			bad("%s is of kind %s in the shader, %s is declared", at, b.Kind, w.Kind)
		case w.Name != "" && w.Name != b.Name:
			bad("%s is named %q in the shader, %q is declared", at, b.Name, w.Name)
		case w.Count != nil && *w.Count != b.Count:
			bad("%s has %d descriptors in the shader, %d are declared", at, b.Count, *w.Count)
		case w.Access != "" && w.Access != b.Access:
			bad("%s has access %q in the shader, %q is declared", at, b.Access, w.Access)
		}
	}
	for _, b := range m.Bindings {
		if !declared[key{b.Set, b.Binding}] {
			bad("set %d binding %d (%s %s) is in the shader, and not declared", b.Set, b.Binding, b.Kind, b.Name)
		}
	}
}

func (u *unit) expectConstants(m *shaders.Module, bad func(string, ...any)) {
	declared := make(map[uint32]bool)
	for _, w := range *u.spec.SpecConstants {
		if declared[w.ID] {
			bad("specialization constant %d is declared twice", w.ID)
		}
		declared[w.ID] = true
		c, ok := m.SpecConstant(w.ID)
		switch {
		case !ok && !w.Optional:
			bad("specialization constant %d is declared, and not used by the shader", w.ID)
		case !ok:
		case w.Type != "" && w.Type != c.Type:
			bad("specialization constant %d is %s in the shader, %s is declared", w.ID, c.Type, w.Type)
		case w.Name != "" && w.Name != c.Name:
			bad("specialization constant %d is named %q in the shader, %q is declared", w.ID, c.Name, w.Name)
		case w.Default != nil && !sameScalar(c, w.Default):
			bad("specialization constant %d is %s in the shader, %v is declared", w.ID, c.Default, w.Default)
		}
	}
	for _, c := range m.SpecConstants {
		if !declared[c.ID] {
			bad("specialization constant %d (%s %s) is in the shader, and not declared", c.ID, c.Type, c.Name)
		}
	}
}

// sameScalar compares a constant's default with a number, string or boolean
// of a variants file.
func sameScalar(c shaders.SpecConstant, want any) bool {
	text := fmt.Sprint(want)
	if n, ok := want.(json.Number); ok {
		text = n.String()
	}
	bits, err := spirv.ParseScalar(c.Type, text)
	return err == nil && bits == c.Bits
}

func dimString(d shaders.Dim) string {
	if d.SpecID != nil {
		return fmt.Sprintf("id:%d", *d.SpecID)
	}
	return fmt.Sprint(d.Size)
}
