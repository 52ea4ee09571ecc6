package main

import (
	"bytes"
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/fornax-ml/fornax/tensor"
	"github.com/fornax-ml/fornax/tools/bench/internal/record"
)

// tinyCases are cases of every suite, and of every op, that take no time.
func tinyCases(l *lab) (cases []benchCase) {
	cases = append(cases, productCases(l, [][3]int{{5, 7, 9}, {1, 40, 33}})...)
	cases = append(cases, mlpCases(l, []int{4}, 12, 9, 5)...)
	cases = append(cases, halfCases(l, [][3]int{{5, 70, 33}})...)
	cases = append(cases, memoryCases(l, 33, 65)...)
	return append(cases, rowsCases(l, 50, 8, 70)...)
}

func testApp(t *testing.T) (*app, *bytes.Buffer) {
	out := &bytes.Buffer{}
	return &app{ctx: t.Context(), stdin: strings.NewReader(""), stdout: out, stderr: &bytes.Buffer{}}, out
}

// All that is measured is right, without peers.
func TestSmoke(t *testing.T) {
	a, out := testApp(t)
	l := newLab(t.Context())
	defer l.close()
	cases := tinyCases(l)
	tallies := make([]tally, len(cases))
	var results []record.Result
	for i, c := range cases {
		tallies[i].c = c
		for range 2 {
			tallies[i].pass(plan{batch: 1e-4, minRounds: 2, maxCall: 5})
		}
		r := tallies[i].result()
		require.Empty(t, r.Error, c.id())
		require.Equal(t, 4, r.Rounds, c.id())
		require.Equal(t, 2, r.Seconds.N, c.id())
		require.Positive(t, r.Seconds.Min, c.id())
		require.Equal(t, errNoPeers.Error(), r.Rivals[0].Missing, c.id())
		results = append(results, r)
	}
	shareOfCopy(results)
	o := options{out: filepath.Join(t.TempDir(), "a.md"), json: filepath.Join(t.TempDir(), "a.json")}
	require.NoError(t, a.report(o, newHeader(l, 2), results))
	md, err := os.ReadFile(o.out)
	require.NoError(t, err)
	require.Equal(t, out.String(), string(md))
	for _, s := range suites {
		require.Contains(t, out.String(), "## "+s.title)
	}
	require.Contains(t, out.String(), "OpenBLAS: missing in")
	back, err := record.ReadFile(o.json)
	require.NoError(t, err)
	require.Equal(t, results, back.Runs[0].Results)
}

// A wrong result is reported and not timed; a wrong peer is left out.
func TestWrongResults(t *testing.T) {
	a, out := testApp(t)
	right := reference{n: 2, want: func(i int) (float64, float64) { return float64(i + 1), 0 }}
	good := &scripted{call: always(0.02), value: []float32{1, 2}}
	bad := &scripted{call: always(0.02), value: []float32{1, 2.5}}
	of := func(name string, e *entry, err error) *tally {
		return &tally{c: benchCase{suite: mlpSuite, name: name, threads: 2, work: 1, open: func() (*entry, error) { return e, err }}}
	}
	var results []record.Result
	for _, y := range []*tally{
		of("wrong", &entry{ours: bad, reference: right}, nil),
		of("broken", nil, errors.New("no memory | at all")),
		of("fine", &entry{ours: good, reference: right, rivals: []rival{{name: "torch", ratio: "ratio", contender: bad}, {name: "slow", ratio: "ratio", contender: &scripted{call: always(9), value: []float32{1, 2}}}}}, nil),
	} {
		y.pass(testPlan)
		y.pass(testPlan)
		results = append(results, y.result())
	}
	require.Equal(t, "wrong result: element 1 is 2.5, want 2 to within 0", results[0].Error)
	require.Zero(t, bad.batch, "it was timed")
	require.Zero(t, results[0].Seconds.N)
	require.Equal(t, 2, results[2].Seconds.N)
	require.Contains(t, results[2].Rivals[0].Missing, "wrong result")
	require.Equal(t, errSlow.Error(), results[2].Rivals[1].Missing)
	require.ErrorContains(t, a.report(options{}, record.Header{}, results), "2 of 3 cases failed")
	require.Contains(t, out.String(), "| wrong | 2 | **wrong result: element 1 is 2.5, want 2 to within 0** |")
	require.Contains(t, out.String(), `no memory \| at all`)
}

