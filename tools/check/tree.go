package main

import (
	"bytes"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// A tree is the module's source files, by their slash-separated paths from its
// root.
type tree struct {
	root   string
	module string
	files  []string
	nested []string // folders of other modules inside this one
	fset   *token.FileSet
	parsed map[string]*ast.File
}

// readTree finds the files that git tracks or would track; all files, where there
// is no git. Hidden folders and testdata are left out.
func readTree(root string) (*tree, error) {
	t := &tree{root: root, fset: token.NewFileSet(), parsed: map[string]*ast.File{}}
	mod, err := os.ReadFile(filepath.Join(root, "go.mod"))
	if err != nil {
		return nil, err
	}
	for line := range strings.Lines(string(mod)) {
		if name, ok := strings.CutPrefix(line, "module "); ok {
			t.module = strings.TrimSpace(name)
		}
	}
	if t.module == "" {
		return nil, fmt.Errorf("%s: no module line", filepath.Join(root, "go.mod"))
	}
	all, err := listFiles(root)
	if err != nil {
		return nil, err
	}
	for _, name := range all {
		if hidden(name) {
			continue
		}
		if dir := path.Dir(name); path.Base(name) == "go.mod" && dir != "." {
			t.nested = append(t.nested, dir)
		}
		t.files = append(t.files, name)
	}
	slices.Sort(t.files)
	for _, name := range t.files {
		if !strings.HasSuffix(name, ".go") {
			continue
		}
		f, err := parser.ParseFile(t.fset, filepath.Join(root, filepath.FromSlash(name)), nil, parser.ParseComments|parser.SkipObjectResolution)
		if err != nil {
			return nil, err
		}
		t.parsed[name] = f
	}
	return t, nil
}

func listFiles(root string) ([]string, error) {
	cmd := exec.Command("git", "-C", root, "ls-files", "-z", "--cached", "--others", "--exclude-standard")
	if _, err := os.Stat(filepath.Join(root, ".git")); err == nil {
		if out, err := cmd.Output(); err == nil {
			var files []string
			for name := range bytes.SplitSeq(out, []byte{0}) {
				// A file that git knows may be deleted.
				if info, err := os.Stat(filepath.Join(root, string(name))); err == nil && info.Mode().IsRegular() {
					files = append(files, string(name))
				}
			}
			return files, nil
		}
	}
	var files []string
	err := filepath.WalkDir(root, func(name string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		rel, err := filepath.Rel(root, name)
		if err != nil {
			return err
		}
		if d.IsDir() && rel != "." && strings.HasPrefix(d.Name(), ".") {
			return fs.SkipDir
		}
		if d.Type().IsRegular() {
			files = append(files, filepath.ToSlash(rel))
		}
		return nil
	})
	return files, err
}

// hidden reports whether a folder of the path is none of the project's code.
func hidden(name string) bool {
	for dir := range strings.SplitSeq(path.Dir(name), "/") {
		if dir == "testdata" || strings.HasPrefix(dir, ".") && dir != "." {
			return true
		}
	}
	return false
}

// inNested reports whether the file is of another module.
func (t *tree) inNested(name string) bool {
	return slices.ContainsFunc(t.nested, func(dir string) bool { return strings.HasPrefix(name, dir+"/") })
}

// goFiles yields the Go files of the module in order.
func (t *tree) goFiles(yield func(name string, f *ast.File) bool) {
	for _, name := range t.files {
		if f := t.parsed[name]; f != nil && !t.inNested(name) && !yield(name, f) {
			return
		}
	}
}

// matches reports whether a pattern covers a package. See rule.
func matches(pattern, pkg string) bool {
	if pattern == "..." {
		return true
	}
	if dir, ok := strings.CutSuffix(pattern, "/..."); ok {
		return pkg == dir || strings.HasPrefix(pkg, dir+"/")
	}
	return pkg == pattern
}

func matchesAny(patterns []string, pkg string) bool {
	return slices.ContainsFunc(patterns, func(p string) bool { return matches(p, pkg) })
}

// imports reports the imports that the rules forbid.
func (t *tree) imports(rules []rule) (problems []string) {
	unknown := map[string]bool{}
	for name, f := range t.goFiles {
		pkg := path.Dir(name)
		test := strings.HasSuffix(name, "_test.go")
		i := slices.IndexFunc(rules, func(r rule) bool { return matches(r.pattern, pkg) })
		if i < 0 {
			if !unknown[pkg] {
				unknown[pkg] = true
				problems = append(problems, fmt.Sprintf("%s: no rule says what package %s may import: add one to tools/check/rules.go", name, pkg))
			}
			continue
		}
		for _, spec := range f.Imports {
			imported, err := strconv.Unquote(spec.Path.Value)
			if err != nil {
				continue
			}
			at := fmt.Sprintf("%s:%d: ", name, t.fset.Position(spec.Pos()).Line)
			if !test && !matchesAny(testLibraries, pkg) && !matchesAny(programs, pkg) && matchesAny(testHelpers, imported) {
				problems = append(problems, fmt.Sprintf("%s%s imports %s, which is for tests only", at, pkg, imported))
			}
			if who, ok := confinedTo(imported); ok && !matchesAny(who, pkg) {
				problems = append(problems, fmt.Sprintf("%s%s imports %s, which is for %s only", at, pkg, imported, list(who)))
				continue
			}
			if test && strings.HasSuffix(f.Name.Name, "_test") {
				continue
			}
			own, isOwn := strings.CutPrefix(imported, t.module+"/")
			switch {
			case isOwn && !matchesAny(rules[i].may, own):
				problems = append(problems, fmt.Sprintf("%s%s imports %s: it may import %s", at, pkg, own, list(rules[i].may)))
			case !isOwn && !test && rules[i].stdOnly && imported != "C" && strings.Contains(strings.Split(imported, "/")[0], "."):
				problems = append(problems, fmt.Sprintf("%s%s imports %s: it may import the standard library and %s", at, pkg, imported, list(rules[i].may)))
			}
		}
	}
	return problems
}

// confinedTo returns which packages alone may import a package, where a rule says
// so.
func confinedTo(imported string) (who []string, ok bool) {
	for pattern, who := range confined {
		if matches(pattern, imported) {
			return who, true
		}
	}
	return nil, false
}

func list(patterns []string) string {
	if len(patterns) == 0 {
		return "nothing of this module"
	}
	return strings.Join(patterns, ", ")
}

// generated is the line by which a generated file says that it is one.
var generated = regexp.MustCompile(`(?m)^(//|/\*|#) Code generated .* DO NOT EDIT\.`)

var sourceTypes = []string{".go", ".comp", ".glsl", ".c", ".h", ".s"}

// lengths reports the files of more than most lines and the exceptions that
// are none.
func (t *tree) lengths(most int, exceptions map[string]string) (problems []string) {
	used := map[string]bool{}
	for _, name := range t.files {
		if !slices.Contains(sourceTypes, path.Ext(name)) {
			continue
		}
		text, err := os.ReadFile(filepath.Join(t.root, filepath.FromSlash(name)))
		if err != nil {
			problems = append(problems, err.Error())
			continue
		}
		n := bytes.Count(text, []byte("\n"))
		if n <= most || generated.Match(text[:min(len(text), 4096)]) {
			continue
		}
		if exceptions[name] != "" {
			used[name] = true
			continue
		}
		problems = append(problems, fmt.Sprintf("%s: %d lines: want at most %d (split it, or give a reason in tools/check/rules.go)", name, n, most))
	}
	for name := range exceptions {
		if !used[name] {
			problems = append(problems, fmt.Sprintf("%s: needs no exception from the length of files: take it out of tools/check/rules.go", name))
		}
	}
	slices.Sort(problems)
	return problems
}
