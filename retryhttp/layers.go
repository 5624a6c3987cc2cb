package retryhttp

import (
	"net/http"
	"runtime"
	"sync"
	"weak"

	"github.com/seed-205ff063/retry"
)

// gaveUp remembers the responses that a Transport returned because it gave up. An outer
// Transport, Do and Check find out by it that a response was retried already. The key is the
// response itself: wrappers such as otelhttp, oauth2 and loggers pass it on, and nothing that a
// server sends can say the same. An entry goes with its response.
var gaveUp sync.Map // of weak.Pointer[http.Response] to *retry.Error

// giveUp marks resp as what a Transport returned instead of the error e.
func giveUp(resp *http.Response, e *retry.Error) {
	key := weak.Make(resp)
	if _, known := gaveUp.Swap(key, e); !known {
		runtime.AddCleanup(resp, func(key weak.Pointer[http.Response]) { gaveUp.Delete(key) }, key)
	}
}

// gaveUpOn returns why a Transport returned resp, nil if none gave up on it.
func gaveUpOn(resp *http.Response) *retry.Error {
	known, _ := gaveUp.Load(weak.Make(resp))
	e, _ := known.(*retry.Error)
	return e
}
