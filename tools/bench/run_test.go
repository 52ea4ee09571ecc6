package main

import (
	"bytes"
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/fornax-ml/fornax/cpu"
	"github.com/fornax-ml/fornax/tensor/ir"
	"github.com/fornax-ml/fornax/tools/bench/internal/compare"
	"github.com/fornax-ml/fornax/tools/bench/internal/record"
)

// A wrongDevice is the processor with kernels of which some compute wrongly: the last
// number of what a program of them writes is off.
type wrongDevice struct {
	ir.Device
	wrong func(*ir.Program) bool
	runs  int // of wrong programs
}

func (d *wrongDevice) Compile(p *ir.Program) (ir.Executable, error) {
	x, err := d.Device.Compile(p)
	if err == nil && d.wrong(p) {
		return &wrongExecutable{x, d, p}, nil
	}
	return x, err
}

type wrongExecutable struct {
	ir.Executable
	d *wrongDevice
	p *ir.Program
}

func (d *wrongExecutable) Run(ctx context.Context, args []ir.Buffer, scalars []ir.Scalar) error {
	d.d.runs++
	if err := d.Executable.Run(ctx, args, scalars); err != nil {
		return err
	}
	out := args[d.p.NumArgs()-1]
	at := 4*d.p.Slots[d.p.NumArgs()-1].Len - 4
	old := make([]byte, 4)
	if err := out.Read(old, at); err != nil {
		return err
	}
	return out.Write(at, encode([]float32{decode(old)[0] + 0.01}))
}

// A kernel that computes one number wrongly is reported as wrong and not timed, at every
// size; the others are measured.
func TestPlantedWrongKernel(t *testing.T) {
	d := &wrongDevice{Device: cpu.New(cpu.Options{}), wrong: func(p *ir.Program) bool {
		return strings.Contains(strings.ToLower(p.String()), "exp")
	}}
	s := newSubject("cpu", d)
	defer s.close()
	a, out := testApp(t)
	l := newLab(t.Context())
	l.quick = true
	cases := []benchCase{}
	for _, c := range runCases(l, s) {
		if regexp.MustCompile(`map/(exp|add)/(1|1024)$`).MatchString(l.on(s, c).id()) {
			cases = append(cases, c)
		}
	}
	require.Len(t, cases, 4)
	results := a.measure(l, cases, 2, plan{batch: 1e-4, minRounds: 2, maxCall: 1})
	for _, r := range results {
		if r.Op == "exp" {
			require.Contains(t, r.Error, "wrong result: element", r.Case)
			require.Zero(t, r.Seconds)
			require.Empty(t, r.Samples)
			require.False(t, r.Timed())
		} else {
			require.True(t, r.Timed(), r.Case)
			require.Positive(t, r.Interval.Low)
			require.Len(t, r.Samples, 2)
		}
	}
	require.Equal(t, 2, d.runs, "each wrong kernel ran once, to be looked at")
	run := &record.Run{Devices: []record.Device{s.Device}, Results: results}
	require.NoError(t, writeRun(out, run))
	require.Equal(t, 2, strings.Count(out.String(), "WRONG"))
	require.ErrorContains(t, failures(results), "2 of 4 cases failed")
}

