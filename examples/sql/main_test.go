package main

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// postgresDSN returns where a PostgreSQL is that the tests may use.
func postgresDSN(t *testing.T) string {
	t.Helper()
	dsn := os.Getenv("RETRY_EXAMPLE_DSN")
	if dsn == "" {
		t.Skip("set RETRY_EXAMPLE_DSN to the DSN of a PostgreSQL where schemas may be created, to run this test")
	}
	return dsn
}

func TestSQLite(t *testing.T) {
	out, s := checkedRun(t, "")
	for _, c := range s.callers[:2] {
		assert.Empty(t, c.settled)
		for code := range c.failed {
			assert.Contains(t, []string{"SQLITE_BUSY", "SQLITE_BUSY_SNAPSHOT"}, code)
		}
	}
	assert.GreaterOrEqual(t, s.failures(), each/4, "one for each meeting")
	assert.Equal(t, map[string]int{"SQLITE_CONSTRAINT_CHECK": 1}, s.callers[2].failed)
	assert.Contains(t, out, "2→1: refused at attempt 1: constraint failed: CHECK constraint failed")
}

func TestPostgres(t *testing.T) {
	dsn := postgresDSN(t)
	out, s := checkedRun(t, dsn)
	settled, collisions := map[string]int{}, 0
	for _, c := range s.callers[:2] {
		collisions += c.failed["SQLSTATE 40001"]
		assert.Equal(t, c.settled["rolled back"], c.failed["no reply"], "those that were committed are no failures")
		for outcome, n := range c.settled {
			settled[outcome] += n
		}
	}
	assert.Positive(t, collisions)
	assert.Positive(t, settled["committed"])
	assert.Positive(t, settled["rolled back"])
	assert.Equal(t, settled["committed"], strings.Count(out, "no reply to COMMIT, the database says: committed\n"))
	assert.Equal(t, settled["rolled back"], strings.Count(out, "no reply to COMMIT, the database says: rolled back\n"))
	assert.Equal(t, map[string]int{"SQLSTATE 23514": 1}, s.callers[2].failed)
	assert.Contains(t, out, "2→1: refused at attempt 1: ERROR: new row")
	assertNoSchema(t, dsn)
}

// checkedRun runs in the database of the DSN and checks what holds in each. That every transfer
// happened once is what audit finds, or else transfers returns an error.
func checkedRun(t *testing.T, dsn string) (string, *summary) {
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
		assert.Equal(t, each, c.transfers)
		assert.LessOrEqual(t, c.most, c.attempts)
		attempts += c.attempts
	}
	assert.Equal(t, 2*each+s.failures(), attempts)
	assert.Zero(t, s.callers[2].transfers)
	assert.Equal(t, 1, s.callers[2].attempts, "what was refused is not repeated")
	assert.Equal(t, balances{1: 1000 - 73, 2: 1000 + 2*73, 3: 1000 - 73}, s.audit)
	assert.Regexp(t, `(?m)^sum +3000 +3000$`, out.String())
	assert.Contains(t, out.String(), "\n32 transfers on record, each once,")
	return out.String(), s
}

// failures is how many attempts of the writers failed.
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

// interrupting cancels as soon as something is written that contains a text.
type interrupting struct {
	at     string
	cancel context.CancelFunc
}

func (w interrupting) Write(b []byte) (int, error) {
	if strings.Contains(string(b), w.at) {
		w.cancel()
	}
	return len(b), nil
}

