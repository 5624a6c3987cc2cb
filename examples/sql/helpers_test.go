package main

import (
	"bytes"
	"context"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// postgresDSN returns the DSN of a PostgreSQL server that the tests may use.
func postgresDSN(t *testing.T) string {
	t.Helper()
	dsn := os.Getenv("RETRY_EXAMPLE_DSN")
	if dsn == "" {
		t.Skip("set RETRY_EXAMPLE_DSN to the DSN of a PostgreSQL where schemas may be created, to run this test")
	}
	return dsn
}

// runAndCheck makes the transfers and checks what must hold in both databases. The audit has checked
// that every transfer happened once, or transfers would have returned an error.
func runAndCheck(t *testing.T, dsn string) (string, *summary) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	var out bytes.Buffer
	s, err := transfers(ctx, newLog(&out), dsn)
	require.NoError(t, err)
	require.NoError(t, s.print(&out))
	t.Log(out.String())

	require.Len(t, s.callers, 3)
	attempts := 0
	for _, c := range s.callers[:2] {
		assert.Equal(t, transfersPerWriter, c.transfers)
		assert.LessOrEqual(t, c.most, c.attempts)
		attempts += c.attempts
	}
	assert.Equal(t, 2*transfersPerWriter+s.failures(), attempts)
	assert.Zero(t, s.callers[2].transfers)
	assert.Equal(t, 1, s.callers[2].attempts, "a refused transfer is not repeated")
	assert.Equal(t, balances{1: 1000 - 73, 2: 1000 + 2*73, 3: 1000 - 73}, s.audit)
	assert.Regexp(t, `(?m)^sum +3000 +3000$`, out.String())
	assert.Contains(t, out.String(), "\n32 transfers on record, each once,")
	return out.String(), s
}

// failures returns how many attempts of the writers failed.
func (s *summary) failures() (n int) {
	for _, c := range s.callers[:2] {
		for _, times := range c.failed {
			n += times
		}
	}
	return n
}

func assertNoSchema(t *testing.T, dsn string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	conn, err := pgx.Connect(ctx, dsn)
	require.NoError(t, err)
	defer conn.Close(ctx)
	var n int
	row := conn.QueryRow(ctx, `SELECT count(*) FROM pg_namespace WHERE nspname LIKE 'retrysql\_example\_%'`)
	require.NoError(t, row.Scan(&n))
	assert.Zero(t, n, "schemas are left behind")
}

// cancelingWriter cancels as soon as a text is written.
type cancelingWriter struct {
	at     string
	cancel context.CancelFunc
}

func (w cancelingWriter) Write(b []byte) (int, error) {
	if strings.Contains(string(b), w.at) {
		w.cancel()
	}
	return len(b), nil
}
