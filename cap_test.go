package retry_test

import (
	"math"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed-205ff063/retry"
)

// The default cap is 30s or ten times the longest first wait, whichever is longer.
func TestDefaultCap(t *testing.T) {
	t.Parallel()
	const s, m = time.Second, time.Minute
	twice := retry.WithJitter(retry.Jitter{Lo: 0, Hi: 2})
	for _, tt := range []struct {
		name string
		opts []retry.Option
		want time.Duration // 0: none
	}{
		{"default", nil, 30 * s},
		{"below", []retry.Option{retry.WithBackoff(retry.Exponential(3*s-1, 2))}, 30 * s},
		{"at", []retry.Option{retry.WithBackoff(retry.Exponential(3*s, 2))}, 30 * s},
		{"above", []retry.Option{retry.WithBackoff(retry.Exponential(3*s+1, 2))}, 30*s + 10},
		{"exponential", []retry.Option{retry.WithBackoff(retry.Exponential(m, 2))}, 10 * m},
		{"linear", []retry.Option{retry.WithBackoff(retry.Linear(m, 2*m))}, 10 * m},
		{"fibonacci", []retry.Option{retry.WithBackoff(retry.Fibonacci(m))}, 10 * m},
		{"decorrelated, the factor included", []retry.Option{retry.WithBackoff(retry.Decorrelated(m, 3))}, 30 * m},
		{"Hi above 1 below the default", []retry.Option{retry.WithBackoff(retry.Exponential(s, 2)), twice}, 30 * s},
		{"Hi above 1 at it", []retry.Option{retry.WithBackoff(retry.Exponential(1500*time.Millisecond, 2)), twice}, 30 * s},
		{"Hi above 1 above it", []retry.Option{retry.WithBackoff(retry.Exponential(m, 2)), twice}, 20 * m},
		{"Hi below 1", []retry.Option{retry.WithBackoff(retry.Exponential(m, 2)), retry.WithJitter(retry.Jitter{Lo: 0, Hi: 0.5})}, 5 * m},
		{"decorrelated with a jitter", []retry.Option{retry.WithBackoff(retry.Decorrelated(m, 3)), twice}, 60 * m},
		{"as long as can be", []retry.Option{retry.WithBackoff(retry.Exponential(math.MaxInt64/5, 2))}, math.MaxInt64},
		{"a cap of one's own", []retry.Option{retry.WithBackoff(retry.Exponential(m, 2)), retry.WithMaxDelay(2 * m)}, 2 * m},
		{"a cap of one's own below the first wait", []retry.Option{retry.WithBackoff(retry.Exponential(m, 2)), retry.WithMaxDelay(s)}, s},
		{"in a chain", []retry.Option{retry.WithBackoff(retry.Chain(0, retry.Constant(0), retry.Exponential(m, 2)))}, 10 * m},
		{"literal ones have none", []retry.Option{retry.WithBackoff(retry.Constant(time.Hour))}, time.Hour},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			p := retry.MustNew(append(tt.opts, sampling(almost1))...)
			assert.InDelta(t, tt.want, p.Wait(retry.Attempt{Number: 500, Waited: math.MaxInt64}), float64(tt.want)*1e-9, "the longest wait")
			steps := retry.MustNew(append(tt.opts, retry.WithMaxAttempts(200))...).Plan(199)
			assert.Equal(t, tt.want, steps[198].Max)
			requireRoundTrip(t, retry.MustNew(tt.opts...))
		})
	}
}

// A strategy that grows does, from whatever first delay.
func TestDefaultCapLetsGrow(t *testing.T) {
	t.Parallel()
	for _, b := range []retry.Backoff{
		retry.Exponential(time.Minute, 2), retry.Exponential(24*time.Hour, 1.5), retry.Linear(time.Minute, time.Minute),
		retry.Fibonacci(time.Hour), retry.Decorrelated(time.Hour, 3),
	} {
		steps := retry.MustNew(retry.WithBackoff(b)).Plan(4)
		require.Len(t, steps, 4)
		assert.Greater(t, steps[3].Max, steps[0].Max, "%v", b)
	}
}

func TestDefaultCapText(t *testing.T) {
	t.Parallel()
	assert.Contains(t, retry.MustNew(retry.WithBackoff(retry.Exponential(time.Minute, 2))).String(), "max_delay=10m0s")
	assert.Contains(t, retry.MustNew(retry.WithBackoff(retry.Exponential(time.Second, 2))).String(), "max_delay=30s")
	p, err := retry.Parse("backoff=exponential(1m,2)")
	require.NoError(t, err)
	assert.Equal(t, 10*time.Minute, p.Plan(4)[3].Max+2*time.Minute, "1, 2, 4, 8 minutes")
}
