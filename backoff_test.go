package retry_test

import (
	"math"
	"math/big"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed-205ff063/retry"
)

const (
	ms      = time.Millisecond
	longest = time.Duration(math.MaxInt64)
)

// plainBackoff is a user's own type, which is taken literally.
type plainBackoff time.Duration

func (b plainBackoff) Delay(retry.Attempt) time.Duration { return time.Duration(b) }

// secondsByNumber waits a.Number seconds, so that a test sees which number its member is given.
func secondsByNumber(a retry.Attempt) time.Duration { return time.Duration(a.Number) * time.Second }

func TestBackoffFirstDelays(t *testing.T) {
	t.Parallel()
	tests := []struct {
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
			"inner chain that the outer cuts short", retry.Chain(1, retry.Chain(2, retry.Constant(ms), retry.Constant(2*ms)), retry.Constant(3*ms)),
			[]time.Duration{ms, 3 * ms, 3 * ms},
		},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			for i, want := range test.want {
				assert.Equal(t, want, test.backoff.Delay(retry.Attempt{Number: i + 1}), "after attempt %d", i+1)
			}
		})
	}
}

// The delay of Decorrelated is the end of its range: factor times the previous wait, which
// starts at initial and is never taken for less.
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
		{"exponential, first that does not", retry.Exponential(1, 2), 64, longest},
		{"exponential, beyond a shift", retry.Exponential(1, 2), 65, longest},
		{"exponential, last number", retry.Exponential(1, 2), math.MaxInt, longest},
		{"exponential, of zero", retry.Exponential(0, 2), math.MaxInt, 0},
		{"exponential, of zero by an infinite power", retry.Exponential(0, 1e308), math.MaxInt, 0},
		{"exponential, largest factor", retry.Exponential(1, math.MaxFloat64), 2, longest},
		{"exponential, factor of one keeps every digit", retry.Exponential(longest-1, 1), math.MaxInt, longest - 1},
		{"exponential, longest by two", retry.Exponential(longest, 2), 2, longest},
		{"fibonacci, last that fits", retry.Fibonacci(1), 92, 7540113804746346429},
		{"fibonacci, first that does not", retry.Fibonacci(1), 93, longest},
		{"fibonacci, last number", retry.Fibonacci(1), math.MaxInt, longest},
		{"fibonacci, of the longest", retry.Fibonacci(longest), 1, longest},
		{"fibonacci, of zero", retry.Fibonacci(0), math.MaxInt, 0},
		{"decorrelated, largest factor", retry.Decorrelated(1, math.MaxFloat64), math.MaxInt, longest},
		{"decorrelated, of zero", retry.Decorrelated(0, math.MaxFloat64), math.MaxInt, 0},
		{"sequence", retry.Sequence(1, 2), math.MaxInt, 2},
		{"chain, still the first", retry.Chain(math.MaxInt, retry.Constant(1), retry.Constant(2)), math.MaxInt, 1},
		{"chain, just the other", retry.Chain(math.MaxInt-1, retry.Constant(1), retry.BackoffFunc(secondsByNumber)), math.MaxInt, time.Second},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			assert.Equal(t, test.want, test.backoff.Delay(retry.Attempt{Number: test.number}))
		})
	}
}

// A chain's second member begins at its own start, in numbers and in waits.
func TestChainSwitch(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name    string
		backoff retry.Backoff
		want    []time.Duration // with samples at the end of their ranges
	}{
		{
			"decorrelated starts at initial, not at the other's wait",
			retry.Chain(2, retry.Constant(9*time.Second), retry.Decorrelated(100*ms, 3)),
			[]time.Duration{9 * time.Second, 9 * time.Second, 300 * ms, 900 * ms, 2700 * ms},
		},
		{
			"decorrelated behind a chain of none",
			retry.Chain(0, retry.Constant(time.Hour), retry.Decorrelated(100*ms, 3)),
			[]time.Duration{300 * ms, 900 * ms},
		},
		{
			"decorrelated first, in the second place",
			retry.Chain(1, retry.Constant(9*time.Second), retry.Chain(2, retry.Decorrelated(100*ms, 3), retry.Constant(1))),
			[]time.Duration{9 * time.Second, 300 * ms, 900 * ms, 1},
		},
		{
			"decorrelated twice",
			retry.Chain(2, retry.Decorrelated(100*ms, 3), retry.Decorrelated(10*ms, 2)),
			[]time.Duration{300 * ms, 900 * ms, 20 * ms, 40 * ms},
		},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			got := decided(t, len(test.want), retry.WithBackoff(test.backoff), sampling(almost1))
			assertWaits(t, test.want, got)
		})
	}
}

