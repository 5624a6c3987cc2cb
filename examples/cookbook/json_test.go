package cookbook

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"time"

	"github.com/seed-205ff063/retry"
	"github.com/seed-205ff063/retry/retryhttp"
	"github.com/seed-205ff063/retry/retrytest"
)

type User struct{ Name string }

func getUser(ctx context.Context, url string) (User, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return User{}, err
	}
	return retryhttp.Do(http.DefaultClient, req, func(resp *http.Response) (u User, err error) {
		if err := retryhttp.Check(resp); err != nil {
			return u, retry.Permanent(err) // such as a 404
		}
		return u, json.NewDecoder(resp.Body).Decode(&u)
	}, retry.WithAttemptTimeout(10*time.Second))
}

func Example_json() {
	flaky := retrytest.Handler(503, 200)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		rec := httptest.NewRecorder()
		flaky.ServeHTTP(rec, r)
		w.WriteHeader(rec.Code)
		fmt.Fprint(w, `{"name":"Ada"}`)
	}))
	defer server.Close()

	fmt.Println(getUser(context.Background(), server.URL))
	// Output: {Ada} <nil>
}

func Example_jsonNotFound() {
	server := httptest.NewServer(retrytest.Handler(404))
	defer server.Close()

	_, err := getUser(context.Background(), server.URL)
	var e *retry.Error
	var status *retryhttp.StatusError
	fmt.Println(errors.As(err, &e) && errors.As(err, &status), e.Attempts, status.StatusCode)
	// Output: true 1 404
}
