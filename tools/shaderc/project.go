package main

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"github.com/fornax-ml/fornax/shaders"
)

// unit is a module to make: a shader, a variant of it, and its files.
type unit struct {
	name     string
	source   string // the .comp file, relative to DIR
	variants string // the variants file for messages, or the shader when there is none
	spec     spec
	files    []*sourceFile // the source first
	hash     string        // of all that determines the module, but the compiler
}

// project is a folder of shaders with its output.
type project struct {
	dir, out string
	tree     *tree
	units    []*unit           // sorted by name, filtered by -only
	all      map[string]bool   // names of all units, also those that -only leaves out
	manifest *shaders.Manifest // of the last build, or an empty one
	modules  map[string]*shaders.Module
}

// openProject reads sources, variants files and the manifest. Problems of the
// sources come as diags with the project; units of the sound ones are there.
func openProject(dir, out string, include, only []string) (*project, error) {
	p := &project{dir: dir, out: out, tree: newTree(dir, include), all: make(map[string]bool)}
	for _, d := range append([]string{dir}, include...) {
		if info, err := os.Stat(d); err != nil || !info.IsDir() {
			return nil, fmt.Errorf("%s is not a folder", d)
		}
	}
	if err := p.readManifest(); err != nil {
		return nil, err
	}
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, err
	}
	var errs diags
	owner := make(map[string]string)
	for _, e := range entries {
		base, isShader := strings.CutSuffix(e.Name(), ".comp")
		if orphan, ok := strings.CutSuffix(e.Name(), ".variants.json"); ok {
			if _, err := os.Stat(filepath.Join(dir, orphan+".comp")); err != nil {
				errs = append(errs, diag{file: slashJoin(dir, e.Name()), msg: "there is no shader " + orphan + ".comp"})
			}
		}
		if !isShader || e.IsDir() {
			continue
		}
		units, err := p.unitsOf(e.Name(), base)
		errs = appendErr(errs, err)
		for _, u := range units {
			if old, twice := owner[u.name]; twice {
				errs = append(errs, diag{u.variants, u.spec.line, fmt.Sprintf("module %q is also made by %s", u.name, old)})
				continue
			}
			owner[u.name] = u.source
			p.all[u.name] = true
			if matches(only, u.name) {
				p.units = append(p.units, u)
			}
		}
	}
	slices.SortFunc(p.units, func(a, b *unit) int { return strings.Compare(a.name, b.name) })
	if len(errs) > 0 {
		return p, errs
	}
	return p, nil
}

func (p *project) readManifest() error {
	p.manifest, p.modules = &shaders.Manifest{Schema: shaders.Schema}, make(map[string]*shaders.Module)
	data, err := os.ReadFile(p.manifestPath())
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	m, err := shaders.ParseManifest(data)
	if err != nil {
		return diag{file: filepath.ToSlash(p.manifestPath()), msg: err.Error() + " (delete it to build anew)"}
	}
	p.manifest = m
	for _, x := range m.Modules {
		p.modules[x.Name] = x
	}
	return nil
}

func (p *project) manifestPath() string { return filepath.Join(p.out, shaders.ManifestName) }

func (p *project) modulePath(name string) string { return filepath.Join(p.out, name+".spv") }

func (p *project) unitsOf(file, base string) ([]*unit, error) {
	files, err := p.tree.closure(file)
	if err != nil {
		return nil, err
	}
	shown := slashJoin(p.dir, file)
	list := []spec{spec{}.over(spec{})}
	data, err := os.ReadFile(filepath.Join(p.dir, base+".variants.json"))
	switch {
	case err == nil:
		shown = slashJoin(p.dir, base+".variants.json")
		if list, err = parseVariants(shown, data); err != nil {
			return nil, err
		}
	case !errors.Is(err, fs.ErrNotExist):
		return nil, err
	}
	var out []*unit
	for _, s := range list {
		u := &unit{name: base + s.Suffix, source: file, variants: shown, spec: s, files: files}
		if !shaders.ValidName(u.name) {
			return nil, diag{shown, s.line, fmt.Sprintf("%q cannot be a module's name", u.name)}
		}
		u.hash = u.sum()
		out = append(out, u)
	}
	return out, nil
}

// sum hashes what determines a module, but the compiler: files by name and
// content, defines, target, and what the manifest says of it.
func (u *unit) sum() string {
	h := sha256.New()
	fmt.Fprintf(h, "fornax shader 1\n%q\n%q %q\n%d %d\n%q\n", u.source, u.spec.Target, u.spec.SPIRV, *u.spec.Tier, *u.spec.Interface, u.spec.defines())
	for _, f := range u.files {
		fmt.Fprintf(h, "%q %s\n", f.name(), f.sha256())
	}
	return hex.EncodeToString(h.Sum(nil))
}

// inputs lists the files for the manifest.
func (u *unit) inputs() []shaders.Input {
	var out []shaders.Input
	for _, f := range u.files {
		out = append(out, shaders.Input{File: f.name(), SHA256: f.sha256()})
	}
	return out
}

// matches tells whether a name is among patterns of path.Match; no patterns
// match all.
func matches(patterns []string, name string) bool {
	for _, pat := range patterns {
		if ok, _ := path.Match(pat, name); ok {
			return true
		}
	}
	return len(patterns) == 0
}

// appendErr adds an error's messages to a list.
func appendErr(list diags, err error) diags {
	var many diags
	var one diag
	switch {
	case err == nil:
	case errors.As(err, &many):
		list = append(list, many...)
	case errors.As(err, &one):
		list = append(list, one)
	default:
		list = append(list, diag{msg: err.Error()})
	}
	return list
}
