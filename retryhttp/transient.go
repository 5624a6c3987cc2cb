package retryhttp

import (
	"context"
	"net"
	"net/http"
	"net/url"
	"strings"

	"github.com/seed-205ff063/retry"
	"github.com/seed-205ff063/retry/internal/errtree"
	"github.com/seed-205ff063/retry/internal/peererr"
)

// Transient is a classifier for code that calls an http.Client itself: it matches the
// errors and the *StatusErrors, such as [Check] returns, that another attempt may change. It
// does not know whether the request may be sent twice.
func Transient(a retry.Attempt) bool {
	if status, ok := errtree.As[*StatusError](a.Err); ok {
		return status.passes()
	}
	return passes(a.Err)
}

// passes reports whether another attempt may end without err: every failure of a transport
// may, but for those that are about the request, a refusal or the server's identity.
func passes(err error) bool {
	return err != nil &&
		!errtree.Is(err, context.Canceled) &&
		!errtree.Is(err, http.ErrSchemeMismatch) &&
		!errtree.Is(err, http.ErrNotSupported) &&
		!peererr.Lasting(err) &&
		!refusedToken(err) &&
		!refusedBySOCKS(err) &&
		!aboutRequest(err)
}

// aboutRequest knows the texts of net/http for requests that cannot be sent: it has no
// types for them.
func aboutRequest(err error) bool {
	for {
		with, ok := errtree.As[*url.Error](err) // its text has the URL, in which anything may stand
		if !ok || with == nil {
			break
		}
		err = with.Err
	}
	if err == nil {
		return false
	}
	text := retry.ErrorText(err)
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

// timedOut reports whether err is one of time that ran out.
func timedOut(err error) bool {
	timeout := false
	errtree.Walk(err, func(node error) bool {
		if t, ok := node.(interface{ Timeout() bool }); ok {
			timeout = t.Timeout()
		}
		return !timeout
	})
	return timeout
}

// unconnected reports whether err is one of having no connection.
func unconnected(err error) bool {
	found := false
	errtree.Walk(err, func(node error) bool {
		switch e := node.(type) {
		case *net.OpError:
			found = e.Op == "dial" || e.Op == "proxyconnect" || strings.HasPrefix(e.Op, "socks")
		case *net.DNSError:
			found = e != nil
		}
		return !found
	})
	return found
}

// refusedStream reports whether err is HTTP/2's for a request that was not processed.
func refusedStream(err error) bool {
	reset, ok := errtree.As[streamError](err)
	return ok && reset.Code == 7
}

// streamError is what net/http's error for a reset HTTP/2 stream, which has no exported
// type, lets errors.As fill in: a struct with these fields.
type streamError struct {
	StreamID uint32
	Code     uint32
	Cause    error
}

func (e streamError) Error() string { return "stream error" }
