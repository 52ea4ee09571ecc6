package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"text/tabwriter"

	"github.com/fornax-ml/fornax/shaders"
	"github.com/fornax-ml/fornax/shaders/spirv"
)

// list prints a table of the manifest's modules.
func (a *app) list(p *project) error {
	w := tabwriter.NewWriter(a.stdout, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "MODULE\tTIER\tIF\tSPIR-V\tBYTES\tLOCAL SIZE\tBINDINGS\tPUSH\tSPEC CONSTANTS")
	for _, m := range p.manifest.Modules {
		if !matches(a.only, m.Name) {
			continue
		}
		fmt.Fprintf(w, "%s\t%d\t%d\t%s\t%d\t%s\t%s\t%d\t%s\n", m.Name, m.Tier, m.Interface, m.SPIRV, m.Size,
			localSize(m), bindings(m), m.PushConstantBytes, constants(m))
	}
	return w.Flush()
}

// localSize prints "64x1x1", with "id:N" for specialization constants.
func localSize(m *shaders.Module) string {
	var s []string
	for _, d := range m.LocalSize {
		s = append(s, dimString(d))
	}
	return strings.Join(s, "x")
}

// bindings prints "0.1:storage[2]" for set, binding, kind and count.
func bindings(m *shaders.Module) string {
	var s []string
	for _, b := range m.Bindings {
		t := fmt.Sprintf("%d.%d:%s", b.Set, b.Binding, b.Kind)
		if b.Count != 1 {
			t += fmt.Sprintf("[%d]", b.Count)
		}
		s = append(s, t)
	}
	return dash(s)
}

func constants(m *shaders.Module) string {
	var s []string
	for _, c := range m.SpecConstants {
		s = append(s, fmt.Sprintf("%d:%s", c.ID, first(c.Name, c.Type)))
	}
	return dash(s)
}

func dash(s []string) string {
	if len(s) == 0 {
		return "-"
	}
	return strings.Join(s, " ")
}

// shared tells a module's shared memory, with the constants of -spec.
func (a *app) shared(m *spirv.Module) string {
	n, err := m.SharedBytes(a.spec)
	if err != nil {
		return err.Error()
	}
	with := "the constants' defaults"
	if len(a.spec) > 0 {
		with = "-spec"
	}
	return fmt.Sprintf("%d bytes, with %s", n, with)
}

// mix counts the instructions of functions that tell what a kernel does.
func mix(m *spirv.Module) string {
	var s []string
	for _, kind := range []struct {
		name string
		is   func(op uint16) bool
	}{
		{"calls", func(op uint16) bool { return op == spirv.OpFunctionCall }},
		{"loads", func(op uint16) bool { return op == spirv.OpLoad }},
		{"stores", func(op uint16) bool { return op == spirv.OpStore }},
		{"branches", func(op uint16) bool { return op == spirv.OpBranchConditional || op == spirv.OpSwitch }},
		{"loops", func(op uint16) bool { return op == spirv.OpLoopMerge }},
		{"barriers", func(op uint16) bool { return op == spirv.OpControlBarrier || op == spirv.OpMemoryBarrier }},
	} {
		n := 0
		for _, in := range m.Insts {
			if kind.is(in.Op) {
				n++
			}
		}
		s = append(s, fmt.Sprintf("%d %s", n, kind.name))
	}
	return strings.Join(s, ", ")
}

// disassemble prints a module's instructions, by spirv-dis.
func (a *app) disassemble(ctx context.Context, p *project, name string) error {
	if p.modules[name] == nil {
		return fmt.Errorf("%s lists no module %q", p.manifestPath(), name)
	}
	tool, err := exec.LookPath(first(a.disassembler, "spirv-dis"))
	if err != nil {
		return fmt.Errorf("disassembler: %w (Debian: spirv-tools)", err)
	}
	cmd := exec.CommandContext(ctx, tool, "--no-color", p.modulePath(name))
	cmd.Env, cmd.Stdout, cmd.Stderr = cleanEnv(), a.stdout, a.stderr
	return cmd.Run()
}

// dump prints all that is known of a module.
func (a *app) dump(p *project, name string) error {
	m := p.modules[name]
	if m == nil {
		return fmt.Errorf("%s lists no module %q", p.manifestPath(), name)
	}
	data, err := os.ReadFile(p.modulePath(name))
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
	w := a.stdout
	fmt.Fprintf(w, "module %s\n", m.Name)
	fmt.Fprintf(w, "  source          %s\n", m.Source)
	for _, in := range m.Inputs[min(1, len(m.Inputs)):] {
		fmt.Fprintf(w, "  include         %s\n", in.File)
	}
	fmt.Fprintf(w, "  defines         %s\n", dash(m.Defines))
	fmt.Fprintf(w, "  compiler        %s (%s)\n", m.Compiler.Name, m.Compiler.Version)
	fmt.Fprintf(w, "  target          %s, SPIR-V %s, tier %d, interface %d\n", m.Target, m.SPIRV, m.Tier, m.Interface)
	fmt.Fprintf(w, "  size            %d bytes, %d instructions, ids below %d\n", m.Size, len(sm.Insts), sm.Bound)
	fmt.Fprintf(w, "  capabilities    %s\n", dash(m.Capabilities))
	fmt.Fprintf(w, "  extensions      %s\n", dash(m.Extensions))
	fmt.Fprintf(w, "  local size      %s\n", localSize(m))
	fmt.Fprintf(w, "  push constants  %d bytes\n", m.PushConstantBytes)
	fmt.Fprintf(w, "  shared memory   %s\n", a.shared(sm))
	fmt.Fprintf(w, "  instructions    %s\n", mix(sm))
	for _, b := range m.Bindings {
		fmt.Fprintf(w, "  binding         set %d binding %d: %s %s, access %s, %s\n", b.Set, b.Binding, b.Kind, b.Name, b.Access, extent(b))
	}
	for _, c := range m.SpecConstants {
		fmt.Fprintf(w, "  spec constant   %d: %s %s = %s\n", c.ID, c.Type, first(c.Name, "(no name)"), c.Default)
	}
	for _, f := range sm.Functions() {
		fmt.Fprintf(w, "  function        %%%d %s, %d instructions\n", f.ID, f.Name, f.End-f.Start)
	}
	return nil
}

func extent(b shaders.Binding) string {
	s := fmt.Sprintf("%d bytes", b.Bytes)
	if b.Runtime {
		s += " and a runtime array"
	}
	if b.Count != 1 {
		s += fmt.Sprintf(", %d descriptors", b.Count)
	}
	return s
}
