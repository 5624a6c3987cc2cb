package retrytest_test

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"time"

	"github.com/seed-205ff063/retry/retrytest"
)

func ExampleHandler() {
	server := httptest.NewServer(retrytest.Handler(http.StatusServiceUnavailable, http.StatusOK))
	defer server.Close()
	for range 3 {
		response, err := http.Get(server.URL)
		if err != nil {
			fmt.Println(err)
			return
		}
		body, err := io.ReadAll(response.Body)
		response.Body.Close()
		fmt.Println(response.StatusCode, string(body), err)
	}
	// Output:
	// 503 Service Unavailable <nil>
	// 200 OK <nil>
	// 200 OK <nil>
}

func ExampleHandlerRetryAfter() {
	h := retrytest.HandlerRetryAfter(3*time.Second, http.StatusTooManyRequests, http.StatusOK)
	for range 2 {
		w := httptest.NewRecorder()
		h.ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/", nil))
		fmt.Printf("%d %q\n", w.Code, w.Header().Get("Retry-After"))
	}
	// Output:
	// 429 "3"
	// 200 ""
}
