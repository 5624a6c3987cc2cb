package main

import (
	"io"
	"net/http"
	"time"

	"github.com/failsafe-go/failsafe-go/failsafehttp"
	"github.com/hashicorp/go-retryablehttp"

	"github.com/seed-205ff063/retry"
	"github.com/seed-205ff063/retry/retryhttp"
)

// contender is a client that is measured. All make at most five attempts, without waits.
type contender struct {
	name string
	path string // the module, if it is not ours
	ours bool
	// client returns a client that sends its requests through base.
	client func(base http.RoundTripper) *http.Client
}

const attempts = 5

var (
	ours = contender{
		name: "retryhttp", ours: true,
		client: func(base http.RoundTripper) *http.Client { return ourClient(base) },
	}
	oursTimed = contender{
		name: "retryhttp, attempts of at most 10 s", ours: true,
		client: func(base http.RoundTripper) *http.Client {
			return ourClient(base, retry.WithAttemptTimeout(10*time.Second))
		},
	}
	hashicorp = contender{
		name: "go-retryablehttp", path: "github.com/hashicorp/go-retryablehttp",
		client: func(base http.RoundTripper) *http.Client {
			c := retryablehttp.NewClient()
			c.HTTPClient.Transport = base
			c.RetryMax = attempts - 1
			c.Backoff = func(time.Duration, time.Duration, int, *http.Response) time.Duration { return 0 }
			c.Logger = nil
			return c.StandardClient()
		},
	}
	failsafe = contender{
		name: "failsafehttp", path: "github.com/failsafe-go/failsafe-go",
		client: func(base http.RoundTripper) *http.Client {
			policy := failsafehttp.NewRetryPolicyBuilder().WithMaxAttempts(attempts).Build()
			return &http.Client{Transport: failsafehttp.NewRoundTripper(base, policy)}
		},
	}
	plain = contender{
		name:   "net/http alone",
		client: func(base http.RoundTripper) *http.Client { return &http.Client{Transport: base} },
	}
	byHand = contender{
		name:   "by hand, error bodies read to their end",
		client: func(base http.RoundTripper) *http.Client { return &http.Client{Transport: loop{base}} },
	}
)

func peers() []contender { return []contender{hashicorp, failsafe} }

func ourClient(base http.RoundTripper, opts ...retry.Option) *http.Client {
	opts = append(opts, retry.WithMaxAttempts(attempts), retry.WithBackoff(retry.Constant(0)))
	return &http.Client{Transport: &retryhttp.Transport{Base: base, Policy: retry.MustNew(opts...)}}
}

// loop does only what these runs need: its requests have no body, and the server fails with 503.
type loop struct{ base http.RoundTripper }

func (l loop) RoundTrip(req *http.Request) (*http.Response, error) {
	for attempt := 1; ; attempt++ {
		resp, err := l.base.RoundTrip(req)
		if err != nil || resp.StatusCode != http.StatusServiceUnavailable || attempt == attempts {
			return resp, err
		}
		_, _ = io.Copy(io.Discard, resp.Body)
		_ = resp.Body.Close()
	}
}
