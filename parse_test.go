package retry_test

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed-205ff063/retry"
)

// parseTests are texts and the options that they stand for.
var parseTests = []struct {
	text string
	want []retry.Option
}{
	{"", nil},
	{" \t\r\n ", nil},
	{
		"name=fetch max_attempts=5 max_elapsed=2m attempt_timeout=10s backoff=exponential(100ms,2) max_delay=30s max_retry_after=1m jitter=full history_size=10",
		[]retry.Option{
			retry.WithName("fetch"), retry.WithMaxAttempts(5), retry.WithMaxElapsed(2 * time.Minute), retry.WithAttemptTimeout(10 * time.Second),
			retry.WithBackoff(retry.Exponential(100*ms, 2)), retry.WithMaxDelay(30 * time.Second), retry.WithMaxRetryAfter(time.Minute), retry.WithJitter(retry.FullJitter), retry.WithHistorySize(10),
		},
	},
	{"\n max_attempts=3\t\tname=x\r\n", []retry.Option{retry.WithMaxAttempts(3), retry.WithName("x")}},
	{"max_attempts=unlimited", []retry.Option{retry.WithMaxAttempts(retry.Unlimited)}},
	{"max_attempts=1", []retry.Option{retry.WithMaxAttempts(1)}},
	{"max_attempts=2147483647", []retry.Option{retry.WithMaxAttempts(2147483647)}},
	{"max_elapsed=0", []retry.Option{retry.WithMaxElapsed(0)}},
	{"attempt_timeout=1h2m3.000000004s", []retry.Option{retry.WithAttemptTimeout(time.Hour + 2*time.Minute + 3*time.Second + 4)}},
	{"max_delay=1.5us", []retry.Option{retry.WithMaxDelay(1500)}},
	{"max_retry_after=2562047h47m16.854775807s", []retry.Option{retry.WithMaxRetryAfter(longest)}},
	{"history_size=0", []retry.Option{retry.WithHistorySize(0)}},

	{"backoff=constant(1s)", []retry.Option{retry.WithBackoff(retry.Constant(time.Second))}},
	{"backoff=linear(1s,2s)", []retry.Option{retry.WithBackoff(retry.Linear(time.Second, 2*time.Second))}},
	{"backoff=exponential(1s,1.5e0)", []retry.Option{retry.WithBackoff(retry.Exponential(time.Second, 1.5))}},
	{"backoff=fibonacci(1s)", []retry.Option{retry.WithBackoff(retry.Fibonacci(time.Second))}},
	{"backoff=decorrelated(1s,3)", []retry.Option{retry.WithBackoff(retry.Decorrelated(time.Second, 3))}},
	{"backoff=sequence(1s)", []retry.Option{retry.WithBackoff(retry.Sequence(time.Second))}},
	{"backoff=sequence(1s,0,3s)", []retry.Option{retry.WithBackoff(retry.Sequence(time.Second, 0, 3*time.Second))}},
	{"backoff=chain(0,constant(1s),constant(2s))", []retry.Option{retry.WithBackoff(retry.Chain(0, retry.Constant(time.Second), retry.Constant(2*time.Second)))}},
	{"backoff=chain(2,chain(1,constant(1s),linear(1s,2s)),sequence(1s,2s))", []retry.Option{retry.WithBackoff(retry.Chain(2,
		retry.Chain(1, retry.Constant(time.Second), retry.Linear(time.Second, 2*time.Second)), retry.Sequence(time.Second, 2*time.Second)))}},
	{
		"backoff=chain( 2 , constant( 1s ) , exponential( 1s , 2 ) ) max_attempts=3",
		[]retry.Option{retry.WithBackoff(retry.Chain(2, retry.Constant(time.Second), retry.Exponential(time.Second, 2))), retry.WithMaxAttempts(3)},
	},
	{"backoff=\"constant(1s)\"", []retry.Option{retry.WithBackoff(retry.Constant(time.Second))}},

	{"jitter=none", []retry.Option{retry.WithJitter(retry.NoJitter)}},
	{"jitter=full", []retry.Option{retry.WithJitter(retry.FullJitter)}},
	{"jitter=equal", []retry.Option{retry.WithJitter(retry.EqualJitter)}},
	{"jitter=add(0.5)", []retry.Option{retry.WithJitter(retry.AddJitter(0.5))}},
	{"jitter=spread(0.2)", []retry.Option{retry.WithJitter(retry.SpreadJitter(0.2))}},
	{"jitter=range(0.25, 0.75)", []retry.Option{retry.WithJitter(retry.Jitter{Lo: 0.25, Hi: 0.75})}},
	{"jitter=none backoff=constant(1s)", []retry.Option{retry.WithJitter(retry.NoJitter), retry.WithBackoff(retry.Constant(time.Second))}},

	{"name=", []retry.Option{retry.WithName("")}},
	{`name=""`, []retry.Option{retry.WithName("")}},
	{`name="a b" max_attempts=2`, []retry.Option{retry.WithName("a b"), retry.WithMaxAttempts(2)}},
	{`name="a\"\n\u00fc\xff max_attempts=9"`, []retry.Option{retry.WithName("a\"\nü\xff max_attempts=9")}},
	{`name=a=b`, []retry.Option{retry.WithName("a=b")}},
	{`name=a"b`, []retry.Option{retry.WithName(`a"b`)}},
	{"name=ü,'`\\", []retry.Option{retry.WithName("ü,'`\\")}},
}

