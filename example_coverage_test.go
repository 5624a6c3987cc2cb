package retry_test

import (
	"go/ast"
	"go/build"
	"go/doc"
	"go/parser"
	"go/token"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestExampleCoverage holds that every exported name has an example whose output is checked.
func TestExampleCoverage(t *testing.T) {
	t.Parallel()
	dir, err := build.ImportDir(".", 0)
	require.NoError(t, err)

	fset := token.NewFileSet()
	names := slices.Concat(dir.GoFiles, dir.TestGoFiles, dir.XTestGoFiles)
	files := make([]*ast.File, 0, len(names))
	for _, name := range names {
		file, err := parser.ParseFile(fset, name, nil, parser.ParseComments)
		require.NoError(t, err)
		files = append(files, file)
	}

	require.Empty(t, withoutExample(t, fset, files))
}

// TestWithoutExample shows that the check finds what is missing.
func TestWithoutExample(t *testing.T) {
	t.Parallel()
	const output = "{ p.Run()\n// Output: x\n}\n"
	for name, tt := range map[string]struct {
		source, examples string
		want             []string
	}{
		"function":                 {"func Run() {}", "", []string{"Run"}},
		"function with example":    {"func Run() {}", "func ExampleRun() " + output, nil},
		"example with a suffix":    {"func Run() {}", "func ExampleRun_twice() " + output, nil},
		"example of another":       {"func Run() {}", "func ExampleWalk() " + output, []string{"Run"}},
		"example that is not run":  {"func Run() {}", "func ExampleRun() { p.Run() }", []string{"Run"}},
		"example without output":   {"func Run() {}", "func ExampleRun() { p.Run()\n// Output:\n}", []string{"Run"}},
		"unexported":               {"func run() {}", "", nil},
		"type":                     {"type T struct{}", "", []string{"T"}},
		"constructor":              {"type T struct{}; func New() *T { return nil }", "func ExampleT() " + output, []string{"New"}},
		"method":                   {"type T struct{}; func (*T) Go() {}", "func ExampleT() " + output, []string{"T.Go"}},
		"method with example":      {"type T struct{}; func (*T) Go() {}", "func ExampleT() " + output + "func ExampleT_Go() " + output, nil},
		"method of a generic type": {"type T[E any] struct{}; func (T[E]) Go() {}", "func ExampleT() " + output, []string{"T.Go"}},
		"variables, one named":     {"var (A = 1; B = 2)", "func Example() { _ = p.A\n// Output: x\n}", []string{"B"}},
		"variables, both named":    {"var (A = 1; B = 2)", "func Example() { _, _ = p.A, p.B\n// Output: x\n}", nil},
		"variable of one's own":    {"var A = 1", "func Example() { _ = other.A\n// Output: x\n}", []string{"A"}},
		"constant of a type":       {"type T int; const C T = 1", "func ExampleT() " + output, []string{"C"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			fset := token.NewFileSet()
			code, err := parser.ParseFile(fset, "p.go", "package p\n"+tt.source, parser.ParseComments)
			require.NoError(t, err)
			tests, err := parser.ParseFile(fset, "p_test.go", "package p_test\n"+tt.examples, parser.ParseComments)
			require.NoError(t, err)

			require.Equal(t, tt.want, withoutExample(t, fset, []*ast.File{code, tests}))
		})
	}
}

// withoutExample returns the exported names that have no example with output: functions,
// types and methods one of their own, so that their documentation shows it; constants and
// variables one that uses them.
func withoutExample(t *testing.T, fset *token.FileSet, files []*ast.File) (missing []string) {
	t.Helper()
	p, err := doc.NewFromFiles(fset, files, "p")
	require.NoError(t, err)

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
	return missing
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
