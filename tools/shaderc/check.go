package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"

	"github.com/fornax-ml/fornax/shaders"
	"github.com/fornax-ml/fornax/shaders/spirv"
)

// check compares sources, manifest and modules without a compiler.
func (a *app) check(p *project, sourceErrs error) error {
	errs := appendErr(nil, sourceErrs)
	if _, err := os.Stat(p.manifestPath()); errors.Is(err, fs.ErrNotExist) {
		errs = append(errs, diag{file: filepath.ToSlash(p.manifestPath()), msg: "missing"})
	}
	for _, u := range p.units {
		m := p.modules[u.name]
		if m == nil {
			errs = append(errs, diag{file: slashJoin(p.dir, u.source), msg: fmt.Sprintf("module %s was not built", u.name)})
			continue
		}
		for _, why := range u.changes(m) {
			errs = append(errs, diag{file: slashJoin(p.dir, u.source), msg: fmt.Sprintf("module %s is stale: %s", u.name, why)})
		}
		if m.SourceSHA256 == u.hash {
			errs = append(errs, u.expect(m)...)
		}
		if err := p.checkModule(m); err != nil {
			errs = append(errs, diag{file: filepath.ToSlash(p.modulePath(u.name)), msg: err.Error()})
		}
	}
	for _, m := range p.manifest.Modules {
		if !p.all[m.Name] && matches(a.only, m.Name) {
			errs = append(errs, diag{file: filepath.ToSlash(p.manifestPath()), msg: fmt.Sprintf("module %s is listed, and no shader makes it", m.Name)})
		}
	}
	extra, err := p.extraFiles()
	errs = appendErr(errs, err)
	for _, name := range extra {
		errs = append(errs, diag{file: slashJoin(p.out, name), msg: "no shader makes it"})
	}
	if len(errs) > 0 {
		return errs
	}
	a.say("%s: %d modules are up to date", filepath.ToSlash(p.dir), len(p.units))
	return nil
}

// changes says why a module is out of date, nothing when it is not.
func (u *unit) changes(m *shaders.Module) (why []string) {
	if m.SourceSHA256 == u.hash {
		return nil
	}
	old := make(map[string]string)
	for _, in := range m.Inputs {
		old[in.File] = in.SHA256
	}
	for i, in := range u.inputs() {
		kind := "include "
		if i == 0 {
			kind = "source "
		}
		switch sum, ok := old[in.File]; {
		case !ok:
			why = append(why, kind+in.File+" is new")
		case sum != in.SHA256:
			why = append(why, kind+in.File+" changed")
		}
		delete(old, in.File)
	}
	for _, in := range m.Inputs {
		if _, gone := old[in.File]; gone {
			why = append(why, "include "+in.File+" is gone")
		}
	}
	if d := u.spec.defines(); !slices.Equal(d, m.Defines) {
		why = append(why, fmt.Sprintf("defines changed from %v to %v", m.Defines, d))
	}
	if u.spec.Target != m.Target || u.spec.SPIRV != "" && u.spec.SPIRV != m.SPIRV {
		why = append(why, "target changed")
	}
	if *u.spec.Tier != m.Tier || *u.spec.Interface != m.Interface {
		why = append(why, "tier or interface number changed")
	}
	if why == nil {
		why = []string{"sources or options changed"}
	}
	return why
}

// checkModule compares a .spv file with its manifest entry, reflection too.
func (p *project) checkModule(m *shaders.Module) error {
	data, err := os.ReadFile(p.modulePath(m.Name))
	if errors.Is(err, fs.ErrNotExist) {
		return errors.New("missing")
	}
	if err != nil {
		return err
	}
	if err := m.Attach(data); err != nil {
		return err
	}
	sm, err := spirv.Parse(m.Words())
	if err != nil {
		return err
	}
	again := *m
	if err := reflectInto(&again, sm); err != nil {
		return err
	}
	if !reflect.DeepEqual(&again, m) {
		return errors.New("the manifest describes another interface than the module has")
	}
	return nil
}

