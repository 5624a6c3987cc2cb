package retryhttp_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"time"

	"github.com/seed-205ff063/retry"
	"github.com/seed-205ff063/retry/retryhttp"
	"github.com/seed-205ff063/retry/retrytest"
)

// A client that retries is used as any other.
func Example() {
	server := httptest.NewServer(retrytest.Handler(503, 503, 200))
	defer server.Close()

	client, err := retryhttp.NewClient(
		retry.WithMaxAttempts(4),
		retry.WithAttemptTimeout(10*time.Second),
		retry.WithBackoff(retry.Exponential(time.Millisecond, 2)),
	)
	if err != nil {
		log.Fatal(err)
	}
	defer client.CloseIdleConnections()
	resp, err := client.Get(server.URL)
	if err != nil {
		log.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	fmt.Println(resp.Status)
	// Output: 200 OK
}

func ExampleNewClient() {
	_, err := retryhttp.NewClient(retry.WithMaxAttempts(0))
	fmt.Println(errors.Is(err, retry.ErrOption))
	// Output: true
}

func ExampleTransport() {
	server := httptest.NewServer(retrytest.Handler(503, 200))
	defer server.Close()

	base := http.DefaultTransport.(*http.Transport).Clone()
	base.ResponseHeaderTimeout = 5 * time.Second
	client := &http.Client{Transport: &retryhttp.Transport{
		Base:       base,
		Policy:     retry.MustNew(retry.WithBackoff(retry.Constant(time.Millisecond))),
		HostBudget: retryhttp.HostBudgets(0.1, 10),
	}}
	defer client.CloseIdleConnections()

	resp, err := client.Post(server.URL, "text/plain", strings.NewReader("order"))
	if err != nil {
		log.Fatal(err)
	}
	_ = resp.Body.Close()
	fmt.Println("POST:", resp.Status, "- it may have been processed")

	resp, err = client.Get(server.URL)
	if err != nil {
		log.Fatal(err)
	}
	_ = resp.Body.Close()
	fmt.Println("GET:", resp.Status)
	// Output:
	// POST: 503 Service Unavailable - it may have been processed
	// GET: 200 OK
}

// A POST with a key that the server knows how to use is safe to repeat.
func ExampleTransport_idempotencyKey() {
	keys := map[string]bool{}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		key := r.Header.Get("Idempotency-Key")
		fmt.Println("attempt", r.Header.Get("X-Retry-Attempt"), "known:", keys[key])
		if !keys[key] {
			keys[key] = true
			w.WriteHeader(http.StatusBadGateway) // processed, but the answer was lost
		}
	}))
	defer server.Close()

	client := &http.Client{Transport: &retryhttp.Transport{
		Policy:            retry.MustNew(retry.WithBackoff(retry.Constant(time.Millisecond))),
		AddIdempotencyKey: true,
		AttemptHeader:     "X-Retry-Attempt",
	}}
	defer client.CloseIdleConnections()
	resp, err := client.Post(server.URL, "text/plain", strings.NewReader("order"))
	if err != nil {
		log.Fatal(err)
	}
	_ = resp.Body.Close()
	fmt.Println(resp.Status)
	// Output:
	// attempt 1 known: false
	// attempt 2 known: true
	// 200 OK
}

// flaky is a base without a network: it is asked once in vain.
func flaky() http.RoundTripper {
	n := 0
	return roundTripper(func(req *http.Request) (*http.Response, error) {
		if n++; n == 1 {
			return nil, io.ErrUnexpectedEOF
		}
		w := httptest.NewRecorder()
		_, _ = io.WriteString(w, "hello")
		return w.Result(), nil
	})
}

