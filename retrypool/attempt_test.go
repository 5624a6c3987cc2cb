package retrypool_test

import (
	"context"
	"errors"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed-205ff063/retry"
	"github.com/seed-205ff063/retry/retrypool"
)

func TestResults(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		attempts := 0
		p := newPool(t, func(_ context.Context, in int) (int, error) {
			if attempts++; attempts < 3 {
				return attempts, errDown
			}
			return in, nil
		}, retrypool.Config[int]{Policy: waitEvery(time.Minute, 3)})
		before := time.Now()
		v, err := submit(t, p, 7).Wait(t.Context())
		require.NoError(t, err)
		assert.Equal(t, 7, v)
		assert.Equal(t, 2*time.Minute, time.Since(before))
		assert.Equal(t, retrypool.Stats{Submitted: 1, Succeeded: 1, Retries: 2}, p.Stats())
	})
}

func TestFailureIsTheCallsError(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		p := newPool(t, alwaysFails, retrypool.Config[int]{Policy: waitEvery(time.Minute, 3, retry.WithName("mail"))})
		v, err := submit(t, p, 7).Wait(t.Context())
		assert.Equal(t, -1, v, "the last value that the function returned")
		e := retryError(t, err)
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
		p := newPool(t, func(_ context.Context, in int) (int, error) {
			if in == 0 {
				return 0, errDown
			}
			time.Sleep(time.Second)
			return in, nil
		}, retrypool.Config[int]{Policy: waitEvery(time.Hour, 2)})
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
		assert.Equal(t, time.Hour, retryError(t, err).Elapsed, "to the nanosecond")
	})
}

// Each item waits for its own hint, independent of other items.
func TestEveryItemHasItsOwnWait(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		began := time.Now()
		var ends log[time.Duration]
		seen := map[string]bool{}
		p := newPool(t, func(_ context.Context, in time.Duration) (int, error) {
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

// partCalls counts how often the parts of a policy were called.
type partCalls struct{ start, before, after, wait, done, gates int }

// countingPolicy returns a policy that has every part. They count their calls in n.
func countingPolicy(t *testing.T, n *partCalls, h *retry.History) *retry.Policy {
	held := 0
	return retry.MustNew(
		retry.WithName("job"), retry.WithMaxAttempts(6), retry.WithBackoff(retry.Linear(time.Second, time.Second)),
		retry.WithJitter(retry.NoJitter), retry.WithHistory(h), retry.WithAttemptTimeout(time.Minute),
		retry.WithBudget(retry.NewBudget(1, 4)),
		retry.WithValidator(func(v int, _ retry.Attempt) error {
			if v == 3 {
				return errors.New("three")
			}
			return nil
		}),
		retry.WithGate(func(context.Context, retry.Attempt) (func(error), error) {
			n.gates++
			held++
			assert.Equal(t, 1, held, "a parked item holds no permit")
			return func(error) { held-- }, nil
		}),
		retry.WithHooks(retry.Hooks{
			Start:         func(ctx context.Context) context.Context { n.start++; return ctx },
			BeforeAttempt: func(ctx context.Context, _ retry.Attempt) context.Context { n.before++; return ctx },
			AfterAttempt:  func(context.Context, retry.Attempt) { n.after++ },
			BeforeWait:    func(context.Context, retry.Attempt) { n.wait++ },
			Done:          func(_ context.Context, o retry.Outcome) { n.done++; assert.Equal(t, 5, o.Attempts) },
		}))
}

// observed is what a call with a countingPolicy leaves to compare.
type observed struct {
	calls   partCalls
	history []retry.Attempt
	text    string
}

// observeCall makes the call with a countingPolicy. Its function fails in different ways.
func observeCall(t *testing.T, call func(*retry.Policy, func(context.Context, int) (int, error)) error) (o observed) {
	h := retry.NewHistory(20)
	n := 0
	err := call(countingPolicy(t, &o.calls, h), func(ctx context.Context, in int) (int, error) {
		switch n++; n {
		case 1:
			<-ctx.Done() // the attempt's timeout
			return 0, context.Cause(ctx)
		case 3:
			return 3, nil // rejected by the validator
		}
		return in, errDown
	})
	require.Error(t, err)
	o.text = err.Error()
	for _, a := range h.Slice() {
		a.Start = time.Time{}
		if a.Err != nil {
			a.Err = errors.New(a.Err.Error())
		}
		o.history = append(o.history, a)
	}
	return o
}

// A policy's parts work in a pool as they do in DoValue.
func TestPolicyWorksAsInDoValue(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		direct := observeCall(t, func(policy *retry.Policy, fn func(context.Context, int) (int, error)) error {
			_, err := retry.DoValue(t.Context(), func(ctx context.Context) (int, error) { return fn(ctx, 7) }, policy)
			return err
		})
		pooled := observeCall(t, func(policy *retry.Policy, fn func(context.Context, int) (int, error)) error {
			p := newPool(t, fn, retrypool.Config[int]{Policy: policy})
			_, err := submit(t, p, 7).Wait(t.Context())
			return err
		})
		assert.Equal(t, direct, pooled)
		assert.Equal(t, partCalls{start: 1, before: 5, after: 5, wait: 4, done: 1, gates: 5}, pooled.calls)
		assert.Contains(t, pooled.text, "budget is spent")
	})
}

// The Done hook runs for canceled items too, even for one that never ran.
func TestDoneExactlyOnce(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		var starts, dones atomic.Int64
		policy := waitEvery(time.Hour, 3, retry.WithHooks(retry.Hooks{
			Start: func(ctx context.Context) context.Context { starts.Add(1); return ctx },
			Done:  func(context.Context, retry.Outcome) { dones.Add(1) },
		}))
		p := newPool(t, alwaysFails, retrypool.Config[int]{Policy: policy})
		tasks := []*retrypool.Task[int]{submit(t, p, 1), submit(t, p, 2)}
		time.Sleep(time.Minute)
		for _, task := range append(tasks, submit(t, p, 3)) {
			task.Cancel()
		}
		submit(t, p, 4)
		require.NoError(t, p.Join(t.Context()))
		assert.EqualValues(t, 4, starts.Load())
		assert.EqualValues(t, 4, dones.Load())
	})
}

