package retryhttp_test

import (
	"errors"
	"fmt"
	"log"
	"net/http/httptest"
	"time"

	"github.com/seed-205ff063/retry"
	"github.com/seed-205ff063/retry/retryhttp"
	"github.com/seed-205ff063/retry/retrytest"
)

// A client that retries is used like any other.
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
