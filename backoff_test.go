package retry_test

import (
	"math"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"

	"github.com/seed-205ff063/retry"
)

// firstDelayTests are strategies and their first delays.
var firstDelayTests = []struct {
	name    string
	backoff retry.Backoff
	want    []time.Duration // after attempts 1, 2, 3, …
}{
	{"constant", retry.Constant(7 * ms), []time.Duration{7 * ms, 7 * ms, 7 * ms}},
	{"constant zero", retry.Constant(0), []time.Duration{0, 0, 0}},
	{"linear", retry.Linear(10*ms, 3*ms), []time.Duration{10 * ms, 13 * ms, 16 * ms, 19 * ms}},
	{"linear from zero", retry.Linear(0, 5*ms), []time.Duration{0, 5 * ms, 10 * ms}},
	{"linear without step", retry.Linear(5*ms, 0), []time.Duration{5 * ms, 5 * ms}},
	{
		"exponential doubles", retry.Exponential(100*ms, 2),
		[]time.Duration{100 * ms, 200 * ms, 400 * ms, 800 * ms, 1600 * ms},
	},
	{
		"exponential by a fraction", retry.Exponential(100*ms, 1.5),
		[]time.Duration{100 * ms, 150 * ms, 225 * ms, 337500 * time.Microsecond},
	},
	{"exponential by ten", retry.Exponential(ms, 10), []time.Duration{ms, 10 * ms, 100 * ms, time.Second}},
	{"exponential by one", retry.Exponential(ms, 1), []time.Duration{ms, ms, ms}},
	{
		"fibonacci", retry.Fibonacci(ms),
		[]time.Duration{ms, ms, 2 * ms, 3 * ms, 5 * ms, 8 * ms, 13 * ms, 21 * ms},
	},
	{
		"sequence repeats its last", retry.Sequence(3*ms, ms, 2*ms),
		[]time.Duration{3 * ms, ms, 2 * ms, 2 * ms, 2 * ms},
	},
	{"sequence of one", retry.Sequence(ms), []time.Duration{ms, ms}},
	{"func", retry.BackoffFunc(secondsByNumber), []time.Duration{time.Second, 2 * time.Second}},
	{
		"chain", retry.Chain(2, retry.Linear(ms, ms), retry.Exponential(time.Second, 2)),
		[]time.Duration{ms, 2 * ms, time.Second, 2 * time.Second, 4 * time.Second},
	},
	{
		"chain of none", retry.Chain(0, retry.Constant(ms), retry.BackoffFunc(secondsByNumber)),
		[]time.Duration{time.Second, 2 * time.Second},
	},
	{
		"chain in the second place", retry.Chain(1, retry.Constant(ms), retry.Chain(2, retry.Linear(5*ms, ms), retry.Fibonacci(time.Second))),
		[]time.Duration{ms, 5 * ms, 6 * ms, time.Second, time.Second, 2 * time.Second},
	},
	{
		"chain in the first place", retry.Chain(3, retry.Chain(2, retry.Constant(ms), retry.Linear(5*ms, ms)), retry.Fibonacci(time.Second)),
		[]time.Duration{ms, ms, 5 * ms, time.Second, time.Second, 2 * time.Second},
	},
	{
		"outer chain cuts the inner one short", retry.Chain(1, retry.Chain(2, retry.Constant(ms), retry.Constant(2*ms)), retry.Constant(3*ms)),
		[]time.Duration{ms, 3 * ms, 3 * ms},
	},
}

func TestBackoffFirstDelays(t *testing.T) {
	t.Parallel()
	for _, test := range firstDelayTests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			for i, want := range test.want {
				assert.Equal(t, want, test.backoff.Delay(retry.Attempt{Number: i + 1}), "after attempt %d", i+1)
			}
		})
	}
}

// The delay of Decorrelated is the end of its range: factor times the previous wait. The
// previous wait counts as at least initial.
func TestDecorrelatedDelay(t *testing.T) {
	t.Parallel()
	b := retry.Decorrelated(100*ms, 3)
	tests := []struct {
		name   string
		waited time.Duration
		want   time.Duration
	}{
		{"first", 0, 300 * ms},
		{"after less than initial", 40 * ms, 300 * ms},
		{"after initial", 100 * ms, 300 * ms},
		{"after more", 200 * ms, 600 * ms},
		{"after the longest", longest, longest},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			for _, number := range []int{1, 2, 1000} {
				assert.Equal(t, test.want, b.Delay(retry.Attempt{Number: number, Waited: test.waited}))
			}
		})
	}
}

