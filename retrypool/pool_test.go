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
	"github.com/seed-205ff063/retry/internal/examples"
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

// every is a policy that waits for d between its attempts, of which there are at most n.
func every(d time.Duration, n int, opts ...retry.Option) *retry.Policy {
	return retry.MustNew(append(opts, retry.WithBackoff(retry.Constant(d)), retry.WithMaxAttempts(n))...)
}

// double is a function that succeeds.
func double(_ context.Context, in int) (int, error) { return 2 * in, nil }

// down is one that never does.
func down(context.Context, int) (int, error) { return -1, errDown }

// start makes a pool that must be closed by the test, and is empty by then.
func start[In, Out any](t *testing.T, fn func(context.Context, In) (Out, error), c retrypool.Config[In]) *retrypool.Pool[In, Out] {
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
		addsUp(t, s)
	})
	return p
}

func addsUp(t assert.TestingT, s retrypool.Stats) {
	assert.Equal(t, s.Submitted, s.Succeeded+s.DeadLettered+s.Failed+s.Canceled+s.Queued+s.Running+s.Parked, "%+v", s)
}

func submit[In, Out any](t *testing.T, p *retrypool.Pool[In, Out], in In) *retrypool.Task[Out] {
	t.Helper()
	task, err := p.Submit(context.Background(), in)
	require.NoError(t, err)
	return task
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

func stopped(t *testing.T, err error) *retry.Error {
	t.Helper()
	var e *retry.Error
	require.ErrorAs(t, err, &e)
	return e
}

func TestExampleCoverage(t *testing.T) {
	t.Parallel()
	missing, err := examples.Missing(".")
	require.NoError(t, err)
	require.Empty(t, missing)
}

func TestResults(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		attempts := 0
		p := start(t, func(_ context.Context, in int) (int, error) {
			if attempts++; attempts < 3 {
				return attempts, errDown
			}
			return in, nil
		}, retrypool.Config[int]{Policy: every(time.Minute, 3)})
		before := time.Now()
		v, err := submit(t, p, 7).Wait(t.Context())
		require.NoError(t, err)
		assert.Equal(t, 7, v)
		assert.Equal(t, 2*time.Minute, time.Since(before))
		assert.Equal(t, retrypool.Stats{Submitted: 1, Succeeded: 1, Retries: 2}, p.Stats())
	})
}

func TestFailureIsThatOfTheCall(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		p := start(t, down, retrypool.Config[int]{Policy: every(time.Minute, 3, retry.WithName("mail"))})
		v, err := submit(t, p, 7).Wait(t.Context())
		assert.Equal(t, -1, v, "what the function returned last")
		e := stopped(t, err)
		assert.Same(t, e, err)
		assert.Equal(t, retry.ErrExhausted, e.Reason)
		assert.Equal(t, 3, e.Attempts)
		assert.Equal(t, 2*time.Minute, e.Elapsed)
		assert.Len(t, e.History(), 3)
		assert.EqualError(t, err, "retry: mail: attempts exhausted after 3 attempts in 2m0s: down")
		assert.Equal(t, retrypool.Stats{Submitted: 1, Failed: 1, Retries: 2}, p.Stats())
	})
}

func TestParkedItemsHoldNoWorker(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		p := start(t, func(_ context.Context, in int) (int, error) {
			if in == 0 {
				return 0, errDown
			}
			time.Sleep(time.Second)
			return in, nil
		}, retrypool.Config[int]{Policy: every(time.Hour, 2)})
		first := submit(t, p, 0)
		for i := range 5 {
			submit(t, p, i+1)
		}
		time.Sleep(5 * time.Second)
		synctest.Wait()
		assert.Equal(t, retrypool.Stats{Submitted: 6, Succeeded: 5, Parked: 1}, p.Stats())
		time.Sleep(time.Hour - 5*time.Second - 1)
		assert.Equal(t, 1, p.Stats().Parked)
		_, err := first.Wait(t.Context())
		require.ErrorIs(t, err, errDown)
		assert.Equal(t, time.Hour, stopped(t, err).Elapsed, "to the nanosecond")
	})
}

