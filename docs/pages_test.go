// Package docs_test checks the pages of the documentation. It is in the root module, where the go
// command notices that a page has changed and does not answer from its cache.
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

// pages are the pages that this test looks after, and where their code is compiled.
var pages = map[string][]string{
	"choosing.md":  {"../examples/choosing/choosing_test.go"},
	"migrating.md": {"../examples/migrating/migrating_test.go", "../retrygrpc/example_migrating_test.go"},
	"why.md":       nil,
}

// TestCode compares each block of Go in a page with the code that is compiled.
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
			assert.Contains(t, flush(code.String()), flush(block), page)
		}
	}
}

// flush removes the indentation, which is less in a page than in a function.
func flush(code string) string {
	lines := strings.Split(code, "\n")
	for i, line := range lines {
		lines[i] = strings.TrimLeft(line, "\t")
	}
	return strings.Join(lines, "\n")
}

// TestPolicies parses each policy that a page shows as text.
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

// TestLinks looks for the file and the heading that each relative link names.
func TestLinks(t *testing.T) {
	t.Parallel()
	links, code := regexp.MustCompile(`\]\(([^)\s]+)\)`), regexp.MustCompile("(?s)```.*?```|`[^`\n]*`")
	for page := range pages {
		found := links.FindAllStringSubmatch(code.ReplaceAllString(read(t, page), ""), -1)
		assert.NotEmpty(t, found, page)
		for _, m := range found {
			if strings.HasPrefix(m[1], "https://") {
				continue
			}
			file, heading, _ := strings.Cut(m[1], "#")
			if file == "" {
				file = page
			}
			assert.FileExists(t, file, page)
			if heading != "" {
				assert.Contains(t, anchors(read(t, file)), heading, page)
			}
		}
	}
}

// anchors returns the names that links to the page's headings use.
func anchors(page string) (names []string) {
	drop := regexp.MustCompile(`[^\p{L}\p{N} _-]`)
	for line := range strings.SplitSeq(page, "\n") {
		if title, ok := strings.CutPrefix(line, "## "); ok {
			title = drop.ReplaceAllString(strings.ToLower(title), "")
			names = append(names, strings.ReplaceAll(title, " ", "-"))
		}
	}
	return names
}

func read(t *testing.T, page string) string {
	t.Helper()
	text, err := os.ReadFile(page)
	require.NoError(t, err)
	return string(text)
}
