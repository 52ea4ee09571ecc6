package spirv_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/fornax-ml/fornax/shaders/spirv"
)

// compiled gives testdata/interface.comp as a module, or nil without a compiler.
func compiled(t testing.TB, target string) []byte {
	out := filepath.Join(t.TempDir(), "x.spv")
	for _, args := range [][]string{
		{"glslc", "-O0", "--target-env=" + target, "-o", out, "testdata/interface.comp"},
		{"glslangValidator", "-V", "--target-env", target, "-o", out, "testdata/interface.comp"},
	} {
		if _, err := exec.LookPath(args[0]); err != nil {
			continue
		}
		msg, err := exec.Command(args[0], args[1:]...).CombinedOutput()
		require.NoError(t, err, "%s", msg)
		data, err := os.ReadFile(out)
		require.NoError(t, err)
		return data
	}
	return nil
}

func needCompiled(t testing.TB, target string) *spirv.Module {
	data := compiled(t, target)
	if data == nil {
		require.NotEqual(t, "1", os.Getenv("FORNAX_REQUIRE_VULKAN"), "no GLSL compiler found")
		t.Skip("no GLSL compiler found")
	}
	m, err := spirv.ParseBytes(data)
	require.NoError(t, err)
	return m
}

func TestReflect(t *testing.T) {
	for _, target := range []string{"vulkan1.1", "vulkan1.3"} {
		t.Run(target, func(t *testing.T) {
			r, err := spirv.Reflect(needCompiled(t, target))
			require.NoError(t, err)
			assert.Equal(t, "main", r.EntryPoint)
			assert.Contains(t, r.Capabilities, "Shader")
			assert.Equal(t, [3]spirv.Dim{{Size: 1, Spec: true, SpecID: 0}, {Size: 2}, {Size: 1}}, r.LocalSize)
			assert.Equal(t, []spirv.Binding{
				{0, 0, "storage", "Dst", 1, 4, true, true, true},
				{0, 1, "storage", "srcs", 2, 0, true, true, false},
				{0, 2, "storage", "Log", 1, 0, true, false, true},
				{1, 3, "uniform", "params", 1, 16 + 44, false, true, false},
			}, r.Bindings)
			assert.Equal(t, uint32(16+24+8+12), r.PushConstantBytes) // v begins at 48
			got := map[uint32]string{}
			for _, c := range r.SpecConstants {
				got[c.ID] = c.Type + " " + c.Name + " = " + c.Default()
			}
			assert.Equal(t, map[uint32]string{
				0: "uint  = 1", 1: "uint OP = 7", 2: "float SCALE = -2.5", 3: "bool FLAG = true", 4: "int SHIFT = -3",
			}, got)
		})
	}
}

func TestCompiledRoundTrip(t *testing.T) {
	m := needCompiled(t, "vulkan1.1")
	words, err := m.Words()
	require.NoError(t, err)
	again, err := spirv.Parse(words)
	require.NoError(t, err)
	assert.Equal(t, m, again)
	assert.Equal(t, "apply(u1;f1;f1;", m.FunctionNamed("apply").Name)
	for _, in := range m.Insts {
		_, _, known := spirv.Shape(in.Op)
		assert.True(t, known, "%v", in)
	}
	sec := m.Sections()
	for s := 1; s < len(sec); s++ {
		assert.Equal(t, sec[s-1].End, sec[s].Start)
	}
	assert.Equal(t, uint16(spirv.OpFunction), m.In(spirv.SectionFunctions)[0].Op)
}

func TestReflectErrors(t *testing.T) {
	main := [][]uint32{
		text(spirv.OpEntryPoint, []uint32{5, 1}, "main"),
		inst(spirv.OpExecutionMode, 1, spirv.ModeLocalSize, 1, 1, 1),
	}
	for name, tc := range map[string]struct {
		insts [][]uint32
		want  string
	}{
		"no entry":  {nil, "0 entry points"},
		"fragment":  {[][]uint32{text(spirv.OpEntryPoint, []uint32{4, 1}, "main")}, "not a compute"},
		"no size":   {main[:1], "no local size"},
		"type loop": {append(main, inst(spirv.OpTypeStruct, 2, 2)), "not defined before"},
		"not a pointer": {append(main, inst(spirv.OpTypeForwardPointer, 2, 0), inst(spirv.OpTypeStruct, 2, 2)),
			"declared as a pointer"},
		"no binding": {append(main, inst(spirv.OpTypeStruct, 2), inst(spirv.OpTypePointer, 3, 12, 2),
			inst(spirv.OpVariable, 3, 4, 12)), "no set or binding"},
		"one id, two types": {append(main,
			inst(spirv.OpDecorate, 4, 1, 7), inst(spirv.OpDecorate, 5, 1, 7),
			inst(spirv.OpTypeInt, 2, 32, 0), inst(spirv.OpTypeBool, 3),
			inst(spirv.OpSpecConstant, 2, 4, 1), inst(spirv.OpSpecConstantTrue, 3, 5)), "specialization id 7"},
	} {
		t.Run(name, func(t *testing.T) {
			m, err := spirv.Parse(module(99, tc.insts...))
			require.NoError(t, err)
			_, err = spirv.Reflect(m)
			require.ErrorContains(t, err, tc.want)
		})
	}
}

func TestDeepTypesAreRefused(t *testing.T) {
	insts := [][]uint32{inst(spirv.OpTypeInt, 1, 32, 0)}
	for id := uint32(2); id < 300; id++ {
		insts = append(insts, inst(spirv.OpTypeStruct, id, id-1))
	}
	m, err := spirv.Parse(module(300, insts...))
	require.NoError(t, err)
	_, err = m.Types()
	require.ErrorContains(t, err, "deeper")
}

func TestScalars(t *testing.T) {
	for _, tc := range []struct {
		typ, text string
		bits      uint64
	}{
		{"bool", "true", 1}, {"uint", "4294967295", 1<<32 - 1}, {"int", "-1", 1<<32 - 1}, {"float", "-2.5", 0xc0200000},
		{"float", "NaN", 0x7fc00000}, {"double", "0.5", 0x3fe0 << 48}, {"int16", "-2", 0xfffe}, {"uint64", "18446744073709551615", 1<<64 - 1},
		{"float16", "0x3c00", 0x3c00},
	} {
		assert.Equal(t, tc.text, spirv.FormatScalar(tc.typ, tc.bits))
		bits, err := spirv.ParseScalar(tc.typ, tc.text)
		require.NoError(t, err)
		assert.Equal(t, tc.bits, bits, "%s %s", tc.typ, tc.text)
	}
	for _, bad := range [][2]string{{"uint", "-1"}, {"int8", "128"}, {"bool", "2"}, {"vec4", "1"}} {
		_, err := spirv.ParseScalar(bad[0], bad[1])
		require.Error(t, err)
	}
}

func FuzzParse(f *testing.F) {
	if data := compiled(f, "vulkan1.1"); data != nil {
		f.Add(data)
	}
	f.Add(spirv.WordsToBytes(module(9, inst(spirv.OpTypeVoid, 1), text(spirv.OpName, []uint32{1}, "x"))))
	f.Fuzz(func(t *testing.T, data []byte) {
		m, err := spirv.ParseBytes(data)
		if err != nil {
			return
		}
		words, err := m.Words()
		require.NoError(t, err)
		in, _ := spirv.BytesToWords(data)
		require.Equal(t, in, words)
		m.Sections()
		m.Functions()
		m.MemberNames()
		_, _ = m.SharedBytes(map[uint32]uint32{0: 1 << 31})
		_, _ = spirv.Reflect(m)
	})
}
