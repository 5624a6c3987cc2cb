package retryhttp_test

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"time"

	"github.com/seed-205ff063/retry"
	"github.com/seed-205ff063/retry/retryhttp"
)

// Do decodes the response within the attempt. A response that breaks off is requested again.
func ExampleDo() {
	n := 0
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Length", "14")
		if n++; n == 1 {
			_, _ = io.WriteString(w, `{"name":`)
			panic(http.ErrAbortHandler)
		}
		_, _ = io.WriteString(w, `{"name":"Ada"}`)
	}))
	defer server.Close()

	type user struct{ Name string }
	req, err := http.NewRequestWithContext(context.Background(), http.MethodGet, server.URL, nil)
	if err != nil {
		log.Fatal(err)
	}
	u, err := retryhttp.Do(server.Client(), req, func(resp *http.Response) (u user, err error) {
		if err := retryhttp.Check(resp); err != nil {
			return u, err // such as a 404, which another attempt does not change
		}
		return u, json.NewDecoder(resp.Body).Decode(&u)
	}, retry.WithBackoff(retry.Constant(time.Millisecond)))
	fmt.Println(u.Name, err, "after", n, "attempts")
	// Output: Ada <nil> after 2 attempts
}
