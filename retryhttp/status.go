package retryhttp

import (
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/seed-205ff063/retry"
	"github.com/seed-205ff063/retry/internal/text"
)

// StatusError is the error of an attempt whose response has a status that is worth another
// attempt, and what [Check] returns. Classifiers, hooks and histories see it. It carries the
// server's hint how long to wait.
//
// Its text is the method, the host and the status, such as
// "GET example.com: 503 Service Unavailable". Neither path, query nor headers appear.
type StatusError struct {
	// StatusCode is the response's, such as 503.
	StatusCode int
	// Status is the response's, such as "503 Service Unavailable", as one line of at most 256
	// bytes without control characters.
	Status string

	method, host string
	hint         time.Duration
	hinted       bool
	known        bool         // the response was seen, and retryable is what it says
	retryable    bool         //
	gaveUp       *retry.Error // why an inner Transport returned the response
	resp         *response    // of a call that may still discard it
}

// What a server's text may take in an error's.
const (
	maxStatus = 256
	maxHost   = 256
	maxMethod = 32
)

// newStatusError returns the error for a response. It names the request that was answered,
// which after a redirect is not the one that was sent first.
func newStatusError(resp *http.Response, sent *http.Request) *StatusError {
	e := &StatusError{
		StatusCode: resp.StatusCode, Status: text.Cut(strings.Clone(resp.Status), maxStatus),
		known: true, retryable: retryableResponse(resp), gaveUp: gaveUpOn(resp),
	}
	if e.Status == "" {
		e.Status = statusLine(resp.StatusCode)
	}
	if resp.Request != nil && resp.Request.URL != nil {
		sent = resp.Request
	}
	if sent != nil {
		e.method, e.host = methodOf(sent), hostOf(sent)
	}
	return e
}

// methodOf is the request's method as texts show it.
func methodOf(req *http.Request) string {
	if req.Method == "" {
		return http.MethodGet
	}
	return strings.Clone(text.Cut(req.Method, maxMethod))
}

// hostOf is the request's host as texts show it. The clone does not keep the whole address
// alive.
func hostOf(req *http.Request) string {
	host := req.Host
	if req.URL != nil && req.URL.Host != "" {
		host = req.URL.Host
	}
	return strings.Clone(text.Cut(host, maxHost))
}

func statusLine(code int) string {
	return strings.TrimSpace(fmt.Sprintf("%d %s", code, http.StatusText(code)))
}

// Error returns the method, the host and the status, as far as they are known.
func (e *StatusError) Error() string {
	if e == nil {
		return "<nil>"
	}
	status := text.Cut(e.Status, maxStatus)
	if status == "" {
		status = statusLine(e.StatusCode)
	}
	if e.method == "" && e.host == "" {
		return status
	}
	return strings.TrimSpace(e.method+" "+e.host) + ": " + status
}

// Unwrap returns the *retry.Error of an inner [Transport] that retried and then returned the
// response, or nil. It is what retry.AlreadyRetried looks for.
func (e *StatusError) Unwrap() error {
	if e == nil || e.gaveUp == nil {
		return nil
	}
	return e.gaveUp
}

// RetryAfter returns how long the server asked to wait, and whether it did.
func (e *StatusError) RetryAfter() (time.Duration, bool) {
	if e == nil {
		return 0, false
	}
	return e.hint, e.hinted
}

// Timeout reports whether the status says that time ran out: 408 or 504.
func (e *StatusError) Timeout() bool {
	return e != nil && (e.StatusCode == http.StatusRequestTimeout || e.StatusCode == http.StatusGatewayTimeout)
}

// passes reports whether another attempt may change the status.
func (e *StatusError) passes() bool {
	switch {
	case e == nil:
		return false
	case e.method == http.MethodConnect:
		return proxyPasses(e.StatusCode)
	case e.known:
		return e.retryable
	}
	return retryableStatus(e.StatusCode)
}

// statusOverloaded is what some services answer when they are overloaded. It has no name in
// net/http.
const statusOverloaded = 529

// retryableStatus are the statuses that another attempt may change, if it is safe.
func retryableStatus(code int) bool {
	switch code {
	case http.StatusRequestTimeout, http.StatusInternalServerError, http.StatusBadGateway,
		http.StatusServiceUnavailable, http.StatusGatewayTimeout, statusOverloaded:
		return true
	}
	return refusedStatus(code)
}

// refusedStatus are the statuses of requests that were not processed.
func refusedStatus(code int) bool {
	switch code {
	case http.StatusMisdirectedRequest, http.StatusTooEarly, http.StatusTooManyRequests:
		return true
	}
	return false
}

// retryableResponse reports whether another attempt may end better than resp. The server's
// own word comes before the table.
func retryableResponse(resp *http.Response) bool {
	if retry, said := shouldRetry(resp); said {
		return retry && resp.StatusCode >= 400
	}
	return retryableStatus(resp.StatusCode) || exhausted(resp)
}

// refusedResponse reports whether resp says that the request was not processed.
func refusedResponse(resp *http.Response) bool {
	return refusedStatus(resp.StatusCode) || exhausted(resp)
}

// exhausted reports whether resp is a 403 for a rate limit that is used up.
func exhausted(resp *http.Response) bool {
	if resp.StatusCode != http.StatusForbidden {
		return false
	}
	for _, l := range rateLimits(resp.Header) {
		if l.usedUp(resp.StatusCode) {
			return true
		}
	}
	if _, ok := parseNumber(resp.Header.Get("Retry-After-Ms"), time.Millisecond); ok {
		return true
	}
	_, ok := RetryAfter(resp, time.Now())
	return ok
}

// shouldRetry returns what the server says about another attempt, and whether it does. Where
// two headers differ, false counts.
func shouldRetry(resp *http.Response) (retry, said bool) {
	for _, name := range []string{"X-Should-Retry", "Stripe-Should-Retry"} {
		switch strings.ToLower(strings.TrimSpace(resp.Header.Get(name))) {
		case "false":
			return false, true
		case "true":
			retry, said = true, true
		}
	}
	return retry, said
}
