package report

import (
	"bytes"
	"fmt"
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"gonum.org/v1/plot/plotter"

	"github.com/fornax-ml/fornax/tools/bench/internal/record"
)

// machine is a run of a processor and a GPU of which each has its own costs.
func machine(name string) record.Run {
	r := record.Run{
		Header: record.Header{Processor: name, Commit: "c0ffee", Missing: map[string]string{"vulkan:1": "<b>lost</b>"}},
		Devices: []record.Device{
			{ID: "cpu", Kind: "cpu", Model: name, Driver: "fornax cpu, amd64 avx2", Cores: 4, Lanes: 8},
			{ID: "vulkan:0", Kind: "vulkan", Model: "Big GPU <script>alert(1)</script>", Driver: "drv"},
		},
	}
	for _, d := range r.Devices {
		start, rate, memory := 1e-6, 2e11, 2e10
		if d.Kind != "cpu" {
			start, rate, memory = 1e-4, 1e13, 5e11
		}
		add := func(suite, op string, size, flops, bytes float64) {
			t := start + flops/rate + bytes/memory
			r.Results = append(r.Results, record.Result{Device: d.ID, Suite: suite, Case: fmt.Sprintf("%s/%v", op, size), Op: op, Size: size, Flops: flops, Bytes: bytes,
				Seconds: record.StatOf([]float64{t}), Interval: record.Interval{Low: t, High: t}})
		}
		add(limits, "submit", 0, 0, 0)
		add(limits, "dispatch", 0, 0, 0)
		for n := 1.0; n <= 1<<20; n *= 32 {
			add(limits, "copy", n, 0, 8*n)
			add(limits, "multiply-add", n, 56*256*n, 0)
			add("map", "exp", n, n, 8*n)
			add("map", "exp_backward", n, 2*n, 12*n)
		}
		for n := 1.0; n <= 4096; n *= 4 {
			add(matmul, "matmul", n, 2*n*n*n, 12*n*n)
			add(train, "step", n, 1e6*n, 1e6)
		}
		if d.Kind == "cpu" {
			for n := 1.0; n <= 4; n *= 2 {
				add(scaling, "matmul", n, 1e9/n, 0)
			}
		}
	}
	r.Results = append(r.Results, record.Result{Device: "cpu", Suite: "map", Case: "tanh/4", Op: "tanh", Error: "wrong result: element 3 & more"})
	return r
}

func write(t testing.TB, f *record.File) string {
	var b bytes.Buffer
	require.NoError(t, Write(&b, f))
	return b.String()
}

// The page has no other numbers in its text than the figures of the record, stands alone,
// and shows what others wrote as text.
func TestPage(t *testing.T) {
	f := &record.File{Format: record.Format, Runs: []record.Run{machine("One"), machine("Two")}}
	Derive(f)
	html := write(t, f)
	if path := os.Getenv("REPORT_OUT"); path != "" {
		require.NoError(t, os.WriteFile(path, []byte(html), 0o600))
	}
	keys := regexp.MustCompile(`data-key="([^"]*)">([^<]*)<`).FindAllStringSubmatch(html, -1)
	require.Greater(t, len(keys), 50)
	shown := map[string]bool{}
	for _, r := range f.Runs {
		for _, v := range r.Figures {
			shown[v.Key+"="+record.Show(rounded(v), v.Unit)] = true
		}
	}
	for _, k := range keys {
		require.True(t, shown[k[1]+"="+k[2]], "%s: %s", k[1], k[2])
	}
	require.NotContains(t, html, "<script")
	require.NotContains(t, html, "<b>lost")
	require.Contains(t, html, "wrong result: element 3 &amp; more")
	for _, link := range []string{"http://", "https://", "url(", "@import", "src="} {
		require.NotContains(t, html, link)
	}
	require.Equal(t, strings.Count(html, "<svg"), strings.Count(html, "</svg>"))
	require.GreaterOrEqual(t, strings.Count(html, "<svg"), 9)
	require.NotRegexp(t, `(fill|stroke):#`, html, "a colour that has no variable")
	require.Contains(t, html, "faster on Big GPU")
	require.NotContains(t, html, "No GPU was measured")
	require.Contains(t, html, "(run 2)")
}

// Every number of the tables is that of a result.
func TestTables(t *testing.T) {
	f := &record.File{Runs: []record.Run{machine("One")}}
	html := write(t, f)
	for _, r := range f.Runs[0].Results {
		if r.Timed() {
			require.Contains(t, html, record.Show(r.Seconds.Median, "s"))
		}
	}
	require.Equal(t, "–", tableCell(nil))
	require.Equal(t, "skipped", tableCell(&record.Result{Skipped: "x"}))
	require.Equal(t, "failed", tableCell(&record.Result{Error: "x"}))
	require.Contains(t, tableCell(&record.Result{Seconds: record.StatOf([]float64{2}), OnDevice: record.StatOf([]float64{1})}), "device 1.00 s")
}

