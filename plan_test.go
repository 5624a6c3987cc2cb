package retry_test

import (
	"context"
	"math"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/benbjohnson/clock"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed-205ff063/retry"
)

func TestPlan(t *testing.T) {
	t.Parallel()
	const s = time.Second
	tests := []struct {
		name string
		opts []retry.Option
		n    int
		want []retry.Step
	}{
		{"defaults", nil, 4, []retry.Step{
			{Retry: 1, Min: 0, Median: 50 * ms, Max: 100 * ms, TotalMax: 100 * ms},
			{Retry: 2, Min: 0, Median: 100 * ms, Max: 200 * ms, TotalMax: 300 * ms},
			{Retry: 3, Min: 0, Median: 200 * ms, Max: 400 * ms, TotalMax: 700 * ms},
			{Retry: 4, Min: 0, Median: 400 * ms, Max: 800 * ms, TotalMax: 1500 * ms},
		}},
		{"fewer than all", nil, 1, []retry.Step{{Retry: 1, Median: 50 * ms, Max: 100 * ms, TotalMax: 100 * ms}}},
		{"more than all", []retry.Option{retry.WithBackoff(retry.Constant(s)), retry.WithMaxAttempts(3)}, math.MaxInt, []retry.Step{
			{Retry: 1, Min: s, Median: s, Max: s, TotalMax: s},
			{Retry: 2, Min: s, Median: s, Max: s, TotalMax: 2 * s},
		}},
		{"none requested", nil, 0, nil},
		{"less than none", nil, -1, nil},
		{"one attempt", []retry.Option{retry.WithMaxAttempts(1)}, 10, nil},
		{"unlimited", []retry.Option{retry.WithMaxAttempts(retry.Unlimited), retry.WithBackoff(retry.Sequence(0, s))}, 3, []retry.Step{
			{Retry: 1}, {Retry: 2, Min: s, Median: s, Max: s, TotalMax: s}, {Retry: 3, Min: s, Median: s, Max: s, TotalMax: 2 * s},
		}},
		{"spread at the cap", []retry.Option{retry.WithBackoff(retry.Linear(s, 9*s)), retry.WithJitter(retry.SpreadJitter(0.5)), retry.WithMaxDelay(3 * s)}, 2, []retry.Step{
			{Retry: 1, Min: s / 2, Median: s, Max: 3 * s / 2, TotalMax: 3 * s / 2},
			{Retry: 2, Min: s, Median: 2 * s, Max: 3 * s, TotalMax: 9 * s / 2},
		}},
		{"decorrelated: from the shortest, the median, the longest", []retry.Option{retry.WithBackoff(retry.Decorrelated(s, 3)), retry.WithMaxDelay(5 * s)}, 3, []retry.Step{
			{Retry: 1, Min: s, Median: 2 * s, Max: 3 * s, TotalMax: 3 * s},
			{Retry: 2, Min: s, Median: 3 * s, Max: 5 * s, TotalMax: 8 * s},
			{Retry: 3, Min: s, Median: 3 * s, Max: 5 * s, TotalMax: 13 * s},
		}},
		{"chain", []retry.Option{retry.WithBackoff(retry.Chain(1, retry.Constant(s), retry.Decorrelated(2*s, 2)))}, 2, []retry.Step{
			{Retry: 1, Min: s, Median: s, Max: s, TotalMax: s},
			{Retry: 2, Min: 2 * s, Median: 3 * s, Max: 4 * s, TotalMax: 5 * s},
		}},
		{"max elapsed excludes impossible retries", []retry.Option{retry.WithBackoff(retry.Constant(s)), retry.WithMaxElapsed(3 * s), retry.WithMaxAttempts(retry.Unlimited)}, 10, []retry.Step{
			{Retry: 1, Min: s, Median: s, Max: s, TotalMax: s},
			{Retry: 2, Min: s, Median: s, Max: s, TotalMax: 2 * s},
		}},
		{"max elapsed keeps possible retries", []retry.Option{retry.WithBackoff(retry.Exponential(s, 2)), retry.WithMaxElapsed(2 * s)}, 10, []retry.Step{
			{Retry: 1, Median: s / 2, Max: s, TotalMax: s},
			{Retry: 2, Median: s, Max: 2 * s, TotalMax: 2 * s},
			{Retry: 3, Median: 2 * s, Max: 4 * s, TotalMax: 2 * s},
			{Retry: 4, Median: 4 * s, Max: 8 * s, TotalMax: 2 * s},
		}},
		{"negative delays are none", []retry.Option{retry.WithBackoff(plainBackoff(-s))}, 1, []retry.Step{{Retry: 1}}},
		{"saturated", []retry.Option{retry.WithBackoff(retry.Constant(longest))}, 2, []retry.Step{
			{Retry: 1, Min: longest, Median: longest, Max: longest, TotalMax: longest},
			{Retry: 2, Min: longest, Median: longest, Max: longest, TotalMax: longest},
		}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			assert.Equal(t, test.want, retry.MustNew(test.opts...).Plan(test.n))
		})
	}
}

