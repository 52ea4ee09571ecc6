package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"regexp"
	"slices"

	"github.com/fornax-ml/fornax/shaders"
)

// spec is what a variants file says of a module; nil and empty fields say
// nothing.
type spec struct {
	Suffix    string             `json:"suffix"`
	Defines   map[string]*string `json:"defines"`
	Target    string             `json:"target"`
	SPIRV     string             `json:"spirv"`
	Tier      *int               `json:"tier"`
	Interface *int               `json:"interface"`

	Bindings          *[]bindingSpec  `json:"bindings"`
	PushConstantBytes *uint32         `json:"push_constant_bytes"`
	SpecConstants     *[]constantSpec `json:"spec_constants"`
	LocalSize         *[3]any         `json:"local_size"`

	line int // of the variant in its file
}

type bindingSpec struct {
	Set      uint32  `json:"set"`
	Binding  uint32  `json:"binding"`
	Kind     string  `json:"kind"`
	Name     string  `json:"name"`
	Count    *uint32 `json:"count"`
	Access   string  `json:"access"`
	Optional bool    `json:"optional"`
}

type constantSpec struct {
	ID       uint32 `json:"id"`
	Name     string `json:"name"`
	Type     string `json:"type"`
	Default  any    `json:"default"`
	Optional bool   `json:"optional"`
}

type variantsFile struct {
	Defaults json.RawMessage   `json:"defaults"`
	Variants []json.RawMessage `json:"variants"`
}

