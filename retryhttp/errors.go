package retryhttp

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"net"
	"net/http"
	"net/http/httptrace"
	"net/url"
	"strings"
	"sync/atomic"

	"github.com/seed-205ff063/retry"
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
	var (
		verification *tls.CertificateVerificationError
		authority    x509.UnknownAuthorityError
		hostname     x509.HostnameError
		invalid      x509.CertificateInvalidError
		record       tls.RecordHeaderError
		op           *net.OpError
		dns          *net.DNSError
	)
	switch {
	case err == nil,
		errors.Is(err, context.Canceled),
		errors.Is(err, http.ErrSchemeMismatch),
		errors.Is(err, http.ErrNotSupported),
		errors.As(err, &verification), errors.As(err, &authority), errors.As(err, &hostname), errors.As(err, &invalid),
		errors.As(err, &record),
		errors.As(err, &op) && op.Op == "remote error", // a TLS alert
		errors.As(err, &dns) && dns.IsNotFound:
		return false
	}
	return !aboutRequest(err.Error())
}

// aboutRequest knows the texts of net/http for requests that cannot be sent: it has no
// types for them.
func aboutRequest(text string) bool {
	for _, known := range []string{
		"unsupported protocol scheme",
		"http: no Host in request URL",
		"http: nil Request",
		"net/http: invalid header",
		"net/http: invalid trailer",
		"net/http: invalid method",
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

// unprocessed reports whether err itself proves that the server did not process the request.
func unprocessed(err error) bool {
	var op *net.OpError
	if errors.As(err, &op) && op.Op == "dial" {
		return true
	}
	var dns *net.DNSError
	var reset streamError
	const refusedStream = 7
	return errors.As(err, &dns) || errors.As(err, &reset) && reset.Code == refusedStream
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

// unsent reports whether there was no connection to send the request on.
func (t *connTrace) unsent() bool { return t.asked.Load() && !t.got.Load() }

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
	clean := &url.Error{Op: e.Op, Err: e.Err}
	if u, parseErr := url.Parse(e.URL); parseErr == nil {
		clean.URL = (&url.URL{Scheme: u.Scheme, Host: u.Host}).String()
	}
	if strings.HasPrefix(e.Err.Error(), errLocation.Error()) {
		clean.Err = errLocation
	}
	return clean
}
