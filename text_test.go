package retry_test

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"io"
	"io/fs"
	"log/slog"
	"os"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/benbjohnson/clock"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed-205ff063/retry"
)

const defaultText = "max_attempts=5 backoff=exponential(100ms,2) max_delay=30s max_retry_after=1m0s jitter=full history_size=10"

// The defaults in the documents are those that a policy prints.
func TestDocumentedDefaults(t *testing.T) {
	t.Parallel()
	assert.Equal(t, defaultText, retry.MustNew().String())
	line := regexp.MustCompile("max_attempts=5 backoff=[^\n`]*history_size=[0-9]+")
	for _, file := range []string{"retry.go", "README.md"} {
		text, err := os.ReadFile(file)
		if file == "README.md" && errors.Is(err, fs.ErrNotExist) {
			t.Skip("README.md is not written yet")
		}
		require.NoError(t, err)
		found := line.FindAllString(string(text), -1)
		require.NotEmpty(t, found, file)
		for _, defaults := range found {
			assert.Equal(t, retry.MustNew().String(), defaults, file)
		}
	}
}

// textRest is the end of most texts.
const textRest = " max_retry_after=1m0s history_size=10"

// policyStringTests are options and the text of their policy.
var policyStringTests = []struct {
	name string
	opts []retry.Option
	want string
}{
	{"defaults", nil, defaultText},
	{"everything that text can carry", []retry.Option{
		retry.WithHistorySize(0), retry.WithJitter(retry.EqualJitter), retry.WithMaxRetryAfter(time.Hour), retry.WithMaxDelay(time.Second),
		retry.WithBackoff(retry.Fibonacci(ms)), retry.WithAttemptTimeout(10 * time.Second), retry.WithMaxElapsed(2 * time.Minute), retry.WithMaxAttempts(3), retry.WithName("fetch"),
	}, "name=fetch max_attempts=3 max_elapsed=2m0s attempt_timeout=10s backoff=fibonacci(1ms) max_delay=1s max_retry_after=1h0m0s jitter=equal history_size=0"},
	{"unlimited", []retry.Option{retry.WithMaxAttempts(retry.Unlimited)}, strings.Replace(defaultText, "=5", "=unlimited", 1)},
	{
		"lifted limits",
		[]retry.Option{retry.WithMaxElapsed(0), retry.WithAttemptTimeout(0)},
		strings.Replace(defaultText, "=5", "=5 max_elapsed=0s attempt_timeout=0s", 1),
	},

	{"constant has no jitter and no cap", []retry.Option{retry.WithBackoff(retry.Constant(1500 * ms))}, "max_attempts=5 backoff=constant(1.5s)" + textRest},
	{"sequence has no jitter and no cap", []retry.Option{retry.WithBackoff(retry.Sequence(0, 20*ms, time.Hour))}, "max_attempts=5 backoff=sequence(0s,20ms,1h0m0s)" + textRest},
	{"func has no jitter and no cap", []retry.Option{retry.WithBackoff(retry.BackoffFunc(secondsByNumber))}, "max_attempts=5 backoff=(func)" + textRest},
	{"own type has no jitter and no cap", []retry.Option{retry.WithBackoff(plainBackoff(1))}, "max_attempts=5 backoff=(func)" + textRest},
	{"constant with jitter", []retry.Option{retry.WithBackoff(retry.Constant(0)), retry.WithJitter(retry.NoJitter)}, "max_attempts=5 backoff=constant(0s) max_retry_after=1m0s jitter=none history_size=10"},
	{"constant with cap", []retry.Option{retry.WithBackoff(retry.Constant(0)), retry.WithMaxDelay(longest)}, "max_attempts=5 backoff=constant(0s) max_delay=2562047h47m16.854775807s max_retry_after=1m0s history_size=10"},
	{"linear", []retry.Option{retry.WithBackoff(retry.Linear(ms, 0))}, "max_attempts=5 backoff=linear(1ms,0s) max_delay=30s max_retry_after=1m0s jitter=full history_size=10"},
	{"exponential, fraction", []retry.Option{retry.WithBackoff(retry.Exponential(1, 1.1))}, "max_attempts=5 backoff=exponential(1ns,1.1) max_delay=30s max_retry_after=1m0s jitter=full history_size=10"},
	{"exponential, large", []retry.Option{retry.WithBackoff(retry.Exponential(1, 1e300))}, "max_attempts=5 backoff=exponential(1ns,1e+300) max_delay=30s max_retry_after=1m0s jitter=full history_size=10"},
	{"decorrelated has its own jitter", []retry.Option{retry.WithBackoff(retry.Decorrelated(ms, 3))}, "max_attempts=5 backoff=decorrelated(1ms,3) max_delay=30s max_retry_after=1m0s history_size=10"},
	{"decorrelated with another jitter", []retry.Option{retry.WithBackoff(retry.Decorrelated(ms, 3)), retry.WithJitter(retry.FullJitter)}, "max_attempts=5 backoff=decorrelated(1ms,3) max_delay=30s max_retry_after=1m0s jitter=full history_size=10"},
	{"raised cap", []retry.Option{retry.WithBackoff(retry.Decorrelated(time.Minute, 3))}, "max_attempts=5 backoff=decorrelated(1m0s,3) max_delay=30m0s max_retry_after=1m0s history_size=10"},
	{"chain shows its members' defaults", []retry.Option{retry.WithBackoff(retry.Chain(2, retry.Constant(1), retry.Chain(0, retry.Linear(1, 2), plainBackoff(1))))}, "max_attempts=5 backoff=chain(2,constant(1ns),chain(0,linear(1ns,2ns),(func)))" + textRest},
	{
		"chain with jitter and cap",
		[]retry.Option{retry.WithBackoff(retry.Chain(2, retry.Constant(1), retry.Fibonacci(1))), retry.WithJitter(retry.AddJitter(0.5)), retry.WithMaxDelay(0)},
		"max_attempts=5 backoff=chain(2,constant(1ns),fibonacci(1ns)) max_delay=0s max_retry_after=1m0s jitter=add(0.5) history_size=10",
	},

	{"name, plain", []retry.Option{retry.WithName("a.b-c/d=e,ü'`\\")}, "name=a.b-c/d=e,ü'`\\ " + defaultText},
	{"name, empty", []retry.Option{retry.WithName("")}, `name="" ` + defaultText},
	{"name, space", []retry.Option{retry.WithName("a b")}, `name="a b" ` + defaultText},
	{"name, quote", []retry.Option{retry.WithName(`a"b`)}, `name="a\"b" ` + defaultText},
	{"name, parenthesis", []retry.Option{retry.WithName("f(")}, `name="f(" ` + defaultText},
	{"name, closing parenthesis", []retry.Option{retry.WithName(")")}, `name=")" ` + defaultText},
	{"name, line break", []retry.Option{retry.WithName("a\nb")}, `name="a\nb" ` + defaultText},
	{"name, no-break space", []retry.Option{retry.WithName("a\u00a0b")}, `name="a\u00a0b" ` + defaultText},
	{"name, not UTF-8", []retry.Option{retry.WithName("a\xff")}, `name="a\xff" ` + defaultText},

	{"callbacks", []retry.Option{
		fixedRand(0), retry.WithRetryIf(retry.Transient), retry.WithStopIf(retry.AlreadyRetried), retry.WithValidator(func(int, retry.Attempt) error { return nil }),
		retry.WithGate(func(context.Context, retry.Attempt) (func(error), error) { return nil, nil }), retry.WithHooks(retry.Hooks{Done: func(context.Context, retry.Outcome) {}}),
	}, defaultText + " rand=(func) retry_if=(func) stop_if=(func) validator=(func) gate=(func) hooks=(func)"},
	{"objects", []retry.Option{
		retry.WithHistory(retry.NewHistory(1)), retry.WithBudget(retry.NewBudget(1, 1)), retry.WithClock(clock.NewMock()), retry.WithLogger(slog.New(slog.DiscardHandler)),
	}, defaultText + " history=(object) budget=(object) clock=(object) logger=(object)"},
}

