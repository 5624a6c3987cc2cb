package retry_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed-205ff063/retry"
)

const (
	keyChoices     = "the keys are name, max_attempts, max_elapsed, attempt_timeout, backoff, max_delay, max_retry_after, reset_after, jitter, history_size"
	backoffChoices = "the choices are constant(d), linear(initial,step), exponential(initial,factor), fibonacci(unit), decorrelated(initial,factor), sequence(d,...) and chain(n,backoff,backoff)"
	maxDuration    = "2562047h47m16.854775807s"
	jitterChoices  = "the choices are none, full, equal, add(f), spread(f) and range(lo,hi)"
)

// parseErrorTests are texts that do not parse, and the errors.
var parseErrorTests = []struct {
	name, text string
	want       []string // without "retry: Parse: position "
}{
	{"unknown key", "name=x attempts=5", []string{`8, in attempts=5: unknown key "attempts", ` + keyChoices}},
	{"key in capitals", "Name=x", []string{`1, in Name=x: unknown key "Name", ` + keyChoices}},
	{"no key", "=5", []string{`1, in =5: unknown key "", ` + keyChoices}},
	{"no equals sign", "max_attempts", []string{`1, in max_attempts: no value; write key=value, ` + keyChoices}},
	{"space before the equals sign", "max_attempts =5", []string{
		`1, in max_attempts: no value; write key=value, ` + keyChoices, `14, in =5: unknown key "", ` + keyChoices,
	}},
	{"positions count bytes", "name=üü x", []string{`11, in x: no value; write key=value, ` + keyChoices}},
	{"twice, other keys between", "jitter=full name=a jitter=none", []string{"20, in jitter=none: jitter is given twice"}},
	{"the same key twice", "name=a name=a name=a", []string{"8, in name=a: name is given twice", "15, in name=a: name is given twice"}},
	{"the same key twice, first value bad", "jitter=x jitter=full", []string{`1, in jitter=x: "x" is no jitter, ` + jitterChoices, "10, in jitter=full: jitter is given twice"}},
	{"callback", "retry_if=(func)", []string{"1, in retry_if=(func): retry_if is not for text; set it in code: New(policy, ...)"}},
	{"object", "name=a budget=(object)", []string{"8, in budget=(object): budget is not for text; set it in code: New(policy, ...)"}},

	{"attempts zero", "max_attempts=0", []string{`1, in max_attempts=0: "0" is neither a number of at least 1 nor unlimited`}},
	{"attempts minus one", "max_attempts=-1", []string{`1, in max_attempts=-1: "-1" is neither a number of at least 1 nor unlimited`}},
	{"attempts empty", "max_attempts=", []string{`1, in max_attempts=: "" is neither a number of at least 1 nor unlimited`}},
	{"attempts fraction", "max_attempts=1.5", []string{`1, in max_attempts=1.5: "1.5" is neither a number of at least 1 nor unlimited`}},
	{"attempts too many", "max_attempts=9223372036854775808", []string{`1, in max_attempts=9223372036854775808: "9223372036854775808" is out of range; write unlimited for no limit`}},
	{"duration without unit", "max_elapsed=5", []string{`1, in max_elapsed=5: "5" is not a duration such as 1.5s`}},
	{"duration too long", "attempt_timeout=2562048h", []string{`1, in attempt_timeout=2562048h: "2562048h" is longer than the longest duration, ` + maxDuration}},
	{"duration too long, negative", "max_delay=-2562048h", []string{`1, in max_delay=-2562048h: "-2562048h" is longer than the longest duration, ` + maxDuration}},
	{"duration too long by its sum", "max_delay=1h2562047.9h", []string{`1, in max_delay=1h2562047.9h: "1h2562047.9h" is longer than the longest duration, ` + maxDuration}},
	{"duration too long by a nanosecond", "max_delay=9223372036854775808ns", []string{`1, in max_delay=9223372036854775808ns: "9223372036854775808ns" is longer than the longest duration, ` + maxDuration}},
	{"duration too long for an int", "max_delay=99999999999999999999µs", []string{`1, in max_delay=99999999999999999999µs: "99999999999999999999µs" is longer than the longest duration, ` + maxDuration}},
	{"duration too long, without unit", "max_delay=99999999999999999999", []string{`1, in max_delay=99999999999999999999: "99999999999999999999" is not a duration such as 1.5s`}},
	{"duration too long in part", "max_delay=99999999999999999999h1", []string{`1, in max_delay=99999999999999999999h1: "99999999999999999999h1" is not a duration such as 1.5s`}},
	{"duration is only a sign", "max_delay=-", []string{`1, in max_delay=-: "-" is not a duration such as 1.5s`}},
	{"duration signed, without unit", "max_delay=-7", []string{`1, in max_delay=-7: "-7" is not a duration such as 1.5s`}},
	{"duration is a fraction", "max_delay=1.5", []string{`1, in max_delay=1.5: "1.5" is not a duration such as 1.5s`}},
	{"duration in words", "max_delay=5seconds", []string{`1, in max_delay=5seconds: "5seconds" is not a duration such as 1.5s`}},
	{"duration negative", "max_delay=-1s", []string{"1, in max_delay=-1s: -1s is negative"}},
	{"duration empty", "max_retry_after=", []string{`1, in max_retry_after=: "" is not a duration such as 1.5s`}},
	{"history size", "history_size=many", []string{`1, in history_size=many: "many" is not a whole number`}},
	{"history size out of range", "history_size=-9223372036854775809", []string{`1, in history_size=-9223372036854775809: "-9223372036854775809" is out of range`}},
	{"history size negative", "history_size=-1", []string{"1, in history_size=-1: -1 is negative"}},

	{"backoff unknown", "backoff=quadratic(1s)", []string{`1, in backoff=quadratic(1s): "quadratic(1s)" is no backoff, ` + backoffChoices}},
	{"backoff empty", "backoff=", []string{`1, in backoff=: "" is no backoff, ` + backoffChoices}},
	{"backoff without arguments", "backoff=constant", []string{`1, in backoff=constant: "constant" is no backoff, ` + backoffChoices}},
	{"backoff with too few arguments", "backoff=linear(1s)", []string{`1, in backoff=linear(1s): "linear(1s)" is no backoff, ` + backoffChoices}},
	{"backoff with too many arguments", "backoff=constant(1s,2s)", []string{`1, in backoff=constant(1s,2s): "constant(1s,2s)" is no backoff, ` + backoffChoices}},
	{"backoff with no arguments", "backoff=sequence()", []string{`1, in backoff=sequence(): "" is not a duration such as 1.5s`}},
	{"backoff with an empty argument", "backoff=sequence(1s,)", []string{`1, in backoff=sequence(1s,): "" is not a duration such as 1.5s`}},
	{"backoff with text after it", "backoff=constant(1s)x", []string{`1, in backoff=constant(1s)x: "constant(1s)x" is no backoff, ` + backoffChoices}},
	{"backoff unbalanced, open", "backoff=constant(1s name=x", []string{`1, in backoff=constant(1s name=x: "constant(1s name=x" is no backoff, ` + backoffChoices}},
	{"backoff unbalanced, open inside", "backoff=chain(1,constant(1s),constant((1s))", []string{`1, in backoff=chain(1,constant(1s),constant((1s)): "chain(1,constant(1s),constant((1s))" is no backoff, ` + backoffChoices}},
	{"backoff unbalanced, closed", "backoff=constant(1s)) name=x", []string{`1, in backoff=constant(1s)): "constant(1s))" is no backoff, ` + backoffChoices}},
	{"backoff closed first", "backoff=constant)1s(", []string{`1, in backoff=constant)1s(: "constant)1s(" is no backoff, ` + backoffChoices}},
	{"backoff in two calls", "backoff=constant(1s)(2s)", []string{`1, in backoff=constant(1s)(2s): "constant(1s)(2s)" is no backoff, ` + backoffChoices}},
	{"backoff's duration", "backoff=linear(1s,two)", []string{`1, in backoff=linear(1s,two): "two" is not a duration such as 1.5s`}},
	{"backoff's duration too long", "backoff=constant(2562048h)", []string{`1, in backoff=constant(2562048h): "2562048h" is longer than the longest duration, ` + maxDuration}},
	{"backoff's factor", "backoff=exponential(1s,x)", []string{`1, in backoff=exponential(1s,x): "x" is not a number`}},
	{"backoff's factor too large", "backoff=exponential(1s,1e999)", []string{`1, in backoff=exponential(1s,1e999): "1e999" is out of range`}},
	{"backoff's factor NaN", "backoff=exponential(1s,NaN)", []string{"1, in backoff=exponential(1s,NaN): factor NaN is not a finite number of at least 1"}},
	{"backoff's factor Inf", "backoff=decorrelated(1s,Inf)", []string{"1, in backoff=decorrelated(1s,Inf): factor +Inf is not a finite number of at least 1"}},
	{"backoff's factor below 1", "backoff=decorrelated(1s,0.5)", []string{"1, in backoff=decorrelated(1s,0.5): factor 0.5 is not a finite number of at least 1"}},
	{"backoff negative", "backoff=constant(-1s)", []string{"1, in backoff=constant(-1s): delay -1s is negative"}},
	{"chain's number", "backoff=chain(x,constant(1s),constant(1s))", []string{`1, in backoff=chain(x,constant(1s),constant(1s)): "x" is not a whole number`}},
	{"chain negative", "backoff=chain(-1,constant(1s),constant(1s))", []string{"1, in backoff=chain(-1,constant(1s),constant(1s)): chain length -1 is negative"}},
	{"chain's member unknown", "backoff=chain(1,constant(1s),bad)", []string{`1, in backoff=chain(1,constant(1s),bad): "bad" is no backoff, ` + backoffChoices}},
	{"chain's member invalid", "backoff=chain(1,constant(1s),fibonacci(-2s))", []string{"1, in backoff=chain(1,constant(1s),fibonacci(-2s)): unit -2s is negative"}},
	{"func", "backoff=(func)", []string{`1, in backoff=(func): "(func)" is no backoff, ` + backoffChoices}},

	{"jitter unknown", "jitter=half", []string{`1, in jitter=half: "half" is no jitter, ` + jitterChoices}},
	{"jitter empty", "jitter=", []string{`1, in jitter=: "" is no jitter, ` + jitterChoices}},
	{"jitter with arguments", "jitter=full(1)", []string{`1, in jitter=full(1): "full(1)" is no jitter, ` + jitterChoices}},
	{"jitter without arguments", "jitter=add", []string{`1, in jitter=add: "add" is no jitter, ` + jitterChoices}},
	{"jitter with too many arguments", "jitter=add(1,2)", []string{`1, in jitter=add(1,2): "add(1,2)" is no jitter, ` + jitterChoices}},
	{"jitter with too few arguments", "jitter=range(1)", []string{`1, in jitter=range(1): "range(1)" is no jitter, ` + jitterChoices}},
	{"jitter's number", "jitter=add(x)", []string{`1, in jitter=add(x): "x" is not a number`}},
	{"jitter zero", "jitter=range(0,0)", []string{"1, in jitter=range(0,0): {0 0} makes every wait 0; use WithBackoff(Constant(0)) to retry at once"}},
	{"jitter reversed", "jitter=range(1,0.5)", []string{"1, in jitter=range(1,0.5): {1 0.5} has Hi below Lo"}},
	{"jitter below 0", "jitter=spread(2)", []string{"1, in jitter=spread(2): {-1 3} has Lo below 0"}},
	{"jitter NaN", "jitter=range(nan,1)", []string{"1, in jitter=range(nan,1): {NaN 1} is not finite"}},
	{"jitter Inf", "jitter=add(+Inf)", []string{"1, in jitter=add(+Inf): {1 +Inf} is not finite"}},

	{"quotes not closed", `max_attempts=0 name="a b`, []string{
		`1, in max_attempts=0: "0" is neither a number of at least 1 nor unlimited`, `16, in name="a b: the value is not quoted as in Go`,
	}},
	{"text after the quotes", `name="a"b max_attempts=2 x=1`, []string{`1, in name="a"b: there is text behind the quoted value`, `26, in x=1: unknown key "x", ` + keyChoices}},
	{"not a Go escape", `name="\z"`, []string{`1, in name="\z": the value is not quoted as in Go`}},

	{"control characters", "name=a \x1b[31m=\u202e\x00", []string{`8, in "\x1b[31m=\u202e\x00": unknown key "\x1b[31m", ` + keyChoices}},
	{"line breaks", "jitter=add(\n\u2028x)", []string{`1, in "jitter=add(\n\u2028x)": "\u2028x" is not a number`}},
	{"invisible characters", "\v \xff", []string{`1, in "\v": no value; write key=value, ` + keyChoices, `3, in "\xff": no value; write key=value, ` + keyChoices}},
	{"long", "x" + strings.Repeat("=y", 1000), []string{
		"1, in x" + strings.Repeat("=y", 28) + "…" + strings.Repeat("=y", 10) + `: unknown key "x", ` + keyChoices,
	}},
	{"long key", strings.Repeat("k", 1000) + "=1", []string{
		"1, in " + strings.Repeat("k", 57) + "…" + strings.Repeat("k", 18) + `=1: unknown key "` + strings.Repeat("k", 56) + "…" + strings.Repeat("k", 19) + `", ` + keyChoices,
	}},
	{"long value", "max_elapsed=" + strings.Repeat("v", 1000), []string{
		"1, in max_elapsed=" + strings.Repeat("v", 45) + "…" + strings.Repeat("v", 20) + `: "` + strings.Repeat("v", 56) + "…" + strings.Repeat("v", 19) + `" is not a duration such as 1.5s`,
	}},

	{"all at once", "max_delay=-1s foo jitter=x bar=1 backoff=exponential(1s,0.5)", []string{
		"1, in max_delay=-1s: -1s is negative", `15, in foo: no value; write key=value, ` + keyChoices, `19, in jitter=x: "x" is no jitter, ` + jitterChoices,
		`28, in bar=1: unknown key "bar", ` + keyChoices, "34, in backoff=exponential(1s,0.5): factor 0.5 is not a finite number of at least 1",
	}},
}

