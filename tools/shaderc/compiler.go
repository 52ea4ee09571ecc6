package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"strings"

	"github.com/fornax-ml/fornax/shaders"
)

// The compilers' names in manifests and for -compiler.
const (
	nameGlslc   = "glslc"
	nameGlslang = "glslangValidator"
)

// compiler is a GLSL compiler of this machine.
type compiler struct {
	shaders.Compiler
	path string
}

// findCompiler finds a compiler by a name or path, or the first of the known
// ones when it is "".
func findCompiler(which string) (*compiler, error) {
	if which != "" {
		return probe(which)
	}
	for _, name := range []string{nameGlslc, nameGlslang, "glslang"} {
		if c, err := probe(name); err == nil {
			return c, nil
		}
	}
	return nil, errors.New("no GLSL compiler found: install glslc (Debian: glslc) or glslangValidator (glslang-tools), or name one with -compiler")
}

var glslangVersion = regexp.MustCompile(`(?m)^Glslang Version: (\S+)`)

// probe asks a program which compiler it is.
func probe(which string) (*compiler, error) {
	file, err := exec.LookPath(which)
	if err != nil {
		return nil, fmt.Errorf("compiler %s: %w", which, err)
	}
	if file, err = filepath.Abs(file); err != nil {
		return nil, err
	}
	cmd := exec.Command(file, "--version")
	cmd.Env = cleanEnv()
	out, err := cmd.CombinedOutput()
	if err != nil {
		return nil, fmt.Errorf("compiler %s --version: %w", which, err)
	}
	text := string(out)
	if g := glslangVersion.FindStringSubmatch(text); g != nil {
		return &compiler{shaders.Compiler{Name: nameGlslang, Version: g[1]}, file}, nil
	}
	if strings.HasPrefix(text, "shaderc ") {
		head, _, _ := strings.Cut(text, "\n\n")
		var parts []string
		for _, line := range strings.Split(head, "\n") {
			parts = append(parts, strings.Join(strings.Fields(line), " "))
		}
		return &compiler{shaders.Compiler{Name: nameGlslc, Version: strings.Join(parts, ", ")}, file}, nil
	}
	return nil, fmt.Errorf("compiler %s is neither glslc nor glslangValidator", which)
}

// String names a compiler for messages.
func (c *compiler) String() string { return c.Name + " (" + c.Version + ")" }

// args gives the command line to compile a staged shader, in the folder 0.
// Nothing is optimised and nothing stripped: passes at run time find functions
// by their OpName.
func (c *compiler) args(u *unit, roots int, output string) []string {
	var a []string
	if c.Name == nameGlslc {
		a = append(a, "-O0", "-fshader-stage=comp", "--target-env="+u.spec.Target)
		if u.spec.SPIRV != "" {
			a = append(a, "--target-spv=spv"+u.spec.SPIRV)
		}
	} else {
		a = append(a, "-V", "-Od", "-S", "comp", "--target-env", u.spec.Target)
		if u.spec.SPIRV != "" {
			a = append(a, "--target-env", "spirv"+u.spec.SPIRV)
		}
	}
	for _, d := range u.spec.defines() {
		a = append(a, "-D"+d)
	}
	a = append(a, "-I.")
	for i := 1; i < roots; i++ {
		a = append(a, fmt.Sprintf("-I../%d", i))
	}
	return append(a, "-o", output, u.source)
}

// compile makes a unit's SPIR-V. Messages of the compiler come as diags.
func (c *compiler) compile(ctx context.Context, t *tree, u *unit) (spv []byte, warnings diags, err error) {
	tmp, err := os.MkdirTemp("", "shaderc")
	if err != nil {
		return nil, nil, err
	}
	defer os.RemoveAll(tmp)
	if err := stage(tmp, u.files, len(t.roots)); err != nil {
		return nil, nil, err
	}
	cmd := exec.CommandContext(ctx, c.path, c.args(u, len(t.roots), "../out.spv")...)
	cmd.Dir = filepath.Join(tmp, "0")
	cmd.Env = cleanEnv()
	out, runErr := cmd.CombinedOutput()
	errs, warnings := parseMessages(cleanOutput(string(out), u.source), t.unstage)
	if runErr != nil {
		if len(errs) == 0 {
			errs = diags{{file: t.show(0, u.source), msg: fmt.Sprintf("%s: %v", c.Name, runErr)}}
		}
		for i := range errs {
			if errs[i].file == "" {
				errs[i].file = t.show(0, u.source)
			}
		}
		return nil, warnings, errs
	}
	spv, err = os.ReadFile(filepath.Join(tmp, "out.spv"))
	return spv, warnings, err
}

// cleanOutput drops the line with the source's name that glslangValidator
// prints first.
func cleanOutput(out, source string) string {
	return strings.TrimPrefix(strings.ReplaceAll(out, "\r\n", "\n"), source+"\n")
}

// cleanEnv is the environment of compilers: what finds programs and libraries
// and where temporary files go, in the C locale.
func cleanEnv() []string {
	keep := []string{"PATH", "LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH", "TMPDIR"}
	if runtime.GOOS == "windows" {
		keep = append(keep, "SYSTEMROOT", "TEMP", "TMP")
	}
	env := []string{"LC_ALL=C"}
	for _, k := range keep {
		if v, ok := os.LookupEnv(k); ok {
			env = append(env, k+"="+v)
		}
	}
	return env
}

// validator runs spirv-val; nil validates nothing.
type validator struct{ path string }

// findValidator finds spirv-val: by default if there, by path if named, not at
// all for "none".
func findValidator(which string) (*validator, error) {
	if which == "none" {
		return nil, nil
	}
	file, err := exec.LookPath(first(which, "spirv-val"))
	if err != nil {
		return nil, fmt.Errorf("validator: %w", err)
	}
	if file, err = filepath.Abs(file); err != nil {
		return nil, err
	}
	return &validator{file}, nil
}

// validate checks a module for a target environment.
func (v *validator) validate(ctx context.Context, spv []byte, target string) error {
	if v == nil {
		return nil
	}
	tmp, err := os.MkdirTemp("", "shaderc")
	if err != nil {
		return err
	}
	defer os.RemoveAll(tmp)
	if err := os.WriteFile(filepath.Join(tmp, "m.spv"), spv, 0o644); err != nil {
		return err
	}
	args := []string{"--target-env", target}
	for extension, flag := range map[string]string{
		"GL_EXT_scalar_block_layout": "--scalar-block-layout",
		"GL_EXT_shared_memory_block": "--workgroup-scalar-block-layout",
	} {
		if bytes.Contains(spv, []byte(extension)) { // in an OpSourceExtension
			args = append(args, flag)
		}
	}
	cmd := exec.CommandContext(ctx, v.path, append(args, "m.spv")...)
	cmd.Dir, cmd.Env = tmp, cleanEnv()
	out, err := cmd.CombinedOutput()
	if err != nil {
		return fmt.Errorf("spirv-val: %s", first(strings.TrimSpace(string(out)), err.Error()))
	}
	return nil
}