func TestPolicyString(t *testing.T) {
	t.Parallel()
	for _, test := range policyStringTests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			p := retry.MustNew(test.opts...)
			assert.Equal(t, test.want, p.String())
			if !strings.Contains(test.want, "(func)") && !strings.Contains(test.want, "(object)") {
				requireRoundTrip(t, p)
			}
		})
	}
}

// requireRoundTrip checks that p's text parses to a policy with the same text and the same
// plan.
func requireRoundTrip(t *testing.T, p *retry.Policy) {
	t.Helper()
	text, err := p.MarshalText()
	require.NoError(t, err)
	require.Equal(t, p.String(), string(text))
	q, err := retry.Parse(string(text))
	require.NoError(t, err, "%s", text)
	require.Equal(t, p.String(), q.String())
	require.Equal(t, p.Plan(40), q.Plan(40), "%s", text)
	total1, bounded1 := p.MaxTotal()
	total2, bounded2 := q.MaxTotal()
	require.Equal(t, total1, total2)
	require.Equal(t, bounded1, bounded2)
}

func TestMarshalTextErrors(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name   string
		option retry.Option
		lost   string
	}{
		{"rand", fixedRand(0), "rand"},
		{"retry if", retry.WithRetryIf(retry.Transient), "retry_if"},
		{"stop if", retry.WithStopIf(retry.Transient), "stop_if"},
		{"validator", retry.WithValidator(func(int, retry.Attempt) error { return nil }), "validator"},
		{"history", retry.WithHistory(retry.NewHistory(1)), "history"},
		{"gate", retry.WithGate(func(context.Context, retry.Attempt) (func(error), error) { return nil, nil }), "gate"},
		{"budget", retry.WithBudget(retry.NewBudget(1, 1)), "budget"},
		{"clock", retry.WithClock(clock.NewMock()), "clock"},
		{"hooks", retry.WithHooks(retry.Hooks{Start: func(ctx context.Context) context.Context { return ctx }}), "hooks"},
		{"logger", retry.WithLogger(slog.New(slog.DiscardHandler)), "logger"},
		{"func", retry.WithBackoff(retry.BackoffFunc(secondsByNumber)), "backoff"},
		{"own type", retry.WithBackoff(plainBackoff(0)), "backoff"},
		{"func in a chain", retry.WithBackoff(retry.Chain(1, retry.Constant(1), retry.Chain(1, retry.BackoffFunc(secondsByNumber), retry.Constant(1)))), "backoff"},
		{"several, in the order of String", retry.MustNew(retry.WithLogger(slog.New(slog.DiscardHandler)), fixedRand(0), retry.WithBackoff(plainBackoff(0))), "backoff, rand, logger"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			text, err := retry.MustNew(test.option).MarshalText()
			assert.Empty(t, text)
			assert.EqualError(t, err, "retry: MarshalText: text cannot carry "+test.lost+"; keep the rest as a policy and add these in code: retry.New(policy, ...)")
			assert.ErrorIs(t, err, retry.ErrOption)
		})
	}
	t.Run("a name that looks like a setting", func(t *testing.T) {
		t.Parallel()
		requireRoundTrip(t, retry.MustNew(retry.WithName("(func)")))
	})
}

