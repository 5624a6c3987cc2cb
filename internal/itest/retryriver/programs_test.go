package retryriver_test

import (
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed-205ff063/retry/internal/itest/servers"
)

// runProgram builds a program of another module of this repository and returns what it prints.
func runProgram(t *testing.T, module, pkg string, args ...string) string {
	t.Helper()
	program := filepath.Join(t.TempDir(), "program")
	build := exec.CommandContext(t.Context(), "go", "build", "-o", program, pkg)
	build.Dir = filepath.Join("..", "..", "..", module)
	text, err := build.CombinedOutput()
	require.NoError(t, err, "%s", text)
	out, err := exec.CommandContext(t.Context(), program, args...).CombinedOutput()
	require.NoError(t, err, "%s", out)
	t.Logf("%s", out)
	return string(out)
}

// The example examples/durable works on River too.
func TestDurableExample(t *testing.T) {
	server := servers.Postgres(t)
	out := runProgram(t, "examples", "./durable", "-jobs", "200", "-dsn", server.DSN(""))
	assert.Contains(t, out, "200 jobs, 3 worker processes, River\n"+
		"a worker was killed and started again\nthe server dropped all connections\n")
	for _, job := range []string{"50", "100", "150", "200"} { // each has a line of its own if its worker was killed
		assert.Regexp(t, `permanent error after \d+: no such user: jobs \[(\d+ )*`+job+`[\] ]`, out)
	}
	for _, job := range []string{"77", "154"} {
		assert.Regexp(t, `attempts exhausted after \d+: mailbox is busy: jobs \[(\d+ )*`+job+`[\] ]`, out)
	}
	assert.Contains(t, out, "lost                0\n")
}

// The program benchmarks/river works.
func TestBenchmark(t *testing.T) {
	server := servers.Postgres(t)
	out := runProgram(t, "benchmarks", "./river", "-jobs", "100", "-rounds", "1", "-dsn", server.DSN(""))
	assert.Contains(t, out, "### nothing fails\n")
	assert.Contains(t, out, "| **retryriver** |")
}
