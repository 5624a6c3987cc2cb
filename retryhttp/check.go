package retryhttp

import (
	"net/http"
	"time"
)

// Check returns nil for a response with a status from 100 to 399, and otherwise a *[StatusError]
// with the status, the server's [Hint], and the method and host of the request that was
// answered. It neither reads nor closes the body.
//
// In [Do]'s decode, Check lets through what can be decoded: a status that another attempt may
// change was retried before, and any other ends the call. In code that calls an http.Client
// itself, it makes the error that [Transient] knows. As the OnProxyConnectResponse of an
// http.Transport it turns a proxy's refusal of CONNECT, which net/http reports as bare text,
// into a *StatusError with the proxy's hint.
func Check(resp *http.Response) error {
	if resp.StatusCode >= 100 && resp.StatusCode < 400 {
		return nil
	}
	e := newStatusError(resp, resp.Request)
	e.hint, e.hinted = Hint(resp, time.Now())
	return e
}
