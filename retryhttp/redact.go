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

// errLocation stands for http.Client's error for a redirect that leads nowhere, which prints
// the whole address.
var errLocation = errors.New("failed to parse Location header")

// cleaned is an error whose text is not fit to be shown: it is too long, has control characters
// or has the path of an address.
type cleaned struct {
	err  error
	text string
}

func (e *cleaned) Error() string { return e.text }
func (e *cleaned) Unwrap() error { return e.err }

// redacted returns err with a text that can be shown: no more than scheme and host of an
// address, one line, bounded.
func redacted(err error) error {
	if e, ok := err.(*url.Error); ok && e != nil {
		clean := &url.Error{Op: e.Op, URL: redactedURL(e.URL), Err: redacted(e.Err)}
		if e.Err != nil && strings.HasPrefix(retry.ErrorText(e.Err), errLocation.Error()) {
			clean.Err = errLocation
		}
		return clean
	}
	if err == nil || errtree.IsNil(err) {
		return err
	}
	whole := errtree.Safe(err.Error)
	shown := withoutAddresses(err, whole)
	if safe := text.Line(shown); safe != strings.ReplaceAll(whole, "\n", "; ") {
		return &cleaned{err, safe}
	}
	return err
}

// withoutAddresses takes the paths out of the addresses that url.Errors in the tree of err
// print.
func withoutAddresses(err error, shown string) string {
	errtree.Walk(err, func(node error) bool {
		if e, ok := node.(*url.Error); ok && e.URL != "" {
			clean := redactedURL(e.URL)
			shown = strings.ReplaceAll(shown, strconv.Quote(e.URL), strconv.Quote(clean))
			shown = strings.ReplaceAll(shown, e.URL, clean)
		}
		return true
	})
	return shown
}

// redactedURL is scheme and host of an address.
func redactedURL(address string) string {
	u, err := url.Parse(address)
	if err != nil {
		return ""
	}
	return text.Cut((&url.URL{Scheme: u.Scheme, Host: u.Host}).String(), maxHost)
}