func TestInterrupted(t *testing.T) {
	dir := t.TempDir()
	for _, name := range []string{"TMPDIR", "TMP"} {
		t.Setenv(name, dir)
	}
	for _, at := range []string{"two writers", "refused"} {
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		require.ErrorIs(t, run(ctx, interrupting{at, cancel}, ""), context.Canceled, at)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	require.ErrorIs(t, run(ctx, io.Discard, ""), context.Canceled)

	left, err := os.ReadDir(dir)
	require.NoError(t, err)
	assert.Empty(t, left)
}

func TestPostgresInterrupted(t *testing.T) {
	dsn := postgresDSN(t)
	for _, at := range []string{"PostgreSQL, level", "says: committed", "says: rolled back", "refused"} {
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		require.ErrorIs(t, run(ctx, interrupting{at, cancel}, dsn), context.Canceled, at)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	require.ErrorIs(t, run(ctx, io.Discard, dsn), context.Canceled)
	assertNoSchema(t, dsn)
}

// Opposite transfers wait for each other, but not in a circle.
func TestPostgresNoDeadlock(t *testing.T) {
	dsn := postgresDSN(t)
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	d, err := openPostgres(ctx, dsn)
	require.NoError(t, err)
	defer func() { assert.NoError(t, d.close()) }()
	there := d.caller("1→2", d.handles[0], newLog(io.Discard))
	back := d.caller("2→1", d.handles[1], newLog(io.Discard))
	m := make(meeting)
	done := make(chan error, 1)
	go func() { done <- there.work(ctx, series("1→2", 1, 2), m) }()
	require.NoError(t, back.work(ctx, series("2→1", 2, 1), m))
	require.NoError(t, <-done)
	assert.Positive(t, there.failed["SQLSTATE 40001"]+back.failed["SQLSTATE 40001"])
	assert.Zero(t, there.failed["SQLSTATE 40P01"]+back.failed["SQLSTATE 40P01"])
}

// A DSN that does not work costs a line, and the password is not on it.
func TestBadDSN(t *testing.T) {
	t.Parallel()
	for dsn, want := range map[string]string{
		"nonsense":                                "-dsn: cannot be used; want postgres://",
		"mysql://me:hush@127.0.0.1/db":            "-dsn: ",
		"postgres://me:hush%ss@127.0.0.1/db":      "-dsn: cannot be used; want postgres://",
		"postgres://me:pass/hush@127.0.0.1/db":    "-dsn: cannot be used; want postgres://",
		"host=127.0.0.1 port=x password=hush":     "-dsn: cannot be used; want postgres://",
		"postgres://me:hush@127.0.0.1:1/db":       "-dsn: failed to connect to `user=me database=db`: 127.0.0.1:1 (127.0.0.1): dial error",
		"host=127.0.0.1 port=1 password=hush":     "-dsn: failed to connect to `user=",
		"postgres://me:hush@127.0.0.1:1,[::1]:1/": "-dsn: failed to connect to `user=me database=",
	} {
		err := run(t.Context(), io.Discard, dsn)
		require.Error(t, err, dsn)
		assert.True(t, strings.HasPrefix(err.Error(), want), err)
		assert.NotContains(t, err.Error(), "hush")
		assert.NotContains(t, err.Error(), "\n")
	}
}

// What the audit is for: it must notice.
func TestAudit(t *testing.T) {
	t.Parallel()
	asked := []transfer{{"a", 1, 2, 10}, {"b", 2, 3, 20}}
	for statement, want := range map[string]string{
		``:                                     "",
		`DELETE FROM transfers WHERE id = 'b'`: "audit: transfer b is on record 0 times, want once",
		`UPDATE transfers SET amount = 11 WHERE id = 'a'`:   "audit: transfer a is on record 0 times, want once",
		`INSERT INTO transfers VALUES ('c', 1, 2, 10)`:      "audit: 3 transfers are on record, want 2",
		`UPDATE accounts SET balance = 1000 WHERE id = 3`:   "audit: account 3 holds 1000, by the record it should be 1020",
		`UPDATE accounts SET balance = 980 WHERE id = 1`:    "audit: account 1 holds 980, by the record it should be 990",
		`DELETE FROM accounts WHERE id = 2; SELECT 1 = '1'`: "audit: account 2 holds 0, by the record it should be 990",
	} {
		ctx := t.Context()
		d, err := openSQLite(ctx)
		require.NoError(t, err)
		c := d.caller("test", d.handles[0], newLog(io.Discard))
		for _, transfer := range asked {
			require.NoError(t, c.make(ctx, transfer, nil))
		}
		_, err = d.handles[1].ExecContext(ctx, statement)
		require.NoError(t, err)

		got, err := audit(ctx, d.handles[0], asked)
		if want == "" {
			require.NoError(t, err)
			assert.Equal(t, balances{1: 990, 2: 990, 3: 1020}, got)
		} else {
			require.EqualError(t, err, want, statement)
		}
		require.NoError(t, d.close())
	}
}

// Another writer's lock is waited for; what a transaction that had to wait meets is counted.
func TestLocked(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	d, err := openSQLite(ctx)
	require.NoError(t, err)
	defer d.close()
	other, err := d.handles[1].BeginTx(ctx, nil)
	require.NoError(t, err)
	_, err = other.ExecContext(ctx, `UPDATE accounts SET balance = 7 WHERE id = 3`)
	require.NoError(t, err)

	c := d.caller("test", d.handles[0], newLog(io.Discard))
	calls := 0
	require.NoError(t, c.make(ctx, transfer{"a", 1, 2, 10}, func(context.Context) error {
		if calls++; calls == 3 {
			return other.Commit()
		}
		return nil
	}))
	// The third has read before the other's change was there to be read, and cannot write.
	assert.Equal(t, map[string]int{"SQLITE_BUSY": 2, "SQLITE_BUSY_SNAPSHOT": 1}, c.failed)
	assert.Equal(t, 4, c.attempts)
	assert.Equal(t, 1, c.transfers)
}

func TestMeeting(t *testing.T) {
	t.Parallel()
	m := make(meeting)
	one, two := m.once(), m.once()
	met := make(chan error, 1)
	go func() { met <- one(t.Context()) }()
	require.NoError(t, two(t.Context()))
	require.NoError(t, <-met)
	require.NoError(t, two(t.Context()), "no second time")

	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	require.ErrorIs(t, m.once()(ctx), context.Canceled)
}

// A reply is withheld at the fourth COMMIT, and the ninth does not arrive.
func TestSaboteur(t *testing.T) {
	t.Parallel()
	var s saboteur
	for i := 1; i <= 14; i++ {
		client, server := net.Pipe()
		heard := make(chan string, 1)
		go func() {
			b := make([]byte, 100)
			n, err := server.Read(b)
			if err == nil {
				_, _ = server.Write([]byte("reply"))
			}
			_ = server.Close()
			heard <- string(b[:n])
		}()
		f := s.wrap(client)
		n, err := f.Write(commitMessage)
		require.NoError(t, err)
		assert.Len(t, commitMessage, n)
		b := make([]byte, 100)
		n, err = f.Read(b)
		switch i {
		case 4, 14:
			require.ErrorIs(t, err, io.EOF)
			assert.Zero(t, n)
			assert.Equal(t, string(commitMessage), <-heard)
		case 9:
			require.ErrorIs(t, err, io.EOF)
			assert.Empty(t, <-heard)
		default:
			require.NoError(t, err)
			assert.Equal(t, "reply", string(b[:n]))
			assert.Equal(t, string(commitMessage), <-heard)
		}
		_ = f.Close()
	}
}

func TestCodeOf(t *testing.T) {
	t.Parallel()
	assert.Equal(t, "no reply", codeOf(errors.New("unexpected EOF")))
	assert.Equal(t, "SQLite's code 13", sqliteName(13))
}

func TestListed(t *testing.T) {
	t.Parallel()
	assert.Equal(t, "none", listed(nil))
	assert.Equal(t, "2 × a, 1 × b", listed(map[string]int{"b": 1, "a": 2}))
}
