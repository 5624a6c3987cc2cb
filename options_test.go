package retry_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math"
	"math/rand/v2"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/benbjohnson/clock"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed-205ff063/retry"
)

// optionFaults are the options that are faults on their own, with their texts.
var optionFaults = []struct {
	name   string
	option retry.Option
	want   string
}{
	{"nil option", nil, "retry: options: nil Option"},

	{"no attempts", retry.WithMaxAttempts(0), "retry: WithMaxAttempts: 0 is below 1; use Unlimited for no limit"},
	{"negative attempts", retry.WithMaxAttempts(-2), "retry: WithMaxAttempts: -2 is below 1; use Unlimited for no limit"},
	{"hardly any attempts", retry.WithMaxAttempts(math.MinInt32), "retry: WithMaxAttempts: -2147483648 is below 1; use Unlimited for no limit"},

	{"max elapsed", retry.WithMaxElapsed(-1), "retry: WithMaxElapsed: -1ns is negative"},
	{"attempt timeout", retry.WithAttemptTimeout(-time.Hour), "retry: WithAttemptTimeout: -1h0m0s is negative"},
	{"max delay", retry.WithMaxDelay(-time.Second), "retry: WithMaxDelay: -1s is negative"},
	{"max retry after", retry.WithMaxRetryAfter(math.MinInt64), "retry: WithMaxRetryAfter: -2562047h47m16.854775808s is negative"},

	{"nil Backoff", retry.WithBackoff(nil), "retry: WithBackoff: nil Backoff"},
	{"nil func as backoff", retry.WithBackoff(retry.BackoffFunc(nil)), "retry: WithBackoff: nil BackoffFunc"},
	{"constant", retry.WithBackoff(retry.Constant(-1)), "retry: WithBackoff: delay -1ns is negative"},
	{"linear initial", retry.WithBackoff(retry.Linear(-1, 1)), "retry: WithBackoff: initial delay -1ns is negative"},
	{"linear step", retry.WithBackoff(retry.Linear(1, -1)), "retry: WithBackoff: step -1ns is negative"},
	{"linear both", retry.WithBackoff(retry.Linear(-1, -2)), "retry: WithBackoff: initial delay -1ns is negative and step -2ns is negative"},
	{"exponential initial", retry.WithBackoff(retry.Exponential(-1, 2)), "retry: WithBackoff: initial delay -1ns is negative"},
	{"exponential factor", retry.WithBackoff(retry.Exponential(1, 0.5)), "retry: WithBackoff: factor 0.5 is not a finite number of at least 1"},
	{"exponential factor just below", retry.WithBackoff(retry.Exponential(1, almost1)), "retry: WithBackoff: factor 0.9999999999999999 is not a finite number of at least 1"},
	{"exponential factor zero", retry.WithBackoff(retry.Exponential(1, 0)), "retry: WithBackoff: factor 0 is not a finite number of at least 1"},
	{"exponential factor NaN", retry.WithBackoff(retry.Exponential(1, math.NaN())), "retry: WithBackoff: factor NaN is not a finite number of at least 1"},
	{"exponential factor +Inf", retry.WithBackoff(retry.Exponential(1, math.Inf(1))), "retry: WithBackoff: factor +Inf is not a finite number of at least 1"},
	{"exponential both", retry.WithBackoff(retry.Exponential(-1, math.Inf(-1))), "retry: WithBackoff: initial delay -1ns is negative and factor -Inf is not a finite number of at least 1"},
	{"fibonacci", retry.WithBackoff(retry.Fibonacci(-1)), "retry: WithBackoff: unit -1ns is negative"},
	{"decorrelated initial", retry.WithBackoff(retry.Decorrelated(-1, 3)), "retry: WithBackoff: initial delay -1ns is negative"},
	{"decorrelated factor", retry.WithBackoff(retry.Decorrelated(1, -3)), "retry: WithBackoff: factor -3 is not a finite number of at least 1"},
	{"decorrelated factor NaN", retry.WithBackoff(retry.Decorrelated(1, math.NaN())), "retry: WithBackoff: factor NaN is not a finite number of at least 1"},
	{"decorrelated factor +Inf", retry.WithBackoff(retry.Decorrelated(1, math.Inf(1))), "retry: WithBackoff: factor +Inf is not a finite number of at least 1"},
	{"empty sequence", retry.WithBackoff(retry.Sequence()), "retry: WithBackoff: sequence() has no delays; give at least one"},
	{"negative in a sequence", retry.WithBackoff(retry.Sequence(1, -2, -3)), "retry: WithBackoff: delay -2ns is negative"},
	{"negative chain", retry.WithBackoff(retry.Chain(-1, retry.Constant(1), retry.Constant(1))), "retry: WithBackoff: chain length -1 is negative"},
	{"nil first in a chain", retry.WithBackoff(retry.Chain(1, nil, retry.Constant(1))), "retry: WithBackoff: nil Backoff"},
	{"nil second in a chain", retry.WithBackoff(retry.Chain(1, retry.Constant(1), retry.BackoffFunc(nil))), "retry: WithBackoff: nil BackoffFunc"},
	{"both bad in a chain", retry.WithBackoff(retry.Chain(1, retry.Constant(-1), retry.Fibonacci(-2))), "retry: WithBackoff: delay -1ns is negative and unit -2ns is negative"},
	{"bad deep in a chain", retry.WithBackoff(retry.Chain(1, retry.Constant(1), retry.Chain(1, retry.Sequence(), retry.Constant(1)))), "retry: WithBackoff: sequence() has no delays; give at least one"},

	{"zero jitter", retry.WithJitter(retry.Jitter{}), "retry: WithJitter: {0 0} makes every wait 0; use WithBackoff(Constant(0)) to retry at once"},
	{"jitter Lo below 0", retry.WithJitter(retry.Jitter{Lo: -0.5, Hi: 1}), "retry: WithJitter: {-0.5 1} has Lo below 0"},
	{"jitter Hi below Lo", retry.WithJitter(retry.Jitter{Lo: 1, Hi: 0.5}), "retry: WithJitter: {1 0.5} has Hi below Lo"},
	{"jitter Hi below 0", retry.WithJitter(retry.Jitter{Lo: 0, Hi: -1}), "retry: WithJitter: {0 -1} has Hi below Lo"},
	{"jitter Lo NaN", retry.WithJitter(retry.Jitter{Lo: math.NaN(), Hi: 1}), "retry: WithJitter: {NaN 1} is not finite"},
	{"jitter Hi NaN", retry.WithJitter(retry.Jitter{Lo: 1, Hi: math.NaN()}), "retry: WithJitter: {1 NaN} is not finite"},
	{"jitter Lo infinite", retry.WithJitter(retry.Jitter{Lo: math.Inf(-1), Hi: 1}), "retry: WithJitter: {-Inf 1} is not finite"},
	{"jitter Hi infinite", retry.WithJitter(retry.Jitter{Lo: 1, Hi: math.Inf(1)}), "retry: WithJitter: {1 +Inf} is not finite"},
	{"negative add", retry.WithJitter(retry.AddJitter(-0.5)), "retry: WithJitter: {1 0.5} has Hi below Lo"},
	{"add NaN", retry.WithJitter(retry.AddJitter(math.NaN())), "retry: WithJitter: {1 NaN} is not finite"},
	{"add infinite", retry.WithJitter(retry.AddJitter(math.Inf(1))), "retry: WithJitter: {1 +Inf} is not finite"},
	{"negative spread", retry.WithJitter(retry.SpreadJitter(-0.5)), "retry: WithJitter: {1.5 0.5} has Hi below Lo"},
	{"spread above 1", retry.WithJitter(retry.SpreadJitter(1.5)), "retry: WithJitter: {-0.5 2.5} has Lo below 0"},
	{"spread NaN", retry.WithJitter(retry.SpreadJitter(math.NaN())), "retry: WithJitter: {NaN NaN} is not finite"},

	{"nil rand", retry.WithRand(nil), "retry: WithRand: nil function"},
	{"negative history size", retry.WithHistorySize(-1), "retry: WithHistorySize: -1 is negative"},
	{"nil history", retry.WithHistory(nil), "retry: WithHistory: nil History"},
	{"negative history", retry.WithHistory(retry.NewHistory(-3)), "retry: WithHistory: a size of -3 is negative"},
	{"nil budget", retry.WithBudget(nil), "retry: WithBudget: nil Budget"},
	{"negative ratio", retry.WithBudget(retry.NewBudget(-0.1, 1)), "retry: WithBudget: a ratio of -0.1 is not a finite number of at least 0"},
	{"ratio NaN", retry.WithBudget(retry.NewBudget(math.NaN(), 1)), "retry: WithBudget: a ratio of NaN is not a finite number of at least 0"},
	{"ratio infinite", retry.WithBudget(retry.NewBudget(math.Inf(1), 1)), "retry: WithBudget: a ratio of +Inf is not a finite number of at least 0"},
	{"negative burst", retry.WithBudget(retry.NewBudget(0.1, -1)), "retry: WithBudget: a burst of -1 is negative"},
	{"nil clock", retry.WithClock(nil), "retry: WithClock: nil Clock"},
	{"nil logger", retry.WithLogger(nil), "retry: WithLogger: nil Logger"},

	{"nil retry if", retry.WithRetryIf(nil), "retry: WithRetryIf: nil Classifier"},
	{"nil retry if among others", retry.WithRetryIf(retry.Transient, nil), "retry: WithRetryIf: nil Classifier"},
	{"nil match", retry.WithRetryIf(retry.Match(nil)), "retry: WithRetryIf: nil Classifier"},
	{"nil stop if", retry.WithStopIf(nil, retry.AlreadyRetried), "retry: WithStopIf: nil Classifier"},
	{"nil gate", retry.WithGate(nil), "retry: WithGate: nil Gate"},
	{"nil rate limiter", retry.WithGate(retry.RateLimit(nil)), "retry: WithGate: nil Gate"},
	{"nil semaphore", retry.WithGate(retry.Bulkhead(nil, 1)), "retry: WithGate: nil Gate"},
	{"nil gate of first attempts", retry.WithGate(retry.OnlyFirst(nil)), "retry: WithGate: nil Gate"},
	{"nil gate of retries", retry.WithGate(retry.OnlyRetries(nil)), "retry: WithGate: nil Gate"},
}