// What a member of a chain sees of the attempt beyond number and wait is the attempt's own.
func TestChainMemberSeesAttempt(t *testing.T) {
	t.Parallel()
	var first, then []retry.Attempt
	decided(t, 4, retry.WithName("fetch"), retry.WithBackoff(retry.Chain(2,
		retry.BackoffFunc(func(a retry.Attempt) time.Duration { first = append(first, a); return 5 }),
		retry.BackoffFunc(func(a retry.Attempt) time.Duration { then = append(then, a); return 7 }))))
	require.Len(t, first, 2)
	require.Len(t, then, 2)
	assert.Equal(t, []int{1, 2, 1, 2}, []int{first[0].Number, first[1].Number, then[0].Number, then[1].Number})
	assert.Equal(t, []time.Duration{0, 5, 0, 7},
		[]time.Duration{first[0].Waited, first[1].Waited, then[0].Waited, then[1].Waited})
	for _, a := range append(first, then...) {
		assert.Equal(t, "fetch", a.Name)
		assert.Equal(t, errRefused, a.Err)
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
				assert.Equal(t, []time.Duration{0, 0}, decided(t, 2, opts...))
			})
		}
	}
}

// The default jitter and the default cap come with the strategies that grow, and with no other.
func TestDefaultsBelongToGrowing(t *testing.T) {
	t.Parallel()
	const hour, half, cap30 = time.Hour, 30 * time.Minute, 30 * time.Second
	literal := retry.BackoffFunc(func(retry.Attempt) time.Duration { return hour })
	jitter, limit := retry.WithJitter(retry.FullJitter), retry.WithMaxDelay(time.Minute)
	tests := []struct {
		name string
		opts []retry.Option
		want []time.Duration // with samples in the middle of their ranges
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
			"chain follows its member",
			[]retry.Option{retry.WithBackoff(retry.Chain(1, retry.Constant(hour), retry.Exponential(10*time.Second, 100)))},
			[]time.Duration{hour, 5 * time.Second, 50 * time.Second},
		},
		{
			"chain follows its member back",
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
			"jitter of a growing one keeps its cap",
			[]retry.Option{retry.WithBackoff(retry.Exponential(time.Second, 1000)), retry.WithJitter(retry.NoJitter)},
			[]time.Duration{time.Second, cap30},
		},
		{
			"cap of a growing one keeps its jitter",
			[]retry.Option{retry.WithBackoff(retry.Exponential(time.Second, 1000)), retry.WithMaxDelay(hour)},
			[]time.Duration{500 * ms, 500 * time.Second, half},
		},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			got := decided(t, len(test.want), append(test.opts, sampling(0.5))...)
			assertWaits(t, test.want, got)
		})
	}
}

// The default cap leaves room to grow to ten times the first delay; a cap that was given does not.
func TestFirstDelayRaisesDefaultCap(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name string
		opts []retry.Option
		want []time.Duration // with samples at the end of their ranges
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
			"a cap that was given stays",
			[]retry.Option{retry.WithBackoff(retry.Exponential(time.Minute, 2)), retry.WithMaxDelay(10 * time.Second)},
			[]time.Duration{10 * time.Second, 10 * time.Second},
		},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			assertWaits(t, test.want, decided(t, len(test.want), append(test.opts, sampling(almost1))...))
		})
	}
}

func TestSequenceOwnsItsDelays(t *testing.T) {
	t.Parallel()
	delays := []time.Duration{ms, 2 * ms}
	b := retry.Sequence(delays...)
	delays[0] = time.Hour
	assert.Equal(t, ms, b.Delay(retry.Attempt{Number: 1}))
}

