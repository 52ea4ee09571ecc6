package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// plant writes files into a new module and returns its folder.
func plant(t *testing.T, files map[string]string) string {
	t.Helper()
	root := t.TempDir()
	files["go.mod"] = "module example.com/m\n\ngo 1.26\n"
	for name, text := range files {
		path := filepath.Join(root, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(path), 0o777); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	return root
}

func read(t *testing.T, files map[string]string) *tree {
	t.Helper()
	tr, err := readTree(plant(t, files))
	if err != nil {
		t.Fatal(err)
	}
	return tr
}

// expect compares problems with the parts that they must contain, in order.
func expect(t *testing.T, got []string, want ...string) {
	t.Helper()
	ok := len(got) == len(want)
	for i := range min(len(got), len(want)) {
		ok = ok && strings.Contains(got[i], want[i])
	}
	if !ok {
		t.Errorf("got\n\t%s\nwant\n\t%s", strings.Join(got, "\n\t"), strings.Join(want, "\n\t"))
	}
}

func TestArrows(t *testing.T) {
	tests := []struct {
		file, imports string
		want          string // empty: allowed
	}{
		{"tensor/ir/a.go", "m/cpu", "tensor/ir imports cpu: it may import tensor/ir/..."},
		{"tensor/ir/a.go", "golang.org/x/sys/cpu", "tensor/ir imports golang.org/x/sys/cpu: it may import the standard library"},
		{"tensor/ir/a.go", "encoding/json", ""},
		{"tensor/ir/internal/x/a.go", "m/tensor/ir", ""},
		{"tensor/ir/a_test.go", "github.com/stretchr/testify/assert", ""},
		{"tensor/plan/a.go", "m/tensor/ir", ""},
		{"tensor/plan/a.go", "m/tensor", "tensor/plan imports tensor"},
		{"tensor/plan/a.go", "m/cpu", "tensor/plan imports cpu"},
		{"tensor/a.go", "m/tensor/plan", ""},
		{"tensor/a.go", "m/cpu", ""},
		{"tensor/a.go", "m/vk", "tensor imports vk"},
		{"tensor/a.go", "m/nn", "tensor imports nn"},
		{"tensor/a.go", "m/tensor/devicetest", "tensor imports tensor/devicetest"},
		{"tensor/devicetest/a.go", "m/tensor", ""},
		{"tensor/devicetest/a.go", "testing", ""},
		{"tensor/devicetest/a.go", "m/vk", "tensor/devicetest imports vk"},
		{"cpu/a.go", "m/tensor/ir", ""},
		{"cpu/a.go", "m/cpu/internal/gemm", ""},
		{"cpu/a.go", "golang.org/x/sys/cpu", ""},
		{"cpu/a.go", "m/tensor", "cpu imports tensor: it may import tensor/ir/..., cpu/..."},
		{"cpu/a_windows.go", "m/tensor", "cpu imports tensor"},
		{"cpu/in_test.go", "m/tensor", "cpu imports tensor"},
		{"vk/a.go", "m/tensor", "vk imports tensor: it may import tensor/ir/..., shaders/..., vk/internal/..."},
		{"vk/a.go", "m/tensor/plan", "vk imports tensor/plan"},
		{"vk/a.go", "m/shaders/spirv", ""},
		{"vk/a.go", "m/vk/internal/driver", ""},
		{"vk/internal/driver/a.go", "m/tensor/ir", "vk/internal/driver imports tensor/ir: it may import nothing of this module"},
		{"vk/internal/driver/a.go", "github.com/vulkan-go/vulkan", ""},
		{"vk/internal/x/a.go", "m/tensor/ir", ""},
		{"shaders/a.go", "m/tensor/ir", "shaders imports tensor/ir"},
		{"shaders/a.go", "embed", ""},
		{"nn/a.go", "m/tensor", ""},
		{"nn/a.go", "m/nn/data", ""},
		{"nn/a.go", "m/vk", "nn imports vk"},
		{"nn/a.go", "m/cpu", "nn imports cpu"},
		{"nn/data/a.go", "m/tensor", "nn/data imports tensor"},
		{"nn/data/mnist/a.go", "m/nn/data", ""},
		{"nn/a.go", "github.com/stretchr/testify/require", "nn imports github.com/stretchr/testify/require, which is for tests only"},
		{"nn/a.go", "testing/iotest", "for tests only"},
		{"nn/a_test.go", "github.com/stretchr/testify/require", ""},
		{"examples/x/main.go", "m/vk", ""},
		{"tools/bench/main.go", "testing", ""},
		{"tools/bench/a.go", "gonum.org/v1/gonum/stat", ""},
		{"tools/bench/a_test.go", "gonum.org/v1/gonum/stat", ""},
		{"tools/opdoc/a.go", "gonum.org/v1/gonum/stat", "tools/opdoc imports gonum.org/v1/gonum/stat, which is for tools/bench/... only"},
		{"nn/a_test.go", "gonum.org/v1/gonum/mat", "for tools/bench/... only"},
		{"other/a.go", "fmt", "no rule says what package other may import"},
	}
	for _, test := range tests {
		t.Run(test.file+" "+test.imports, func(t *testing.T) {
			imported := test.imports
			if own, ok := strings.CutPrefix(imported, "m/"); ok {
				imported = "example.com/m/" + own
			}
			tr := read(t, map[string]string{test.file: fmt.Sprintf("package p\n\nimport _ %q\n", imported)})
			if test.want == "" {
				expect(t, tr.imports(rules))
			} else {
				expect(t, tr.imports(rules), test.want)
			}
		})
	}
}

func TestArrowsExternalTest(t *testing.T) {
	tr := read(t, map[string]string{
		"vk/a.go":           "package vk\n",
		"vk/device_test.go": "package vk_test\n\nimport _ \"example.com/m/tensor/devicetest\"\n",
	})
	expect(t, tr.imports(rules))
	tr = read(t, map[string]string{"cpu/a_test.go": "package cpu_test\n\nimport _ \"gonum.org/v1/gonum/mat\"\n"})
	expect(t, tr.imports(rules), "for tools/bench/... only")
}

// What is not the module's own code is left alone.
func TestTreeLeavesOut(t *testing.T) {
	bad := "package p\n\nimport _ \"example.com/m/tensor\"\n"
	tr := read(t, map[string]string{
		"vk/testdata/a.go":       bad,
		"vk/.hidden/a.go":        bad,
		"examples/own/go.mod":    "module example.com/own\n",
		"examples/own/vk/vk.go":  bad,
		"examples/own/deep/a.go": "package deep\n",
	})
	expect(t, tr.imports(rules))
	expect(t, tr.docs())
}

func TestReadTreeErrors(t *testing.T) {
	if _, err := readTree(t.TempDir()); err == nil {
		t.Error("a folder without go.mod accepted")
	}
	if _, err := readTree(plant(t, map[string]string{"cpu/a.go": "package"})); err == nil {
		t.Error("a file that does not parse accepted")
	}
}

func TestLengths(t *testing.T) {
	long := strings.Repeat("// line\n", 11)
	tr := read(t, map[string]string{
		"a/long.go":      long + "package a\n",
		"a/long.comp":    long,
		"a/long.md":      long,
		"a/allowed.c":    long,
		"a/short.go":     "package a\n",
		"a/generated.go": "// Code generated by x. DO NOT EDIT.\n" + long + "package a\n",
	})
	expect(t, tr.lengths(10, map[string]string{"a/allowed.c": "a reason", "a/short.go": "none"}),
		"a/long.comp: 11 lines: want at most 10", "a/long.go: 12 lines", "a/short.go: needs no exception")
}

func TestDocs(t *testing.T) {
	tr := read(t, map[string]string{
		"a/doc.go": "// Package a is here.\npackage a\n",
		"a/a.go": `package a

func F() {}

// G is known.
func G() {}

func h() {}

type T struct{}

func (*T) M() {}

func (T) Error() string { return "" }

// U is known.
type U[X any] struct{}

func (u *U[X]) M() {}

type v struct{}

func (v) M() {}

const C = 1

// D and E are known.
const (
	D = 1
	E = 2
)

const (
	U1 U[int] = iota
)

// K is a kind.
type K int

const (
	K1 K = iota
	K2
	L = 3
)

var (
	V = 1 // of one
	W = 2
)
`,
		"b/b.go":              "// Package b has its comment elsewhere.\npackage b\n",
		"tools/x/main.go":     "// X does it.\npackage main\n\nfunc Exported() {}\n",
		"tools/y/y.go":        "// Y hides it.\npackage main\n",
		"c/only_test.go":      "package c\n\nfunc Exported() {}\n",
		"a/generated_code.go": "// Code generated by x. DO NOT EDIT.\n\npackage a\n\nfunc Made() {}\n",
	})
	expect(t, tr.docs(),
		"a/a.go:10: exported type T has no comment",
		"a/a.go:12: exported method T.M has",
		"a/a.go:19: exported method U.M has",
		"a/a.go:25: exported const C has",
		"a/a.go:34: exported const U1 has",
		"a/a.go:3: exported function F has",
		"a/a.go:43: exported const L has",
		"a/a.go:48: exported var W has",
		"b: no doc.go with a package comment",
		"tools/y: no package comment in doc.go or main.go")
}