// Each item waits as long as it was told to, whatever the others do.
func TestEveryItemHasItsOwnWait(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		began := time.Now()
		var ends log[time.Duration]
		seen := map[string]bool{}
		p := start(t, func(_ context.Context, in time.Duration) (int, error) {
			if !seen[in.String()] {
				seen[in.String()] = true
				return 0, retry.After(in, errDown)
			}
			assert.Equal(t, in, time.Since(began))
			ends.add(in)
			return 0, nil
		}, retrypool.Config[time.Duration]{Policy: retry.MustNew(retry.WithJitter(retry.NoJitter))})
		for _, s := range []int{5, 3, 9, 1, 7, 2, 8, 4, 6} {
			submit(t, p, time.Duration(s)*time.Second)
		}
		require.NoError(t, p.Join(t.Context()))
		for i, d := range ends.list() {
			assert.Equal(t, time.Duration(i+1)*time.Second, d)
		}
	})
}

func TestFaults(t *testing.T) {
	t.Parallel()
	ok := retrypool.Config[int]{Workers: 1, Capacity: 1}
	forString := retry.MustNew(retry.WithValidator(func(string, retry.Attempt) error { return nil }))
	forInt := retry.MustNew(retry.WithValidator(func(int, retry.Attempt) error { return nil }))
	for name, tt := range map[string]struct {
		change func(c *retrypool.Config[int])
		want   string
	}{
		"no workers":        {func(c *retrypool.Config[int]) { c.Workers = 0 }, "retrypool: Config.Workers: 0 is below 1"},
		"negative workers":  {func(c *retrypool.Config[int]) { c.Workers = -2 }, "retrypool: Config.Workers: -2 is below 1"},
		"no capacity":       {func(c *retrypool.Config[int]) { c.Capacity = 0 }, "retrypool: Config.Capacity: 0 is below 1"},
		"negative retrying": {func(c *retrypool.Config[int]) { c.MaxRetrying = -1 }, "retrypool: Config.MaxRetrying: -1 is negative"},
		"validator": {
			func(c *retrypool.Config[int]) { c.Policy = forString },
			"retry: WithValidator: a validator for string does not fit a call that returns int",
		},
		"all": {
			func(c *retrypool.Config[int]) { *c = retrypool.Config[int]{MaxRetrying: -3, Policy: forString} },
			"retrypool: Config.Workers: 0 is below 1\nretrypool: Config.Capacity: 0 is below 1\n" +
				"retrypool: Config.MaxRetrying: -3 is negative\n" +
				"retry: WithValidator: a validator for string does not fit a call that returns int",
		},
		"capacity below workers": {func(c *retrypool.Config[int]) { c.Workers = 2 }, ""},
		"a validator that fits":  {func(c *retrypool.Config[int]) { c.Policy = forInt }, ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := ok
			tt.change(&c)
			p, err := retrypool.New(double, c)
			if tt.want == "" {
				require.NoError(t, err)
				require.NoError(t, p.Close(t.Context()))
				return
			}
			require.EqualError(t, err, tt.want)
			require.ErrorIs(t, err, retry.ErrOption)
			assert.Nil(t, p)
		})
	}
	_, err := retrypool.New[int, int](nil, ok)
	require.EqualError(t, err, "retrypool: fn: nil function")
	require.ErrorIs(t, err, retry.ErrOption)
}

func TestCapacityAbove(t *testing.T) {
	t.Parallel()
	tooMany := uint(1) << 31
	if int(tooMany) < 0 {
		t.Skip("an int has 32 bits")
	}
	_, err := retrypool.New(double, retrypool.Config[int]{Workers: 1, Capacity: int(tooMany)})
	require.EqualError(t, err, "retrypool: Config.Capacity: 2147483648 is above 2147483647")
}

func TestDefaultPolicy(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		p := start(t, down, retrypool.Config[int]{})
		_, err := submit(t, p, 1).Wait(t.Context())
		assert.Equal(t, 5, stopped(t, err).Attempts)
	})
}
