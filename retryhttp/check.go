package retryhttp

import (
	"net/http"
	"time"
)

// Check returns nil for a response with a status from 100 to 399, and otherwise a
// *[StatusError]. The error has the status, the server's [Hint], and the method and host of the
// request that was answered. Check neither reads nor closes the body.
//
// Check has three uses:
//
//   - In [Do]'s decode it accepts the responses that can be decoded. Do has already retried a
//     status that another attempt may change; any other error status ends the call.
//   - In code that calls an http.Client itself it makes the error that [Transient] classifies.
//   - As the OnProxyConnectResponse of an http.Transport it turns a proxy's refusal of CONNECT
//     into a *StatusError with the proxy's hint. net/http reports a refusal as text alone.
func Check(resp *http.Response) error {
	if resp.StatusCode >= 100 && resp.StatusCode < 400 {
		return nil
	}
	e := newStatusError(resp, resp.Request)
	e.hint, e.hinted = Hint(resp, time.Now())
	return e
}