// extraFiles lists files of the output folder that belong to no unit.
func (p *project) extraFiles() ([]string, error) {
	entries, err := os.ReadDir(p.out)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	var out []string
	for _, e := range entries {
		name, isModule := strings.CutSuffix(e.Name(), ".spv")
		if isModule && !p.all[name] || strings.HasPrefix(e.Name(), ".shaderc-") {
			out = append(out, e.Name())
		}
	}
	return out, nil
}

// clean removes what no shader makes any more, from disk and manifest.
func (a *app) clean(p *project, sourceErrs error) error {
	if sourceErrs != nil { // a broken variants file would take its modules along
		return sourceErrs
	}
	extra, err := p.extraFiles()
	if err != nil {
		return err
	}
	for _, name := range extra {
		if err := os.Remove(filepath.Join(p.out, name)); err != nil {
			return err
		}
		a.say("removed %s", slashJoin(p.out, name))
	}
	next := &shaders.Manifest{}
	for _, m := range p.manifest.Modules {
		if p.all[m.Name] {
			next.Modules = append(next.Modules, m)
		}
	}
	if len(next.Modules) == len(p.manifest.Modules) {
		return nil
	}
	data, err := next.Encode()
	if err != nil {
		return err
	}
	return writeFile(p.manifestPath(), data)
}

// verify compiles all modules again and compares bytes, as far as a module's
// compiler is at hand in the same version.
func (a *app) verify(ctx context.Context, p *project, sourceErrs error) error {
	errs := appendErr(nil, sourceErrs)
	have, err := a.compilers()
	if err != nil {
		return append(errs, diag{msg: err.Error()})
	}
	out := make([]diags, len(p.units))
	skipped := make([]string, len(p.units))
	each(p.units, a.jobs, func(i int, u *unit) {
		skipped[i], out[i] = verifyUnit(ctx, p, u, have)
	})
	done := 0
	for i, u := range p.units {
		errs = append(errs, out[i]...)
		switch {
		case skipped[i] != "":
			fmt.Fprintf(a.stderr, "%s: not verified: %s\n", u.name, skipped[i])
		case len(out[i]) == 0:
			done++
		}
	}
	a.say("%s: %d of %d modules compile to the same bytes", filepath.ToSlash(p.dir), done, len(p.units))
	return orNil(errs)
}

func verifyUnit(ctx context.Context, p *project, u *unit, have []*compiler) (skipped string, errs diags) {
	at := slashJoin(p.dir, u.source)
	m := p.modules[u.name]
	switch {
	case m == nil:
		return "", diags{{file: at, msg: fmt.Sprintf("module %s was not built", u.name)}}
	case m.SourceSHA256 != u.hash:
		return "", diags{{file: at, msg: fmt.Sprintf("module %s is stale: %s", u.name, strings.Join(u.changes(m), ", "))}}
	}
	i := slices.IndexFunc(have, func(c *compiler) bool { return c.Compiler == m.Compiler })
	if i < 0 {
		names := make([]string, len(have))
		for k, c := range have {
			names[k] = c.String()
		}
		return fmt.Sprintf("compiled with %s (%s), at hand is %s", m.Compiler.Name, m.Compiler.Version, strings.Join(names, " and ")), nil
	}
	spv, _, err := have[i].compile(ctx, p.tree, u)
	if err != nil {
		return "", appendErr(nil, err)
	}
	if err := m.Attach(spv); err != nil {
		return "", diags{{file: at, msg: fmt.Sprintf("module %s compiles to other bytes than were built: %v", u.name, err)}}
	}
	if err := p.checkModule(m); err != nil {
		return "", diags{{file: filepath.ToSlash(p.modulePath(u.name)), msg: err.Error()}}
	}
	return "", nil
}
