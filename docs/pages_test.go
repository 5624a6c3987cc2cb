// Package docs_test checks the pages of the documentation. It is part of the root module, so that
// the go command runs it again when a page has changed.
package docs_test

import (
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed-205ff063/retry"
)

// pages maps the pages that this package checks to the files with their code.
var pages = map[string][]string{
	"choosing.md":  {"../examples/choosing/choosing_test.go"},
	"migrating.md": {"../examples/migrating/migrating_test.go", "../retrygrpc/example_migrating_test.go"},
	"why.md":       nil,
}

// TestCode checks that each Go block of a page is in a file that is compiled.
func TestCode(t *testing.T) {
	t.Parallel()
	for page, sources := range pages {
		var code strings.Builder
		for _, source := range sources {
			text, err := os.ReadFile(source)
			require.NoError(t, err)
			code.Write(text)
		}
		blocks := strings.Split(read(t, page), "```go\n")[1:]
		assert.Equal(t, len(sources) > 0, len(blocks) > 0, page)
		for _, block := range blocks {
			block, _, _ = strings.Cut(block, "```")
			assert.Contains(t, unindent(code.String()), unindent(block), page)
		}
	}
}

// unindent removes the indentation: a page indents code less than a function does.
func unindent(code string) string {
	lines := strings.Split(code, "\n")
	for i, line := range lines {
		lines[i] = strings.TrimLeft(line, "\t")
	}
	return strings.Join(lines, "\n")
}

// TestPolicies parses each policy text on the pages.
func TestPolicies(t *testing.T) {
	t.Parallel()
	policies := regexp.MustCompile("[`'](?:name=[^'`]*)?((?:max_attempts|max_elapsed|backoff)=[^`']*)[`']")
	found := 0
	for page := range pages {
		for _, m := range policies.FindAllStringSubmatch(read(t, page), -1) {
			found++
			_, err := retry.Parse(m[1])
			assert.NoError(t, err, "%s: %s", page, m[1])
		}
	}
	assert.Greater(t, found, 20)
}

func read(t *testing.T, page string) string {
	t.Helper()
	text, err := os.ReadFile(page)
	require.NoError(t, err)
	return string(text)
}
