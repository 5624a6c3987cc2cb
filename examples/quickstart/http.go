package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"github.com/seed-205ff063/retry"
)

// httpPolicy is for GET requests, which are safe to repeat. It retries failures of the network,
// connections that the server closed without an answer (net/http reports io.EOF), and statuses.
// fetch marks the statuses that are permanent.
var httpPolicy = retry.MustNew(
	retry.WithBackoff(retry.Exponential(50*time.Millisecond, 2)),
	retry.WithRetryIf(retry.Transient, retry.Is(io.EOF), retry.As[*statusError]()),
)

// callServer shows a call that succeeds after retries, one that no retry can help, and one that
// ends at once because the server asks for a longer wait than the caller has time for.
func callServer(ctx context.Context, w io.Writer, logged retry.Option) error {
	server := newFlakyServer()
	defer server.Close()
	client := server.Client()

	get := func(ctx context.Context, path string) (string, error) {
		return retry.DoValue(ctx, func(ctx context.Context) (string, error) {
			return fetch(ctx, client, server.URL+path)
		}, httpPolicy, logged, retry.WithName("GET "+path))
	}

	heading(w, "1. A server that drops connections, is unavailable, then answers")
	body, err := get(ctx, "/greeting")
	if err != nil {
		return err
	}
	fmt.Fprintf(w, "result: %q\n", body)

	heading(w, "2. A page that does not exist: 404 is permanent, no second attempt")
	if _, err = get(ctx, "/missing"); !errors.Is(err, retry.ErrPermanent) {
		return fmt.Errorf("GET /missing: want a permanent error, got %w", err)
	}
	fmt.Fprintln(w, "result:", err)

	heading(w, "3. A server that says \"in 30 s\" to a caller with 5 s: the call ends at once")
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	if _, err = get(ctx, "/busy"); !errors.Is(err, context.DeadlineExceeded) {
		return fmt.Errorf("GET /busy: want an exceeded deadline, got %w", err)
	}
	fmt.Fprintln(w, "result:", err)
	return nil
}

// fetch makes one attempt, a plain request. Its error tells the policy whether another attempt is
// worth it, and when.
func fetch(ctx context.Context, client *http.Client, address string) (string, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return "", retry.Permanent(err) // a bad URL stays bad
	}
	resp, err := client.Do(req)
	if e := (*url.Error)(nil); errors.As(err, &e) {
		return "", e.Err // without the URL, which may hold secrets; the call's name is enough
	}
	if err != nil {
		return "", err
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(io.LimitReader(resp.Body, 1<<20))
	if err != nil {
		return "", err
	}
	switch code := resp.StatusCode; {
	case code == http.StatusOK:
		return string(body), nil
	case code == http.StatusTooManyRequests, code >= 500:
		return "", retry.After(retryAfter(resp.Header), &statusError{code})
	default:
		return "", retry.Permanent(&statusError{code})
	}
}

// retryAfter returns how long the server asks to wait, or 0 if it does not say. It does not read
// the header's other form, a date. Package retryhttp does.
func retryAfter(h http.Header) time.Duration {
	seconds, err := strconv.ParseUint(h.Get("Retry-After"), 10, 32)
	if err != nil {
		return 0
	}
	return time.Duration(seconds) * time.Second
}

type statusError struct{ code int }

func (e *statusError) Error() string {
	return fmt.Sprintf("server answered %d %s", e.code, http.StatusText(e.code))
}
