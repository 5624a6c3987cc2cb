package retryhttp_test

import (
	"context"
	"fmt"
	"net/http"
	"time"

	"github.com/seed-205ff063/retry"
	"github.com/seed-205ff063/retry/retryhttp"
)

// Transient classifies errors in code that calls an http.Client itself.
func ExampleTransient() {
	client := &http.Client{Transport: failsOnce()}
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
