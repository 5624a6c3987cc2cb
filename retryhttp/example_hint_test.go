package retryhttp_test

import (
	"fmt"
	"net/http"
	"time"

	"github.com/seed-205ff063/retry/retryhttp"
)

func ExampleHint() {
	now := time.Date(2024, 3, 1, 12, 0, 0, 0, time.UTC)
	resp := &http.Response{Header: http.Header{"Retry-After": {"1.5"}}}
	fmt.Println(retryhttp.Hint(resp, now))

	resp.Header.Set("Retry-After-Ms", "350") // overrides Retry-After
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
