package retryhttp_test

import (
	"context"
	"errors"
	"fmt"
	"log"
	"net/http"
	"time"

	"github.com/seed-205ff063/retry"
	"github.com/seed-205ff063/retry/retryhttp"
)

// Classifiers, hooks, logs and histories see a bad status as a StatusError.
func ExampleStatusError() {
	policy := retry.MustNew(
		retry.WithBackoff(retry.Constant(time.Millisecond)),
		retry.WithStopIf(retry.Match(func(err error) bool {
			var status *retryhttp.StatusError
			return errors.As(err, &status) && status.StatusCode == http.StatusInternalServerError
		})),
		retry.WithHooks(retry.Hooks{AfterAttempt: func(_ context.Context, a retry.Attempt) {
			fmt.Println(a.Number, a.Err)
		}}),
	)
	statuses := replies(503, 500, 200)
	client := &http.Client{Transport: &retryhttp.Transport{Base: statuses, Policy: policy}}
	resp, err := client.Get("http://api.example/users?token=secret")
	if err != nil {
		log.Fatal(err)
	}
	_ = resp.Body.Close()
	fmt.Println(resp.Status)
	// Output:
	// 1 GET api.example: 503 Service Unavailable
	// 2 GET api.example: 500 Internal Server Error
	// 500 Internal Server Error
}

func ExampleStatusError_Error() {
	fmt.Println(statusError("408 Request Timeout"))
	// Output: GET api.example: 408 Request Timeout
}

func ExampleStatusError_RetryAfter() {
	wait, ok := statusError("503 Service Unavailable", "Retry-After", "120").RetryAfter()
	fmt.Println(wait, ok)
	// Output: 2m0s true
}

func ExampleStatusError_Timeout() {
	fmt.Println(statusError("504 Gateway Timeout").Timeout(), statusError("503 Service Unavailable").Timeout())
	// Output: true false
}

// statusError returns the error of a request to a server that answers with the status.
func statusError(status string, header ...string) *retryhttp.StatusError {
	var code int
	_, _ = fmt.Sscan(status, &code)
	base := roundTripper(func(req *http.Request) (*http.Response, error) { return reply(req, code, "", header...), nil })
	req, _ := http.NewRequestWithContext(context.Background(), http.MethodGet, "http://api.example/path", nil)
	_, err := retryhttp.Do(&http.Client{Transport: base}, req, func(*http.Response) (int, error) { return 0, nil }, retry.WithMaxAttempts(1))
	var e *retryhttp.StatusError
	errors.As(err, &e)
	return e
}

// With AlreadyRetried, an outer layer makes no more attempts if an inner Transport has retried.
func ExampleStatusError_Unwrap() {
	client, err := retryhttp.NewClient(retry.WithMaxAttempts(3), retry.WithBackoff(retry.Constant(time.Millisecond)))
	if err != nil {
		log.Fatal(err)
	}
	client.Transport.(*retryhttp.Transport).Base = replies(503)
	n := 0
	err = retry.Do(context.Background(), func(ctx context.Context) error {
		n++
		req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://api.example", nil)
		if err != nil {
			return err
		}
		resp, err := client.Do(req)
		if err != nil {
			return err
		}
		defer func() { _ = resp.Body.Close() }()
		return retryhttp.Check(resp)
	}, retry.WithStopIf(retry.AlreadyRetried))
	var inner *retry.Error
	fmt.Println("outer attempts:", n)
	fmt.Println("inner attempts:", errors.As(errors.Unwrap(asStatusError(err)), &inner), inner.Attempts)
	// Output:
	// outer attempts: 1
	// inner attempts: true 3
}

// asStatusError returns the StatusError in err.
func asStatusError(err error) error {
	var status *retryhttp.StatusError
	errors.As(err, &status)
	return status
}
