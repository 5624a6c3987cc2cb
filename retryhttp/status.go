package retryhttp

import (
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/seed-205ff063/retry"
	"github.com/seed-205ff063/retry/internal/text"
)

// StatusError is the error of an attempt whose status is worth another attempt. Classifiers,
// hooks and histories see it, and [Check] returns it. It carries the server's hint.
//
// Its text is the method, the host and the status, such as
// "GET example.com: 503 Service Unavailable". The text has no path, query or header.
type StatusError struct {
	// StatusCode is the response's status, such as 503.
	StatusCode int
	// Status is the response's status line, such as "503 Service Unavailable". It is one line of
	// at most 256 bytes without control characters.
	Status string

	method, host string
	hint         time.Duration
	hinted       bool
	fromResponse bool         // not made by hand: retryable is valid
	retryable    bool         // what the response says about another attempt
	giveUp       *retry.Error // why an inner Transport returned the response
	resp         *response    // what the call may still discard
}

// How many bytes of a server's or caller's text an error's text repeats at most.
const (
	maxStatus = 256
	maxHost   = 256
	maxMethod = 32
)

// newStatusError returns the error for a response. It names the request that was answered. After
// a redirect that is not the one that was sent first.
func newStatusError(resp *http.Response, sent *http.Request) *StatusError {
	e := &StatusError{
		StatusCode: resp.StatusCode, Status: text.Cut(strings.Clone(resp.Status), maxStatus),
		fromResponse: true, retryable: retryableResponse(resp), giveUp: giveUpError(resp),
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

// methodOf returns the request's method for a text.
func methodOf(req *http.Request) string {
	if req.Method == "" {
		return http.MethodGet
	}
	return strings.Clone(text.Cut(req.Method, maxMethod))
}

// hostOf returns the request's host for a text. It is a clone, which does not keep the whole
// address in memory.
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

// Error returns the method, the host and the status. It leaves out what is not known.
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

// Unwrap returns the *retry.Error of an inner [Transport] that gave up and returned the
// response. It returns nil if there is none. retry.AlreadyRetried looks for this error.
func (e *StatusError) Unwrap() error {
	if e == nil || e.giveUp == nil {
		return nil
	}
	return e.giveUp
}

// RetryAfter returns how long the server asks to wait, and whether it asks at all.
func (e *StatusError) RetryAfter() (time.Duration, bool) {
	if e == nil {
		return 0, false
	}
	return e.hint, e.hinted
}

// Timeout reports whether the status is a timeout: 408 or 504.
func (e *StatusError) Timeout() bool {
	return e != nil && (e.StatusCode == http.StatusRequestTimeout || e.StatusCode == http.StatusGatewayTimeout)
}

// isTransient reports whether another attempt may change the status.
func (e *StatusError) isTransient() bool {
	switch {
	case e == nil:
		return false
	case e.method == http.MethodConnect:
		return transientConnectStatus(e.StatusCode)
	case e.fromResponse:
		return e.retryable
	}
	return retryableStatus(e.StatusCode)
}

// statusOverloaded is the status of some services that are overloaded. It has no name in
// net/http.
const statusOverloaded = 529

// retryableStatus reports whether another attempt may change the status.
func retryableStatus(code int) bool {
	switch code {
	case http.StatusRequestTimeout, http.StatusInternalServerError, http.StatusBadGateway,
		http.StatusServiceUnavailable, http.StatusGatewayTimeout, statusOverloaded:
		return true
	}
	return unprocessedStatus(code)
}

// unprocessedStatus reports whether the status means that the request was not processed.
func unprocessedStatus(code int) bool {
	switch code {
	case http.StatusMisdirectedRequest, http.StatusTooEarly, http.StatusTooManyRequests:
		return true
	}
	return false
}

// retryableResponse reports whether another attempt may end better than resp. What the server
// says in a header overrides the table of statuses.
func retryableResponse(resp *http.Response) bool {
	if retry, said := shouldRetry(resp); said {
		return retry && resp.StatusCode >= 400
	}
	return retryableStatus(resp.StatusCode) || rateLimited(resp)
}

// unprocessedResponse reports whether resp means that the request was not processed.
func unprocessedResponse(resp *http.Response) bool {
	return unprocessedStatus(resp.StatusCode) || rateLimited(resp)
}

// rateLimited reports whether resp is a 403 because a rate limit is used up.
func rateLimited(resp *http.Response) bool {
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

// shouldRetry returns whether the server asks for another attempt, and whether it says anything
// about that. If two headers differ, false counts.
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
