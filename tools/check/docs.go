package main

import (
	"fmt"
	"go/ast"
	"go/token"
	"path"
	"slices"
	"strings"
)

// docs reports packages without a doc.go and exported names without a comment.
func (t *tree) docs() (problems []string) {
	type state struct {
		documented bool
		program    bool
	}
	packages := map[string]*state{}
	for name, f := range t.goFiles {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		dir := path.Dir(name)
		p := packages[dir]
		if p == nil {
			p = &state{}
			packages[dir] = p
		}
		p.program = p.program || f.Name.Name == "main"
		base := path.Base(name)
		if f.Doc != nil && (base == "doc.go" || p.program && base == "main.go") {
			p.documented = true
		}
		if f.Name.Name == "main" || ast.IsGenerated(f) {
			continue
		}
		for _, d := range undocumentedIn(f) {
			problems = append(problems, fmt.Sprintf("%s:%d: exported %s has no comment", name, t.fset.Position(d.at.Pos()).Line, d.what))
		}
	}
	for dir, p := range packages {
		switch {
		case p.documented:
		case p.program:
			problems = append(problems, fmt.Sprintf("%s: no package comment in doc.go or main.go", dir))
		default:
			problems = append(problems, fmt.Sprintf("%s: no doc.go with a package comment", dir))
		}
	}
	slices.Sort(problems)
	return problems
}

type finding struct {
	at   ast.Node
	what string
}

// undocumentedIn returns the exported declarations of a file that have no comment.
// In a group the comment of the group does for all of its constants or
// variables, as does a comment at the end of the line; constants of a type of
// the same file may leave it to the type's comment.
func undocumentedIn(f *ast.File) (found []finding) {
	documented := documentedTypes(f)
	for _, decl := range f.Decls {
		switch d := decl.(type) {
		case *ast.FuncDecl:
			if d.Doc != nil || !d.Name.IsExported() {
				continue
			}
			if d.Recv == nil {
				found = append(found, finding{d, "function " + d.Name.Name})
			} else if recv := receiver(d.Recv.List[0].Type); ast.IsExported(recv) && !undocumented[d.Name.Name] {
				found = append(found, finding{d, "method " + recv + "." + d.Name.Name})
			}
		case *ast.GenDecl:
			enum := false // the constant, or the one that it repeats, is of a documented type
			for _, spec := range d.Specs {
				switch s := spec.(type) {
				case *ast.TypeSpec:
					if s.Name.IsExported() && !typeDocumented(d, s) {
						found = append(found, finding{s, "type " + s.Name.Name})
					}
				case *ast.ValueSpec:
					if s.Type != nil || s.Values != nil {
						name, ok := s.Type.(*ast.Ident)
						enum = d.Tok == token.CONST && ok && documented[name.Name]
					}
					if d.Doc != nil || s.Doc != nil || s.Comment != nil || enum {
						continue
					}
					for _, n := range s.Names {
						if n.IsExported() {
							found = append(found, finding{n, d.Tok.String() + " " + n.Name})
						}
					}
				}
			}
		}
	}
	return found
}

func typeDocumented(d *ast.GenDecl, s *ast.TypeSpec) bool {
	return s.Doc != nil || s.Comment != nil || d.Doc != nil && !d.Lparen.IsValid()
}

// documentedTypes returns the names of the types of a file that have a comment.
func documentedTypes(f *ast.File) map[string]bool {
	names := map[string]bool{}
	for _, decl := range f.Decls {
		if d, ok := decl.(*ast.GenDecl); ok {
			for _, spec := range d.Specs {
				if s, ok := spec.(*ast.TypeSpec); ok && typeDocumented(d, s) {
					names[s.Name.Name] = true
				}
			}
		}
	}
	return names
}

// receiver returns the name of a method's type.
func receiver(e ast.Expr) string {
	switch e := e.(type) {
	case *ast.StarExpr:
		return receiver(e.X)
	case *ast.IndexExpr:
		return receiver(e.X)
	case *ast.IndexListExpr:
		return receiver(e.X)
	case *ast.ParenExpr:
		return receiver(e.X)
	case *ast.Ident:
		return e.Name
	}
	return ""
}
