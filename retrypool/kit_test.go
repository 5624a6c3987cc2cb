package retrypool_test

import (
	"context"
	"errors"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed-205ff063/retry"
	"github.com/seed-205ff063/retry/retrypool"
)

var (
	errDown = errors.New("down")
	errDead = errors.New("no dead letters today")
)

// inBubble runs the test on virtual time. A goroutine that is left at its end fails it.
func inBubble(t *testing.T, test func(t *testing.T)) {
	t.Helper()
	t.Parallel()
	synctest.Test(t, test)
}

// start makes a pool that must be closed by the test, and is empty by then.
func newPool[In, Out any](t *testing.T, fn func(context.Context, In) (Out, error), c retrypool.Config[In]) *retrypool.Pool[In, Out] {
	t.Helper()
	if c.Workers == 0 {
		c.Workers = 1
	}
	if c.Capacity == 0 {
		c.Capacity = 100
	}
	p, err := retrypool.New(fn, c)
	require.NoError(t, err)
	t.Cleanup(func() {
		require.NoError(t, p.Close(context.Background()))
		s := p.Stats()
		assert.Zero(t, s.Queued+s.Running+s.Parked)
		assertAddsUp(t, s)
	})
	return p
}

// every is a policy that waits for d between its attempts, of which there are at most n.
func waitEvery(d time.Duration, n int, opts ...retry.Option) *retry.Policy {
	return retry.MustNew(append(opts, retry.WithBackoff(retry.Constant(d)), retry.WithMaxAttempts(n))...)
}

// double is a function that succeeds.
func double(_ context.Context, in int) (int, error) { return 2 * in, nil }

// down is one that never does.
func alwaysFails(context.Context, int) (int, error) { return -1, errDown }

// untilEnded runs until its context ends.
func untilEnded(ctx context.Context, _ int) (int, error) {
	<-ctx.Done()
	return 0, context.Cause(ctx)
}

// gate is a function that waits until it is let through.
type latch chan struct{}

func (g latch) fn(ctx context.Context, in int) (int, error) {
	select {
	case <-g:
		return in, nil
	case <-ctx.Done():
		return 0, ctx.Err()
	}
}

func submit[In, Out any](t *testing.T, p *retrypool.Pool[In, Out], in In) *retrypool.Task[Out] {
	t.Helper()
	task, err := p.Submit(context.Background(), in)
	require.NoError(t, err)
	return task
}

func retryError(t *testing.T, err error) *retry.Error {
	t.Helper()
	var e *retry.Error
	require.ErrorAs(t, err, &e)
	return e
}

func assertAddsUp(t assert.TestingT, s retrypool.Stats) {
	assert.Equal(t, s.Submitted, s.Succeeded+s.DeadLettered+s.Failed+s.Canceled+s.Queued+s.Running+s.Parked, "%+v", s)
}

// log collects what happens, in order.
type log[T any] struct {
	mu  sync.Mutex
	all []T
}

func (l *log[T]) add(v T) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.all = append(l.all, v)
}

func (l *log[T]) list() []T {
	l.mu.Lock()
	defer l.mu.Unlock()
	return append([]T(nil), l.all...)
}
