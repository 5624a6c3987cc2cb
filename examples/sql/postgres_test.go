package main

import (
	"context"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestPostgres(t *testing.T) {
	dsn := postgresDSN(t)
	out, s := runAndCheck(t, dsn)
	settled, collisions := map[string]int{}, 0
	for _, c := range s.callers[:2] {
		collisions += c.failed["SQLSTATE 40001"]
		assert.Equal(t, c.settled["rolled back"], c.failed["no reply"], "a commit without a reply is not a failure")
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

func TestPostgresInterrupted(t *testing.T) {
	dsn := postgresDSN(t)
	for _, at := range []string{"PostgreSQL, level", "says: committed", "says: rolled back", "refused"} {
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		require.ErrorIs(t, run(ctx, cancelingWriter{at, cancel}, dsn), context.Canceled, at)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	require.ErrorIs(t, run(ctx, io.Discard, dsn), context.Canceled)
	assertNoSchema(t, dsn)
}

// Opposite transfers conflict, but they do not deadlock.
func TestPostgresNoDeadlock(t *testing.T) {
	dsn := postgresDSN(t)
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	d, err := openPostgres(ctx, dsn)
	require.NoError(t, err)
	defer func() { assert.NoError(t, d.close()) }()
	there := d.caller("1→2", d.handles[0], newLog(io.Discard))
	back := d.caller("2→1", d.handles[1], newLog(io.Discard))
	r := make(rendezvous)
	done := make(chan error, 1)
	go func() { done <- there.work(ctx, newTransfers("1→2", 1, 2), r) }()
	require.NoError(t, back.work(ctx, newTransfers("2→1", 2, 1), r))
	require.NoError(t, <-done)
	assert.Positive(t, there.failed["SQLSTATE 40001"]+back.failed["SQLSTATE 40001"])
	assert.Zero(t, there.failed["SQLSTATE 40P01"]+back.failed["SQLSTATE 40P01"])
}

// The error of a DSN that does not work is one line, without the password.
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
