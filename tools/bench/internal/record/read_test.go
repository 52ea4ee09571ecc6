package record

import (
	"bytes"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func sample() *File {
	s := Stat{2, 1, 3, 3}
	return &File{Format: Format, Runs: []Run{{
		Header:  Header{Processor: "p", Commit: "c", Peers: map[string]string{"gonum": "v"}, Missing: map[string]string{"vulkan": "none"}},
		Devices: []Device{{ID: "cpu", Kind: "cpu", Cores: 2, Lanes: 8}},
		Results: []Result{
			{Device: "cpu", Suite: "map", Case: "exp/4", Op: "exp", Size: 4, Work: 32, Seconds: s, Interval: Interval{1, 3, 0.75},
				Samples: [][]float64{{1, 2, 3}}, Rivals: []Rival{{Name: "torch", Seconds: s, Ratio: s, Samples: [][]float64{{2, 2}}}}},
			{Device: "cpu", Suite: "map", Case: "exp/8", Error: "wrong result"},
		},
		Figures: []Figure{{"cpu/submit", 1e-6, "s"}},
	}}}
}

func encode(t testing.TB, f *File) []byte {
	var b bytes.Buffer
	require.NoError(t, f.Write(&b))
	return b.Bytes()
}

func TestReadWrites(t *testing.T) {
	f, err := Read(bytes.NewReader(encode(t, sample())))
	require.NoError(t, err)
	require.Equal(t, sample(), f)
	require.Equal(t, "cpu/map/exp/4", f.Runs[0].Results[0].ID())
	require.True(t, f.Runs[0].Results[0].Timed())
	require.False(t, f.Runs[0].Results[1].Timed())
	v, ok := f.Runs[0].Figure("cpu/submit")
	require.True(t, ok)
	require.Equal(t, 1e-6, v)
	require.Nil(t, f.Runs[0].DeviceOf("vulkan:0"))
}

// What no measurement can be is refused, and the file is named.
func TestReadRefuses(t *testing.T) {
	for name, spoil := range map[string]func(*File){
		"format":         func(f *File) { f.Format = 1 },
		"negative":       func(f *File) { f.Runs[0].Results[0].Work = -1 },
		"huge":           func(f *File) { f.Runs[0].Results[0].Flops = 1e300 },
		"order":          func(f *File) { f.Runs[0].Results[0].Seconds.Min = 9 },
		"zero":           func(f *File) { f.Runs[0].Results[0].Seconds = Stat{N: 1} },
		"error and time": func(f *File) { f.Runs[0].Results[0].Error = "x" },
		"interval":       func(f *File) { f.Runs[0].Results[0].Interval.Low = 5 },
		"sample":         func(f *File) { f.Runs[0].Results[0].Samples[0][1] = 0 },
		"samples":        func(f *File) { f.Runs[0].Results[0].Samples = make([][]float64, mostSamples+1) },
		"rival":          func(f *File) { f.Runs[0].Results[0].Rivals[0].Ratio.N = -1 },
		"rival sample":   func(f *File) { f.Runs[0].Results[0].Rivals[0].Samples[0][0] = -2 },
		"device":         func(f *File) { f.Runs[0].Results[0].Device = "gpu" },
		"no ID":          func(f *File) { f.Runs[0].Devices[0].ID = "" },
		"cores":          func(f *File) { f.Runs[0].Devices[0].Cores = -1 },
		"twice":          func(f *File) { f.Runs[0].Results[1].Case = "exp/4" },
		"text":           func(f *File) { f.Runs[0].Header.Commit = strings.Repeat("x", mostText+1) },
		"figure":         func(f *File) { f.Runs[0].Figures[0].Value = -1 },
		"runs":           func(f *File) { f.Runs = make([]Run, mostRuns+1) },
	} {
		f := sample()
		spoil(f)
		path := filepath.Join(t.TempDir(), "a.json")
		require.NoError(t, os.WriteFile(path, encode(t, f), 0o600))
		_, err := ReadFile(path)
		require.ErrorContains(t, err, path, name)
	}
	for _, text := range []string{"", "{", "[]", "null", `{"format":2,"runs":[{"results":[{"work":1e999}]}]}`, `{"format":2}{}`, `{"format":2,"runs":"x"}`} {
		_, err := Read(strings.NewReader(text))
		require.Error(t, err, text)
	}
	_, err := ReadFile(filepath.Join(t.TempDir(), "none"))
	require.ErrorContains(t, err, "none")
}

func TestMerge(t *testing.T) {
	other := sample()
	other.Runs[0].Header.Processor = "another"
	all := Merge(sample(), other, sample())
	require.Len(t, all.Runs, 2)
	require.NoError(t, all.check())
}

// Whatever is read can be written and read again.
func FuzzRead(f *testing.F) {
	f.Add(encode(f, sample()))
	f.Add([]byte(`{"format":2,"runs":[{"devices":[{"id":"cpu"}],"results":[{"device":"cpu","seconds":{"median":1e29,"min":1,"max":1e30,"n":1}}]}]}`))
	f.Fuzz(func(t *testing.T, raw []byte) {
		file, err := Read(bytes.NewReader(raw))
		if err != nil {
			return
		}
		_, err = Read(bytes.NewReader(encode(t, file)))
		require.NoError(t, err)
		require.LessOrEqual(t, len(Merge(file, file).Runs), len(file.Runs))
	})
}

// The interval holds the median as often as it says, and is that of the binomial tables.
func TestInterval(t *testing.T) {
	require.Equal(t, Interval{}, IntervalOf(nil))
	require.Equal(t, Interval{3, 3, 0}, IntervalOf([]float64{3}))
	xs := []float64{6, 5, 4, 3, 2, 1}
	require.Equal(t, Interval{1, 6, 1 - 2.0/64}, IntervalOf(xs))
	i := IntervalOf(xs[:5])
	require.Less(t, i.Confidence, Confidence)
	require.True(t, math.IsInf(i.Spread(), 1))
	ten := []float64{1, 2, 3, 4, 5, 6, 7, 8, 9, 10}
	i = IntervalOf(ten)
	require.Equal(t, 2.0, i.Low)
	require.Equal(t, 9.0, i.High)
	require.InDelta(t, 0.9785, i.Confidence, 1e-4)
	require.InDelta(t, 7.0/11, i.Spread(), 1e-12)
}