var (
	validDefine = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]*$`)
	validTarget = regexp.MustCompile(`^vulkan1\.[0-9]$`)
	validSPIRV  = regexp.MustCompile(`^(1\.[0-9])?$`)
	validSuffix = regexp.MustCompile(`^[A-Za-z0-9_.+-]*$`)
	bindKinds   = []string{shaders.KindStorage, shaders.KindUniform, shaders.KindImage, shaders.KindSampler, shaders.KindSampledImage, shaders.KindOther}
)

// parseVariants reads a NAME.variants.json; file is its name for messages.
func parseVariants(file string, data []byte) ([]spec, error) {
	var vf variantsFile
	if err := strictJSON(data, &vf); err != nil {
		return nil, jsonDiag(file, data, 0, err)
	}
	var defaults spec
	if vf.Defaults != nil {
		off := bytes.Index(data, vf.Defaults)
		if err := strictJSON(vf.Defaults, &defaults); err != nil {
			return nil, jsonDiag(file, data, off, err)
		}
		defaults.line = lineAt(data, off)
		if defaults.Suffix != "" {
			return nil, diag{file, defaults.line, "defaults cannot have a suffix"}
		}
	}
	if len(vf.Variants) == 0 {
		vf.Variants = []json.RawMessage{json.RawMessage("{}")}
	}
	var out []spec
	var errs diags
	seen := make(map[string]bool)
	from := 0
	for _, raw := range vf.Variants {
		off := max(bytes.Index(data[from:], raw), 0) + from
		from = min(off+len(raw), len(data))
		var v spec
		if err := strictJSON(raw, &v); err != nil {
			errs = append(errs, jsonDiag(file, data, off, err))
			continue
		}
		v.line = lineAt(data, off)
		v = v.over(defaults)
		if msg := v.check(); msg != "" {
			errs = append(errs, diag{file, v.line, msg})
		}
		if seen[v.Suffix] {
			errs = append(errs, diag{file, v.line, fmt.Sprintf("suffix %q is used twice", v.Suffix)})
		}
		seen[v.Suffix] = true
		out = append(out, v)
	}
	if errs != nil {
		return nil, errs
	}
	return out, nil
}

// over fills what a variant leaves open from the defaults. Defines are joined;
// null takes a default's define away.
func (v spec) over(d spec) spec {
	defines := make(map[string]*string)
	for k, s := range d.Defines {
		defines[k] = s
	}
	for k, s := range v.Defines {
		if defines[k] = s; s == nil {
			delete(defines, k)
		}
	}
	v.Defines = defines
	v.Target = first(v.Target, d.Target, "vulkan1.1")
	v.SPIRV = first(v.SPIRV, d.SPIRV)
	zero := 0
	v.Tier = firstPtr(v.Tier, d.Tier, &zero)
	v.Interface = firstPtr(v.Interface, d.Interface, &zero)
	v.Bindings = firstPtr(v.Bindings, d.Bindings)
	v.PushConstantBytes = firstPtr(v.PushConstantBytes, d.PushConstantBytes)
	v.SpecConstants = firstPtr(v.SpecConstants, d.SpecConstants)
	v.LocalSize = firstPtr(v.LocalSize, d.LocalSize)
	return v
}

func (v spec) check() string {
	for k, s := range v.Defines {
		if !validDefine.MatchString(k) || s != nil && bytes.ContainsAny([]byte(*s), "\n\r\x00") {
			return fmt.Sprintf("bad define %q", k)
		}
	}
	switch {
	case !validSuffix.MatchString(v.Suffix):
		return fmt.Sprintf("bad suffix %q", v.Suffix)
	case !validTarget.MatchString(v.Target):
		return fmt.Sprintf("target %q is not vulkan1.N", v.Target)
	case !validSPIRV.MatchString(v.SPIRV):
		return fmt.Sprintf("spirv %q is not 1.N", v.SPIRV)
	case *v.Tier < 0 || *v.Tier > shaders.MaxTier:
		return fmt.Sprintf("tier %d is outside 0..%d", *v.Tier, shaders.MaxTier)
	case *v.Interface < 0:
		return "interface number is negative"
	}
	if v.Bindings != nil {
		for _, b := range *v.Bindings {
			if !slices.Contains(bindKinds, b.Kind) {
				return fmt.Sprintf("binding %d: kind %q is not one of %v", b.Binding, b.Kind, bindKinds)
			}
		}
	}
	if v.LocalSize != nil {
		for _, x := range v.LocalSize {
			if _, _, err := dimSpec(x); err != nil {
				return err.Error()
			}
		}
	}
	return ""
}

// defines lists the defines as the compilers take them, sorted.
func (v spec) defines() []string {
	out := []string{}
	for k, s := range v.Defines {
		if s != nil && *s != "" {
			k += "=" + *s
		}
		out = append(out, k)
	}
	slices.Sort(out)
	return out
}

// dimSpec reads an axis of local_size: a number, or "id:3" for a
// specialization constant.
func dimSpec(x any) (n uint32, isID bool, err error) {
	switch x := x.(type) {
	case json.Number:
		if _, err = fmt.Sscanf(x.String(), "%d", &n); err == nil && fmt.Sprint(n) == x.String() {
			return n, false, nil
		}
	case string:
		if _, err = fmt.Sscanf(x, "id:%d", &n); err == nil && fmt.Sprintf("id:%d", n) == x {
			return n, true, nil
		}
	}
	return 0, false, fmt.Errorf(`local_size: %v is neither a size nor "id:N"`, x)
}

func first(list ...string) string {
	for _, s := range list {
		if s != "" {
			return s
		}
	}
	return ""
}

func firstPtr[T any](list ...*T) *T {
	for _, p := range list {
		if p != nil {
			return p
		}
	}
	return nil
}

func strictJSON(data []byte, v any) error {
	dec := json.NewDecoder(bytes.NewReader(data))
	dec.DisallowUnknownFields()
	dec.UseNumber()
	if err := dec.Decode(v); err != nil {
		return err
	}
	if _, err := dec.Token(); !errors.Is(err, io.EOF) {
		return errors.New("text after the end of the value")
	}
	return nil
}

// jsonDiag gives a JSON error its line; off is where the decoded part begins.
func jsonDiag(file string, data []byte, off int, err error) diag {
	var syntax *json.SyntaxError
	var typ *json.UnmarshalTypeError
	switch {
	case errors.As(err, &syntax):
		off += int(syntax.Offset)
	case errors.As(err, &typ):
		off += int(typ.Offset)
	}
	return diag{file, lineAt(data, off), err.Error()}
}