// anyBackoff makes one of the package's strategies of whatever numbers it is given.
func anyBackoff(kind uint8, initial, step time.Duration, factor float64) retry.Backoff {
	switch kind % 8 {
	case 0:
		return retry.Constant(initial)
	case 1:
		return retry.Linear(initial, step)
	case 2:
		return retry.Exponential(initial, factor)
	case 3:
		return retry.Fibonacci(initial)
	case 4:
		return retry.Decorrelated(initial, factor)
	case 5:
		return retry.Sequence(initial, step)
	case 6:
		return retry.Chain(int(step%10), retry.Linear(initial, step), retry.Decorrelated(initial, factor))
	default:
		return retry.Chain(2, retry.Chain(int(step%3), retry.Exponential(initial, factor), retry.Constant(step)), retry.Fibonacci(initial))
	}
}

func FuzzBackoff(f *testing.F) {
	for kind := range uint8(8) {
		f.Add(kind, int64(100*ms), int64(ms), 2.0, 1, int64(0))
		f.Add(kind, int64(1), int64(1), 1.5, 64, int64(longest))
		f.Add(kind, int64(longest), int64(longest), 1.0000000000000002, math.MaxInt, int64(1))
		f.Add(kind, int64(0), int64(0), math.MaxFloat64, math.MaxInt, int64(0))
		f.Add(kind, int64(-1), int64(math.MinInt64), math.NaN(), math.MinInt, int64(math.MinInt64))
	}
	f.Fuzz(func(t *testing.T, kind uint8, initial, step int64, factor float64, number int, waited int64) {
		b := anyBackoff(kind, time.Duration(initial), time.Duration(step), factor)
		a := retry.Attempt{Number: number, Waited: time.Duration(waited)}
		d := b.Delay(a) // must not panic, whatever the arguments
		if _, err := retry.New(retry.WithBackoff(b)); err != nil {
			require.ErrorIs(t, err, retry.ErrOption)
			return
		}
		require.Equal(t, d, b.Delay(a), "a pure function")
		require.GreaterOrEqual(t, d, time.Duration(0))
		if number < 1 {
			return
		}
		next := a
		next.Number = min(a.Number, math.MaxInt-1) + 1
		switch n := big.NewInt(int64(number - 1)); kind % 8 {
		case 0:
			require.Equal(t, time.Duration(initial), d)
		case 1:
			n.Add(n.Mul(n, big.NewInt(step)), big.NewInt(initial))
			require.Equal(t, saturated(n), d)
			require.LessOrEqual(t, d, b.Delay(next))
		case 2:
			requirePower(t, initial, factor, number, d)
		case 3:
			require.Equal(t, fibonacciDelay(initial, number), d)
			require.LessOrEqual(t, d, b.Delay(next))
		case 4:
			requirePower(t, max(initial, waited), factor, 2, d)
			next.Waited = d
			require.LessOrEqual(t, d, b.Delay(next), "a longer wait is followed by a longer delay")
		case 5:
			require.Contains(t, []time.Duration{time.Duration(initial), time.Duration(step)}, d)
		}
	})
}

func saturated(n *big.Int) time.Duration {
	if !n.IsInt64() {
		return longest
	}
	return time.Duration(n.Int64())
}

func fibonacciDelay(unit int64, number int) time.Duration {
	current, next := big.NewInt(unit), big.NewInt(unit)
	for range min(number-1, 100) {
		current, next = next, new(big.Int).Add(current, next)
	}
	return saturated(current)
}

// requirePower checks that d is initial·factorⁿ⁻¹, as exactly as such powers can be had: the
// error of a power grows with its exponent.
func requirePower(t *testing.T, initial int64, factor float64, number int, d time.Duration) {
	t.Helper()
	if initial == 0 {
		require.Zero(t, d)
		return
	}
	exponent := float64(number - 1)
	want := math.Exp(math.Log(float64(initial)) + exponent*math.Log(factor))
	slack := 1e-12 + exponent*0x1p-50
	if slack > 0.1 {
		return
	}
	if want*(1+slack) < math.MaxInt64 {
		require.InEpsilon(t, want+1, float64(d)+1, slack+1/(want+1)) // d is a whole number
	} else if want*(1-slack) > math.MaxInt64 {
		require.Equal(t, longest, d)
	}
}
