package retryhttp

import "net/http"

// writesRequest reports whether base may write into a request that it is given, as many
// transports do although they must not. net/http's own does not.
func writesRequest(base http.RoundTripper) bool {
	switch base.(type) {
	case *http.Transport, *Transport:
		return false
	}
	return true
}

// roundTrip asks base. A response that comes with an error is closed: nobody else would.
func roundTrip(base http.RoundTripper, req *http.Request) (*http.Response, error) {
	resp, err := base.RoundTrip(req)
	if err != nil && resp != nil {
		closeResponse(resp)
		resp = nil
	}
	return resp, err
}

func closeResponse(resp *http.Response) {
	if resp.Body != nil {
		_ = resp.Body.Close()
	}
}

// guarded is a base beneath an http.Client that keeps what it does from the caller's request.
type guarded struct{ base http.RoundTripper }

func (g guarded) RoundTrip(req *http.Request) (*http.Response, error) {
	sent := *req
	sent.Header, sent.Trailer = req.Header.Clone(), req.Trailer.Clone()
	if req.URL != nil {
		u := *req.URL
		sent.URL = &u
	}
	return roundTrip(g.base, &sent)
}

// guard returns base, guarded if it may need it.
func guard(base http.RoundTripper) http.RoundTripper {
	if base == nil || !writesRequest(base) {
		return base
	}
	return guarded{base}
}