// The time in the queue does not count for the call.
func TestCallBeginsWithItsFirstAttempt(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		var elapsed log[time.Duration]
		c := retrypool.Config[int]{Policy: waitEvery(time.Second, 2, retry.WithMaxElapsed(time.Minute))}
		c.Events.Failed = func(e retrypool.Event[int]) { elapsed.add(e.Elapsed) }
		g := make(latch)
		p := newPool(t, func(ctx context.Context, in int) (int, error) {
			_, _ = g.fn(ctx, in)
			return 0, errDown
		}, c)
		submit(t, p, 1)
		task := submit(t, p, 2)
		time.Sleep(time.Hour)
		close(g)
		_, err := task.Wait(t.Context())
		e := retryError(t, err)
		assert.Equal(t, 2, e.Attempts)
		assert.Equal(t, time.Second, e.Elapsed)
		assert.Equal(t, time.Hour+time.Second, elapsed.list()[1], "Event.Elapsed includes the queue")
	})
}

// If the policy ends the call instead of making the attempt, Stats.Retries does not count it.
func TestRetriesCountAttemptsOnly(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		var calls log[int]
		p := newPool(t, func(_ context.Context, in int) (int, error) {
			calls.add(in)
			if in == 1 {
				time.Sleep(time.Hour)
				return 0, nil
			}
			return 0, errDown
		}, retrypool.Config[int]{Policy: waitEvery(time.Second, 5, retry.WithMaxElapsed(time.Minute))})
		submit(t, p, 0)
		submit(t, p, 1)
		require.NoError(t, p.Join(t.Context()))
		assert.Equal(t, []int{0, 1}, calls.list())
		assert.Equal(t, retrypool.Stats{Submitted: 2, Succeeded: 1, Failed: 1}, p.Stats())
	})
}
