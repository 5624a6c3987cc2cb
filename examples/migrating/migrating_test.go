// Package migrating_test has the code of docs/migrating.md: policies that wait as those of other
// libraries do.
package migrating_test

import (
	"context"
	"errors"
	"net/http"
	"strconv"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed-205ff063/retry"
	"github.com/seed-205ff063/retry/retryhttp"
)

// As backoff.Retry of cenkalti/backoff without options.
var likeCenkalti = retry.MustNew(
	retry.WithMaxAttempts(retry.Unlimited),
	retry.WithMaxElapsed(15*time.Minute),
	retry.WithBackoff(retry.Exponential(500*time.Millisecond, 1.5)),
	retry.WithJitter(retry.SpreadJitter(0.5)),
	retry.WithMaxDelay(90*time.Second), // MaxInterval is 60 s before the random part
)

// As retry.Do of avast/retry-go without options, but for the jitter.
var likeAvast = retry.MustNew(
	retry.WithMaxAttempts(10),
	retry.WithBackoff(retry.Exponential(100*time.Millisecond, 2)),
	retry.WithJitter(retry.AddJitter(0.5)),
	retry.WithMaxDelay(retry.Unlimited),
)

// As WithMaxRetries(4, WithCappedDuration(10*time.Second, NewFibonacci(time.Second))) of
// sethvargo/go-retry.
var likeSethvargo = retry.MustNew(
	retry.WithMaxAttempts(5),
	retry.WithBackoff(retry.Chain(1, retry.Constant(time.Second), // 1 s, then 2, 3, 5 s
		retry.Sequence(2*time.Second, 3*time.Second, 5*time.Second, 8*time.Second, 10*time.Second))),
)

var errBusy = errors.New("busy")

func onlyMarked(ctx context.Context, fn func(context.Context) error) error {
	return retry.Do(ctx, fn, retry.WithRetryIf(retry.Is(errBusy)))
}

// As retrier.New(backoff, retrier.WhitelistClassifier{errBusy}) of eapache/go-resiliency, with
// SetJitter(0.2).
func likeEapache(backoff []time.Duration) (*retry.Policy, error) {
	return retry.New(
		retry.WithMaxAttempts(len(backoff)+1), // a Sequence goes on with its last delay
		retry.WithBackoff(retry.Sequence(backoff...)),
		retry.WithJitter(retry.SpreadJitter(0.2)),
		retry.WithRetryIf(retry.Is(errBusy)),
	)
}

// As retrypolicy.NewBuilder[int]().WithMaxRetries(2).WithBackoff(time.Second, 10*time.Second).
// HandleErrors(errBusy).HandleResult(0) of failsafe-go.
var likeFailsafe = retry.MustNew(
	retry.WithMaxAttempts(3),
	retry.WithBackoff(retry.Exponential(time.Second, 2)),
	retry.WithMaxDelay(10*time.Second),
	retry.WithJitter(retry.NoJitter),
	retry.WithRetryIf(retry.Is(errBusy)),
	retry.WithValidator(func(n int, _ retry.Attempt) error {
		if n == 0 {
			return errors.New("no rows")
		}
		return nil
	}),
)

// As retryablehttp.NewClient().StandardClient(), but for the jitter and for what is safe.
func likeRetryable() (*http.Client, error) {
	return retryhttp.NewClient(
		retry.WithMaxAttempts(5), // RetryMax 4
		retry.WithBackoff(retry.Exponential(time.Second, 2)),
		retry.WithMaxDelay(30*time.Second),
		retry.WithMaxRetryAfter(retry.Unlimited),
		retry.WithAttemptTimeout(10*time.Second), // HTTPClient.Timeout
	)
}

// As wait.ExponentialBackoffWithContext of k8s.io/apimachinery with
// wait.Backoff{Duration: 10 * time.Millisecond, Factor: 5, Jitter: 0.1, Steps: 4}.
var likeWait = retry.MustNew(
	retry.WithMaxAttempts(4),
	retry.WithBackoff(retry.Exponential(10*time.Millisecond, 5)),
	retry.WithJitter(retry.AddJitter(0.1)),
	retry.WithMaxDelay(retry.Unlimited),
)

