package main

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"time"

	"github.com/google/go-github/v90/github"

	"github.com/seed-205ff063/retry"
	"github.com/seed-205ff063/retry/retryhttp"
	"github.com/seed-205ff063/retry/retrypool"
)

const (
	workers = 10
	issues  = 60
)

// newClient returns a client of the API. Its requests share the policy, and so the policy's Cooldown.
func newClient(url string, policy *retry.Policy) (*github.Client, error) {
	url += "/"
	return github.NewClient(
		github.WithURLs(&url, nil),
		github.WithDisableRateLimitCheck(), // the transport waits instead
		github.WithHTTPClient(&http.Client{Transport: &retryhttp.Transport{Policy: policy}}),
	)
}

func newPolicy(cooldown bool) *retry.Policy {
	opts := []retry.Option{retry.WithMaxAttempts(4), retry.WithMaxRetryAfter(time.Hour)}
	if cooldown {
		opts = append(opts, retry.WithGate(retry.Cooldown(time.Hour)))
	}
	return retry.MustNew(opts...)
}

// result is the result of a crawl.
type result struct {
	read, lost int
	server     counts
}

// crawl reads all issues with ten workers. The transport retries, so the pool makes one attempt each.
func crawl(ctx context.Context, cooldown bool) (result, error) {
	s := newServer()
	defer s.Close()
	client, err := newClient(s.URL, newPolicy(cooldown))
	if err != nil {
		return result{}, err
	}
	pool, err := retrypool.New(func(ctx context.Context, number int) (*github.Issue, error) {
		issue, _, err := client.Issues.Get(ctx, "owner", "repo", number)
		return issue, err
	}, retrypool.Config[int]{Workers: workers, Capacity: issues, Policy: retry.MustNew(retry.WithMaxAttempts(1))})
	if err != nil {
		return result{}, err
	}
	var r result
	for _, err := range pool.Map(ctx, numbers) {
		if err != nil {
			r.lost++
		} else {
			r.read++
		}
	}
	if err := pool.Close(ctx); err != nil {
		return r, err
	}
	r.server = s.counts()
	return r, ctx.Err()
}

// numbers yields the issues' numbers.
func numbers(yield func(int) bool) {
	for i := range issues {
		if !yield(i + 1) {
			return
		}
	}
}

func (r result) print(w io.Writer, cooldown bool) {
	title := "hints alone"
	if cooldown {
		title = "with a shared Cooldown"
	}
	fmt.Fprintf(w, "%s: %d read, %d lost; %d pauses, %d requests refused, %d of them during a pause\n",
		title, r.read, r.lost, r.server.pauses, r.server.refused, r.server.late)
}
