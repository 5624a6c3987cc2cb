package main

import (
	"net/http"
	"time"

	"github.com/anthropics/anthropic-sdk-go"
	anthropicoption "github.com/anthropics/anthropic-sdk-go/option"
	"github.com/openai/openai-go/v3"
	"github.com/openai/openai-go/v3/option"

	"github.com/seed-205ff063/retry"
	"github.com/seed-205ff063/retry/retryhttp"
)

// policy is for all calls here. A real one waits longer.
var policy = retry.MustNew(
	retry.WithMaxAttempts(3),
	retry.WithBackoff(retry.Exponential(10*time.Millisecond, 2)),
)

// httpClient returns a client that retries. A prompt may be sent twice: the second answer costs
// money, but it changes nothing. Do not say so of requests that run tools or store something.
func httpClient() *http.Client {
	return &http.Client{Transport: &retryhttp.Transport{
		Policy:       policy,
		IsIdempotent: func(*http.Request) bool { return true },
	}}
}

func newOpenAI(baseURL string, opts ...option.RequestOption) openai.Client {
	return openai.NewClient(append([]option.RequestOption{
		option.WithBaseURL(baseURL + "/v1/"),
		option.WithAPIKey("none"),
		option.WithHTTPClient(httpClient()),
		option.WithMaxRetries(0), // the HTTP client retries
	}, opts...)...)
}

func newAnthropic(baseURL string) anthropic.Client {
	return anthropic.NewClient(
		anthropicoption.WithBaseURL(baseURL),
		anthropicoption.WithAPIKey("none"),
		anthropicoption.WithHTTPClient(httpClient()),
		anthropicoption.WithMaxRetries(0), // the HTTP client retries
	)
}