// A call with a fault among its options runs nothing and returns an error that says what is
// wrong, and is no *Error.
func TestOptionFaults(t *testing.T) {
	t.Parallel()
	for _, test := range optionFaults {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			for way, err := range callAllWays(t, test.option) {
				assert.EqualError(t, err, test.want, way)
				assertFault(t, err)
			}
		})
	}
}

func assertFault(t *testing.T, err error) {
	t.Helper()
	assert.ErrorIs(t, err, retry.ErrOption)
	var failed *retry.Error
	assert.False(t, errors.As(err, &failed), "an option fault is no *Error")
	for _, reason := range []error{retry.ErrExhausted, retry.ErrPermanent, retry.ErrContext, retry.ErrRejected} {
		assert.NotErrorIs(t, err, reason)
	}
}

// callAllWays makes a call in each of the ways, with options that are at fault: neither the
// function nor a hook may run. A policy that was made before is among them.
func callAllWays(t *testing.T, opts ...retry.Option) map[string]error {
	t.Helper()
	ctx := context.Background()
	never := func(context.Context) error { t.Error("the function ran"); return nil }
	neverValue := func(context.Context, string) (string, error) { t.Error("the function ran"); return "", nil }
	opts = append([]retry.Option{retry.WithHooks(neverHooks(t))}, opts...)
	derived := append([]retry.Option{retry.MustNew(retry.WithMaxAttempts(2))}, opts...)
	errs := map[string]error{
		"Do":               retry.Do(ctx, never, opts...),
		"Do with a policy": retry.Do(ctx, never, derived...),
	}
	_, errs["New"] = retry.New(opts...)
	_, errs["New of a policy"] = retry.New(derived...)
	_, errs["DoValue"] = retry.DoValue(ctx, func(ctx context.Context) (string, error) { return neverValue(ctx, "") }, opts...)
	_, errs["Func"] = retry.Func(neverValue, opts...)(ctx, "")
	var err error
	for range retry.Attempts(ctx, &err, opts...) {
		t.Error("the body ran")
	}
	errs["Attempts"] = err
	errs["MustNew"] = func() (err error) {
		defer func() { err, _ = recover().(error) }()
		retry.MustNew(opts...)
		return nil
	}()
	return errs
}

