package retryhttp

import (
	"errors"
	"net/url"
	"strconv"
	"strings"

	"github.com/seed-205ff063/retry"
	"github.com/seed-205ff063/retry/internal/errtree"
	"github.com/seed-205ff063/retry/internal/text"
)

// errLocation replaces http.Client's error for a redirect to a bad address, which prints the
// whole address.
var errLocation = errors.New("failed to parse Location header")

// redactedError replaces the text of an error that is too long, or has control characters or
// the path of an address.
type redactedError struct {
	err  error
	text string
}

func (e *redactedError) Error() string { return e.text }
func (e *redactedError) Unwrap() error { return e.err }

// redact returns err with a text that is safe to show: one line of bounded length that has no
// more than scheme and host of an address.
func redact(err error) error {
	if e, ok := err.(*url.Error); ok && e != nil {
		clean := &url.Error{Op: e.Op, URL: redactURL(e.URL), Err: redact(e.Err)}
		if e.Err != nil && strings.HasPrefix(retry.ErrorText(e.Err), errLocation.Error()) {
			clean.Err = errLocation
		}
		return clean
	}
	if err == nil || errtree.IsNil(err) {
		return err
	}
	whole := errtree.Safe(err.Error)
	shown := redactURLs(err, whole)
	if safe := text.Line(shown); safe != strings.ReplaceAll(whole, "\n", "; ") {
		return &redactedError{err, safe}
	}
	return err
}

// redactURLs removes from shown, the text of err, the paths of the addresses that url.Errors
// within err print.
func redactURLs(err error, shown string) string {
	errtree.Walk(err, func(node error) bool {
		if e, ok := node.(*url.Error); ok && e.URL != "" {
			clean := redactURL(e.URL)
			shown = strings.ReplaceAll(shown, strconv.Quote(e.URL), strconv.Quote(clean))
			shown = strings.ReplaceAll(shown, e.URL, clean)
		}
		return true
	})
	return shown
}

// redactURL returns the scheme and host of an address.
func redactURL(address string) string {
	u, err := url.Parse(address)
	if err != nil {
		return ""
	}
	return text.Cut((&url.URL{Scheme: u.Scheme, Host: u.Host}).String(), maxHost)
}
