package retrytest

import (
	"fmt"
	"io"
	"net/http"
	"slices"
	"strconv"
	"sync/atomic"
	"time"
)

// Handler returns an HTTP handler that answers with the statuses in turn, counted over all
// requests, and with the last one from then on; with 200 if there are none. The body is the
// status's text. A status that is not from 200 to 999 panics.
func Handler(statuses ...int) http.Handler { return answers("", statuses) }

// HandlerRetryAfter is like [Handler], and its answers 429 and 503 have a Retry-After header of
// d in seconds, rounded up. A negative d panics.
func HandlerRetryAfter(d time.Duration, statuses ...int) http.Handler {
	if d < 0 {
		panic(fmt.Sprintf("retrytest: HandlerRetryAfter: %v is negative", d))
	}
	seconds := int64(d / time.Second)
	if d%time.Second > 0 {
		seconds++
	}
	return answers(strconv.FormatInt(seconds, 10), statuses)
}

// answers is a Handler with the Retry-After header given, if it is not empty.
func answers(retryAfter string, statuses []int) http.Handler {
	for _, status := range statuses {
		if status < 200 || status > 999 {
			panic(fmt.Sprintf("retrytest: Handler: status %d is not from 200 to 999", status))
		}
	}
	statuses = slices.Clone(statuses)
	if len(statuses) == 0 {
		statuses = []int{http.StatusOK}
	}
	var requests atomic.Int64
	return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		status := statuses[min(requests.Add(1), int64(len(statuses)))-1]
		switch status {
		case http.StatusTooManyRequests, http.StatusServiceUnavailable:
			if retryAfter != "" {
				w.Header().Set("Retry-After", retryAfter)
			}
		case http.StatusNoContent, http.StatusNotModified: // these have no body
			w.WriteHeader(status)
			return
		}
		w.Header().Set("Content-Type", "text/plain; charset=utf-8")
		w.WriteHeader(status)
		_, _ = io.WriteString(w, http.StatusText(status)) // a client that left does not matter
	})
}
