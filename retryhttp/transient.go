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

// Transient is a classifier for code that calls an http.Client itself. It matches the errors
// that another attempt may change, including a *[StatusError] that [Check] returns. It does not
// know whether the request may be sent twice.
func Transient(a retry.Attempt) bool {
	if status, ok := errtree.As[*StatusError](a.Err); ok {
		return status.isTransient()
	}
	return isTransient(a.Err)
}

// isTransient reports whether another attempt may end without err. That holds for every failure
// of a transport, except for a bad request, a refusal and the server's identity.
func isTransient(err error) bool {
	return err != nil &&
		!errtree.Is(err, context.Canceled) &&
		!errtree.Is(err, http.ErrSchemeMismatch) &&
		!errtree.Is(err, http.ErrNotSupported) &&
		!peererr.Lasting(err) &&
		!refusedToken(err) &&
		!refusedBySOCKS(err) &&
		!badRequest(err)
}

// badRequest reports whether err is net/http's error for a request that cannot be sent. These
// errors have no types, so badRequest compares their texts.
func badRequest(err error) bool {
	for {
		with, ok := errtree.As[*url.Error](err) // its text has the URL, which may contain any text
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

// isTimeout reports whether err, or an error that it wraps, is a timeout.
func isTimeout(err error) bool {
	timeout := false
	errtree.Walk(err, func(node error) bool {
		if t, ok := node.(interface{ Timeout() bool }); ok {
			timeout = t.Timeout()
		}
		return !timeout
	})
	return timeout
}

// unconnected reports whether err means that there was no connection.
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

// refusedStream reports whether err is HTTP/2's REFUSED_STREAM: the server did not process the
// request.
func refusedStream(err error) bool {
	reset, ok := errtree.As[streamError](err)
	return ok && reset.Code == 7
}

// streamError has the fields of net/http's error for a reset HTTP/2 stream. The type of that
// error is not exported, but errors.As copies it into any struct with these fields.
type streamError struct {
	StreamID uint32
	Code     uint32
	Cause    error
}

func (e streamError) Error() string { return "stream error" }