func neverHooks(t *testing.T) retry.Hooks {
	return retry.Hooks{
		Start:         func(ctx context.Context) context.Context { t.Error("Start ran"); return ctx },
		BeforeAttempt: func(ctx context.Context, _ retry.Attempt) context.Context { t.Error("BeforeAttempt ran"); return ctx },
		AfterAttempt:  func(context.Context, retry.Attempt) { t.Error("AfterAttempt ran") },
		BeforeWait:    func(context.Context, retry.Attempt) { t.Error("BeforeWait ran") },
		Done:          func(context.Context, retry.Outcome) { t.Error("Done ran") },
	}
}

// All faults are in one error, each on its line, whatever the order of the options.
func TestOptionFaultsAreJoined(t *testing.T) {
	t.Parallel()
	want := []string{
		"retry: options: nil Option",
		"retry: WithMaxAttempts: 0 is below 1; use Unlimited for no limit",
		"retry: WithMaxElapsed: -1s is negative",
		"retry: WithAttemptTimeout: -1s is negative",
		"retry: WithBackoff: sequence() has no delays; give at least one",
		"retry: WithMaxDelay: -1s is negative",
		"retry: WithMaxRetryAfter: -1s is negative",
		"retry: WithJitter: {1 0} has Hi below Lo",
		"retry: WithRand: nil function",
		"retry: WithHistorySize: -1 is negative",
		"retry: WithHistory: nil History",
		"retry: WithBudget: nil Budget",
		"retry: WithClock: nil Clock",
		"retry: WithLogger: nil Logger",
		"retry: WithRetryIf: nil Classifier",
		"retry: WithStopIf: nil Classifier",
		"retry: WithGate: nil Gate",
	}
	opts := []retry.Option{
		nil, retry.WithMaxAttempts(0), retry.WithMaxElapsed(-time.Second), retry.WithAttemptTimeout(-time.Second),
		retry.WithBackoff(retry.Sequence()), retry.WithMaxDelay(-time.Second), retry.WithMaxRetryAfter(-time.Second),
		retry.WithJitter(retry.Jitter{Lo: 1}), retry.WithRand(nil), retry.WithHistorySize(-1), retry.WithHistory(nil),
		retry.WithBudget(nil), retry.WithClock(nil), retry.WithLogger(nil), retry.WithRetryIf(nil), retry.WithStopIf(nil),
		retry.WithGate(nil), retry.WithName("kept"),
	}
	for way, err := range callAllWays(t, opts...) {
		require.Error(t, err, way)
		assert.ElementsMatch(t, want, strings.Split(err.Error(), "\n"), way)
		assertFault(t, err)
	}
	rand.New(rand.NewPCG(8, 9)).Shuffle(len(opts), func(i, j int) { opts[i], opts[j] = opts[j], opts[i] })
	_, err := retry.New(opts...)
	require.Error(t, err)
	assert.ElementsMatch(t, want, strings.Split(err.Error(), "\n"))
}

