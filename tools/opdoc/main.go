// Command opdoc writes docs/ops.md, the page that lists every op: what it
// computes, for which dtypes, whether it has a gradient, and which devices and
// tiers pass its conformance tests.
//
// Usage, from the root of the repository:
//
//	go run ./tools/opdoc [-check]
//
// The rows come from the op table of package ir and the gradient rules of
// package tensor; the devices from docs/conformance/*.json, which the
// conformance tests write:
//
//	FORNAX_CONFORMANCE=$PWD/docs/conformance go test ./cpu ./vk -run Conformance
//
// With -check nothing is written, and the exit status is 1 where the page is
// stale.
package main

import (
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/fornax-ml/fornax/tensor"
	"github.com/fornax-ml/fornax/tensor/devicetest"
	"github.com/fornax-ml/fornax/tensor/ir"
)

func main() {
	check := flag.Bool("check", false, "write nothing; fail where the page is stale")
	flag.Parse()
	if err := run(".", *check); err != nil {
		fmt.Fprintln(os.Stderr, "opdoc:", err)
		os.Exit(1)
	}
}

// run writes or checks the page of the repository at root.
func run(root string, check bool) error {
	records, err := readRecords(filepath.Join(root, "docs", "conformance"))
	if err != nil {
		return err
	}
	page := filepath.Join(root, "docs", "ops.md")
	want := render(records)
	if !check {
		return os.WriteFile(page, want, 0o644)
	}
	have, err := os.ReadFile(page)
	if err != nil {
		return err
	}
	if !bytes.Equal(have, want) {
		return fmt.Errorf("%s is stale: run go run ./tools/opdoc", page)
	}
	return nil
}

func readRecords(dir string) ([]*devicetest.Record, error) {
	files, err := filepath.Glob(filepath.Join(dir, "*.json"))
	if err != nil {
		return nil, err
	}
	var l []*devicetest.Record
	for _, f := range files {
		b, err := os.ReadFile(f)
		if err != nil {
			return nil, err
		}
		r := new(devicetest.Record)
		if err := json.Unmarshal(b, r); err != nil {
			return nil, fmt.Errorf("%s: %w", f, err)
		}
		l = append(l, r)
	}
	slices.SortFunc(l, func(a, b *devicetest.Record) int {
		return strings.Compare(a.Device+a.Driver, b.Device+b.Driver)
	})
	return l, nil
}

var kinds = []struct {
	kind  ir.Kind
	title string
}{
	{ir.KindElementwise, "Elementwise"},
	{ir.KindReduction, "Reductions"},
	{ir.KindMovement, "Movement"},
	{ir.KindMatMul, "Matrix product"},
	{ir.KindGather, "Gather"},
	{ir.KindScatter, "Scatter"},
	{ir.KindCustom, "Custom"},
	{ir.KindSource, "Sources of chains"},
}

// render makes the page.
func render(records []*devicetest.Record) []byte {
	var b bytes.Buffer
	b.WriteString("<!-- Written by tools/opdoc; do not edit. -->\n\n# Ops\n\n")
	b.WriteString("Every op of the table in `tensor/ir`, the gradient rule it has in `tensor`, and the devices whose\nconformance tests it passes, with the dtypes. Movement ops are views: the tests of every kernel family read\nthrough them. An op without a gradient is piecewise constant, a source, or works on integers and bools.\nUnder `tensor.Autocast` low ops compute in the half, high ones in f32, and the others in the dtype of their\noperands.\n\n")
	b.WriteString("## Devices\n\n| | device | model | driver |\n|---|---|---|---|\n")
	for i, r := range records {
		fmt.Fprintf(&b, "| %s | %s | %s | %s |\n", label(i), r.Device, r.Model, r.Driver)
	}
	for _, k := range kinds {
		fmt.Fprintf(&b, "\n## %s\n\n| op | computes | of | gradient | mixed | passes on |\n|---|---|---|---|---|---|\n", k.title)
		for _, row := range ir.Table() {
			if row.Kind == k.kind {
				fmt.Fprintf(&b, "| %s | %s | %s | %s | %s | %s |\n", row.Name, strings.ReplaceAll(row.Doc, "|", "\\|"), dtypes(row.Args), gradient(row), mixed(row.Mixed), passes(row, records))
			}
		}
	}
	return b.Bytes()
}

func label(i int) string { return string(rune('A' + i)) }

func dtypes(c ir.Class) string {
	var l []string
	for _, x := range []struct {
		c ir.Class
		s string
	}{{ir.Floats, "floats"}, {ir.Ints, "integers"}, {ir.Bools, "bool"}} {
		if c&x.c == x.c {
			l = append(l, x.s)
			c &^= x.c
		}
	}
	for _, d := range c.List() {
		l = append(l, d.String())
	}
	return strings.Join(l, ", ")
}

func gradient(row *ir.OpInfo) string {
	switch {
	case tensor.HasGradient(row.Op):
		return "yes"
	case row.Kind == ir.KindCustom:
		return "the user's, or that of the decomposition"
	}
	return ""
}

func mixed(m ir.Mixed) string {
	switch m {
	case ir.MixedLow:
		return "low"
	case ir.MixedHigh:
		return "high"
	}
	return ""
}

// passes groups the devices by the dtypes that pass.
func passes(row *ir.OpInfo, records []*devicetest.Record) string {
	if row.Kind == ir.KindMovement {
		return "views"
	}
	var order []string
	on := map[string][]string{}
	for i, r := range records {
		d := slices.Sorted(slices.Values(r.Passed[row.Name]))
		if len(d) == 0 {
			continue
		}
		key := strings.Join(d, " ")
		if on[key] == nil {
			order = append(order, key)
		}
		on[key] = append(on[key], label(i))
	}
	var parts []string
	for _, key := range order {
		parts = append(parts, strings.Join(on[key], " ")+": "+key)
	}
	return strings.Join(parts, "; ")
}
