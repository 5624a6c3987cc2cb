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

// inBubble runs the test in a synctest bubble, on virtual time. A goroutine that is left at the end
// fails the test.
func inBubble(t *testing.T, test func(t *testing.T)) {
	t.Helper()
	t.Parallel()
	synctest.Test(t, test)
}

// newPool makes a pool and closes it at the end of the test. It sets Workers to 1 and Capacity to
// 100 if they are not set.
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

// waitEvery returns a policy of at most n attempts that waits for d between them.
func waitEvery(d time.Duration, n int, opts ...retry.Option) *retry.Policy {
	return retry.MustNew(append(opts, retry.WithBackoff(retry.Constant(d)), retry.WithMaxAttempts(n))...)
}

// double is a function that always succeeds.
func double(_ context.Context, in int) (int, error) { return 2 * in, nil }

// alwaysFails is a function that never succeeds.
func alwaysFails(context.Context, int) (int, error) { return -1, errDown }

// untilEnded is a function that runs until its context ends.
func untilEnded(ctx context.Context, _ int) (int, error) {
	<-ctx.Done()
	return 0, context.Cause(ctx)
}

// latch has a function that waits for an element of the channel, or until it is closed.
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

// log collects values in order.
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