func TestUnmarshalText(t *testing.T) {
	t.Parallel()
	var p retry.Policy
	require.NoError(t, p.UnmarshalText([]byte("max_attempts=2 backoff=constant(0s)")))
	want := "max_attempts=2 backoff=constant(0s) max_retry_after=1m0s history_size=10"
	assert.Equal(t, want, p.String())
	assert.Equal(t, want, retry.MustNew(&p).String(), "the same as an option")
	n := 0
	require.ErrorIs(t, p.Do(context.Background(), func(context.Context) error { n++; return errRefused }), retry.ErrExhausted)
	assert.Equal(t, 2, n)

	for _, bad := range []string{"max_attempts=0", "max_attempts=3 nonsense", "max_attempts=3 max_attempts=4"} {
		assert.ErrorIs(t, p.UnmarshalText([]byte(bad)), retry.ErrOption)
		assert.Equal(t, want, p.String(), "the policy is unchanged")
	}
	require.NoError(t, p.UnmarshalText(nil))
	assert.Equal(t, defaultText, p.String(), "not merged: missing settings have their defaults")
}

func TestPolicyAsFlag(t *testing.T) {
	t.Parallel()
	flags := flag.NewFlagSet("test", flag.ContinueOnError)
	flags.SetOutput(io.Discard)
	var p retry.Policy
	flags.TextVar(&p, "retry", retry.MustNew(retry.WithMaxAttempts(3)), "how to retry")
	assert.Equal(t, strings.Replace(defaultText, "=5", "=3", 1), p.String())
	assert.Equal(t, p.String(), flags.Lookup("retry").DefValue)
	require.NoError(t, flags.Parse([]string{"-retry", "max_attempts=4 jitter=none"}))
	want := "max_attempts=4 backoff=exponential(100ms,2) max_delay=30s max_retry_after=1m0s jitter=none history_size=10"
	assert.Equal(t, want, p.String())
	err := flags.Parse([]string{"-retry", "max_attempts=no"})
	require.Error(t, err)
	assert.Contains(t, err.Error(), "position 1, in max_attempts=no: ")
	assert.Equal(t, want, p.String())
}

