package retry_test

import (
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"strings"
	"time"

	"github.com/seed-205ff063/retry"
)

// A policy comes from an operator's setting. Code adds what text cannot express.
func ExampleParse() {
	parsed, err := retry.Parse("max_attempts=3 backoff=fibonacci(50ms) jitter=equal")
	if err != nil {
		fmt.Println(err)
		return
	}
	policy := retry.MustNew(parsed, retry.WithRetryIf(retry.Transient))

	fmt.Println(policy)
	// Output: max_attempts=3 backoff=fibonacci(50ms) max_delay=30s max_retry_after=1m0s jitter=equal history_size=10 retry_if=(func)
}

// Each error gives its position and the valid choices.
func ExampleParse_errors() {
	_, err := retry.Parse("max_attempts=0 jitter=half")

	fmt.Println(errors.Is(err, retry.ErrOption))
	fmt.Println(err)
	// Output:
	// true
	// retry: Parse: position 1, in max_attempts=0: "0" is neither a number of at least 1 nor unlimited
	// retry: Parse: position 16, in jitter=half: "half" is no jitter, the choices are none, full, equal, add(f), spread(f) and range(lo,hi)
}

// String prints all settings in force, including the defaults, for example for a log at
// startup.
func ExamplePolicy_String() {
	policy := retry.MustNew(
		retry.WithMaxAttempts(retry.Unlimited),
		retry.WithBackoff(retry.Constant(time.Second)),
		retry.WithBudget(retry.NewBudget(0.1, 10)))

	fmt.Println(policy.String())
	// Output: max_attempts=unlimited backoff=constant(1s) max_retry_after=1m0s history_size=10 budget=(object)
}

// A policy can be a field of a JSON document. MarshalText fails if the policy has settings that
// text cannot express.
func ExamplePolicy_MarshalText() {
	config := struct {
		URL   string        `json:"url"`
		Retry *retry.Policy `json:"retry"`
	}{
		URL:   "https://example.test",
		Retry: retry.MustNew(retry.WithMaxAttempts(3), retry.WithBackoff(retry.Constant(time.Second))),
	}

	text, err := json.Marshal(config)
	fmt.Println(string(text), err)

	config.Retry = retry.MustNew(config.Retry, retry.WithRetryIf(retry.Transient))
	_, err = config.Retry.MarshalText()
	fmt.Println(err)
	// Output:
	// {"url":"https://example.test","retry":"max_attempts=3 backoff=constant(1s) max_retry_after=1m0s history_size=10"} <nil>
	// retry: MarshalText: text cannot carry retry_if; keep the rest as a policy and add these in code: retry.New(policy, ...)
}

// A policy can be a field of a configuration file. If the field is missing it stays nil, which
// means the defaults.
func ExamplePolicy_UnmarshalText() {
	var config struct {
		Search  *retry.Policy `json:"search"`
		Billing *retry.Policy `json:"billing"`
	}
	err := json.Unmarshal([]byte(`{"search": "max_attempts=2 max_elapsed=1s"}`), &config)

	fmt.Println(err)
	fmt.Println(config.Search)
	fmt.Println(config.Billing)
	// Output:
	// <nil>
	// max_attempts=2 max_elapsed=1s backoff=exponential(100ms,2) max_delay=30s max_retry_after=1m0s jitter=full history_size=10
	// max_attempts=5 backoff=exponential(100ms,2) max_delay=30s max_retry_after=1m0s jitter=full history_size=10
}

// A policy can be a command-line flag. The first policy is its default.
func ExamplePolicy_UnmarshalText_flag() {
	flags := flag.NewFlagSet("sync", flag.ContinueOnError)
	var policy retry.Policy
	flags.TextVar(&policy, "retry", retry.MustNew(retry.WithMaxAttempts(3)), "how to retry")

	err := flags.Parse([]string{"-retry", "max_attempts=8 max_delay=5s"})
	fmt.Println(err)
	fmt.Println(&policy)
	// Output:
	// <nil>
	// max_attempts=8 backoff=exponential(100ms,2) max_delay=5s max_retry_after=1m0s jitter=full history_size=10
}

// An editor can mark the part of the text that is wrong.
func ExampleParseError() {
	text := "max_attempts=3 jitter=half"
	_, err := retry.Parse(text)
	var wrong *retry.ParseError
	if errors.As(err, &wrong) {
		fmt.Println(text)
		fmt.Println(strings.Repeat(" ", wrong.Position-1) + strings.Repeat("^", len(wrong.Pair)))
		fmt.Println(wrong.Err)
	}
	// Output:
	// max_attempts=3 jitter=half
	//                ^^^^^^^^^^^
	// "half" is no jitter, the choices are none, full, equal, add(f), spread(f) and range(lo,hi)
}

// Error gives the position, the setting and the problem.
func ExampleParseError_Error() {
	_, err := retry.Parse("max_attempts=3 max_elapsed=5")
	var wrong *retry.ParseError
	errors.As(err, &wrong)
	fmt.Println(wrong.Error())
	// Output:
	// retry: Parse: position 16, in max_elapsed=5: "5" is not a duration such as 1.5s
}

// A ParseError matches ErrOption.
func ExampleParseError_Is() {
	_, err := retry.Parse("max_attempts=0")
	fmt.Println(errors.Is(err, retry.ErrOption))
	// Output:
	// true
}

// Unwrap returns the problem without its position.
func ExampleParseError_Unwrap() {
	_, err := retry.Parse("max_attempts=3 max_elapsed=5")
	var wrong *retry.ParseError
	errors.As(err, &wrong)
	fmt.Println(wrong.Unwrap())
	// Output:
	// "5" is not a duration such as 1.5s
}

// A YAML library calls this method with a function that decodes the node.
func ExamplePolicy_UnmarshalYAML() {
	var policy retry.Policy
	err := policy.UnmarshalYAML(func(into any) error {
		*into.(*string) = "max_attempts=3 backoff=constant(1s)"
		return nil
	})
	fmt.Println(err)
	fmt.Println(&policy)
	// Output:
	// <nil>
	// max_attempts=3 backoff=constant(1s) max_retry_after=1m0s history_size=10
}
