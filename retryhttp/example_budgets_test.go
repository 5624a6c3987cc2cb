package retryhttp_test

import (
	"fmt"
	"log"
	"net/http"
	"time"

	"github.com/seed-205ff063/retry"
	"github.com/seed-205ff063/retry/retryhttp"
)

func ExampleHostBudgets() {
	budget := retryhttp.HostBudgets(0.1, 2) // one retry for ten requests, and two at the start
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
	fmt.Println("retries left for another host:", budget("other.example").Tokens())
	// Output:
	// 10 requests to a host that is down, attempts: 12
	// retries left for another host: 2
}