func TestBackoffSaturates(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name    string
		backoff retry.Backoff
		number  int
		want    time.Duration
	}{
		{"constant", retry.Constant(longest), math.MaxInt, longest},
		{"linear, last that fits", retry.Linear(0, 1), math.MaxInt, math.MaxInt - 1},
		{"linear, sum too long", retry.Linear(longest, 1), 2, longest},
		{"linear, product too long", retry.Linear(0, longest), 3, longest},
		{"linear, both", retry.Linear(longest, longest), math.MaxInt, longest},
		{"exponential, last that fits", retry.Exponential(1, 2), 63, 1 << 62},
		{"exponential, first that does not fit", retry.Exponential(1, 2), 64, longest},
		{"exponential, beyond a shift", retry.Exponential(1, 2), 65, longest},
		{"exponential, last number", retry.Exponential(1, 2), math.MaxInt, longest},
		{"exponential, of zero", retry.Exponential(0, 2), math.MaxInt, 0},
		{"exponential, of zero by an infinite power", retry.Exponential(0, 1e308), math.MaxInt, 0},
		{"exponential, largest factor", retry.Exponential(1, math.MaxFloat64), 2, longest},
		{"exponential, factor of one keeps every digit", retry.Exponential(longest-1, 1), math.MaxInt, longest - 1},
		{"exponential, longest by two", retry.Exponential(longest, 2), 2, longest},
		{"fibonacci, last that fits", retry.Fibonacci(1), 92, 7540113804746346429},
		{"fibonacci, first that does not fit", retry.Fibonacci(1), 93, longest},
		{"fibonacci, last number", retry.Fibonacci(1), math.MaxInt, longest},
		{"fibonacci, of the longest", retry.Fibonacci(longest), 1, longest},
		{"fibonacci, of zero", retry.Fibonacci(0), math.MaxInt, 0},
		{"decorrelated, largest factor", retry.Decorrelated(1, math.MaxFloat64), math.MaxInt, longest},
		{"decorrelated, of zero", retry.Decorrelated(0, math.MaxFloat64), math.MaxInt, 0},
		{"sequence", retry.Sequence(1, 2), math.MaxInt, 2},
		{"chain, still the first member", retry.Chain(math.MaxInt, retry.Constant(1), retry.Constant(2)), math.MaxInt, 1},
		{"chain, just the second member", retry.Chain(math.MaxInt-1, retry.Constant(1), retry.BackoffFunc(secondsByNumber)), math.MaxInt, time.Second},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			assert.Equal(t, test.want, test.backoff.Delay(retry.Attempt{Number: test.number}))
		})
	}
}

func TestNegativeDelayCountsAsZero(t *testing.T) {
	t.Parallel()
	for _, d := range []time.Duration{-1, -time.Hour, math.MinInt64} {
		negative := retry.BackoffFunc(func(retry.Attempt) time.Duration { return d })
		for name, opts := range map[string][]retry.Option{
			"func":              {retry.WithBackoff(negative)},
			"own type":          {retry.WithBackoff(plainBackoff(d))},
			"member of a chain": {retry.WithBackoff(retry.Chain(9, negative, negative))},
			"with jitter":       {retry.WithBackoff(negative), retry.WithJitter(retry.AddJitter(1))},
			"with cap":          {retry.WithBackoff(negative), retry.WithMaxDelay(time.Hour)},
		} {
			t.Run(name, func(t *testing.T) {
				t.Parallel()
				assert.Equal(t, []time.Duration{0, 0}, tryWaits(t, 2, opts...))
			})
		}
	}
}

func TestSequenceCopiesItsDelays(t *testing.T) {
	t.Parallel()
	delays := []time.Duration{ms, 2 * ms}
	b := retry.Sequence(delays...)
	delays[0] = time.Hour
	assert.Equal(t, ms, b.Delay(retry.Attempt{Number: 1}))
}

// Decorrelated draws from [initial, min(cap, factor·previous)]. The first previous wait is
// initial.
func TestDecorrelatedRange(t *testing.T) {
	t.Parallel()
	const s = time.Second
	decorrelated := retry.WithBackoff(retry.Decorrelated(s, 3))
	tests := []struct {
		name string
		u    float64
		opts []retry.Option
		want []time.Duration
	}{
		{"shortest", 0, nil, []time.Duration{s, s, s}},
		{"longest", almostOne, nil, []time.Duration{3 * s, 9 * s, 27 * s, 30 * s, 30 * s}},
		{"middle", 0.5, nil, []time.Duration{2 * s, 3500 * ms, 5750 * ms}},
		{"longest, own cap", almostOne, []retry.Option{retry.WithMaxDelay(5 * s)}, []time.Duration{3 * s, 5 * s, 5 * s}},
		{"middle, own cap", 0.5, []retry.Option{retry.WithMaxDelay(5 * s)}, []time.Duration{2 * s, 3 * s, 3 * s}},
		{"cap below initial", 0.5, []retry.Option{retry.WithMaxDelay(s / 2)}, []time.Duration{s / 2, s / 2}},
		{"jitter replaces the range: none", 0.5, []retry.Option{retry.WithJitter(retry.NoJitter)}, []time.Duration{3 * s, 9 * s, 27 * s, 30 * s}},
		{"jitter replaces the range: full", 0, []retry.Option{retry.WithJitter(retry.FullJitter)}, []time.Duration{0, 0, 0}},
		{"jitter replaces the range: equal", 0, []retry.Option{retry.WithJitter(retry.EqualJitter)}, []time.Duration{1500 * ms, 2250 * ms, 3375 * ms}},
		{"jitter replaces the range, and the cap binds it", almostOne, []retry.Option{retry.WithJitter(retry.AddJitter(1)), retry.WithMaxDelay(10 * s)}, []time.Duration{6 * s, 10 * s, 10 * s}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			got := tryWaits(t, len(test.want), append(test.opts, decorrelated, fixedRand(test.u))...)
			assertWaits(t, test.want, got)
		})
	}
}
