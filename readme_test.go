package retry_test

import (
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// The first example of the README is the code of Example, which is compiled and run.
func TestReadmeExample(t *testing.T) {
	t.Parallel()
	readme, err := os.ReadFile("README.md")
	require.NoError(t, err)
	tests, err := os.ReadFile("example_test.go")
	require.NoError(t, err)

	require.NotContains(t, string(readme), "@@", "a figure is missing")
	_, program, ok := strings.Cut(string(readme), "```go\n")
	require.True(t, ok, "README.md has no example")
	program, _, _ = strings.Cut(program, "```")

	want := functionBody(t, program, "func main() {")
	require.NotEmpty(t, want)
	require.Equal(t, want, functionBody(t, string(tests), "func Example() {"))
}

// functionBody returns the text between the function's first line and its closing brace.
func functionBody(t *testing.T, source, function string) string {
	t.Helper()
	_, text, ok := strings.Cut(source, function+"\n")
	require.True(t, ok, "no %s", function)
	text, _, ok = strings.Cut(text, "\n}\n")
	require.True(t, ok, "no end of %s", function)
	return text
}
