package retry_test

import (
	"context"
	"math"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed-205ff063/retry"
	"github.com/seed-205ff063/retry/retrytest"
)

func TestUnlimitedIsMinusOne(t *testing.T) {
	t.Parallel()
	n := 0
	err := retry.Do(context.Background(), func(context.Context) error {
		if n++; n == 1000 {
			return nil
		}
		return errRefused
	}, retry.WithMaxAttempts(retry.Unlimited), retry.WithBackoff(retry.Constant(0)))
	require.NoError(t, err)
	assert.Equal(t, 1000, n)
	assert.Equal(t, -1, retry.Unlimited)
}

func TestMaxAttemptsOfAPolicy(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name string
		p    *retry.Policy
		want int
	}{
		{"nil", nil, 5},
		{"zero", new(retry.Policy), 5},
		{"default", retry.MustNew(retry.WithName("x")), 5},
		{"one", retry.MustNew(retry.WithMaxAttempts(1)), 1},
		{"largest", retry.MustNew(retry.WithMaxAttempts(math.MaxInt)), math.MaxInt},
		{"unlimited", retry.MustNew(retry.WithMaxAttempts(retry.Unlimited)), retry.Unlimited},
		{"the later", retry.MustNew(retry.MustNew(retry.WithMaxAttempts(2)), retry.WithMaxAttempts(3)), 3},
	} {
		assert.Equal(t, tt.want, tt.p.MaxAttempts(), tt.name)
	}
}

// Without a cap the waits grow up to the longest duration. Later options set the cap and lift
// it.
func TestUnlimitedDelay(t *testing.T) {
	t.Parallel()
	grow := retry.MustNew(retry.WithBackoff(retry.Exponential(time.Hour, 10)), retry.WithJitter(retry.NoJitter))
	assert.Equal(t, 10*time.Hour, grow.Wait(failedAttempt(2)))
	assert.Equal(t, 10*time.Hour, grow.Wait(failedAttempt(5)), "the default cap")
	p := retry.MustNew(grow, retry.WithMaxDelay(time.Minute), retry.WithMaxDelay(retry.Unlimited))
	assert.Equal(t, 10000*time.Hour, p.Wait(failedAttempt(5)))
	assert.Equal(t, time.Duration(math.MaxInt64), p.Wait(failedAttempt(1000)))
	assert.Equal(t, time.Minute, retry.MustNew(p, retry.WithMaxDelay(time.Minute)).Wait(failedAttempt(5)))
	for u, want := range map[float64]time.Duration{0: 0, 0.5: 5000 * time.Hour} {
		assert.Equal(t, want, retry.MustNew(p, retry.WithJitter(retry.FullJitter), fixedRand(u)).Wait(failedAttempt(5)))
	}
	steps := retry.MustNew(p, retry.WithMaxAttempts(6)).Plan(5)
	assert.Equal(t, 10000*time.Hour, steps[4].Max)
}

// Unlimited lifts the cap of each member of a chain.
func TestUnlimitedDelayOfChain(t *testing.T) {
	t.Parallel()
	p := retry.MustNew(retry.WithBackoff(retry.Chain(1, retry.Constant(time.Hour), retry.Exponential(time.Minute, 100))),
		retry.WithJitter(retry.NoJitter), retry.WithMaxDelay(retry.Unlimited))
	assert.Equal(t, time.Hour, p.Wait(failedAttempt(1)))
	assert.Equal(t, 10000*time.Minute, p.Wait(failedAttempt(4)))
}

