package main

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestErrorsNameFileAndLine(t *testing.T) {
	for _, c := range compilers(t) {
		t.Run(c, func(t *testing.T) {
			dir, _ := workspace(t)
			t.Chdir(filepath.Dir(dir))
			msg := fails(t, "-compiler", c, "broken")
			assert.Contains(t, msg, "broken/inc/bad.glsl:3: 'missing' : undeclared identifier")
			assert.Contains(t, msg, "broken/second.comp:4: ")
			assert.Contains(t, msg, "syntax error")
			assert.Contains(t, msg, "broken/third.comp:3: ")
			assert.NoDirExists(t, "broken/spv")
		})
	}
}

func TestErrorInSharedInclude(t *testing.T) {
	for _, c := range compilers(t) {
		t.Run(c, func(t *testing.T) {
			dir, _ := workspace(t)
			t.Chdir(filepath.Dir(dir))
			edit(t, "shared/ops_more.glsl", "a + b", "a + c")
			msg := fails(t, "-I", "shared", "-compiler", c, "good")
			assert.Contains(t, msg, "shared/ops_more.glsl:1: 'c' : undeclared identifier")
		})
	}
}

func TestFailureWritesNothing(t *testing.T) {
	compilers(t)
	dir, inc := workspace(t)
	ok(t, inc, dir)
	before := files(t, filepath.Join(dir, "spv"))
	edit(t, dir+"/fill.comp", "= 1.0", "= ")
	edit(t, dir+"/inc/io.glsl", "buffer Dst", "buffer  Dst")
	assert.Contains(t, fails(t, inc, dir), "fill.comp:4: ")
	assert.Equal(t, before, files(t, filepath.Join(dir, "spv")))
}

func TestInterfaceMismatch(t *testing.T) {
	compilers(t)
	for name, tc := range map[string]struct{ old, to, want string }{
		"kind":           {`"binding": 1, "kind": "storage"`, `"binding": 1, "kind": "uniform"`, "binding 1 is of kind storage in the shader, uniform is declared"},
		"missing":        {`"kind": "uniform", "optional": true`, `"kind": "uniform"`, "binding 2 is declared, and not used"},
		"undeclared":     {`"binding": 1, "kind": "storage"`, `"binding": 3, "optional": true, "kind": "storage"`, "binding 1 (storage Src) is in the shader, and not declared"},
		"twice":          {`"binding": 2, `, `"binding": 1, `, "binding 1 is declared twice"},
		"access":         {`"access": "w"`, `"access": "rw"`, `has access "w" in the shader`},
		"push constants": {`_bytes": 8`, `_bytes": 4`, "push constants take 8 bytes in the shader, 4 are declared"},
		"spec type":      {`{"id": 0, "type": "uint"`, `{"id": 0, "type": "int"`, "constant 0 is uint in the shader, int is declared"},
		"spec default":   {`"default": 0.5`, `"default": 0.25`, "constant 1 is 0.5 in the shader, 0.25 is declared"},
		"spec missing":   {`{"id": 1,`, `{"id": 7,`, "constant 7 is declared, and not used"},
		"spec name":      {`"SCALE"`, `"FACTOR"`, `constant 1 is named "SCALE"`},
		"local size":     {`["id:0", 1, 1]`, `["id:0", 1, 2]`, "local size z is 1 in the shader, 2 is declared"},
		"local size id":  {`["id:0", 1, 1]`, `[1, 1, 1]`, "local size x is id:0 in the shader, 1 is declared"},
	} {
		t.Run(name, func(t *testing.T) {
			dir, inc := workspace(t)
			edit(t, dir+"/scale.variants.json", tc.old, tc.to)
			msg := fails(t, inc, dir)
			assert.Contains(t, msg, tc.want)
			assert.Regexp(t, `scale\.variants\.json:18: module scale: `, msg)
			assert.NoFileExists(t, filepath.Join(dir, "spv/fill.spv"))
		})
	}
}