func TestPolicyInJSON(t *testing.T) {
	t.Parallel()
	type config struct {
		Retry *retry.Policy `json:"retry,omitempty"`
	}
	in := config{retry.MustNew(retry.WithName("a \"b\" <c>\xff"), retry.WithBackoff(retry.Chain(1, retry.Constant(0), retry.Decorrelated(time.Microsecond, 1.5))))}
	text, err := json.Marshal(in)
	require.NoError(t, err)
	var out config
	require.NoError(t, json.Unmarshal(text, &out))
	assert.Equal(t, in.Retry.String(), out.Retry.String())

	out = config{}
	require.NoError(t, json.Unmarshal([]byte(`{}`), &out))
	assert.Nil(t, out.Retry, "the defaults")
	require.NoError(t, json.Unmarshal([]byte(`{"retry":"max_attempts=2"}`), &out))
	assert.Equal(t, strings.Replace(defaultText, "=5", "=2", 1), out.Retry.String())
	err = json.Unmarshal([]byte(`{"retry":"max_attempts=0"}`), &out)
	assert.ErrorIs(t, err, retry.ErrOption)
	assert.Equal(t, strings.Replace(defaultText, "=5", "=2", 1), out.Retry.String())

	_, err = json.Marshal(config{retry.MustNew(fixedRand(0))})
	assert.ErrorIs(t, err, retry.ErrOption)
}

func TestUnmarshalYAML(t *testing.T) {
	t.Parallel()
	mapping := errors.New("cannot unmarshal a mapping into a string")
	var p retry.Policy
	require.NoError(t, p.UnmarshalText([]byte("name=before")))

	err := p.UnmarshalYAML(func(any) error { return mapping })
	require.ErrorIs(t, err, mapping)
	require.EqualError(t, err, `retry: a policy is one string such as "max_attempts=3 jitter=full": `+
		"cannot unmarshal a mapping into a string")
	require.Contains(t, p.String(), "name=before", "untouched")

	err = p.UnmarshalYAML(func(into any) error { *into.(*string) = "max_attempts=0"; return nil })
	require.ErrorIs(t, err, retry.ErrOption)
	require.NoError(t, p.UnmarshalYAML(func(into any) error { *into.(*string) = "name=after"; return nil }))
	require.Contains(t, p.String(), "name=after")
}
