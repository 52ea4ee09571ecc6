package spirv_test

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/fornax-ml/fornax/shaders/spirv"
)

func inst(op uint16, words ...uint32) []uint32 {
	return append([]uint32{uint32(len(words)+1)<<16 | uint32(op)}, words...)
}

func module(bound uint32, insts ...[]uint32) []uint32 {
	out := []uint32{spirv.Magic, 0x00010300, 0, bound, 0}
	for _, i := range insts {
		out = append(out, i...)
	}
	return out
}

func text(op uint16, pre []uint32, s string) []uint32 {
	return inst(op, append(pre, spirv.StringWords(s)...)...)
}

func TestParseErrors(t *testing.T) {
	for name, tc := range map[string]struct {
		words []uint32
		want  string
	}{
		"empty":         {nil, "too few"},
		"short":         {[]uint32{spirv.Magic, 0x10300, 0, 1}, "too few"},
		"magic":         {[]uint32{1, 0x10300, 0, 1, 0}, "magic"},
		"version":       {[]uint32{spirv.Magic, 0x20000, 0, 1, 0}, "version"},
		"bound zero":    {[]uint32{spirv.Magic, 0x10300, 0, 0, 0}, "bound"},
		"bound huge":    {[]uint32{spirv.Magic, 0x10300, 0, 1 << 31, 0}, "bound"},
		"length zero":   {append(module(9), 17), "length 0"},
		"past the end":  {append(module(9), 3<<16|17, 1), "2 words left"},
		"no result":     {module(9, inst(spirv.OpTypeInt)), "too short"},
		"id zero":       {module(9, inst(spirv.OpTypeVoid, 0)), "outside"},
		"id over bound": {module(9, inst(spirv.OpTypeVoid, 9)), "outside"},
		"twice":         {module(9, inst(spirv.OpTypeVoid, 1), inst(spirv.OpTypeBool, 1)), "twice"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := spirv.Parse(tc.words)
			require.ErrorContains(t, err, tc.want)
		})
	}
	_, err := spirv.ParseBytes([]byte{1, 2, 3})
	require.ErrorContains(t, err, "multiple of 4")
}

func TestRoundTrip(t *testing.T) {
	words := module(20,
		inst(spirv.OpCapability, 1),
		text(spirv.OpExtension, nil, "SPV_KHR_x"),
		inst(spirv.OpMemoryModel, 0, 1),
		text(spirv.OpEntryPoint, []uint32{5, 4}, "main"),
		inst(spirv.OpExecutionMode, 4, spirv.ModeLocalSize, 8, 4, 1),
		text(spirv.OpName, []uint32{4}, "main"),
		text(spirv.OpName, []uint32{6}, "relu(f1;"),
		inst(spirv.OpTypeVoid, 2),
		inst(spirv.OpTypeFunction, 3, 2),
		inst(spirv.OpFunction, 2, 4, 0, 3), inst(spirv.OpLabel, 5), inst(spirv.OpReturn), inst(spirv.OpFunctionEnd),
		inst(spirv.OpFunction, 2, 6, 0, 3), inst(spirv.OpLabel, 7), inst(spirv.OpReturn), inst(spirv.OpFunctionEnd),
	)
	m, err := spirv.Parse(words)
	require.NoError(t, err)
	back, err := m.Words()
	require.NoError(t, err)
	assert.Equal(t, words, back)
	again, err := spirv.BytesToWords(spirv.WordsToBytes(words))
	require.NoError(t, err)
	assert.Equal(t, words, again)

	assert.Equal(t, "1.3", m.Version.String())
	assert.Equal(t, map[uint32]string{4: "main", 6: "relu(f1;"}, m.Names())
	fs := m.Functions()
	require.Len(t, fs, 2)
	assert.Equal(t, spirv.Range{Start: 9, End: 13}, fs[0].Range)
	assert.Equal(t, uint32(6), m.FunctionNamed("relu").ID)
	assert.Equal(t, spirv.Function{}, m.FunctionNamed("gelu"))

	sec := m.Sections()
	assert.Equal(t, spirv.Range{Start: 1, End: 2}, sec[spirv.SectionExtensions])
	assert.Equal(t, spirv.Range{Start: 2, End: 2}, sec[spirv.SectionImports])
	assert.Equal(t, spirv.Range{Start: 7, End: 7}, sec[spirv.SectionAnnotations])
	assert.Equal(t, spirv.Range{Start: 9, End: 17}, sec[spirv.SectionFunctions])
	assert.Equal(t, "main", m.EntryPoints()[0].Name)
}

func TestAppendingToOperandsKeepsNeighbours(t *testing.T) {
	words := module(9, inst(spirv.OpTypeVoid, 1), inst(spirv.OpTypeBool, 2))
	m, err := spirv.Parse(words)
	require.NoError(t, err)
	m.Insts[0].Words = append(m.Insts[0].Words, 77)
	assert.Equal(t, uint16(spirv.OpTypeBool), m.Insts[1].Op)
	assert.Equal(t, []uint32{2}, m.Insts[1].Words)
	assert.Equal(t, uint32(1<<16*2|spirv.OpTypeBool), words[7])
}

func TestTooLong(t *testing.T) {
	m := &spirv.Module{Insts: []spirv.Inst{{Op: spirv.OpNop, Words: make([]uint32, 0xffff)}}}
	_, err := m.Words()
	require.ErrorIs(t, err, spirv.ErrTooLong)
}

func TestStrings(t *testing.T) {
	for _, s := range []string{"", "a", "abc", "abcd", "main\xff"} {
		got, n, err := spirv.String(spirv.StringWords(s))
		require.NoError(t, err)
		assert.Equal(t, s, got)
		assert.Equal(t, len(s)/4+1, n)
	}
	_, _, err := spirv.String([]uint32{0x61616161})
	require.Error(t, err)
}

func TestShape(t *testing.T) {
	for op, want := range map[uint16][3]bool{
		spirv.OpIEqual: {true, true, true}, spirv.OpStore: {false, false, true}, spirv.OpLabel: {false, true, true},
		spirv.OpTypeCooperativeMatrixKHR: {false, true, true}, 4457: {true, true, true}, 4458: {false, false, true},
		333: {true, true, true}, 349: {true, true, true}, 380: {}, 65535: {}, spirv.OpSwitch: {false, false, true},
	} {
		a, b, c := spirv.Shape(op)
		assert.Equal(t, want, [3]bool{a, b, c}, "opcode %d", op)
	}
}
