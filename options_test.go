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

// largestBurst is the documented bound of NewBudget.
var largestBurst int64 = 4611686018

func TestBurstAboveBound(t *testing.T) {
	t.Parallel()
	if math.MaxInt == math.MaxInt32 {
		t.Skip("an int is never above it")
	}
	_, err := retry.New(retry.WithBudget(retry.NewBudget(0.1, int(largestBurst)+1)))
	assert.EqualError(t, err, "retry: WithBudget: a burst of 4611686019 is above 4611686018")
	assertOptionError(t, err)
}

// Values at the edges of the documented bounds are valid.
func TestOptionBounds(t *testing.T) {
	t.Parallel()
	for name, o := range map[string]retry.Option{
		"one attempt":            retry.WithMaxAttempts(1),
		"most attempts":          retry.WithMaxAttempts(math.MaxInt),
		"unlimited":              retry.WithMaxAttempts(retry.Unlimited),
		"minus one":              retry.WithMaxAttempts(-1),
		"max elapsed 0":          retry.WithMaxElapsed(0),
		"attempt timeout 0":      retry.WithAttemptTimeout(0),
		"max delay 0":            retry.WithMaxDelay(0),
		"max retry after 0":      retry.WithMaxRetryAfter(0),
		"longest":                retry.WithMaxElapsed(longest),
		"factor 1":               retry.WithBackoff(retry.Exponential(0, 1)),
		"decorrelated 1":         retry.WithBackoff(retry.Decorrelated(0, 1)),
		"largest factor":         retry.WithBackoff(retry.Exponential(longest, math.MaxFloat64)),
		"zeros":                  retry.WithBackoff(retry.Linear(0, 0)),
		"zero unit":              retry.WithBackoff(retry.Fibonacci(0)),
		"chain of none":          retry.WithBackoff(retry.Chain(0, retry.Constant(0), retry.Sequence(0))),
		"own type":               retry.WithBackoff(plainBackoff(-1)),
		"smallest jitter":        retry.WithJitter(retry.Jitter{Hi: math.SmallestNonzeroFloat64}),
		"largest jitter":         retry.WithJitter(retry.Jitter{Lo: math.MaxFloat64, Hi: math.MaxFloat64}),
		"spread 1":               retry.WithJitter(retry.SpreadJitter(1)),
		"add 0":                  retry.WithJitter(retry.AddJitter(0)),
		"history size 0":         retry.WithHistorySize(0),
		"history of none":        retry.WithHistory(retry.NewHistory(0)),
		"budget of none":         retry.WithBudget(retry.NewBudget(0, 0)),
		"largest budget":         retry.WithBudget(retry.NewBudget(math.MaxFloat64, int(min(largestBurst, math.MaxInt)))),
		"no classifiers":         retry.WithRetryIf(),
		"no stop classifiers":    retry.WithStopIf(),
		"no gates":               retry.WithGate(),
		"no hooks":               retry.WithHooks(retry.Hooks{}),
		"empty name":             retry.WithName(""),
		"nil policy":             (*retry.Policy)(nil),
		"zero policy":            &retry.Policy{},
		"policy of a nil policy": retry.MustNew((*retry.Policy)(nil)),
		"no validators":          retry.WithValidator[int](),
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

// observe describes all that can be seen of a failing call with these options.
func observe(t *testing.T, opts ...retry.Option) string {
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

// The order of options of different kinds does not matter, also around a policy.
func TestOptionOrderDoesNotMatter(t *testing.T) {
	t.Parallel()
	opts := []retry.Option{
		retry.WithName("fetch"), retry.WithMaxAttempts(7), retry.WithMaxElapsed(time.Minute),
		retry.WithAttemptTimeout(time.Second), retry.WithBackoff(retry.Chain(1, retry.Constant(ms), retry.Decorrelated(time.Second, 3))),
		retry.WithMaxDelay(5 * time.Second), retry.WithMaxRetryAfter(time.Hour), retry.WithJitter(retry.SpreadJitter(0.5)),
		fixedRand(0.25), retry.WithHistorySize(3), retry.WithRetryIf(retry.Is(errRefused)), retry.WithStopIf(retry.Is(context.Canceled)),
		retry.WithHooks(retry.Hooks{}), retry.WithBudget(retry.NewBudget(1, 1_000_000)), retry.WithHistory(retry.NewHistory(1)),
		retry.WithLogger(slog.New(slog.DiscardHandler)), retry.WithGate(func(context.Context, retry.Attempt) (func(error), error) { return nil, nil }),
	}
	want := observe(t, opts...)
	r := rand.New(rand.NewPCG(10, 11))
	for range 200 {
		r.Shuffle(len(opts), func(i, j int) { opts[i], opts[j] = opts[j], opts[i] })
		require.Equal(t, want, observe(t, opts...))
		from := r.IntN(len(opts))
		to := from + r.IntN(len(opts)-from+1)
		mixed := append([]retry.Option{}, opts[:from]...)
		mixed = append(mixed, retry.MustNew(opts[from:to]...))
		mixed = append(mixed, opts[to:]...)
		require.Equal(t, want, observe(t, mixed...), "with a policy for some of them")
	}
}

// A later value replaces an earlier one. An earlier bad value is then no error.
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
		{"attempts from unlimited to limited", retry.WithMaxAttempts(retry.Unlimited), retry.WithMaxAttempts(3)},
		{"elapsed", retry.WithMaxElapsed(-1), retry.WithMaxElapsed(time.Hour)},
		{"timeout", retry.WithAttemptTimeout(-1), retry.WithAttemptTimeout(time.Hour)},
		{"backoff", retry.WithBackoff(nil), retry.WithBackoff(retry.Constant(ms))},
		{"delay", retry.WithMaxDelay(-1), retry.WithMaxDelay(150 * ms)},
		{"retry after", retry.WithMaxRetryAfter(-1), retry.WithMaxRetryAfter(time.Hour)},
		{"jitter", retry.WithJitter(retry.Jitter{}), retry.WithJitter(retry.NoJitter)},
		{"rand", retry.WithRand(nil), fixedRand(0.5)},
		{"history size", retry.WithHistorySize(-1), retry.WithHistorySize(2)},
		{"history", retry.WithHistory(h1), retry.WithHistory(h2)},
		{"budget", retry.WithBudget(b1), retry.WithBudget(b2)},
		{"clock", retry.WithClock(nil), retry.WithClock(clock.NewMock())},
		{"logger", retry.WithLogger(slog.New(slog.NewTextHandler(&log1, nil))), retry.WithLogger(slog.New(slog.NewTextHandler(&log2, nil)))},
	}
	for _, pair := range pairs {
		t.Run(pair.name, func(t *testing.T) {
			random := fixedRand(0.25)
			if pair.name == "rand" {
				random = retry.WithName("")
			}
			want := observe(t, random, pair.later)
			assert.Equal(t, want, observe(t, random, pair.earlier, pair.later))
			if p, err := retry.New(pair.earlier); err == nil {
				assert.Equal(t, want, observe(t, random, p, pair.later), "from a policy")
			}
			assert.Equal(t, want, observe(t, random, pair.earlier, retry.MustNew(pair.later)), "replaced by a policy")
		})
	}
	assert.Zero(t, h1.Len())
	assert.NotZero(t, h2.Len())
	assert.Zero(t, log1.Len())
	assert.NotZero(t, log2.Len())
}

// listCalls records the order in which the callbacks of a call run.
type listCalls struct {
	t    *testing.T
	seen []string
}

func (l *listCalls) note(s string) { l.seen = append(l.seen, s) }

func (l *listCalls) classifier(s string) retry.Classifier {
	return func(retry.Attempt) bool { l.note(s); return false }
}

func (l *listCalls) gate(s string) retry.Gate {
	return func(context.Context, retry.Attempt) (func(error), error) { l.note(s); return nil, nil }
}

func (l *listCalls) retryIf(s string) retry.Option { return retry.WithRetryIf(l.classifier(s)) }
func (l *listCalls) stopIf(s string) retry.Option  { return retry.WithStopIf(l.classifier(s)) }
func (l *listCalls) gates(s string) retry.Option   { return retry.WithGate(l.gate(s)) }

func (l *listCalls) hooks(s string) retry.Option {
	return retry.WithHooks(retry.Hooks{Start: func(ctx context.Context) context.Context { l.note(s); return ctx }})
}

func (l *listCalls) validator(s string) retry.Option {
	return retry.WithValidator(func(int, retry.Attempt) error { l.note(s); return errRefused })
}

// call makes a call of one attempt and returns the order of its callbacks.
func (l *listCalls) call(fails bool, opts ...retry.Option) string {
	l.seen = nil
	_, err := retry.DoValue(context.Background(), func(context.Context) (int, error) {
		if fails {
			return 0, errRefused
		}
		return 0, nil
	}, append(opts, retry.WithMaxAttempts(1))...)
	require.Error(l.t, err)
	return strings.Join(l.seen, "")
}

// Lists add up in the order given. A policy's lists come in the policy's place.
func TestListsAddUp(t *testing.T) {
	t.Parallel()
	l := &listCalls{t: t}
	tests := []struct {
		name   string
		option func(string) retry.Option
		fails  bool
	}{
		{"retry if", l.retryIf, true}, {"stop if", l.stopIf, true}, {"gate", l.gates, true}, {"hooks", l.hooks, true}, {"validator", l.validator, false},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			a, b, c, d := test.option("a"), test.option("b"), test.option("c"), test.option("d")
			assert.Equal(t, "abcd", l.call(test.fails, a, b, c, d))
			assert.Equal(t, "dcba", l.call(test.fails, d, c, b, a))
			assert.Equal(t, "abcd", l.call(test.fails, a, retry.MustNew(b, c), d))
			assert.Equal(t, "abcd", l.call(test.fails, retry.MustNew(a, retry.MustNew(b, c)), nameOf("x"), d))
			assert.Equal(t, "abcd", l.call(test.fails, retry.MustNew(a), retry.MustNew(b), retry.MustNew(c, d)))
		})
	}
}

// Several functions in one option keep their order too.
func TestListsAddUpInOneOption(t *testing.T) {
	t.Parallel()
	l := &listCalls{t: t}
	classifiers := []retry.Classifier{l.classifier("a"), l.classifier("b")}
	for _, test := range []struct {
		name   string
		two    retry.Option
		option func(string) retry.Option
	}{
		{"retry if", retry.WithRetryIf(classifiers...), l.retryIf},
		{"stop if", retry.WithStopIf(classifiers...), l.stopIf},
		{"gate", retry.WithGate(l.gate("a"), l.gate("b")), l.gates},
	} {
		t.Run(test.name, func(t *testing.T) {
			assert.Equal(t, "abcab", l.call(true, test.two, test.option("c"), retry.MustNew(test.two)))
		})
	}
}

// 0 lifts a limit that the policy has.
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