func TestParseErrorTexts(t *testing.T) {
	t.Parallel()
	for _, test := range parseErrorTests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			p, err := retry.Parse(test.text)
			require.Error(t, err)
			assert.Nil(t, p)
			var want []string
			for _, text := range test.want {
				want = append(want, "retry: Parse: position "+text)
			}
			assert.Equal(t, strings.Join(want, "\n"), err.Error())
			assertOptionError(t, err)
		})
	}
}

// The choices in an error are complete: each key and form that it lists is accepted.
func TestParseChoicesAreAccepted(t *testing.T) {
	t.Parallel()
	fill := strings.NewReplacer("d,...", "1s", "initial", "1s", "step", "1s", "unit", "1s", "(d)", "(1s)", "factor", "2",
		"n,backoff,backoff", "1,constant(1s),constant(1s)", "lo,hi", "0,1", "(f)", "(0.5)")
	for kind, choices := range map[string]string{"backoff": backoffChoices, "jitter": jitterChoices} {
		list := strings.ReplaceAll(strings.TrimPrefix(choices, "the choices are "), " and ", ", ")
		for form := range strings.SplitSeq(list, ", ") {
			_, err := retry.Parse(kind + "=" + fill.Replace(form))
			assert.NoError(t, err, form)
		}
	}
	for key := range strings.SplitSeq(strings.TrimPrefix(keyChoices, "the keys are "), ", ") {
		_, err := retry.Parse(key + "=")
		assert.False(t, err != nil && strings.Contains(err.Error(), "unknown"), key)
	}
}