// What a call alone can find wrong is joined to what is wrong with its options.
func TestCallFaultsAreJoined(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	bad := []retry.Option{retry.WithMaxDelay(-2), retry.WithValidator(func(int, retry.Attempt) error { return nil })}
	err := retry.Do(ctx, nil, bad...)
	assert.EqualError(t, err, "retry: WithMaxDelay: -2ns is negative\n"+
		"retry: WithValidator: a validator for int in a call that returns no value; use DoValue or Func\n"+
		"retry: Do: nil function")
	assertFault(t, err)
	_, err = retry.DoValue[string](ctx, nil, bad...)
	assert.EqualError(t, err, "retry: WithMaxDelay: -2ns is negative\n"+
		"retry: WithValidator: a validator for int does not fit a call that returns string\n"+
		"retry: DoValue: nil function")
	assertFault(t, err)
	const homeless = "retry: WithValidator: a validator for int in a call that returns no value; use DoValue or Func"
	p := retry.MustNew(bad[1], retry.WithHooks(neverHooks(t)))
	run := p.Start(ctx)
	_, again := run.Try(fail)
	assert.False(t, again)
	assert.EqualError(t, run.Err(), homeless)
	assert.EqualError(t, p.Do(ctx, fail), homeless)
	assert.EqualError(t, retry.Do(ctx, fail, p), homeless)
	for range retry.Attempts(ctx, &err, p) {
		t.Error("the body ran")
	}
	assert.EqualError(t, err, homeless)
	_, err = retry.New(retry.WithValidator[int](nil), retry.WithMaxDelay(-2))
	assert.EqualError(t, err, "retry: WithMaxDelay: -2ns is negative\nretry: WithValidator: nil Validator")
	assertFault(t, err)
}

func TestNilFunction(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	p := retry.MustNew(retry.WithHooks(neverHooks(t)))
	run := p.Start(ctx)
	wait, again := run.Try(nil)
	assert.Zero(t, wait)
	assert.False(t, again)
	_, valueErr := retry.DoValue[int](ctx, nil)
	_, valueErr2 := retry.DoValue[int](ctx, nil, p, retry.WithMaxAttempts(2))
	_, funcErr := retry.Func[int, int](nil, p)(ctx, 1)
	want := map[string]string{
		"Do": "Do", "Do with a policy": "Do", "Do with options": "Do", "Policy.Do": "Do", "nil policy": "Do",
		"Run.Try": "Run.Try", "DoValue": "DoValue", "DoValue with options": "DoValue", "Func": "Func",
	}
	for name, err := range map[string]error{
		"Do":                   retry.Do(ctx, nil),
		"Do with a policy":     retry.Do(ctx, nil, p),
		"Do with options":      retry.Do(ctx, nil, p, retry.WithMaxAttempts(2)),
		"Policy.Do":            p.Do(ctx, nil),
		"nil policy":           (*retry.Policy)(nil).Do(ctx, nil),
		"Run.Try":              run.Err(),
		"DoValue":              valueErr,
		"DoValue with options": valueErr2,
		"Func":                 funcErr,
	} {
		assert.EqualError(t, err, "retry: "+want[name]+": nil function", name)
		assertFault(t, err)
	}
	_, err := retry.Func[int, int](nil, retry.WithMaxAttempts(0))(ctx, 1)
	assert.EqualError(t, err, "retry: WithMaxAttempts: 0 is below 1; use Unlimited for no limit\nretry: Func: nil function")
}

// largestBurst is the documented bound of NewBudget.
var largestBurst int64 = 4611686018

func TestBurstAboveItsBound(t *testing.T) {
	t.Parallel()
	if math.MaxInt == math.MaxInt32 {
		t.Skip("an int is never above it")
	}
	_, err := retry.New(retry.WithBudget(retry.NewBudget(0.1, int(largestBurst)+1)))
	assert.EqualError(t, err, "retry: WithBudget: a burst of 4611686019 is above 4611686018")
	assertFault(t, err)
}

// The edges of the documented bounds are no faults.
func TestOptionBounds(t *testing.T) {
	t.Parallel()
	for name, o := range map[string]retry.Option{
		"one attempt":          retry.WithMaxAttempts(1),
		"most attempts":        retry.WithMaxAttempts(math.MaxInt),
		"unlimited":            retry.WithMaxAttempts(retry.Unlimited),
		"minus one":            retry.WithMaxAttempts(-1),
		"max elapsed 0":        retry.WithMaxElapsed(0),
		"attempt timeout 0":    retry.WithAttemptTimeout(0),
		"max delay 0":          retry.WithMaxDelay(0),
		"max retry after 0":    retry.WithMaxRetryAfter(0),
		"longest":              retry.WithMaxElapsed(longest),
		"factor 1":             retry.WithBackoff(retry.Exponential(0, 1)),
		"decorrelated 1":       retry.WithBackoff(retry.Decorrelated(0, 1)),
		"largest factor":       retry.WithBackoff(retry.Exponential(longest, math.MaxFloat64)),
		"zeros":                retry.WithBackoff(retry.Linear(0, 0)),
		"zero unit":            retry.WithBackoff(retry.Fibonacci(0)),
		"chain of none":        retry.WithBackoff(retry.Chain(0, retry.Constant(0), retry.Sequence(0))),
		"own type":             retry.WithBackoff(plainBackoff(-1)),
		"smallest jitter":      retry.WithJitter(retry.Jitter{Hi: math.SmallestNonzeroFloat64}),
		"largest jitter":       retry.WithJitter(retry.Jitter{Lo: math.MaxFloat64, Hi: math.MaxFloat64}),
		"spread 1":             retry.WithJitter(retry.SpreadJitter(1)),
		"add 0":                retry.WithJitter(retry.AddJitter(0)),
		"history size 0":       retry.WithHistorySize(0),
		"history of none":      retry.WithHistory(retry.NewHistory(0)),
		"budget of none":       retry.WithBudget(retry.NewBudget(0, 0)),
		"largest budget":       retry.WithBudget(retry.NewBudget(math.MaxFloat64, int(min(largestBurst, math.MaxInt)))),
		"no classifiers":       retry.WithRetryIf(),
		"no stopping ones":     retry.WithStopIf(),
		"no gates":             retry.WithGate(),
		"no hooks":             retry.WithHooks(retry.Hooks{}),
		"empty name":           retry.WithName(""),
		"nil policy":           (*retry.Policy)(nil),
		"zero policy":          &retry.Policy{},
		"policy of a nil one":  retry.MustNew((*retry.Policy)(nil)),
		"validator of nothing": retry.WithValidator[int](),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p, err := retry.New(o)
			require.NoError(t, err)
			v, err := retry.DoValue(context.Background(), func(context.Context) (int, error) { return 7, nil }, p)
			require.NoError(t, err)
			assert.Equal(t, 7, v)
		})
	}
}

