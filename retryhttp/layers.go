package retryhttp

import (
	"net/http"
	"runtime"
	"sync"
	"weak"

	"github.com/seed-205ff063/retry"
)

// giveUps holds the responses that a Transport returned because it gave up. It tells an outer
// Transport, Do and Check that a response was already retried.
//
// The key is the response itself: wrappers such as otelhttp, oauth2 and loggers pass it on, and
// a server cannot forge it. An entry is deleted when its response is garbage-collected.
var giveUps sync.Map // of weak.Pointer[http.Response] to *retry.Error

// noteGiveUp records that a Transport returned resp instead of the error e.
func noteGiveUp(resp *http.Response, e *retry.Error) {
	key := weak.Make(resp)
	if _, known := giveUps.Swap(key, e); !known {
		runtime.AddCleanup(resp, func(key weak.Pointer[http.Response]) { giveUps.Delete(key) }, key)
	}
}

// giveUpError returns the error with which a Transport gave up on resp, or nil if none did.
func giveUpError(resp *http.Response) *retry.Error {
	known, _ := giveUps.Load(weak.Make(resp))
	e, _ := known.(*retry.Error)
	return e
}
