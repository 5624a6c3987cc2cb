package retry_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"slices"
	"strings"

	"github.com/seed-205ff063/retry"
)

// exportJob is the state of a background job, as a service reports it.
type exportJob struct{ State string }

// A validator says why a value is not good yet. Here a call polls until the job is done.
func ExampleValidator() {
	var ended retry.Validator[exportJob] = func(j exportJob, a retry.Attempt) error {
		switch j.State {
		case "done":
			return nil
		case "failed":
			return retry.Permanent(errors.New("the job failed"))
		}
		return fmt.Errorf("the job is %s", j.State)
	}

	states := []string{"queued", "running", "done"}
	result, err := retry.DoValue(context.Background(), func(ctx context.Context) (exportJob, error) {
		state := states[0]
		states = states[1:]
		return exportJob{state}, nil
	}, retry.WithValidator(ended), retry.WithBackoff(retry.Constant(0)))

	fmt.Println(result.State, err)
	// Output: done <nil>
}

// A validator sees the attempt, so it can accept less over time.
func ExampleValidator_relax() {
	fresh := func(replicas int, a retry.Attempt) error {
		if want := max(3-a.Number, 1); replicas < want {
			return fmt.Errorf("%d replicas have the value, not %d", replicas, want)
		}
		return nil
	}

	calls := 0
	replicas, err := retry.DoValue(context.Background(), func(ctx context.Context) (int, error) {
		calls++
		return 1, nil
	}, retry.WithValidator(fresh), retry.WithBackoff(retry.Constant(0)))

	fmt.Println(replicas, err, calls)
	// Output: 1 <nil> 2
}

// pollEmptyPage requests a page three times, and it is always empty.
func pollEmptyPage() error {
	_, err := retry.DoValue(context.Background(), func(ctx context.Context) ([]string, error) {
		return []string{}, nil
	},
		retry.WithName("page"),
		retry.WithMaxAttempts(3),
		retry.WithBackoff(retry.Constant(0)),
		retry.WithValidator(func(page []string, a retry.Attempt) error {
			if len(page) == 0 {
				return errors.New("page is empty")
			}
			return nil
		}))
	return err
}

// A ValidationError holds the rejected values and the reasons.
func ExampleValidationError() {
	err := pollEmptyPage()

	var rejected *retry.ValidationError[[]string]
	if errors.As(err, &rejected) {
		fmt.Println(rejected.Name, rejected.Attempts, rejected.Values, rejected.Reasons[0])
	}
	fmt.Println(errors.Is(err, retry.ErrExhausted), errors.Is(err, retry.ErrRejected))
	// Output:
	// page 3 [[] [] []] page is empty
	// true true
}

// The text gives the number and the type of the values and the last reason, but no value.
func ExampleValidationError_Error() {
	var rejected *retry.ValidationError[[]string]
	if errors.As(pollEmptyPage(), &rejected) {
		fmt.Println(rejected)
	}
	// Output: retry: page: 3 values of type []string rejected, the last: page is empty
}

// No verb prints the values, so that a password does not end up in a log.
func ExampleValidationError_Format() {
	_, err := retry.DoValue(context.Background(), func(ctx context.Context) (string, error) {
		return "secret", nil
	},
		retry.WithMaxAttempts(2),
		retry.WithBackoff(retry.Constant(0)),
		retry.WithValidator(func(token string, a retry.Attempt) error { return errors.New("too short") }))

	var rejected *retry.ValidationError[string]
	if errors.As(err, &rejected) {
		for _, verb := range []string{"%v", "%+v", "%#v"} {
			text := fmt.Sprintf(verb, rejected)
			fmt.Println(strings.Contains(text, "too short"), strings.Contains(text, "secret"))
		}
	}
	// Output:
	// true false
	// true false
	// true false
}

// A ValidationError matches ErrRejected.
func ExampleValidationError_Is() {
	err := pollEmptyPage()
	fmt.Println(errors.Is(err, retry.ErrRejected))
	// Output: true
}

// The error matches the reasons too, including those of earlier values.
func ExampleValidationError_Unwrap() {
	errStale, errEmpty := errors.New("value is stale"), errors.New("value is empty")
	values := []string{"old", ""}
	_, err := retry.DoValue(context.Background(), func(ctx context.Context) (string, error) {
		v := values[0]
		values = values[1:]
		return v, nil
	},
		retry.WithMaxAttempts(2),
		retry.WithBackoff(retry.Constant(0)),
		retry.WithValidator(func(v string, a retry.Attempt) error {
			if v == "" {
				return errEmpty
			}
			return errStale
		}))

	fmt.Println(errors.Is(err, errEmpty), errors.Is(err, errStale))
	// Output: true true
}

// Rejected returns the rejected values even if the last attempt had none. The best of them may
// be better than nothing.
func ExampleRejected() {
	replies := []int{40, 70, 0}
	score, err := retry.DoValue(context.Background(), func(ctx context.Context) (int, error) {
		v := replies[0]
		if replies = replies[1:]; v == 0 {
			return 0, errors.New("connection reset")
		}
		return v, nil
	},
		retry.WithMaxAttempts(3),
		retry.WithBackoff(retry.Constant(0)),
		retry.WithValidator(func(v int, a retry.Attempt) error { return errors.New("score is too low") }))

	if rejected := retry.Rejected[int](err); rejected != nil {
		score = slices.Max(rejected.Values)
	}
	fmt.Println(score, errors.Is(err, retry.ErrRejected))
	// Output: 70 false
}

// A log shows the text, not the values.
func ExampleValidationError_LogValue() {
	logger := slog.New(slog.NewTextHandler(os.Stdout, &slog.HandlerOptions{
		ReplaceAttr: func(groups []string, a slog.Attr) slog.Attr {
			if a.Key == slog.TimeKey {
				return slog.Attr{}
			}
			return a
		},
	}))
	logger.Info("no page", "error", retry.Rejected[[]string](pollEmptyPage()))
	// Output: level=INFO msg="no page" error="retry: page: 3 values of type []string rejected, the last: page is empty"
}

// JSON shows the text, not the values.
func ExampleValidationError_MarshalJSON() {
	text, err := json.Marshal(map[string]any{"error": retry.Rejected[[]string](pollEmptyPage())})
	fmt.Println(string(text), err)
	// Output: {"error":"retry: page: 3 values of type []string rejected, the last: page is empty"} <nil>
}

// A reply that says OK but holds half an answer is a failure too.
func ExampleWithValidator() {
	pages := []string{"<html>", "<html></html>"}
	page, err := retry.DoValue(context.Background(), func(ctx context.Context) (string, error) {
		page := pages[0]
		pages = pages[1:]
		return page, nil
	},
		retry.WithBackoff(retry.Constant(0)),
		retry.WithValidator(func(page string, a retry.Attempt) error {
			if len(page) < 10 {
				return errors.New("page is cut off")
			}
			return nil
		}))

	fmt.Println(page, err)
	// Output: <html></html> <nil>
}
