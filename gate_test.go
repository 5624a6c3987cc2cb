package retry_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed-205ff063/retry"
)

func TestGatesOrder(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name string
		opts func(j *journal) []retry.Option
	}{
		{"one option", func(j *journal) []retry.Option {
			return []retry.Option{retry.WithGate(j.gate("a"), j.gate("b"), j.gate("c"))}
		}},
		{"several options", func(j *journal) []retry.Option {
			return []retry.Option{retry.MustNew(retry.WithGate(j.gate("a")), retry.WithGate(j.gate("b"))), retry.WithGate(j.gate("c"))}
		}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			inBubble(t, func(t *testing.T) {
				var j journal
				fn, _ := failTimes(1, errDown)
				require.NoError(t, retry.Do(context.Background(), func(ctx context.Context) error {
					j.notef("fn")
					return fn(ctx)
				}, append(tt.opts(&j), every(time.Second), retry.WithHooks(retry.Hooks{
					BeforeWait: func(context.Context, retry.Attempt) { j.notef("wait") },
				}))...))
				assert.Equal(t, journal{
					"a in 1", "b in 1", "c in 1", "fn", "c out: server down", "b out: server down", "a out: server down", "wait",
					"a in 2", "b in 2", "c in 2", "fn", "c out: <nil>", "b out: <nil>", "a out: <nil>",
				}, j)
			})
		})
	}
}

func TestReleaseRunsRightAfterFunction(t *testing.T) {
	t.Parallel()
	var j journal
	_, err := retry.DoValue(context.Background(), func(context.Context) (int, error) { j.notef("fn"); return 1, nil },
		atOnce, retry.WithMaxAttempts(1), retry.WithGate(j.gate("a")),
		retry.WithValidator(func(int, retry.Attempt) error { j.notef("validator"); return errOdd }),
		retry.WithHooks(retry.Hooks{
			BeforeAttempt: func(ctx context.Context, _ retry.Attempt) context.Context { j.notef("before"); return ctx },
			AfterAttempt:  func(context.Context, retry.Attempt) { j.notef("after") },
		}))
	require.ErrorIs(t, err, retry.ErrRejected)
	assert.Equal(t, journal{"a in 1", "before", "fn", "a out: <nil>", "validator", "after"}, j, "release gets the function's error")
}

func TestNilReleaseIsAllowed(t *testing.T) {
	t.Parallel()
	var j journal
	fn, calls := failTimes(1, errDown)
	require.NoError(t, retry.Do(context.Background(), fn, atOnce, retry.WithGate(j.gate("a"), refusingGate(nil), j.gate("b"))))
	assert.Equal(t, 2, *calls)
	assert.Len(t, j, 8)
}

func TestGatesGetCallersContextAndAttempt(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		type key struct{}
		ctx := context.WithValue(context.Background(), key{}, "caller's")
		other := func(ctx context.Context) context.Context { return context.WithValue(ctx, key{}, "hook's") }
		const s = time.Second
		start := time.Now()
		var saw []retry.Attempt
		fn, _ := failTimes(1, errDown)
		h := retry.NewHistory(2)
		require.NoError(t, retry.Do(ctx, func(got context.Context) error {
			assert.Equal(t, "hook's", got.Value(key{}))
			return fn(got)
		}, every(10*s), retry.WithName("call"), retry.WithHistory(h), retry.WithAttemptTimeout(time.Minute),
			retry.WithHooks(retry.Hooks{Start: other}),
			retry.WithGate(func(got context.Context, a retry.Attempt) (func(error), error) {
				assert.Equal(t, ctx, got)
				saw = append(saw, a)
				time.Sleep(s)
				return nil, nil
			})))
		assert.Equal(t, []retry.Attempt{
			{Name: "call", Number: 1, Start: start},
			{Name: "call", Number: 2, Start: start.Add(11 * s), Waited: 10 * s, Elapsed: 11 * s},
		}, saw)
		assert.Equal(t, []retry.Attempt{
			{Name: "call", Number: 1, Start: start.Add(s), Elapsed: s, Delay: 10 * s, Err: errDown},
			{Name: "call", Number: 2, Start: start.Add(12 * s), Waited: 10 * s, Elapsed: 12 * s},
		}, h.Slice(), "an attempt starts once its gates have let it in")
	})
}

