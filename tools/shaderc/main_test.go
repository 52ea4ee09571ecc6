package main

import (
	"bytes"
	"context"
	"encoding/json"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/fornax-ml/fornax/shaders"
)

// call runs the command.
func call(args ...string) (status int, stdout, stderr string) {
	var out, err bytes.Buffer
	status = run(context.Background(), args, &out, &err)
	return status, out.String(), err.String()
}

func ok(t *testing.T, args ...string) (stdout string) {
	t.Helper()
	status, stdout, stderr := call(args...)
	require.Equal(t, exitOK, status, "%s", stderr)
	return stdout
}

func fails(t *testing.T, args ...string) (stderr string) {
	t.Helper()
	status, _, stderr := call(args...)
	require.Equal(t, exitFailed, status)
	return stderr
}

// compilers lists the compilers of this machine; a test that needs one is
// skipped without, unless FORNAX_REQUIRE_VULKAN=1.
func compilers(t *testing.T) []string {
	t.Helper()
	var out []string
	for _, name := range []string{nameGlslc, nameGlslang} {
		if _, err := probe(name); err == nil {
			out = append(out, name)
		}
	}
	if out == nil {
		require.NotEqual(t, "1", os.Getenv("FORNAX_REQUIRE_VULKAN"), "no GLSL compiler found")
		t.Skip("no GLSL compiler found")
	}
	return out
}

// workspace copies testdata to a new folder and gives the good shaders' and
// the flag for the shared includes.
func workspace(t *testing.T) (dir, include string) {
	t.Helper()
	root := filepath.Join(t.TempDir(), "w")
	require.NoError(t, os.CopyFS(root, os.DirFS("testdata")))
	return filepath.Join(root, "good"), "-I=" + filepath.Join(root, "shared")
}

func edit(t *testing.T, name, old, to string) {
	t.Helper()
	data, err := os.ReadFile(name)
	require.NoError(t, err)
	require.Contains(t, string(data), old)
	require.NoError(t, os.WriteFile(name, []byte(strings.Replace(string(data), old, to, 1)), 0o644))
}

func files(t *testing.T, dir string) map[string]string {
	t.Helper()
	out := make(map[string]string)
	require.NoError(t, fs.WalkDir(os.DirFS(dir), ".", func(p string, d fs.DirEntry, err error) error {
		if err == nil && !d.IsDir() {
			var data []byte
			data, err = os.ReadFile(filepath.Join(dir, p))
			out[p] = string(data)
		}
		return err
	}))
	return out
}

func TestBuild(t *testing.T) {
	for _, c := range compilers(t) {
		t.Run(c, func(t *testing.T) {
			dir, inc := workspace(t)
			assert.Contains(t, ok(t, inc, "-compiler", c, dir), "3 modules, 3 compiled, 0 up to date")
			assert.Contains(t, ok(t, inc, "-compiler", c, dir), "3 modules, 0 compiled, 3 up to date")
			assert.Contains(t, ok(t, inc, "-check", dir), "3 modules are up to date")
			assert.Contains(t, ok(t, inc, "-verify", "-compiler", c, dir), "3 of 3 modules")

			set, err := shaders.Load(os.DirFS(dir))
			require.NoError(t, err)
			assert.Equal(t, []string{"fill", "scale", "scale_f16"}, set.Names())
			m, found := set.Module("scale_f16")
			require.True(t, found)
			assert.Equal(t, 1, m.Tier)
			assert.Equal(t, 2, m.Interface)
			assert.Equal(t, "1.3", m.SPIRV)
			assert.Equal(t, c, m.Compiler.Name)
			assert.Equal(t, []string{"HALF", "T=float16_t"}, m.Defines)
			assert.True(t, m.Requires("StorageBuffer16BitAccess"))
			assert.Empty(t, m.Extensions) // 16-bit storage is core in SPIR-V 1.3
			assert.Equal(t, uint32(8), m.PushConstantBytes)
			var inputs []string
			for _, in := range m.Inputs {
				inputs = append(inputs, in.File)
			}
			assert.Equal(t, []string{"scale.comp", "inc/io.glsl", "<ops.glsl>", "<ops_more.glsl>"}, inputs)
			b, found := m.BindingAt(0, 1)
			require.True(t, found)
			assert.Equal(t, shaders.Binding{Binding: 1, Kind: "storage", Name: "Src", Count: 1, Runtime: true, Access: "r"}, b)
			s, found := m.SpecConstantNamed("SCALE")
			require.True(t, found)
			assert.Equal(t, shaders.SpecConstant{ID: 1, Name: "SCALE", Type: "float", Default: "0.5", Bits: 0x3f000000}, s)

			table := ok(t, "-list", dir)
			assert.Contains(t, table, "scale_f16  1     2   1.3")
			assert.Contains(t, table, "id:0x1x1")
			dump := ok(t, "-dump", "scale", dir)
			assert.Contains(t, dump, "apply(u1;f1;f1;")
			assert.Contains(t, dump, "set 0 binding 1: storage Src, access r")
			assert.Contains(t, dump, "shared memory   ")
			assert.Contains(t, fails(t, "-dis", "nosuch", dir), "lists no module")
			assert.Contains(t, fails(t, "-dis", "scale", "-disassembler", "nosuch-program", dir), "disassembler")
			if _, err := exec.LookPath("spirv-dis"); err == nil {
				assert.Contains(t, ok(t, "-dis", "scale", dir), "OpEntryPoint GLCompute")
			}
			assert.Regexp(t, `instructions    \d+ calls, \d+ loads, [1-9]\d* stores`, dump)
		})
	}
}

