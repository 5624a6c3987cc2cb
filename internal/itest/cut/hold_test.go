package cut_test

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed-205ff063/retry/internal/itest/cut"
)

// hold holds a connection before and after COMMIT. The client waits until CloseAll.
func hold(t *testing.T, r *rig) {
	for i, test := range []struct {
		at   cut.Point
		want int
	}{{cut.BeforeCommit, 0}, {cut.AfterCommit, 1}} {
		tx, err := r.conn(t).BeginTx(t.Context(), nil)
		require.NoError(t, err)
		_, err = tx.ExecContext(t.Context(), r.insert, i)
		require.NoError(t, err)
		r.HoldNext(test.at, 1)
		done := make(chan error, 1)
		go func() { done <- tx.Commit() }()
		count := func() (n int) {
			require.NoError(t, r.direct.QueryRow("SELECT count(*) FROM n").Scan(&n))
			return n
		}
		require.Eventually(t, func() bool { return r.Cuts()[test.at] == 1 && count() == test.want }, 10*time.Second, time.Millisecond)
		select {
		case err := <-done:
			require.Fail(t, "the connection was not held", "%v", err)
		case <-time.After(20 * time.Millisecond):
		}
		r.CloseAll()
		require.Error(t, <-done)
		assert.Equal(t, test.want, r.countOf(t, i))
	}
}

// holdWithDeadline has a client's deadline pass while its connection is held. Most drivers give up
// then. pq asks the server to cancel the statement and waits for the server, so it needs CloseAll.
func holdWithDeadline(t *testing.T, r *rig) {
	conn := r.conn(t)
	r.HoldNext(cut.AfterStatement, 1)
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	done := make(chan error, 1)
	go func() {
		_, err := conn.ExecContext(ctx, r.insert, 1)
		done <- err
	}()
	select {
	case err := <-done:
		require.Error(t, err)
		t.Logf("the driver gave up: %s", describe(err))
		r.CloseAll()
	case <-time.After(500 * time.Millisecond):
		r.CloseAll()
		err := <-done
		require.Error(t, err)
		t.Logf("the driver waited for CloseAll: %s", describe(err))
	}
	require.ErrorIs(t, ctx.Err(), context.DeadlineExceeded)
	assert.Equal(t, 1, r.countOf(t, 1))
}

func closeAll(t *testing.T, r *rig) {
	a, b := r.conn(t), r.conn(t)
	r.CloseAll()
	r.waitUntilSettled(t)
	_, err := a.ExecContext(t.Context(), r.insert, 1)
	require.Error(t, err)
	t.Logf("an idle connection that was reset: %s", describe(err))
	_, err = b.BeginTx(t.Context(), nil)
	require.Error(t, err)
	assert.Empty(t, r.Cuts())
	require.NoError(t, r.conn(t).PingContext(t.Context()))
}

// TestRestart restarts the server, which ends all connections.
func TestRestart(t *testing.T) {
	t.Parallel()
	for _, target := range targets {
		if target.options != "" {
			continue
		}
		t.Run(target.name, func(t *testing.T) {
			t.Parallel()
			s := target.start(t)
			r := newRig(t, target, s)
			tx, err := r.conn(t).BeginTx(t.Context(), nil)
			require.NoError(t, err)
			s.Restart(t)
			_, err = tx.ExecContext(t.Context(), r.insert, 1)
			require.Error(t, err)
			t.Logf("after a restart: %s", describe(err))
			require.NoError(t, r.conn(t).PingContext(t.Context()))
		})
	}
}
