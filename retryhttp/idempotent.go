package retryhttp

import (
	"crypto/rand"
	"net/http"
)

// isIdempotent reports whether req may be processed twice.
func (t *Transport) isIdempotent(req *http.Request) bool {
	if t.IsIdempotent != nil {
		return t.IsIdempotent(req)
	}
	switch req.Method {
	case "", http.MethodGet, http.MethodHead, http.MethodOptions, http.MethodTrace,
		http.MethodPut, http.MethodDelete: // RFC 9110, section 9.2.2
		return true
	}
	return hasKey(req)
}

// hasKey reports whether req has an idempotency key. An empty list of values counts, as it does
// for net/http: it marks the request as idempotent and is not sent.
func hasKey(req *http.Request) bool {
	_, key := req.Header["Idempotency-Key"]
	_, xKey := req.Header["X-Idempotency-Key"]
	return key || xKey
}

// lacksKey reports whether AddIdempotencyKey adds a key to req.
func lacksKey(req *http.Request) bool {
	return (req.Method == http.MethodPost || req.Method == http.MethodPatch) && !hasKey(req)
}

// newKey returns 128 random bits as text.
func newKey() string { return rand.Text() }