// observed is what can be seen of a failing call under the options.
func observed(t *testing.T, opts ...retry.Option) string {
	t.Helper()
	p, err := retry.New(opts...)
	require.NoError(t, err)
	var b strings.Builder
	fmt.Fprintln(&b, p)
	fmt.Fprintln(&b, p.Plan(10))
	run := retry.MustNew(p, retry.WithClock(clock.NewMock())).Start(context.Background())
	for wait, again := run.Try(fail); again; wait, again = run.Try(fail) {
		fmt.Fprintln(&b, wait)
	}
	fmt.Fprintln(&b, run.Err())
	var failed *retry.Error
	if errors.As(run.Err(), &failed) {
		fmt.Fprintln(&b, len(failed.History()), failed.Delay)
	}
	return b.String()
}

// The order of options of different kinds never matters, also around a policy.
func TestOrderOfOptions(t *testing.T) {
	t.Parallel()
	opts := []retry.Option{
		retry.WithName("fetch"), retry.WithMaxAttempts(7), retry.WithMaxElapsed(time.Minute),
		retry.WithAttemptTimeout(time.Second), retry.WithBackoff(retry.Chain(1, retry.Constant(ms), retry.Decorrelated(time.Second, 3))),
		retry.WithMaxDelay(5 * time.Second), retry.WithMaxRetryAfter(time.Hour), retry.WithJitter(retry.SpreadJitter(0.5)),
		sampling(0.25), retry.WithHistorySize(3), retry.WithRetryIf(retry.Is(errRefused)), retry.WithStopIf(retry.Is(context.Canceled)),
		retry.WithHooks(retry.Hooks{}), retry.WithBudget(retry.NewBudget(1, 1_000_000)), retry.WithHistory(retry.NewHistory(1)),
		retry.WithLogger(slog.New(slog.DiscardHandler)), retry.WithGate(func(context.Context, retry.Attempt) (func(error), error) { return nil, nil }),
	}
	want := observed(t, opts...)
	r := rand.New(rand.NewPCG(10, 11))
	for range 200 {
		r.Shuffle(len(opts), func(i, j int) { opts[i], opts[j] = opts[j], opts[i] })
		require.Equal(t, want, observed(t, opts...))
		from := r.IntN(len(opts))
		to := from + r.IntN(len(opts)-from+1)
		mixed := append([]retry.Option{}, opts[:from]...)
		mixed = append(mixed, retry.MustNew(opts[from:to]...))
		mixed = append(mixed, opts[to:]...)
		require.Equal(t, want, observed(t, mixed...), "with a policy for some of them")
	}
}

// A later value replaces an earlier one, and a fault in that is none.
func TestLaterReplacesEarlier(t *testing.T) {
	t.Parallel()
	b1, b2 := retry.NewBudget(1, 0), retry.NewBudget(1, 1000)
	h1, h2 := retry.NewHistory(9), retry.NewHistory(9)
	var log1, log2 bytes.Buffer
	pairs := []struct {
		name           string
		earlier, later retry.Option
	}{
		{"name", retry.WithName("a"), retry.WithName("b")},
		{"name to none", retry.WithName("a"), retry.WithName("")},
		{"attempts", retry.WithMaxAttempts(0), retry.WithMaxAttempts(3)},
		{"attempts to limited", retry.WithMaxAttempts(retry.Unlimited), retry.WithMaxAttempts(3)},
		{"elapsed", retry.WithMaxElapsed(-1), retry.WithMaxElapsed(time.Hour)},
		{"timeout", retry.WithAttemptTimeout(-1), retry.WithAttemptTimeout(time.Hour)},
		{"backoff", retry.WithBackoff(nil), retry.WithBackoff(retry.Constant(ms))},
		{"delay", retry.WithMaxDelay(-1), retry.WithMaxDelay(150 * ms)},
		{"retry after", retry.WithMaxRetryAfter(-1), retry.WithMaxRetryAfter(time.Hour)},
		{"jitter", retry.WithJitter(retry.Jitter{}), retry.WithJitter(retry.NoJitter)},
		{"rand", retry.WithRand(nil), sampling(0.5)},
		{"history size", retry.WithHistorySize(-1), retry.WithHistorySize(2)},
		{"history", retry.WithHistory(h1), retry.WithHistory(h2)},
		{"budget", retry.WithBudget(b1), retry.WithBudget(b2)},
		{"clock", retry.WithClock(nil), retry.WithClock(clock.NewMock())},
		{"logger", retry.WithLogger(slog.New(slog.NewTextHandler(&log1, nil))), retry.WithLogger(slog.New(slog.NewTextHandler(&log2, nil)))},
	}
	for _, pair := range pairs {
		t.Run(pair.name, func(t *testing.T) {
			random := sampling(0.25)
			if pair.name == "rand" {
				random = retry.WithName("")
			}
			want := observed(t, random, pair.later)
			assert.Equal(t, want, observed(t, random, pair.earlier, pair.later))
			if p, err := retry.New(pair.earlier); err == nil {
				assert.Equal(t, want, observed(t, random, p, pair.later), "of a policy")
			}
			assert.Equal(t, want, observed(t, random, pair.earlier, retry.MustNew(pair.later)), "by a policy")
		})
	}
	assert.Zero(t, h1.Len())
	assert.NotZero(t, h2.Len())
	assert.Zero(t, log1.Len())
	assert.NotZero(t, log2.Len())
}