func TestSameBytesInEveryFolder(t *testing.T) {
	for _, c := range compilers(t) {
		t.Run(c, func(t *testing.T) {
			a, incA := workspace(t)
			b, _ := workspace(t)
			ok(t, incA, "-compiler", c, a)
			t.Chdir(filepath.Dir(b)) // other folder, relative paths
			t.Setenv("LANG", "de_DE.UTF-8")
			ok(t, "-I", "shared", "-compiler", c, "-j", "1", "good")
			got := files(t, filepath.Join(b, "spv"))
			assert.Equal(t, files(t, filepath.Join(a, "spv")), got)
			for name, data := range got {
				assert.NotContains(t, data, filepath.Dir(b), name)
				assert.NotContains(t, data, filepath.Dir(a), name)
			}
		})
	}
}

func TestCheckTellsWhatChanged(t *testing.T) {
	compilers(t)
	dir, inc := workspace(t)
	assert.Contains(t, fails(t, inc, "-check", dir), "module fill was not built")
	ok(t, inc, dir)
	shared := filepath.Join(filepath.Dir(dir), "shared")
	for name, tc := range map[string]struct {
		change func()
		want   []string
	}{
		"source":  {func() { edit(t, dir+"/fill.comp", "1.0", "2.0") }, []string{"module fill is stale: source fill.comp changed"}},
		"include": {func() { edit(t, dir+"/inc/io.glsl", "buffer Dst", "buffer  Dst") }, []string{"module scale is stale: include inc/io.glsl changed", "module scale_f16 is stale: include inc/io.glsl"}},
		"indirect": {func() { edit(t, shared+"/ops_more.glsl", "a + b", "b + a") }, []string{
			"module scale_f16 is stale: include <ops_more.glsl> changed"}},
		"shadowed":    {func() { require.NoError(t, os.WriteFile(dir+"/ops.glsl", nil, 0o644)) }, []string{"include ops.glsl is new", "include <ops.glsl> is gone"}},
		"define":      {func() { edit(t, dir+"/scale.variants.json", `"T": "float"`, `"T": "int"`) }, []string{"module scale is stale: defines changed from [T=float] to [T=int]"}},
		"tier":        {func() { edit(t, dir+"/scale.variants.json", `"tier": 1`, `"tier": 2`) }, []string{"tier or interface number changed"}},
		"declaration": {func() { edit(t, dir+"/scale.variants.json", `_bytes": 8`, `_bytes": 12`) }, []string{"scale.variants.json:18: module scale: push constants take 8 bytes"}},
		"new variant": {func() { edit(t, dir+"/scale.variants.json", `{"suffix": ""},`, `{"suffix": ""}, {"suffix": "_x"},`) }, []string{"module scale_x was not built"}},
		"damage":      {func() { edit(t, dir+"/spv/fill.spv", "main", "mean") }, []string{"spv/fill.spv: fill.spv has sha256"}},
		"missing":     {func() { require.NoError(t, os.Remove(dir+"/spv/fill.spv")) }, []string{"spv/fill.spv: missing"}},
		"extra":       {func() { require.NoError(t, os.WriteFile(dir+"/spv/old.spv", nil, 0o644)) }, []string{"spv/old.spv: no shader makes it"}},
		"deleted":     {func() { require.NoError(t, os.Remove(dir+"/fill.comp")) }, []string{"module fill is listed, and no shader makes it", "fill.spv: no shader makes it"}},
		"manifest":    {func() { edit(t, dir+"/spv/manifest.json", `"access": "rw"`, `"access": "r"`) }, []string{"fill.spv: the manifest describes another interface"}},
		"no manifest": {func() { require.NoError(t, os.Remove(dir+"/spv/manifest.json")) }, []string{"manifest.json: missing"}},
	} {
		t.Run(name, func(t *testing.T) {
			before := files(t, filepath.Dir(dir))
			tc.change()
			changed := files(t, filepath.Dir(dir))
			msg := fails(t, inc, "-check", dir)
			for _, want := range tc.want {
				assert.Contains(t, msg, want)
			}
			assert.Equal(t, changed, files(t, filepath.Dir(dir)), "-check wrote")
			require.NoError(t, os.RemoveAll(filepath.Dir(dir)))
			for name, data := range before {
				name = filepath.Join(filepath.Dir(dir), name)
				require.NoError(t, os.MkdirAll(filepath.Dir(name), 0o755))
				require.NoError(t, os.WriteFile(name, []byte(data), 0o644))
			}
			ok(t, inc, "-check", dir)
		})
	}
}

