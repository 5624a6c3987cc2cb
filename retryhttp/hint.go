package retryhttp

import (
	"math"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// maxDelta is the longest reset that is read as a number of seconds. A larger one is a Unix
// time.
const maxDelta = 365 * 24 * time.Hour

// Hint returns how long the server asks to wait before the next request, and whether it asks
// at all. The first valid one of these counts:
//
//  1. Retry-After-Ms, in milliseconds
//  2. Retry-After, see [RetryAfter]
//  3. the reset of a rate limit, see [RateLimitReset]
//
// Dates and Unix times count from the response's own Date. If it has none, they count from now.
func Hint(resp *http.Response, now time.Time) (time.Duration, bool) {
	if d, ok := parseNumber(resp.Header.Get("Retry-After-Ms"), time.Millisecond); ok {
		return d, true
	}
	if d, ok := RetryAfter(resp, now); ok {
		return d, true
	}
	return RateLimitReset(resp, now)
}

// RateLimitReset returns how long it takes until a used up rate limit is reset, and whether the
// response says so. It reads X-RateLimit-Reset, RateLimit-Reset and RateLimit (r=0;t=30).
//
// A limit is used up if the remaining number beside the reset is 0, or is missing from a 429.
// If several limits are used up, the longest reset counts.
//
// A reset is a number of seconds. If it is above a year, it is a Unix time, which counts from
// the response's own Date, or from now if it has none. A time that has passed is 0.
func RateLimitReset(resp *http.Response, now time.Time) (time.Duration, bool) {
	now = serverTime(resp, now)
	longest, found := time.Duration(0), false
	for _, l := range rateLimits(resp.Header) {
		if !l.usedUp(resp.StatusCode) {
			continue
		}
		if d, ok := parseReset(l.reset, now); ok {
			longest, found = max(longest, d), true
		}
	}
	return longest, found
}

// rateLimit is one limit as it appears in a response.
type rateLimit struct{ remaining, reset string }

// usedUp reports whether nothing remains. If the response does not say, a 429 means so.
func (l rateLimit) usedUp(status int) bool {
	if l.remaining == "" {
		return status == http.StatusTooManyRequests
	}
	return isZero(l.remaining)
}

// isZero reports whether text is a number that is 0.
func isZero(text string) bool {
	n, ok := parseNumber(text, time.Second)
	return ok && n == 0
}

// rateLimits returns the limits in a header, in any of the forms in use.
func rateLimits(h http.Header) []rateLimit {
	limits := []rateLimit{
		{h.Get("X-Ratelimit-Remaining"), h.Get("X-Ratelimit-Reset")},
		{h.Get("Ratelimit-Remaining"), h.Get("Ratelimit-Reset")},
	}
	for _, line := range h.Values("Ratelimit") {
		limits = append(limits, parseRateLimit(line)...)
	}
	return limits
}

// parseRateLimit reads a RateLimit header. It is a list of limits with parameters, such as
// `"hour";r=0;t=30`. In earlier drafts of the header it is one limit as a dictionary, such as
// `limit=10, remaining=0, reset=30`.
func parseRateLimit(line string) []rateLimit {
	var limits []rateLimit
	var whole rateLimit
	for _, item := range splitUnquoted(line, ',') {
		var l rateLimit
		for _, param := range splitUnquoted(item, ';') {
			name, value, _ := strings.Cut(strings.TrimSpace(param), "=")
			switch strings.TrimSpace(name) {
			case "r":
				l.remaining = value
			case "t":
				l.reset = value
			case "remaining":
				whole.remaining = value
			case "reset":
				whole.reset = value
			}
		}
		limits = append(limits, l)
	}
	return append(limits, whole)
}

// splitUnquoted splits text at each separator that is not within double quotes.
func splitUnquoted(text string, separator rune) []string {
	quoted, escaped := false, false
	return strings.FieldsFunc(text, func(c rune) bool {
		switch {
		case escaped:
			escaped = false
		case c == '\\':
			escaped = quoted
		case c == '"':
			quoted = !quoted
		}
		return c == separator && !quoted
	})
}

// parseReset reads the reset of a limit: a Unix time or a number of seconds.
func parseReset(text string, now time.Time) (time.Duration, bool) {
	d, ok := parseNumber(text, time.Second)
	if !ok || d <= maxDelta || d == math.MaxInt64 {
		return d, ok
	}
	return max(d-time.Duration(now.UnixNano()), 0), true
}

// serverTime returns the time of the server's clock: the response's Date, or now if it has none.
func serverTime(resp *http.Response, now time.Time) time.Time {
	if date, err := http.ParseTime(resp.Header.Get("Date")); err == nil {
		return date
	}
	return now
}

// parseNumber reads a number of units, such as "30" or "1.5". The number has no sign and no
// exponent. A number too large for a Duration returns the longest Duration.
func parseNumber(text string, unit time.Duration) (time.Duration, bool) {
	whole, fraction, dotted := strings.Cut(strings.Trim(text, " \t"), ".")
	if !isDigits(whole) || dotted && !isDigits(fraction) {
		return 0, false
	}
	n, err := strconv.ParseInt(whole, 10, 64)
	if err != nil || n > math.MaxInt64/int64(unit) {
		return math.MaxInt64, true
	}
	part, _ := strconv.ParseFloat("0."+fraction, 64)
	d, rest := time.Duration(n)*unit, time.Duration(math.Round(part*float64(unit)))
	return d + min(rest, math.MaxInt64-d), true
}

func isDigits(text string) bool {
	for _, c := range text {
		if c < '0' || c > '9' {
			return false
		}
	}
	return text != ""
}
