package shaders_test

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/fornax-ml/fornax/shaders"
)

// module gives a module of five words and its file.
func module(name string) (*shaders.Module, []byte) {
	var file []byte
	for _, w := range []uint32{0x07230203, 0x10300, 0, 1, 0} {
		file = binary.LittleEndian.AppendUint32(file, w)
	}
	sum := sha256.Sum256(file)
	id := uint32(3)
	return &shaders.Module{
		Name: name, File: name + ".spv", Source: "x.comp", SPIRV: "1.3", Target: "vulkan1.1",
		SourceSHA256: strings.Repeat("0", 64), SHA256: hex.EncodeToString(sum[:]), Size: len(file),
		LocalSize:     [3]shaders.Dim{{Size: 64, SpecID: &id}, {Size: 1}, {Size: 1}},
		Bindings:      []shaders.Binding{{Binding: 2, Kind: shaders.KindStorage, Count: 1}},
		SpecConstants: []shaders.SpecConstant{{ID: 3, Name: "BM", Type: "uint", Default: "64", Bits: 64}, {ID: 4, Type: "int"}},
		Capabilities:  []string{"Shader"},
	}, file
}

// folder gives a file system with two modules, before and after a change.
func folder(t testing.TB, prefix string, change func(*shaders.Module)) fstest.MapFS {
	a, file := module("a")
	b, _ := module("b_f16")
	change(b)
	data, err := (&shaders.Manifest{Modules: []*shaders.Module{b, a}}).Encode()
	require.NoError(t, err)
	return fstest.MapFS{
		prefix + "manifest.json": {Data: data},
		prefix + "a.spv":         {Data: file},
		prefix + "b_f16.spv":     {Data: file},
	}
}

func nothing(*shaders.Module) {}

func TestLoad(t *testing.T) {
	for _, prefix := range []string{"", "spv/"} {
		set, err := shaders.Load(folder(t, prefix, nothing))
		require.NoError(t, err)
		assert.Equal(t, []string{"a", "b_f16"}, set.Names())
		assert.Equal(t, 2, set.Len())
		assert.Equal(t, "a", set.Modules()[0].Name)
		m, ok := set.Module("b_f16")
		require.True(t, ok)
		assert.Equal(t, []uint32{0x07230203, 0x10300, 0, 1, 0}, m.Words())
		assert.Equal(t, uint32(3), *m.LocalSize[0].SpecID)
		c, ok := m.SpecConstantNamed("BM")
		assert.True(t, ok)
		assert.Equal(t, uint64(64), c.Bits)
		_, ok = m.SpecConstantNamed("")
		assert.False(t, ok)
		_, ok = m.SpecConstant(4)
		assert.True(t, ok)
		_, ok = m.BindingAt(0, 2)
		assert.True(t, ok)
		_, ok = m.BindingAt(0, 0)
		assert.False(t, ok)
		assert.True(t, m.Requires("Shader"))
		_, ok = set.Module("c")
		assert.False(t, ok)
	}
}

func TestLoadErrors(t *testing.T) {
	_, err := shaders.Load(fstest.MapFS{})
	require.ErrorContains(t, err, "manifest.json")
	for name, tc := range map[string]struct {
		change func(m *shaders.Module)
		want   string
	}{
		"hash":     {func(m *shaders.Module) { m.SHA256 = strings.Repeat("0", 64) }, `module "b_f16": b_f16.spv has sha256`},
		"size":     {func(m *shaders.Module) { m.Size = 24 }, "has 20 bytes, the manifest says 24"},
		"odd size": {func(m *shaders.Module) { m.Size = 21 }, "multiple of 4"},
		"name":     {func(m *shaders.Module) { m.Name = "../a" }, "bad name"},
		"file":     {func(m *shaders.Module) { m.File = "../../a.spv" }, `want "b_f16.spv"`},
		"tier":     {func(m *shaders.Module) { m.Tier = 4 }, "tier 4"},
		"sha":      {func(m *shaders.Module) { m.SHA256 = "xyz" }, "bad sha256"},
		"twice":    {func(m *shaders.Module) { m.Name, m.File = "a", "a.spv" }, "listed twice"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := shaders.Load(folder(t, "", tc.change))
			require.ErrorContains(t, err, tc.want)
		})
	}
	fsys := folder(t, "", nothing)
	delete(fsys, "a.spv")
	fsys["b_f16.spv"] = &fstest.MapFile{Data: []byte("12345678901234567890")}
	_, err = shaders.Load(fsys)
	require.ErrorContains(t, err, `module "a"`)
	require.ErrorContains(t, err, "magic number")
}

func TestParseManifest(t *testing.T) {
	for text, want := range map[string]string{
		"":                                 "manifest",
		"{}":                               "no schema",
		`{"schema": 2}`:                    "schema 2",
		`{"schema": 1, "mods": []}`:        "unknown field",
		`{"schema": 1, "modules": [null]}`: "null",
	} {
		_, err := shaders.ParseManifest([]byte(text))
		require.ErrorContains(t, err, want)
	}
	data := folder(t, "", nothing)["manifest.json"].Data
	m, err := shaders.ParseManifest(data)
	require.NoError(t, err)
	again, err := m.Encode()
	require.NoError(t, err)
	assert.Equal(t, string(data), string(again))
}

func FuzzLoad(f *testing.F) {
	_, file := module("a")
	f.Add(folder(f, "", nothing)["manifest.json"].Data, file)
	f.Fuzz(func(t *testing.T, manifest, file []byte) {
		set, err := shaders.Load(fstest.MapFS{
			"manifest.json": {Data: manifest}, "a.spv": {Data: file}, "b_f16.spv": {Data: file},
		})
		if err != nil {
			return
		}
		for _, m := range set.Modules() {
			if len(m.Words()) != len(file)/4 || m.Words()[0] != 0x07230203 {
				t.Fatal("loaded an unsound module")
			}
		}
	})
}