// A Transport is an http.RoundTripper, for code that needs no client.
func ExampleTransport_RoundTrip() {
	tr := &retryhttp.Transport{
		Base:   flaky(),
		Policy: retry.MustNew(retry.WithBackoff(retry.Constant(time.Millisecond))),
	}
	req, err := http.NewRequestWithContext(context.Background(), http.MethodGet, "http://api.example/greeting", nil)
	if err != nil {
		log.Fatal(err)
	}
	resp, err := tr.RoundTrip(req)
	if err != nil {
		log.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	body, err := io.ReadAll(resp.Body)
	fmt.Println(string(body), err)
	// Output: hello <nil>
}

// CloseIdleConnections is what http.Client's method of the same name calls.
func ExampleTransport_CloseIdleConnections() {
	server := httptest.NewServer(retrytest.Handler(200))
	tr := &retryhttp.Transport{Base: &http.Transport{}}
	client := &http.Client{Transport: tr}
	resp, err := client.Get(server.URL)
	if err != nil {
		log.Fatal(err)
	}
	_ = resp.Body.Close()

	tr.CloseIdleConnections()
	server.Close() // does not wait for a client's connection
	fmt.Println("closed")
	// Output: closed
}

// Do decodes as part of the attempt: an answer that breaks off is asked for again.
func ExampleDo() {
	n := 0
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Length", "14")
		if n++; n == 1 {
			_, _ = io.WriteString(w, `{"name":`)
			panic(http.ErrAbortHandler)
		}
		_, _ = io.WriteString(w, `{"name":"Ada"}`)
	}))
	defer server.Close()

	type user struct{ Name string }
	req, err := http.NewRequestWithContext(context.Background(), http.MethodGet, server.URL, nil)
	if err != nil {
		log.Fatal(err)
	}
	u, err := retryhttp.Do(server.Client(), req, func(resp *http.Response) (u user, err error) {
		if err := retryhttp.Check(resp); err != nil {
			return u, err // a 404, say: another attempt does not change it
		}
		return u, json.NewDecoder(resp.Body).Decode(&u)
	}, retry.WithBackoff(retry.Constant(time.Millisecond)))
	fmt.Println(u.Name, err, "after", n, "attempts")
	// Output: Ada <nil> after 2 attempts
}

// StatusError is what classifiers, hooks, logs and histories see of a bad status.
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
	fmt.Println(failure("408 Request Timeout"))
	// Output: GET api.example: 408 Request Timeout
}

func ExampleStatusError_RetryAfter() {
	wait, ok := failure("503 Service Unavailable", "Retry-After", "120").RetryAfter()
	fmt.Println(wait, ok)
	// Output: 2m0s true
}

func ExampleStatusError_Timeout() {
	fmt.Println(failure("504 Gateway Timeout").Timeout(), failure("503 Service Unavailable").Timeout())
	// Output: true false
}

// failure is the error of a request to a server that answers so.
func failure(status string, header ...string) *retryhttp.StatusError {
	var code int
	_, _ = fmt.Sscan(status, &code)
	base := roundTripper(func(req *http.Request) (*http.Response, error) { return reply(req, code, "", header...), nil })
	req, _ := http.NewRequestWithContext(context.Background(), http.MethodGet, "http://api.example/path", nil)
	_, err := retryhttp.Do(&http.Client{Transport: base}, req, func(*http.Response) (int, error) { return 0, nil }, retry.WithMaxAttempts(1))
	var e *retryhttp.StatusError
	errors.As(err, &e)
	return e
}

// With AlreadyRetried an outer layer sees that an inner Transport has retried a response.
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
	fmt.Println("inner attempts:", errors.As(errors.Unwrap(lastOf(err)), &inner), inner.Attempts)
	// Output:
	// outer attempts: 1
	// inner attempts: true 3
}

// lastOf is the StatusError in err.
func lastOf(err error) error {
	var status *retryhttp.StatusError
	errors.As(err, &status)
	return status
}

