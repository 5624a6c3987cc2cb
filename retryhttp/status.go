package retryhttp

import (
	"fmt"
	"net/http"
	"time"
)

// StatusError is the error of an attempt whose response has a status that is worth another
// attempt: what classifiers, hooks and histories see. It carries the response's Retry-After.
//
// Its text is the method, the host and the status; neither path, query nor headers appear.
type StatusError struct {
	// StatusCode is the response's, such as 503.
	StatusCode int
	// Status is the response's, such as "503 Service Unavailable".
	Status string

	method, host string
	hint         time.Duration
	hinted       bool
	resp         *response
}

func newStatusError(req *http.Request, resp *http.Response, r *response) *StatusError {
	e := &StatusError{StatusCode: resp.StatusCode, Status: resp.Status, method: req.Method, resp: r}
	if e.method == "" {
		e.method = http.MethodGet
	}
	if req.URL != nil {
		e.host = req.URL.Host
	}
	if e.Status == "" {
		e.Status = fmt.Sprintf("%d %s", resp.StatusCode, http.StatusText(resp.StatusCode))
	}
	e.hint, e.hinted = RetryAfter(resp, time.Now())
	return e
}

// Error returns the method, the host and the status.
func (e *StatusError) Error() string { return e.method + " " + e.host + ": " + e.Status }

// RetryAfter returns how long the server asked to wait, and whether it did.
func (e *StatusError) RetryAfter() (time.Duration, bool) { return e.hint, e.hinted }

// Timeout reports whether the status says that time ran out: 408 or 504.
func (e *StatusError) Timeout() bool {
	return e.StatusCode == http.StatusRequestTimeout || e.StatusCode == http.StatusGatewayTimeout
}

// retryableStatus are the statuses that another attempt may change, if it is safe.
func retryableStatus(code int) bool {
	switch code {
	case http.StatusRequestTimeout, http.StatusInternalServerError, http.StatusBadGateway,
		http.StatusServiceUnavailable, http.StatusGatewayTimeout:
		return true
	}
	return refused(code)
}

// refused are the statuses of requests that were not processed.
func refused(code int) bool {
	switch code {
	case http.StatusMisdirectedRequest, http.StatusTooEarly, http.StatusTooManyRequests:
		return true
	}
	return false
}
