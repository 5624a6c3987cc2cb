package retryhttp

import (
	"net/http"
	"strings"
	"time"
)

// RetryAfter returns how long the response's Retry-After asks to wait, and whether it is valid.
// It is a number of seconds, such as "30" or "1.5", or a date in any of HTTP's three forms.
// Blanks around it do not matter.
//
// A date counts from the response's own Date, so the two clocks may differ. If the response has
// no Date, it counts from now. A date that has passed is 0. A number too large for a Duration
// returns the longest Duration.
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