// With Unlimited a hint of any length is obeyed. The context's deadline and the time limit
// still apply.
func TestUnlimitedHint(t *testing.T) {
	t.Parallel()
	clk := new(retrytest.Clock)
	p := retry.MustNew(retry.WithJitter(retry.NoJitter), retry.WithMaxRetryAfter(retry.Unlimited), retry.WithClock(clk))
	fn, _ := failTimes(1, retry.After(1000*time.Hour, errDown))
	require.NoError(t, p.Do(context.Background(), fn))
	assert.Equal(t, []time.Duration{1000 * time.Hour}, clk.Waits())

	wait, err := p.Next(context.Background(), retry.Attempt{Err: retry.After(math.MaxInt64, errDown)})
	require.NoError(t, err)
	assert.Equal(t, time.Duration(math.MaxInt64), wait)

	ctx, cancel := clk.WithTimeout(context.Background(), time.Hour)
	defer cancel()
	e := retryError(t, p.Do(ctx, alwaysReturn(retry.After(time.Hour, errDown))))
	assert.Equal(t, retry.ErrContext, e.Reason)
	e = retryError(t, retry.Do(context.Background(), alwaysReturn(retry.After(time.Hour, errDown)), p, retry.WithMaxElapsed(time.Hour)))
	assert.Equal(t, retry.ErrMaxElapsed, e.Reason)
	e = retryError(t, retry.Do(context.Background(), alwaysReturn(retry.After(2*time.Minute, errDown)), p, retry.WithMaxRetryAfter(time.Minute)))
	assert.Equal(t, retry.ErrRetryAfter, e.Reason, "a later option limits again")
}

// Other negative numbers are errors, and so is Unlimited for the other options.
func TestUnlimitedIsOnlyNegativeAllowed(t *testing.T) {
	t.Parallel()
	for name, o := range map[string]retry.Option{
		"-2ns is negative": retry.WithMaxDelay(-2), "-1s is negative": retry.WithMaxRetryAfter(-time.Second),
		"-2562047h47m16.854775808s is negative": retry.WithMaxDelay(math.MinInt64),
		"-1ns is negative":                      retry.WithMaxElapsed(retry.Unlimited),
		"WithAttemptTimeout: -1ns is negative":  retry.WithAttemptTimeout(retry.Unlimited),
		"WithResetAfter: -1ns is negative":      retry.WithResetAfter(retry.Unlimited),
		"-1 is negative":                        retry.WithHistorySize(retry.Unlimited),
	} {
		_, err := retry.New(o)
		require.ErrorIs(t, err, retry.ErrOption)
		require.ErrorContains(t, err, name)
	}
}

func TestUnlimitedText(t *testing.T) {
	t.Parallel()
	p := retry.MustNew(retry.WithMaxAttempts(retry.Unlimited), retry.WithMaxDelay(retry.Unlimited), retry.WithMaxRetryAfter(retry.Unlimited))
	const text = "max_attempts=unlimited backoff=exponential(100ms,2) max_delay=unlimited max_retry_after=unlimited jitter=full history_size=10"
	assert.Equal(t, text, p.String())
	requireRoundTrip(t, p)
	q, err := retry.Parse("max_delay=unlimited max_retry_after=unlimited max_attempts=unlimited")
	require.NoError(t, err)
	assert.Equal(t, text, q.String())
	assert.Equal(t, text, retry.MustNew(retry.WithMaxDelay(time.Second), q).String(), "as an option it sets what the text sets")
	for name, o := range map[string]retry.Option{"max_delay": retry.WithMaxDelay(retry.Unlimited), "max_retry_after": retry.WithMaxRetryAfter(retry.Unlimited)} {
		assert.Contains(t, retry.MustNew(o).String(), name+"=unlimited")
		requireRoundTrip(t, retry.MustNew(o))
		requireRoundTrip(t, retry.MustNew(o, retry.WithBackoff(retry.Constant(time.Second))))
	}
	for _, text := range []string{
		"max_delay=-1ns", "max_retry_after=-1ns", "max_delay=-1s", "max_delay=Unlimited", "max_retry_after=unlimited2",
		"max_elapsed=unlimited", "attempt_timeout=unlimited", "reset_after=unlimited", "history_size=unlimited",
	} {
		_, err := retry.Parse(text)
		require.ErrorIs(t, err, retry.ErrOption, text)
	}
	_, err = retry.Parse("max_delay=-1ns")
	require.ErrorContains(t, err, "write unlimited for no limit")
}