func TestGateErrorFailsTheAttempt(t *testing.T) {
	t.Parallel()
	type opts = []retry.Option
	for _, tt := range []struct {
		name     string
		err      error
		opts     opts
		attempts int
		reason   error
	}{
		{"retried", errDown, nil, 3, retry.ErrExhausted},
		{"permanent", retry.Permanent(errDown), nil, 1, retry.ErrPermanent},
		{"classified", errDown, opts{retry.WithStopIf(retry.Is(errDown))}, 1, retry.ErrPermanent},
		{"hint", retry.After(time.Hour, errDown), nil, 1, retry.ErrRetryAfter},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			var j journal
			err := retry.Do(context.Background(), func(context.Context) error { t.Error("called"); return nil },
				append(opts{
					atOnce, retry.WithMaxAttempts(3), retry.WithGate(j.gate("a"), j.gate("b"), refusingGate(tt.err), j.gate("c")),
					retry.WithHooks(retry.Hooks{
						BeforeAttempt: func(ctx context.Context, _ retry.Attempt) context.Context { j.notef("before"); return ctx },
						AfterAttempt:  func(_ context.Context, a retry.Attempt) { j.notef("after: %v", a.Err) },
					}),
				}, tt.opts...)...)
			e := retryError(t, err)
			assert.Equal(t, tt.attempts, e.Attempts)
			assert.Equal(t, tt.reason, e.Reason)
			assert.Equal(t, withoutMark(tt.err), e.Err)
			assert.Len(t, e.History(), tt.attempts)
			var want journal
			for n := 1; n <= tt.attempts; n++ {
				want = append(want, fmt.Sprint("a in ", n), fmt.Sprint("b in ", n),
					"b out: server down", "a out: server down", "after: server down")
			}
			assert.Equal(t, want, j, "earlier gates get the later gate's error")
		})
	}
}

// contextEndsInGateTests are gates in which the context ends.
var contextEndsInGateTests = []struct {
	name  string
	after int // attempts made before
	gate  func(ctx context.Context) error
}{
	{"first attempt, gate reports", 0, context.Cause},
	{"first attempt, gate does not report", 0, func(context.Context) error { return nil }},
	{"a retry, gate reports", 2, func(ctx context.Context) error { return ctx.Err() }},
	{"a retry, gate does not report", 2, func(context.Context) error { return nil }},
	{"a retry, gate reports another error", 2, func(context.Context) error { return retry.Permanent(errOdd) }},
}

func TestContextEndsInGate(t *testing.T) {
	t.Parallel()
	cause := errors.New("shutting down")
	for _, tt := range contextEndsInGateTests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			ctx, cancel := context.WithCancelCause(context.Background())
			var j journal
			var done outcomes
			h := retry.NewHistory(9)
			fn, calls := failTimes(9, errDown)
			err := retry.Do(ctx, fn, atOnce, done.hook(), retry.WithHistory(h), retry.WithGate(
				j.gate("a"), func(ctx context.Context, a retry.Attempt) (func(error), error) {
					if a.Number <= tt.after {
						return nil, nil
					}
					cancel(cause)
					err := tt.gate(ctx)
					if err != nil {
						return nil, err
					}
					return func(err error) { j.notef("b out: %v", err) }, nil
				}), retry.WithHooks(retry.Hooks{AfterAttempt: func(context.Context, retry.Attempt) { j.notef("after") }}))
			e := retryError(t, err)
			assert.Equal(t, tt.after, *calls)
			assert.Equal(t, tt.after, e.Attempts, "there was no attempt")
			assert.Equal(t, tt.after, done.one(t).Attempts)
			assert.Equal(t, retry.ErrContext, e.Reason)
			assert.Equal(t, tt.after, h.Len())
			assert.Len(t, e.History(), tt.after)
			for _, target := range []error{retry.ErrContext, context.Canceled, cause} {
				assert.ErrorIs(t, err, target)
			}
			if tt.after > 0 {
				assert.Equal(t, errDown, e.Err, "the previous error stays")
			} else {
				assert.NoError(t, e.Err)
			}
			assert.NotErrorIs(t, err, errOdd)
			assert.Equal(t, tt.after+1, j.count("a in"))
			assert.Equal(t, tt.after+1, j.count("a out"))
			assert.Equal(t, tt.after, j.count("after"))
		})
	}
}

func TestContextEndsInBlockingGate(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
		defer cancel()
		start := time.Now()
		e := retryError(t, retry.Do(ctx, alwaysReturn(nil), retry.WithGate(func(ctx context.Context, _ retry.Attempt) (func(error), error) {
			<-ctx.Done()
			return nil, ctx.Err()
		})))
		assert.Equal(t, time.Minute, time.Since(start))
		assert.Zero(t, e.Attempts)
		assert.Equal(t, time.Minute, e.Elapsed)
		assert.ErrorIs(t, e, context.DeadlineExceeded)
		assert.True(t, e.Timeout())
	})
}