// An interrupted run shows what it has measured, and not the case that it was at.
func TestInterrupted(t *testing.T) {
	a, _ := testApp(t)
	var stop context.CancelFunc
	a.ctx, stop = context.WithCancel(t.Context())
	right := reference{n: 1, want: func(int) (float64, float64) { return 1, 0 }}
	batches := 0
	good := func() (*entry, error) {
		return &entry{reference: right, ours: &scripted{value: []float32{1}, call: func(int) float64 {
			batches++
			return 1
		}}}, nil
	}
	gone := func() (*entry, error) {
		stop()
		return nil, errors.New("the process ended")
	}
	l := newLab(a.ctx)
	l.quick = true
	results := a.measure(l, []benchCase{{name: "a", open: good}, {name: "b", open: gone}, {name: "c", open: good}}, 2, quickPlan)
	require.Len(t, results, 1)
	require.Equal(t, "a", results[0].Case)
	require.Empty(t, results[0].Error)
	require.Equal(t, 1, results[0].Seconds.N)
	require.Equal(t, results[0].Rounds+1, batches, "c is not run any more")
}

func TestShareOfCopy(t *testing.T) {
	one := func(x float64) record.Stat { return statOf(x, x, x, 1) }
	results := []record.Result{
		{Suite: memorySuite, Case: "copy", Work: 8, Seconds: one(4), Rivals: []record.Rival{{Seconds: one(2)}}},
		{Suite: memorySuite, Case: "exp", Work: 8, Seconds: one(8), Rivals: []record.Rival{{Missing: "x"}}},
		{Suite: mlpSuite, Case: "b", Work: 1, Seconds: one(8)},
		{Suite: rowsSuite, Case: "gather", Threads: 2, Work: 8, Seconds: one(8)},
	}
	shareOfCopy(results)
	require.Equal(t, 0.5, results[0].Share.Median, "the peer's copy is faster")
	require.Equal(t, 1.0, results[0].Rivals[0].Share.Median)
	require.Equal(t, 0.25, results[1].Share.Median)
	require.Zero(t, results[1].Rivals[0].Share.N)
	require.Zero(t, results[2].Share.N)
	require.Zero(t, results[3].Share.N, "no copy on two threads")
}

func TestMarkdown(t *testing.T) {
	var b strings.Builder
	s := suite{productSuite, "Products", "GFLOP/s", 1e9, "peak", "A note."}
	s.table(&b, "avx2", []record.Result{
		{Case: "a", Threads: 1, Work: 4e9, Seconds: statOf(0.1, 0.05, 0.2, 3), Share: statOf(0.5, 0.5, 0.5, 1), Rivals: []record.Rival{
			{Name: "P", RatioName: "ratio", Seconds: statOf(0.4, 0.2, 0.8, 3), Ratio: statOf(4, 3, 5, 3)},
			{Name: "Q", RatioName: "ratio", Seconds: statOf(1, 1, 1, 1), Ratio: statOf(16, 16, 16, 1)}}},
		{Case: "b", Threads: 2, Work: 4e9, Seconds: statOf(4, 4, 4, 1), Waited: statOf(0.4, 0.4, 0.4, 1), Rivals: []record.Rival{{Name: "P", RatioName: "ratio", Missing: "away"}, {Name: "Q", RatioName: "ratio", Seconds: statOf(2, 2, 2, 1), Ratio: statOf(0.25, 0.25, 0.25, 1)}}},
	})
	require.Equal(t, `
## Products, avx2

A note.

| case | threads | ours GFLOP/s | % of peak | P GFLOP/s | % of peak | ratio | Q GFLOP/s | % of peak | ratio |
| --- | --- | --- | --- | --- | --- | --- | --- | --- | --- |
| a | 1 | 40.0 (20.0–80.0) | 50.0 | 10.0 (5.00–20.0) | – | 4.00 (3.00–5.00) | 4.00 | – | 16.0 |
| b | 2 | 1.00 | – | – | – | – | 2.00 | – | 0.250 |

P: ratio 4.00 in the geometric mean of 1; least 4.00, a on 1.

P: missing in 1 of 2 rows: away.

Q: ratio 2.00 in the geometric mean of 2; least 0.250, b on 2.

The machine had other work: in 1 of 1 rows on two threads ours waited for a processor for more than 5% of their time.
`, b.String())
}

