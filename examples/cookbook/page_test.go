package cookbook

import (
	"bytes"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

const root = "../.."

// TestPage checks that every Go block of the page is code of a source file. A comment before the block
// names the file and the declarations:
//
//	<!-- examples/cookbook/json_test.go: User getUser -->
func TestPage(t *testing.T) {
	t.Parallel()
	page, err := os.ReadFile(filepath.Join(root, "docs", "cookbook.md"))
	require.NoError(t, err)
	blocks := strings.Split(string(page), "```go\n")
	require.Greater(t, len(blocks), 17, "one block for each recipe")
	for i, block := range blocks[1:] {
		code, _, closed := strings.Cut(block, "```\n")
		require.True(t, closed, block)
		file, names := source(t, blocks[i])
		assert.Equal(t, declarations(t, file, names), code, "%s: %v", file, names)
	}
}

// TestPageComplete checks that every recipe has code, a paragraph "Mind", and a link in the list.
func TestPageComplete(t *testing.T) {
	t.Parallel()
	page, err := os.ReadFile(filepath.Join(root, "docs", "cookbook.md"))
	require.NoError(t, err)
	parts := strings.Split(string(page), "\n## ")
	require.Greater(t, len(parts), 17)
	for _, recipe := range parts[1:] {
		title, _, _ := strings.Cut(recipe, "\n")
		assert.Contains(t, recipe, "```go\n", title)
		assert.Contains(t, recipe, "**Mind**", title)
		assert.Contains(t, parts[0], "(#"+anchor(title)+")", title)
	}
}

// anchor returns the fragment of a heading's link.
func anchor(title string) string {
	keep := func(r rune) rune {
		switch {
		case r == ' ':
			return '-'
		case r == '-' || r >= 'a' && r <= 'z' || r >= '0' && r <= '9':
			return r
		default:
			return -1
		}
	}
	return strings.Map(keep, strings.ToLower(title))
}

// source returns the file and the declarations that the comment at the end of text names.
func source(t *testing.T, text string) (file string, names []string) {
	t.Helper()
	comment, ok := strings.CutSuffix(text, " -->\n\n")
	require.True(t, ok, "no comment before the code after %q", text[max(0, len(text)-100):])
	comment = comment[strings.LastIndex(comment, "<!-- ")+len("<!-- "):]
	file, list, ok := strings.Cut(comment, ": ")
	require.True(t, ok, comment)
	return file, strings.Fields(list)
}

// declarations returns the named declarations of the file, with their comments.
func declarations(t *testing.T, file string, names []string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(root, file))
	require.NoError(t, err)
	fset := token.NewFileSet()
	f, err := parser.ParseFile(fset, file, text, parser.ParseComments)
	require.NoError(t, err)
	var found []string
	for _, name := range names {
		for _, d := range f.Decls {
			if name == nameOf(d) {
				found = append(found, string(text[fset.Position(start(d)).Offset:fset.Position(d.End()).Offset]))
			}
		}
	}
	require.Len(t, found, len(names), "%s: %v", file, names)
	return strings.Join(found, "\n\n") + "\n"
}

// nameOf returns the first name of a declaration. The name of a method is Type.Method.
func nameOf(d ast.Decl) string {
	switch d := d.(type) {
	case *ast.FuncDecl:
		if d.Recv == nil {
			return d.Name.Name
		}
		var receiver bytes.Buffer
		ast.Inspect(d.Recv.List[0].Type, func(n ast.Node) bool {
			if id, ok := n.(*ast.Ident); ok {
				receiver.WriteString(id.Name)
			}
			return true
		})
		return receiver.String() + "." + d.Name.Name
	case *ast.GenDecl:
		switch s := d.Specs[0].(type) {
		case *ast.TypeSpec:
			return s.Name.Name
		case *ast.ValueSpec:
			return s.Names[0].Name
		}
	}
	return ""
}

// start returns where a declaration begins. The comment is a part of it.
func start(d ast.Decl) token.Pos {
	switch d := d.(type) {
	case *ast.FuncDecl:
		if d.Doc != nil {
			return d.Doc.Pos()
		}
	case *ast.GenDecl:
		if d.Doc != nil {
			return d.Doc.Pos()
		}
	}
	return d.Pos()
}
