package examples

import (
	"go/ast"
	"go/parser"
	"go/token"
	"testing"

	"github.com/stretchr/testify/require"
)

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

			missing, err := withoutExample(fset, []*ast.File{code, tests})
			require.NoError(t, err)
			require.Equal(t, tt.want, missing)
		})
	}
}

// Nothing is exported here without an example but Missing itself.
func TestMissing(t *testing.T) {
	t.Parallel()
	missing, err := Missing(".")
	require.NoError(t, err)
	require.Equal(t, []string{"Missing"}, missing)
	_, err = Missing("nowhere")
	require.Error(t, err)
}
