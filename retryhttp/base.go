package retryhttp

import "net/http"

// mayWriteRequest reports whether base may write into a request that it is given. Many
// transports do, although they must not. net/http's own does not.
func mayWriteRequest(base http.RoundTripper) bool {
	switch base.(type) {
	case *http.Transport, *Transport:
		return false
	}
	return true
}

// roundTrip sends req through base. If base returns a response beside an error, roundTrip
// closes it: nobody else would.
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

// copyingBase sends a copy of each request, so that base cannot write into the original.
type copyingBase struct{ base http.RoundTripper }

func (b copyingBase) RoundTrip(req *http.Request) (*http.Response, error) {
	sent := *req
	sent.Header, sent.Trailer = req.Header.Clone(), req.Trailer.Clone()
	if req.URL != nil {
		u := *req.URL
		sent.URL = &u
	}
	return roundTrip(b.base, &sent)
}

// protectRequests returns base, or a copyingBase around it if it may write into requests.
func protectRequests(base http.RoundTripper) http.RoundTripper {
	if base == nil || !mayWriteRequest(base) {
		return base
	}
	return copyingBase{base}
}
