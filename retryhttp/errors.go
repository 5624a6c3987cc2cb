package retryhttp

import (
	"context"
	"errors"
	"net"
	"net/http"
	"net/http/httptrace"
	"net/url"
	"strings"
	"sync/atomic"

	"github.com/seed-205ff063/retry"
	"github.com/seed-205ff063/retry/internal/peererr"
)

// Transient is a classifier for code that calls an http.Client itself: it matches the
// errors and the *StatusErrors that another attempt may change. It does not know whether
// the request may be sent twice.
func Transient(a retry.Attempt) bool {
	var status *StatusError
	if errors.As(a.Err, &status) {
		return retryableStatus(status.StatusCode)
	}
	return passes(a.Err)
}

// passes reports whether another attempt may end without err: every failure of a transport
// may, but for those that are about the request or the server's identity.
func passes(err error) bool {
	return err != nil &&
		!errors.Is(err, context.Canceled) &&
		!errors.Is(err, http.ErrSchemeMismatch) &&
		!errors.Is(err, http.ErrNotSupported) &&
		!peererr.Lasting(err) &&
		!aboutRequest(err)
}

// aboutRequest knows the texts of net/http for requests that cannot be sent: it has no
// types for them.
func aboutRequest(err error) bool {
	var with *url.Error
	for errors.As(err, &with) { // its text has the URL, in which anything may stand
		err = with.Err
	}
	if err == nil {
		return false
	}
	text := err.Error()
	for _, known := range []string{
		"unsupported protocol scheme",
		"http: no Host in request URL",
		"http: nil Request",
		"net/http: invalid header",
		"net/http: invalid trailer",
		"net/http: invalid method",
		"http: invalid Host header",
		"invalid control character in URL",
		"net/http: can't write control character in Request.URL",
		"http: ContentLength=", // … with Body length …
		"http: Request.ContentLength=",
		"stopped after 10 redirects",
		"failed to parse Location header",
	} {
		if strings.Contains(text, known) {
			return true
		}
	}
	return false
}

// unconnected reports whether err is one of having no connection.
func unconnected(err error) bool {
	var op *net.OpError
	var dns *net.DNSError
	return errors.As(err, &op) && op.Op == "dial" || errors.As(err, &dns)
}

// refusedStream reports whether err is HTTP/2's for a request that was not processed.
func refusedStream(err error) bool {
	var reset streamError
	return errors.As(err, &reset) && reset.Code == 7
}

// streamError is what net/http's error for a reset HTTP/2 stream, which has no exported
// type, lets errors.As fill in: a struct with these fields.
type streamError struct {
	StreamID uint32
	Code     uint32
	Cause    error
}

func (e streamError) Error() string { return "stream error" }

// connTrace knows whether an attempt got a connection. That it asked for one shows that the
// transport tells.
type connTrace struct{ asked, got atomic.Bool }

func (t *connTrace) client() *httptrace.ClientTrace {
	return &httptrace.ClientTrace{
		GetConn: func(string) { t.asked.Store(true) },
		GotConn: func(httptrace.GotConnInfo) { t.got.Store(true) },
	}
}

// unprocessed reports whether err proves that the server did not process the request.
func (t *connTrace) unprocessed(err error) bool {
	if t.got.Load() {
		return refusedStream(err)
	}
	return t.asked.Load() || unconnected(err) || refusedStream(err)
}

// errNoResponse is for a Base that breaks its contract.
var errNoResponse = retry.Permanent(errors.New("retryhttp: Base returned neither a response nor an error"))

// errLocation stands for http.Client's error for a redirect that leads nowhere, which prints
// the whole address.
var errLocation = errors.New("failed to parse Location header")

// redacted leaves no more than scheme and host of the addresses that http.Client's errors
// print.
func redacted(err error) error {
	e, ok := err.(*url.Error)
	if !ok {
		return err
	}
	clean := &url.Error{Op: e.Op, Err: redacted(e.Err)}
	if u, parseErr := url.Parse(e.URL); parseErr == nil {
		clean.URL = (&url.URL{Scheme: u.Scheme, Host: u.Host}).String()
	}
	if strings.HasPrefix(e.Err.Error(), errLocation.Error()) {
		clean.Err = errLocation
	}
	return clean
}