// Each wrong pair is one ParseError with the pair as written.
func TestParseErrors(t *testing.T) {
	t.Parallel()
	text := " max_attempts=x\tjitter=full name=\x1b[1m  jitter=none foo"
	_, err := retry.Parse(text)
	var joined interface{ Unwrap() []error }
	require.ErrorAs(t, err, &joined)
	want := []retry.ParseError{{Position: 2, Pair: "max_attempts=x"}, {Position: 40, Pair: "jitter=none"}, {Position: 52, Pair: "foo"}}
	require.Len(t, joined.Unwrap(), len(want))
	for i, err := range joined.Unwrap() {
		var wrong *retry.ParseError
		require.ErrorAs(t, err, &wrong)
		assert.Equal(t, want[i], retry.ParseError{Position: wrong.Position, Pair: wrong.Pair})
		assert.ErrorIs(t, err, wrong.Err)
		assert.Contains(t, err.Error(), wrong.Err.Error())
		assertOptionError(t, err)
	}
}

// The Pair field is complete, even if the error text shortens it.
func TestParseErrorLiteral(t *testing.T) {
	t.Parallel()
	inner := errors.New("bad\nvalue")
	assert.EqualError(t, &retry.ParseError{Position: 3, Pair: "a=\x07", Err: inner}, `retry: Parse: position 3, in "a=\a": bad; value`)
	assert.EqualError(t, &retry.ParseError{}, "retry: Parse: position 0, in : <nil>")
}

func TestParseErrorNil(t *testing.T) {
	t.Parallel()
	var none *retry.ParseError
	assert.Equal(t, "<nil>", none.Error())
	assert.NoError(t, none.Unwrap())
	assert.False(t, none.Is(retry.ErrOption))
	assert.NotErrorIs(t, none, retry.ErrOption)
}
