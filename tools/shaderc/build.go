package main

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"sync"

	"github.com/fornax-ml/fornax/shaders"
)

// each calls f for every unit, jobs at a time.
func each(units []*unit, jobs int, f func(i int, u *unit)) {
	var wg sync.WaitGroup
	next := make(chan int)
	for range max(1, min(jobs, len(units))) {
		wg.Go(func() {
			for i := range next {
				f(i, units[i])
			}
		})
	}
	for i := range units {
		next <- i
	}
	close(next)
	wg.Wait()
}

// fresh tells whether a unit's module is there, of the same sources, unharmed.
func (p *project) fresh(u *unit) bool {
	m := p.modules[u.name]
	if m == nil || m.SourceSHA256 != u.hash || m.Source != u.source {
		return false
	}
	data, err := os.ReadFile(p.modulePath(u.name))
	return err == nil && m.Attach(data) == nil
}

// result is what came of building a unit.
type result struct {
	module   *shaders.Module
	spv      []byte
	compiled bool
	warnings diags
	err      error
}

// build compiles what is out of date. When anything fails nothing is written,
// so that manifest and modules always agree.
func (a *app) build(ctx context.Context, p *project, sourceErrs error) error {
	errs := appendErr(nil, sourceErrs)
	results := make([]result, len(p.units))
	var todo []*unit
	index := make(map[*unit]int)
	for i, u := range p.units {
		index[u] = i
		if !a.force && p.fresh(u) {
			results[i].module = p.modules[u.name]
			results[i].err = orNil(u.expect(results[i].module))
			continue
		}
		todo = append(todo, u)
	}
	var with diags // which compiler it was, in case it is too old for a shader
	if len(todo) > 0 {
		c, v, err := a.tools()
		if err != nil {
			return append(errs, diag{msg: err.Error()})
		}
		with = diags{{msg: "compiler: " + c.String()}}
		each(todo, a.jobs, func(_ int, u *unit) {
			results[index[u]] = a.buildUnit(ctx, p, u, c, v)
		})
	}
	seen := make(map[diag]bool)
	for _, r := range results {
		for _, w := range r.warnings {
			if !seen[w] {
				fmt.Fprintln(a.stderr, w.warning())
			}
			seen[w] = true
		}
		for _, d := range appendErr(nil, r.err) {
			if !seen[d] { // variants of a shader mostly fail alike
				errs = append(errs, d)
			}
			seen[d] = true
		}
	}
	if len(errs) > 0 {
		return append(errs, with...)
	}
	return a.write(p, results, len(todo))
}

func (a *app) buildUnit(ctx context.Context, p *project, u *unit, c *compiler, v *validator) (r result) {
	a.verbose("%s: compiling %s", u.name, slashJoin(p.dir, u.source))
	r.compiled = true
	if r.spv, r.warnings, r.err = c.compile(ctx, p.tree, u); r.err != nil {
		return r
	}
	if r.err = v.validate(ctx, r.spv, u.spec.Target); r.err == nil {
		r.module, r.err = describe(u, c.Compiler, r.spv)
	}
	if r.err != nil {
		r.err = diag{slashJoin(p.dir, u.source), 1, fmt.Sprintf("module %s: %v", u.name, r.err)}
		return r
	}
	r.warnings = append(r.warnings, u.exceeds(r.module)...)
	r.err = orNil(u.expect(r.module))
	return r
}

// write puts modules and manifest in place, the manifest last.
func (a *app) write(p *project, results []result, compiled int) error {
	if err := os.MkdirAll(p.out, 0o755); err != nil {
		return err
	}
	next := &shaders.Manifest{}
	for _, m := range p.manifest.Modules { // those that -only left out
		if p.all[m.Name] && !matches(a.only, m.Name) {
			next.Modules = append(next.Modules, m)
		}
	}
	for _, r := range results {
		next.Modules = append(next.Modules, r.module)
		if r.compiled {
			if err := writeFile(filepath.Join(p.out, r.module.File), r.spv); err != nil {
				return err
			}
		}
	}
	data, err := next.Encode()
	if err != nil {
		return err
	}
	if err := writeFile(p.manifestPath(), data); err != nil {
		return err
	}
	a.say("%s: %d modules, %d compiled, %d up to date", filepath.ToSlash(p.dir), len(next.Modules), compiled, len(results)-compiled)
	extra, err := p.extraFiles()
	for _, name := range extra {
		fmt.Fprintf(a.stderr, "%s: no shader makes it (shaderc -clean removes it)\n", slashJoin(p.out, name))
	}
	return err
}

// writeFile replaces a file in one step; an equal file keeps its time.
func writeFile(name string, data []byte) error {
	if old, err := os.ReadFile(name); err == nil && bytes.Equal(old, data) {
		return nil
	}
	tmp, err := os.CreateTemp(filepath.Dir(name), ".shaderc-*")
	if err != nil {
		return err
	}
	defer os.Remove(tmp.Name()) // fails when all went well
	_, err = tmp.Write(data)
	if e := tmp.Chmod(0o644); err == nil {
		err = e
	}
	if e := tmp.Close(); err == nil {
		err = e
	}
	if err != nil {
		return err
	}
	return os.Rename(tmp.Name(), name)
}

func orNil(ds diags) error {
	if len(ds) == 0 {
		return nil
	}
	return ds
}