func TestUsage(t *testing.T) {
	for _, c := range []struct {
		args []string
		code int
		out  string
		err  string
	}{
		{[]string{"help"}, exitOK, "usage: go run ./tools/bench [flags]", ""},
		{[]string{"-x"}, exitUsage, "", "-x"},
		{[]string{"-device", "gpu"}, exitUsage, "", "no device \"gpu\""},
		{[]string{"-device", "cpu", "-only", "nothing at all"}, exitUsage, "", "no case matches"},
		{[]string{"-quick", "-full"}, exitUsage, "", "-quick and -full"},
		{[]string{"merge"}, exitUsage, "", "at least 1"},
		{[]string{"merge", "no such file"}, exitFailed, "", "no such file"},
		{[]string{"compare", "a"}, exitUsage, "", "at least 2"},
		{[]string{"compare", "-alpha", "7", "a", "b"}, exitUsage, "", "alpha"},
		{[]string{"compare", "no such file", "b"}, exitFailed, "", "no such file"},
		{[]string{"compare", "-run", "no such file", "b"}, exitFailed, "", "no such file"},
		{[]string{"readme", "-h"}, exitOK, "usage:", ""},
		{[]string{"readme", "no such file"}, exitFailed, "", "no such file"},
		{[]string{"-h"}, exitOK, "usage:", ""},
		{[]string{"cpu", "-h"}, exitOK, "usage:", ""},
		{[]string{"gpu"}, exitUsage, "", `no command "gpu"`},
		{[]string{"cpu", "-x"}, exitUsage, "", "-x"},
		{[]string{"cpu", "more"}, exitUsage, "", "unexpected"},
		{[]string{"cpu", "-repeat", "-1"}, exitUsage, "", "positive"},
		{[]string{"cpu", "-only", "("}, exitUsage, "", "missing closing"},
		{[]string{"cpu", "-only", "nothing at all"}, exitUsage, "", "no case matches"},
		{[]string{"peer", "mkl"}, exitUsage, "", "no peer"},
		{[]string{"tune", "-h"}, exitOK, "usage:", ""},
		{[]string{"vulkan", "-h"}, exitOK, "usage:", ""},
		{[]string{"vulkan", "-x"}, exitUsage, "", "-x"},
		{[]string{"tune", "-x"}, exitUsage, "", "-x"},
		{[]string{"tune", "more"}, exitUsage, "", "unexpected"},
		{[]string{"tune", "-merge", "out"}, exitUsage, "", "records"},
		{[]string{"tune", "-merge", "out", "no such file"}, exitFailed, "", "no such file"},
	} {
		var out, errs bytes.Buffer
		code := run(t.Context(), c.args, strings.NewReader(""), &out, &errs)
		require.Equal(t, c.code, code, "%q", c.args)
		require.Contains(t, out.String(), c.out, "%q", c.args)
		require.Contains(t, errs.String(), c.err, "%q", c.args)
	}
}

// The usage tells of each flag, and of no other.
func TestUsageIsTrue(t *testing.T) {
	rest, ofTune, ok := strings.Cut(usage, "\ntune times")
	require.True(t, ok)
	ofAll, rest, ok := strings.Cut(rest, "\ncpu measures")
	require.True(t, ok)
	ofCPU, ofVulkan, ok := strings.Cut(rest, "\nvulkan measures")
	require.True(t, ok)
	ofAll, _, ok = strings.Cut(ofAll, "\nmerge joins")
	require.True(t, ok)
	flags := func(text string) (l []string) {
		for _, f := range strings.Split(text, "\n  -")[1:] {
			name, _, _ := strings.Cut(f, " ")
			l = append(l, name)
		}
		return l
	}
	args := map[string]string{"only": "x", "repeat": "2", "python": "p", "o": "f", "json": "f", "dir": "d", "device": "v", "html": "h"}
	list := func(name string) []string {
		if v, ok := args[name]; ok {
			return []string{"-" + name, v}
		}
		return []string{"-" + name}
	}
	for _, name := range flags(ofAll) {
		_, err := parseRun(list(name), newLab(t.Context()))
		require.NoError(t, err, name)
	}
	require.Len(t, flags(ofAll), 10)
	for _, name := range flags(ofCPU) {
		_, err := parseCPU(list(name), newLab(t.Context()))
		require.NoError(t, err, name)
	}
	require.Len(t, flags(ofCPU), 7)
	require.Equal(t, []string{"device"}, flags(ofVulkan))
	for _, name := range flags(ofTune) {
		_, err := parseTune(list(name))
		require.NoError(t, err, name)
	}
	require.Len(t, flags(ofTune), 3)
}

// Every shape, layout and dtype that tune names can be computed.
func TestTuningJobs(t *testing.T) {
	d, err := tensor.Open("cpu")
	require.NoError(t, err)
	for _, j := range tuningJobs(true) {
		if !strings.Contains(j.name, "512") {
			require.NoError(t, j.run(d), j.name)
		}
	}
}

// Names are distinct, and the cases are those that the documentation names.
func TestCases(t *testing.T) {
	l := newLab(t.Context())
	seen := map[string]bool{}
	for _, c := range cpuCases(l) {
		require.False(t, seen[c.id()], c.id())
		seen[c.id()] = true
		require.Positive(t, c.work, c.id())
	}
	for _, name := range []string{"mlp/batch32/1t", "memory/exp/2t", "rows/scatter/1t", "product/" + levels()[0] + "/1024x1024x1024/NT/1t"} {
		if mostThreads() > 1 || !strings.HasSuffix(name, "2t") {
			require.True(t, seen[name], name)
		}
	}
	all := len(seen)
	l.quick = true
	require.Less(t, len(cpuCases(l)), all)
}

func statOf(median, low, high float64, n int) record.Stat {
	return record.Stat{Median: median, Min: low, Max: high, N: n}
}
