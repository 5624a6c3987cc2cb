package retryhttp

import (
	"net/http"
	"strings"
	"time"
)

// RetryAfter returns how long the response's Retry-After asks to wait, and whether it has a
// valid one: seconds as digits, with or without a fraction ("30", "1.5"), or a date in any of
// HTTP's three forms. Blanks around it do not matter.
//
// A date counts from the response's own Date, so that clocks that differ do not matter, or from
// now if it has none. A date that has passed is 0. A number too large for a Duration is the
// longest one.
func RetryAfter(resp *http.Response, now time.Time) (time.Duration, bool) {
	text := strings.Trim(resp.Header.Get("Retry-After"), " \t")
	if d, ok := parseNumber(text, time.Second); ok {
		return d, true
	}
	until, err := http.ParseTime(text)
	if err != nil {
		return 0, false
	}
	return max(until.Sub(serverTime(resp, now)), 0), true
}