func TestVariantsFileErrors(t *testing.T) {
	for name, tc := range map[string]struct{ json, want string }{
		"syntax":     {"{\n\"variants\": [\n{,}]}", "x.json:3: "},
		"field":      {"{\"variants\": [{},\n\n{\"sufix\": \"a\"}]}", `x.json:3: json: unknown field "sufix"`},
		"type":       {"{\"defaults\": {\n\"tier\": \"x\"}}", "x.json:2: "},
		"tier":       {`{"variants": [{"tier": 4}]}`, "tier 4 is outside 0..3"},
		"target":     {`{"defaults": {"target": "opengl"}}`, "is not vulkan1.N"},
		"twice":      {`{"variants": [{}, {}]}`, `suffix "" is used twice`},
		"suffix":     {`{"variants": [{"suffix": "/../x"}]}`, "bad suffix"},
		"define":     {`{"variants": [{"defines": {"A B": "1"}}]}`, "bad define"},
		"kind":       {`{"variants": [{"bindings": [{"kind": "buffer"}]}]}`, "kind \"buffer\" is not one of"},
		"local size": {`{"variants": [{"local_size": ["0", 1, 1]}]}`, "neither a size nor"},
		"trailing":   {`{} {}`, "after the end"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := parseVariants("x.json", []byte(tc.json))
			require.ErrorContains(t, err, tc.want)
		})
	}
}

func TestTwoShadersOneModule(t *testing.T) {
	dir := t.TempDir()
	require.NoError(t, os.WriteFile(dir+"/a.comp", nil, 0o644))
	require.NoError(t, os.WriteFile(dir+"/a.variants.json", []byte("{\"variants\": [{},\n{\"suffix\": \"_b\"}]}"), 0o644))
	require.NoError(t, os.WriteFile(dir+"/a_b.comp", nil, 0o644))
	require.NoError(t, os.WriteFile(dir+"/c.variants.json", nil, 0o644))
	msg := fails(t, "-check", dir)
	assert.Contains(t, msg, `module "a_b" is also made by a.comp`)
	assert.Contains(t, msg, "there is no shader c.comp")
}

func TestIncludesStayInTheirFolders(t *testing.T) {
	dir := t.TempDir()
	require.NoError(t, os.WriteFile(dir+"/a.comp", []byte("\n#include \"../x.glsl\"\n"), 0o644))
	require.NoError(t, os.WriteFile(dir+"/b.comp", []byte("#include \"/etc/x.glsl\"\n"), 0o644))
	msg := fails(t, "-check", dir)
	assert.Contains(t, msg, `a.comp:2: #include "../x.glsl" leaves its folder`)
	assert.Contains(t, msg, `b.comp:1: #include "/etc/x.glsl": absolute paths`)
}

func TestIncludeLoopsEnd(t *testing.T) {
	dir := t.TempDir()
	require.NoError(t, os.WriteFile(dir+"/a.comp", []byte("#include \"b.glsl\"\n"), 0o644))
	require.NoError(t, os.WriteFile(dir+"/b.glsl", []byte("#include \"b.glsl\"\n# include <a.comp>\n"), 0o644))
	list, err := newTree(dir, nil).closure("a.comp")
	require.NoError(t, err)
	assert.Len(t, list, 2)
}

func TestParseMessages(t *testing.T) {
	show := func(s string) string { return "S/" + s }
	errs, warnings := parseMessages("a.comp:2: warning: odd\na.comp:3: error: '' : syntax error\nglslc: error: cannot open\n1 error generated.\n", show)
	assert.Equal(t, diags{{"S/a.comp", 2, "odd"}}, warnings)
	assert.Equal(t, "S/a.comp:3: syntax error", errs[0].String())
	assert.Len(t, errs, 2)
	errs, _ = parseMessages("ERROR: ./b.glsl:7: 'x' : undeclared\nERROR: 1 compilation errors.  No code generated.\n\nERROR: Linking compute stage: Missing entry point: Each\nSPIR-V is not generated for failed compile or link\n", show)
	assert.Equal(t, diags{{"S/./b.glsl", 7, "'x' : undeclared"}}, errs)
	errs, _ = parseMessages("Segmentation fault\n", show)
	assert.Equal(t, "Segmentation fault", errs.Error())
}

func FuzzVariants(f *testing.F) {
	data, err := os.ReadFile("testdata/good/scale.variants.json")
	require.NoError(f, err)
	f.Add(data)
	f.Fuzz(func(t *testing.T, data []byte) {
		list, err := parseVariants("x.json", data)
		if err == nil && len(list) == 0 {
			t.Fatal("no variant and no error")
		}
	})
}
