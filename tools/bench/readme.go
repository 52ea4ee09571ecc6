package main

import (
	"flag"
	"fmt"
	"os"
	"slices"
	"strings"

	"github.com/fornax-ml/fornax/tools/bench/internal/record"
	"github.com/fornax-ml/fornax/tools/bench/internal/report"
)

// The lines between which readme writes.
const (
	readmeBegin = "<!-- measured: written by go run ./tools/bench readme -->"
	readmeEnd   = "<!-- measured: end -->"
)

// runReadme is the subcommand readme: it writes the table of measured figures.
func (a *app) runReadme(args []string) error {
	fs := flag.NewFlagSet("readme", flag.ContinueOnError)
	name := fs.String("file", "README.md", "")
	names, err := parseNames(fs, args, 1)
	if err != nil {
		return err
	}
	f, err := readAll(names)
	if err != nil {
		return err
	}
	report.Derive(f)
	text, err := os.ReadFile(*name)
	if err != nil {
		return err
	}
	out, err := replaceTable(string(text), readmeTables(f))
	if err != nil {
		return fmt.Errorf("%s: %w", *name, err)
	}
	return os.WriteFile(*name, []byte(out), 0o644)
}

// replaceTable puts tables between the two lines.
func replaceTable(text, tables string) (string, error) {
	before, rest, ok := strings.Cut(text, readmeBegin+"\n")
	_, after, ok2 := strings.Cut(rest, readmeEnd)
	if !ok || !ok2 {
		return "", fmt.Errorf("no lines %q and %q", readmeBegin, readmeEnd)
	}
	return before + readmeBegin + "\n" + tables + readmeEnd + after, nil
}

// A readmeRow is a line of the table.
type readmeRow struct {
	name, suite, op string
	size            float64
	show            func(work *record.Result, seconds float64) string
}

var readmeRows = []readmeRow{
	{"start of a program, with the wait", limitsSuite, opSubmit, 0, showTime},
	{"a kernel after another", limitsSuite, opDispatch, 0, showTime},
	{"copy of 16 MiB", limitsSuite, opCopy, 1 << 22, showBytes},
	{"multiply-adds of a kernel", limitsSuite, opArithmetic, 1 << 12, showFlops},
	{"add, 1 Mi elements", mapSuite, "add", 1 << 20, showBytes},
	{"exp, 1 Mi elements", mapSuite, "exp", 1 << 20, showBytes},
	{"softmax of 1024 rows of 1024", reduceSuite, "softmax", 1 << 20, showBytes},
	{"product 256³", matmulSuite, "matmul", 256, showFlops},
	{"product 1024³", matmulSuite, "matmul", 1024, showFlops},
	{"training step, batch 1", trainSuite, "step", 1, showTime},
	{"training step, batch 32", trainSuite, "step", 32, showTime},
	{"training step, batch 128", trainSuite, "step", 128, showTime},
}

func showTime(_ *record.Result, s float64) string  { return record.Show(s, "s") }
func showBytes(r *record.Result, s float64) string { return record.Show(r.Bytes/s, "B/s") }
func showFlops(r *record.Result, s float64) string { return record.Show(r.Flops/s, "flop/s") }

// readmeTables are a table of each run: a column a device, then one a peer.
func readmeTables(f *record.File) string {
	var b strings.Builder
	for i := range f.Runs {
		readmeTable(&b, &f.Runs[i])
	}
	return b.String()
}

func readmeTable(b *strings.Builder, r *record.Run) {
	h := r.Header
	fmt.Fprintf(b, "\n%s, %s, GOMAXPROCS %d, %s, commit %s. Medians of a run; the peers take turns with the CPU device. Training: 784-512-512-10, Adam.\n\n", cell(h.Processor), h.System, h.GOMAXPROCS, h.Go, h.Commit)
	var peers []string
	for _, v := range r.Results {
		for _, p := range v.Rivals {
			if p.Seconds.N > 0 && !slices.Contains(peers, p.Name) {
				peers = append(peers, p.Name)
			}
		}
	}
	slices.Sort(peers)
	head := []string{""}
	for _, d := range r.Devices {
		head = append(head, cell(d.Label()))
	}
	for _, p := range peers {
		head = append(head, cell(p))
	}
	line(b, head)
	line(b, slices.Repeat([]string{"---"}, len(head)))
	for _, row := range readmeRows {
		cells, some := []string{row.name}, false
		others := make([]string, len(peers))
		for _, d := range r.Devices {
			i := slices.IndexFunc(r.Results, func(v record.Result) bool {
				return v.Device == d.ID && v.Suite == row.suite && v.Op == row.op && v.Size == row.size
			})
			text := "–"
			if i >= 0 && r.Results[i].Timed() {
				v := &r.Results[i]
				text, some = row.show(v, v.Seconds.Median), true
				for _, p := range v.Rivals {
					if k := slices.Index(peers, p.Name); k >= 0 && p.Seconds.N > 0 {
						others[k] = row.show(v, p.Seconds.Median)
					}
				}
			}
			cells = append(cells, text)
		}
		for _, s := range others {
			if s == "" {
				s = "–"
			}
			cells = append(cells, s)
		}
		if some {
			line(b, cells)
		}
	}
	b.WriteString("\n")
	for _, d := range r.Devices {
		fmt.Fprintf(b, "- %s: %s, %s\n", cell(d.Label()), cell(d.Model), cell(d.Driver))
	}
	for _, k := range sortedKeys(h.Peers) {
		fmt.Fprintf(b, "- %s: %s\n", cell(k), cell(h.Peers[k]))
	}
}
