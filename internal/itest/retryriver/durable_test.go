package retryriver_test

import (
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed-205ff063/retry/internal/itest/servers"
)

// The example does on River what it does on NATS.
func TestDurableExample(t *testing.T) {
	server := servers.Postgres(t)
	program := filepath.Join(t.TempDir(), "durable")
	build := exec.CommandContext(t.Context(), "go", "build", "-o", program, "./durable")
	build.Dir = "../../../examples"
	text, err := build.CombinedOutput()
	require.NoError(t, err, "%s", text)

	out, err := exec.CommandContext(t.Context(), program, "-jobs", "200", "-dsn", server.DSN("")).CombinedOutput()
	require.NoError(t, err, "%s", out)
	t.Logf("%s", out)
	assert.Contains(t, string(out), "200 jobs, 3 worker processes, River\n"+
		"a worker was killed and started again\nthe server dropped all connections\n")
	assert.Regexp(t, `permanent error after \d: no such user: jobs \[50 100 150 200\]`, string(out))
	assert.Regexp(t, `attempts exhausted after 4: mailbox is busy: jobs \[77 154\]`, string(out))
	assert.Contains(t, string(out), "lost                0\n")
}
