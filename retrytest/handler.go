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

// Handler returns an HTTP handler that answers with the statuses in turn, and then always with the last
// one. It counts the requests of all clients. Without statuses it answers 200. The body is the text of
// the status. A status below 200 or above 999 panics.
func Handler(statuses ...int) http.Handler { return newHandler("", statuses) }

// HandlerRetryAfter is like [Handler], but its answers 429 and 503 have a Retry-After header. The header
// has d in seconds, rounded up. A negative d panics.
func HandlerRetryAfter(d time.Duration, statuses ...int) http.Handler {
	if d < 0 {
		panic(fmt.Sprintf("retrytest: HandlerRetryAfter: %v is negative", d))
	}
	seconds := int64(d / time.Second)
	if d%time.Second > 0 {
		seconds++
	}
	return newHandler(strconv.FormatInt(seconds, 10), statuses)
}

// newHandler returns a Handler. If retryAfter is not empty, 429 and 503 have it as their header.
func newHandler(retryAfter string, statuses []int) http.Handler {
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
		_, _ = io.WriteString(w, http.StatusText(status)) // the client may have gone
	})
}