var errNotYet = errors.New("not yet")

// untilReady turns a wait.ConditionWithContextFunc into a function to retry.
func untilReady(ctx context.Context, condition func(context.Context) (bool, error)) error {
	return likeWait.Do(ctx, func(ctx context.Context) error {
		done, err := condition(ctx)
		if err != nil {
			return retry.Permanent(err)
		}
		if !done {
			return errNotYet
		}
		return nil
	})
}

// TestWaits compares the ranges of waits with those of the other libraries, which are computed from their
// formulas.
func TestWaits(t *testing.T) {
	t.Parallel()
	const ms, s = time.Millisecond, time.Second
	type span struct{ from, to time.Duration }
	eapache, err := likeEapache([]time.Duration{s, 5 * s})
	require.NoError(t, err)
	for _, tt := range []struct {
		name     string
		policy   *retry.Policy
		attempts int
		waits    map[int]span // by retry
	}{
		{"cenkalti", likeCenkalti, retry.Unlimited, map[int]span{1: {250 * ms, 750 * ms}, 2: {375 * ms, 1125 * ms}, 30: {30 * s, 90 * s}}},
		{"avast", likeAvast, 10, map[int]span{1: {100 * ms, 150 * ms}, 9: {25600 * ms, 38400 * ms}}},
		{"sethvargo", likeSethvargo, 5, map[int]span{1: {s, s}, 2: {2 * s, 2 * s}, 3: {3 * s, 3 * s}, 4: {5 * s, 5 * s}}},
		{"eapache", eapache, 3, map[int]span{1: {800 * ms, 1200 * ms}, 2: {4 * s, 6 * s}}},
		{"failsafe", likeFailsafe, 3, map[int]span{1: {s, s}, 2: {2 * s, 2 * s}}},
		{"wait", likeWait, 4, map[int]span{1: {10 * ms, 11 * ms}, 3: {250 * ms, 275 * ms}}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			assert.Equal(t, tt.attempts, tt.policy.MaxAttempts())
			plan := tt.policy.Plan(30)
			for n, want := range tt.waits {
				t.Run(strconv.Itoa(n), func(t *testing.T) {
					assert.InDelta(t, want.from, plan[n-1].Min, 10, "shortest")
					assert.InDelta(t, want.to, plan[n-1].Max, 10, "longest")
				})
			}
		})
	}
}

// TestWhatChanges checks the rules of this library that docs/migrating.md states.
func TestWhatChanges(t *testing.T) {
	t.Parallel()
	synctest.Test(t, whatChanges)
}

func whatChanges(t *testing.T) {
	calls := 0
	fail := func(context.Context) error { calls++; return errIO }
	dead, cancel := context.WithCancel(t.Context())
	cancel()
	require.ErrorIs(t, onlyMarked(dead, fail), context.Canceled)
	assert.Zero(t, calls, "a dead context makes no attempt")

	require.ErrorIs(t, onlyMarked(t.Context(), fail), errIO)
	assert.Equal(t, 1, calls, "only a matching error is retried")

	n, err := retry.DoValue(t.Context(), func(context.Context) (int, error) { return 7, retry.Permanent(errIO) })
	assert.Equal(t, 7, n, "the last result comes back with the error")
	require.ErrorIs(t, err, errIO)

	_, err = retry.DoValue(t.Context(), func(context.Context) (int, error) { return 7, errIO }, likeFailsafe)
	require.ErrorIs(t, err, retry.ErrPermanent)

	asked := 0
	require.NoError(t, untilReady(t.Context(), func(context.Context) (bool, error) { asked++; return asked == 2, nil }))
	assert.Equal(t, 2, asked)
	require.ErrorIs(t, untilReady(t.Context(), func(context.Context) (bool, error) { return false, errIO }), retry.ErrPermanent)

	client, err := likeRetryable()
	require.NoError(t, err)
	assert.IsType(t, &retryhttp.Transport{}, client.Transport)
}

var errIO = errors.New("input/output error")