func TestParse(t *testing.T) {
	t.Parallel()
	for _, test := range parseTests {
		t.Run(test.text, func(t *testing.T) {
			t.Parallel()
			p, err := retry.Parse(test.text)
			require.NoError(t, err)
			want := retry.MustNew(test.want...)
			assert.Equal(t, want.String(), p.String())
			assert.Equal(t, want.Plan(10), p.Plan(10))
		})
	}
}

// Parsed settings act like an option: they replace earlier options, and nothing that the text
// does not name.
func TestParsedPolicyAsOption(t *testing.T) {
	t.Parallel()
	p, err := retry.Parse("max_attempts=3")
	require.NoError(t, err)
	got := retry.MustNew(retry.WithMaxAttempts(9), retry.WithHistorySize(1), p).String()
	assert.Equal(t, retry.MustNew(retry.WithMaxAttempts(3), retry.WithHistorySize(1)).String(), got)
}

// nested is chains within chains, depth deep.
func nested(depth int) string {
	return strings.Repeat("chain(1,constant(1s),", depth) + "constant(2s)" + strings.Repeat(")", depth)
}

func TestParseLargeText(t *testing.T) {
	t.Parallel()
	t.Run("deep", func(t *testing.T) {
		t.Parallel()
		p, err := retry.Parse("backoff=" + nested(50))
		require.NoError(t, err)
		assert.Equal(t, "max_attempts=5 backoff="+nested(50)+" max_retry_after=1m0s history_size=10", p.String())
	})
	t.Run("too deep", func(t *testing.T) {
		t.Parallel()
		_, err := retry.Parse("backoff=" + nested(5000))
		assert.EqualError(t, err, "retry: Parse: position 1, in backoff=chain(1,constant(1s),chain(1,constant(1s),chain(1…)))))))))))))))))))): chains are nested more than 100 deep")
		assertOptionError(t, err)
	})
	t.Run("wide", func(t *testing.T) {
		t.Parallel()
		text := "sequence(" + strings.Repeat("1s,", 100_000) + "2s)"
		p, err := retry.Parse("backoff=" + text)
		require.NoError(t, err)
		assert.Contains(t, p.String(), "backoff="+text+" ")
	})
	t.Run("long name", func(t *testing.T) {
		t.Parallel()
		name := strings.Repeat("x", 1_000_000)
		p, err := retry.Parse("name=" + name)
		require.NoError(t, err)
		assert.Equal(t, "name="+name+" "+defaultText, p.String())
	})
	t.Run("many errors", func(t *testing.T) {
		t.Parallel()
		_, err := retry.Parse(strings.Repeat("x ", 1000))
		require.Error(t, err)
		assert.Equal(t, 20, strings.Count(err.Error(), "retry: Parse: position "), "parsing stops there")
	})
	t.Run("open parentheses", func(t *testing.T) {
		t.Parallel()
		_, err := retry.Parse("backoff=" + strings.Repeat("(", 100_000))
		assertOptionError(t, err)
	})
}

// errorLine matches one line without invisible characters.
var errorLine = regexp.MustCompile(`^retry: Parse: position ([0-9]+), in [^\p{Cc}\p{Zl}\p{Zp}\x{202a}-\x{202e}]+: [^\p{Cc}\p{Zl}\p{Zp}\x{202a}-\x{202e}]+$`)

// A text that parses gives a policy whose text parses to the same. Any other text gives errors
// that match ErrOption. Each has its position, in order and within the text.
func FuzzParse(f *testing.F) {
	for _, text := range []string{
		"", defaultText, "max_attempts=unlimited jitter=add(0.1) backoff=decorrelated(1ms,3)",
		`name="a b\xff" backoff=chain(2,sequence(1s,2s),linear(1s,1s)) jitter=range(0.1,0.7)`,
		"max_delay=-1s foo jitter=x bar=1 backoff=exponential(1s,0.5) name=a name=b", `name="open`, "=()", "backoff=chain(1,chain(", "jitter=spread(1e-20)",
		"retry_if=(func)", "max_attempts=3 max_attempts=3", "\x00=\x80", "name=\u2028", fmt.Sprint("backoff=", nested(30)),
	} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		p, err := retry.Parse(text)
		if err == nil {
			printed := p.String()
			require.NotContains(t, printed, "\n")
			q, err := retry.Parse(printed)
			require.NoError(t, err, "%s", printed)
			require.Equal(t, printed, q.String())
			require.Equal(t, p.Plan(10), q.Plan(10))
			return
		}
		require.Nil(t, p)
		require.ErrorIs(t, err, retry.ErrOption)
		var joined interface{ Unwrap() []error }
		require.ErrorAs(t, err, &joined)
		errs := joined.Unwrap()
		before := 0
		for line := range strings.SplitSeq(err.Error(), "\n") {
			match := errorLine.FindStringSubmatch(line)
			require.NotNil(t, match, "%q", line)
			require.Less(t, len(line), 500)
			position, _ := strconv.Atoi(match[1])
			var parseErr *retry.ParseError
			require.ErrorAs(t, errs[0], &parseErr)
			require.Equal(t, position, parseErr.Position)
			require.True(t, strings.HasPrefix(text[position-1:], parseErr.Pair))
			errs = errs[1:]
			require.Greater(t, position, before, "at most one error for each position")
			require.LessOrEqual(t, position, len(text))
			require.NotContains(t, " \t\r\n", text[position-1:position], "a position is the start of a pair")
			before = position
		}
	})
}
