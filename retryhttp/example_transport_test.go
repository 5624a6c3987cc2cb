package retryhttp_test

import (
	"context"
	"fmt"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"strings"
	"time"

	"github.com/seed-205ff063/retry"
	"github.com/seed-205ff063/retry/retryhttp"
	"github.com/seed-205ff063/retry/retrytest"
)

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

// A POST is safe to repeat if it has a key and the server honours it.
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

// failsOnce is a base without a network. Its first request fails.
func failsOnce() http.RoundTripper {
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

// A Transport can be used without an http.Client.
func ExampleTransport_RoundTrip() {
	tr := &retryhttp.Transport{
		Base:   failsOnce(),
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

// http.Client's CloseIdleConnections calls the Transport's.
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