// A client of one's own calls Check to have an error for a bad status.
func ExampleCheck() {
	client := &http.Client{Transport: replies(404)}
	resp, err := client.Get("http://api.example/users/7?token=secret")
	if err != nil {
		log.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	err = retryhttp.Check(resp)
	fmt.Println(err)
	fmt.Println("worth another attempt:", retryhttp.Transient(retry.Attempt{Err: err}))
	// Output:
	// GET api.example: 404 Not Found
	// worth another attempt: false
}

// As OnProxyConnectResponse, Check hands over what a proxy answers: its status and its hint.
func ExampleCheck_proxy() {
	base := http.DefaultTransport.(*http.Transport).Clone()
	base.OnProxyConnectResponse = func(_ context.Context, _ *url.URL, _ *http.Request, resp *http.Response) error {
		return retryhttp.Check(resp)
	}
	client := &http.Client{Transport: &retryhttp.Transport{Base: base}}
	defer client.CloseIdleConnections()

	// This is what net/http calls it with when the proxy is busy.
	connect := &http.Request{Method: http.MethodConnect, URL: &url.URL{Opaque: "api.example:443"}, Host: "api.example:443"}
	busy := &http.Response{StatusCode: http.StatusServiceUnavailable, Header: http.Header{"Retry-After": {"2"}}, Request: connect}
	err := base.OnProxyConnectResponse(context.Background(), nil, connect, busy)
	fmt.Println(err)
	// Output: CONNECT api.example:443: 503 Service Unavailable
}

func ExampleHint() {
	now := time.Date(2024, 3, 1, 12, 0, 0, 0, time.UTC)
	resp := &http.Response{Header: http.Header{"Retry-After": {"1.5"}}}
	fmt.Println(retryhttp.Hint(resp, now))

	resp.Header.Set("Retry-After-Ms", "350") // more exact, so it comes first
	fmt.Println(retryhttp.Hint(resp, now))
	// Output:
	// 1.5s true
	// 350ms true
}

func ExampleRateLimitReset() {
	now := time.Date(2024, 3, 1, 12, 0, 0, 0, time.UTC)
	resp := &http.Response{StatusCode: http.StatusForbidden, Header: http.Header{}}
	resp.Header.Set("X-Ratelimit-Remaining", "0")
	resp.Header.Set("X-Ratelimit-Reset", "1709294440") // 12:00:40
	fmt.Println(retryhttp.RateLimitReset(resp, now))

	resp.Header.Set("X-Ratelimit-Remaining", "17")
	fmt.Println(retryhttp.RateLimitReset(resp, now))
	// Output:
	// 40s true
	// 0s false
}

func ExampleHostBudgets() {
	budget := retryhttp.HostBudgets(0.1, 2) // a retry for every tenth request, and two to begin with
	n := 0
	base := roundTripper(func(req *http.Request) (*http.Response, error) {
		n++
		return reply(req, 503, ""), nil
	})
	client := &http.Client{Transport: &retryhttp.Transport{
		Base: base, HostBudget: budget, Policy: retry.MustNew(retry.WithBackoff(retry.Constant(time.Millisecond))),
	}}
	for range 10 {
		resp, err := client.Get("http://api.example")
		if err != nil {
			log.Fatal(err)
		}
		_ = resp.Body.Close()
	}
	fmt.Println("10 requests to a host that is down, attempts:", n)
	fmt.Println("left for another:", budget("other.example").Tokens())
	// Output:
	// 10 requests to a host that is down, attempts: 12
	// left for another: 2
}

func ExampleRetryAfter() {
	resp := &http.Response{Header: http.Header{"Retry-After": {"120"}}}
	fmt.Println(retryhttp.RetryAfter(resp, time.Now()))

	resp.Header.Set("Retry-After", "Fri, 01 Mar 2024 12:00:30 GMT")
	resp.Header.Set("Date", "Fri, 01 Mar 2024 12:00:00 GMT")
	fmt.Println(retryhttp.RetryAfter(resp, time.Now()))

	resp.Header.Set("Retry-After", "-1")
	fmt.Println(retryhttp.RetryAfter(resp, time.Now()))
	// Output:
	// 2m0s true
	// 30s true
	// 0s false
}

// Transient is for code that calls an http.Client itself.
func ExampleTransient() {
	client := &http.Client{Transport: flaky()}
	status, err := retry.DoValue(context.Background(), func(ctx context.Context) (int, error) {
		req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://api.example", nil)
		if err != nil {
			return 0, err
		}
		resp, err := client.Do(req)
		if err != nil {
			return 0, err
		}
		defer func() { _ = resp.Body.Close() }()
		return resp.StatusCode, retryhttp.Check(resp)
	}, retry.WithRetryIf(retryhttp.Transient), retry.WithBackoff(retry.Constant(time.Millisecond)))
	fmt.Println(status, err)

	mismatch := retry.Attempt{Err: http.ErrSchemeMismatch}
	fmt.Println(retryhttp.Transient(mismatch))
	// Output:
	// 200 <nil>
	// false
}
