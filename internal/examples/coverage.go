// Package examples checks that what a package exports has examples. It is for tests.
package examples

import (
	"go/ast"
	"go/build"
	"go/doc"
	"go/parser"
	"go/token"
	"path/filepath"
	"slices"
)

// Missing returns the exported names of the package in the directory that have no example
// whose output is checked.
func Missing(dir string) ([]string, error) {
	p, err := build.ImportDir(dir, 0)
	if err != nil {
		return nil, err
	}
	fset := token.NewFileSet()
	var files []*ast.File
	for _, name := range slices.Concat(p.GoFiles, p.TestGoFiles, p.XTestGoFiles) {
		file, err := parser.ParseFile(fset, filepath.Join(dir, name), nil, parser.ParseComments)
		if err != nil {
			return nil, err
		}
		files = append(files, file)
	}
	return withoutExample(fset, files)
}

// withoutExample returns the exported names that have no example with output: functions,
// types and methods one of their own, so that their documentation shows it; constants and
// variables one that uses them.
func withoutExample(fset *token.FileSet, files []*ast.File) (missing []string, err error) {
	p, err := doc.NewFromFiles(fset, files, "p")
	if err != nil {
		return nil, err
	}
	used := map[string]bool{}
	see := func(examples []*doc.Example) (run bool) {
		for _, example := range examples {
			if example.Output != "" {
				run = true
				markUsed(used, p.Name, example.Code)
			}
		}
		return run
	}
	check := func(name string, examples []*doc.Example) {
		if !see(examples) {
			missing = append(missing, name)
		}
	}

	see(p.Examples)
	groups := slices.Concat(p.Consts, p.Vars)
	for _, f := range p.Funcs {
		check(f.Name, f.Examples)
	}
	for _, typ := range p.Types {
		check(typ.Name, typ.Examples)
		for _, f := range typ.Funcs {
			check(f.Name, f.Examples)
		}
		for _, m := range typ.Methods {
			check(typ.Name+"."+m.Name, m.Examples)
		}
		groups = slices.Concat(groups, typ.Consts, typ.Vars)
	}
	for _, group := range groups {
		for _, name := range group.Names {
			if ast.IsExported(name) && !used[name] {
				missing = append(missing, name)
			}
		}
	}
	return missing, nil
}

// markUsed marks the names of package pkg that the code uses.
func markUsed(used map[string]bool, pkg string, code ast.Node) {
	ast.Inspect(code, func(n ast.Node) bool {
		if selector, ok := n.(*ast.SelectorExpr); ok {
			if from, ok := selector.X.(*ast.Ident); ok && from.Name == pkg {
				used[selector.Sel.Name] = true
			}
		}
		return true
	})
}