func TestOnlyWhatChangedIsCompiled(t *testing.T) {
	compilers(t)
	dir, inc := workspace(t)
	ok(t, inc, dir)
	edit(t, dir+"/fill.comp", "1.0", "2.0")
	assert.Contains(t, ok(t, inc, "-only", "scale*", dir), "3 modules, 0 compiled, 2 up to date")
	assert.Contains(t, fails(t, inc, "-check", dir), "module fill is stale")
	assert.Contains(t, ok(t, inc, dir), "3 modules, 1 compiled, 2 up to date")
	assert.Contains(t, ok(t, inc, "-force", "-only", "fill,scale", dir), "3 modules, 2 compiled")
	assert.Contains(t, fails(t, inc, "-only", "nothing", dir), "no module is named nothing")
	ok(t, inc, "-check", dir)
}

func TestClean(t *testing.T) {
	compilers(t)
	dir, inc := workspace(t)
	ok(t, inc, dir)
	require.NoError(t, os.Remove(dir+"/fill.comp"))
	assert.Contains(t, ok(t, inc, "-clean", dir), "removed")
	assert.NoFileExists(t, dir+"/spv/fill.spv")
	assert.Contains(t, ok(t, inc, "-check", dir), "2 modules are up to date")
}

func TestVerifySaysOtherVersion(t *testing.T) {
	compilers(t)
	dir, inc := workspace(t)
	ok(t, inc, dir)
	name := dir + "/spv/manifest.json"
	data, err := os.ReadFile(name)
	require.NoError(t, err)
	m, err := shaders.ParseManifest(data)
	require.NoError(t, err)
	m.Modules[0].Compiler.Version = "0.1"
	data, err = m.Encode()
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(name, data, 0o644))
	status, stdout, stderr := call(inc, "-verify", dir)
	assert.Equal(t, exitOK, status)
	assert.Contains(t, stderr, "fill: not verified: compiled with "+m.Modules[0].Compiler.Name+" (0.1), at hand is ")
	assert.Contains(t, stdout, "2 of 3 modules compile to the same bytes")
}

func TestVerifyFindsOtherBytes(t *testing.T) {
	compilers(t)
	dir, inc := workspace(t)
	ok(t, inc, dir)
	name := dir + "/spv/manifest.json"
	data, err := os.ReadFile(name)
	require.NoError(t, err)
	var m map[string]any
	require.NoError(t, json.Unmarshal(data, &m))
	m["modules"].([]any)[0].(map[string]any)["sha256"] = strings.Repeat("0", 64)
	data, err = json.Marshal(m)
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(name, data, 0o644))
	assert.Contains(t, fails(t, inc, "-verify", dir), "module fill compiles to other bytes")
}

func TestUsage(t *testing.T) {
	for _, args := range [][]string{{}, {"a", "b"}, {"-nope", "a"}, {"-check", "-list", "a"}, {"-j", "0", "a"}, {"-only", "[", "a"}, {"-spec", "3", "a"}, {"-dis", "x", "-dump", "x", "a"}} {
		status, _, stderr := call(args...)
		assert.Equal(t, exitUsage, status, "%q", args)
		assert.Contains(t, stderr, "shaderc -h")
	}
	assert.Contains(t, ok(t, "-h"), "EXIT STATUS")
	assert.Contains(t, fails(t, filepath.Join(t.TempDir(), "none")), "is not a folder")
}
