package main

import (
	"context"
	"io"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestSQLite(t *testing.T) {
	out, s := runAndCheck(t, "")
	for _, c := range s.callers[:2] {
		assert.Empty(t, c.settled)
		for code := range c.failed {
			assert.Contains(t, []string{"SQLITE_BUSY", "SQLITE_BUSY_SNAPSHOT"}, code)
		}
	}
	assert.GreaterOrEqual(t, s.failures(), transfersPerWriter/4, "one conflict for each rendezvous")
	assert.Equal(t, map[string]int{"SQLITE_CONSTRAINT_CHECK": 1}, s.callers[2].failed)
	assert.Contains(t, out, "2→1: refused at attempt 1: constraint failed: CHECK constraint failed")
}

// A transaction waits for another writer's lock, and its failed attempts are counted.
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
	require.NoError(t, c.makeTransfer(ctx, transfer{"a", 1, 2, 10}, func(context.Context) error {
		if calls++; calls == 3 {
			return other.Commit()
		}
		return nil
	}))
	// The third attempt read before the other transaction was committed, so it cannot write.
	assert.Equal(t, map[string]int{"SQLITE_BUSY": 2, "SQLITE_BUSY_SNAPSHOT": 1}, c.failed)
	assert.Equal(t, 4, c.attempts)
	assert.Equal(t, 1, c.transfers)
}