func TestMaxTotal(t *testing.T) {
	t.Parallel()
	const s = time.Second
	backoff := retry.WithBackoff
	unlimited := retry.WithMaxAttempts(retry.Unlimited)
	tests := []struct {
		name    string
		opts    []retry.Option
		want    time.Duration
		bounded bool
	}{
		{"defaults", nil, 1500 * ms, true},
		{"one attempt", []retry.Option{retry.WithMaxAttempts(1)}, 0, true},
		{"literal", []retry.Option{backoff(retry.Sequence(s, 2*s))}, 7 * s, true},
		{"func", []retry.Option{backoff(retry.BackoffFunc(secondsByNumber))}, 10 * s, true},
		{"func with shorter and shorter delays", []retry.Option{backoff(retry.BackoffFunc(func(a retry.Attempt) time.Duration { return s / time.Duration(a.Number) })), retry.WithMaxAttempts(4)}, s + s/2 + s/3, true},
		{"decorrelated", []retry.Option{backoff(retry.Decorrelated(s, 3))}, 3*s + 9*s + 27*s + 30*s, true},
		{"capped", []retry.Option{retry.WithMaxDelay(150 * ms)}, 550 * ms, true},
		{"jitter beyond the delay", []retry.Option{retry.WithJitter(retry.AddJitter(1))}, 3 * s, true},
		{"chain", []retry.Option{backoff(retry.Chain(2, retry.Constant(s), retry.Fibonacci(2*s)))}, 6 * s, true},
		{"max elapsed sooner", []retry.Option{retry.WithMaxElapsed(s)}, s, true},
		{"max elapsed later", []retry.Option{retry.WithMaxElapsed(time.Hour)}, 1500 * ms, true},
		{"max elapsed lifted", []retry.Option{retry.WithMaxElapsed(s), retry.WithMaxElapsed(0)}, 1500 * ms, true},
		{"unlimited within max elapsed", []retry.Option{unlimited, retry.WithMaxElapsed(time.Hour)}, time.Hour, true},
		{"saturated", []retry.Option{backoff(retry.Constant(longest))}, longest, true},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			got, bounded := retry.MustNew(test.opts...).MaxTotal()
			assert.Equal(t, test.want, got)
			assert.True(t, bounded)
		})
	}
	t.Run("unlimited", func(t *testing.T) {
		t.Parallel()
		total, bounded := retry.MustNew(unlimited).MaxTotal()
		assert.Equal(t, longest, total)
		assert.False(t, bounded)
		_, bounded = retry.MustNew(unlimited, retry.WithMaxElapsed(s), retry.WithMaxElapsed(0)).MaxTotal()
		assert.False(t, bounded)
	})
}

func TestMaxTotalOfNilAndZeroPolicy(t *testing.T) {
	t.Parallel()
	for _, p := range []*retry.Policy{nil, {}} {
		got, bounded := p.MaxTotal()
		assert.Equal(t, 1500*ms, got)
		assert.True(t, bounded)
		assert.Equal(t, retry.MustNew().Plan(9), p.Plan(9))
	}
}

// MaxTotal does not sum up a billion waits one by one, whatever the strategy.
func TestMaxTotalOfManyAttemptsIsFast(t *testing.T) {
	t.Parallel()
	const many = 1_000_000_000
	const total = (many - 1) * time.Second // the sum of the waits of 1s
	tests := []struct {
		name    string
		backoff retry.Backoff
		opts    []retry.Option
		want    time.Duration
	}{
		{"constant", retry.Constant(time.Second), nil, total},
		{"sequence", retry.Sequence(3*time.Second, time.Second), nil, total + 2*time.Second},
		{"linear without step", retry.Linear(time.Second, 0), nil, total},
		{"linear", retry.Linear(0, time.Second), []retry.Option{retry.WithMaxDelay(time.Second)}, total - time.Second},
		{"linear that saturates", retry.Linear(0, longest), []retry.Option{retry.WithMaxDelay(longest)}, longest},
		{"exponential", retry.Exponential(time.Second, 2), []retry.Option{retry.WithMaxDelay(time.Second)}, total},
		{"exponential by one", retry.Exponential(time.Second, 1), nil, total},
		{"exponential of zero", retry.Exponential(0, 2), nil, 0},
		{"fibonacci", retry.Fibonacci(time.Second), []retry.Option{retry.WithMaxDelay(time.Second)}, total},
		{"fibonacci of zero", retry.Fibonacci(0), nil, 0},
		{"decorrelated", retry.Decorrelated(500*ms, 2), []retry.Option{retry.WithMaxDelay(time.Second)}, total},
		{"decorrelated by one", retry.Decorrelated(time.Second, 1), nil, total},
		{"decorrelated of zero", retry.Decorrelated(0, 3), nil, 0},
		{"decorrelated that rounding stops", retry.Decorrelated(1, 1.4), nil, many - 1},
		{"decorrelated with a jitter that stops it", retry.Decorrelated(time.Second, 2), []retry.Option{retry.WithJitter(retry.Jitter{Lo: 0, Hi: 0.5})}, total},
		{"chain", retry.Chain(2, retry.Constant(3*time.Second), retry.Constant(time.Second)), nil, total + 4*time.Second},
		{"chain of many", retry.Chain(many/2, retry.Constant(2*time.Second), retry.Constant(time.Second)), nil, total + many/2*time.Second},
		{"chain of all", retry.Chain(math.MaxInt, retry.Constant(time.Second), retry.Constant(0)), nil, total},
		{
			"chain in a chain", retry.Chain(many/2, retry.Chain(many/4, retry.Constant(2*time.Second), retry.Fibonacci(time.Second)), retry.Chain(math.MaxInt, retry.Sequence(time.Second), retry.Constant(0))),
			[]retry.Option{retry.WithMaxDelay(time.Second), retry.WithJitter(retry.FullJitter)},
			total,
		},
		{"no waits", retry.Exponential(time.Second, 2), []retry.Option{retry.WithMaxDelay(0)}, 0},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			p := retry.MustNew(append(test.opts, retry.WithBackoff(test.backoff), retry.WithMaxAttempts(many))...)
			assert.Equal(t, test.want, maxTotalWithinASecond(t, p))
		})
	}
}

