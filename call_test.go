package retry_test

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed-205ff063/retry"
)

func TestAttemptNumbersStartAtOne(t *testing.T) {
	t.Parallel()
	seen := map[string][]int{}
	note := func(part string, a retry.Attempt) { seen[part] = append(seen[part], a.Number) }
	asked := func(part string, answer bool) retry.Classifier {
		return func(a retry.Attempt) bool { note(part, a); return answer }
	}
	h := retry.NewHistory(10)
	_, err := retry.DoValue(context.Background(), func(context.Context) (int, error) { return 0, errDown },
		retry.WithMaxAttempts(3),
		retry.WithBackoff(retry.BackoffFunc(func(a retry.Attempt) time.Duration { note("backoff", a); return 0 })),
		retry.WithGate(func(_ context.Context, a retry.Attempt) (func(error), error) { note("gate", a); return nil, nil }),
		retry.WithStopIf(asked("stop", false)), retry.WithRetryIf(asked("retry", true)), retry.WithHistory(h),
		retry.WithHooks(retry.Hooks{
			BeforeAttempt: func(ctx context.Context, a retry.Attempt) context.Context { note("before", a); return ctx },
			AfterAttempt:  func(_ context.Context, a retry.Attempt) { note("after", a) },
			BeforeWait:    func(_ context.Context, a retry.Attempt) { note("wait", a) },
		}))
	all, retried := []int{1, 2, 3}, []int{1, 2}
	assert.Equal(t, map[string][]int{
		"gate": all, "before": all, "after": all, "stop": all, "retry": all, "backoff": retried, "wait": retried,
	}, seen)
	for _, kept := range [][]retry.Attempt{retryError(t, err).History(), h.Slice()} {
		require.Len(t, kept, 3)
		for i, a := range kept {
			assert.Equal(t, i+1, a.Number)
		}
	}
	_, err = retry.DoValue(context.Background(), func(context.Context) (int, error) { return 0, nil }, atOnce,
		retry.WithMaxAttempts(3), retry.WithValidator(func(_ int, a retry.Attempt) error { note("validator", a); return errOdd }))
	require.Error(t, err)
	assert.Equal(t, all, seen["validator"])
}

func TestAttemptRecords(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		start := time.Now()
		h := retry.NewHistory(5)
		n := 0
		err := retry.Do(context.Background(), func(context.Context) error {
			n++
			time.Sleep(time.Duration(n) * time.Second)
			if n < 3 {
				return errDown
			}
			return nil
		}, retry.WithName("call"), retry.WithHistory(h), retry.WithBackoff(retry.Sequence(10*time.Second, 20*time.Second)))
		require.NoError(t, err)
		const s = time.Second
		assert.Equal(t, []retry.Attempt{
			{Name: "call", Number: 1, Start: start, Duration: s, Elapsed: s, Delay: 10 * s, Err: errDown},
			{Name: "call", Number: 2, Start: start.Add(11 * s), Waited: 10 * s, Duration: 2 * s, Elapsed: 13 * s, Delay: 20 * s, Err: errDown},
			{Name: "call", Number: 3, Start: start.Add(33 * s), Waited: 20 * s, Duration: 3 * s, Elapsed: 36 * s},
		}, h.Slice())
	})
}

func TestSuccessIsNeverDiscarded(t *testing.T) {
	t.Parallel()
	for _, way := range entryPoints {
		t.Run(way.name, func(t *testing.T) {
			t.Parallel()
			ctx, cancel := context.WithCancel(context.Background())
			calls := 0
			require.NoError(t, way.call(ctx, func(context.Context) error {
				if calls++; calls == 2 {
					cancel()
					return nil
				}
				return errDown
			}, atOnce))
			assert.Equal(t, 2, calls)
		})
	}
	t.Run("past the deadline and the limits", func(t *testing.T) {
		inBubble(t, func(t *testing.T) {
			ctx, cancel := context.WithTimeout(context.Background(), time.Second)
			defer cancel()
			v, err := retry.DoValue(ctx, func(ctx context.Context) (string, error) {
				time.Sleep(time.Hour)
				require.Error(t, ctx.Err())
				return "v", nil
			}, retry.WithMaxElapsed(time.Minute), retry.WithAttemptTimeout(time.Second),
				retry.WithValidator(func(string, retry.Attempt) error { return nil }))
			require.NoError(t, err)
			assert.Equal(t, "v", v)
		})
	})
}