// Lists accumulate, in the order given, those of policies in their places.
func TestListsAccumulate(t *testing.T) {
	t.Parallel()
	var seen []string
	note := func(s string) { seen = append(seen, s) }
	retryIf := func(s string) retry.Option {
		return retry.WithRetryIf(func(retry.Attempt) bool { note(s); return false })
	}
	stopIf := func(s string) retry.Option {
		return retry.WithStopIf(func(retry.Attempt) bool { note(s); return false })
	}
	gate := func(s string) retry.Option {
		return retry.WithGate(func(context.Context, retry.Attempt) (func(error), error) { note(s); return nil, nil })
	}
	hooks := func(s string) retry.Option {
		return retry.WithHooks(retry.Hooks{Start: func(ctx context.Context) context.Context { note(s); return ctx }})
	}
	validator := func(s string) retry.Option {
		return retry.WithValidator(func(int, retry.Attempt) error { note(s); return errRefused })
	}
	tests := []struct {
		name   string
		option func(string) retry.Option
		fails  bool
	}{
		{"retry if", retryIf, true}, {"stop if", stopIf, true}, {"gate", gate, true}, {"hooks", hooks, true}, {"validator", validator, false},
	}
	call := func(fails bool, opts ...retry.Option) string {
		seen = nil
		_, err := retry.DoValue(context.Background(), func(context.Context) (int, error) {
			if fails {
				return 0, errRefused
			}
			return 0, nil
		}, append(opts, retry.WithMaxAttempts(1))...)
		require.Error(t, err)
		return strings.Join(seen, "")
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			a, b, c, d := test.option("a"), test.option("b"), test.option("c"), test.option("d")
			assert.Equal(t, "abcd", call(test.fails, a, b, c, d))
			assert.Equal(t, "dcba", call(test.fails, d, c, b, a))
			assert.Equal(t, "abcd", call(test.fails, a, retry.MustNew(b, c), d))
			assert.Equal(t, "abcd", call(test.fails, retry.MustNew(a, retry.MustNew(b, c)), nameOf("x"), d))
			assert.Equal(t, "abcd", call(test.fails, retry.MustNew(a), retry.MustNew(b), retry.MustNew(c, d)))
		})
	}
	for _, test := range tests[:3] {
		t.Run(test.name+" in one option", func(t *testing.T) {
			var o retry.Option
			switch test.name {
			case "retry if", "stop if":
				classifiers := []retry.Classifier{
					func(retry.Attempt) bool { note("a"); return false }, func(retry.Attempt) bool { note("b"); return false },
				}
				if o = retry.WithStopIf(classifiers...); test.name == "retry if" {
					o = retry.WithRetryIf(classifiers...)
				}
			default:
				o = retry.WithGate(func(context.Context, retry.Attempt) (func(error), error) { note("a"); return nil, nil },
					func(context.Context, retry.Attempt) (func(error), error) { note("b"); return nil, nil })
			}
			assert.Equal(t, "abcab", call(true, o, test.option("c"), retry.MustNew(o)))
		})
	}
}

func nameOf(s string) retry.Option { return retry.WithName(s) }

// A policy as an option stands for exactly the options it was made of.
func TestPolicyAsOption(t *testing.T) {
	t.Parallel()
	p := retry.MustNew(retry.WithMaxAttempts(3), retry.WithBackoff(retry.Constant(0)))
	calls := func(opts ...retry.Option) int {
		n := 0
		err := retry.Do(context.Background(), func(context.Context) error { n++; return errRefused }, opts...)
		require.Error(t, err)
		return n
	}
	zero := retry.WithBackoff(retry.Constant(0))
	tests := []struct {
		name string
		opts []retry.Option
		want int
	}{
		{"alone", []retry.Option{p}, 3},
		{"then an option", []retry.Option{p, retry.WithMaxAttempts(1)}, 1},
		{"after an option", []retry.Option{retry.WithMaxAttempts(1), p}, 3},
		{"after an option that it was not given", []retry.Option{retry.WithMaxAttempts(2), retry.MustNew(retry.WithName("x")), zero}, 2},
		{"a policy of nothing", []retry.Option{retry.WithMaxAttempts(2), zero, retry.MustNew()}, 2},
		{"the zero policy", []retry.Option{retry.WithMaxAttempts(2), zero, &retry.Policy{}}, 2},
		{"a nil policy", []retry.Option{retry.WithMaxAttempts(2), zero, (*retry.Policy)(nil)}, 2},
		{"a policy of policies", []retry.Option{retry.MustNew(p, retry.MustNew(retry.WithMaxAttempts(4)))}, 4},
		{"twice", []retry.Option{p, retry.WithMaxAttempts(1), p}, 3},
		{"the default given is a setting", []retry.Option{retry.WithMaxAttempts(2), retry.MustNew(retry.WithMaxAttempts(5)), zero}, 5},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			assert.Equal(t, test.want, calls(test.opts...))
			assert.Equal(t, test.want, calls(retry.MustNew(test.opts...)))
		})
	}
	assert.Equal(t, 3, calls(p), "deriving changed nothing")
}