// What all devices are asked is right on the processor, and the files say the same as the
// table.
func TestRunAll(t *testing.T) {
	a, out := testApp(t)
	dir := t.TempDir()
	at := func(name string) string { return filepath.Join(dir, name) }
	only := `limits/(submit|dispatch|copy/1024|download|upload|multiply-add/1$|peak)|(map|reduce|move|index|random)/[a-z_]*/(1|1024)$|matmul/[a-z_]*/(1|16)$|train/[a-z_]*/1$|scaling/matmul`
	require.NoError(t, a.command([]string{"-device", "cpu", "-only", only, "-json", at("a.json"), "-html", at("a.html"), "-o", at("a.txt")}))
	f, err := record.ReadFile(at("a.json"))
	require.NoError(t, err)
	r := f.Runs[0]
	require.Equal(t, "cpu", r.Devices[0].ID)
	require.NotEmpty(t, r.Header.Commit)
	require.Positive(t, r.Header.Took)
	suites := map[string]bool{}
	for _, v := range r.Results {
		require.True(t, v.Timed(), v.ID()+v.Skipped)
		suites[v.Suite] = true
	}
	for _, s := range []string{limitsSuite, mapSuite, reduceSuite, moveSuite, indexSuite, randomSuite, matmulSuite, trainSuite} {
		require.True(t, suites[s], s)
		require.Contains(t, out.String(), s)
	}
	text, err := os.ReadFile(at("a.txt"))
	require.NoError(t, err)
	require.Equal(t, out.String(), string(text))
	html, err := os.ReadFile(at("a.html"))
	require.NoError(t, err)
	require.Contains(t, string(html), "Why GPUs")

	require.NoError(t, a.command([]string{"merge", "-json", at("m.json"), "-html", at("m.html"), at("a.json"), at("a.json")}))
	f, err = record.ReadFile(at("m.json"))
	require.NoError(t, err)
	require.Len(t, f.Runs, 1, "one run, twice")

	require.NoError(t, a.command([]string{"compare", at("a.json"), at("a.json")}))
	require.Contains(t, out.String(), "0 slower, 0 faster")
	thrice := func(x []float64) [][]float64 { return [][]float64{x, x, x} }
	three := *f // passes
	three.Runs[0].Results = append([]record.Result{}, r.Results...)
	for i := range three.Runs[0].Results {
		v := &three.Runs[0].Results[i]
		v.Samples = thrice(v.Samples[0])
	}
	require.NoError(t, toFile(at("c.json"), three.Write))
	for i := range three.Runs[0].Results {
		v := &three.Runs[0].Results[i]
		if v.Case == "exp/1024" {
			v.Samples, v.Seconds = thrice([]float64{1, 1.1, 1.2, 1, 1.1, 1.2, 1, 1.1, 1.2, 1}), record.StatOf([]float64{1})
		}
	}
	require.NoError(t, toFile(at("b.json"), three.Write))
	require.NoError(t, a.command([]string{"compare", at("a.json"), at("b.json")}), "one pass shows suspects")
	require.Contains(t, out.String(), "1 suspects")
	require.ErrorIs(t, a.command([]string{"compare", at("c.json"), at("b.json")}), errSlower)

	readme := at("README.md")
	require.NoError(t, os.WriteFile(readme, []byte("before\n"+readmeBegin+"\nold\n"+readmeEnd+"\nafter\n"), 0o600))
	require.NoError(t, a.command([]string{"readme", "-file", readme, at("a.json")}))
	text, err = os.ReadFile(readme)
	require.NoError(t, err)
	require.Regexp(t, `(?s)^before\n.*commit `+regexp.QuoteMeta(r.Header.Commit)+`.*\| training step, batch 1 \|.*- CPU .*fornax cpu.*\nafter\n$`, string(text))
	require.NotContains(t, string(text), "old\n")
	require.NoError(t, os.WriteFile(readme, []byte("nothing"), 0o600))
	require.ErrorContains(t, a.command([]string{"readme", "-file", readme, at("a.json")}), "no lines")
}

// The peers' columns are in the README's table.
func TestReadmePeers(t *testing.T) {
	one := func(x float64) record.Stat { return record.StatOf([]float64{x}) }
	r := record.Run{
		Header:  record.Header{Processor: "p|q", Commit: "c0ffee", Peers: map[string]string{"gonum": "gonum v0"}},
		Devices: []record.Device{{ID: "cpu", Kind: "cpu", Driver: "fornax cpu, amd64 avx2"}, {ID: "vulkan:0", Kind: "vulkan", Model: "GPU", Driver: "d"}},
		Results: []record.Result{
			{Device: "cpu", Suite: matmulSuite, Op: "matmul", Size: 256, Flops: 4e9, Seconds: one(1), Rivals: []record.Rival{{Name: "gonum", Seconds: one(2)}, {Name: "torch", Missing: "x"}}},
			{Device: "vulkan:0", Suite: matmulSuite, Op: "matmul", Size: 256, Flops: 4e9, Seconds: one(4)},
		},
	}
	text := readmeTables(&record.File{Runs: []record.Run{r}})
	require.Contains(t, text, "|  | CPU avx2 | GPU | gonum |")
	require.Contains(t, text, "| product 256³ | 4.00 GFLOP/s | 1.00 GFLOP/s | 2.00 GFLOP/s |")
	require.Contains(t, text, `p\|q`)
	require.Contains(t, text, "- gonum: gonum v0")
}

