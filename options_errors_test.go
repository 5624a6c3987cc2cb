package retry_test

import (
	"context"
	"errors"
	"math"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed-205ff063/retry"
)

// badOptions are options that are errors on their own, with their texts.
var badOptions = []struct {
	name   string
	option retry.Option
	want   string
}{
	{"nil option", nil, "retry: options: nil Option"},

	{"no attempts", retry.WithMaxAttempts(0), "retry: WithMaxAttempts: 0 is below 1; use Unlimited for no limit"},
	{"negative attempts", retry.WithMaxAttempts(-2), "retry: WithMaxAttempts: -2 is below 1; use Unlimited for no limit"},
	{"lowest number of attempts", retry.WithMaxAttempts(math.MinInt32), "retry: WithMaxAttempts: -2147483648 is below 1; use Unlimited for no limit"},

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
	{"exponential factor just below", retry.WithBackoff(retry.Exponential(1, almostOne)), "retry: WithBackoff: factor 0.9999999999999999 is not a finite number of at least 1"},
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

// A call with a bad option runs nothing. Its error says what is wrong and is not an *Error.
func TestOptionErrors(t *testing.T) {
	t.Parallel()
	for _, test := range badOptions {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			for way, err := range callEveryWay(t, test.option) {
				assert.EqualError(t, err, test.want, way)
				assertOptionError(t, err)
			}
		})
	}
}

func assertOptionError(t *testing.T, err error) {
	t.Helper()
	assert.ErrorIs(t, err, retry.ErrOption)
	var failed *retry.Error
	assert.False(t, errors.As(err, &failed), "an option error is not an *Error")
	for _, reason := range []error{retry.ErrExhausted, retry.ErrPermanent, retry.ErrContext, retry.ErrRejected} {
		assert.NotErrorIs(t, err, reason)
	}
}

// callEveryWay makes a call in each way with bad options, also on top of an existing policy.
// Neither the function nor a hook may run.
func callEveryWay(t *testing.T, opts ...retry.Option) map[string]error {
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

// All errors are joined, one a line, for any order of the options.
func TestOptionErrorsAreJoined(t *testing.T) {
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
	for way, err := range callEveryWay(t, opts...) {
		require.Error(t, err, way)
		assert.ElementsMatch(t, want, strings.Split(err.Error(), "\n"), way)
		assertOptionError(t, err)
	}
	rand.New(rand.NewPCG(8, 9)).Shuffle(len(opts), func(i, j int) { opts[i], opts[j] = opts[j], opts[i] })
	_, err := retry.New(opts...)
	require.Error(t, err)
	assert.ElementsMatch(t, want, strings.Split(err.Error(), "\n"))
}

// Errors that only the call can find are joined to those of its options.
func TestCallErrorsAreJoined(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	bad := []retry.Option{retry.WithMaxDelay(-2), retry.WithValidator(func(int, retry.Attempt) error { return nil })}
	err := retry.Do(ctx, nil, bad...)
	assert.EqualError(t, err, "retry: WithMaxDelay: -2ns is negative\n"+
		"retry: WithValidator: a validator for int in a call that returns no value; use DoValue or Func\n"+
		"retry: Do: nil function")
	assertOptionError(t, err)
	_, err = retry.DoValue[string](ctx, nil, bad...)
	assert.EqualError(t, err, "retry: WithMaxDelay: -2ns is negative\n"+
		"retry: WithValidator: a validator for int does not fit a call that returns string\n"+
		"retry: DoValue: nil function")
	assertOptionError(t, err)
	const noValueText = "retry: WithValidator: a validator for int in a call that returns no value; use DoValue or Func"
	p := retry.MustNew(bad[1], retry.WithHooks(neverHooks(t)))
	run := p.Start(ctx)
	_, again := run.Try(fail)
	assert.False(t, again)
	assert.EqualError(t, run.Err(), noValueText)
	assert.EqualError(t, p.Do(ctx, fail), noValueText)
	assert.EqualError(t, retry.Do(ctx, fail, p), noValueText)
	for range retry.Attempts(ctx, &err, p) {
		t.Error("the body ran")
	}
	assert.EqualError(t, err, noValueText)
	_, err = retry.New(retry.WithValidator[int](nil), retry.WithMaxDelay(-2))
	assert.EqualError(t, err, "retry: WithMaxDelay: -2ns is negative\nretry: WithValidator: nil Validator")
	assertOptionError(t, err)
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
		assertOptionError(t, err)
	}
	_, err := retry.Func[int, int](nil, retry.WithMaxAttempts(0))(ctx, 1)
	assert.EqualError(t, err, "retry: WithMaxAttempts: 0 is below 1; use Unlimited for no limit\nretry: Func: nil function")
}

func TestEmbeddedNilOptionIsAnError(t *testing.T) {
	t.Parallel()
	type embedding struct{ retry.Option }
	for _, o := range []retry.Option{embedding{}, embedding{retry.WithMaxAttempts(1)}} {
		_, err := retry.New(o)
		require.EqualError(t, err, "retry: options: an Option embedded in another type; pass the Option itself")
		require.ErrorIs(t, err, retry.ErrOption)
	}
	_, err := retry.New(embedding{}, nil, embedding{}, nil)
	require.EqualError(t, err, "retry: options: an Option embedded in another type; pass the Option itself\nretry: options: nil Option")
}
