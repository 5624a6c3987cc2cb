package sim_test

import (
	"go/ast"
	"go/doc"
	"go/parser"
	"go/token"
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// TestExampleCoverage checks that every exported type and method has a comment and an example
// with output.
func TestExampleCoverage(t *testing.T) {
	t.Parallel()
	files := token.NewFileSet()
	var sources, tests []*ast.File
	entries, err := os.ReadDir(".")
	require.NoError(t, err)
	for _, e := range entries {
		if !strings.HasSuffix(e.Name(), ".go") {
			continue
		}
		f, err := parser.ParseFile(files, e.Name(), nil, parser.ParseComments)
		require.NoError(t, err)
		if strings.HasSuffix(e.Name(), "_test.go") {
			tests = append(tests, f)
		} else {
			sources = append(sources, f)
		}
	}
	have := map[string]bool{}
	for _, e := range doc.Examples(tests...) {
		have[e.Name] = e.Output != ""
	}
	p, err := doc.NewFromFiles(files, sources, "sim")
	require.NoError(t, err)
	for _, typ := range p.Types {
		assert.True(t, have[typ.Name], typ.Name)
		assert.NotEmpty(t, typ.Doc, typ.Name)
		for _, m := range typ.Methods {
			assert.True(t, have[typ.Name+"_"+m.Name], typ.Name+"."+m.Name)
			assert.NotEmpty(t, m.Doc, m.Name)
		}
	}
}