// The default jitter and cap follow the strategy of the derived call, not the policy's.
func TestDerivedDefaultsFollowTheStrategy(t *testing.T) {
	t.Parallel()
	literal := retry.MustNew(retry.WithBackoff(retry.Constant(time.Hour)))
	assert.Equal(t, "max_attempts=5 backoff=exponential(1m0s,2) max_delay=10m0s max_retry_after=1m0s jitter=full history_size=10",
		retry.MustNew(literal, retry.WithBackoff(retry.Exponential(time.Minute, 2))).String())
	assert.Equal(t, "max_attempts=5 backoff=constant(1h0m0s) max_retry_after=1m0s history_size=10",
		retry.MustNew(retry.MustNew(retry.WithBackoff(retry.Exponential(time.Minute, 2))), literal).String())
}

// nil and zero policies are the defaults, in every way in.
func TestNilAndZeroPolicy(t *testing.T) {
	t.Parallel()
	for name, p := range map[string]*retry.Policy{"nil": nil, "zero": {}, "of nothing": retry.MustNew()} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			assert.Equal(t, retry.MustNew().String(), p.String())
			assert.Equal(t, observed(t, sampling(0.5)), observed(t, p, sampling(0.5)))
			synctest.Test(t, func(t *testing.T) {
				n := 0
				count := func(context.Context) error { n++; return errRefused }
				require.ErrorIs(t, p.Do(t.Context(), count), retry.ErrExhausted)
				assert.Equal(t, 5, n)
				require.ErrorIs(t, retry.Do(t.Context(), count, p), retry.ErrExhausted)
				assert.Equal(t, 10, n)
				require.ErrorIs(t, retry.Do(t.Context(), count), retry.ErrExhausted)
				assert.Equal(t, 15, n)
				_, again := p.Start(t.Context()).Try(count)
				assert.True(t, again)
			})
		})
	}
}

// A call without limits that its policy has: 0 lifts them.
func TestZeroLiftsLimits(t *testing.T) {
	t.Parallel()
	limited := retry.MustNew(retry.WithMaxElapsed(time.Second), retry.WithAttemptTimeout(time.Second),
		retry.WithBackoff(retry.Constant(time.Minute)), retry.WithMaxAttempts(2))
	tests := []struct {
		name     string
		opts     []retry.Option
		reason   error
		deadline bool
	}{
		{"limited", nil, retry.ErrMaxElapsed, true},
		{"no max elapsed", []retry.Option{retry.WithMaxElapsed(0)}, retry.ErrExhausted, true},
		{"no attempt timeout", []retry.Option{retry.WithAttemptTimeout(0)}, retry.ErrMaxElapsed, false},
		{"neither", []retry.Option{retry.WithMaxElapsed(0), retry.WithAttemptTimeout(0)}, retry.ErrExhausted, false},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				var deadline bool
				err := retry.Do(t.Context(), func(ctx context.Context) error {
					_, deadline = ctx.Deadline()
					return errRefused
				}, append([]retry.Option{limited}, test.opts...)...)
				assert.ErrorIs(t, err, test.reason)
				assert.Equal(t, test.deadline, deadline)
			})
		})
	}
}

// What the caller does to its slices after New changes nothing.
func TestPolicyOwnsItsLists(t *testing.T) {
	t.Parallel()
	var seen []string
	classifier := func(s string) retry.Classifier {
		return func(retry.Attempt) bool { seen = append(seen, s); return false }
	}
	gate := func(s string) retry.Gate {
		return func(context.Context, retry.Attempt) (func(error), error) { seen = append(seen, s); return nil, nil }
	}
	validator := func(s string) retry.Validator[int] {
		return func(int, retry.Attempt) error { seen = append(seen, s); return nil }
	}
	retryIf, stopIf := []retry.Classifier{classifier("retry")}, []retry.Classifier{classifier("stop")}
	gates, validators := []retry.Gate{gate("gate")}, []retry.Validator[int]{validator("valid")}
	opts := []retry.Option{retry.WithRetryIf(retryIf...), retry.WithStopIf(stopIf...), retry.WithGate(gates...), retry.WithValidator(validators...)}
	p := retry.MustNew(opts...)
	derived := retry.MustNew(p, retry.WithName("derived"))
	f := retry.Func(func(_ context.Context, err error) (int, error) { return 0, err }, opts...)

	retryIf[0], stopIf[0], gates[0], validators[0] = classifier("changed"), classifier("changed"), gate("changed"), validator("changed")
	for i := range opts {
		opts[i] = nil
	}
	for name, call := range map[string]func(err error) error{
		"policy": func(err error) error {
			_, err = retry.DoValue(context.Background(), func(context.Context) (int, error) { return 0, err }, p)
			return err
		},
		"derived": func(err error) error {
			_, err = retry.DoValue(context.Background(), func(context.Context) (int, error) { return 0, err }, derived)
			return err
		},
		"func": func(err error) error { _, err = f(context.Background(), err); return err },
	} {
		seen = nil
		require.NoError(t, call(nil), name)
		require.ErrorIs(t, call(errRefused), retry.ErrPermanent, name)
		assert.Equal(t, []string{"gate", "valid", "gate", "stop", "retry"}, seen, name)
	}
}