// maxTotalWithinASecond returns p.MaxTotal. Adding up a billion waits would take a minute.
func maxTotalWithinASecond(t *testing.T, p *retry.Policy) (total time.Duration) {
	t.Helper()
	done := make(chan time.Duration, 1)
	go func() {
		got, _ := p.MaxTotal()
		done <- got
	}()
	select {
	case total = <-done:
	case <-time.After(time.Second):
		require.Fail(t, "MaxTotal is slow")
	}
	return total
}

// MaxTotal is the sum of Plan's longest waits.
func TestMaxTotalAgreesWithPlan(t *testing.T) {
	t.Parallel()
	r := rand.New(rand.NewPCG(4, 5))
	for range 2000 {
		attempts := 1 + r.IntN(80)
		p := retry.MustNew(append(randomPolicy(r, attempts), retry.WithMaxElapsed(0))...)
		steps := p.Plan(math.MaxInt)
		require.Len(t, steps, attempts-1)
		var sum time.Duration
		for i, step := range steps {
			if sum += step.Max; sum < 0 {
				sum = longest
			}
			require.Equal(t, i+1, step.Retry)
			require.Equal(t, sum, step.TotalMax, "%v", p)
			if sum == longest {
				break
			}
		}
		total, bounded := p.MaxTotal()
		require.True(t, bounded)
		require.Equal(t, sum, total, "%v", p)

		limit := max(randomDuration(r), 1)
		p = retry.MustNew(p, retry.WithMaxElapsed(limit))
		total, bounded = p.MaxTotal()
		require.True(t, bounded)
		require.Equal(t, min(sum, limit), total, "%v", p)
		if steps = p.Plan(math.MaxInt); len(steps) > 0 {
			require.LessOrEqual(t, steps[len(steps)-1].TotalMax, total)
		}
	}
}

// A call waits as its policy's plan says: between Min and Max, and as often. With random
// numbers in the middle it waits for the Median.
func TestCallsFollowPlan(t *testing.T) {
	t.Parallel()
	r := rand.New(rand.NewPCG(6, 7))
	for range 300 {
		attempts := 1 + r.IntN(30)
		opts := randomPolicy(r, attempts)
		p := retry.MustNew(opts...)
		steps := p.Plan(math.MaxInt)
		for name, random := range map[string]retry.Option{"random": seededRand(r.Uint64()), "middle": fixedRand(0.5), "least": fixedRand(0)} {
			var elapsed time.Duration
			run := retry.MustNew(p, random, retry.WithClock(elapsedClock{&elapsed})).Start(context.Background())
			n := 0
			for wait, again := run.Try(fail); again; wait, again = run.Try(fail) {
				require.Less(t, n, len(steps), "%v", p)
				step := steps[n]
				require.LessOrEqual(t, step.Min, wait, "%v", p)
				require.LessOrEqual(t, wait, step.Max, "%v", p)
				switch name {
				case "middle":
					assertWaits(t, []time.Duration{step.Median + time.Second}, []time.Duration{wait + time.Second})
				case "least":
					require.Equal(t, step.Min, wait, "%v", p)
				}
				elapsed += wait
				n++
			}
			if name == "least" {
				require.Len(t, steps, n, "%v", p)
			}
		}
	}
}

// elapsedClock shows the time that elapsed holds.
type elapsedClock struct{ elapsed *time.Duration }

func (c elapsedClock) Now() time.Time { return time.Unix(0, 0).Add(*c.elapsed) }

func (c elapsedClock) After(time.Duration) <-chan time.Time {
	panic("nothing waits")
}

// Plan includes no hints and no running times: it is the same before and after a call.
func TestPlanIsPure(t *testing.T) {
	t.Parallel()
	p := retry.MustNew(retry.WithBackoff(retry.Decorrelated(time.Second, 3)), retry.WithClock(clock.NewMock()))
	before := p.Plan(4)
	_, again := p.Start(context.Background()).Try(func(context.Context) error { return retry.After(time.Minute, errRefused) })
	require.True(t, again)
	assert.Equal(t, before, p.Plan(4))
}