// A case that is made to work 10 % longer is found against the same without that, in turns,
// and nothing is found between two that are the same.
func TestCompareRealSlowdown(t *testing.T) {
	work := func(n int) *call {
		x := float32(1)
		return &call{result: []float32{1}, f: func() error {
			for range n {
				x = x*0.999 + 0.001
			}
			if x > 2 {
				t.Error("never")
			}
			return nil
		}}
	}
	a, _ := testApp(t)
	const n = 200_000
	states := map[float64]compare.State{}
	for _, f := range []float64{1, 1.1} {
		right := reference{n: 1, want: func(int) (float64, float64) { return 1, 0 }}
		open := func() (*entry, error) {
			return &entry{ours: work(int(f * n)), reference: right, rivals: []rival{{name: oldSide, contender: work(n)}}}, nil
		}
		// By the processor's clock, as other tests run beside.
		results := a.measure(newLab(t.Context()), []benchCase{{name: "spin", threads: 1, work: 1, open: open}}, 5, plan{batch: 2e-3, minRounds: 12, maxCall: 1})
		c, err := compare.Turns(&record.Run{Results: results}, oldSide, compare.Options{})
		require.NoError(t, err)
		states[f] = c.Verdicts[0].State
	}
	require.Equal(t, map[float64]compare.State{1: compare.Same, 1.1: compare.Slower}, states)
}

// Sizes that would take too long are left out, and those after them.
func TestSkips(t *testing.T) {
	right := reference{n: 1, want: func(int) (float64, float64) { return 1, 0 }}
	var cases []benchCase
	for i, n := range []float64{1, 16, 256, 4096, 65536} {
		s := &scripted{call: always(1e-3 * n), value: []float32{1}}
		c := benchCase{suite: "map", op: "x", name: string(rune('a' + i)), size: n, work: 1, open: func() (*entry, error) {
			return &entry{ours: s, reference: right}, nil
		}}
		if n == 256 {
			c.open = func() (*entry, error) { return &entry{ours: s, reference: right}, nil }
		}
		cases = append(cases, c)
	}
	cases[1].open = func() (*entry, error) { return nil, ir.ErrOutOfMemory }
	a, _ := testApp(t)
	p := plan{batch: 1e-3, minRounds: 2, maxCall: 0.5}
	results := a.measure(newLab(t.Context()), cases, 1, p)
	require.True(t, results[0].Timed())
	for _, r := range results[1:] {
		require.Contains(t, r.Skipped, "memory", r.Case)
		require.Empty(t, r.Error)
	}
	cases[1].open = cases[0].open
	cases[1].open = func() (*entry, error) {
		return &entry{ours: &scripted{call: always(0.016), value: []float32{1}}, reference: right}, nil
	}
	results = a.measure(newLab(t.Context()), cases, 1, p)
	require.True(t, results[2].Timed(), results[2].Skipped)
	require.Contains(t, results[3].Skipped, "would take about 4.")
	require.Equal(t, results[3].Skipped, results[4].Skipped)
}

// A pass ends once its median is known, or at its latest end.
func TestEnough(t *testing.T) {
	p := plan{batch: 1e-3, minRounds: 6, budget: 10, spread: 0.05, most: 30}
	require.True(t, p.goes(5, 1, []float64{1, 1, 1, 1, 1}))
	require.False(t, p.goes(6, 1, []float64{1, 1, 1, 1, 1, 1}))
	require.True(t, p.goes(6, 1, []float64{1, 2, 1, 2, 1, 2}))
	require.False(t, p.goes(6, 11, []float64{1, 2, 1, 2, 1, 2}))
	require.False(t, p.goes(2, 31, []float64{1, 2}))
	require.True(t, p.goes(1, 31, []float64{1}))
}

// The served cases of this build are those that it measures.
func TestCasesEngine(t *testing.T) {
	e, err := casesEngine(t.Context(), "cpu")
	require.NoError(t, err)
	var out bytes.Buffer
	in := strings.NewReader(`{"do":"open","case":"cpu/map/exp/1024"}` + "\n" + `{"do":"run","n":3}` + "\n" + `{"do":"close"}` + "\n" + `{"do":"open","case":"none"}` + "\n")
	require.NoError(t, servePeer(func() (engine, error) { return e, nil }, in, &out))
	lines := strings.Split(strings.TrimSpace(out.String()), "\n")
	require.Len(t, lines, 5)
	var r reply
	require.NoError(t, json.Unmarshal([]byte(lines[2]), &r))
	require.Positive(t, r.Wall)
	require.Contains(t, lines[4], "no case")
}

func TestNextCores(t *testing.T) {
	var l []int
	for n := 1; n <= 20; n = nextCores(n, 20) {
		l = append(l, n)
	}
	require.Equal(t, []int{1, 2, 3, 4, 6, 8, 12, 16, 20}, l)
}
