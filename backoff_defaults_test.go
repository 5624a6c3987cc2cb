package retry_test

import (
	"math"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed-205ff063/retry"
)

// The default jitter and the default cap apply to the growing strategies only.
func TestDefaultsApplyToGrowingStrategies(t *testing.T) {
	t.Parallel()
	const hour, half, cap30 = time.Hour, 30 * time.Minute, 30 * time.Second
	literal := retry.BackoffFunc(func(retry.Attempt) time.Duration { return hour })
	jitter, limit := retry.WithJitter(retry.FullJitter), retry.WithMaxDelay(time.Minute)
	tests := []struct {
		name string
		opts []retry.Option
		want []time.Duration // with random numbers in the middle of their ranges
	}{
		{"none given", nil, []time.Duration{50 * ms, 100 * ms, 200 * ms, 400 * ms}},
		{"linear", []retry.Option{retry.WithBackoff(retry.Linear(2*time.Second, hour))}, []time.Duration{time.Second, cap30 / 2}},
		{"exponential", []retry.Option{retry.WithBackoff(retry.Exponential(2*time.Second, 1000))}, []time.Duration{time.Second, cap30 / 2}},
		{"fibonacci", []retry.Option{retry.WithBackoff(retry.Fibonacci(2 * time.Second))}, []time.Duration{time.Second, time.Second, 2 * time.Second, 3 * time.Second, 5 * time.Second, 8 * time.Second, 13 * time.Second, cap30 / 2}},
		{
			"decorrelated",
			[]retry.Option{retry.WithBackoff(retry.Decorrelated(2*time.Second, 10))},
			[]time.Duration{11 * time.Second, 56 * time.Second, 101 * time.Second},
		},

		{"constant", []retry.Option{retry.WithBackoff(retry.Constant(hour))}, []time.Duration{hour, hour}},
		{"sequence", []retry.Option{retry.WithBackoff(retry.Sequence(ms, hour))}, []time.Duration{ms, hour, hour}},
		{"func", []retry.Option{retry.WithBackoff(literal)}, []time.Duration{hour, hour}},
		{"own type", []retry.Option{retry.WithBackoff(plainBackoff(hour))}, []time.Duration{hour, hour}},
		{"longest constant", []retry.Option{retry.WithBackoff(retry.Constant(longest))}, []time.Duration{longest, longest}},

		{"jitter adds no cap: constant", []retry.Option{retry.WithBackoff(retry.Constant(hour)), jitter}, []time.Duration{half, half}},
		{"jitter adds no cap: sequence", []retry.Option{retry.WithBackoff(retry.Sequence(hour)), jitter}, []time.Duration{half, half}},
		{"jitter adds no cap: func", []retry.Option{retry.WithBackoff(literal), jitter}, []time.Duration{half, half}},
		{"jitter adds no cap: own type", []retry.Option{retry.WithBackoff(plainBackoff(hour)), jitter}, []time.Duration{half, half}},

		{"cap adds no jitter: constant", []retry.Option{retry.WithBackoff(retry.Constant(hour)), limit}, []time.Duration{time.Minute, time.Minute}},
		{"cap adds no jitter: sequence", []retry.Option{retry.WithBackoff(retry.Sequence(ms, hour)), limit}, []time.Duration{ms, time.Minute}},
		{"cap adds no jitter: func", []retry.Option{retry.WithBackoff(literal), limit}, []time.Duration{time.Minute, time.Minute}},
		{"cap adds no jitter: own type", []retry.Option{retry.WithBackoff(plainBackoff(hour)), limit}, []time.Duration{time.Minute, time.Minute}},

		{
			"chain has the defaults of its member",
			[]retry.Option{retry.WithBackoff(retry.Chain(1, retry.Constant(hour), retry.Exponential(10*time.Second, 100)))},
			[]time.Duration{hour, 5 * time.Second, 50 * time.Second},
		},
		{
			"chain has the defaults of its member, growing first",
			[]retry.Option{retry.WithBackoff(retry.Chain(2, retry.Exponential(10*time.Second, 100), retry.Constant(hour)))},
			[]time.Duration{5 * time.Second, 50 * time.Second, hour},
		},
		{
			"chain with a jitter for all",
			[]retry.Option{retry.WithBackoff(retry.Chain(1, retry.Constant(hour), retry.Exponential(10*time.Second, 100))), retry.WithJitter(retry.EqualJitter)},
			[]time.Duration{45 * time.Minute, 7500 * ms, 75 * time.Second},
		},
		{
			"chain with a cap for all",
			[]retry.Option{retry.WithBackoff(retry.Chain(1, retry.Constant(hour), retry.Exponential(10*time.Second, 100))), limit},
			[]time.Duration{time.Minute, 5 * time.Second, half / 60},
		},

		{
			"setting the jitter keeps the default cap",
			[]retry.Option{retry.WithBackoff(retry.Exponential(time.Second, 1000)), retry.WithJitter(retry.NoJitter)},
			[]time.Duration{time.Second, cap30},
		},
		{
			"setting the cap keeps the default jitter",
			[]retry.Option{retry.WithBackoff(retry.Exponential(time.Second, 1000)), retry.WithMaxDelay(hour)},
			[]time.Duration{500 * ms, 500 * time.Second, half},
		},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			got := tryWaits(t, len(test.want), append(test.opts, fixedRand(0.5))...)
			assertWaits(t, test.want, got)
		})
	}
}