func TestDerive(t *testing.T) {
	f := &record.File{Runs: []record.Run{machine("One")}}
	Derive(f)
	r := &f.Runs[0]
	get := func(key string) float64 {
		v, ok := r.Figure(key)
		require.True(t, ok, key)
		return v
	}
	require.InEpsilon(t, 1e-4, get("vulkan:0/submit"), 1e-9)
	require.InEpsilon(t, 2e10, get("cpu/copy"), 0.01)
	require.InEpsilon(t, 2e11, get("cpu/peak"), 0.05)
	require.Equal(t, 32.0, get("cpu/lanes"))
	require.InDelta(t, 4, get("cpu/scaling/matmul"), 0.01)
	// A processor of 2e10 B/s needs 1e-4 s for 250,000 elements of exp.
	require.InEpsilon(t, 250_000, get("vulkan:0/crossover/map/exp"), 0.5)
	require.Greater(t, get("vulkan:0/gain/matmul/matmul"), 10.0)
	_, ok := r.Figure("vulkan:0/loss/matmul/matmul")
	require.False(t, ok)
	require.Equal(t, 32768.0, get("vulkan:0/wide"))
}

func TestCrossover(t *testing.T) {
	line := func(times ...float64) *curve {
		c := &curve{}
		for i, x := range times {
			c.results = append(c.results, &record.Result{Size: float64(int(1) << i), Seconds: record.StatOf([]float64{x})})
		}
		return c
	}
	for _, c := range []struct {
		base, other []float64
		size, gain  float64
		ok          bool
	}{
		{[]float64{1, 1, 1}, []float64{2, 2, 2}, 0, 0.5, false},
		{[]float64{1, 2, 4}, []float64{2, 2, 2}, 2, 2, true},
		{[]float64{4, 4, 4}, []float64{2, 2, 2}, 1, 2, true},
		{[]float64{4, 1, 4}, []float64{2, 2, 2}, 2 * 1.4142135, 2, true}, // not from the first
		{[]float64{1}, nil, 0, 0, false},
	} {
		size, gain, ok := crossover(line(c.base...), line(c.other...))
		require.InDelta(t, c.size, size, 1e-6)
		require.Equal(t, c.gain, gain)
		require.Equal(t, c.ok, ok)
	}
}

func TestTicks(t *testing.T) {
	labels := func(low, high float64, unit string) (l []string) {
		for _, k := range (decades{unit, 6}).Ticks(low, high) {
			if k.Label != "" {
				l = append(l, k.Label)
			}
		}
		return l
	}
	require.Equal(t, []string{"1 µs", "10 µs", "100 µs", "1 ms"}, labels(9e-7, 2e-3, "s"))
	require.Equal(t, []string{"1", "1 k", "1 M"}, labels(1, 1e7, ""))
	require.Equal(t, []string{"1", "2", "5"}, labels(0.9, 6, ""))
	require.Equal(t, []string{"1 GB/s", "10 GB/s"}, labels(1e9, 2e10, "B/s"))
	require.Equal(t, []string{"0.1", "1", "10"}, labels(0.1, 20, ""))
	c := chart{series: []series{{xy: plotter.XYs{{X: 1, Y: 1}}}}}
	require.Contains(t, string(c.svg()), "<svg", "one point is a plot too")
	require.Empty(t, (&chart{}).svg())
}

// Whatever a record says, a page comes of it.
func FuzzWrite(f *testing.F) {
	run := machine("One")
	var b bytes.Buffer
	require.NoError(f, (&record.File{Format: record.Format, Runs: []record.Run{run}}).Write(&b))
	f.Add(b.Bytes())
	f.Add([]byte(`{"format":2,"runs":[{"devices":[{"id":"cpu","kind":"cpu"},{"id":"x"}],"results":[
		{"device":"cpu","suite":"map","op":"a","case":"1","size":1e-30,"flops":1e30,"bytes":1e-30,"seconds":{"median":1e-300,"min":1e-300,"max":1,"n":1}},
		{"device":"x","suite":"map","op":"a","case":"1","size":1e-30,"bytes":1e30,"seconds":{"median":1e30,"min":1e30,"max":1e30,"n":1}}]}]}`))
	f.Fuzz(func(t *testing.T, raw []byte) {
		file, err := record.Read(bytes.NewReader(raw))
		if err != nil {
			return
		}
		write(t, file)
		var b bytes.Buffer
		require.NoError(t, file.Write(&b))
		_, err = record.Read(&b)
		require.NoError(t, err, "figures are as they must be")
	})
}