// A policy derived from another does not grow into it.
func TestDerivingDoesNotChangeThePolicy(t *testing.T) {
	t.Parallel()
	n := 0
	count := retry.WithHooks(retry.Hooks{Start: func(ctx context.Context) context.Context { n++; return ctx }})
	p := retry.MustNew(count, retry.WithName("p"), retry.WithHistorySize(1))
	before := p.String()
	for range 3 {
		retry.MustNew(p, count, retry.WithMaxAttempts(1), count)
	}
	assert.Equal(t, before, p.String())
	require.NoError(t, p.Do(context.Background(), func(context.Context) error { return nil }))
	assert.Equal(t, 1, n)
}

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

// fuzzOption makes an option of the numbers, and says its name and whether it is at fault.
func fuzzOption(kind uint8, n int64, x, y float64) (o retry.Option, name string, bad bool) {
	d, i := time.Duration(n), int(n) // an int may hold less of n
	switch kind % 13 {
	case 0:
		return retry.WithMaxAttempts(i), "WithMaxAttempts", i < 1 && i != retry.Unlimited
	case 1:
		return retry.WithMaxElapsed(d), "WithMaxElapsed", n < 0
	case 2:
		return retry.WithAttemptTimeout(d), "WithAttemptTimeout", n < 0
	case 3:
		return retry.WithMaxDelay(d), "WithMaxDelay", n < 0 && n != retry.Unlimited
	case 4:
		return retry.WithMaxRetryAfter(d), "WithMaxRetryAfter", n < 0 && n != retry.Unlimited
	case 5:
		return retry.WithJitter(retry.Jitter{Lo: x, Hi: y}), "WithJitter",
			!(x >= 0 && y >= x && y > 0 && y <= math.MaxFloat64)
	case 6:
		return retry.WithBackoff(retry.Exponential(d, x)), "WithBackoff", n < 0 || !(x >= 1 && x <= math.MaxFloat64)
	case 7:
		return retry.WithBackoff(retry.Chain(i, retry.Decorrelated(max(d, 0), x), retry.Sequence())), "WithBackoff", true
	case 8:
		return retry.WithHistorySize(i), "WithHistorySize", i < 0
	case 9:
		return retry.WithHistory(retry.NewHistory(i)), "WithHistory", i < 0
	case 10:
		return retry.WithBudget(retry.NewBudget(x, i)), "WithBudget", !(x >= 0 && x <= math.MaxFloat64) || i < 0 || int64(i) > largestBurst
	case 11:
		return retry.WithBackoff(anyBackoff(uint8(n), max(d, 0), max(d, 0), min(max(x, 1), 9))), "WithBackoff", math.IsNaN(x)
	default:
		return retry.WithName(fmt.Sprint(n, x, y)), "", false
	}
}

// Options of any values are either faults that are named, or make a working call.
func FuzzOptions(f *testing.F) {
	for kind := range uint8(13) {
		f.Add(kind, int64(3), 1.5, 2.0, kind+1, int64(1), 1.0, 1.0)
		f.Add(kind, int64(-3), -1.5, math.NaN(), kind+3, int64(0), 0.0, 0.0)
		f.Add(kind, int64(math.MaxInt64), math.Inf(1), math.Inf(-1), kind, int64(math.MinInt64), math.MaxFloat64, math.SmallestNonzeroFloat64)
	}
	f.Fuzz(func(t *testing.T, kind1 uint8, n1 int64, x1, y1 float64, kind2 uint8, n2 int64, x2, y2 float64) {
		o1, name1, bad1 := fuzzOption(kind1, n1, x1, y1)
		o2, name2, bad2 := fuzzOption(kind2, n2, x2, y2)
		if name1 == "WithBackoff" && kind1%13 == 11 && math.IsNaN(x1) || name2 == "WithBackoff" && kind2%13 == 11 && math.IsNaN(x2) {
			return // a fault in some of the strategies only
		}
		if name1 == name2 {
			bad1 = false // replaced
		}
		mock := clock.NewMock()
		made := 0
		err := retry.Do(context.Background(), func(context.Context) error {
			if made++; made < 3 {
				return errRefused
			}
			return nil
		}, o1, o2, retry.WithClock(flyingClock{mock}))
		if bad1 || bad2 {
			require.ErrorIs(t, err, retry.ErrOption)
			require.Zero(t, made)
			var want []string
			if bad1 {
				want = append(want, name1)
			}
			if bad2 {
				want = append(want, name2)
			}
			lines := strings.Split(err.Error(), "\n")
			require.Len(t, lines, len(want))
			for _, name := range want {
				require.Contains(t, err.Error(), "retry: "+name+": ")
			}
			return
		}
		require.NotErrorIs(t, err, retry.ErrOption)
		require.Positive(t, made)
		var failed *retry.Error
		require.Equal(t, made == 3, err == nil)
		require.Equal(t, err != nil, errors.As(err, &failed))
	})
}

// flyingClock is late by whatever it is asked to wait, at once.
type flyingClock struct{ *clock.Mock }

func (c flyingClock) After(d time.Duration) <-chan time.Time {
	due := make(chan time.Time, 1)
	due <- time.Time{}
	return due
}

// A policy tells the clock it goes by, also one that it has from another policy.
func TestPolicyClock(t *testing.T) {
	t.Parallel()
	clk := clock.NewMock()
	base := retry.MustNew(retry.WithClock(clk))
	assert.Equal(t, retry.Clock(clk), base.Clock())
	assert.Equal(t, retry.Clock(clk), retry.MustNew(retry.WithMaxAttempts(2), base).Clock())
	for _, p := range []*retry.Policy{nil, {}, retry.MustNew()} {
		assert.Nil(t, p.Clock())
	}
}