// longFirstDelayTests are strategies with a long first delay, and their waits.
var longFirstDelayTests = []struct {
	name string
	opts []retry.Option
	want []time.Duration // with random numbers at the end of their ranges
}{
	{
		"exponential",
		[]retry.Option{retry.WithBackoff(retry.Exponential(time.Minute, 2))},
		[]time.Duration{time.Minute, 2 * time.Minute, 4 * time.Minute, 8 * time.Minute, 10 * time.Minute, 10 * time.Minute},
	},
	{
		"linear",
		[]retry.Option{retry.WithBackoff(retry.Linear(time.Minute, time.Minute))},
		[]time.Duration{time.Minute, 2 * time.Minute},
	},
	{
		"linear, only its second delay is longer",
		[]retry.Option{retry.WithBackoff(retry.Linear(time.Second, time.Hour))},
		[]time.Duration{time.Second, 30 * time.Second},
	},
	{
		"fibonacci",
		[]retry.Option{retry.WithBackoff(retry.Fibonacci(time.Minute))},
		[]time.Duration{time.Minute, time.Minute, 2 * time.Minute},
	},
	{
		"decorrelated, by factor·initial",
		[]retry.Option{retry.WithBackoff(retry.Decorrelated(20*time.Second, 3))},
		[]time.Duration{time.Minute, 3 * time.Minute, 9 * time.Minute, 10 * time.Minute},
	},
	{
		"decorrelated, just at the default",
		[]retry.Option{retry.WithBackoff(retry.Decorrelated(time.Second, 3))},
		[]time.Duration{3 * time.Second, 9 * time.Second, 27 * time.Second, 30 * time.Second},
	},
	{
		"to Hi times itself",
		[]retry.Option{retry.WithBackoff(retry.Exponential(time.Minute, 2)), retry.WithJitter(retry.AddJitter(0.5))},
		[]time.Duration{90 * time.Second, 180 * time.Second, 360 * time.Second, 720 * time.Second},
	},
	{
		"never below the default",
		[]retry.Option{retry.WithBackoff(retry.Exponential(40*time.Second, 2)), retry.WithJitter(retry.Jitter{Lo: 0, Hi: 0.5})},
		[]time.Duration{20 * time.Second, 40 * time.Second},
	},
	{
		"within a chain",
		[]retry.Option{retry.WithBackoff(retry.Chain(1, retry.Constant(time.Hour), retry.Exponential(time.Minute, 2)))},
		[]time.Duration{time.Hour, time.Minute, 2 * time.Minute},
	},
	{
		"the longest",
		[]retry.Option{retry.WithBackoff(retry.Exponential(longest, 2)), retry.WithJitter(retry.AddJitter(1))},
		[]time.Duration{longest, longest},
	},
	{
		"a cap that was set stays",
		[]retry.Option{retry.WithBackoff(retry.Exponential(time.Minute, 2)), retry.WithMaxDelay(10 * time.Second)},
		[]time.Duration{10 * time.Second, 10 * time.Second},
	},
}

// The default cap lets the delay grow to ten times the first one. A cap that was set does not
// move.
func TestLongFirstDelayRaisesDefaultCap(t *testing.T) {
	t.Parallel()
	for _, test := range longFirstDelayTests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			assertWaits(t, test.want, tryWaits(t, len(test.want), append(test.opts, fixedRand(almostOne))...))
		})
	}
}

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
		{"the longest possible", []retry.Option{retry.WithBackoff(retry.Exponential(math.MaxInt64/5, 2))}, math.MaxInt64},
		{"a cap that was set", []retry.Option{retry.WithBackoff(retry.Exponential(m, 2)), retry.WithMaxDelay(2 * m)}, 2 * m},
		{"a cap that was set, below the first wait", []retry.Option{retry.WithBackoff(retry.Exponential(m, 2)), retry.WithMaxDelay(s)}, s},
		{"in a chain", []retry.Option{retry.WithBackoff(retry.Chain(0, retry.Constant(0), retry.Exponential(m, 2)))}, 10 * m},
		{"constant has no default cap", []retry.Option{retry.WithBackoff(retry.Constant(time.Hour))}, time.Hour},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			p := retry.MustNew(append(tt.opts, fixedRand(almostOne))...)
			assert.InDelta(t, tt.want, p.Wait(retry.Attempt{Number: 500, Waited: math.MaxInt64}), float64(tt.want)*1e-9, "the longest wait")
			steps := retry.MustNew(append(tt.opts, retry.WithMaxAttempts(200))...).Plan(199)
			assert.Equal(t, tt.want, steps[198].Max)
			requireRoundTrip(t, retry.MustNew(tt.opts...))
		})
	}
}

// A growing strategy grows from any first delay.
func TestDefaultCapLeavesRoomToGrow(t *testing.T) {
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
