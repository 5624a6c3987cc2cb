package retryhttp

import (
	"math"
	"net/http"
	"strconv"
	"time"
)

// RetryAfter returns how long the response's Retry-After asks to wait, and whether it has a
// valid one: seconds as digits alone, or a date in any of HTTP's three forms. A date counts
// from the response's own Date, so that clocks which differ do not matter, and from now if
// it has none; one that is past is 0. Numbers too large for a Duration are the longest one.
func RetryAfter(resp *http.Response, now time.Time) (time.Duration, bool) {
	text := resp.Header.Get("Retry-After")
	if isDigits(text) {
		seconds, err := strconv.ParseInt(text, 10, 64)
		if err != nil || seconds > int64(math.MaxInt64/time.Second) {
			return math.MaxInt64, true
		}
		return time.Duration(seconds) * time.Second, true
	}
	until, err := http.ParseTime(text)
	if err != nil {
		return 0, false
	}
	if date, err := http.ParseTime(resp.Header.Get("Date")); err == nil {
		now = date
	}
	return max(until.Sub(now), 0), true
}

func isDigits(text string) bool {
	for _, c := range text {
		if c < '0' || c > '9' {
			return false
		}
	}
	return text != ""
}
